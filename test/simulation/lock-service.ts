import { createRedisKeyLock, type Clock, type KeyLock } from "../../src/platform";
import type { Delays, Faults } from "./faults";
import type { Owner, Scheduler } from "./scheduler";

/** Times in milliseconds, as the product sets them (see `compose.ts`). */
const COMMAND_TIMEOUT_MS = 100;
const REST_MS = 1_000;
const LOCK_TTL_MS = 3_000;

/** A Redis that all hosts share, as far as the locks use it; it may lie. */
export class LockService {
  readonly #held = new Map<string, { readonly token: string; readonly untilMs: number }>();

  constructor(
    readonly scheduler: Scheduler,
    readonly faults: Faults,
    readonly delays: Delays,
  ) {}

  /** The product's own lock over this service, for one life of a host. */
  connect(owner: Owner, clock: Clock): KeyLock {
    const redis = { eval: (script: string, ...rest: unknown[]) => this.#eval(owner, script, rest) };
    const options = { redis: redis as never, ttlMs: LOCK_TTL_MS, restMs: REST_MS, clock };
    return createRedisKeyLock(options);
  }

  #eval(owner: Owner, script: string, [count, ...rest]: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!owner.isAlive) return;
      const { scheduler, faults, delays } = this;
      const names = rest.slice(0, count as number) as string[];
      const [token, ttlMs] = rest.slice(count as number) as [string, number | undefined];
      const isLost = faults.strikes("lock command lost");
      const isSlow = faults.strikes("lock command slow");
      const isMute = faults.strikes("lock command done, answer lost");
      const timer = scheduler.after(COMMAND_TIMEOUT_MS, owner, "lock command timed out", () =>
        reject(new Error("Command timed out")),
      );
      if (isLost) return;
      const delayMs = isSlow ? scheduler.chance.below(400) : delays.next() / 2;
      const run = (): void => {
        const answer = script.includes("released")
          ? this.#release(names, token)
          : this.#acquire(names, token, ttlMs ?? 0);
        if (isMute) return;
        scheduler.after(delays.next() / 2, owner, "lock service answers", () => {
          if (timer.run === null) return;
          timer.run = null;
          resolve(answer);
        });
      };
      scheduler.after(delayMs, null, "lock service gets a command of", run, owner.name);
    });
  }

  #acquire(names: readonly string[], token: string, ttlMs: number): number[] {
    const { scheduler, faults } = this;
    if (faults.strikes("locks flushed")) this.#held.clear();
    const liesGranting = faults.strikes("lock granted to two");
    const liesRefusing = faults.strikes("lock refused to all");
    return names.map((name) => {
      const holder = this.#held.get(name);
      const isFree = holder === undefined || holder.untilMs <= scheduler.nowMs || holder.token === token;
      if (liesRefusing) return 0;
      if (isFree) this.#held.set(name, { token, untilMs: scheduler.nowMs + ttlMs });
      return isFree || liesGranting ? 1 : 0;
    });
  }

  #release(names: readonly string[], token: string): number {
    const mine = names.filter((name) => this.#held.get(name)?.token === token);
    for (const name of mine) this.#held.delete(name);
    return mine.length;
  }
}
