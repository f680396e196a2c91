import type { Statement, Tx } from "../../platform";
import { type CursorProblem, readCursor, writeCursor } from "../audit/cursor";
import type { Question } from "../audit/filters";
import { listProposals, listQueue, type Proposal, type QueueFilter, type QueueItem, WHOLE_QUEUE } from "../exceptions";

/** A page of the queue; `next` leads to the one behind it. */
export interface QueuePage {
  readonly items: readonly QueueItem[];
  readonly next: string | null;
}

const LISTING = "exceptions";
const KEY = [
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$/,
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
];

/** Items of the queue from where a cursor left off, what is due first at the top. */
export async function pageOfQueue(tx: Tx, question: Question): Promise<QueuePage | CursorProblem> {
  const start = readCursor(LISTING, question, KEY);
  if (start !== null && "problem" in start) return start;
  const [dueKey, itemId] = start ?? [];
  const after = dueKey === undefined || itemId === undefined ? null : { dueKey, itemId };
  const found = await listQueue(tx, { ...filterOf(question.filters), after, limit: question.limit + 1 });
  const items = found.slice(0, question.limit);
  const last = found.length > question.limit ? items.at(-1) : undefined;
  return { items, next: last === undefined ? null : writeCursor(LISTING, question, [last.dueKey, last.itemId]) };
}

/** The queue's own filter for checked parameters. */
export function filterOf(filters: Question["filters"], limit: number = WHOLE_QUEUE.limit): QueueFilter {
  const { state = "open", amountMin, amountMax } = filters;
  return {
    ...{ ...WHOLE_QUEUE, limit },
    ...{ profileCode: filters["profile"] ?? null, class: filters["class"] ?? null, owner: filters["owner"] ?? null },
    ...{ businessDate: filters["businessFrom"] ?? null, toDate: filters["businessTo"] ?? "9999-12-31" },
    onlyOverdue: filters["overdue"] === "true",
    proposed: state === "free" ? false : state === "proposed" ? true : null,
    ...{ withClosed: state === "closed" || state === "all", onlyClosed: state === "closed" },
    ...{ amountMin: amountMin === undefined ? null : BigInt(amountMin) },
    ...{ amountMax: amountMax === undefined ? null : BigInt(amountMax) },
  };
}

const WHY: Statement = {
  name: "ops_read_finding_why",
  text: `
    select f.run_id as "runId", f.rule, f.difference::text as difference, f.fee_difference::text as "feeDifference",
           f.entry_id as "entryId", f.nearest_trax_id as "nearestTraxId", f.nearest_entry_id as "nearestEntryId",
           f.blocked_by as "blockedBy", f.differing_fields as "differingFields", f.tried
      from exception_item i join reconciliation_finding f on f.finding_id = i.finding_id
     where i.item_id = $1::uuid`,
};

/** Why the last finding of an item did not match: rules tried, nearest payment, and the field that blocked it; null: none. */
export async function readWhy(tx: Tx, itemId: string): Promise<object | null> {
  const [row] = await tx.run<object>(WHY, [itemId]);
  return row ?? null;
}

/** One proposal; null when there is none. */
export async function readProposal(tx: Tx, proposalId: string): Promise<Proposal | null> {
  const [proposal] = await listProposals(tx, { id: proposalId, withDecided: true, limit: 1 });
  return proposal ?? null;
}
