import type { LoaderJob, LoaderResult } from "./loader-job";
import type { Loader } from "./loader-process";
import { type Bit61, SCENE, type Walk } from "./messages";
import { type Contestant, cpuMsOf, machineCpuMs, ownCpuMsOf, untilQuiet } from "./processes";

/** One measurement, as it was. */
export interface Sample extends LoaderResult {
  readonly what: string;
  readonly connections: number;
  readonly round: number;
  /** Processor time of the contestant for one answer, and of PostgreSQL, microseconds. */
  readonly contestantMicros: number;
  readonly postgresMicros: number;
  /** Share of one core that was used by others than loader, contestant, PostgreSQL and Redis. */
  readonly othersCpu: number | null;
}

/** Bills that are met one after the other, and where the walk has got to. */
export interface Supply {
  readonly walk: Walk;
  readonly isEndless: boolean;
  step: number;
}

export interface Measuring {
  readonly loader: Loader;
  readonly postgresPid: number;
  readonly redisPid: number;
  readonly bit61: Bit61;
  readonly amount: number;
  /** Makes traxIds of one run differ from those of another. */
  readonly runTag: string;
  /** Requests that are sent over and over where that changes nothing. */
  readonly repeated: number;
  /** Longest wait for work in the background before a measurement. */
  readonly quietMaxMs: number;
}

/** Answers per second that requests are made for. */
const UNIQUE_PER_SECOND = { lone: 6_000, many: 22_000 };
/** The usual number of requests that are repeated. */
export const REPEATED = 2_000;

export interface Order {
  readonly what: string;
  readonly contestant: Contestant;
  readonly kind: LoaderJob["kind"];
  readonly expect: LoaderJob["expect"];
  readonly connections: number;
  readonly round: number;
  readonly seconds: number;
  readonly rate?: number;
  /** Bills that are used up; or the bills of earlier requests, which are sent again. */
  readonly from: Supply | { readonly again: Supply };
  readonly requests?: number;
}

/** Has the loader make requests, waits until nothing else is at work, and sends them. */
export async function measure(measuring: Measuring, order: Order): Promise<Sample> {
  const { loader, bit61, amount, runTag } = measuring;
  const { contestant, connections, seconds, rate, from } = order;
  const isAgain = "again" in from;
  const supply = isAgain ? from.again : from;
  const perSecond = rate ?? (connections === 1 ? UNIQUE_PER_SECOND.lone : UNIQUE_PER_SECOND.many);
  const wanted = order.requests ?? (isAgain ? measuring.repeated : Math.ceil(perSecond * seconds));
  const requests = isAgain || supply.isEndless ? wanted : Math.min(wanted, supply.walk.size - supply.step);
  if (requests <= 0) throw new Error(`${order.what}: no unpaid bills are left; fewer rounds or seconds, please`);
  await loader.prepare({
    kind: order.kind,
    host: "127.0.0.1",
    port: contestant.port,
    path: "/finpay/billing",
    connections,
    seconds,
    rate: rate ?? null,
    requests,
    walk: supply.walk,
    step: isAgain ? 0 : supply.step,
    tag: `${runTag}${order.kind === "inquiry" ? "Q" : "P"}`,
    amount,
    bit61: bit61.text,
    expect: order.expect,
    isRepeated: isAgain,
  });
  await untilQuiet([contestant.pid, measuring.postgresPid, loader.pid], measuring.quietMaxMs);
  const watch = watchCpu(measuring, contestant.pid);
  const result = await loader.go();
  const sample = { ...result, ...watch(result), what: order.what, connections, round: order.round };
  if (!isAgain) supply.step += result.used;
  return sample;
}

type Watched = Pick<Sample, "contestantMicros" | "postgresMicros" | "othersCpu">;

/** Notes processor times now; what it returns tells what was used since. */
export function watchCpu(
  { loader, postgresPid, redisPid }: Pick<Measuring, "loader" | "postgresPid" | "redisPid">,
  contestantPid: number | null,
): (result: Pick<LoaderResult, "answered">) => Watched {
  const read = () => ({
    contestant: contestantPid === null ? 0 : cpuMsOf(contestantPid),
    postgres: cpuMsOf(postgresPid),
    known: cpuMsOf(loader.pid) + cpuMsOf(redisPid) + ownCpuMsOf(process.pid),
    machine: machineCpuMs(),
    atMs: performance.now(),
  });
  const before = read();
  return ({ answered }) => {
    const after = read();
    const contestant = after.contestant - before.contestant;
    const postgres = after.postgres - before.postgres;
    const known = after.known - before.known;
    const machine = after.machine === null || before.machine === null ? null : after.machine - before.machine;
    return {
      contestantMicros: (contestant / answered) * 1_000,
      postgresMicros: (postgres / answered) * 1_000,
      othersCpu:
        machine === null ? null : Math.max(0, machine - contestant - postgres - known) / (after.atMs - before.atMs),
    };
  };
}

/** What one payment pays. */
export const PAYMENT_AMOUNT = SCENE.itemAmount * SCENE.itemCount;
