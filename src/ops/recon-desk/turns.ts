import { Overloaded } from "../../platform";

/** So many pieces of work at the same time, some more that wait, and no more: who comes then is told at once. */
export interface Turns {
  readonly running: number;
  /** @throws Overloaded when all turns are taken and nobody more may wait */
  take<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when nothing is at work or waits any more. */
  idle(): Promise<void>;
}

/** @param what in the words of a refusal */
export function openTurns(what: string, max: number, waitingMax = 0): Turns {
  /** Those at work and those who wait. */
  const all = new Set<Promise<unknown>>();
  const waiting: (() => void)[] = [];
  let taken = 0;
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (taken < max) taken += 1;
    else if (waiting.length >= waitingMax) throw new Overloaded(what);
    // Whoever ends hands the turn on: nobody who comes later gets in between.
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) taken -= 1;
      else next();
    }
  }
  return {
    get running() {
      return taken;
    },
    async take(work) {
      const mine = inTurn(work);
      all.add(mine);
      try {
        return await mine;
      } finally {
        all.delete(mine);
      }
    },
    async idle() {
      while (all.size > 0) await Promise.allSettled(all);
    },
  };
}
