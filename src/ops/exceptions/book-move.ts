import {
  ACCOUNTS,
  type AccountCode,
  type ClearingOf,
  type FindingMove,
  postingsOfMove,
  type Posting,
  recoveredOf,
  restOf,
} from "../../domain";
import { appendClearings } from "../../ledger";
import { Fault, type Statement } from "../../platform";
import { postSettlement, saveLines } from "../settlement/post";
import type { Context } from "./context";
import { factsOfFinding, type FindingItem, type ItemPayment } from "./facts";

/**
 * Books what a finding moves, and clears the receivables by it.
 *
 * @throws Fault `account`: something is left, and nobody has said where it goes
 * @throws ReceivableTaken roll back and call again
 */
export async function bookMove(
  { deps, tx, actor, proposal }: Context,
  item: FindingItem,
  payments: readonly ItemPayment[],
  move: FindingMove,
): Promise<string | null> {
  const rest = restOf(move);
  if (rest !== 0n && proposal.account === null) {
    throw new Fault("account", `a difference of ${rest} rupiah is left, and nobody has said where it goes`, {
      remedy: "name-an-account",
    });
  }
  const account = rest === 0n ? null : proposal.account;
  const postings = postingsOfMove(move, account);
  if (postings.length === 0) return null;
  return book({ deps, tx, actor, proposal }, item, payments, { ...move, account, postings });
}

/**
 * Money came for what was written off or accepted elsewhere: it goes into transit, and those accounts get it back. What is
 * more than that goes to the account of the proposal.
 */
export async function bookRecovery(context: Context, item: FindingItem, payment: ItemPayment): Promise<string | null> {
  const { tx, proposal } = context;
  const { there, status } = factsOfFinding(item, [payment]);
  const came = status === "paid" ? there : 0n;
  const givenUp = await tx.run<{ account: AccountCode; amount: bigint }>(GIVEN_UP, [payment.entryId]);
  const clearings = recoveredOf(payment.receivable, came);
  let left = clearings.reduce((sum, { kind, amount }) => (kind === "recovered" ? sum + amount : sum), 0n);
  const credits: Posting[] = [];
  const rest = came - left;
  for (const { account, amount } of givenUp) {
    const part = amount < left ? amount : left;
    if (part > 0n) credits.push({ accountCode: account, side: "credit", amount: part });
    left -= part;
  }
  if (came === 0n || left > 0n)
    throw new Fault("not_possible", "the books do not say where this payment was given up to");
  if (rest > 0n && proposal.account === null) {
    throw new Fault("account", `${rest} rupiah more came than was given up, and nobody has said where they go`, {
      remedy: "name-an-account",
    });
  }
  if (rest > 0n && proposal.account !== null) {
    credits.push({ accountCode: proposal.account, side: "credit", amount: rest });
  }
  const postings: Posting[] = [{ accountCode: ACCOUNTS.bankInTransit, side: "debit", amount: came }, ...credits];
  const account = credits[0]?.accountCode ?? null;
  return book(context, item, [payment], { dueAmount: 0n, transitAmount: came, clearings, account, postings });
}

/** What of a payment was given up to which account, and not recovered since. */
const GIVEN_UP: Statement = {
  name: "ops_read_given_up",
  text: `
    select p.account_code as account, sum(c.amount)::bigint as amount
      from receivable_clearing c
      join settlement_posting p on p.entry_id = c.by_entry_id
     where c.entry_id = $1::uuid and c.kind in ('written-off', 'accepted') and p.account_code is not null
     group by 1 having sum(c.amount) > 0 order by 2 desc, 1`,
};

interface Booked {
  readonly dueAmount: bigint;
  readonly transitAmount: bigint;
  readonly clearings: readonly ClearingOf[];
  readonly account: AccountCode | null;
  readonly postings: readonly Posting[];
}

async function book(
  { deps, tx, actor, proposal }: Context,
  item: FindingItem,
  payments: readonly ItemPayment[],
  { dueAmount, transitAmount, clearings, account, postings }: Booked,
): Promise<string> {
  const nowMs = deps.clock.nowMs();
  const entryId = deps.ids.entryId(nowMs);
  const businessDate = deps.today();
  const { fileId, lineNo, memberLineNos, partnerId, profileCode } = item;
  const lineNos = lineNo === null || item.isPosted ? [] : [lineNo, ...memberLineNos];
  const postingNo = await postSettlement(tx, {
    kind: "resolution",
    entryId,
    businessDate,
    nowMs,
    partnerId,
    profileCode,
    settlementDate: item.businessDate,
    fileId,
    proposalId: proposal.proposalId,
    lineCount: lineNos.length,
    dueAmount,
    transitAmount,
    account,
    postings,
    reference: `settlement ${proposal.proposalId.slice(0, 8)}`,
    by: actor.name,
  });
  const receivables = new Map(payments.map(({ entryId: id, receivable }) => [id, receivable]));
  await appendClearings(tx, { entryId, businessDate }, receivables, clearings);
  if (fileId !== null && lineNos.length > 0) await saveLines(tx, postingNo, fileId, lineNos);
  return entryId;
}
