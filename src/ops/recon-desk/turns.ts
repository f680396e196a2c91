import { Overloaded } from "../../platform";

/** So many pieces of work at the same time, and no more: who comes then is told at once. */
export interface Turns {
  readonly running: number;
  /** @throws Overloaded when all turns are taken */
  take<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when nothing is at work any more. */
  idle(): Promise<void>;
}

/** @param what in the words of a refusal */
export function openTurns(what: string, max: number): Turns {
  const running = new Set<Promise<unknown>>();
  return {
    get running() {
      return running.size;
    },
    async take(work) {
      if (running.size >= max) throw new Overloaded(what);
      const mine = work();
      running.add(mine);
      try {
        return await mine;
      } finally {
        running.delete(mine);
      }
    },
    async idle() {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}
