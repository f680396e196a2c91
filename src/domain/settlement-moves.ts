import { ACCOUNTS, type AccountCode, type Posting } from "./journal";
import { CLEARING_KINDS, type ClearingKind, type Receivable, stillDueOf } from "./receivable";
import type { LineStatus } from "./reconciliation";

/**
 * What one settlement entry moves, in whole rupiah: off what the switch owes, and on its way to the bank. Where the two
 * are not the same, an account takes the rest. Negative amounts go the other way.
 */
export interface SettlementMove {
  readonly dueAmount: bigint;
  readonly transitAmount: bigint;
}

/** What of a move is left for an account: credited when positive, debited when negative. */
export function restOf({ dueAmount, transitAmount }: SettlementMove): bigint {
  return transitAmount - dueAmount;
}

/**
 * Lines of the entry of a move; none where nothing moves.
 *
 * @param account takes what is left; may be null only where nothing is
 * @throws RangeError when something is left and there is no account
 */
export function postingsOfMove(move: SettlementMove, account: AccountCode | null): Posting[] {
  const rest = restOf(move);
  if (rest !== 0n && account === null) throw new RangeError("a difference needs an account");
  return [
    ...lineOf(ACCOUNTS.bankInTransit, move.transitAmount),
    ...lineOf(ACCOUNTS.dueFromSwitch, -move.dueAmount),
    ...(account === null ? [] : lineOf(account, -rest)),
  ];
}

/** What arrived at the bank is no longer on its way. */
export function postingsOfBankCredit(amount: bigint): Posting[] {
  return [...lineOf(ACCOUNTS.bank, amount), ...lineOf(ACCOUNTS.bankInTransit, -amount)];
}

/** The same lines on their other sides. */
export function mirrored(postings: readonly Posting[]): Posting[] {
  return postings.map((line) => ({ ...line, side: line.side === "debit" ? "credit" : "debit" }));
}

/** One line: a debit when positive, a credit when negative. */
function lineOf(accountCode: AccountCode, amount: bigint): Posting[] {
  if (amount === 0n) return [];
  return [{ accountCode, side: amount > 0n ? "debit" : "credit", amount: amount > 0n ? amount : -amount }];
}

/** A finding as its settlement is decided on. Whole rupiah. */
export interface FindingFacts {
  readonly status: LineStatus | null;
  /**
   * What the switch pays for the line, and for the lines that make up one payment with it; the fee included where it is ours.
   * 0 where there is no line, or its money was posted already.
   */
  readonly there: bigint;
  /** What the switch owes for the payments that the line stands for. */
  readonly receivables: readonly Receivable[];
  /** The line says "reversed", beside another line that says "paid" and holds the payment. */
  readonly isBeside: boolean;
  /** Another line stands for the payment: this one may bring what that one left due, and never gives anything up. */
  readonly isFurther: boolean;
}

/** One change of one receivable. Whole rupiah; negative: taken back. */
export interface ClearingOf {
  readonly entryId: string;
  readonly kind: ClearingKind;
  readonly amount: bigint;
}

/** What explaining a finding moves. */
export interface FindingMove extends SettlementMove {
  readonly clearings: readonly ClearingOf[];
  /** False: the line paid less than is due, and what is left stays due until somebody explains it. */
  readonly isWhole: boolean;
}

/**
 * What the switch pays for a line against what it still owes us for the payments of the line.
 *
 * With an account everything that is due is cleared: what came as settled, the rest as written off or accepted to that
 * account. Without one only what came is cleared. A line that says "reversed" beside a paid one takes its money out of
 * transit.
 */
export function moveOfFinding(facts: FindingFacts, account: AccountCode | null): FindingMove {
  const { status, there, receivables, isBeside, isFurther } = facts;
  if (isBeside) return { dueAmount: 0n, transitAmount: -there, clearings: [], isWhole: true };
  const came = status === "paid" ? there : 0n;
  const clearings: ClearingOf[] = [];
  const restKind: ClearingKind = account === ACCOUNTS.writtenOff ? "written-off" : "accepted";
  let left = came;
  let isWhole = true;
  for (const receivable of receivables) {
    const due = stillDueOf(receivable);
    const settled = left < due ? left : due;
    left -= settled;
    const { entryId } = receivable;
    if (settled > 0n) clearings.push({ entryId, kind: "settled", amount: settled });
    if (settled === due || isFurther) continue;
    if (account === null && came > 0n) isWhole = false;
    else clearings.push({ entryId, kind: restKind, amount: due - settled });
  }
  const dueAmount = clearings.reduce((sum, { amount }) => sum + amount, 0n);
  return { dueAmount, transitAmount: came, clearings, isWhole };
}

/** Every clearing of a receivable taken back: all of it is due again. */
export function takenBack(receivable: Receivable): ClearingOf[] {
  return CLEARING_KINDS.filter((kind) => receivable.cleared[kind] > 0n).map((kind) => ({
    entryId: receivable.entryId,
    kind,
    amount: -receivable.cleared[kind],
  }));
}

/** What was given up for a receivable and is recovered: at most `amount`. */
export function recoveredOf(receivable: Receivable, amount: bigint): ClearingOf[] {
  const clearings: ClearingOf[] = [];
  const { entryId, cleared } = receivable;
  let left = amount;
  for (const kind of ["written-off", "accepted"] as const) {
    const part = cleared[kind] < left ? cleared[kind] : left;
    if (part === 0n) continue;
    clearings.push({ entryId, kind, amount: -part }, { entryId, kind: "recovered", amount: part });
    left -= part;
  }
  return clearings;
}
