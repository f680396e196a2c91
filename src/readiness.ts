import type { Redis } from "ioredis";
import type { ReadinessCheck } from "./http";
import { type Config, type Db, deadlineIn, Fault, messageOf, systemClock } from "./platform";
import { pendingMigrations } from "./platform/migrate";
import { type ChainState, checkSealing } from "./sealing";
import { type ClockWatch, readServerState } from "./store";

/** What readiness is found out with. */
export interface ReadinessOptions {
  readonly config: Config;
  readonly db: Db;
  readonly redis: Redis | null;
  readonly clockWatch: ClockWatch;
  readonly chain: ChainState;
  readonly isDraining: () => boolean;
}

/** Everything that a host depends on, for `/readyz`: each is asked anew. */
export async function checkReadiness(options: ReadinessOptions): Promise<readonly ReadinessCheck[]> {
  const { config, db, redis, clockWatch } = options;
  const isDraining = options.isDraining();
  return [
    { name: "accepting", isRequired: true, isOk: !isDraining, detail: isDraining ? "stopping" : "taking requests" },
    await check("database", true, () => describeDatabase(db)),
    await check("migrations", true, () => describeMigrations(db)),
    { name: "clock", isRequired: true, isOk: clockWatch.isOk, detail: clockWatch.detail },
    await options.chain.check(),
    await checkSealing(db, config.seal),
    await check("redis", false, async () => (redis === null ? "none, not needed" : `answers ${await redis.ping()}`)),
  ];
}

async function check(name: string, isRequired: boolean, describe: () => Promise<string>): Promise<ReadinessCheck> {
  try {
    return { name, isRequired, isOk: true, detail: await describe() };
  } catch (error) {
    return { name, isRequired, isOk: false, detail: messageOf(error) };
  }
}

async function describeDatabase(db: Db): Promise<string> {
  const { isReplica } = await readServerState(db, deadlineIn(systemClock, 1_000));
  if (isReplica) throw new Fault("replica", "connected to a read-only replica");
  return "primary, answers";
}

async function describeMigrations(db: Db): Promise<string> {
  const pending = await pendingMigrations(db.knex);
  if (pending.length > 0) throw new Fault("migrations", `not applied: ${pending.join(", ")}`);
  return "up to date";
}
