/** Chance that can be had again: the same numbers give the same sequence on every machine. */
export class Chance {
  #state = 0;

  constructor(...seeds: readonly number[]) {
    this.reseed(...seeds);
  }

  /** Starts again from these numbers; each input of a fuzz run has a start of its own and can be made alone. */
  reseed(...seeds: readonly number[]): void {
    let state = 0x9e3779b9;
    for (const seed of seeds) {
      state = Math.imul(state ^ (seed >>> 0), 0x85ebca6b);
      state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35) ^ (Math.floor(seed / 2 ** 32) | 0);
      state ^= state >>> 16;
    }
    this.#state = state | 0;
  }

  /** 32 random bits, not negative (mulberry32). */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor((this.bits() / 2 ** 32) * limit);
  }

  /** A whole number, both ends included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  /** Text of `length` characters, each one of `alphabet`. */
  text(length: number, alphabet: string): string {
    let text = "";
    for (let n = 0; n < length; n++) text += alphabet[this.below(alphabet.length)];
    return text;
  }

  /** Digits without end: a number below 10 to the power of `digits`. */
  bigint(digits: number): bigint {
    return BigInt(this.text(digits, DIGITS));
  }
}

export const DIGITS = "0123456789";
/** U+0020 to U+007E. */
export const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index)).join("");

/** What careless code trips over: each is one UTF-16 unit or a few, and none belongs into a record. */
export const ODD_PIECES = [
  "\u0000",
  "\u0001",
  "\t",
  "\n",
  "\r",
  "\r\n",
  "\u001b[31m",
  "\u007f",
  "\u0080",
  "\u00a0",
  "é",
  "e\u0301",
  "ß",
  "İ",
  "ŉ",
  "ǰ",
  "\u2028",
  "\u202e",
  "\u200b",
  "\ufeff",
  "\ufffd",
  "\uffff",
  "０",
  "１２",
  "٣",
  "𝟘",
  "½",
  "ﬁ",
  "ﷺ",
  "\u212b",
  "\u212a",
  "漢",
  "😀",
  "👩‍👩‍👧",
  "\ud800",
  "\udfff",
  "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
  "__proto__",
  "constructor",
  "${1}",
  "'--",
  '"',
  "\\",
  "\\u0000",
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  "-",
  "+",
  "1e3",
  "0x10",
  "NaN",
  "null",
  " ",
  "  ",
  "0",
  "00",
  "9",
  "999999999999",
  "9007199254740993",
] as const;

/** A text that differs from `text` by one to four random edits; `other` is what pieces are spliced in from. */
export function damaged(chance: Chance, text: string, other: string): string {
  let result = text;
  for (let edits = chance.oneIn(2) ? 1 : chance.between(2, 4); edits > 0; edits--) result = edit(chance, result, other);
  return result;
}

function edit(chance: Chance, text: string, other: string): string {
  const at = chance.below(text.length + 1);
  const [head, tail] = [text.slice(0, at), text.slice(at)];
  switch (chance.below(8)) {
    case 0: // one bit of one character, low ones more often
      if (tail === "") return `${head}\u0001`;
      return (
        head + String.fromCharCode(tail.charCodeAt(0) ^ (1 << chance.below(chance.oneIn(4) ? 16 : 7))) + tail.slice(1)
      );
    case 1:
      return head + chance.pick(ODD_PIECES) + tail;
    case 2: // in place of as many characters: the length stays
      return head + chance.pick(ODD_PIECES).slice(0, Math.max(tail.length, 1)) + tail.slice(1);
    case 3:
      return head + tail.slice(chance.between(1, 4));
    case 4:
      return head + PRINTABLE[chance.below(95)] + tail.slice(chance.below(2));
    case 5: {
      const from = chance.below(other.length + 1);
      return head + other.slice(from, from + chance.between(1, 24)) + tail.slice(chance.below(24));
    }
    case 6: // two pieces change places
      return tail.slice(0, 40) + head + tail.slice(40);
    default:
      return chance.oneIn(20) ? head.repeat(chance.between(2, 5)) + tail : head;
  }
}

/** Text out of odd pieces, printable characters and any code units at all. */
export function oddText(chance: Chance, lengthMax: number): string {
  let text = "";
  for (let pieces = chance.below(lengthMax + 1); pieces > 0; pieces--) {
    const kind = chance.below(10);
    if (kind < 4) text += PRINTABLE[chance.below(95)];
    else if (kind < 8) text += chance.pick(ODD_PIECES);
    else text += String.fromCharCode(chance.below(0x10000));
  }
  return text;
}
