import { randomUUID } from "node:crypto";
import { Fault, type Statement, type Tx } from "../../platform";
import type { Actor } from "./history";
import { insertProposal, type Proposal } from "./proposals";

const FIND: Statement = {
  name: "ops_find_undoable_proposal",
  isWrite: true,
  text: `
    select p.proposal_id as "proposalId", p.batch_id as "batchId", p.item_kind as "itemKind", p.item_id as "itemId", p.action,
           p.account_code as account, p.target_entry_id as "targetEntryId", p.amount, p.facts, p.reason,
           p.proposed_by as "proposedBy", p.proposed_at as "proposedAt", p.decision, p.decided_by as "decidedBy",
           exists (select from exception_proposal u where u.undoes = p.proposal_id and u.decision = 'approved'
                      and u.proposal_id is distinct from $2::uuid) as "isUndone"
      from exception_proposal p where p.proposal_id = $1::uuid`,
};

/** What moved money. */
const UNDOABLE: readonly Proposal["action"][] = [
  "accept",
  "advise",
  "bank-credit",
  "link",
  "recover",
  "reverse",
  "write-off",
];

interface Undoable extends Proposal {
  readonly isUndone: boolean;
}

/**
 * An approved proposal that can be undone.
 *
 * @param by the proposal that undoes it, where that is being carried out
 * @throws Fault `no_proposal`, `not_possible`
 */
export async function readUndoable(tx: Tx, proposalId: string, by: string | null): Promise<Undoable> {
  const [found] = await tx.run<Undoable>(FIND, [proposalId, by]);
  if (found === undefined) throw new Fault("no_proposal", `there is no proposal ${proposalId}`);
  if (found.decision !== "approved") throw new Fault("not_possible", "only what was approved can be undone");
  if (found.action === "undo") throw new Fault("not_possible", "an undoing is not undone: propose the action again");
  if (!UNDOABLE.includes(found.action))
    throw new Fault("not_possible", `${found.action} moved nothing: it is not undone`);
  if (found.isUndone) throw new Fault("not_possible", `proposal ${proposalId} was undone before`);
  return found;
}

/**
 * Proposes to take back what an approved proposal has brought about. Nothing moves before somebody else approves.
 *
 * @throws Fault `no_proposal`; `not_possible`: it was not approved, was undone before, or is an undoing itself; `proposed`
 */
export async function proposeUndo(
  tx: Tx,
  actor: Actor,
  proposalId: string,
  reason: string,
): Promise<{ readonly batchId: string; readonly proposalId: string }> {
  const undone = await readUndoable(tx, proposalId, null);
  const { batchId, itemKind, itemId, account, targetEntryId, amount, action } = undone;
  const facts = { undoes: proposalId, action, batch: batchId };
  const own = randomUUID();
  const id = await insertProposal(tx, actor, {
    batchId: own,
    itemKind,
    itemId,
    action: "undo",
    account,
    targetEntryId,
    amount,
    facts,
    reason,
    undoes: proposalId,
  });
  return { batchId: own, proposalId: id };
}
