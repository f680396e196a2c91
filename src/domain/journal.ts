/** The chart of accounts. Every account of the migrations is named here and the other way round (tested). */
export const ACCOUNTS = {
  dueFromSwitch: "due-from-switch",
  bankInTransit: "bank-in-transit",
  billCollections: "bill-collections",
  merchantPayable: "merchant-payable",
  feeEarned: "fee-earned",
  feePayable: "fee-payable",
  suspense: "suspense",
  unappliedCredit: "unapplied-credit",
  bank: "bank",
  settlementDifference: "settlement-difference",
  writtenOff: "written-off",
  refundPayable: "refund-payable",
} as const;

export type AccountCode = (typeof ACCOUNTS)[keyof typeof ACCOUNTS];

/** One line of a journal entry: whole rupiah, always positive. */
export interface Posting {
  readonly accountCode: AccountCode;
  readonly side: "debit" | "credit";
  readonly amount: bigint;
}

/** An accepted payment, divided: what is applied to the bill's items, and what exceeds them. Whole rupiah. */
export interface PaymentParts {
  readonly applied: bigint;
  readonly unapplied: bigint;
  readonly feeAmount: bigint;
}

/** What a product's rules say about its entries. */
export interface BookingRules {
  readonly feeBelongsTo: "biller" | "switch";
  readonly accounts: { readonly collections: AccountCode; readonly fee: AccountCode };
}

/**
 * The entry of an accepted payment. The switch owes us the amount, and the fee too when the contract gives it to us; a
 * fee that the switch keeps never enters our books. What exceeds the bill is the customer's: unapplied credit.
 */
export function postingsOfPayment(
  { applied, unapplied, feeAmount }: PaymentParts,
  { feeBelongsTo, accounts }: BookingRules,
): Posting[] {
  const fee = feeBelongsTo === "biller" ? feeAmount : 0n;
  const lines: Posting[] = [
    { accountCode: ACCOUNTS.dueFromSwitch, side: "debit", amount: applied + unapplied + fee },
    { accountCode: accounts.collections, side: "credit", amount: applied },
    { accountCode: ACCOUNTS.unappliedCredit, side: "credit", amount: unapplied },
    { accountCode: accounts.fee, side: "credit", amount: fee },
  ];
  return lines.filter(({ amount }) => amount > 0n);
}

/**
 * The entry of a payment that was taken although it fits nothing: the switch owes it to us, and it stands in suspense until
 * operators have found out what it was for.
 */
export function postingsToSuspense(amount: bigint): Posting[] {
  return [
    { accountCode: ACCOUNTS.dueFromSwitch, side: "debit", amount },
    { accountCode: ACCOUNTS.suspense, side: "credit", amount },
  ];
}

/** Whether debits equal credits and every line is positive. */
export function isBalanced(postings: readonly Posting[]): boolean {
  let difference = 0n;
  for (const posting of postings) {
    if (posting.amount <= 0n) return false;
    difference += posting.side === "debit" ? posting.amount : -posting.amount;
  }
  return postings.length >= 2 && difference === 0n;
}
