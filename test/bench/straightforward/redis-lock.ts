import type { Redis } from "ioredis";

const TTL_MS = 3_000;
const COMPARE_AND_DELETE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`;

/** SET NX PX, the work, compare-and-delete. Who does not get the lock waits a little and tries again. */
export async function withRedisLock<T>(redis: Redis, key: string, token: string, work: () => Promise<T>): Promise<T> {
  while ((await redis.set(key, token, "PX", TTL_MS, "NX")) === null) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  try {
    return await work();
  } finally {
    await redis.eval(COMPARE_AND_DELETE, 1, key, token);
  }
}
