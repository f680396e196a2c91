import type { ProductRules } from "./product";

/** The chart of accounts. Every account of the migrations is named here and the other way round (tested). */
export const ACCOUNTS = {
  dueFromSwitch: "due-from-switch",
  bankInTransit: "bank-in-transit",
  billCollections: "bill-collections",
  feeEarned: "fee-earned",
  feePayable: "fee-payable",
  suspense: "suspense",
  unappliedCredit: "unapplied-credit",
} as const;

export type AccountCode = (typeof ACCOUNTS)[keyof typeof ACCOUNTS];

/** One line of a journal entry: whole rupiah, always positive. */
export interface Posting {
  readonly accountCode: AccountCode;
  readonly side: "debit" | "credit";
  readonly amount: bigint;
}

/**
 * The entry of an accepted payment. The switch owes us the amount, and the fee too when the contract gives it to us; a
 * fee that the switch keeps never enters our books.
 */
export function postingsOfPayment(amount: bigint, feeAmount: bigint, rules: ProductRules): Posting[] {
  const fee = rules.feeBelongsTo === "biller" ? feeAmount : 0n;
  const postings: Posting[] = [
    { accountCode: ACCOUNTS.dueFromSwitch, side: "debit", amount: amount + fee },
    { accountCode: ACCOUNTS.billCollections, side: "credit", amount },
  ];
  if (fee > 0n) postings.push({ accountCode: ACCOUNTS.feeEarned, side: "credit", amount: fee });
  return postings;
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
