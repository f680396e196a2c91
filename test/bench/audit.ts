import { openReader, readDossier, readFreshness, type AuditReader, type Question, type Row } from "../../src/ops";
import { AUDIT_LISTINGS, PAGE_BUDGET_MS, readBalances, readPage } from "../../src/ops";
import { writeCursor } from "../../src/ops/audit/cursor";
import { type Statement, systemClock, type Tx } from "../../src/platform";
import type { TestDatabase } from "../support/services";
import { BILLS_PER_ROWS, makeAuditRows } from "./audit-rows";
import { SCENE } from "./messages";
import type { BenchOptions } from "./options";
import { cloneTemplate, prepareTemplate, type Stage } from "./stage";

/** What the bench of the audit API found: a table for people, and everything that is wrong. */
export interface AuditBench {
  readonly report: string;
  readonly faults: readonly string[];
  readonly pages: readonly {
    readonly name: string;
    readonly depth: number;
    readonly p50: number;
    readonly p99: number;
  }[];
}

/** Milliseconds of a page at any depth. */
const GOAL_MS = 20;
const LIMIT = 50;
const PAGES = 60;
const DEPTHS = [0, 0.5, 0.99];

/** Pages of every list under its main filters at three depths, each of them checked to use an index. */
export async function runAudit(stage: Stage, { auditRows }: BenchOptions): Promise<AuditBench> {
  await prepareTemplate(stage, true);
  const database = await cloneTemplate(stage, "bench_audit");
  try {
    await makeAuditRows(database, auditRows, stage.say);
    const onFault = (fault: unknown): void => stage.say(String(fault));
    const reader = openReader({ url: database.auditorUrl, poolMax: 2, clock: systemClock, onFault });
    try {
      return await measure(stage, database, reader, auditRows);
    } finally {
      await reader.close();
    }
  } finally {
    await database.close();
  }
}

async function measure(stage: Stage, database: TestDatabase, reader: AuditReader, rows: number): Promise<AuditBench> {
  const faults: string[] = [];
  const pages: { name: string; depth: number; p50: number; p99: number }[] = [];
  for (const { name, listing: listingName, filters } of await casesOf(database, rows)) {
    const listing = AUDIT_LISTINGS.find((each) => each.name === listingName);
    if (listing === undefined) throw new Error(`there is no listing ${listingName}`);
    for (const depth of DEPTHS) {
      const question: Question = { filters, limit: LIMIT, order: "asc", cursor: null };
      const key = depth === 0 ? null : await keyAt(database, listingName, depth);
      let cursor = key === null ? null : writeCursor(listing.name, question, key);
      const timesMs: number[] = [];
      let asked: { statement: Statement; values: readonly unknown[] } | null = null;
      let shown = 0;
      for (let page = 0; page < PAGES; page++) {
        const startedMs = performance.now();
        const answer = await reader.ask({ timeoutMs: 60_000 }, async (tx) => {
          await readFreshness(tx);
          const watched: Tx = {
            run: (statement, values) => {
              asked ??= { statement, values };
              return tx.run(statement, values);
            },
          };
          return readPage(watched, systemClock, listing, { ...question, cursor }, PAGE_BUDGET_MS);
        });
        timesMs.push(performance.now() - startedMs);
        if ("problem" in answer) throw new Error(answer.problem);
        shown += answer.rows.length;
        cursor = answer.next ?? (key === null ? null : writeCursor(listing.name, question, key));
      }
      if (asked !== null) faults.push(...(await faultsOfPlan(database, `${name} at ${depth * 100} %`, asked)));
      const [p50, p99] = [percentile(timesMs, 0.5), percentile(timesMs, 0.99)];
      pages.push({ name: `${name} (${Math.round(shown / PAGES)} rows)`, depth, p50, p99 });
      stage.say(`${name} at ${depth * 100} %: ${p50.toFixed(1)} ms`);
    }
  }
  const dossierMs: number[] = [];
  for (let n = 1; n <= PAGES; n++) {
    const startedMs = performance.now();
    const traxId = `A${Math.floor((n * rows) / (PAGES + 1))}`;
    const found = await reader.ask({ timeoutMs: 60_000 }, (tx) =>
      readDossier(tx, traxId, { withPersonal: false, layoutOf: () => null }),
    );
    if (found === null || found.keys.length !== 1) faults.push(`no dossier of ${traxId}`);
    dossierMs.push(performance.now() - startedMs);
  }
  for (const [name, filters] of await sumsOf(database)) {
    for (const method of ["totals", "postings"]) {
      const timesMs: number[] = [];
      for (let n = 0; n < (method === "totals" ? 20 : 3); n++) {
        const startedMs = performance.now();
        await reader.ask({ timeoutMs: 120_000 }, (tx) => readBalances(tx, { filters: { ...filters, method } }));
        timesMs.push(performance.now() - startedMs);
      }
      const [p50, p99] = [percentile(timesMs, 0.5), percentile(timesMs, 0.99)];
      pages.push({ name: `${name}, by ${method}`, depth: 0, p50, p99 });
      stage.say(`${name}, by ${method}: ${p50.toFixed(1)} ms`);
    }
  }
  pages.push({ name: "dossier", depth: 0, p50: percentile(dossierMs, 0.5), p99: percentile(dossierMs, 0.99) });
  return { pages, faults, report: reportOf(rows, pages) };
}

/** Balances to ask for: now, and at a moment within an hour in the middle. */
async function sumsOf(
  database: TestDatabase,
): Promise<readonly (readonly [name: string, filters: Question["filters"]])[]> {
  const [middle] = await database.query<{ at: string }>(
    `select to_char((min(happened_at) + (max(happened_at) - min(happened_at)) / 2) at time zone 'UTC',
                    'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at from journal_entry`,
  );
  const at = middle?.at ?? "";
  return [
    ["balances now", {}],
    ["balances half a year ago, by happening", { at, time: "happened" }],
    ["balances half a year ago, by recording", { at, time: "recorded" }],
    ["balances up to yesterday", { businessTo: new Date(Date.now() - 86_400_000).toISOString().slice(0, 10) }],
  ];
}

function reportOf(rows: number, pages: AuditBench["pages"]): string {
  const lines = pages.map(({ name, depth, p50, p99 }) =>
    [
      name.padEnd(58),
      `${depth * 100} %`.padStart(6),
      p50.toFixed(1).padStart(8),
      p99.toFixed(1).padStart(8),
      p50 <= GOAL_MS ? "" : "  above the goal",
    ].join(" "),
  );
  return [
    `audit pages of ${LIMIT}, ${rows.toLocaleString("en")} consumed traxIds, milliseconds (goal: ${GOAL_MS} at any depth)`,
    `${"list and filter".padEnd(58)} ${"depth".padStart(6)} ${"p50".padStart(8)} ${"p99".padStart(8)}`,
    ...lines,
  ].join("\n");
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

interface Case {
  readonly name: string;
  readonly listing: string;
  readonly filters: Readonly<Record<string, string>>;
}

async function casesOf(database: TestDatabase, rows: number): Promise<Case[]> {
  const [span] = await database.query<{ day: string; month: string; bill: string }>(
    `select min(happened_at)::text as day, to_char(min(happened_at) + (max(happened_at) - min(happened_at)) / 2, 'YYYY-MM-DD') as month,
            '001001:' || lpad((${Math.floor(rows / BILLS_PER_ROWS / 2) + 1})::text, 13, '0') as bill from journal_entry`,
  );
  if (span === undefined) throw new Error("there are no entries");
  const day = { from: `${span.month}T00:00:00.000000Z`, to: `${span.month}T23:59:59.000000Z` };
  const of = (listing: string, name: string, filters: Case["filters"] = {}): Case => ({
    listing,
    name: `${listing}: ${name}`,
    filters,
  });
  return [
    of("payments", "all"),
    of("payments", "outcome APPROVED", { outcome: "APPROVED" }),
    of("payments", "outcome declined, 2 %", { outcome: "BAD_AMOUNT" }),
    of("payments", "partner", { partner: SCENE.userName }),
    of("payments", "product", { product: "001001" }),
    of("payments", "amount range, 10 %", { amountMin: "10000", amountMax: "19999" }),
    of("payments", "one day", day),
    of("payments", "one day, by time of recording", { ...day, time: "recorded" }),
    of("payments", "one business date", { businessFrom: span.month, businessTo: span.month }),
    of("payments", "one bill", { bill: span.bill }),
    of("payments", "one traxId", { traxId: `A${Math.floor(rows / 2)}` }),
    of("journal-entries", "all"),
    of("journal-entries", "one day", day),
    of("journal-entries", "one bill", { bill: span.bill }),
    of("journal-entries", "kind settlement (none)", { kind: "settlement" }),
    of("postings", "all"),
    of("postings", "account", { account: "fee-earned" }),
    of("attempts", "all"),
    of("attempts", "one day", day),
    of("attempts", "outcome, 2 %", { outcome: "BAD_AMOUNT" }),
    of("attempts", "one traxId", { traxId: `A${Math.floor(rows / 2)}` }),
  ];
}

const ORDERS: Readonly<Record<string, string>> = {
  payments: "select array[entry_id::text] as key from journal_entry order by entry_id",
  "journal-entries": "select array[entry_id::text] as key from journal_entry order by entry_id",
  postings: "select array[entry_id::text, line_no::text] as key from posting order by entry_id, line_no",
  attempts: `select array[to_char(received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), attempt_id::text] as key
               from attempt order by received_at, attempt_id`,
};
const keys = new Map<string, readonly string[]>();

async function keyAt(database: TestDatabase, listing: string, depth: number): Promise<readonly string[]> {
  const name = `${listing} ${depth}`;
  const known = keys.get(name);
  if (known !== undefined) return known;
  const table = {
    payments: "journal_entry",
    "journal-entries": "journal_entry",
    postings: "posting",
    attempts: "attempt",
  }[listing];
  const [row] = await database.query<{ key: string[] } & Row>(
    `${ORDERS[listing]} offset (select floor(count(*) * ${depth})::bigint from ${table}) limit 1`,
  );
  if (row === undefined) throw new Error(`${listing} has no row at ${depth}`);
  keys.set(name, row.key);
  return row.key;
}

/** No table that grows may be read whole. */
async function faultsOfPlan(
  database: TestDatabase,
  name: string,
  { statement, values }: { statement: Statement; values: readonly unknown[] },
): Promise<string[]> {
  const lines = await database.query<{ "QUERY PLAN": string }>(`explain ${statement.text}`, values);
  return (
    lines
      .map((line) => line["QUERY PLAN"])
      // A month that is still empty has nothing to read.
      .filter(
        (line) => /Seq Scan on (journal_entry|posting|trax|attempt)/.test(line) && !line.includes("cost=0.00..0.00"),
      )
      .map((line) => `${name}: ${line.trim()}`)
  );
}
