import type { Knex } from "knex";

/**
 * Reversals, and the queue of what people have to look at.
 *
 * - A bill remembers its last payment: a second collection can then name the first without an index over the journal, and
 *   payments of open numbers that look alike are noticed.
 * - `exception` holds what did not go as it should: bills collected twice, money in suspense, refunds to be decided, and
 *   payments about which the switch may believe something else than we do. Each kind is open at most once for a traxId.
 *   Rows are closed, never deleted. What is opened by a payment is opened in its transaction.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table bill
      add column last_partner_id integer,
      add column last_trax_id text,
      add column last_amount bigint,
      add column last_paid_at timestamptz;

    create table exception (
      exception_id  uuid not null,
      kind          text not null,
      bill_key      text not null,
      partner_id    integer not null,
      trax_id       text not null,
      other_trax_id text,
      amount        bigint not null,
      detail        text not null,
      opened_at     timestamptz not null default clock_timestamp(),
      closed_at     timestamptz,
      closed_because text,
      constraint exception_pkey primary key (exception_id, bill_key),
      constraint exception_kind check (kind in ('double-collection', 'suspense', 'refund', 'look-alike', 'divergence')),
      constraint exception_amount_range check (amount >= 0),
      constraint exception_closed_with_reason check ((closed_at is null) = (closed_because is null))
    );
    create unique index exception_open_key on exception (bill_key, partner_id, trax_id, kind) where closed_at is null;
    create index exception_open_idx on exception (kind, opened_at) where closed_at is null;

    grant select, insert, update (closed_at, closed_because) on exception to biller_app;
    grant select on exception to biller_auditor;

    create function refuse_reopening() returns trigger language plpgsql as $$
    begin
      if old.closed_at is not null then
        raise exception 'exception % is closed: % refused', old.exception_id, tg_op using errcode = 'restrict_violation';
      end if;
      return new;
    end $$;
    create trigger exception_closed_stays before update on exception for each row execute function refuse_reopening();
    create trigger exception_no_delete before delete on exception for each row execute function refuse_change();
    create trigger exception_no_truncate before truncate on exception for each statement execute function refuse_change();

    create index journal_entry_reverses_idx on journal_entry (reverses_entry_id) where reverses_entry_id is not null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index journal_entry_reverses_idx;
    drop table exception;
    drop function refuse_reopening();
    alter table bill drop column last_partner_id, drop column last_trax_id, drop column last_amount, drop column last_paid_at;
  `);
}
