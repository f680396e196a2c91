import { createHash } from "node:crypto";

/** Draws from a seed: the same parts give the same draw, in whatever order they are asked for. */
export interface Draw {
  /** Decimal digits. */
  digits(length: number, ...parts: readonly string[]): string;
}

/** A source of draws. */
export function drawFrom(seed: string): Draw {
  return {
    digits(length, ...parts) {
      let text = "";
      for (let block = 0; text.length < length; block++) {
        const hash = createHash("sha256").update(JSON.stringify([seed, block, ...parts]));
        // The first digits of a number are not evenly spread: they are left out.
        text += BigInt(`0x${hash.digest("hex")}`)
          .toString()
          .padStart(78, "0")
          .slice(8);
      }
      return text.slice(0, length);
    },
  };
}
