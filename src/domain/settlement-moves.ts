import { ACCOUNTS, type AccountCode, type Posting } from "./journal";

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
