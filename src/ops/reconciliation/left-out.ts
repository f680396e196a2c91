import { rawOf } from "./shown-text";

const OWNERS_MAX = 10;
const OWNER_SHOWN = 40;

/** What of a file is not stored, counted to be a remark of it. */
export class LeftOut {
  blanks = 0;
  titles = 0;
  footers = 0;
  /** Of lines of others. */
  others = 0;
  /** Rupiah that were added to net amounts; less where payments were taken back. */
  charges = 0n;
  readonly #texts: readonly string[];
  readonly #counts: number[];
  readonly #owners = new Map<string, number>();

  constructor(texts: readonly string[]) {
    // The longest first, so that each line counts for the text that says most.
    this.#texts = texts.toSorted((one, other) => other.length - one.length);
    this.#counts = texts.map(() => 0);
  }

  /** Lines that begin with a text of `leaveOut`. */
  get lines(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Whether a line begins with a text that is left out; then it is counted. */
  takes(line: string): boolean {
    const index = this.#texts.findIndex((text) => line.startsWith(text));
    if (index < 0) return false;
    this.#counts[index] = (this.#counts[index] as number) + 1;
    return true;
  }

  addOthers(owner: string): void {
    this.others += 1;
    const shown = rawOf(owner, OWNER_SHOWN);
    if (this.#owners.has(shown) || this.#owners.size < OWNERS_MAX) {
      this.#owners.set(shown, (this.#owners.get(shown) ?? 0) + 1);
    }
  }

  remarks(): string[] {
    const owners = [...this.#owners].map(([owner, count]) => `${owner}: ${count}`).join(", ");
    const named = [...this.#owners.values()].reduce((sum, count) => sum + count, 0);
    const more = named < this.others ? `, more: ${this.others - named}` : "";
    const all: readonly (readonly [count: number, what: string])[] = [
      [this.blanks, `blank ${lines(this.blanks)} left out`],
      [this.titles, `title ${lines(this.titles)} left out`],
      ...this.#texts.map((text, index) => {
        const count = this.#counts[index] ?? 0;
        return [
          count,
          `${lines(count)} that ${count === 1 ? "begins" : "begin"} with ${rawOf(text)} left out`,
        ] as const;
      }),
      [this.others, `${lines(this.others)} of others left out (${owners}${more})`],
      [this.footers, `footer ${lines(this.footers)} left out`],
    ];
    return [
      ...all.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`])),
      ...(this.charges === 0n ? [] : [`charges of ${this.charges} added to net amounts`]),
    ];
  }
}

function lines(count: number): string {
  return count === 1 ? "line" : "lines";
}
