import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { inSession, saveProfile } from "../../src/ops";
import { medianOf, tableOf } from "../fuzz/program";
import { makeEntries } from "./bills";
import { billNumberOf, SCENE } from "./messages";
import type { BenchOptions } from "./options";
import type { ReconJob, ReconJobResult } from "./recon-job";
import { cpuSecondsOf } from "./server-cpu";
import { type BenchDatabase, cloneTemplate, openTemplate, prepareTemplate, type Stage } from "./stage";

/** What a settlement file costs. */
export interface ReconResult {
  readonly seconds: Readonly<Record<string, readonly number[]>>;
  readonly ratio: number;
  /** The same ratio of CPU time, of this or the importing process and the server together. */
  readonly cpuRatio: number;
  readonly peakRssMiB: number;
  readonly faults: readonly string[];
  readonly report: string;
}

const AMOUNT = 30_000;
const GOAL = 3;
/** Every so many lines one is damaged, in turn: another amount, a traxId that nobody knows, left out, twice. */
const DAMAGE_EVERY = 250;
const DAMAGE_KINDS = 4;
const PROFILE = "bench";

/**
 * As many lines as payments: our import and run beside a raw COPY of the same lines into a bare table and one join with the
 * payments. Both on one server, in rounds that take turns.
 */
export async function runRecon(stage: Stage, options: BenchOptions): Promise<ReconResult> {
  const { say } = stage;
  const rows = options.reconRows;
  await prepareTemplate(stage, true);
  await (await openTemplate(stage)).close();
  const base = await cloneTemplate(stage, "bench_recon");
  await makeEntries(base, { from: 0, to: rows, amount: AMOUNT, replyBody: "{}" }, say);
  await base.query("vacuum (freeze, analyze)");
  const [day] = await base.query<{ day: string }>("select (now() at time zone 'Asia/Jakarta')::date::text as day");
  const date = day?.day ?? "";
  const path = join(stage.dir, "settlement.csv");
  await pipeline(Readable.from(fileOf(rows, date)), createWriteStream(path));
  await saveBenchProfile(base);
  const seconds: Record<"copy" | "join" | "import" | "run", number[]> = { copy: [], join: [], import: [], run: [] };
  const cpu: Record<"raw" | "ours", number[]> = { raw: [], ours: [] };
  const faults: string[] = [];
  let peakRssMiB = 0;
  const cpuNow = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6 + cpuSecondsOf(stage.postgres.pid);
  };
  try {
    for (let round = 0; round < options.rounds; round += 1) {
      await base.query("checkpoint");
      const cpuAtStart = cpuNow();
      const raw = await rawCopyAndJoin(base, rows, date);
      cpu.raw.push(cpuNow() - cpuAtStart);
      await base.query("checkpoint");
      const serverAtStart = cpuSecondsOf(stage.postgres.pid);
      const ours = await oursOf(base, path, date);
      cpu.ours.push(ours.cpuSeconds + cpuSecondsOf(stage.postgres.pid) - serverAtStart);
      peakRssMiB = Math.max(peakRssMiB, ours.peakRssMiB);
      faults.push(...ours.faults(rows));
      seconds.copy.push(raw.copy);
      seconds.join.push(raw.join);
      seconds.import.push(ours.import);
      seconds.run.push(ours.run);
      say(
        `round ${round + 1}: COPY ${raw.copy.toFixed(2)} s, join ${raw.join.toFixed(2)} s; ` +
          `import ${ours.import.toFixed(2)} s, run ${ours.run.toFixed(2)} s`,
      );
      await forget(base);
    }
  } finally {
    await base.close();
  }
  const ratios = seconds.copy.map(
    (copy, at) => ((seconds.import[at] ?? 0) + (seconds.run[at] ?? 0)) / (copy + (seconds.join[at] ?? 0)),
  );
  const ratio = medianOf(ratios);
  const cpuRatio = medianOf(cpu.ours.map((each, at) => each / (cpu.raw[at] ?? 0)));
  const table = tableOf(
    ["seconds, median (every round)", "what"],
    Object.entries(seconds).map(([what, each]) => [
      `${medianOf(each).toFixed(2)} (${each.map((one) => one.toFixed(2)).join(" ")})`,
      what,
    ]),
  );
  const report =
    `${rows.toLocaleString("en")} lines against ${rows.toLocaleString("en")} payments\n${table}\n\n` +
    `(import + run) / (COPY + join) = ${ratio.toFixed(2)} (${ratios.map((each) => each.toFixed(2)).join(" ")}), goal <= ${GOAL}\n` +
    `CPU of client and server: ${medianOf(cpu.ours).toFixed(2)} s / ${medianOf(cpu.raw).toFixed(2)} s = ${cpuRatio.toFixed(2)}; ` +
    `peak memory of the importing process ${peakRssMiB} MiB`;
  return { seconds, ratio, cpuRatio, peakRssMiB, faults, report };
}

type Kind = "amount" | "unknown" | "left-out" | "twice" | null;

function damageOf(index: number): Kind {
  if (index % DAMAGE_EVERY !== DAMAGE_EVERY - 1) return null;
  const kinds = ["amount", "unknown", "left-out", "twice"] as const;
  return kinds[Math.floor(index / DAMAGE_EVERY) % DAMAGE_KINDS] ?? null;
}

function* linesOf(
  rows: number,
): Generator<{ readonly traxId: string; readonly index: number; readonly amount: number }, void> {
  for (let index = 0; index < rows; index += 1) {
    const damage = damageOf(index);
    const line = { traxId: `OLD${index}`, index, amount: AMOUNT };
    if (damage === "left-out") continue;
    if (damage === "amount") yield { ...line, amount: AMOUNT + 1 };
    else if (damage === "unknown") yield { ...line, traxId: `NEW${index}` };
    else yield line;
    if (damage === "twice") yield line;
  }
}

/** Text of a million lines, some hundred at a time. */
function* chunksOf(
  rows: number,
  textOf: (line: { traxId: string; index: number; amount: number }, lineNo: number) => string,
) {
  let texts: string[] = [];
  let lineNo = 0;
  for (const line of linesOf(rows)) {
    texts.push(textOf(line, (lineNo += 1)));
    if (texts.length < 500) continue;
    yield texts.join("");
    texts = [];
  }
  yield texts.join("");
}

function* fileOf(rows: number, date: string): Generator<string, void> {
  yield "trax,product,bill,amount,fee,paid,status\n";
  yield* chunksOf(
    rows,
    ({ traxId, index, amount }) =>
      `${traxId},${SCENE.productCode},${billNumberOf(index)},${amount},${SCENE.feeAmount},${date} 10:40:40,paid\n`,
  );
}

async function saveBenchProfile(database: BenchDatabase): Promise<void> {
  const columns = {
    ...{ traxId: "trax", productCode: "product", billNumber: { at: "bill" }, amount: "amount", feeAmount: "fee" },
    ...{ paidAt: { at: "paid", form: "YYYY-MM-DD HH:mm:ss" }, status: { at: "status", paid: ["paid"] } },
  };
  const format = { kind: "delimited", delimiter: "," };
  const rules = [{ kind: "bill", name: "bill-amount-day", daysApart: 1 }];
  await inSession({ url: database.ownerUrl, isolation: "read committed" }, (session) =>
    saveProfile(session, PROFILE, { partner: SCENE.userName, format, header: "columns", columns, rules }),
  );
}

async function rawCopyAndJoin(
  database: BenchDatabase,
  rows: number,
  date: string,
): Promise<{ readonly copy: number; readonly join: number }> {
  const client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
  try {
    await client.query(`drop table if exists raw_line; create table raw_line (line_no int, trax_id text, product_code text,
      bill_number text, amount bigint, fee_amount bigint, business_date date, paid_at timestamptz, status text)`);
    const copy = await timed(() =>
      pipeline(
        Readable.from(
          chunksOf(
            rows,
            ({ traxId, index, amount }, lineNo) =>
              `${lineNo}\t${traxId}\t${SCENE.productCode}\t${billNumberOf(index)}\t${amount}\t${SCENE.feeAmount}\t${date}\t` +
              `${date} 03:40:40+00\tpaid\n`,
          ),
        ),
        client.query(copyFrom("copy raw_line from stdin")),
      ),
    );
    const join = await timed(() =>
      client.query(
        `select count(*), sum(e.amount - l.amount) from raw_line l
           join journal_entry e on e.trax_id = l.trax_id and e.business_date = '${date}' and e.kind = 'payment'`,
      ),
    );
    await client.query("drop table raw_line");
    return { copy, join };
  } finally {
    await client.end();
  }
}

/** In a process of its own, so that its memory is that of importing and nothing else. */
async function oursOf(database: BenchDatabase, path: string, date: string) {
  const job: ReconJob = { databaseUrl: database.appUrl, profileCode: PROFILE, path, date };
  const args = ["--import", "tsx", join(__dirname, "recon-job.ts"), JSON.stringify(job)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { found, ...measured } = JSON.parse(stdout) as ReconJobResult;
  const faults = (rows: number): string[] => {
    const made: Record<string, number> = { matched: 0 };
    for (let index = 0; index < rows; index += 1) {
      const damage = damageOf(index);
      const count = (name: string): void => void (made[name] = (made[name] ?? 0) + 1);
      if (damage === "amount") count("amount-differs");
      else if (damage === "left-out") count("missing-in-file");
      else count("matched");
      if (damage === "twice") count("duplicate-in-file");
    }
    return Object.keys({ ...made, ...found }).flatMap((name) =>
      made[name] === found[name] ? [] : [`${name}: ${made[name] ?? 0} made, ${found[name] ?? 0} found`],
    );
  };
  return { ...measured, faults };
}

/** As if the file had never come. */
async function forget(database: BenchDatabase): Promise<void> {
  await database.query("set session_replication_role = replica");
  await database.query(
    `truncate settlement_match, reconciliation_finding, exception_item, settlement_line, settlement_file, reconciliation_run
       cascade`,
  );
  await database.query("set session_replication_role = origin");
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return (performance.now() - startedMs) / 1_000;
}
