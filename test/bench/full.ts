import { medianOf } from "../fuzz/program";
import { brokenLaws } from "../support/laws";
import { onServer, type TestDatabase } from "../support/services";
import { makeBills, makeQuotes } from "./bills";
import { startLoader } from "./loader-process";
import { measure, type Measuring, PAYMENT_AMOUNT, REPEATED, type Sample, type Supply, watchCpu } from "./measure";
import { SCENE, walkOver } from "./messages";
import type { BenchOptions, ContestantName } from "./options";
import { hasPgbench, runPgbench } from "./pgbench";
import { postingFunctionSql } from "./posting-function";
import { type Contestant, peakMemoryOf, untilQuiet } from "./processes";
import {
  bit61Of,
  cloneTemplate,
  openTemplate,
  prepareTemplate,
  type Stage,
  startEcho,
  startOurHost,
  startStraightforward,
} from "./stage";

/** Everything that a run found out. */
export interface RunResult {
  readonly samples: readonly Sample[];
  readonly startMs: readonly number[];
  /** MiB, by contestant. */
  readonly peakMemory: Readonly<Record<string, number | null>>;
  /** Open loop: the rate, and its samples among the others under `pace`. */
  readonly paceRate: number | null;
  readonly hasPgbench: boolean;
  /** Bytes of one reply of the host and of one request, for orientation. */
  readonly checks: readonly string[];
  /** Everything that is wrong; empty when all is well. */
  readonly faults: readonly string[];
}

const PACE_SECONDS = 3;
const PACE_CONNECTIONS = 128;
const WARM_UP_SECONDS = 4;
const STARTS = 5;
/** Bills for this many payments per second and measurement. */
const SUPPLY = { lone: 3_500, many: 15_000 };
const INQUIRY_BILLS = 200_000;
const SMOKE = { paid: 30_000, asked: 5_000, repeated: 500, quietMaxMs: 600 };
const QUIET_MAX_MS = 6_000;

/** The whole comparison. */
export async function runFull(stage: Stage, options: BenchOptions): Promise<RunResult> {
  const { say } = stage;
  const { levels, rounds, seconds, only } = options;
  const isSmoke = options.mode === "smoke";
  const perRound = levels.reduce((sum, each) => sum + (each === 1 ? SUPPLY.lone : SUPPLY.many), SUPPLY.many) * seconds;
  const paid = isSmoke
    ? SMOKE.paid
    : Math.ceil(perRound * rounds + PACE_SECONDS * rounds * (SUPPLY.many / 2)) +
      REPEATED +
      2 * WARM_UP_SECONDS * SUPPLY.many;
  const repeated = isSmoke ? SMOKE.repeated : REPEATED;
  const quietMaxMs = isSmoke ? SMOKE.quietMaxMs : QUIET_MAX_MS;
  const asked = isSmoke ? SMOKE.asked : INQUIRY_BILLS;
  const bit61 = bit61Of(SCENE.itemAmount, false);
  say(`making ${(paid + asked).toLocaleString("en")} bills`);
  await prepareTemplate(stage, false);
  const template = await openTemplate(stage);
  await makeBills(template, { from: 0, to: paid + asked, itemAmount: SCENE.itemAmount, paidAmount: 0 }, say);
  await makeQuotes(template, { from: 0, to: paid, itemAmount: SCENE.itemAmount, bit61 }, say);
  say("vacuum and analyze");
  await template.query("vacuum (freeze, analyze)");
  await template.close();
  const [ours, plain, direct] = await inOrder(["bench_host", "bench_plain", "bench_pgbench"], (name) => {
    say(`copying the template to ${name}`);
    return cloneTemplate(stage, name);
  });
  if (ours === undefined || plain === undefined || direct === undefined) throw new Error("three databases are needed");
  await onServer(stage.postgres.superuserUrl, "checkpoint");

  const wants = (name: ContestantName): boolean => only.has(name);
  const withPgbench = hasPgbench();
  const loader = await startLoader();
  const running: Contestant[] = [];
  const samples: Sample[] = [];
  const startMs: number[] = [];
  const faults: string[] = [];
  const checks: string[] = [];
  const peakMemory: Record<string, number | null> = {};
  const measuring: Measuring = {
    ...{ loader, bit61, postgresPid: stage.postgres.pid, redisPid: stage.redis.pid, amount: PAYMENT_AMOUNT },
    ...{ repeated, quietMaxMs },
    runTag: `B${Date.now().toString(36).toUpperCase()}`,
  };
  const payable = walkOver(0, paid);
  const supplies = {
    ours: { walk: payable, isEndless: false, step: 0 } as Supply,
    plain: { walk: payable, isEndless: false, step: 0 } as Supply,
    direct: { walk: payable, isEndless: false, step: 0 } as Supply,
    asked: { walk: walkOver(paid, asked), isEndless: true, step: 0 } as Supply,
  };
  const start = async (making: Promise<Contestant>): Promise<Contestant> => {
    const contestant = await making;
    running.push(contestant);
    return contestant;
  };
  let paceRate: number | null = null;
  try {
    say("starting the contestants");
    const host = await start(startOurHost(stage, ours));
    const info = await start(startOurHost(stage, ours, { logLevel: "info" }));
    const echo = await start(startEcho());
    const straightforward = await start(startStraightforward(stage, plain, options.poolMax));
    const note = (sample: Sample): void => {
      samples.push(sample);
      if (sample.unexpected > 0) {
        faults.push(`${sample.what}, c = ${sample.connections}: ${sample.unexpected} unexpected: ${sample.samples[0]}`);
      }
      say(
        `round ${sample.round}, c = ${String(sample.connections).padStart(3)}  ${sample.what.padEnd(15)} ` +
          `${Math.round(sample.perSecond).toLocaleString("en").padStart(7)}/s  p50 ${ms(sample.p50)}  p99 ${ms(sample.p99)}` +
          (sample.unexpected > 0 ? `  UNEXPECTED ${sample.unexpected}` : ""),
      );
    };
    const payment = { kind: "payment", expect: "approved" } as const;
    // The first payments are the ones that are replayed. Then everybody runs long enough to have been compiled.
    say("warming up");
    const first = { ...payment, round: 0, what: "warm-up", connections: 8, seconds: 60, requests: repeated };
    const firstPaid = await measure(measuring, { ...first, contestant: host, from: supplies.ours });
    note(firstPaid);
    if (firstPaid.answered !== repeated) throw new Error("the warm-up did not come to its end");
    const warm = { ...payment, round: 0, what: "warm-up", connections: 64, seconds: isSmoke ? 0.5 : WARM_UP_SECONDS };
    note(await measure(measuring, { ...warm, contestant: host, from: supplies.ours }));
    if (wants("info")) note(await measure(measuring, { ...warm, contestant: info, from: supplies.ours }));
    if (wants("echo")) {
      const from = { again: supplies.ours };
      await measure(measuring, { ...warm, expect: "echo", contestant: echo, from });
    }
    if (wants("straightforward")) {
      const order = { ...warm, what: "warm-up, straightforward", contestant: straightforward };
      note(await measure(measuring, { ...order, from: supplies.plain }));
    }
    const replyLength = await lengthOfReply(ours);
    await direct.query(postingFunctionSql(bit61.text, replyLength));

    for (let round = 1; round <= rounds; round += 1) {
      for (const connections of levels) {
        const common = { connections, round, seconds };
        if (wants("payment")) {
          note(
            await measure(measuring, { ...common, ...payment, what: "payment", contestant: host, from: supplies.ours }),
          );
        }
        if (wants("pgbench") && withPgbench) {
          note(await directly(stage, measuring, direct, supplies.direct, common));
        }
        if (wants("echo")) {
          const from = { again: supplies.ours };
          note(
            await measure(measuring, {
              ...common,
              kind: "payment",
              expect: "echo",
              what: "echo",
              contestant: echo,
              from,
            }),
          );
        }
        if (wants("straightforward")) {
          const order = { ...common, ...payment, what: "straightforward", contestant: straightforward };
          note(await measure(measuring, { ...order, from: supplies.plain }));
        }
        if (wants("replay")) {
          const from = { again: supplies.ours };
          note(
            await measure(measuring, {
              ...common,
              kind: "payment",
              expect: "replay",
              what: "replay",
              contestant: host,
              from,
            }),
          );
        }
        if (wants("inquiry")) {
          const order = { ...common, kind: "inquiry", expect: "approved", what: "inquiry" } as const;
          note(await measure(measuring, { ...order, contestant: host, from: supplies.asked }));
        }
        if (wants("info") && connections === infoLevel(levels)) {
          note(
            await measure(measuring, { ...common, ...payment, what: "info", contestant: info, from: supplies.ours }),
          );
        }
      }
    }
    if (wants("pace") && samples.some(({ what }) => what === "payment")) {
      paceRate = Math.round(peakOf(samples) / 2);
      for (let round = 1; round <= rounds; round += 1) {
        const order = { ...payment, what: "pace", contestant: host, from: supplies.ours, rate: paceRate, round };
        const seconds = isSmoke ? 0.5 : PACE_SECONDS;
        note(await measure(measuring, { ...order, connections: PACE_CONNECTIONS, seconds }));
      }
    }
    say("waiting for what is written in the background");
    await untilQuiet([host.pid, info.pid], 20_000);
    Object.assign(peakMemory, {
      host: peakMemoryOf(host.pid),
      "host, info": peakMemoryOf(info.pid),
      echo: peakMemoryOf(echo.pid),
      straightforward: peakMemoryOf(straightforward.pid),
    });
    const dropped = (await Promise.all([host, info].map(droppedBy))).reduce((sum, each) => sum + each, 0);
    for (const each of running.splice(0)) await each.stop();

    if (wants("start")) {
      for (let index = 0; index < (isSmoke ? 1 : STARTS); index += 1) {
        const again = await start(startOurHost(stage, ours));
        startMs.push(again.startMs);
        say(`start to ready on the existing database: ${Math.round(again.startMs)} ms`);
        for (const each of running.splice(0)) await each.stop();
      }
    }
    const sent = (names: readonly string[]): number =>
      samples.filter(({ what }) => names.includes(what)).reduce((sum, { answered }) => sum + answered, 0);
    const expected = {
      ours: sent(["payment", "info", "pace", "warm-up"]),
      plain: sent(["straightforward", "warm-up, straightforward"]),
      direct: sent(["pgbench"]),
    };
    say("checking the books");
    for (const [name, database, entries] of [
      ["host", ours, expected.ours],
      ["straightforward", plain, expected.plain],
      ["pgbench", direct, expected.direct],
    ] as const) {
      const broken = await checkBooks(database, entries);
      faults.push(...broken.map((each) => `${name}: ${each}`));
      if (broken.length === 0)
        checks.push(`${name}: ${entries.toLocaleString("en")} approved, as many entries, the books balance`);
      say(`${name}: ${broken.length === 0 ? "the books are right" : broken.join("; ")}`);
    }
    const [attempts] = await ours.query<{ count: bigint }>("select count(*) as count from attempt");
    const requests = expected.ours + sent(["replay", "inquiry"]);
    checks.push(
      `attempt journal: ${Number(attempts?.count ?? 0).toLocaleString("en")} rows for ${requests.toLocaleString("en")} requests, ` +
        `${dropped.toLocaleString("en")} counted as dropped`,
    );
  } finally {
    for (const each of running) await each.stop();
    loader.stop();
    for (const database of [ours, plain, direct]) await database.close();
  }
  return { samples, startMs, peakMemory, paceRate, hasPgbench: withPgbench, checks, faults };
}

const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`.padStart(7);

/** The number of connections at which the cost of logging is measured, too. */
export function infoLevel(levels: readonly number[]): number {
  return levels.includes(64) ? 64 : (levels.at(-1) ?? 1);
}

/** The most payments per second at any number of connections. */
export function peakOf(samples: readonly Sample[]): number {
  const payments = samples.filter(({ what }) => what === "payment");
  const levels = [...new Set(payments.map(({ connections }) => connections))];
  const rates = levels.map((level) =>
    medianOf(payments.filter(({ connections }) => connections === level).map(({ perSecond }) => perSecond)),
  );
  return Math.max(...rates);
}

async function directly(
  stage: Stage,
  measuring: Measuring,
  database: TestDatabase,
  supply: Supply,
  common: { readonly connections: number; readonly round: number; readonly seconds: number },
): Promise<Sample> {
  await untilQuiet([stage.postgres.pid, measuring.loader.pid], measuring.quietMaxMs);
  const watch = watchCpu(measuring, null);
  const { connections, round, seconds } = common;
  const result = await runPgbench({
    ...{ url: database.appUrl, dir: stage.dir, clients: connections, seconds },
    ...{ walk: supply.walk, step: supply.step },
  });
  supply.step += result.used;
  return { ...result, ...watch(result), what: "pgbench", connections, round };
}

/** Every fault of the books. */
async function checkBooks(database: TestDatabase, approved: number): Promise<string[]> {
  const [row] = await database.query<{ entries: bigint; keys: bigint }>(
    `select (select count(*) from journal_entry) as entries, (select count(*) from trax where outcome = 'APPROVED') as keys`,
  );
  const faults = await brokenLaws(database);
  const [entries, keys] = [Number(row?.entries), Number(row?.keys)];
  if (entries !== approved) faults.push(`${approved} approved replies, but ${entries} entries`);
  if (keys !== approved) faults.push(`${approved} approved replies, but ${keys} approved keys`);
  return faults.slice(0, 5);
}

async function lengthOfReply(database: TestDatabase): Promise<number> {
  const [row] = await database.query<{ length: number }>("select length(reply_body) as length from trax limit 1");
  return row?.length ?? 0;
}

async function droppedBy({ port }: Contestant): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^biller_attempts_dropped ([0-9]+)/m.exec(text)?.[1] ?? Number.NaN);
}

async function inOrder<A, B>(items: readonly A[], work: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
