import {
  ACCOUNTS,
  type AccountCode,
  isWhollyDue,
  moveOfFinding,
  postingsOfBankCredit,
  type Posting,
  stateOfReceivable,
  stillDueOf,
  takenBack,
} from "../../domain";
import { appendOperatorEntry, readReceivables, ReceivableTaken } from "../../ledger";
import { deadlineIn, Fault, type Statement, type Tx } from "../../platform";
import { postSettlement } from "../settlement/post";
import {
  entryOfTrax,
  factsOfFinding,
  type FindingItem,
  type ItemPayment,
  lockFinding,
  lockOpened,
  type OpenedItem,
  readFreePayment,
} from "./facts";
import { closeAboutFile, isAboutFile } from "./about-files";
import { bookMove, bookRecovery } from "./book-move";
import type { ApprovalDeps, Approved, Context, Result } from "./context";
import type { Actor } from "./history";
import { lapseProposals } from "./items";
import { reopenDays } from "./reopening";
import { decideProposal } from "./proposals";
import { undoApproved } from "./undo";

const ROUNDS_MAX = 5;
const TIMEOUT_MS = 30_000;

/**
 * Approves one proposal and does what it says, all in one transaction: a fault leaves it waiting.
 *
 * @throws Fault `same_person`, `decided`, `closed`, `no_payment`, `nothing_to_reverse`, `not_due`, `advice_declined`,
 *   `account`
 */
export async function approveProposal(
  deps: ApprovalDeps,
  actor: Actor,
  proposalId: string,
  note: string | null,
): Promise<Approved> {
  for (let round = 1; ; round += 1) {
    try {
      return await deps.db.withTransaction(deadlineIn(deps.clock, TIMEOUT_MS), async (tx) => {
        const proposal = await decideProposal(tx, actor, proposalId, "approved", note);
        const context = { deps, tx, actor, proposal };
        return { proposal, ...(await doWhatItSays(context)) };
      });
    } catch (fault) {
      const isPassing = fault instanceof ReceivableTaken || deps.byHand.isPassing(fault);
      if (round === ROUNDS_MAX || !isPassing) throw fault;
    }
  }
}

function doWhatItSays(context: Context): Promise<Result> {
  const { tx, actor, proposal } = context;
  if (proposal.action === "undo") return undoApproved(context);
  switch (proposal.itemKind) {
    case "finding":
      return settleFinding(context);
    case "exception":
      return isAboutFile(proposal) ? closeAboutFile(tx, actor, proposal) : settleOpened(context);
    case "bank-credit":
      return bookBankCredit(context);
    case "day":
      return reopenDays(tx, actor, proposal);
  }
}

const RESOLVE: Statement = {
  name: "ops_resolve_finding",
  isWrite: true,
  text: `
    update reconciliation_finding set resolved_at = clock_timestamp()
     where finding_id = $1::uuid and resolved_at is null and replaced_by_run is null returning finding_id`,
};

async function settleFinding(context: Context): Promise<Result> {
  const { tx, proposal } = context;
  const item = await lockFinding(tx, proposal.itemId);
  const { isWhole = true, ...result } = await carryOut(context, item);
  // What a line left due is still to be explained: its finding stays open.
  if (isWhole && (await tx.run(RESOLVE, [item.findingId])).length === 0) {
    throw new Fault("closed", "the finding is not open");
  }
  return result;
}

type CarriedOut = Result & { readonly isWhole?: boolean };

async function carryOut(context: Context, item: FindingItem): Promise<CarriedOut> {
  const { tx, proposal } = context;
  switch (proposal.action) {
    case "accept":
    case "write-off": {
      const move = moveOfFinding(factsOfFinding(item), proposal.account);
      const entryId = await bookMove(context, item, item.payments, move);
      const { isWhole } = move;
      const left = item.payments.reduce((sum, { receivable }) => sum + stillDueOf(receivable), 0n) - move.dueAmount;
      if (!isWhole) return { done: `accepted what came; ${left} rupiah stay due`, entryId, isWhole };
      return { done: entryId === null ? "accepted, nothing had to move" : "accepted", entryId };
    }
    case "recover": {
      const [payment] = item.payments;
      if (payment === undefined || item.payments.length > 1) throw new Fault("not_possible", "no payment is recovered");
      return { done: "recovered", entryId: await bookRecovery(context, item, payment) };
    }
    case "reverse":
      return reverseOf(context, item);
    case "advise": {
      const { partnerId, traxId, productCode, billNumber, amount, feeAmount } = item;
      if (traxId === null || productCode === null || billNumber === null) {
        throw new Fault("not_possible", "the line names no traxId, product or bill: link or accept it");
      }
      const request = { partnerId, traxId, productCode, billNumber, amount, feeAmount };
      const { isReplay } = await context.deps.byHand.advise(tx, request);
      const { entryId } = await linkAndBook(context, item, await entryOfTrax(tx, partnerId, traxId));
      return { done: isReplay ? "the payment had come meanwhile: nothing was posted twice" : "posted", entryId };
    }
    case "link":
      return { done: "linked", ...(await linkAndBook(context, item, proposal.targetEntryId ?? "")) };
    case "undo":
    case "bank-credit":
    case "not-a-payment":
    case "close-without-file":
    case "reopen-day":
      throw new Fault("not_possible", `${proposal.action} is about no finding`);
  }
}

/**
 * Takes back the payment of a finding. Where the line that says "paid" was posted, its money leaves transit and what it
 * cleared is due again, before the reversal clears all of it.
 *
 * @throws Fault `nothing_to_reverse`, `not_due`: something of the payment is settled or given up
 */
async function reverseOf(context: Context, item: FindingItem): Promise<CarriedOut> {
  const { tx, deps } = context;
  const { beside, partnerId } = item;
  const payment = beside?.payment ?? item.payments[0];
  if (payment === undefined) throw new Fault("nothing_to_reverse", "no payment of ours belongs to it");
  if (item.payments.length > 1) throw new Fault("not_possible", "the line stands for several payments");
  const move = moveOfFinding(factsOfFinding(item), null);
  let entryId: string | null = null;
  if (beside !== null) {
    const isTakenBack = beside.state === "posted" && stateOfReceivable(payment.receivable) !== "reversed";
    const clearings = isTakenBack ? takenBack(payment.receivable) : [];
    const dueAmount = clearings.reduce((sum, { amount }) => sum + amount, 0n);
    // A paid line that is still to be posted never is: with this one it comes to nothing.
    const paid = beside.state === "matched" ? payment.receivable.opened : 0n;
    if (beside.state === "matched") {
      const about = [beside.fileId, beside.lineNo, item.findingId, paid];
      const [explained] = await tx.run<{ findingId: string }>(EXPLAIN_PAID, about);
      await tx.run(RESOLVE_EXPLAINED, [explained?.findingId]);
    }
    const undone = { dueAmount, transitAmount: move.transitAmount + paid, clearings, isWhole: true };
    entryId = await bookMove(context, item, [payment], undone);
  } else if (stateOfReceivable(payment.receivable) !== "reversed") assertWhollyDue(payment);
  const reversal = await deps.byHand.reverse(tx, { ...payment, partnerId });
  const done = `payment ${payment.traxId} ${reversal.entryId === null ? "was reversed before" : "reversed"}`;
  if (beside !== null) return { done, entryId: entryId ?? reversal.entryId };
  const after = await lockFinding(tx, item.itemId);
  const rest = moveOfFinding(factsOfFinding(after), context.proposal.account);
  return { done, entryId: (await bookMove(context, after, after.payments, rest)) ?? reversal.entryId };
}

function assertWhollyDue({ traxId, receivable }: ItemPayment): void {
  if (isWhollyDue(receivable)) return;
  const state = stateOfReceivable(receivable);
  const what = state === "due" ? "is partly settled" : `is ${state}`;
  throw new Fault("not_due", `payment ${traxId} ${what} and cannot be reversed: undo what cleared it first`, {
    remedy: "undo-first",
  });
}

/** A finding that is explained at once keeps a paid line from being posted. $1, $2 line, $3 finding beside it, $4 its money. */
const EXPLAIN_PAID: Statement = {
  name: "ops_explain_paid_line",
  isWrite: true,
  text: `
    insert into reconciliation_finding (finding_id, run_id, profile_code, business_date, file_id, line_no, entry_id,
                                        entry_date, class, rule, amount, difference, fee_difference, nearest_trax_id,
                                        nearest_entry_id, differing_fields, tried)
    select gen_random_uuid(), f.run_id, f.profile_code, s.settlement_date, l.file_id, l.line_no, m.entry_id, m.entry_date,
           'reversed-here', m.rule, l.amount, l.amount, $4::bigint - l.amount, l.trax_id, m.entry_id, '{status}', '[]'
      from reconciliation_finding f
      join settlement_line l on l.file_id = $1::int and l.line_no = $2::int
      join settlement_file s on s.file_id = l.file_id
      join settlement_match m on m.file_id = l.file_id and m.line_no = l.line_no and m.replaced_by_run is null
     where f.finding_id = $3::uuid
    returning finding_id as "findingId"`,
};
const RESOLVE_EXPLAINED: Statement = {
  name: "ops_resolve_explained_line",
  isWrite: true,
  text: `
    update reconciliation_finding set resolved_at = clock_timestamp(), resolved_because = 'a line of its file takes it back'
     where finding_id = $1::uuid`,
};

const LINK: Statement = {
  name: "ops_link_by_hand",
  isWrite: true,
  text: `
    insert into settlement_match (entry_id, file_id, line_no, run_id, entry_date, rule)
    values ($1::uuid, $2::int, $3::int, $4::int, $5::date, 'by-hand')`,
};
/** The other side of a payment that is linked now; what was proposed about it has lost its ground. */
const RESOLVE_MISSING: Statement = {
  name: "ops_resolve_missing_in_file",
  isWrite: true,
  text: `
    update reconciliation_finding f set resolved_at = clock_timestamp(), resolved_because = 'a line stands for its payment'
     where f.entry_id = $1::uuid and f.class = 'missing-in-file' and f.resolved_at is null and f.replaced_by_run is null
    returning f.item_id as "itemId"`,
};

/** The line stands for the payment from now on, and nothing else may. */
async function linkAndBook(
  context: Context,
  item: FindingItem,
  entryId: string,
): Promise<{ readonly entryId: string | null; readonly isWhole: boolean }> {
  const { tx, proposal } = context;
  if (item.fileId === null || item.lineNo === null) throw new Fault("not_possible", "there is no line to link");
  const payment = await readFreePayment(tx, item.partnerId, entryId);
  await tx.run(LINK, [entryId, item.fileId, item.lineNo, item.runId, payment.entryDate]);
  const resolved = await tx.run<{ itemId: string }>(RESOLVE_MISSING, [entryId]);
  await lapseProposals(
    tx,
    resolved.map(({ itemId }) => itemId),
    `line ${item.lineNo} of file ${item.fileId} stands for its payment`,
  );
  if (stateOfReceivable(payment.receivable) !== "due") {
    return { entryId: await bookRecovery(context, item, payment), isWhole: true };
  }
  const move = moveOfFinding(factsOfFinding(item, [payment]), proposal.account);
  return { entryId: await bookMove(context, item, [payment], move), isWhole: move.isWhole };
}

const CLOSE_OPENED: Statement = {
  name: "ops_close_opened_exception",
  isWrite: true,
  text: `
    update exception set closed_at = clock_timestamp(), closed_because = $2
     where exception_id = $1::uuid and closed_at is null`,
};

/** What a payment or reversal opened: its payment is taken back, or its money leaves suspense. */
async function settleOpened(context: Context): Promise<Result> {
  const { deps, tx, proposal, actor } = context;
  const item = await lockOpened(tx, proposal.itemId);
  if (proposal.action === "reverse") {
    await assertReversible(tx, item);
    const { entryId } = await deps.byHand.reverse(tx, item);
    const done = `payment ${item.traxId} ${entryId === null ? "was reversed before" : "reversed"}`;
    await tx.run(CLOSE_OPENED, [proposal.itemId, `reversed by ${proposal.proposedBy} and ${actor.name}`]);
    return { done, entryId };
  }
  const entryId = await releaseSuspense(context, item);
  await tx.run(CLOSE_OPENED, [proposal.itemId, `to ${proposal.account} by ${proposal.proposedBy} and ${actor.name}`]);
  return { done: `moved to ${proposal.account}`, entryId };
}

async function assertReversible(tx: Tx, { entryId, traxId }: OpenedItem): Promise<void> {
  const receivable = entryId === null ? undefined : (await readReceivables(tx, [entryId])).get(entryId);
  if (receivable === undefined || isWhollyDue(receivable)) return;
  const state = stateOfReceivable(receivable);
  if (state === "reversed") return;
  throw new Fault(
    "not_due",
    `payment ${traxId} is ${state === "due" ? "partly settled" : state}: its money is with the biller. Refund the customer ` +
      "outside of the switch and close the item with the reason, or undo what cleared it first",
    { remedy: "undo-first" },
  );
}

async function releaseSuspense({ deps, tx, proposal }: Context, item: OpenedItem): Promise<string> {
  if (proposal.account === null || proposal.action !== "accept" || item.suspended === 0n) {
    throw new Fault("not_possible", "nothing of this payment stands in suspense any more");
  }
  if (proposal.account === ACCOUNTS.suspense) throw new Fault("account", "it stands in suspense already");
  const nowMs = deps.clock.nowMs();
  const entryId = deps.ids.entryId(nowMs);
  const line = (accountCode: AccountCode, side: Posting["side"]): Posting => ({
    ...{ accountCode, side, amount: item.suspended },
  });
  await appendOperatorEntry(tx, {
    ...{ entryId, kind: "correction", billKey: item.billKey, businessDate: deps.today(), partnerId: item.partnerId },
    ...{ reference: item.traxId, productCode: item.productCode, billNumber: item.billNumber, amount: item.suspended },
    ...{ happenedAtMs: nowMs, reversesEntryId: null },
    postings: [line(ACCOUNTS.suspense, "debit"), line(proposal.account, "credit")],
  });
  return entryId;
}

/** Money that the bank has credited is no longer on its way. */
async function bookBankCredit({ deps, tx, actor, proposal }: Context): Promise<Result> {
  const { partnerId, reference, creditedOn } = proposal.facts as Readonly<{
    partnerId: number;
    reference: string;
    creditedOn: string;
  }>;
  const nowMs = deps.clock.nowMs();
  const entryId = deps.ids.entryId(nowMs);
  const postings = postingsOfBankCredit(proposal.amount);
  const { proposalId } = proposal;
  await postSettlement(tx, {
    ...{ kind: "bank-credit", entryId, businessDate: deps.today(), nowMs, partnerId, profileCode: null, fileId: null },
    ...{ settlementDate: creditedOn, proposalId, lineCount: 0, dueAmount: 0n, transitAmount: -proposal.amount },
    ...{ account: ACCOUNTS.bank, postings, reference, by: actor.name },
  });
  return { done: `bank credit ${reference} booked`, entryId };
}
