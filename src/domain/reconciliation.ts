/**
 * Comparing settlement lines with the books. Pure, on whole rupiah and calendar dates: the same lines, payments and rules
 * give the same results in the same order, wherever and however often they are compared.
 */

/** What became of a line, or of a payment that no line speaks of. In order of precedence: the first that applies is it. */
export const RECONCILIATION_CLASSES = [
  "duplicate-in-file",
  "reversed-there",
  "reversed-here",
  "recovered",
  "status-differs",
  "amount-differs",
  "fee-differs",
  "wrong-business-date",
  "matched",
  "missing-here",
  "missing-in-file",
] as const;

/** One of the classes. */
export type ReconciliationClass = (typeof RECONCILIATION_CLASSES)[number];

/** What a line says became of the payment on the other side. */
export type LineStatus = "paid" | "reversed" | "failed";

/** Which line: the file and its line number, counted from 1. */
export interface LineRef {
  readonly fileId: number;
  readonly lineNo: number;
}

/** One readable line of a settlement file. What its profile does not give is null and is not compared. */
export interface SettlementLine extends LineRef {
  readonly traxId: string | null;
  readonly productCode: string | null;
  readonly billNumber: string | null;
  /** Whole rupiah, without the fee. */
  readonly amount: bigint;
  readonly feeAmount: bigint | null;
  /** `YYYY-MM-DD` of the business. */
  readonly businessDate: string;
  readonly paidAtMs: number | null;
  readonly status: LineStatus;
}

/** A payment as our books have it. */
export interface LedgerPayment {
  /** Null when no money moved: the payment was declined. */
  readonly entryId: string | null;
  readonly traxId: string;
  readonly productCode: string;
  readonly billNumber: string;
  readonly amount: bigint;
  readonly feeAmount: bigint;
  readonly businessDate: string;
  readonly happenedAtMs: number;
  /** `given-up`: accepted, and what the switch owed for it was written off or accepted to another account. */
  readonly state: "accepted" | "reversed" | "declined" | "given-up";
  /** The line that holds it already, from this or an earlier run; null when it is free. */
  readonly heldBy: LineRef | null;
}

/** Fields that lines and payments are compared in. */
export type ComparedField =
  "traxId" | "productCode" | "billNumber" | "amount" | "feeAmount" | "businessDate" | "status" | "heldBy" | "paidAt";

/** One rule that was tried on a line in vain: the payment that came nearest, and the field that stood in the way. */
export interface Attempted {
  readonly rule: string;
  readonly nearest: { readonly traxId: string; readonly entryId: string | null } | null;
  readonly blockedBy: ComparedField;
  /** Where the nearest payment is held by another line already. */
  readonly heldBy?: LineRef;
}

/** What was decided about one line. */
export interface LineResult {
  readonly line: LineRef;
  readonly class: Exclude<ReconciliationClass, "missing-in-file">;
  /** The rule that found the payment; null when none did. */
  readonly rule: string | null;
  /** The payments that the line stands for; empty when it holds none. More than one only by a rule for groups. */
  readonly payments: readonly LedgerPayment[];
  /** Where several lines make up one payment: the one that holds it. */
  readonly head: LineRef | null;
  /** On that one: what all of them say together, in whole rupiah; null where a line speaks for itself. */
  readonly whole: Pick<SettlementLine, "amount" | "feeAmount"> | null;
  /** The payment it was compared with last: the one it is linked with, or the nearest one that it could not be linked with. */
  readonly nearest: LedgerPayment | null;
  readonly differingFields: readonly ComparedField[];
  /** Why it did not match: every rule that was tried before, in order. Empty for what matched at once. */
  readonly tried: readonly Attempted[];
}
