import type { UatCase } from "../case";
import { DAMAGED_CASES } from "./damaged";
import { INQUIRY_CASES } from "./inquiries";
import { PAYMENT_CASES } from "./payments";
import { REVERSAL_CASES } from "./reversals";

/** Every case, in the order in which they run: those that use up no bill first, so that what they borrow goes on. */
export const UAT_CASES: readonly UatCase[] = [
  ...INQUIRY_CASES,
  ...DAMAGED_CASES,
  ...PAYMENT_CASES,
  ...REVERSAL_CASES,
].toSorted((one, other) => rankOf(one) - rankOf(other));

function rankOf({ bills, borrows = 0 }: UatCase): number {
  if (bills === 0) return borrows === 0 ? 0 : 1;
  return borrows > 0 ? 2 : 3;
}
