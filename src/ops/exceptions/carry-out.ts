import {
  ACCOUNTS,
  type AccountCode,
  moveOfFinding,
  postingsOfBankCredit,
  postingsOfMove,
  type Posting,
  restOf,
} from "../../domain";
import { appendOperatorEntry } from "../../ledger";
import { type Clock, type Db, deadlineIn, Fault, type IdSource, type Statement, type Tx } from "../../platform";
import { postSettlement, saveLines, saveOrigins } from "../settlement/post";
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
import type { Actor } from "./history";
import { decideProposal, type Proposal } from "./proposals";

/** How payments are posted and taken back: by the flows that the switch's messages go through. */
export interface ByHand {
  advise(tx: Tx, request: HandRequest): Promise<{ readonly isReplay: boolean }>;
  reverse(tx: Tx, request: HandRequest): Promise<{ readonly entryId: string | null }>;
  isPassing(fault: unknown): boolean;
}

interface HandRequest {
  readonly partnerId: number;
  readonly traxId: string;
  readonly productCode: string;
  readonly billNumber: string;
  readonly amount: bigint;
  readonly feeAmount: bigint | null;
}

/** What proposals are approved with. */
export interface ApprovalDeps {
  readonly db: Pick<Db, "withTransaction">;
  readonly byHand: ByHand;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Business date that entries are booked on, `YYYY-MM-DD`. */
  readonly today: () => string;
}

/** What an approval brought about. */
export interface Approved {
  readonly proposal: Proposal;
  /** In words, for people. */
  readonly done: string;
  /** The settlement or correction entry; null where none was needed. */
  readonly entryId: string | null;
}

const ROUNDS_MAX = 5;
const TIMEOUT_MS = 30_000;

/**
 * Approves one proposal and does what it says, all in one transaction: a fault leaves it waiting.
 *
 * @throws Fault `same_person`, `decided`, `closed`, `no_payment`, `nothing_to_reverse`, `advice_declined`, `account`
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
        const result =
          proposal.itemKind === "finding"
            ? await settleFinding(context)
            : proposal.itemKind === "exception"
              ? await settleOpened(context)
              : await bookBankCredit(context);
        return { proposal, ...result };
      });
    } catch (fault) {
      if (round === ROUNDS_MAX || !deps.byHand.isPassing(fault)) throw fault;
    }
  }
}

interface Context {
  readonly deps: ApprovalDeps;
  readonly tx: Tx;
  readonly actor: Actor;
  readonly proposal: Proposal;
}
type Result = Omit<Approved, "proposal">;

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
  const result = await carryOut(context, item);
  if ((await tx.run(RESOLVE, [item.findingId])).length === 0) throw new Fault("closed", "the finding is not open");
  return result;
}

async function carryOut(context: Context, item: FindingItem): Promise<Result> {
  const { tx, proposal } = context;
  switch (proposal.action) {
    case "accept":
    case "write-off": {
      const entryId = await bookMove(context, item, item.payments);
      return { done: entryId === null ? "accepted, nothing had to move" : "accepted", entryId };
    }
    case "reverse": {
      const done = await reverseOf(context, item);
      // As things stand now: what was reversed beside a paid line comes out of transit again.
      const after = await lockFinding(tx, item.itemId);
      return { done, entryId: await bookMove(context, after, after.payments) };
    }
    case "advise": {
      const { partnerId, traxId, productCode, billNumber, amount, feeAmount } = item;
      if (traxId === null || productCode === null || billNumber === null) {
        throw new Fault("not_possible", "the line names no traxId, product or bill: link or accept it");
      }
      const request = { partnerId, traxId, productCode, billNumber, amount, feeAmount };
      const { isReplay } = await context.deps.byHand.advise(tx, request);
      const entryId = await linkAndBook(context, item, await entryOfTrax(tx, partnerId, traxId));
      return { done: isReplay ? "the payment had come meanwhile: nothing was posted twice" : "posted", entryId };
    }
    case "link": {
      const entryId = await linkAndBook(context, item, proposal.targetEntryId ?? "");
      return { done: "linked", entryId };
    }
    case "bank-credit":
      throw new Fault("not_possible", "a bank credit is about no finding");
  }
}

async function reverseOf({ deps, tx }: Context, item: FindingItem): Promise<string> {
  const payment = item.besidePaid ?? item.payments.find(({ isReversed }) => !isReversed) ?? item.payments[0];
  if (payment === undefined) throw new Fault("nothing_to_reverse", "no payment of ours belongs to it");
  if (item.payments.length > 1) throw new Fault("not_possible", "the line stands for several payments");
  const { entryId } = await deps.byHand.reverse(tx, { ...payment, partnerId: item.partnerId });
  return entryId === null ? `payment ${payment.traxId} was reversed before` : `payment ${payment.traxId} reversed`;
}

const LINK: Statement = {
  name: "ops_link_by_hand",
  isWrite: true,
  text: `
    insert into settlement_match (entry_id, file_id, line_no, run_id, entry_date, rule)
    values ($1::uuid, $2::int, $3::int, $4::int, $5::date, 'by-hand')`,
};
const RESOLVE_MISSING: Statement = {
  name: "ops_resolve_missing_in_file",
  isWrite: true,
  text: `
    update reconciliation_finding f set resolved_at = clock_timestamp()
     where f.entry_id = $1::uuid and f.class = 'missing-in-file' and f.resolved_at is null and f.replaced_by_run is null
       and not exists (select from exception_proposal p where p.item_id = f.item_id and p.decision is null)`,
};

/** The line stands for the payment from now on, and nothing else may. */
async function linkAndBook(context: Context, item: FindingItem, entryId: string): Promise<string | null> {
  const { tx } = context;
  if (item.fileId === null || item.lineNo === null) throw new Fault("not_possible", "there is no line to link");
  const payment = await readFreePayment(tx, item.partnerId, entryId);
  await tx.run(LINK, [entryId, item.fileId, item.lineNo, item.runId, payment.entryDate]);
  await tx.run(RESOLVE_MISSING, [entryId]);
  return bookMove(context, item, [payment]);
}

/** Books what the line settles. @throws Fault `account`: something is left, and nobody has said where it goes */
async function bookMove(
  { deps, tx, actor, proposal }: Context,
  item: FindingItem,
  payments: readonly ItemPayment[],
): Promise<string | null> {
  const move = moveOfFinding(factsOfFinding(item, payments));
  const rest = restOf(move);
  if (rest !== 0n && proposal.account === null) {
    throw new Fault("account", `a difference of ${rest} rupiah is left, and nobody has said where it goes`, {
      remedy: "name-an-account",
    });
  }
  const account = rest === 0n ? null : proposal.account;
  const postings = postingsOfMove(move, account);
  if (postings.length === 0) return null;
  const nowMs = deps.clock.nowMs();
  const entryId = deps.ids.entryId(nowMs);
  const { fileId, lineNo, memberLineNos, partnerId, profileCode } = item;
  const lineNos = lineNo === null ? [] : [lineNo, ...memberLineNos];
  const postingNo = await postSettlement(tx, {
    ...{ kind: "resolution", entryId, businessDate: deps.today(), nowMs, partnerId, profileCode, fileId },
    ...{ settlementDate: item.businessDate, proposalId: proposal.proposalId, lineCount: lineNos.length, ...move },
    ...{ account, postings, reference: `settlement ${proposal.proposalId.slice(0, 8)}`, by: actor.name },
  });
  if (fileId !== null) await saveLines(tx, postingNo, fileId, lineNos);
  const beside = item.besidePaid === null ? [] : [{ day: item.besidePaid.entryDate, amount: move.dueAmount }];
  const own = payments.map(({ entryDate, due, isReversed }) => ({ day: entryDate, amount: isReversed ? 0n : due }));
  await saveOrigins(tx, postingNo, item.besidePaid === null ? own : beside);
  return entryId;
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
    const { entryId } = await deps.byHand.reverse(tx, item);
    const done = `payment ${item.traxId} ${entryId === null ? "was reversed before" : "reversed"}`;
    await tx.run(CLOSE_OPENED, [proposal.itemId, `reversed by ${proposal.proposedBy} and ${actor.name}`]);
    return { done, entryId };
  }
  const entryId = await releaseSuspense(context, item);
  await tx.run(CLOSE_OPENED, [proposal.itemId, `to ${proposal.account} by ${proposal.proposedBy} and ${actor.name}`]);
  return { done: `moved to ${proposal.account}`, entryId };
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
