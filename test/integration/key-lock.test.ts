import { type ChildProcess, spawn } from "node:child_process";
import type { Redis } from "ioredis";
import { createRedisKeyLock, type KeyLock, openRedis, systemClock } from "../../src/platform";
import { freePort, locateRedis } from "../../src/platform/embedded";
import { newTraxId } from "../support/builders";
import { testServices } from "../support/services";

const settle = () => new Promise((resolve) => setTimeout(resolve, 50));

function lockOver(redis: Redis, faults: string[] = [], ttlMs = 5_000): KeyLock {
  return createRedisKeyLock({
    redis,
    ttlMs,
    restMs: 300,
    clock: systemClock,
    onFault: (message) => faults.push(message),
  });
}

async function ready(url: string, timeoutMs = 200): Promise<Redis> {
  const redis = openRedis(url, timeoutMs, () => {});
  await new Promise((resolve) => redis.once("ready", resolve));
  return redis;
}

describe("the lock over a real Redis", () => {
  let redis: Redis;
  beforeAll(async () => {
    redis = await ready(testServices().redisUrl);
  });
  afterAll(() => redis.disconnect());

  it("is held by one, busy for the other, and free again once released", async () => {
    const [first, second] = [lockOver(redis), lockOver(redis)];
    const [a, b, c] = [newTraxId(), newTraxId(), newTraxId()];
    const held = await first.acquire([a, b]);
    expect(held.verdicts).toEqual(["held", "held"]);
    expect((await second.acquire([b, c])).verdicts).toEqual(["busy", "held"]);
    held.release();
    await settle();
    expect((await second.acquire([a, b])).verdicts).toEqual(["held", "held"]);
  });

  it("never releases a lock that has passed to somebody else", async () => {
    const key = newTraxId();
    const slow = await lockOver(redis, [], 60).acquire([key]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const next = await lockOver(redis).acquire([key]);
    expect(next.verdicts).toEqual(["held"]);
    slow.release();
    await settle();
    expect((await lockOver(redis).acquire([key])).verdicts).toEqual(["busy"]);
  });

  it("vanishes by itself when its holder is killed", async () => {
    const key = newTraxId();
    await lockOver(redis, [], 80).acquire([key]);
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect((await lockOver(redis).acquire([key])).verdicts).toEqual(["held"]);
  });

  it("takes any bytes as a key", async () => {
    const keys = ["payment:1:a b", "payment:1:*", "payment:1:\u0000", "x".repeat(5_000)].map(
      (key) => key + newTraxId(),
    );
    expect((await lockOver(redis).acquire(keys)).verdicts).toEqual(keys.map(() => "held"));
  });
});

describe("the lock over a Redis in trouble", () => {
  let server: ChildProcess;
  let url: string;
  beforeEach(async () => {
    const port = await freePort();
    url = `redis://127.0.0.1:${port}`;
    const program = locateRedis(process.env["PATH"] ?? "") as string;
    server = spawn(program, ["--port", String(port), "--save", ""], { stdio: "ignore" });
  });
  afterEach(() => void server.kill("SIGKILL"));

  it("is unavailable within the command's timeout when the server is frozen, and is asked again after a rest", async () => {
    const redis = await ready(url, 100);
    const faults: string[] = [];
    const lock = lockOver(redis, faults);
    server.kill("SIGSTOP");
    const startedMs = performance.now();
    expect((await lock.acquire(["a"])).verdicts).toEqual(["unavailable"]);
    expect(performance.now() - startedMs).toBeLessThan(400);
    expect(faults).toHaveLength(1);
    // Resting: an outage costs one timeout, not one for each batch.
    const restedMs = performance.now();
    expect((await lock.acquire(["b"])).verdicts).toEqual(["unavailable"]);
    expect(performance.now() - restedMs).toBeLessThan(20);
    server.kill("SIGCONT");
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect((await lock.acquire(["c"])).verdicts).toEqual(["held"]);
    redis.disconnect();
  });

  it("is unavailable at once when the server is gone", async () => {
    const redis = await ready(url);
    server.kill("SIGKILL");
    await new Promise((resolve) => redis.once("close", resolve));
    const startedMs = performance.now();
    expect((await lockOver(redis).acquire(["a"])).verdicts).toEqual(["unavailable"]);
    expect(performance.now() - startedMs).toBeLessThan(300);
    redis.disconnect();
  });
});
