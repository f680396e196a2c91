import type { Chance } from "../fuzz/random";

/** Whoever does the steps of one life of a host: when it dies, nothing of it ever runs again. */
export interface Owner {
  readonly name: string;
  isAlive: boolean;
  /** Its steps wait until then: a stopped process. */
  pausedUntilMs: number;
}

/** One step that is to be taken. */
export interface Step {
  atMs: number;
  readonly order: number;
  readonly owner: Owner | null;
  readonly label: string;
  /** What the label is about. */
  readonly about: string;
  run: (() => void) | null;
}

const STEPS_MAX = 100_000;

/**
 * Time and order of everything that happens. There is one step at a time; between two steps all promises that the first one
 * settled have had their say. What the seed does not decide is decided by nothing.
 */
export class Scheduler {
  nowMs = 0;
  steps = 0;
  /** Sums up all steps taken: two runs with the same number went the same way. */
  digest = 0;
  /** Whose code runs now. */
  current: Owner | null = null;
  /** Called before each step of an owner; may end its life. */
  beforeStep: (owner: Owner) => void = () => {};
  trace: ((line: string) => void) | null = null;
  readonly #heap: Step[] = [];
  #orders = 0;

  constructor(readonly chance: Chance) {}

  /** Puts a step on the list. Without an owner it belongs to the world: a server, the network, the switch. */
  after(delayMs: number, owner: Owner | null, label: string, run: () => void, about = ""): Step {
    const step = { atMs: this.nowMs + delayMs, order: (this.#orders += 1), owner, label, about, run };
    this.#push(step);
    return step;
  }

  /** Takes steps until there are none left. False: there were too many, somebody goes round in circles. */
  runDry(): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const limit = this.steps + STEPS_MAX;
      const go = (): void => {
        try {
          for (;;) {
            const step = this.#next();
            if (step === undefined) return resolve(true);
            if (this.steps >= limit) return resolve(false);
            this.#take(step);
            if (this.current !== null) break;
          }
        } catch (error) {
          return reject(error);
        }
        // Asked for in a microtask, a tick comes after all microtasks, also those that are still to be made.
        queueMicrotask(() => process.nextTick(go));
      };
      process.nextTick(go);
    });
  }

  note(text: string): void {
    this.trace?.(`${this.nowMs.toFixed(3).padStart(10)}  ${text}`);
  }

  #take(step: Step): void {
    const { owner, run } = step;
    this.steps += 1;
    this.nowMs = step.atMs;
    this.current = owner;
    this.digest = (Math.imul(this.digest ^ step.order, 0x85ebca6b) + Math.floor(step.atMs * 1000)) | 0;
    if (owner !== null) {
      this.beforeStep(owner);
      if (!owner.isAlive) return;
    }
    if (this.trace !== null) this.note(`${owner?.name ?? "-"}  ${step.label} ${step.about}`.trimEnd());
    run?.();
  }

  #next(): Step | undefined {
    for (;;) {
      const step = this.#pop();
      if (step === undefined) return undefined;
      if (step.run === null) continue;
      const { owner } = step;
      if (owner !== null) {
        if (!owner.isAlive) continue;
        if (owner.pausedUntilMs > step.atMs) {
          step.atMs = owner.pausedUntilMs;
          this.#push(step);
          continue;
        }
      }
      return step;
    }
  }

  #push(step: Step): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(step);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Step;
      if (!isBefore(step, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = step;
  }

  #pop(): Step | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Step, heap[below] as Step)) below += 1;
      const child = heap[below] as Step;
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(one: Step, other: Step): boolean {
  return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
}

/**
 * Puts timers, chance and the clocks of this process under the scheduler.
 *
 * @returns gives everything back
 */
export function takeGlobals(scheduler: Scheduler): () => void {
  const { setTimeout, clearTimeout, setImmediate } = globalThis;
  const real = { random: Math.random, now: Date.now };
  const { chance } = scheduler;
  const mine = {
    setTimeout: (run: () => void, ms = 0): Step =>
      // A timer is never early, and late by what else there is to do.
      scheduler.after(Math.max(1, ms) + chance.below(1_000) / 2_000, scheduler.current, "timer", run),
    clearTimeout: (step: Step | undefined): void => {
      if (step !== undefined) step.run = null;
    },
    setImmediate: (run: () => void): Step =>
      scheduler.after(chance.below(1_000) / 5_000, scheduler.current, "immediate", run),
  };
  Object.assign(globalThis, mine);
  Math.random = () => chance.bits() / 2 ** 32;
  Date.now = () => Math.floor(scheduler.nowMs);
  performance.now = () => scheduler.nowMs;
  return () => {
    Object.assign(globalThis, { setTimeout, clearTimeout, setImmediate });
    Math.random = real.random;
    Date.now = real.now;
    Reflect.deleteProperty(performance, "now");
  };
}
