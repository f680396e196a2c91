import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { dateAfter } from "../../src/domain";
import { readBrokenReceivables } from "../../src/ledger";
import type { Tx } from "../../src/platform";
import { importBills } from "../../src/store";
import { fill, telkomBill, TEST_KEYS, testDb, transact } from "../support/builders";
import { startBiller } from "../support/command-line";
import type { TestDatabase } from "../support/services";
import { scoreOf, scoreText, type Wanted, wantedOf } from "./score";
import { DAMAGES, type Damage, dayOf, paidFor, RULES, type Truth } from "../support/settlement-days";
import { bookPayments, bookPostings, FULL_HEADER, FULL_PROFILE, fullLine } from "../support/settlement-files";

/** How large a month is made. */
export interface MonthOptions {
  readonly payments: number;
  readonly days: number;
  /** Every so many payments one is damaged, every kind in turn. */
  readonly damageEvery: number;
  readonly say: (line: string) => void;
}

/** What became of it. */
export interface MonthResult {
  readonly report: string;
  readonly faults: readonly string[];
}

interface MadeDay {
  readonly date: string;
  readonly path: string;
  readonly lines: number;
  /** What the switch pays for the file. Whole rupiah. */
  readonly paid: bigint;
  /** What must be found of it. */
  readonly wanted: Wanted;
}

/**
 * A month as it goes: files come, are imported and compared, two people explain what does not agree, the bank credits the
 * money, and every day is closed. All of it by the commands of the documentation. In the end the switch owes nothing, nothing
 * is on its way, and every line is posted or explained.
 */
export async function runMonth(database: TestDatabase, options: MonthOptions): Promise<MonthResult> {
  const dir = mkdtempSync(join(tmpdir(), "biller-month-"));
  const faults: string[] = [];
  const steps: string[] = [];
  const expect = (what: string, found: unknown, wanted: unknown): void => {
    if (String(found) !== String(wanted)) faults.push(`${what}: ${String(found)}, expected ${String(wanted)}`);
  };
  const recon = commandsOn(database);
  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const startedMs = performance.now();
    const value = await work();
    const line = `${what}: ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`;
    steps.push(line);
    options.say(line);
    return value;
  };
  try {
    const days = await timed("made", () => makeMonth(database, options, dir));
    const [first, last] = [days[0]?.date ?? "", days.at(-1)?.date ?? ""];
    const range = ["--profile", "month", "--date", first, "--to", last];
    const lines = days.reduce((sum, day) => sum + day.lines, 0);
    const paid = days.reduce((sum, day) => sum + day.paid, 0n);
    const profile = join(dir, "profile.json");
    writeFileSync(profile, JSON.stringify({ ...FULL_PROFILE, rules: RULES }));
    await recon(["profile", "set", "month", profile]);
    await timed("imported", async () => {
      for (const { path, date } of days) await recon(["import", path, "--profile", "month", "--date", date]);
    });
    const runs = (await timed("compared with the books", () => recon(["run", ...range, "--json"]))) as {
      readonly summary: {
        lines: number;
        matched: number;
        findings: { class: string; count: number; difference: string }[];
      };
    }[];
    const scores = await scoreOf(
      database,
      days.map(({ wanted }) => wanted),
    );
    for (const score of scores) {
      expect(
        `${score.class} found as made`,
        `${score.named} named, ${score.falseAlarms} false`,
        `${score.made} named, 0 false`,
      );
    }
    const byClass = sumByClass(runs.flatMap(({ summary }) => summary.findings));
    expect(
      "lines compared",
      runs.reduce((sum, { summary }) => sum + summary.lines, 0),
      lines,
    );
    expect(
      "difference of all classes",
      [...byClass.values()].reduce((sum, each) => sum + each.difference, 0n),
      await gapOf(database),
    );
    const work = ["--as", "ani", "--yes", "--json"];
    const check = ["--as", "budi", "--yes", "--json"];
    await timed("matched lines posted", () => recon(["settle", ...range, ...work]));
    await timed("exceptions resolved by two people", () => resolveAll(recon, range, work, check));
    expect("open exceptions", ((await recon(["exceptions", "--json"])) as unknown[]).length, 0);
    const credit = ["--amount", paid.toString(), "--date", last, "--reference", `month to ${last}`];
    await recon(["bank-credit", ...credit, ...work]);
    await recon(["approve", "--all", ...check]);
    const ageing = await timed("unsettled", () => recon(["ageing", "--json"]));
    expect("unsettled after the bank's credit", JSON.stringify(ageing), "[]");
    const closing = ["close", "--date", first, "--to", last, ...work];
    const closed = (await timed("closed", () => recon(closing))) as { kind: string }[];
    expect("days closed", closed.filter(({ kind }) => kind === "closed").length, days.length);
    const again = (await timed("closed days computed again", () => recon(closing))) as { isIdentical?: boolean }[];
    expect("identical bytes", again.filter(({ isIdentical }) => isIdentical === true).length, days.length);
    for (const format of ["csv", "xlsx", "pdf"]) {
      await recon(["report", "--date", last, "--format", format, "--out", join(dir, `close.${format}`)]);
    }
    const tx: Tx = { run: (statement, values) => database.query(statement.text, values) };
    const broken = await readBrokenReceivables(tx, 10);
    expect("receivables", broken.map(({ entryId, what }) => `${entryId} ${what}`).join("; "), "");
    const [due] = await database.query<{ due: bigint }>("select coalesce(sum(due), 0)::bigint as due from receivable");
    expect("still due of all receivables", due?.due, 0n);
    const unexplained = await unexplainedLines(database);
    expect("lines neither posted nor explained", unexplained, 0);
    const report = [
      `${days.length} files, ${lines.toLocaleString("en")} lines; the switch paid Rp ${paid.toLocaleString("en")}`,
      ...[...byClass].map(
        ([name, { count, difference }]) => `  ${name}: ${count}, difference ${difference.toLocaleString("en")}`,
      ),
      ...scoreText(scores),
      ...steps,
      faults.length === 0
        ? "explained to the rupiah: the switch owes 0, 0 in transit, 0 open exceptions, 0 lines unexplained"
        : "NOT explained",
    ].join("\n");
    return { report, faults };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

type Recon = (args: readonly string[], codes?: readonly number[]) => Promise<unknown>;

/** Runs `biller recon`; its JSON where it was asked for. */
function commandsOn(database: TestDatabase): Recon {
  const keys = TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join();
  const env = { DATABASE_URL: database.appUrl, MIGRATION_DATABASE_URL: database.ownerUrl, CREDENTIAL_KEYS: keys };
  return async (args, codes = [0]) => {
    const { code, out, err } = await startBiller(["recon", ...args], env).ended;
    if (!codes.includes(code ?? -1)) throw new Error(`biller recon ${args.join(" ")} ended with ${code}: ${err}`);
    return args.includes("--json") ? JSON.parse(out) : out;
  };
}

async function makeMonth(database: TestDatabase, options: MonthOptions, dir: string): Promise<MadeDay[]> {
  const { payments, days, damageEvery, say } = options;
  await fill(database, []);
  const [now] = await database.query<{ day: string }>("select (now() at time zone 'Asia/Jakarta')::date::text as day");
  const first = dateAfter(now?.day ?? "", -days - 1);
  await database.query("select ensure_month_partitions(3, $1::date)", [first]);
  const made: MadeDay[] = [];
  for (let day = 0; day < days; day += 1) {
    const date = dateAfter(first, day);
    const from = Math.floor((payments * day) / days);
    const count = Math.floor((payments * (day + 1)) / days) - from;
    const truths = Array.from({ length: count }, (_each, position) => truthOf(from + position, damageEvery));
    const { lines, payments: booked, expected } = dayOf(truths, 1, { date, from });
    await bookPayments(database, booked);
    await billsFor(database, truths, lines);
    const path = join(dir, `month-${date}.csv`);
    await pipeline(Readable.from(textOf(lines.map(fullLine))), createWriteStream(path));
    made.push({ date, path, lines: lines.length, paid: paidFor(lines), wanted: wantedOf(date, truths, expected) });
    say(`${date}: ${lines.length} lines`);
  }
  await bookPostings(database);
  await database.query("vacuum (analyze)");
  return made;
}

function truthOf(index: number, damageEvery: number): Truth {
  const turn = Math.floor(index / damageEvery);
  const damage: Damage = index % damageEvery === damageEvery - 1 ? (DAMAGES[turn % DAMAGES.length] ?? "none") : "none";
  return { damage, amount: BigInt(10_000 + ((index * 7_919) % 990_000)), feeAmount: 2_500n, minute: index % 1_440 };
}

/** Bills of the payments that are missing here: two people post them. */
async function billsFor(
  database: TestDatabase,
  truths: readonly Truth[],
  lines: ReturnType<typeof dayOf>["lines"],
): Promise<void> {
  const missing = truths.filter(({ damage }) => damage.startsWith("missing-here"));
  const [start] = lines;
  if (missing.length === 0 || start === undefined) return;
  const booked = await database.query<{ trax_id: string }>(`select trax_id from trax where trax_id = any($1::text[])`, [
    lines.map(({ traxId }) => traxId),
  ]);
  const known = new Set(booked.map((row) => row.trax_id));
  const byNumber = new Map(lines.map((line) => [line.billNumber, line]));
  const bills = [...byNumber.values()]
    .filter(({ traxId, billNumber }) => traxId?.startsWith("T") && !known.has(traxId) && billNumber !== null)
    .map(({ billNumber, amount, feeAmount }) =>
      telkomBill({ billNumber: billNumber ?? "", feeAmount: feeAmount ?? 0n, items: [{ reference: "304A", amount }] }),
    );
  const db = testDb(database.ownerUrl, 1);
  try {
    await transact(db, (tx) => importBills(tx, bills));
  } finally {
    await db.close();
  }
}

function* textOf(lines: readonly string[]): Generator<string, void> {
  yield `${FULL_HEADER}\n`;
  for (let at = 0; at < lines.length; at += 1_000) yield `${lines.slice(at, at + 1_000).join("\n")}\n`;
}

/** What is done about each class. What cannot be done so (`advise` of a strange bill) is refused and accepted instead. */
const PLAN = [
  ["missing-here", "advise", null],
  ["missing-here", "accept", "suspense"],
  ["reversed-there", "reverse", null],
  ["reversed-there", "reverse", "settlement-difference"],
  ["reversed-here", "accept", "refund-payable"],
  ["duplicate-in-file", "accept", "refund-payable"],
  ["amount-differs", "accept", "settlement-difference"],
  ["fee-differs", "accept", "settlement-difference"],
  ["status-differs", "accept", "suspense"],
  ["wrong-business-date", "accept", null],
  ["missing-in-file", "write-off", null],
] as const;

async function resolveAll(
  recon: Recon,
  range: readonly string[],
  work: readonly string[],
  check: readonly string[],
): Promise<void> {
  for (const [name, action, account] of PLAN) {
    const where = ["--all", ...range, "--class", name, "--action", action, "--because", `month: ${name}`];
    const to = account === null ? [] : ["--account", account];
    const { batchId } = (await recon(["resolve", ...where, ...to, ...work])) as { batchId: string | null };
    if (batchId === null) continue;
    const { failed } = (await recon(["approve", batchId, ...check], [0, 1])) as { failed: readonly unknown[] };
    if (failed.length > 0) await recon(["refuse", batchId, "--note", "cannot be done", ...check]);
  }
}

function sumByClass(
  findings: readonly { readonly class: string; readonly count: number; readonly difference: string }[],
): Map<string, { count: number; difference: bigint }> {
  const sums = new Map<string, { count: number; difference: bigint }>();
  for (const each of findings) {
    const before = sums.get(each.class) ?? { count: 0, difference: 0n };
    sums.set(each.class, { count: before.count + each.count, difference: before.difference + BigInt(each.difference) });
  }
  return sums;
}

/** What the files say less what the books say, from lines and entries alone: no match and no finding is looked at. */
async function gapOf(database: TestDatabase): Promise<bigint> {
  const [row] = await database.query<{ gap: bigint }>(
    `with paid as (select distinct trax_id from settlement_line where status = 'paid')
     select ((select coalesce(sum(amount), 0) from settlement_line where status = 'paid')
           - (select coalesce(sum(l.amount), 0) from settlement_line l join paid using (trax_id) where l.status = 'reversed')
           - (select coalesce(sum(case e.kind when 'payment' then e.amount else -e.amount end), 0)
                from journal_entry e where e.kind in ('payment', 'reversal')))::bigint as gap`,
  );
  return row?.gap ?? 0n;
}

/** Readable lines without a posting that say that money moved, and that no resolved finding is about. */
async function unexplainedLines(database: TestDatabase): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    `select count(*)::int as count
       from settlement_line l
       left join settlement_line_posting p using (file_id, line_no)
      where l.fault is null and l.status = 'paid' and p.posting_no is null
        and not exists (select from reconciliation_finding f
                         where f.file_id = l.file_id and f.line_no = l.line_no and f.replaced_by_run is null
                           and f.resolved_at is not null)`,
  );
  return row?.count ?? 0;
}
