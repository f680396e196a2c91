import type { Chance } from "../fuzz/random";

/** Everything that can go wrong, by name. */
export const FAULT_KINDS = [
  "connection refused",
  "too many connections",
  "statement refused, not run",
  "statement refused, after it ran",
  "connection lost, statement not run",
  "connection lost, statement ran",
  "statement slow",
  "server shut down a session",
  "server hears late of a lost client",
  "COMMIT lost on its way",
  "COMMIT done, answer lost",
  "COMMIT done late",
  "COMMIT answered with ROLLBACK",
  "COMMIT refused",
  "COMMIT with a warning",
  "COMMIT ended by a shutdown",
  "lock granted to two",
  "lock refused to all",
  "lock command lost",
  "lock command done, answer lost",
  "lock command slow",
  "locks flushed",
  "host crashed",
  "host crashed at a named point",
  "host stopped for a while",
  "database restarted",
] as const;

/** The name of something that can go wrong. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Counts of one run or of many. */
export class Counts {
  readonly #counts = new Map<string, number>();

  add(name: string, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  get(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  addAll(other: Counts): void {
    for (const [name, count] of other.#counts) this.add(name, count);
  }

  entries(): [string, number][] {
    return [...this.#counts].toSorted(([one], [other]) => (one < other ? -1 : 1));
  }
}

/** What goes wrong in one run: each kind at a rate of its own, until everything is healed. */
export class Faults {
  isHealed = false;
  readonly counts = new Counts();
  readonly #oneIn = new Map<FaultKind, number>();

  constructor(readonly chance: Chance) {
    const mood = chance.below(10);
    if (mood === 0) return;
    // A few kinds that are common, and beside them some or no rare ones: mixtures that uniform rates would never make.
    for (let hot = chance.between(1, 4); hot > 0; hot -= 1)
      this.#oneIn.set(chance.pick(FAULT_KINDS), chance.between(2, 12));
    if (mood < 4) return;
    for (const kind of FAULT_KINDS)
      if (!this.#oneIn.has(kind) && chance.oneIn(3)) this.#oneIn.set(kind, chance.between(25, 120));
  }

  /** Whether it happens now. */
  strikes(kind: FaultKind): boolean {
    const oneIn = this.isHealed ? undefined : this.#oneIn.get(kind);
    if (oneIn === undefined || !this.chance.oneIn(oneIn)) return false;
    this.counts.add(kind);
    return true;
  }

  /** Whether nothing at all goes wrong in this run. */
  get areNone(): boolean {
    return this.#oneIn.size === 0;
  }

  /** Whether it can happen in this run. */
  has(kind: FaultKind): boolean {
    return this.#oneIn.has(kind);
  }
}

/** How long things take on their way: usually little, sometimes much. */
export class Delays {
  isHealed = false;
  readonly #usualMs: number;
  readonly #tailOneIn: number;
  readonly #tailMs: number;

  constructor(readonly chance: Chance) {
    this.#usualMs = chance.pick([0.2, 1, 1, 5, 40]);
    this.#tailOneIn = chance.pick([0, 0, 200, 50, 15]);
    this.#tailMs = chance.pick([20, 300, 2_000]);
  }

  /** Whether nothing takes long here. */
  get areShort(): boolean {
    return this.#tailOneIn === 0;
  }

  next(): number {
    if (this.#tailOneIn > 0 && !this.isHealed && this.chance.oneIn(this.#tailOneIn))
      return this.chance.below(this.#tailMs);
    return (this.chance.below(1_000) / 1_000) * this.#usualMs;
  }
}
