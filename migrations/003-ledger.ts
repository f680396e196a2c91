import type { Knex } from "knex";

/**
 * The books: the registry of traxIds, journal entries and their postings, and the attempts that led to them.
 *
 * - `trax` is the idempotency registry and is permanent: its primary key is what makes a traxId move money at most once.
 *   It is never partitioned by time, because uniqueness could then not be enforced over all of it.
 * - `journal_entry` and `posting` are partitioned by month of the business date, `attempt` by month of receipt.
 *   `ensure_month_partitions` creates months ahead; the default partitions only exist so that a neglected maintenance
 *   job can never refuse a payment, and are expected to stay empty.
 * - All four are append-only twice over: by trigger (whoever asks) and by grants (the service's role holds no
 *   UPDATE, DELETE or TRUNCATE, and no right at all on the partitions themselves).
 * - Debits = credits is checked once per statement over the rows of that statement, so an entry and its postings are
 *   inserted by one statement. Foreign keys are left out here: each would lock one hot parent row per payment.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table account (
      account_code text not null,
      name         text not null,
      normal_side  text not null,
      constraint account_pkey primary key (account_code),
      constraint account_normal_side check (normal_side in ('debit', 'credit'))
    );
    insert into account (account_code, name, normal_side) values
      ('due-from-switch',  'Due from switch',  'debit'),
      ('bank-in-transit',  'Bank in transit',  'debit'),
      ('bill-collections', 'Bill collections', 'credit'),
      ('fee-earned',       'Fee earned',       'credit'),
      ('fee-payable',      'Fee payable',      'credit'),
      ('suspense',         'Suspense',         'credit'),
      ('unapplied-credit', 'Unapplied credit', 'credit');

    create table trax (
      partner_id    integer not null,
      trax_id       text not null,
      family        text not null,
      fingerprint   bytea not null,
      product_code  text not null,
      bill_number   text not null,
      bill_key      text not null,
      amount        bigint not null,
      fee_amount    bigint not null,
      channel       text not null,
      outcome       text not null,
      result_code   text not null,
      sys_code      text not null,
      reply_body    text not null,
      entry_id      uuid,
      business_date date not null,
      received_at   timestamptz not null,
      recorded_at   timestamptz not null default clock_timestamp(),
      constraint trax_pkey primary key (partner_id, trax_id, family),
      constraint trax_family check (family in ('payment', 'reversal')),
      constraint trax_id_length check (char_length(trax_id) between 1 and 32),
      constraint trax_fingerprint_length check (octet_length(fingerprint) = 33),
      constraint trax_amount_range check (amount between 0 and 999999999999),
      constraint trax_fee_amount_range check (fee_amount between 0 and 999999999999),
      constraint trax_entry_when_approved
        check (family <> 'payment' or (outcome = 'APPROVED') = (entry_id is not null))
    );
    comment on column trax.fingerprint is 'version byte (1), then SHA-256 over the hard fields in canonical form';

    create table journal_entry (
      entry_id          uuid not null,
      bill_key          text not null,
      business_date     date not null,
      kind              text not null,
      partner_id        integer not null,
      trax_id           text not null,
      product_code      text not null,
      bill_number       text not null,
      amount            bigint not null,
      fee_amount        bigint not null,
      channel           text not null,
      reverses_entry_id uuid,
      happened_at       timestamptz not null,
      recorded_at       timestamptz not null default clock_timestamp(),
      constraint journal_entry_pkey primary key (entry_id, bill_key, business_date),
      constraint journal_entry_kind check (kind in ('payment', 'reversal', 'settlement', 'correction')),
      constraint journal_entry_amount_positive check (amount > 0),
      constraint journal_entry_fee_amount_range check (fee_amount >= 0)
    ) partition by range (business_date);

    create table posting (
      entry_id      uuid not null,
      line_no       smallint not null,
      bill_key      text not null,
      business_date date not null,
      account_code  text not null,
      side          text not null,
      amount        bigint not null,
      constraint posting_pkey primary key (entry_id, line_no, bill_key, business_date),
      constraint posting_side check (side in ('debit', 'credit')),
      constraint posting_amount_positive check (amount > 0)
    ) partition by range (business_date);

    create table attempt (
      attempt_id       uuid not null,
      received_at      timestamptz not null,
      partner_id       integer,
      transaction_type text,
      product_code     text,
      trax_id          text,
      outcome          text not null,
      result_code      text not null,
      http_status      smallint not null,
      is_replay        boolean not null,
      is_delivered     boolean not null,
      duration_ms      integer not null,
      source_address   text,
      request          jsonb,
      note             text,
      constraint attempt_pkey primary key (attempt_id, received_at)
    ) partition by range (received_at);
    create index attempt_trax_idx on attempt (trax_id, received_at) where trax_id is not null;

    create table journal_entry_default partition of journal_entry default;
    create table posting_default partition of posting default;
    create table attempt_default partition of attempt default;
  `);

  await knex.raw(`
    create function ensure_month_partitions(months_ahead integer default 3, from_day date default null)
    returns integer
    language plpgsql security definer set search_path = pg_catalog, public as $$
    declare
      parent text;
      month_start date := date_trunc('month', coalesce(from_day, (now() at time zone 'Asia/Jakarta')::date));
      month_end date;
      child text;
      created integer := 0;
    begin
      if months_ahead not between 0 and 120 then
        raise exception 'months_ahead must be between 0 and 120, not %', months_ahead;
      end if;
      -- one replica at a time; released with the transaction
      perform pg_advisory_xact_lock(hashtext('biller:ensure_month_partitions'));
      for i in 0 .. months_ahead loop
        month_end := month_start + interval '1 month';
        foreach parent in array array['journal_entry', 'posting', 'attempt'] loop
          child := parent || to_char(month_start, '"_y"YYYY"m"MM');
          if to_regclass('public.' || child) is null then
            if parent = 'attempt' then
              -- months of the business: midnight in Jakarta, which has no daylight saving
              execute format('create table public.%I partition of public.%I for values from (%L) to (%L)', child, parent,
                month_start::text || ' 00:00:00+07', month_end::text || ' 00:00:00+07');
            else
              execute format('create table public.%I partition of public.%I for values from (%L) to (%L)',
                child, parent, month_start, month_end);
            end if;
            execute format('create trigger %I before truncate on public.%I for each statement execute function refuse_change()',
              child || '_no_truncate', child);
            created := created + 1;
          end if;
        end loop;
        month_start := month_end;
      end loop;
      return created;
    end $$;
    revoke all on function ensure_month_partitions(integer, date) from public;
    grant execute on function ensure_month_partitions(integer, date) to biller_app;

    create function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = 'restrict_violation';
    end $$;

    create function check_postings_balance() returns trigger language plpgsql as $$
    declare wrong record;
    begin
      select entry_id,
             sum(amount) filter (where side = 'debit')  as debits,
             sum(amount) filter (where side = 'credit') as credits
        into wrong
        from new_postings
       group by entry_id
      having sum(case side when 'debit' then amount else -amount end) <> 0
       limit 1;
      if found then
        raise exception 'journal entry % does not balance: debits %, credits %',
          wrong.entry_id, coalesce(wrong.debits, 0), coalesce(wrong.credits, 0)
          using errcode = 'check_violation', constraint = 'posting_balances';
      end if;
      return null;
    end $$;
    create trigger posting_balances after insert on posting
      referencing new table as new_postings for each statement execute function check_postings_balance();

    -- One index probe for each entry. Left to itself the planner, which knows nothing of a transition table, reads all of
    -- posting: 12 ms a batch after 90,000 payments and growing, against 0.09 ms this way.
    create function check_entry_has_postings() returns trigger language plpgsql set enable_seqscan = off as $$
    declare bare uuid;
    begin
      select e.entry_id into bare
        from new_entries e
       where (select p.line_no from posting p
               where p.entry_id = e.entry_id and p.bill_key = e.bill_key and p.business_date = e.business_date
               limit 1) is null
       limit 1;
      if found then
        raise exception 'journal entry % has no postings', bare
          using errcode = 'check_violation', constraint = 'journal_entry_has_postings';
      end if;
      return null;
    end $$;
    create trigger journal_entry_has_postings after insert on journal_entry
      referencing new table as new_entries for each statement execute function check_entry_has_postings();
  `);

  for (const table of ["trax", "journal_entry", "posting", "attempt", "bill_item"]) {
    await knex.raw(`create trigger ${table}_append_only before update or delete on ${table}
      for each row execute function refuse_change()`);
  }
  // Row triggers are inherited by partitions, statement triggers are not.
  const partitioned = ["journal_entry", "posting", "attempt"];
  for (const table of ["trax", "bill_item", ...partitioned, ...partitioned.map((parent) => `${parent}_default`)]) {
    await knex.raw(`create trigger ${table}_no_truncate before truncate on ${table}
      for each statement execute function refuse_change()`);
  }

  await knex.raw(`
    select ensure_month_partitions(3);
    grant select, insert on trax, journal_entry, posting, attempt to biller_app;
    grant select on account to biller_app;
    grant select on trax, journal_entry, posting, attempt, account to biller_auditor;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop trigger bill_item_append_only on bill_item;
    drop trigger bill_item_no_truncate on bill_item;
    drop table attempt, posting, journal_entry, trax, account;
    drop function check_entry_has_postings, check_postings_balance, refuse_change, ensure_month_partitions(integer, date);
  `);
}
