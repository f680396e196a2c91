import type { Attempted, LedgerPayment, LineResult, ReconciliationClass, SettlementLine } from "./reconciliation";
import { decideByBill } from "./reconciliation-bill";
import { bucketsOf, decideByTraxId, type OpenLine } from "./reconciliation-trax";
import type { MatchRule } from "./settlement-rules";

/** The results of a whole day, small enough to be held in memory. */
export interface Reconciled {
  readonly lines: readonly LineResult[];
  /** Accepted payments of the day that no line speaks of. */
  readonly missingInFile: readonly LedgerPayment[];
}

/**
 * Reconciles lines with payments. What the database does for a million lines is this, and is tested against it.
 *
 * @param businessDate the day whose payments must all be spoken of
 */
export function reconcile(
  lines: readonly SettlementLine[],
  payments: readonly LedgerPayment[],
  rules: readonly MatchRule[],
  businessDate: string,
): Reconciled {
  const byTrax = new Map(payments.map((payment) => [payment.traxId, payment]));
  const results: LineResult[] = [];
  const open: OpenLine[] = lines
    .filter(({ traxId }) => traxId === null)
    .map((line) => ({ line, tried: [], nearest: null }));
  for (const [traxId, bucket] of bucketsOf(
    lines.filter((line) => line.traxId !== null),
    (line) => line.traxId as string,
  )) {
    const found = decideByTraxId(bucket, byTrax.get(traxId) ?? null);
    results.push(...found.decided);
    open.push(...found.open);
  }
  const held = new Map(
    results.flatMap((each) => each.payments.map((payment) => [payment.entryId, each.line] as const)),
  );
  const now = payments
    .filter(({ entryId }) => entryId !== null)
    .map((payment) => ({ ...payment, heldBy: held.get(payment.entryId) ?? payment.heldBy }));
  for (const [billNumber, bucket] of bucketsOf(open, ({ line }) => line.billNumber)) {
    const candidates = now.filter((payment) => payment.billNumber === billNumber);
    results.push(...decideByBill(bucket, candidates, rules));
  }
  const spokenOf = new Set(results.flatMap((each) => each.payments.map(({ entryId }) => entryId)));
  const missingInFile = now.filter(
    (payment) => isOwed(payment, businessDate) && payment.heldBy === null && !spokenOf.has(payment.entryId),
  );
  return { lines: results, missingInFile };
}

function isOwed({ state, businessDate }: LedgerPayment, date: string): boolean {
  return state === "accepted" && businessDate === date;
}

/** Whole rupiah that the other side says less what our books say: by how much the two are apart because of one result. */
export function differenceOf(
  line: Pick<SettlementLine, "amount" | "feeAmount" | "status">,
  result: Pick<LineResult, "class" | "payments" | "nearest" | "whole">,
): { readonly amount: bigint; readonly feeAmount: bigint } {
  if (result.class === "matched") return { amount: 0n, feeAmount: 0n };
  if (result.class === "reversed-there" && result.payments.length === 0) {
    // Beside the line that says "paid" and holds the payment: what it takes back is its own amount.
    return { amount: -line.amount, feeAmount: -(line.feeAmount ?? result.nearest?.feeAmount ?? 0n) };
  }
  const isPaid = line.status === "paid";
  const told = result.whole ?? line;
  const there = isPaid ? { amount: told.amount, feeAmount: told.feeAmount } : { amount: 0n, feeAmount: 0n };
  const here = result.payments.filter(({ state }) => state === "accepted");
  const amount = here.reduce((sum, payment) => sum + payment.amount, 0n);
  const feeAmount = here.reduce((sum, payment) => sum + payment.feeAmount, 0n);
  return {
    amount: there.amount - amount,
    feeAmount: there.feeAmount === null ? 0n : there.feeAmount - feeAmount,
  };
}

/** The attempt that says most about why a line did not match: the first that came near a payment at all. */
export function reasonOf(tried: readonly Attempted[]): Attempted | null {
  return tried.find(({ nearest }) => nearest !== null) ?? tried[0] ?? null;
}

/** Counts and sums of whole rupiah by class. */
export type ReconciliationSummary = Readonly<
  Partial<Record<ReconciliationClass, { readonly count: number; readonly amount: bigint }>>
>;
