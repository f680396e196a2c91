/** How an amount is written: twelve digits padded with zeros on the left, or as it is. */
export type AmountForm = "lpz12" | "bare";

/**
 * Whole rupiah from the wire: one to twelve ASCII digits and nothing else, or null. `1e3`, `0x10`, signs, blanks and
 * digits of other scripts are no amounts.
 */
export function parseAmount(text: string): bigint | null {
  return /^[0-9]{1,12}$/.test(text) ? BigInt(text) : null;
}

/**
 * Whole rupiah as the wire has it.
 *
 * @throws RangeError when it is negative or needs more than twelve digits
 */
export function formatAmount(amount: bigint, form: AmountForm): string {
  const digits = amount.toString();
  if (amount < 0n || digits.length > 12) throw new RangeError("an amount on the wire has one to twelve digits");
  return form === "lpz12" ? digits.padStart(12, "0") : digits;
}
