/** Largest amount that the wire's twelve digits hold. Amounts are whole rupiah, always `bigint`. */
export const RUPIAH_MAX = 999_999_999_999n;

/** The sum of amounts, in whole rupiah. */
export function sumRupiah(amounts: Iterable<bigint>): bigint {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
}

/** The smaller of two amounts. */
export function minRupiah(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** Whole rupiah for people: `Rp 1.250.000`. */
export function rupiahText(amount: bigint): string {
  return `Rp ${amount.toString().replaceAll(/\B(?=(\d{3})+$)/g, ".")}`;
}
