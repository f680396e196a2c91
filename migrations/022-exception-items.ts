import type { Knex } from "knex";

/**
 * An exception is one item from its first finding to its last, and the queue is read off an index.
 *
 * - `reconciliation_finding.item_id` names the item that a finding belongs to. A finding that replaces another one of the same
 *   subject carries its item; all others begin one (rows from before, and inserts that name none: `item_id` = `finding_id`).
 *   `reconciliation_finding_item_key`: an item has one current finding at most. `resolved_because` says in words why a finding
 *   is resolved.
 * - `exception_item` has one row for each item, whether a finding or a row of `exception` began it, with everything that the
 *   queue is filtered and ordered by. Triggers of the tables that say so keep it up: whoever writes a finding, an exception,
 *   an owner or a proposal, the row follows in the same transaction. The service's role can write none of it but the closing
 *   of an item whose finding is gone (`refuse_closing_open_item`). It is a convenience and no evidence: all of it can be
 *   computed anew from those tables. A row is never deleted, so that an item stays readable.
 * - `exception_due_at` computes when an item is due, by the rule in force; a new rule recomputes the open items.
 * - A proposal whose ground is gone is `lapsed`: decided by `system`, which decides nothing else and proposes nothing
 *   (`exception_proposal_system`). Waiting proposals about findings that are gone already lapse here.
 * - `last_failed_at` and `last_failure`: what went wrong when a waiting proposal was last approved.
 *
 * Existing rows: every finding and exception gets its item; a replaced finding's is closed.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(FINDINGS);
  await knex.raw(ITEMS);
  await knex.raw(PROPOSALS);
  await knex.raw(FILL);
  await knex.raw(TRIGGERS);
  await knex.raw(`
    select reserve_columns('reconciliation_finding', '{found_at,resolved_at}');
    select reserve_columns('day_reopening', '{reopened_at}');
    select reserve_columns('settlement_expectation', '{set_at}')`);
}

const FINDINGS = `
  alter table reconciliation_finding add column item_id uuid, add column resolved_because text;
  alter table reconciliation_finding disable trigger reconciliation_finding_stays;
  update reconciliation_finding set item_id = finding_id;
  alter table reconciliation_finding enable trigger reconciliation_finding_stays;
  alter table reconciliation_finding
    alter column item_id set not null,
    add constraint reconciliation_finding_resolved_because check (
      resolved_because is null or (resolved_at is not null and char_length(resolved_because) between 1 and 500));
  create unique index reconciliation_finding_item_key on reconciliation_finding (item_id) where replaced_by_run is null;
  create index reconciliation_finding_former_line_idx on reconciliation_finding (file_id, line_no)
    where replaced_by_run is not null and file_id is not null;
  create index reconciliation_finding_former_payment_idx on reconciliation_finding (entry_id)
    where replaced_by_run is not null and file_id is null;
  comment on column reconciliation_finding.item_id is 'the exception that it belongs to, from its first finding to its last';
  comment on column reconciliation_finding.resolved_because is 'in words; null: nothing was said';

  create function name_item_of_finding() returns trigger language plpgsql as $$
  begin
    if new.item_id is null then new.item_id := new.finding_id; end if;
    return new;
  end $$;
  create trigger reconciliation_finding_item before insert on reconciliation_finding
    for each row execute function name_item_of_finding();

  create or replace function refuse_result_change() returns trigger language plpgsql as $$
  begin
    if old.replaced_by_run is not null
       or to_jsonb(new) - '{replaced_by_run,resolved_at,resolved_because}'::text[]
          <> to_jsonb(old) - '{replaced_by_run,resolved_at,resolved_because}'::text[] then
      raise exception '% is replaced, never changed: UPDATE refused', tg_table_name using errcode = 'restrict_violation';
    end if;
    return new;
  end $$;
  grant update (resolved_because) on reconciliation_finding to biller_app;`;

const ITEMS = `
  create function exception_due_at(opened_at timestamptz, amount bigint, carried_to date) returns timestamptz
    language sql stable as $$
    select greatest(
      opened_at + make_interval(hours => (
        select (t.tier ->> 'hours')::int
          from jsonb_array_elements(coalesce(
                 (select r.definition -> 'tiers' from public.exception_due_rule r order by r.version desc limit 1),
                 '[{"from":"0","hours":72},{"from":"1000000","hours":24},{"from":"10000000","hours":4}]'::jsonb)) as t(tier)
         where (t.tier ->> 'from')::bigint <= amount
         order by (t.tier ->> 'from')::bigint desc limit 1)),
      (carried_to + 1)::timestamp at time zone 'Asia/Jakarta')
  $$;

  create table exception_item (
    item_id        uuid not null,
    item_kind      text not null,
    finding_id     uuid,
    class          text not null,
    profile_code   text,
    partner_id     integer,
    business_date  date not null,
    amount         bigint not null,
    opened_at      timestamptz not null,
    due_at         timestamptz not null,
    owner          text,
    carried_to     date,
    proposal_id    uuid,
    closed_at      timestamptz,
    closed_because text,
    constraint exception_item_pkey primary key (item_id),
    constraint exception_item_kind check (item_kind in ('finding', 'exception')),
    constraint exception_item_finding check ((item_kind = 'finding') = (finding_id is not null)),
    constraint exception_item_closed check ((closed_at is null) = (closed_because is null))
  );
  create index exception_item_due_idx on exception_item (due_at, item_id);
  create index exception_item_open_idx on exception_item (due_at, item_id) where closed_at is null;
  create index exception_item_class_idx on exception_item (class, due_at, item_id) where closed_at is null;
  create index exception_item_date_idx on exception_item (business_date, due_at, item_id) where closed_at is null;
  create index exception_item_profile_idx on exception_item (profile_code, due_at, item_id) where closed_at is null;
  create index exception_item_owner_idx on exception_item (owner, due_at, item_id)
    where closed_at is null and owner is not null;
  create index exception_item_proposed_idx on exception_item (due_at, item_id)
    where closed_at is null and proposal_id is not null;
  create index exception_item_closed_idx on exception_item (due_at, item_id) where closed_at is not null;
  comment on column exception_item.finding_id is 'its last finding: the current one while it is open';
  comment on column exception_item.opened_at is 'when it was found, or found again after it was closed';
  comment on column exception_item.business_date is 'of a finding its settlement date; of an exception the Jakarta date on which it was opened';
  comment on column exception_item.proposal_id is 'the proposal that waits';`;

const PROPOSALS = `
  alter table exception_proposal
    add column last_failed_at timestamptz,
    add column last_failure text,
    drop constraint exception_proposal_decision,
    drop constraint exception_proposal_two_people,
    add constraint exception_proposal_decision check (decision in ('approved', 'refused', 'withdrawn', 'lapsed')),
    add constraint exception_proposal_two_people check (
      decision is null or decision = 'lapsed'
      or (decision = 'withdrawn') = (lower(btrim(decided_by)) = lower(btrim(proposed_by)))),
    add constraint exception_proposal_system check (
      lower(btrim(proposed_by)) <> 'system'
      and (decision is null or (decision = 'lapsed') = (lower(btrim(decided_by)) = 'system'))) not valid,
    add constraint exception_proposal_failure check (
      (last_failed_at is null) = (last_failure is null) and char_length(last_failure) between 1 and 500);
  create index exception_proposal_item_idx on exception_proposal (item_id, proposed_at);
  create index exception_proposal_waiting_idx on exception_proposal ((last_failed_at is not null), proposed_at, proposal_id)
    where decision is null;
  comment on column exception_proposal.last_failure is 'why it could not be done when it was last approved';

  create or replace function refuse_second_decision() returns trigger language plpgsql as $$
  begin
    if old.decision is not null
       or (new.decision is null and new.last_failed_at is not distinct from old.last_failed_at)
       or to_jsonb(new) - '{decision,decided_by,decided_via,decided_at,decision_note,last_failed_at,last_failure}'::text[]
          <> to_jsonb(old) - '{decision,decided_by,decided_via,decided_at,decision_note,last_failed_at,last_failure}'::text[] then
      raise exception 'a proposal is decided once and never changed: UPDATE refused' using errcode = 'restrict_violation';
    end if;
    return new;
  end $$;
  grant update (last_failed_at, last_failure) on exception_proposal to biller_app;

  alter table exception_event
    drop constraint exception_event_kind,
    add constraint exception_event_kind check (kind in
      ('note', 'assigned', 'carried', 'closed', 'changed', 'reopened', 'proposed', 'approved', 'refused', 'withdrawn', 'lapsed'));`;

/** Items of what is there already. */
const FILL = `
  with gone as (
    update exception_proposal p
       set decision = 'lapsed', decided_by = 'system', decided_via = 'migration 022', decided_at = clock_timestamp(),
           decision_note = 'what it was about was not found again by run ' || f.replaced_by_run
      from reconciliation_finding f
     where f.finding_id = p.item_id and p.item_kind = 'finding' and p.decision is null and f.replaced_by_run is not null
    returning p.item_id, p.action, p.proposed_by, p.decision_note)
  insert into exception_event (item_id, kind, actor, via, detail)
  select item_id, 'lapsed', 'system', 'migration 022', action || ' of ' || proposed_by || ': ' || decision_note from gone;

  insert into exception_item (item_id, item_kind, finding_id, class, profile_code, partner_id, business_date, amount,
                              opened_at, due_at, owner, carried_to, proposal_id, closed_at, closed_because)
  select f.finding_id, 'finding', f.finding_id, f.class, f.profile_code,
         coalesce((select s.partner_id from settlement_file s where s.file_id = f.file_id),
                  (select e.partner_id from journal_entry e where e.entry_id = f.entry_id and e.business_date = f.entry_date)),
         f.business_date, f.amount, f.found_at, exception_due_at(f.found_at, f.amount, h.carried_to), h.owner, h.carried_to,
         p.proposal_id,
         case when f.replaced_by_run is not null then coalesce(r.finished_at, r.started_at, f.found_at) else f.resolved_at end,
         case when f.replaced_by_run is not null then 'not found again by run ' || f.replaced_by_run
              when f.resolved_at is not null then 'resolved' end
    from reconciliation_finding f
    left join reconciliation_run r on r.run_id = f.replaced_by_run
    left join exception_handling h on h.item_id = f.finding_id
    left join exception_proposal p on p.item_id = f.finding_id and p.decision is null
  union all
  select x.exception_id, 'exception', null, x.kind, x.profile_code, x.partner_id,
         coalesce(x.business_date, (x.opened_at at time zone 'Asia/Jakarta')::date),
         x.amount, x.opened_at, exception_due_at(x.opened_at, x.amount, h.carried_to), h.owner, h.carried_to, p.proposal_id,
         x.closed_at, x.closed_because
    from exception x
    left join exception_handling h on h.item_id = x.exception_id
    left join exception_proposal p on p.item_id = x.exception_id and p.decision is null
  on conflict (item_id) do nothing;`;

/** The functions run as the owner of the tables: the service's role itself cannot write items. */
const asOwner = (name: string, body: string): string => `
  create function ${name}() returns trigger language plpgsql security definer
    set search_path = pg_catalog, pg_temp as $$
  begin
    ${body}
    return null;
  end $$;
  revoke all on function ${name}() from public;`;

/** What is looked up is looked up by key: a run that has switched nested loops off for its own statements is not slowed. */
const TRIGGERS = `
  ${asOwner(
    "add_items_of_findings",
    `insert into public.exception_item as i (item_id, item_kind, finding_id, class, profile_code, partner_id, business_date,
                                             amount, opened_at, due_at)
     select a.item_id, 'finding', a.finding_id, a.class, a.profile_code,
            coalesce((select s.partner_id from public.settlement_file s where s.file_id = a.file_id),
                     (select e.partner_id from public.journal_entry e
                       where e.entry_id = a.entry_id and e.business_date = a.entry_date)),
            a.business_date, a.amount, a.found_at, public.exception_due_at(a.found_at, a.amount, null)
       from added a
     on conflict (item_id) do update
       set finding_id = excluded.finding_id, class = excluded.class, profile_code = excluded.profile_code,
           partner_id = excluded.partner_id, business_date = excluded.business_date, amount = excluded.amount,
           opened_at = case when i.closed_at is null then i.opened_at else excluded.opened_at end,
           due_at = public.exception_due_at(case when i.closed_at is null then i.opened_at else excluded.opened_at end,
                                            excluded.amount, i.carried_to),
           closed_at = null, closed_because = null;`,
  )}
  create trigger reconciliation_finding_opens_item after insert on reconciliation_finding
    referencing new table as added for each statement execute function add_items_of_findings();

  ${asOwner(
    "close_items_of_findings",
    `update public.exception_item i
        set closed_at = c.resolved_at,
            closed_because = case when c.resolved_at is not null then coalesce(
              c.resolved_because,
              (select p.action || ' by ' || p.proposed_by || ' and ' || p.decided_by from public.exception_proposal p
                where p.item_id = c.item_id and p.decision = 'approved' order by p.proposed_at desc limit 1),
              'resolved') end
       from changed c
      where i.item_id = c.item_id and i.finding_id = c.finding_id and c.replaced_by_run is null
        and (i.closed_at is distinct from c.resolved_at);`,
  )}
  create trigger reconciliation_finding_closes_item after update on reconciliation_finding
    referencing new table as changed for each statement execute function close_items_of_findings();

  ${asOwner(
    "add_items_of_exceptions",
    `insert into public.exception_item (item_id, item_kind, class, profile_code, partner_id, business_date, amount,
                                        opened_at, due_at)
     select a.exception_id, 'exception', a.kind, a.profile_code, a.partner_id,
            coalesce(a.business_date, (a.opened_at at time zone 'Asia/Jakarta')::date), a.amount, a.opened_at, public.exception_due_at(a.opened_at, a.amount, null)
       from added a
     on conflict (item_id) do nothing;`,
  )}
  create trigger exception_opens_item after insert on exception
    referencing new table as added for each statement execute function add_items_of_exceptions();

  ${asOwner(
    "close_items_of_exceptions",
    `update public.exception_item i set closed_at = c.closed_at, closed_because = c.closed_because
       from changed c
      where i.item_id = c.exception_id and (i.closed_at is distinct from c.closed_at);`,
  )}
  create trigger exception_closes_item after update on exception
    referencing new table as changed for each statement execute function close_items_of_exceptions();

  ${asOwner(
    "handle_item",
    `update public.exception_item i
        set owner = new.owner, carried_to = new.carried_to,
            due_at = public.exception_due_at(i.opened_at, i.amount, new.carried_to)
      where i.item_id = new.item_id;`,
  )}
  create trigger exception_handling_of_item after insert or update on exception_handling
    for each row execute function handle_item();

  ${asOwner(
    "name_proposal_of_item",
    `if new.decision is null then
       update public.exception_item i set proposal_id = new.proposal_id
        where i.item_id = new.item_id and i.proposal_id is distinct from new.proposal_id;
     else
       update public.exception_item i set proposal_id = null
        where i.item_id = new.item_id and i.proposal_id = new.proposal_id;
     end if;`,
  )}
  create trigger exception_proposal_of_item after insert or update on exception_proposal
    for each row execute function name_proposal_of_item();

  create function recompute_due_times() returns bigint language plpgsql security definer
    set search_path = pg_catalog, pg_temp as $$
  declare changed bigint;
  begin
    with tier as materialized (
      select (t.tier ->> 'from')::bigint as least, make_interval(hours => (t.tier ->> 'hours')::int) as within
        from jsonb_array_elements(
               (select r.definition -> 'tiers' from public.exception_due_rule r order by r.version desc limit 1)) as t(tier)
    ), due as materialized (
      select i.item_id,
             greatest(i.opened_at + (select t.within from tier t where t.least <= i.amount order by t.least desc limit 1),
                      (i.carried_to + 1)::timestamp at time zone 'Asia/Jakarta') as due_at
        from public.exception_item i where i.closed_at is null
    )
    update public.exception_item i set due_at = d.due_at
      from due d where i.item_id = d.item_id and i.closed_at is null and i.due_at <> d.due_at;
    get diagnostics changed = row_count;
    return changed;
  end $$;
  revoke all on function recompute_due_times() from public;
  grant execute on function recompute_due_times() to biller_app;

  create function refuse_closing_open_item() returns trigger language plpgsql as $$
  begin
    if exists (select from public.reconciliation_finding f
                where f.item_id = new.item_id and f.replaced_by_run is null and f.resolved_at is null)
       or exists (select from public.exception x where x.exception_id = new.item_id and x.closed_at is null) then
      raise exception 'exception % is open: its item cannot be closed', new.item_id using errcode = 'restrict_violation';
    end if;
    return new;
  end $$;
  create trigger exception_item_closed_when_gone before update on exception_item
    for each row when (old.closed_at is null and new.closed_at is not null) execute function refuse_closing_open_item();
  create trigger exception_item_no_delete before delete on exception_item for each row execute function refuse_change();
  create trigger exception_item_no_truncate before truncate on exception_item
    for each statement execute function refuse_change();

  grant select, update (closed_at, closed_because) on exception_item to biller_app;
  grant select on exception_item to biller_auditor;`;

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop trigger exception_proposal_of_item on exception_proposal;
    drop trigger exception_handling_of_item on exception_handling;
    drop trigger exception_opens_item on exception;
    drop trigger exception_closes_item on exception;
    drop trigger reconciliation_finding_opens_item on reconciliation_finding;
    drop trigger reconciliation_finding_closes_item on reconciliation_finding;
    drop trigger reconciliation_finding_item on reconciliation_finding;
    drop table exception_item;
    drop function recompute_due_times(), refuse_closing_open_item(), name_proposal_of_item(), handle_item(),
      close_items_of_exceptions(), add_items_of_exceptions(), close_items_of_findings(), add_items_of_findings(),
      name_item_of_finding(), exception_due_at(timestamptz, bigint, date);
    drop index reconciliation_finding_former_payment_idx, reconciliation_finding_former_line_idx,
      reconciliation_finding_item_key;
    alter table reconciliation_finding drop column item_id, drop column resolved_because;
    drop index exception_proposal_waiting_idx, exception_proposal_item_idx;
    alter table exception_event drop constraint exception_event_kind,
      add constraint exception_event_kind check (kind in
        ('note', 'assigned', 'carried', 'closed', 'proposed', 'approved', 'refused', 'withdrawn')) not valid;
    alter table exception_proposal
      drop constraint exception_proposal_system, drop constraint exception_proposal_failure,
      drop column last_failed_at, drop column last_failure;
  `);
}
