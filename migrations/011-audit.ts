import type { Knex } from "knex";

/**
 * What auditors read with, what they have read, and what was forgotten or archived.
 *
 * - `audit_token` holds only the SHA-256 of a token; a row may be revoked and is otherwise never changed.
 * - `audit_read` has one row for every question that was asked through the audit API. Append-only.
 * - `forgotten_reply` has one row for every stored message whose personal data was masked, with the operator action that
 *   asked for it and its digest before and after. Append-only. Only with such a row of the same transaction does
 *   `refuse_change` let the owner mask the text of a stored message; nobody can change anything else of it, and the
 *   service's role holds no UPDATE at all.
 * - Indexes. The payment's path pays for each of them, so an accepted payment pays for none of these but the first:
 *   `trax_bill_idx` is a bloom filter for each 32 pages, filled in the background: payments of one bill without a tree over
 *   all bills. Pages of the audit API follow the primary keys of journal and postings, which sort by time already.
 *   `trax_declined_idx` and `journal_entry_other_idx` are partial: what was declined, and entries that are no payment, in
 *   the same order of time. `attempt_received_idx` is a tree at whose right end attempts are appended, behind the answer.
 *   The others are on tables that a payment does not write to, or only when something is out of order.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table audit_token (
      token_id   uuid not null,
      name       text not null,
      token_hash bytea not null,
      scopes     text[] not null,
      created_by text not null,
      created_at timestamptz not null default clock_timestamp(),
      expires_at timestamptz not null,
      revoked_at timestamptz,
      revoked_by text,
      constraint audit_token_pkey primary key (token_id),
      constraint audit_token_hash_key unique (token_hash),
      constraint audit_token_hash_length check (octet_length(token_hash) = 32),
      constraint audit_token_name_length check (char_length(name) between 1 and 100),
      constraint audit_token_scopes check (
        cardinality(scopes) > 0 and scopes <@ array['ledger', 'payments', 'operations', 'export', 'personal']),
      constraint audit_token_revoked_by check ((revoked_at is null) = (revoked_by is null))
    );
    create function refuse_token_change() returns trigger language plpgsql as $$
    begin
      if tg_op = 'UPDATE' and old.revoked_at is null and new.revoked_at is not null
         and to_jsonb(new) - '{revoked_at,revoked_by}'::text[] = to_jsonb(old) - '{revoked_at,revoked_by}'::text[] then
        return new;
      end if;
      raise exception 'audit_token: only a revocation is possible, % refused', tg_op using errcode = 'restrict_violation';
    end $$;
    create trigger audit_token_only_revoked before update or delete on audit_token
      for each row execute function refuse_token_change();
    create trigger audit_token_no_truncate before truncate on audit_token for each statement execute function refuse_change();

    create table audit_read (
      read_id        uuid not null,
      read_at        timestamptz not null,
      token_id       uuid,
      token_name     text,
      route          text not null,
      filter         jsonb not null,
      http_status    smallint not null,
      row_count      bigint not null,
      duration_ms    integer not null,
      source_address text,
      note           text,
      export         jsonb,
      recorded_at    timestamptz not null default clock_timestamp(),
      constraint audit_read_pkey primary key (read_id),
      constraint audit_read_row_count check (row_count >= 0)
    );
    create index audit_read_at_idx on audit_read (read_at, read_id);
    comment on column audit_read.export is 'manifest of an export: format, rows, bytes, SHA-256, filter, as of; null for a page';

    create table forgotten_reply (
      action_id     uuid not null,
      partner_id    integer not null,
      trax_id       text not null,
      family        text not null,
      sha256_before bytea not null,
      sha256_after  bytea not null,
      happened_at   timestamptz not null default clock_timestamp(),
      constraint forgotten_reply_pkey primary key (partner_id, trax_id, family, action_id)
    );
  `);
  for (const table of ["audit_read", "forgotten_reply"]) {
    await knex.raw(`
      create trigger ${table}_append_only before update or delete on ${table} for each row execute function refuse_change();
      create trigger ${table}_no_truncate before truncate on ${table} for each statement execute function refuse_change();
    `);
  }
  await knex.raw(`
    create or replace function refuse_change() returns trigger language plpgsql as $$
    begin
      -- Masking personal data in a stored message: the text alone, and only with its row in forgotten_reply.
      if tg_op = 'UPDATE' and tg_table_name = 'trax' then
        if to_jsonb(new) - 'reply_body' = to_jsonb(old) - 'reply_body' and exists (
             select from public.forgotten_reply f
              where f.partner_id = old.partner_id and f.trax_id = old.trax_id and f.family = old.family
                and f.xmin = pg_current_xact_id()::xid
                and f.sha256_before = sha256(convert_to(old.reply_body, 'UTF8'))
                and f.sha256_after = sha256(convert_to(new.reply_body, 'UTF8'))) then
          return new;
        end if;
      end if;
      raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = 'restrict_violation';
    end $$;

    create index trax_bill_idx on trax using brin (bill_key text_bloom_ops (n_distinct_per_range = 600, false_positive_rate = 0.001))
      with (pages_per_range = 32, autosummarize = on);

    -- Sorts among the identifiers of entries by the millisecond; the same for the same key, whenever it is computed.
    create function declined_position(received_at timestamptz, partner_id integer, family text, trax_id text) returns uuid
      language sql immutable parallel safe
      return (lpad(to_hex((extract(epoch from received_at) * 1000)::bigint), 12, '0') ||
              substr(md5(partner_id || ':' || family || ':' || trax_id), 1, 20))::uuid;
    create index trax_declined_idx on trax (declined_position(received_at, partner_id, family, trax_id)) where entry_id is null;
    create index journal_entry_other_idx on journal_entry (entry_id) where kind not in ('payment', 'reversal');
    create index attempt_received_idx on attempt (received_at, attempt_id);
    create index exception_bill_idx on exception (bill_key);

    grant select on audit_token to biller_app;
    grant select, insert on audit_read to biller_app;
    grant select on forgotten_reply to biller_app;
    grant select (token_id, name, scopes, created_by, created_at, expires_at, revoked_at, revoked_by)
      on audit_token to biller_auditor;
    grant select on audit_read, forgotten_reply to biller_auditor;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index exception_bill_idx, attempt_received_idx, journal_entry_other_idx, trax_declined_idx, trax_bill_idx;
    drop function declined_position(timestamptz, integer, text, text);
    create or replace function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = 'restrict_violation';
    end $$;
    drop table forgotten_reply, audit_read, audit_token;
    drop function refuse_token_change();
  `);
}
