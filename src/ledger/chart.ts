/** An account as the migrations make it. */
export interface ChartAccount {
  readonly accountCode: string;
  readonly name: string;
  readonly normalSide: "debit" | "credit";
}

const account = (accountCode: string, name: string, normalSide: ChartAccount["normalSide"]): ChartAccount => ({
  accountCode,
  name,
  normalSide,
});

/** The chart of accounts. A migration that adds an account adds it here; a test compares the two. */
export const CHART: readonly ChartAccount[] = [
  account("due-from-switch", "Due from switch", "debit"),
  account("bank-in-transit", "Bank in transit", "debit"),
  account("bill-collections", "Bill collections", "credit"),
  account("fee-earned", "Fee earned", "credit"),
  account("fee-payable", "Fee payable", "credit"),
  account("suspense", "Suspense", "credit"),
  account("unapplied-credit", "Unapplied credit", "credit"),
  account("merchant-payable", "Merchant payable", "credit"),
  account("bank", "Bank", "debit"),
  account("settlement-difference", "Settlement differences", "debit"),
  account("written-off", "Written off", "debit"),
  account("refund-payable", "Refunds payable", "credit"),
];
