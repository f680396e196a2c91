import type { Statement, Tx } from "../../platform";
import { type Actor, recordEvent } from "./history";

/** What happens without a person: it closes items and proposals whose ground is gone, and decides nothing else. */
export const SYSTEM = "system";

/** Runs hold this lock alone; who changes an item of the profile shares it, so that a run reads what stays true. */
const LOCK_PROFILE: Statement = {
  name: "ops_lock_profile_of_item",
  isWrite: true,
  text: `
    select pg_advisory_xact_lock_shared(hashtext('biller:reconciliation'), hashtext(i.profile_code))
      from exception_item i where i.item_id = $1::uuid and i.profile_code is not null`,
};

/** Waits for a run that is at work on the item's profile, and keeps the next one waiting until this transaction ends. */
export async function lockProfileOfItem(tx: Tx, itemId: string): Promise<void> {
  await tx.run(LOCK_PROFILE, [itemId]);
}

const LOCK_WAITING: Statement = {
  name: "ops_lock_waiting_proposals",
  isWrite: true,
  text: `
    select p.proposal_id as "proposalId", p.item_id as "itemId", p.action, p.proposed_by as "proposedBy"
      from exception_proposal p
     where p.item_id = any($1::uuid[]) and p.decision is null
     order by p.proposal_id
       for update`,
};
const LAPSE: Statement = {
  name: "ops_lapse_proposal",
  isWrite: true,
  text: `
    update exception_proposal
       set decision = 'lapsed', decided_by = '${SYSTEM}', decided_via = $2, decided_at = clock_timestamp(), decision_note = $3
     where proposal_id = $1::uuid and decision is null`,
};

/**
 * Closes the proposals that wait about these items, because their ground is gone or changed: `lapsed`, with the reason in the
 * proposal and in the item's history. Decided ones stay as they are.
 *
 * @param reason in words, up to 500 characters: "matched by run 12"
 * @param via what closed them: a run, a settlement, a message of the switch
 * @returns identifiers of the proposals that lapsed
 */
export async function lapseProposals(
  tx: Tx,
  itemIds: readonly string[],
  reason: string,
  via = "biller",
): Promise<readonly string[]> {
  if (itemIds.length === 0) return [];
  const actor: Actor = { name: SYSTEM, via };
  const waiting = await tx.run<{ proposalId: string; itemId: string; action: string; proposedBy: string }>(
    LOCK_WAITING,
    [itemIds],
  );
  const note = reason.slice(0, 500);
  for (const { proposalId, itemId, action, proposedBy } of waiting) {
    await tx.run(LAPSE, [proposalId, via, note]);
    const detail = `${action} of ${proposedBy}: ${note}`;
    await recordEvent(tx, actor, { itemId, kind: "lapsed", detail, after: { proposalId, decision: "lapsed" } });
  }
  return waiting.map(({ proposalId }) => proposalId);
}

/** Findings that the run has replaced, each with the current one of its item; none: `now` is null. */
const REPLACED = `
    select distinct on (f.item_id) f.*, n.finding_id as now_id, n.class as now_class, n.amount as now_amount,
           (f.class, f.amount, f.difference, f.fee_difference, f.entry_id,
            case when f.class = 'reversed-there' then f.nearest_entry_id end)
             is distinct from (n.class, n.amount, n.difference, n.fee_difference, n.entry_id,
                               case when n.class = 'reversed-there' then n.nearest_entry_id end) as is_other
      from reconciliation_finding f
      left join reconciliation_finding n on n.item_id = f.item_id and n.replaced_by_run is null
     where f.replaced_by_run = $1::int
     order by f.item_id, f.found_at desc`;

const CLOSE_GONE: Statement = {
  name: "ops_close_gone_items",
  isWrite: true,
  text: `
    with recursive newer (file_id, version, next_id) as (
      select f.file_id, n.version, n.superseded_by
        from settlement_file f join settlement_file n on n.file_id = f.superseded_by
       where f.file_id in (select r.file_id from reconciliation_finding r where r.replaced_by_run = $1::int)
      union all
      select w.file_id, n.version, n.superseded_by from newer w join settlement_file n on n.file_id = w.next_id
    ), gone as (
      select r.item_id, coalesce(
               (select 'its file was replaced by version ' || w.version from newer w
                 where w.file_id = r.file_id and w.next_id is null),
               (select 'matched by run ' || m.run_id from settlement_match m
                 where m.file_id = r.file_id and m.line_no = r.line_no and m.part_no = 0 and m.replaced_by_run is null),
               (select 'line ' || m.line_no || ' of file ' || m.file_id || ' stands for its payment since run ' || m.run_id
                  from settlement_match m
                 where r.file_id is null and m.entry_id = r.entry_id and m.replaced_by_run is null),
               (select 'its payment is ' || v.state from receivable v
                 where r.file_id is null and v.entry_id = r.entry_id and v.due = 0),
               'not found again by run ' || $1::int) as because
        from (${REPLACED}) r
       where r.now_id is null
    ), closed as (
      update exception_item i set closed_at = clock_timestamp(), closed_because = g.because
        from gone g
       where i.item_id = g.item_id and i.closed_at is null
      returning i.item_id, i.closed_because
    ), told as (
      insert into exception_event (item_id, kind, actor, via, detail)
      select c.item_id, 'closed', '${SYSTEM}', 'run ' || $1::int, c.closed_because from closed c
    )
    select p.item_id as "itemId", c.closed_because as reason
      from closed c join exception_proposal p on p.item_id = c.item_id and p.decision is null`,
};

/** Writes to the history what an item was and is. The first finding of an item that was closed reopens it. */
const TELL_CHANGED: Statement = {
  name: "ops_tell_changed_items",
  isWrite: true,
  text: `
    with replaced as (${REPLACED}), told as (
      insert into exception_event (item_id, kind, actor, via, detail)
      select r.item_id, 'changed', '${SYSTEM}', 'run ' || $1::int,
             r.now_class || ' of ' || r.now_amount || ' rupiah, before ' || r.class || ' of ' || r.amount || ' rupiah'
        from replaced r where r.now_id is not null and r.is_other
      union all
      select f.item_id, 'reopened', '${SYSTEM}', 'run ' || $1::int, f.class || ' of ' || f.amount || ' rupiah'
        from reconciliation_finding f
       where f.run_id = $1::int and f.item_id <> f.finding_id and f.replaced_by_run is null
         and not exists (select from reconciliation_finding o where o.item_id = f.item_id and o.replaced_by_run = $1::int)
    )
    select r.item_id as "itemId", 'run ' || $1::int || ' finds ' || r.now_class || ' of ' || r.now_amount || ' rupiah now' as reason
      from replaced r join exception_proposal p on p.item_id = r.item_id and p.decision is null
     where r.now_id is not null and r.is_other`,
};

/** Links that cannot be made any more. */
const LOST_TARGETS: Statement = {
  name: "ops_find_lost_targets",
  text: `
    select p.item_id as "itemId",
           case when m.entry_id is not null then 'line ' || m.line_no || ' of file ' || m.file_id || ' stands for that payment'
                else 'the switch owes nothing for that payment any more' end as reason
      from exception_proposal p
      join exception_item i on i.item_id = p.item_id and i.profile_code = $1
      left join settlement_match m on m.entry_id = p.target_entry_id and m.replaced_by_run is null
     where p.decision is null and p.action = 'link'
       and (m.entry_id is not null
            or exists (select from receivable v where v.entry_id = p.target_entry_id and v.state in ('reversed', 'settled')))`,
};

/**
 * Closes what a run has taken the ground from, when all its findings are written: items without a finding, and proposals that
 * wait about something else than what is found now. What an item was before stays in its history.
 */
export async function closeGone(
  tx: Tx,
  { runId, profileCode }: { readonly runId: number; readonly profileCode: string },
): Promise<void> {
  const lapsed: { itemId: string; reason: string }[] = [];
  for (const statement of [CLOSE_GONE, TELL_CHANGED]) {
    lapsed.push(...(await tx.run<{ itemId: string; reason: string }>(statement, [runId])));
  }
  lapsed.push(...(await tx.run<{ itemId: string; reason: string }>(LOST_TARGETS, [profileCode])));
  for (const { itemId, reason } of lapsed) await lapseProposals(tx, [itemId], reason, `run ${runId}`);
}
