/** What a switch keeps of each amount. */
export interface ChargeRate {
  /** Rupiah. */
  readonly fixed: number;
  /** Per cent of the amount of the books, as a text with up to three decimals; below 50. */
  readonly percent: string;
}

/** How a part of a rupiah is rounded. */
export type ChargeRounding = "half-up" | "down" | "up";

/** Per cent with three decimals: parts of a hundred thousand. */
const WHOLE = 100_000n;

/** The charge on an amount of the books, in whole rupiah. */
export function chargeOf(amount: bigint, rate: ChargeRate, rounding: ChargeRounding): bigint {
  return BigInt(rate.fixed) + rounded(amount * partsOf(rate), rounding);
}

/**
 * The amount of the books of which a charge has left `net`. Where two amounts leave the same, the rounder one is meant: the
 * one whose charge is exact, else the smaller.
 */
export function amountBeforeCharge(net: bigint, rate: ChargeRate, rounding: ChargeRounding): bigint {
  const parts = partsOf(rate);
  const left = net + BigInt(rate.fixed);
  const near = (left * WHOLE) / (WHOLE - parts);
  let found: bigint | null = null;
  for (let amount = near < 2n ? 0n : near - 2n; amount <= near + 3n; amount += 1n) {
    if (amount - rounded(amount * parts, rounding) !== left) continue;
    if ((amount * parts) % WHOLE === 0n) return amount;
    found ??= amount;
  }
  return found ?? near;
}

function partsOf({ percent }: ChargeRate): bigint {
  const [whole = "0", decimals = ""] = percent.split(".");
  return BigInt(whole) * 1_000n + BigInt(decimals.padEnd(3, "0"));
}

function rounded(product: bigint, rounding: ChargeRounding): bigint {
  if (rounding === "down") return product / WHOLE;
  return (product + (rounding === "up" ? WHOLE - 1n : WHOLE / 2n)) / WHOLE;
}
