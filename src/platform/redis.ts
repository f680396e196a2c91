import { Redis } from "ioredis";

/**
 * A Redis client for work that must never wait for Redis: no offline queue, no retries, no resending (a command whose
 * reply was lost would run twice), every command bounded. The connection itself comes back by itself.
 *
 * @param commandTimeoutMs longest wait for one command
 */
export function openRedis(url: string, commandTimeoutMs: number, onError: (message: string) => void): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: commandTimeoutMs,
    connectTimeout: 1_000,
    retryStrategy: (attempt) => Math.min(50 * attempt, 1_000),
    enableReadyCheck: false,
  });
  redis.on("error", (error: Error) => onError(error.message));
  return redis;
}
