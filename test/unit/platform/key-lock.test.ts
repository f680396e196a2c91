import { createRedisKeyLock, noKeyLock } from "../../../src/platform";

type Redis = Parameters<typeof createRedisKeyLock>[0]["redis"];

/** Answers `eval` from a list: a value, a fault to reject with, or a promise to wait for. */
function lockOver(answers: readonly unknown[]) {
  const calls: { keys: unknown[]; args: unknown[] }[] = [];
  const faults: string[] = [];
  const clock = { now: 0 };
  const redis = {
    async eval(_script: string, count: number, ...rest: unknown[]): Promise<unknown> {
      calls.push({ keys: rest.slice(0, count), args: rest.slice(count) });
      const answer = answers[calls.length - 1];
      if (answer instanceof Error) throw answer;
      return answer;
    },
  } as unknown as Redis;
  const lock = createRedisKeyLock({
    redis,
    ttlMs: 30_000,
    restMs: 1_000,
    clock: { nowMs: () => 0, nowMicros: () => 0n, monotonicMs: () => clock.now },
    onFault: (message) => faults.push(message),
  });
  return { lock, calls, faults, clock };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("locks on keys", () => {
  it("are asked for in one round trip, under names of ours and one owner token", async () => {
    const { lock, calls } = lockOver([[1, 0, 1]]);
    const { verdicts } = await lock.acquire(["a", "b", "c"]);
    expect(verdicts).toEqual(["held", "busy", "held"]);
    expect(calls).toEqual([
      {
        keys: ["biller:lock:a", "biller:lock:b", "biller:lock:c"],
        args: [expect.stringMatching(/^[0-9a-f-]{36}$/), 30_000],
      },
    ]);
  });

  it("are given back with the token they were taken with, and only those that are held", async () => {
    const { lock, calls } = lockOver([[1, 0], 1]);
    (await lock.acquire(["a", "b"])).release();
    await settled();
    expect(calls[1]).toEqual({ keys: ["biller:lock:a"], args: [calls[0]?.args[0]] });
  });

  it("are not given back when none is held", async () => {
    const { lock, calls } = lockOver([[0]]);
    (await lock.acquire(["a"])).release();
    await settled();
    expect(calls).toHaveLength(1);
  });

  it("carry another token each time", async () => {
    const { lock, calls } = lockOver([[1], [1]]);
    await lock.acquire(["a"]);
    await lock.acquire(["a"]);
    expect(calls[0]?.args[0]).not.toBe(calls[1]?.args[0]);
  });

  it("of no key cost nothing", async () => {
    const { lock, calls } = lockOver([]);
    const grant = await lock.acquire([]);
    grant.release();
    expect([grant.verdicts, calls]).toEqual([[], []]);
  });

  it.each<[string, unknown]>([
    ["a failure", new Error("ECONNREFUSED")],
    ["an answer that is none", null],
    ["an answer of nothing", undefined],
  ])("cannot be told after %s: the payment goes on without", async (_, answer) => {
    const { lock, faults } = lockOver([answer]);
    const grant = await lock.acquire(["a", "b"]);
    expect(grant.verdicts).toEqual(["unavailable", "unavailable"]);
    expect(faults).toHaveLength(1);
  });

  it("are taken for busy, never for held, when the answer is nonsense", async () => {
    const { lock } = lockOver([["1", 2, null]]);
    expect((await lock.acquire(["a", "b", "c", "d"])).verdicts).toEqual(["busy", "busy", "busy", "busy"]);
  });

  it("are given back after a failure too, since it may have been executed", async () => {
    const { lock, calls } = lockOver([new Error("timeout"), 1]);
    (await lock.acquire(["a", "b"])).release();
    await settled();
    expect(calls[1]).toEqual({ keys: ["biller:lock:a", "biller:lock:b"], args: [calls[0]?.args[0]] });
  });

  it("are not asked for again until the rest is over, so that an outage costs one wait", async () => {
    const { lock, calls, clock } = lockOver([new Error("timeout"), [1]]);
    await lock.acquire(["a"]);
    clock.now = 999;
    expect((await lock.acquire(["a"])).verdicts).toEqual(["unavailable"]);
    expect(calls).toHaveLength(1);
    clock.now = 1_000;
    expect((await lock.acquire(["a"])).verdicts).toEqual(["held"]);
  });

  it("rest as well after giving back has failed, and that failure reaches nobody", async () => {
    const { lock, calls, faults } = lockOver([[1], new Error("gone")]);
    const grant = await lock.acquire(["a"]);
    expect(() => grant.release()).not.toThrow();
    await settled();
    expect(faults).toEqual(["gone"]);
    expect((await lock.acquire(["b"])).verdicts).toEqual(["unavailable"]);
    expect(calls).toHaveLength(2);
  });
});

it("without a lock service every verdict is unavailable, and there is nothing to give back", async () => {
  const grant = await noKeyLock.acquire(["a", "b"]);
  expect(grant.verdicts).toEqual(["unavailable", "unavailable"]);
  expect(() => grant.release()).not.toThrow();
});
