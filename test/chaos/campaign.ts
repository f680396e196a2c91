import { sleep } from "../../src/platform";
import { Chance } from "../fuzz/random";
import type { Violation } from "./check";
import type { Point } from "./child";
import { type Exchange, isDefinite } from "./history";
import type { HostProcess } from "./host";
import type { Stage } from "./stage";
import { storm, STORMS } from "./storms";
import { openWorld, type Place, type RedisKind, type World } from "./world";

/** What a campaign did; all counts add up over its rounds. */
export interface Counts {
  appKills: number;
  appStandstills: number;
  appRestarts: number;
  postgresKills: number;
  redisFaults: number;
  lineFaults: number;
  storms: number;
  requests: number;
  definite: number;
  unknown: number;
  noReply: number;
  payments: number;
  /** Payments of merchants' bills and reversals of them; the events that the merchant took, and how often one came again. */
  toldOf: number;
  events: number;
  repeats: number;
}

/** What the short form must come to, within five minutes. */
export const SHORT_FORM = { appKills: 100, postgresKills: 20, storms: 200 } as const;
/** One round of it. */
export const ROUND_MS = 40_000;
/** Milliseconds between two faults. */
export const FAULT_EVERY_MS = [150, 600] as const;

/** Whether the counts of the short form are reached. */
export function isShortForm(counts: Counts): boolean {
  return (["appKills", "postgresKills", "storms"] as const).every((name) => counts[name] >= SHORT_FORM[name]);
}

/** What to do, and how long. */
export interface CampaignOptions {
  readonly seed: number;
  readonly roundMs: number;
  /** Asked before each round. */
  readonly isEnough: (counts: Counts, rounds: number) => boolean;
  readonly say: (line: string) => void;
  /** Milliseconds between two faults, from and to. */
  readonly faultEveryMs?: readonly [number, number];
}

/** What a campaign came to. */
export interface CampaignOutcome {
  readonly counts: Counts;
  readonly rounds: number;
  readonly violations: readonly Violation[];
  /** Of the round that failed. */
  readonly exchanges: readonly Exchange[];
}

const PLACES: readonly (readonly RedisKind[])[] = [
  ["real", "real", "real"],
  ["real", "none", "real"],
  ["real", "real", "grants all"],
  ["none", "none"],
  ["real", "grants none", "real"],
];
const POINTS: readonly Point[] = [
  ...["parsed", "authenticated", "locked", "begun", "facts-read", "bills-claimed", "appended"],
  ...["committed", "released", "replying", "replied", "attempt-kept", "delivering", "delivered"],
] as Point[];
const STORM_WORKERS = 4;
const SETTLE_MS = 15_000;
const STANDSTILL_MS: readonly [number, number] = [200, 3_600];

/** Storms of duplicates while hosts, PostgreSQL, Redis and the lines between them fail at random; then the checks. */
export async function runCampaign(stage: Stage, options: CampaignOptions): Promise<CampaignOutcome> {
  const counts: Counts = {
    ...{ appKills: 0, appStandstills: 0, appRestarts: 0, postgresKills: 0, redisFaults: 0, lineFaults: 0 },
    ...{ storms: 0, requests: 0, definite: 0, unknown: 0, noReply: 0, payments: 0 },
    ...{ toldOf: 0, events: 0, repeats: 0 },
  };
  let rounds = 0;
  while (!options.isEnough(counts, rounds)) {
    const { violations, exchanges } = await round(stage, options, rounds, counts);
    rounds += 1;
    if (violations.length > 0) return { counts, rounds, violations, exchanges };
  }
  return { counts, rounds, violations: [], exchanges: [] };
}

async function round(stage: Stage, options: CampaignOptions, number: number, counts: Counts) {
  const chance = new Chance(options.seed, number);
  const bills = Math.ceil((options.roundMs / 1_000) * 40);
  const world = await openWorld({ ...stage, bills, shopBills: Math.ceil(bills / 2) });
  // One event in eight is refused when it comes first: by its id, so that it is the same whoever delivers it.
  world.shop.takes = ({ eventId }, isFirst) => !(isFirst && /[02]$/.test(eventId));
  const faults: string[] = [];
  try {
    const kinds = PLACES[(options.seed + number) % PLACES.length] as readonly RedisKind[];
    for (const kind of kinds) await world.start(await world.addPlace(kind));
    const startedMs = performance.now();
    const isOver = (): boolean => performance.now() - startedMs > options.roundMs;
    const storms = Array.from({ length: STORM_WORKERS }, async (_, worker) => {
      const own = new Chance(options.seed, number, worker);
      while (!isOver()) {
        // A storm over no host at all would prove nothing.
        if (!world.places.some(isLiving)) {
          await sleep(20);
          continue;
        }
        await storm(world, own, own.pick(STORMS));
        counts.storms += 1;
      }
    });
    const failing = failAtRandom(world, chance, counts, isOver, options.faultEveryMs ?? [300, 900], (what) =>
      faults.push(`${Math.round(performance.now() - startedMs)} ms ${what}`),
    );
    await Promise.all([...storms, failing]);
    await world.heal();
    await world.settle(SETTLE_MS);
    const violations = await world.check();
    const { exchanges } = world.history;
    for (const { reply } of exchanges) {
      counts.requests += 1;
      if (reply === null) counts.noReply += 1;
      else if (isDefinite(reply)) counts.definite += 1;
      else counts.unknown += 1;
    }
    const [posted] = await world.query<{ n: number }>(
      `select count(*)::int as n from journal_entry where kind = 'payment'`,
    );
    counts.payments += posted?.n ?? 0;
    const [told] = await world.query<{ n: number }>(
      `select count(*)::int as n from journal_entry join bill using (bill_key) where merchant_id is not null`,
    );
    const { calls } = world.shop;
    const taken = new Set(calls.flatMap(({ isTaken, eventId }) => (isTaken ? [eventId] : [])));
    counts.toldOf += told?.n ?? 0;
    counts.events += taken.size;
    counts.repeats += calls.length - taken.size;
    options.say(
      `round ${number + 1} (Redis: ${kinds.join(", ")}): ${exchanges.length} requests, ${faults.length} faults, ` +
        `${violations.length} violations`,
    );
    if (violations.length > 0) for (const fault of faults) options.say(`  ${fault}`);
    return { violations, exchanges: [...exchanges] };
  } finally {
    await world.close();
  }
}

type Note = (what: string) => void;

async function failAtRandom(
  world: World,
  chance: Chance,
  counts: Counts,
  isOver: () => boolean,
  everyMs: readonly [number, number],
  note: Note,
): Promise<void> {
  const pending = new Set<Promise<void>>();
  const inBackground = (work: Promise<void>): void => {
    const tracked: Promise<void> = work.finally(() => pending.delete(tracked));
    pending.add(tracked);
  };
  let isPostgresBusy = false;
  let isRedisBusy = false;
  while (!isOver()) {
    await sleep(chance.between(...everyMs));
    const die = chance.below(100);
    if (die < 58) inBackground(killHost(world, chance, counts, isOver, note));
    else if (die < 63) inBackground(freezeHost(world, chance, counts, note));
    else if (die < 66) inBackground(restartHost(world, chance, counts, isOver, note));
    else if (die < 80 && !isPostgresBusy) {
      isPostgresBusy = true;
      note("PostgreSQL killed");
      counts.postgresKills += 1;
      inBackground(
        killPostgres(world, chance).finally(() => {
          isPostgresBusy = false;
        }),
      );
    } else if (die < 90) inBackground(failLine(world, chance, counts, note));
    else if (!isRedisBusy) {
      isRedisBusy = true;
      inBackground(
        failRedis(world, chance, counts, note).finally(() => {
          isRedisBusy = false;
        }),
      );
    }
  }
  await Promise.all(pending);
}

const isLiving = ({ host }: Place): boolean => host?.end === null && !host.isDoomed && !host.isFrozen();

const livingPlace = (world: World, chance: Chance): Place | null => {
  const living = world.places.filter(isLiving);
  return living.length === 0 ? null : chance.pick(living);
};

/** A host that cannot start, because PostgreSQL is away, is started again: that is what supervisors do. */
async function startAgain(world: World, place: Place, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const isUp = await world.start(place).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    await sleep(100);
  }
}

async function killHost(
  world: World,
  chance: Chance,
  counts: Counts,
  isOver: () => boolean,
  note: Note,
): Promise<void> {
  const place = livingPlace(world, chance);
  const host = place?.host;
  if (!place || !host) return;
  if (chance.oneIn(2)) {
    const point = chance.pick(POINTS);
    const skip = chance.below(6);
    note(`host ${host.name} to be killed at ${point}, ${skip} passed before`);
    await host.arm(point, "kill", { skip });
    await Promise.race([host.ended, sleep(1_500)]);
  } else note(`host ${host.name} killed`);
  await host.kill();
  counts.appKills += 1;
  await startAgain(world, place, isOver);
}

async function freezeHost(world: World, chance: Chance, counts: Counts, note: Note): Promise<void> {
  const host = livingPlace(world, chance)?.host as HostProcess | undefined;
  if (!host) return;
  const forMs = chance.between(...STANDSTILL_MS);
  note(`host ${host.name} stands still for ${forMs} ms`);
  counts.appStandstills += 1;
  host.freeze();
  await sleep(forMs);
  host.thaw();
}

async function restartHost(
  world: World,
  chance: Chance,
  counts: Counts,
  isOver: () => boolean,
  note: Note,
): Promise<void> {
  const place = livingPlace(world, chance);
  if (!place?.host) return;
  note(`host ${place.host.name} told to stop`);
  counts.appRestarts += 1;
  await place.host.terminate();
  await startAgain(world, place, isOver);
}

async function killPostgres(world: World, chance: Chance): Promise<void> {
  await world.servers.postgres.kill();
  await sleep(chance.between(0, 400));
  await world.restartPostgres();
}

async function failLine(world: World, chance: Chance, counts: Counts, note: Note): Promise<void> {
  const { name, postgres } = chance.pick(world.places);
  const kind = chance.pick([
    "stalled",
    "reset",
    "stranded",
    "refused",
    "cut mid-message",
    "cut at COMMIT",
    "COMMIT unanswered",
  ]);
  const forMs = chance.between(100, 2_500);
  note(`line ${name} to PostgreSQL: ${kind}, ${forMs} ms`);
  counts.lineFaults += 1;
  let isDone = false;
  const once = (is: boolean, verdict: "half" | "drop-and-cut" | "pass-and-cut") => {
    if (isDone || !is) return "pass";
    isDone = true;
    return verdict;
  };
  switch (kind) {
    case "stalled":
      postgres.stall();
      break;
    case "reset":
      postgres.reset();
      break;
    case "stranded":
      postgres.strand();
      break;
    case "refused":
      postgres.refuse();
      break;
    case "cut mid-message":
      postgres.judge = (chunk, fromServer) => once(chunk.length > 64 && fromServer === (forMs % 2 === 0), "half");
      break;
    case "cut at COMMIT":
      postgres.judge = (chunk, fromServer) => once(!fromServer && chunk.includes("commit\0"), "drop-and-cut");
      break;
    default:
      postgres.judge = (chunk, fromServer) => once(!fromServer && chunk.includes("commit\0"), "pass-and-cut");
  }
  await sleep(forMs);
  postgres.heal();
}

async function failRedis(world: World, chance: Chance, counts: Counts, note: Note): Promise<void> {
  const { redis } = world.servers;
  const kind = chance.pick(["killed", "frozen", "flushed", "line reset", "line stalled"]);
  const forMs = chance.between(100, 2_500);
  note(`Redis: ${kind}, ${forMs} ms`);
  counts.redisFaults += 1;
  switch (kind) {
    case "killed":
      await redis.kill();
      await sleep(forMs);
      await redis.start();
      break;
    case "frozen":
      redis.freeze();
      await sleep(forMs);
      redis.thaw();
      break;
    case "flushed":
      for (let n = 0; n < 20; n++) {
        void redis.admin.flushall().catch(() => {});
        await sleep(forMs / 20);
      }
      break;
    case "line reset":
      for (const place of world.places) place.redis.reset();
      break;
    default: {
      const { redis: line } = chance.pick(world.places);
      line.stall();
      await sleep(forMs);
      line.heal();
    }
  }
}
