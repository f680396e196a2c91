import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SettlementLine } from "../../src/domain";
import { inSession, saveProfile } from "../../src/ops";
import { sleep } from "../../src/platform";
import { FULL_HEADER, FULL_PROFILE, fullLine } from "../support/settlement-files";
import { JOB_ACTS, type JobAct, until, type WorldCase } from "./case";
import { type Job, startJob } from "./job";
import { harmAt, type JobPoint } from "./job-line";
import { openLink } from "./link";
import { signal } from "./servers";
import type { Stage } from "./stage";
import { reversalOf } from "./storms";
import { openWorld, type World } from "./world";

/** Lines of payments that nobody knows: for an import as many as make the file several pieces long. */
const STRANGERS = { import: 6_000, run: 300 } as const;
const strangerOf = (index: number): string => `F${String(index).padStart(7, "0")}`;

/** What is done with a file. */
type Step = "import" | "run";
/** All lines are stored, and the file is about to be. */
export const FILE_WRITTEN: JobPoint = { name: "file written", text: "insert into settlement_file", skip: 0 };
const POINTS: readonly (readonly [step: Step, point: JobPoint])[] = [
  ["import", { name: "half of the lines sent", text: strangerOf(STRANGERS.import / 2), skip: 0 }],
  ["import", FILE_WRITTEN],
  ["import", { name: "COMMIT not received", text: "insert into settlement_file", skip: 0, atCommit: "not received" }],
  ["import", { name: "COMMIT not answered", text: "insert into settlement_file", skip: 0, atCommit: "not answered" }],
  ["run", { name: "lines and payments compared", text: "pg_export_snapshot", skip: 0 }],
  ["run", { name: "exact matches linked", text: "copy settlement_match", skip: 0 }],
  ["run", { name: "open lines collected", text: "insert into reconciliation_work_line", skip: 0 }],
  ["run", { name: "findings written", text: "insert into reconciliation_finding", skip: 0 }],
  ["run", { name: "COMMIT not received", text: "set finished_at", skip: 0, atCommit: "not received" }],
  ["run", { name: "COMMIT not answered", text: "set finished_at", skip: 0, atCommit: "not answered" }],
];
const STANDSTILL_MS = 2_000;

/** Something happens to an import, or to a run: nothing half may be seen, and doing it again gives what it would have given. */
export function reconciliationCases(): WorldCase[] {
  return POINTS.flatMap(([step, point]) =>
    JOB_ACTS.map((act) => ({
      ...{ crashPoint: `CP18 reconciliation, ${step}`, where: point.name, act },
      run: whileReconciling(step, point, act),
    })),
  );
}

/** One of these. */
export function whileReconciling(step: Step, point: JobPoint, act: JobAct): WorldCase["run"] {
  return async (stage) => {
    const world = await openWorld({ ...stage, bills: 30, shopBills: 15 });
    const link = await openLink(stage.servers.postgres.port);
    const jobs: Job[] = [];
    try {
      await world.start(await world.addPlace());
      const day = await settledDay(world, stage, STRANGERS[step]);
      const start = (part: Step, port?: number): Job => {
        const url = new URL(world.appUrl());
        if (port !== undefined) url.port = String(port);
        const job = startJob(stage.build, part, { ...day, DATABASE_URL: url.toString() });
        jobs.push(job);
        return job;
      };
      if (step === "run") await finished(world, start("import"));
      const before = await standing(world);
      let subject: Job | null = null;
      const state = harmAt(link, point, act, () => subject);
      subject = start(step, link.port);
      const first = subject;
      await until(() => state.isReached, 10_000);
      if (act === "stop") {
        const second = start(step);
        await sleep(STANDSTILL_MS);
        signal(first.pid, "SIGCONT");
        await second.ended;
      }
      await first.ended;
      const after = await standing(world);
      const isUnchanged = JSON.stringify(after) === JSON.stringify(before);
      if (act !== "stop" && point.atCommit !== "not answered" && !isUnchanged) {
        world.violate("law", null, `half of it can be seen: ${JSON.stringify(after)}`);
      }
      const again = start(step);
      await finished(world, again);
      if (step === "run") await sameResult(world, again, start);
      else await wholeFile(world);
      await world.settle(5_000);
      return { wasReached: state.isReached, violations: await world.check(), world };
    } finally {
      for (const job of jobs) await job.kill();
      await link.close();
      await world.close();
    }
  };
}

async function finished(world: World, job: Job): Promise<void> {
  if ((await job.ended) !== 0) world.violate("host", null, `a job failed: ${job.complaints.slice(0, 3).join(" ")}`);
}

const PAYMENTS = 20;
/** What must be found, as the file below is made. */
const MATCHED = 17;
const FOUND: Readonly<Record<string, number>> = {
  "amount-differs": 1,
  "duplicate-in-file": 1,
  "missing-here": STRANGERS.run,
  "missing-in-file": 2,
};
const LINES = PAYMENTS - 1 + STRANGERS.import;

/** Twenty payments, two of them reversed, and a file about them that is wrong in four places. */
async function settledDay(world: World, stage: Stage, count: number): Promise<Record<string, string>> {
  const payments = Array.from({ length: PAYMENTS }, () => world.payment());
  for (const each of payments) world.note(each);
  await Promise.all(payments.map((each) => world.send(each)));
  for (const each of payments.slice(18)) {
    const reversal = reversalOf(each);
    world.note(reversal);
    await world.send(reversal);
  }
  const booked = await world.query<{ trax_id: string; day: string; at_ms: number }>(
    `select trax_id, business_date::text as day, (extract(epoch from happened_at) * 1000)::float8 as at_ms
       from journal_entry where kind = 'payment'`,
  );
  const byTraxId = new Map(booked.map((row) => [row.trax_id, row]));
  const day = booked[0]?.day ?? "";
  const lines = payments.flatMap(({ traxId = "", ...message }, index): Omit<SettlementLine, "fileId" | "lineNo">[] => {
    const line = {
      ...{ traxId, productCode: message["productCode"] ?? null, billNumber: message["billNumber"] ?? null },
      ...{ amount: BigInt(message["amount"] ?? "0"), feeAmount: BigInt(message["feeAmount"] ?? "0") },
      ...{ paidAtMs: byTraxId.get(traxId)?.at_ms ?? null, businessDate: day, status: "paid" as const },
    };
    if (index === 14) return [{ ...line, amount: line.amount + 1n }];
    if (index === 15) return [line, line];
    if (index === 16 || index === 17) return [];
    return [index < 18 ? line : { ...line, status: "reversed" }];
  });
  const [pattern] = lines;
  if (pattern === undefined) throw new Error("no payment was posted");
  const strangers = Array.from({ length: count }, (_, index) => {
    const billNumber = `7${String(index).padStart(12, "0")}`;
    return { ...pattern, traxId: strangerOf(index), productCode: "001001", billNumber };
  });
  const path = join(stage.dir, `settlement-${randomBytes(6).toString("hex")}.csv`);
  writeFileSync(path, `${[FULL_HEADER, ...[...lines, ...strangers].map(fullLine)].join("\n")}\n`);
  await inSession({ url: world.appUrl(), isolation: "read committed" }, (session) =>
    saveProfile(session, "full", { ...FULL_PROFILE }),
  );
  return { SETTLEMENT_FILE: path, SETTLEMENT_DATE: day };
}

/** What everybody can see. */
async function standing(world: World): Promise<Record<string, number> | undefined> {
  const [row] = await world.query<Record<string, number>>(`
    select (select count(*)::int from settlement_file) as files, (select count(*)::int from settlement_line) as lines,
           (select count(*)::int from reconciliation_run) as runs,
           (select count(*)::int from settlement_match where replaced_by_run is null) as matches,
           (select count(*)::int from reconciliation_finding where replaced_by_run is null) as findings,
           (select count(*)::int from reconciliation_work_line) as lines_left,
           (select count(*)::int from reconciliation_work_payment) as payments_left`);
  return row;
}

async function wholeFile(world: World): Promise<void> {
  const seen = await standing(world);
  if (seen?.["files"] !== 1 || seen["lines"] !== LINES) {
    world.violate("law", null, `imported ${seen?.["files"]} files with ${seen?.["lines"]} lines, not 1 with ${LINES}`);
  }
}

interface Report {
  readonly summary: {
    readonly matched: number;
    readonly findings: readonly { readonly class: string; readonly count: number }[];
  };
  readonly changes: readonly unknown[];
}

const reportOf = (job: Job): Report => JSON.parse(job.lines.at(-1) ?? "{}") as Report;

/** What was done again found what there is to be found; once more changes nothing, and no run has left its work behind. */
async function sameResult(world: World, again: Job, start: (part: Step) => Job): Promise<void> {
  const last = start("run");
  await finished(world, last);
  for (const report of [reportOf(again), reportOf(last)]) {
    const found = Object.fromEntries(report.summary.findings.map((each) => [each.class, each.count]));
    if (report.summary.matched !== MATCHED || !isSame(found, FOUND)) {
      world.violate("law", null, `found ${report.summary.matched} matched and ${JSON.stringify(found)}`);
    }
  }
  if (reportOf(last).changes.length > 0) world.violate("divergent", null, "a repeated run found something else");
  const seen = await standing(world);
  if (seen?.["lines_left"] !== 0 || seen["payments_left"] !== 0)
    world.violate("law", null, `work was left behind: ${JSON.stringify(seen)}`);
}

const isSame = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean =>
  Object.keys({ ...a, ...b }).every((key) => a[key] === b[key]);
