/** Time as the rest of the product sees it; tests hand in their own. */
export interface Clock {
  /** Milliseconds since the epoch, wall clock. */
  nowMs(): number;
  /** Microseconds since the epoch, wall clock: the switch's timestamps carry six fraction digits. */
  nowMicros(): bigint;
  /** Milliseconds on a clock that never jumps, for deadlines and durations. */
  monotonicMs(): number;
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  nowMicros: () => BigInt(Date.now()) * 1000n + ((process.hrtime.bigint() / 1000n) % 1000n),
  monotonicMs: () => performance.now(),
};

/** A point on the monotonic clock after which an answer is worth nothing any more. */
export interface Deadline {
  /** Milliseconds left; zero or less once it has passed. */
  leftMs(): number;
  hasPassed(): boolean;
}

/** A deadline `ms` milliseconds from now. */
export function deadlineIn(clock: Clock, ms: number): Deadline {
  const at = clock.monotonicMs() + ms;
  return {
    leftMs: () => at - clock.monotonicMs(),
    hasPassed: () => clock.monotonicMs() >= at,
  };
}

/** Resolves after `ms` milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms));
  });
}
