import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Clock } from "./clock";

/** What became of one key of an acquire: ours, somebody else's, or nobody can tell (go on without it). */
export type LockVerdict = "held" | "busy" | "unavailable";

/** Locks taken together under one owner token. */
export interface LockGrant {
  /** One verdict for each key asked for, in order. */
  readonly verdicts: readonly LockVerdict[];
  /** Gives back what is held; compares the owner token first, never fails, does not wait. */
  release(): void;
}

/**
 * Keeps two copies of one request from working at the same time. Only an optimisation: it decides nothing, and
 * everything stays correct when it is absent, flushed, slow or lying.
 */
export interface KeyLock {
  acquire(keys: readonly string[]): Promise<LockGrant>;
}

/** One round trip for a whole batch, whatever its size. A key that already carries our token counts as held: the reply
 * to an earlier, executed attempt may have been lost. */
const ACQUIRE = `
local verdicts = {}
for i, key in ipairs(KEYS) do
  if redis.call('set', key, ARGV[1], 'NX', 'PX', ARGV[2]) or redis.call('get', key) == ARGV[1] then
    verdicts[i] = 1
  else
    verdicts[i] = 0
  end
end
return verdicts`;

const RELEASE = `
local released = 0
for _, key in ipairs(KEYS) do
  if redis.call('get', key) == ARGV[1] then released = released + redis.call('del', key) end
end
return released`;

/** Options of the Redis lock; times in milliseconds. */
export interface RedisKeyLockOptions {
  readonly redis: Redis;
  /** A crashed holder's locks vanish after this long. */
  readonly ttlMs: number;
  /** After a failure Redis is not asked again for this long, so that an outage costs one timeout, not one per batch. */
  readonly restMs: number;
  readonly clock: Clock;
  readonly onFault?: (message: string) => void;
}

/** The lock over Redis. Expects a client that neither queues offline nor resends (see `openRedis`). */
export function createRedisKeyLock(options: RedisKeyLockOptions): KeyLock {
  const { redis, clock } = options;
  let restUntilMs = 0;

  const fail = (error: unknown): void => {
    restUntilMs = clock.monotonicMs() + options.restMs;
    options.onFault?.(error instanceof Error ? error.message : String(error));
  };

  return {
    async acquire(keys) {
      if (keys.length === 0 || clock.monotonicMs() < restUntilMs) return unavailable(keys);
      const names = keys.map((key) => `biller:lock:${key}`);
      const token = randomUUID();
      const release = (held: readonly string[]): void => {
        if (held.length > 0) redis.eval(RELEASE, held.length, ...held, token).catch(fail);
      };
      try {
        const answer = (await redis.eval(ACQUIRE, names.length, ...names, token, options.ttlMs)) as unknown[];
        const verdicts = names.map((_, index): LockVerdict => (answer[index] === 1 ? "held" : "busy"));
        return { verdicts, release: () => release(names.filter((_, index) => verdicts[index] === "held")) };
      } catch (error) {
        fail(error);
        // It may have been executed all the same: give back whatever carries our token, or let the ttl do it.
        return { ...unavailable(keys), release: () => release(names) };
      }
    },
  };
}

/** No lock service: every verdict is "unavailable". */
export const noKeyLock: KeyLock = { acquire: async (keys) => unavailable(keys) };

function unavailable(keys: readonly string[]): LockGrant {
  return { verdicts: keys.map(() => "unavailable" as const), release: () => {} };
}
