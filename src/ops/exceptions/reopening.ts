import { actorText } from "../../domain";
import { createHash, randomUUID } from "node:crypto";
import { Fault, type Statement, type Tx } from "../../platform";
import { recordOperatorAction } from "../../store";
import type { Actor } from "./history";
import { insertProposal, type Proposal } from "./proposals";

/** A closed day that a reopening is about. */
export interface ReopenedDay {
  readonly businessDate: string;
  readonly version: number;
  readonly sha256: string;
}

const LOCK_CLOSES: Statement = {
  name: "ops_lock_closes",
  isWrite: true,
  text: `select pg_advisory_xact_lock(hashtext('biller:day-close'))`,
};
const CLOSED_FROM: Statement = {
  name: "ops_find_closed_days",
  text: `
    select business_date as "businessDate", version, encode(sha256, 'hex') as sha256
      from closed_day where business_date >= $1::date order by business_date desc`,
};
const REOPEN: Statement = {
  name: "ops_reopen_day",
  isWrite: true,
  text: `
    insert into day_reopening (business_date, version, proposal_id, reason, proposed_by, approved_by)
    values ($1::date, $2, $3::uuid, $4, $5, $6)`,
};

/**
 * Proposes to open a closed business date again. The closes of all later dates build on it, so that these are opened with
 * it, and closed again in order. Everything that was closed stays as evidence.
 *
 * @throws Fault `day_not_closed`: the date is not closed; `proposed`: that waits already
 */
export async function proposeReopening(
  tx: Tx,
  actor: Actor,
  businessDate: string,
  reason: string,
): Promise<{ readonly proposalId: string; readonly batchId: string; readonly days: readonly ReopenedDay[] }> {
  const days = (await tx.run<ReopenedDay>(CLOSED_FROM, [businessDate])).toReversed();
  if (days[0]?.businessDate !== businessDate) {
    throw new Fault("day_not_closed", `business date ${businessDate} is not closed`);
  }
  const batchId = randomUUID();
  const proposalId = await insertProposal(tx, actor, {
    batchId,
    itemKind: "day",
    itemId: itemIdOf(businessDate),
    action: "reopen-day",
    account: null,
    targetEntryId: null,
    amount: 0n,
    facts: { businessDate, days },
    reason,
  });
  return { proposalId, batchId, days };
}

/** Opens the date of a proposal again, and every later one that is closed by now, the last one first. */
export async function reopenDays(
  tx: Tx,
  actor: Actor,
  { proposalId, reason, proposedBy, facts }: Proposal,
): Promise<{ readonly done: string; readonly entryId: null }> {
  await tx.run(LOCK_CLOSES, []);
  const { businessDate = "" } = facts as { readonly businessDate?: string };
  const days = await tx.run<ReopenedDay>(CLOSED_FROM, [businessDate]);
  if (days.at(-1)?.businessDate !== businessDate) {
    throw new Fault("closed", `business date ${businessDate} is open already`);
  }
  for (const day of days) {
    await tx.run(REOPEN, [day.businessDate, day.version, proposalId, reason, proposedBy, actor.name]);
    await recordOperatorAction(tx, {
      actor: actorText(actor),
      action: "day.reopen",
      object: `day:${day.businessDate}`,
      before: day,
      detail: `version ${day.version}, proposed by ${proposedBy}: ${reason}`,
    });
  }
  const names = days.map((day) => day.businessDate).toReversed();
  return { done: `open again: ${names.join(", ")}; close them in this order`, entryId: null };
}

/** The same for the same date, so that one proposal about it waits at a time. */
function itemIdOf(businessDate: string): string {
  const hex = createHash("sha256").update(`day ${businessDate}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
