import { randomUUID } from "node:crypto";
import { Fault, mustDiscard, type Statement, type Tx } from "../../platform";
import { faultOf } from "./approval-attempts";
import type { Actor } from "./history";
import { proposeForItem, type ProposalRequest } from "./proposals";
import { listQueue, type QueueFilter } from "./queue";

/** What became of one item of several; `fault` where nothing was proposed for it. */
export interface ProposedItem {
  readonly itemId: string;
  readonly proposalId: string | null;
  readonly fault: Fault | null;
}

/** Items, or proposals, of one request. */
export const BULK_MAX = 300;

const control = (name: string, text: string): Statement => ({ name: `ops_bulk_${name}`, text, isWrite: true });
const SAVE = control("save", "savepoint bulk_item");
const KEEP = control("keep", "release savepoint bulk_item");
const UNDO = control("undo", "rollback to savepoint bulk_item");

/**
 * Proposes the same for several items, as one batch. What cannot be proposed for one is told of that one, and the others go on.
 *
 * @param items their identifiers, at most `BULK_MAX`; or those open items of a filter that nothing is proposed for yet
 */
export async function proposeForEach(
  tx: Tx,
  actor: Actor,
  items: readonly string[] | QueueFilter,
  request: ProposalRequest,
): Promise<{ readonly batchId: string; readonly items: readonly ProposedItem[]; readonly hasMore: boolean }> {
  if (request.action === "link") throw new Fault("not_possible", "lines are linked one by one");
  const found = [...new Set("limit" in items ? await freeItems(tx, items) : items)];
  const chosen = found.slice(0, BULK_MAX);
  const batchId = randomUUID();
  const results = new Map<string, ProposedItem>();
  // In one order for everybody: two such requests wait for each other, and neither for ever.
  for (const itemId of chosen.toSorted()) {
    await tx.run(SAVE, []);
    try {
      const { proposalId } = await proposeForItem(tx, actor, itemId, request, batchId);
      await tx.run(KEEP, []);
      results.set(itemId, { itemId, proposalId, fault: null });
    } catch (error) {
      // After these nothing more can be done in this transaction.
      if (mustDiscard(error)) throw error;
      await tx.run(UNDO, []);
      results.set(itemId, { itemId, proposalId: null, fault: faultOf(error) });
    }
  }
  return {
    batchId,
    items: chosen.flatMap((itemId) => results.get(itemId) ?? []),
    hasMore: found.length > chosen.length,
  };
}

/** In the order of the queue, one more than are taken at most. */
async function freeItems(tx: Tx, filter: QueueFilter): Promise<string[]> {
  const limit = Math.min(filter.limit, BULK_MAX + 1);
  const items = await listQueue(tx, { ...filter, proposed: false, withClosed: false, limit });
  return items.map(({ itemId }) => itemId);
}
