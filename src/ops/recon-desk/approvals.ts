import type { Clock, Fault } from "../../platform";
import { BULK_MAX, type WaitingPart } from "../exceptions";
import type { Decided } from "./desk";

/** Proposals by their names, those of a batch, or everything that waits and that others have proposed. */
export type WhichProposals =
  | { readonly proposals: readonly string[] }
  | { readonly batch: string; readonly after: string | null }
  | { readonly all: true; readonly after: string | null };

/** What became of one of several. */
export interface ApprovedItem {
  readonly proposalId: string;
  readonly decided: Decided | null;
  readonly fault: Fault | null;
}

/** What became of each; those that are left had no turn, and wait as before. */
export interface ApprovedEach {
  readonly items: readonly ApprovedItem[];
  readonly hasMore: boolean;
  /** Where the same request goes on as its `after`; null: there is no more, or they were named. */
  readonly next: string | null;
}

/** Nobody waits longer for an answer than a proxy does; what is left is done by the request that goes on. */
const ENOUGH_MS = 25_000;

/** Approves one after the other, each in a transaction of its own. What fails is told of that one, and the others go on. */
export async function approveEach(
  part: WaitingPart,
  clock: Clock,
  approve: (proposalId: string) => Promise<ApprovedItem>,
): Promise<ApprovedEach> {
  const items: ApprovedItem[] = [];
  const untilMs = clock.nowMs() + ENOUGH_MS;
  for (const { proposalId } of part.proposals) {
    if (items.length > 0 && clock.nowMs() > untilMs) break;
    items.push(await approve(proposalId));
  }
  const hasMore = part.hasMore || items.length < part.proposals.length;
  const last = part.proposals[items.length - 1];
  return { items, hasMore, next: hasMore && last !== undefined && last.key !== "" ? last.key : null };
}

/** Proposals that were named: they are done in their order, and there is nothing to go on from. */
export function namedPart(proposals: readonly string[]): WaitingPart {
  const each = [...new Set(proposals)].map((proposalId) => ({ proposalId, key: "" }));
  return { proposals: each.slice(0, BULK_MAX), hasMore: each.length > BULK_MAX };
}
