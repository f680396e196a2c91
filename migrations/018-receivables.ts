import type { Knex } from "knex";

/**
 * One receivable for each accepted payment: what the switch owes for it is cleared at most once.
 *
 * - The accepted payment is the opened receivable, so a payment writes nothing here. `receivable_clearing` gets a row with
 *   each clearing: how much of the receivable was settled, reversed, written off, accepted elsewhere or recovered, and the
 *   totals after it. The table is append-only; the latest version of a receivable is what is true now.
 * - A clearing claims its receivable by the version that it makes: two of them cannot both commit (primary key).
 * - `receivable_cleared_once`: the totals never exceed what the payment opened. `receivable_reversed_whole`: a receivable is
 *   reversed as a whole, and then nothing else of it is cleared.
 * - The trigger on clearings refuses a row that does not continue the version before it, that opens another amount than the
 *   payment's own postings did, or whose entry moves another amount on *due from switch* than its clearings say.
 * - The deferred trigger on the journal refuses, at commit, any entry but a payment that moves *due from switch* without
 *   clearings of that amount: code that forgets to ask cannot commit. Payments only pay for the evaluation of its WHEN.
 * - A clearing with a negative amount takes an earlier one back (a correction). `recovered` money was written off or accepted
 *   elsewhere before: its entry has two clearings that add up to nothing.
 * - `excess` holds what was cleared twice before this migration. The service can only reduce it, by a correction.
 *
 * What was posted before is read from reversals and settlement postings. `settlement_posting_origin` said less and is dropped.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table receivable_clearing (
      entry_id      uuid not null,
      version       integer not null,
      bill_key      text not null,
      entry_date    date not null,
      partner_id    integer not null,
      kind          text not null,
      amount        bigint not null,
      opened        bigint not null,
      settled       bigint not null,
      reversed      bigint not null,
      written_off   bigint not null,
      accepted      bigint not null,
      recovered     bigint not null,
      excess        bigint not null,
      by_entry_id   uuid not null,
      by_entry_date date not null,
      recorded_at   timestamptz not null default clock_timestamp(),
      constraint receivable_clearing_pkey primary key (entry_id, version, bill_key),
      constraint receivable_clearing_version_positive check (version > 0),
      constraint receivable_clearing_kind
        check (kind in ('settled', 'reversed', 'written-off', 'accepted', 'recovered', 'excess')),
      constraint receivable_clearing_amount check (amount <> 0),
      constraint receivable_clearing_not_negative
        check (settled >= 0 and reversed >= 0 and written_off >= 0 and accepted >= 0 and recovered >= 0 and excess >= 0),
      constraint receivable_cleared_once
        check (opened > 0 and settled + reversed + written_off + accepted + recovered <= opened),
      constraint receivable_reversed_whole check (reversed in (0, opened))
    );
    create index receivable_clearing_by_entry_idx on receivable_clearing (by_entry_id);
    create index receivable_clearing_day_idx on receivable_clearing using brin (entry_date, by_entry_date)
      with (autosummarize = on);
    comment on table receivable_clearing is 'each clearing of what a payment makes the switch owe; whole rupiah';
    comment on column receivable_clearing.entry_id is 'the entry of the payment that opened the receivable';
    comment on column receivable_clearing.amount is 'negative: an earlier clearing of this kind is taken back';
    comment on column receivable_clearing.opened is 'what the payment put on due-from-switch';
    comment on column receivable_clearing.settled is 'total after this row, as in the columns beside it';
    comment on column receivable_clearing.excess is 'cleared beyond what was opened, before the database refused that';
    comment on column receivable_clearing.by_entry_id is 'the entry that cleared it';
  `);
  await backfill(knex);
  await knex.raw(`
    -- EXECUTE plans each call for the rows that it has: one, or a million.
    create function check_clearings() returns trigger language plpgsql set search_path = pg_catalog, public as $$
    declare wrong record;
    begin
      execute $q$
        select n.entry_id, n.version
          from new_clearings n
          left join receivable_clearing p
            on p.entry_id = n.entry_id and p.version = n.version - 1 and p.bill_key = n.bill_key
         where (n.version > 1) <> (p.entry_id is not null)
            or (p.entry_id is not null and (n.opened, n.entry_date, n.partner_id)
                 is distinct from (p.opened, p.entry_date, p.partner_id))
            or n.settled     <> coalesce(p.settled, 0)     + case n.kind when 'settled'     then n.amount else 0 end
            or n.reversed    <> coalesce(p.reversed, 0)    + case n.kind when 'reversed'    then n.amount else 0 end
            or n.written_off <> coalesce(p.written_off, 0) + case n.kind when 'written-off' then n.amount else 0 end
            or n.accepted    <> coalesce(p.accepted, 0)    + case n.kind when 'accepted'    then n.amount else 0 end
            or n.recovered   <> coalesce(p.recovered, 0)   + case n.kind when 'recovered'   then n.amount else 0 end
            or n.excess      <> coalesce(p.excess, 0)      + case n.kind when 'excess'      then n.amount else 0 end
            or (n.kind = 'excess' and n.amount > 0)
         limit 1 $q$ into wrong;
      if wrong.entry_id is not null then
        raise exception 'version % of receivable % does not continue the one before', wrong.version, wrong.entry_id
          using errcode = 'check_violation', constraint = 'receivable_clearing_continues';
      end if;
      execute $q$
        select n.entry_id, n.opened
          from new_clearings n
          left join journal_entry e
            on e.entry_id = n.entry_id and e.bill_key = n.bill_key and e.business_date = n.entry_date
           and e.kind = 'payment' and e.partner_id = n.partner_id
          left join posting g
            on g.entry_id = e.entry_id and g.bill_key = e.bill_key and g.business_date = e.business_date
           and g.account_code = 'due-from-switch' and g.side = 'debit'
         where n.version = 1
         group by n.entry_id, n.bill_key, n.opened
        having n.opened <> coalesce(sum(g.amount), 0)
         limit 1 $q$ into wrong;
      if wrong.entry_id is not null then
        raise exception 'payment % did not open a receivable of %', wrong.entry_id, wrong.opened
          using errcode = 'check_violation', constraint = 'receivable_clearing_opened';
      end if;
      execute $q$
        select b.by_entry_id as entry_id
          from (select by_entry_id, by_entry_date, sum(amount) as amount, count(*) as count,
                       count(*) filter (where kind = 'reversed' and amount > 0) as reversals,
                       min(entry_id::text) filter (where kind = 'reversed' and amount > 0) as reversed_id
                  from new_clearings group by 1, 2) b
          left join journal_entry e
            on e.entry_id = b.by_entry_id and e.business_date = b.by_entry_date and e.kind <> 'payment'
         where e.entry_id is null
            or b.reversals > 1 or (b.reversals = 1 and e.reverses_entry_id is distinct from b.reversed_id::uuid)
            or b.count <> (select count(*) from receivable_clearing c where c.by_entry_id = b.by_entry_id)
            or b.amount <> (select coalesce(sum(case g.side when 'credit' then g.amount else -g.amount end), 0)
                              from posting g
                             where g.entry_id = b.by_entry_id and g.business_date = b.by_entry_date
                               and g.account_code = 'due-from-switch')
         limit 1 $q$ into wrong;
      if wrong.entry_id is not null then
        raise exception 'entry % does not move on due-from-switch what its clearings say', wrong.entry_id
          using errcode = 'check_violation', constraint = 'receivable_clearing_entry';
      end if;
      return null;
    end $$;
    create trigger receivable_clearing_checked after insert on receivable_clearing
      referencing new table as new_clearings for each statement execute function check_clearings();

    create function check_entry_clears() returns trigger language plpgsql set search_path = pg_catalog, public as $$
    declare moved bigint;
    declare cleared bigint;
    begin
      select coalesce(sum(case g.side when 'credit' then g.amount else -g.amount end), 0) into moved
        from posting g
       where g.entry_id = new.entry_id and g.bill_key = new.bill_key and g.business_date = new.business_date
         and g.account_code = 'due-from-switch';
      select coalesce(sum(c.amount), 0) into cleared from receivable_clearing c where c.by_entry_id = new.entry_id;
      if moved <> cleared then
        raise exception 'entry % moves % on due-from-switch and clears receivables of %', new.entry_id, moved, cleared
          using errcode = 'check_violation', constraint = 'journal_entry_clears_receivables';
      end if;
      return null;
    end $$;
    create constraint trigger journal_entry_clears_receivables after insert on journal_entry
      deferrable initially deferred for each row when (new.kind <> 'payment') execute function check_entry_clears();

    create trigger receivable_clearing_append_only before update or delete on receivable_clearing
      for each row execute function refuse_change();
    create trigger receivable_clearing_no_truncate before truncate on receivable_clearing
      for each statement execute function refuse_change();

    grant select on receivable_clearing to biller_app, biller_auditor;
    grant insert (entry_id, version, bill_key, entry_date, partner_id, kind, amount, opened, settled, reversed,
                  written_off, accepted, recovered, excess, by_entry_id, by_entry_date) on receivable_clearing to biller_app;

    create view receivable as
    select e.entry_id, e.bill_key, e.business_date, e.partner_id, e.trax_id, e.product_code, e.bill_number,
           g.amount as opened, coalesce(c.version, 0) as version, coalesce(c.settled, 0) as settled,
           coalesce(c.reversed, 0) as reversed, coalesce(c.written_off, 0) as written_off,
           coalesce(c.accepted, 0) as accepted, coalesce(c.recovered, 0) as recovered, coalesce(c.excess, 0) as excess,
           g.amount - coalesce(c.settled + c.reversed + c.written_off + c.accepted + c.recovered, 0) as due,
           case when g.amount > coalesce(c.settled + c.reversed + c.written_off + c.accepted + c.recovered, 0) then 'due'
                when c.reversed > 0 then 'reversed' when c.settled > 0 then 'settled' when c.recovered > 0 then 'recovered'
                when c.written_off > 0 then 'written-off' else 'accepted' end as state
      from journal_entry e
      join posting g on g.entry_id = e.entry_id and g.bill_key = e.bill_key and g.business_date = e.business_date
       and g.account_code = 'due-from-switch' and g.side = 'debit'
      left join receivable_clearing c
        on c.entry_id = e.entry_id and c.bill_key = e.bill_key
       and not exists (select from receivable_clearing n
                        where n.entry_id = c.entry_id and n.bill_key = c.bill_key and n.version > c.version)
     where e.kind = 'payment';
    comment on view receivable is 'what the switch owes for each accepted payment, as it stands now; whole rupiah';
    grant select on receivable to biller_app, biller_auditor;

    drop table settlement_posting_origin;
  `);
  await undoing(knex);
}

/**
 * What was approved can be undone by a further proposal: `undoes` names it, and one of them waits or is approved at a time.
 * A posting that was taken back names the one that did so (`undone_by`, once); its lines can then be posted again, and the
 * bank's reference can be booked again.
 */
async function undoing(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table exception_proposal
      add column undoes uuid,
      drop constraint exception_proposal_action,
      add constraint exception_proposal_action check (action in
        ('advise', 'reverse', 'accept', 'link', 'write-off', 'bank-credit', 'recover', 'undo')),
      add constraint exception_proposal_undoes check ((action = 'undo') = (undoes is not null)),
      add constraint exception_proposal_undoes_fkey foreign key (undoes) references exception_proposal (proposal_id);
    create unique index exception_proposal_undoes_key on exception_proposal (undoes)
      where undoes is not null and (decision is null or decision = 'approved');

    alter table reconciliation_finding
      drop constraint reconciliation_finding_class,
      add constraint reconciliation_finding_class check (class in ('amount-differs', 'fee-differs', 'missing-here',
        'missing-in-file', 'duplicate-in-file', 'status-differs', 'wrong-business-date', 'reversed-here',
        'reversed-there', 'recovered')),
      -- What was undone stays as it was resolved; a further finding takes its place.
      drop constraint reconciliation_finding_replaced_or_resolved;

    alter table settlement_posting add column undone_by integer,
      add constraint settlement_posting_undone_fkey foreign key (undone_by) references settlement_posting (posting_no);
    alter table settlement_line_posting add column undone_by integer,
      drop constraint settlement_line_posting_pkey;
    create unique index settlement_line_posting_key on settlement_line_posting (file_id, line_no) where undone_by is null;
    create index settlement_line_posting_undone_idx on settlement_line_posting (posting_no) where undone_by is not null;
    drop index settlement_posting_reference_key;
    create unique index settlement_posting_reference_key on settlement_posting (partner_id, reference)
      where kind = 'bank-credit' and undone_by is null;

    drop trigger settlement_posting_append_only on settlement_posting;
    drop trigger settlement_line_posting_append_only on settlement_line_posting;
    create function refuse_change_but_undoing() returns trigger language plpgsql as $$
    begin
      if old.undone_by is not null or new.undone_by is null
         or to_jsonb(new) - 'undone_by' <> to_jsonb(old) - 'undone_by' then
        raise exception '% is undone once and never changed: % refused', tg_table_name, tg_op
          using errcode = 'restrict_violation';
      end if;
      return new;
    end $$;
    create trigger settlement_posting_stays before update on settlement_posting
      for each row execute function refuse_change_but_undoing();
    create trigger settlement_posting_no_delete before delete on settlement_posting
      for each row execute function refuse_change();
    create trigger settlement_line_posting_stays before update on settlement_line_posting
      for each row execute function refuse_change_but_undoing();
    create trigger settlement_line_posting_no_delete before delete on settlement_line_posting
      for each row execute function refuse_change();
    grant update (undone_by) on settlement_posting, settlement_line_posting to biller_app;

    create or replace function refuse_replacing_posted_file() returns trigger language plpgsql as $$
    begin
      if exists (select from public.settlement_posting p where p.file_id = old.file_id and p.undone_by is null
                    and not exists (select from public.settlement_posting u where u.undone_by = p.posting_no)) then
        raise exception 'lines of settlement file % are posted: it cannot be replaced', old.file_id
          using errcode = 'restrict_violation';
      end if;
      return new;
    end $$;
  `);
}

/** What was cleared before there were clearings: by reversals, by files, and by what people decided. */
const EVENTS = `
  create temporary table clearing_event on commit drop as
  with due as (
    select e.entry_id, e.bill_key, e.business_date as entry_date, e.partner_id, g.amount as opened
      from journal_entry e
      join posting g on g.entry_id = e.entry_id and g.bill_key = e.bill_key and g.business_date = e.business_date
       and g.account_code = 'due-from-switch' and g.side = 'debit'
     where e.kind = 'payment'
  ), resolved as (
    select p.*, x.item_id, x.action from settlement_posting p join exception_proposal x using (proposal_id)
     where p.kind = 'resolution' and p.due_amount <> 0
  ), resolved_payment as (
    select r.posting_no, f.entry_id from resolved r join reconciliation_finding f on f.finding_id = r.item_id
     where f.file_id is null
    union
    select l.posting_no, m.entry_id
      from settlement_line_posting l join resolved r using (posting_no)
      join settlement_match m on m.file_id = l.file_id and m.line_no = l.line_no and m.replaced_by_run is null
     where m.entry_id is not null
    union
    select r.posting_no, f.nearest_entry_id from resolved r join reconciliation_finding f on f.finding_id = r.item_id
     where f.class = 'reversed-there' and f.entry_id is null
  ), sharing as (
    select r.posting_no, r.entry_id as by_entry_id, r.business_date as by_entry_date, r.posted_at, r.transit_amount,
           r.due_amount, r.account_code, d.*,
           coalesce(sum(d.opened) over (partition by r.posting_no order by d.entry_id
                                        rows between unbounded preceding and 1 preceding), 0) as before
      from resolved r join resolved_payment q using (posting_no) join due d on d.entry_id = q.entry_id
  ), shared as (
    select s.*, sign(s.due_amount)::bigint
                  * greatest(least(s.opened, abs(s.due_amount) - s.before), 0)::bigint as share from sharing s
  ), settled_share as (
    select s.*, case when s.due_amount < 0 then s.share
                     else greatest(least(s.share, s.transit_amount - s.before), 0)::bigint end as came from shared s
  )
  select d.entry_id, d.bill_key, d.entry_date, d.partner_id, d.opened, 'reversed' as kind, d.opened as amount,
         r.entry_id as by_entry_id, r.business_date as by_entry_date, r.recorded_at as at
    from journal_entry r join due d on d.entry_id = r.reverses_entry_id
   where r.reverses_entry_id is not null
  union all
  select d.entry_id, d.bill_key, d.entry_date, d.partner_id, d.opened, 'settled',
         case l.status when 'paid' then d.opened else -d.opened end, p.entry_id, p.business_date, p.posted_at
    from settlement_posting p
    join settlement_line_posting q using (posting_no)
    join settlement_line l on l.file_id = q.file_id and l.line_no = q.line_no
    left join settlement_match m
      on m.file_id = q.file_id and m.line_no = q.line_no and m.replaced_by_run is null and m.entry_id is not null
    left join trax t on m.file_id is null and l.status = 'reversed'
     and t.partner_id = p.partner_id and t.trax_id = l.trax_id and t.family = 'payment'
    join due d on d.entry_id = coalesce(m.entry_id, t.entry_id)
   where p.kind = 'file' and l.status in ('paid', 'reversed')
  union all
  select entry_id, bill_key, entry_date, partner_id, opened, 'settled', came, by_entry_id, by_entry_date, posted_at
    from settled_share where came <> 0
  union all
  select entry_id, bill_key, entry_date, partner_id, opened,
         case account_code when 'written-off' then 'written-off' else 'accepted' end, share - came, by_entry_id,
         by_entry_date, posted_at
    from settled_share where share <> came`;

/** Whole rupiah as digits, as PostgreSQL gives them here. */
interface ClearingEvent {
  readonly entry_id: string;
  readonly bill_key: string;
  readonly entry_date: string;
  readonly partner_id: number;
  readonly opened: string;
  readonly kind: string;
  readonly amount: string;
  readonly by_entry_id: string;
  readonly by_entry_date: string;
}

async function backfill(knex: Knex): Promise<void> {
  await knex.raw(EVENTS);
  // Nearly every receivable was cleared by one event, as a whole.
  await knex.raw(`
    insert into receivable_clearing (entry_id, version, bill_key, entry_date, partner_id, kind, amount, opened, settled,
                                     reversed, written_off, accepted, recovered, excess, by_entry_id, by_entry_date)
    select entry_id, 1, bill_key, entry_date, partner_id, kind, amount, opened,
           case kind when 'settled' then amount else 0 end, case kind when 'reversed' then amount else 0 end,
           case kind when 'written-off' then amount else 0 end, case kind when 'accepted' then amount else 0 end, 0, 0,
           by_entry_id, by_entry_date
      from clearing_event x
     where amount between 1 and opened
       and not exists (select from clearing_event o where o.entry_id = x.entry_id and o.ctid <> x.ctid)`);
  const { rows } = await knex.raw<{ rows: ClearingEvent[] }>(`
    select entry_id, bill_key, entry_date::text as entry_date, partner_id, opened::text as opened, kind,
           amount::text as amount, by_entry_id, by_entry_date::text as by_entry_date
      from clearing_event x
     where not exists (select from receivable_clearing c where c.entry_id = x.entry_id)
     order by entry_id, at, by_entry_id, kind`);
  let total = new Map<string, bigint>();
  let version = 0;
  let before = "";
  for (const event of rows) {
    if (event.entry_id !== before) {
      total = new Map();
      version = 0;
      before = event.entry_id;
    }
    const of = (kind: string): bigint => total.get(kind) ?? 0n;
    const cleared = of("settled") + of("reversed") + of("written-off") + of("accepted");
    const amount = BigInt(event.amount);
    const opened = BigInt(event.opened);
    const room = opened - cleared;
    // What does not fit was cleared twice: it is kept as excess, for two people to correct.
    const isWhole = event.kind !== "reversed" || (cleared === 0n && amount === opened);
    const fits =
      amount < 0n
        ? -amount < of(event.kind)
          ? amount
          : -of(event.kind)
        : isWhole
          ? amount < room
            ? amount
            : room
          : 0n;
    const parts = [
      [event.kind, fits],
      ["excess", amount - fits],
    ] as const;
    for (const [kind, part] of parts) {
      if (part === 0n || (kind === "excess" && of("excess") + part < 0n)) continue;
      version += 1;
      total.set(kind, of(kind) + part);
      await knex("receivable_clearing").insert({
        ...{ entry_id: event.entry_id, version, bill_key: event.bill_key, entry_date: event.entry_date },
        ...{ partner_id: event.partner_id, kind, amount: part.toString(), opened: event.opened },
        ...{ settled: of("settled").toString(), reversed: of("reversed").toString() },
        ...{ written_off: of("written-off").toString(), accepted: of("accepted").toString(), recovered: "0" },
        ...{ excess: of("excess").toString(), by_entry_id: event.by_entry_id, by_entry_date: event.by_entry_date },
      });
    }
  }
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop trigger settlement_posting_stays on settlement_posting;
    drop trigger settlement_posting_no_delete on settlement_posting;
    drop trigger settlement_line_posting_stays on settlement_line_posting;
    drop trigger settlement_line_posting_no_delete on settlement_line_posting;
    drop function refuse_change_but_undoing();
    drop index settlement_posting_reference_key, settlement_line_posting_key, exception_proposal_undoes_key;
    alter table settlement_posting drop column undone_by;
    alter table settlement_line_posting drop column undone_by,
      add constraint settlement_line_posting_pkey primary key (file_id, line_no);
    create unique index settlement_posting_reference_key on settlement_posting (partner_id, reference)
      where kind = 'bank-credit';
    create trigger settlement_posting_append_only before update or delete on settlement_posting
      for each row execute function refuse_change();
    create trigger settlement_line_posting_append_only before update or delete on settlement_line_posting
      for each row execute function refuse_change();
    alter table exception_proposal drop column undoes;
    drop view receivable;
    drop trigger journal_entry_clears_receivables on journal_entry;
    drop table receivable_clearing;
    drop function check_entry_clears(), check_clearings();
    create table settlement_posting_origin (
      posting_no  integer not null,
      origin_date date not null,
      due_amount  bigint not null,
      constraint settlement_posting_origin_pkey primary key (posting_no, origin_date),
      constraint settlement_posting_origin_fkey foreign key (posting_no) references settlement_posting (posting_no)
    );
    create trigger settlement_posting_origin_append_only before update or delete on settlement_posting_origin
      for each row execute function refuse_change();
    create trigger settlement_posting_origin_no_truncate before truncate on settlement_posting_origin
      for each statement execute function refuse_change();
    grant select, insert on settlement_posting_origin to biller_app;
    grant select on settlement_posting_origin to biller_auditor;
  `);
}
