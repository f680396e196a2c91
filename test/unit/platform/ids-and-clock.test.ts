import { type Clock, deadlineIn, randomIds, sleep, systemClock } from "../../../src/platform";

function clockAt(startMs: number): Clock & { pass(ms: number): void; jump(ms: number): void } {
  let monotonic = startMs;
  let wall = Date.UTC(2026, 0, 1);
  return {
    nowMs: () => wall,
    nowMicros: () => BigInt(wall) * 1_000n,
    monotonicMs: () => monotonic,
    pass(ms) {
      monotonic += ms;
      wall += ms;
    },
    jump(ms) {
      wall += ms;
    },
  };
}

describe("the id of an entry", () => {
  it.each([0, 1, Date.UTC(2026, 4, 20, 3, 0, 0, 123), 2 ** 48 - 1])(
    "is a UUID of version 7 that carries %d",
    (nowMs) => {
      const id = randomIds.entryId(nowMs);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(nowMs);
    },
  );

  it("sorts by the millisecond and never repeats within one", () => {
    const start = Date.UTC(2026, 4, 20);
    const ids = Array.from({ length: 1_000 }, (_, index) => randomIds.entryId(start + index * 7));
    expect(ids.toSorted()).toEqual(ids);
    const sameTime = Array.from({ length: 10_000 }, () => randomIds.entryId(start));
    expect(new Set(sameTime).size).toBe(10_000);
  });
});

it("a sysCode is twelve digits, zeros in front kept, every place used", () => {
  const codes = Array.from({ length: 5_000 }, () => randomIds.sysCode());
  expect(codes.filter((code) => !/^[0-9]{12}$/.test(code))).toEqual([]);
  for (let place = 0; place < 12; place += 1) {
    expect(new Set(codes.map((code) => code[place])).size).toBe(10);
  }
  expect(new Set(codes).size).toBeGreaterThan(4_990);
});

describe("a deadline", () => {
  it("counts down, and has passed at the very instant it names", () => {
    const clock = clockAt(1_000);
    const deadline = deadlineIn(clock, 500);
    expect(deadline.leftMs()).toBe(500);
    clock.pass(499);
    expect([deadline.leftMs(), deadline.hasPassed()]).toEqual([1, false]);
    clock.pass(1);
    expect([deadline.leftMs(), deadline.hasPassed()]).toEqual([0, true]);
    clock.pass(10);
    expect([deadline.leftMs(), deadline.hasPassed()]).toEqual([-10, true]);
  });

  it("does not care when somebody sets the wall clock", () => {
    const clock = clockAt(0);
    const deadline = deadlineIn(clock, 500);
    clock.jump(86_400_000);
    expect(deadline.leftMs()).toBe(500);
    clock.jump(-2 * 86_400_000);
    expect(deadline.hasPassed()).toBe(false);
  });

  it("of no time has passed at once", () => {
    expect(deadlineIn(clockAt(5), 0).hasPassed()).toBe(true);
    expect(deadlineIn(clockAt(5), -1).hasPassed()).toBe(true);
  });
});

describe("the system clock", () => {
  it("tells microseconds of the same instant as its milliseconds", () => {
    const before = BigInt(Date.now());
    const micros = systemClock.nowMicros();
    const after = BigInt(Date.now());
    expect(micros >= before * 1_000n && micros < (after + 1n) * 1_000n).toBe(true);
    expect(systemClock.nowMs()).toBeGreaterThanOrEqual(Number(before));
  });

  it("never runs backwards where it is monotonic", async () => {
    const from = systemClock.monotonicMs();
    await sleep(15);
    expect(systemClock.monotonicMs() - from).toBeGreaterThanOrEqual(13);
  });

  it("sleeps no time at all for a negative one", async () => {
    const from = systemClock.monotonicMs();
    await sleep(-5_000);
    expect(systemClock.monotonicMs() - from).toBeLessThan(1_000);
  });
});
