import { type Clock, Fault, mustDiscard, type Tx } from "../../platform";
import { type Actor, BULK_MAX, listProposals } from "../exceptions";
import type { Decided } from "./desk";

/** Proposals by their names, those of a batch, or everything that waits and that others have proposed. */
export type WhichProposals =
  { readonly proposals: readonly string[] } | { readonly batch: string } | { readonly all: true };

/** What became of each; those that are left had no turn, and wait as before. */
export interface ApprovedEach {
  readonly items: readonly {
    readonly proposalId: string;
    readonly decided: Decided | null;
    readonly fault: Fault | null;
  }[];
  readonly hasMore: boolean;
}

/** Nobody waits longer for an answer than a proxy does; what is left is done by the same request again. */
const ENOUGH_MS = 25_000;

/** One more than is approved at most. Decided ones of a batch are among them: a repeat tells what became of each. */
export async function proposalsOf(tx: Tx, actor: Actor, which: WhichProposals): Promise<readonly string[]> {
  if ("proposals" in which) return [...new Set(which.proposals)];
  const isAll = "all" in which;
  const filter = { id: isAll ? null : which.batch, withDecided: !isAll, limit: isAll ? 100_000 : BULK_MAX + 1 };
  const found = await listProposals(tx, filter);
  if (!isAll && found.length === 0) throw new Fault("no_proposal", `there is no batch ${which.batch}`);
  const nameOf = (name: string): string => name.trim().toLowerCase();
  return found
    .filter(({ proposedBy }) => !isAll || nameOf(proposedBy) !== nameOf(actor.name))
    .slice(0, BULK_MAX + 1)
    .map(({ proposalId }) => proposalId);
}

/** Approves one after the other, each in a transaction of its own. */
export async function approveEach(
  proposalIds: readonly string[],
  clock: Clock,
  approve: (proposalId: string) => Promise<Decided>,
): Promise<ApprovedEach> {
  const items: ApprovedEach["items"][number][] = [];
  const untilMs = clock.nowMs() + ENOUGH_MS;
  for (const proposalId of proposalIds.slice(0, BULK_MAX)) {
    if (clock.nowMs() > untilMs) break;
    try {
      items.push({ proposalId, decided: await approve(proposalId), fault: null });
    } catch (fault) {
      // Without a database nothing else could be done either.
      if (!(fault instanceof Fault) || mustDiscard(fault)) throw fault;
      items.push({ proposalId, decided: null, fault });
    }
  }
  return { items, hasMore: items.length < proposalIds.length };
}
