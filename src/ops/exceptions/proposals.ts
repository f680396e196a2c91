import { randomUUID } from "node:crypto";
import {
  type AccountCode,
  DIFFERENCE_ACCOUNTS,
  type ItemClass,
  moveOfFinding,
  moneyActionsFor,
  type MoneyAction,
  ACCOUNTS,
  restOf,
} from "../../domain";
import { Fault, sqlStateOf, type Statement, type Tx } from "../../platform";
import { entryOfTrax, factsOfFinding, lockFinding, readFreePayment } from "./facts";
import { type Actor, recordEvent } from "./history";
import { listQueue, type QueueFilter, type QueueItem, readItem } from "./queue";

/** What is proposed, for one item or for several at once. */
export interface ProposalRequest {
  readonly action: MoneyAction;
  /** Takes a difference; null where none may be left. */
  readonly account: AccountCode | null;
  /** With `link`: the traxId or the entry of the payment. */
  readonly target: string | null;
  readonly reason: string;
}

/** A proposal as lists show it. Whole rupiah. */
export interface Proposal {
  readonly proposalId: string;
  readonly batchId: string;
  readonly itemKind: "finding" | "exception" | "bank-credit" | "day";
  readonly itemId: string;
  readonly action: MoneyAction | "bank-credit" | "undo" | "reopen-day";
  /** The approved proposal that this one takes back; null or left out: none. */
  readonly undoes?: string | null;
  readonly account: AccountCode | null;
  readonly targetEntryId: string | null;
  readonly amount: bigint;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly reason: string;
  readonly proposedBy: string;
  readonly proposedAt: Date;
  /** `lapsed`: what it was about is gone, or is something else now. */
  readonly decision: "approved" | "refused" | "withdrawn" | "lapsed" | null;
  readonly decidedBy: string | null;
  readonly decisionNote: string | null;
  /** When it was last approved and could not be done, and why; null: never. */
  readonly lastFailedAt: Date | null;
  readonly lastFailure: string | null;
}

const INSERT: Statement = {
  name: "ops_insert_proposal",
  isWrite: true,
  text: `
    insert into exception_proposal (proposal_id, batch_id, item_kind, item_id, action, account_code, target_entry_id, amount,
                                    facts, reason, proposed_by, proposed_via, undoes)
    values ($1::uuid, $2::uuid, $3, $4::uuid, $5, $6, $7::uuid, $8::bigint, $9::jsonb, $10, $11, $12, $13::uuid)`,
};

/** Writes a proposal with its step in the history. @throws Fault `proposed`: one about this item waits already */
export async function insertProposal(
  tx: Tx,
  actor: Actor,
  proposal: Pick<
    Proposal,
    | "batchId"
    | "itemKind"
    | "itemId"
    | "action"
    | "account"
    | "targetEntryId"
    | "amount"
    | "facts"
    | "reason"
    | "undoes"
  >,
): Promise<string> {
  const proposalId = randomUUID();
  const { batchId, itemKind, itemId, action, account, targetEntryId, amount, facts, reason } = proposal;
  try {
    await tx.run(INSERT, [
      ...[proposalId, batchId, itemKind, itemId, action, account, targetEntryId, amount, JSON.stringify(facts)],
      ...[reason, actor.name, actor.via, proposal.undoes ?? null],
    ]);
  } catch (error) {
    if (sqlStateOf(error) !== "23505") throw error;
    throw new Fault("proposed", `a proposal about ${itemId} waits for a decision already`, { cause: error });
  }
  const detail = `${action}${account === null ? "" : ` to ${account}`}: ${reason}`;
  const after = { proposalId, action, account, targetEntryId, amount: amount.toString() };
  await recordEvent(tx, actor, { itemId, kind: "proposed", detail, after });
  return proposalId;
}

/**
 * Proposes an action for one item. Nothing moves before somebody else approves.
 *
 * @throws Fault `not_possible`, `account`, `closed`, `proposed`, `no_exception`, `no_payment`
 */
export async function proposeForItem(
  tx: Tx,
  actor: Actor,
  itemId: string,
  request: ProposalRequest,
  batchId: string = randomUUID(),
): Promise<{ readonly batchId: string; readonly proposalId: string; readonly item: QueueItem }> {
  const item = await readItem(tx, itemId);
  return { batchId, item, proposalId: await propose(tx, actor, item, request, batchId) };
}

/**
 * Proposes the same for all open items of a filter that nothing is proposed for. All or nothing.
 *
 * @throws as `proposeForItem`
 */
export async function proposeForAll(
  tx: Tx,
  actor: Actor,
  filter: QueueFilter,
  request: ProposalRequest,
): Promise<{ readonly batchId: string; readonly items: readonly QueueItem[] }> {
  if (request.action === "link") throw new Fault("not_possible", "lines are linked one by one");
  const items = await listQueue(tx, { ...filter, proposed: false, withClosed: false });
  const batchId = randomUUID();
  for (const item of items) await propose(tx, actor, item, request, batchId);
  return { batchId, items };
}

async function propose(
  tx: Tx,
  actor: Actor,
  item: QueueItem,
  request: ProposalRequest,
  batchId: string,
): Promise<string> {
  const { action, reason } = request;
  if (item.closedAt !== null) throw new Fault("closed", `exception ${item.itemId} is closed`);
  const possible = moneyActionsFor(item.class);
  if (!possible.includes(action)) {
    const instead = possible.length === 0 ? "none; it can be closed" : possible.join(", ");
    throw new Fault("not_possible", `${action} is not possible for ${item.class}; possible: ${instead}`);
  }
  const account = accountOf(item.class, action, request.account);
  const targetEntryId = await targetOf(tx, item, request);
  const { itemId, itemKind, amount } = item;
  // Also where nothing of it is needed: a run that is at work may be taking the ground of this proposal away.
  const finding = itemKind === "finding" ? await lockFinding(tx, itemId) : null;
  if (finding !== null && (finding.class !== item.class || finding.amount !== item.amount)) {
    throw new Fault(
      "item_changed",
      `a run has found something else about exception ${itemId} meanwhile: look at it again`,
    );
  }
  if (finding !== null && (action === "accept" || action === "write-off")) {
    const rest = restOf(moveOfFinding(factsOfFinding(finding), account));
    if (rest !== 0n && account === null) {
      throw new Fault("account", `a difference of ${rest} rupiah needs an account: ${DIFFERENCE_ACCOUNTS.join(", ")}`, {
        remedy: "name-an-account",
      });
    }
  }
  if (item.class === "suspense" && action === "accept" && account === null) {
    throw new Fault("account", "what stands in suspense needs an account to go to", { remedy: "name-an-account" });
  }
  const facts = { class: item.class, difference: item.difference?.toString() ?? null, traxId: item.traxId };
  return insertProposal(tx, actor, {
    ...{ batchId, itemKind, itemId, action, account, targetEntryId, amount, facts, reason },
  });
}

function accountOf(itemClass: ItemClass, action: MoneyAction, account: AccountCode | null): AccountCode | null {
  if (action === "write-off") {
    if (account !== null) throw new Fault("account", "what is written off goes to the account written-off");
    return ACCOUNTS.writtenOff;
  }
  // A line may take back another amount than that of the payment it is about.
  if (account !== null && action === "reverse" && itemClass !== "reversed-there")
    throw new Fault("account", "a reversal needs no account");
  if (account !== null && (action === "not-a-payment" || action === "close-without-file"))
    throw new Fault("account", `${action} needs no account: nothing moves`);
  if (account !== null && !DIFFERENCE_ACCOUNTS.includes(account)) {
    throw new Fault("account", `a difference goes to one of ${DIFFERENCE_ACCOUNTS.join(", ")}`);
  }
  return account;
}

async function targetOf(tx: Tx, item: QueueItem, { action, target }: ProposalRequest): Promise<string | null> {
  if (action !== "link") {
    if (target !== null) throw new Fault("not_possible", "only a link has a target");
    return null;
  }
  if (target === null) throw new Fault("not_possible", "a link needs the traxId or the entry of its payment");
  const { partnerId } = await lockFinding(tx, item.itemId);
  const isEntry = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(target);
  const entryId = isEntry ? target : await entryOfTrax(tx, partnerId, target);
  return (await readFreePayment(tx, partnerId, entryId)).entryId;
}

const COLUMNS = `
    select p.proposal_id as "proposalId", p.batch_id as "batchId", p.item_kind as "itemKind", p.item_id as "itemId",
           p.action, p.account_code as account, p.target_entry_id as "targetEntryId", p.amount, p.facts, p.reason,
           p.proposed_by as "proposedBy", p.proposed_at as "proposedAt", p.decision, p.decided_by as "decidedBy",
           p.last_failed_at as "lastFailedAt", p.last_failure as "lastFailure", p.decision_note as "decisionNote"
      from exception_proposal p`;
const LIST: Statement = {
  name: "ops_list_proposals",
  text: `${COLUMNS}
     where ($1::text is null or p.proposal_id::text like $1 || '%' or p.batch_id::text like $1 || '%')
       and ($2::boolean or p.decision is null)
     order by p.proposed_at, p.proposal_id limit $3`,
};
const LOCK: Statement = {
  name: "ops_lock_proposal",
  isWrite: true,
  text: `${COLUMNS} where p.proposal_id = $1::uuid for update`,
};

/** Proposals that wait for a decision, or all, the earliest first; with `id` those of an identifier or a batch. */
export function listProposals(
  tx: Tx,
  filter: { readonly id: string | null; readonly withDecided: boolean; readonly limit: number },
): Promise<Proposal[]> {
  if (filter.id !== null && !/^[0-9a-f-]{4,36}$/.test(filter.id)) {
    throw new Fault("no_proposal", "a proposal is named by four or more characters of its identifier");
  }
  return tx.run<Proposal>(LIST, [filter.id, filter.withDecided, filter.limit]);
}

function decidedText({ proposalId, decision, decidedBy, decisionNote }: Proposal): string {
  if (decision === "lapsed") return `proposal ${proposalId} has lapsed: ${decisionNote ?? "its ground is gone"}`;
  return `proposal ${proposalId} was ${decision} by ${decidedBy}`;
}

const LOCK_PROFILE: Statement = {
  name: "ops_lock_profile_of_proposal",
  isWrite: true,
  text: `
    select pg_advisory_xact_lock_shared(hashtext('biller:reconciliation'), hashtext(i.profile_code))
      from exception_proposal p join exception_item i on i.item_id = p.item_id
     where p.proposal_id = $1::uuid and i.profile_code is not null`,
};

const DECIDE: Statement = {
  name: "ops_decide_proposal",
  isWrite: true,
  text: `
    update exception_proposal
       set decision = $2, decided_by = $3, decided_via = $4, decided_at = clock_timestamp(), decision_note = $5
     where proposal_id = $1::uuid and decision is null`,
};

/**
 * Writes a decision down; what it brings about is the caller's, in the same transaction.
 *
 * @throws Fault `decided`; `same_person`: whoever proposed it cannot approve or refuse it; `other_person`: only who proposed
 *   it can withdraw it
 */
export async function decideProposal(
  tx: Tx,
  actor: Actor,
  proposalId: string,
  decision: "approved" | "refused" | "withdrawn",
  note: string | null,
): Promise<Proposal> {
  // In the order of runs, which hold the profile before they look at proposals.
  await tx.run(LOCK_PROFILE, [proposalId]);
  const [proposal] = await tx.run<Proposal>(LOCK, [proposalId]);
  if (proposal === undefined) throw new Fault("no_proposal", `there is no proposal ${proposalId}`);
  if (proposal.decision !== null) {
    throw new Fault("decided", decidedText(proposal));
  }
  const nameOf = (name: string): string => name.trim().toLowerCase();
  const isSame = nameOf(proposal.proposedBy) === nameOf(actor.name);
  if (isSame && decision !== "withdrawn") {
    throw new Fault("same_person", `${actor.name} has proposed it: somebody else must decide`);
  }
  if (!isSame && decision === "withdrawn") {
    throw new Fault("other_person", `only ${proposal.proposedBy} can withdraw it; refuse it instead`);
  }
  await tx.run(DECIDE, [proposalId, decision, actor.name, actor.via, note]);
  const detail = `${proposal.action} of ${proposal.proposedBy}${note === null ? "" : `: ${note}`}`;
  await recordEvent(tx, actor, { itemId: proposal.itemId, kind: decision, detail, after: { proposalId, decision } });
  return { ...proposal, decision, decidedBy: actor.name, decisionNote: note };
}
