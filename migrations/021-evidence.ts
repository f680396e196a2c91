import type { Knex } from "knex";

/**
 * When a row was recorded is set by the database alone.
 *
 * Seals are found by the time of recording: a row that says that it will be recorded next year was in the balances, and in no
 * block. So the service's role loses the right to insert that column, and the default of the column is all that can be in it.
 * The right is a column's right, checked once for each statement: a payment pays nothing for it.
 *
 * - `reserve_columns(table, columns)` gives `biller_app` the right to insert every column of a table but those. A migration
 *   that adds a column to such a table calls it again, or the service cannot insert the new column.
 * - Attempts get such a column too; those that are there already have none, and are in no seal.
 * - Everything that auditors are given as evidence is sealed, not only the books: `seal_evidence` says of each kind up to when
 *   its rows are in blocks. What is sealed how is in src/ledger/seal/evidence.ts.
 * - Columns that say when something was decided, closed or resolved are written by an UPDATE of the service. There a trigger
 *   writes the time (`stamp_change`); none of those tables is written by an accepted payment.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create function reserve_columns(target regclass, reserved text[]) returns void language plpgsql
      set search_path = pg_catalog, public as $$
    declare
      missing text := (select string_agg(r.name, ', ') from unnest(reserved) r(name)
                        where not exists (select from pg_attribute a
                                           where a.attrelid = target and a.attname = r.name and not a.attisdropped));
      others text := (select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a
                       where a.attrelid = target and a.attnum > 0 and not a.attisdropped and a.attname <> all (reserved));
    begin
      if missing is not null then
        raise exception '% has no column %', target, missing;
      end if;
      execute format('revoke insert on %s from biller_app', target);
      execute format('grant insert (%s) on %s to biller_app', others, target);
    end $$;
    revoke all on function reserve_columns(regclass, text[]) from public;

    create function stamp_change() returns trigger language plpgsql as $$
    begin
      -- The column is the trigger's argument.
      if to_jsonb(new) -> tg_argv[0] is distinct from to_jsonb(old) -> tg_argv[0] and to_jsonb(new) ->> tg_argv[0] is not null then
        new := jsonb_populate_record(new, jsonb_build_object(tg_argv[0], clock_timestamp()));
      end if;
      return new;
    end $$;
  `);
  await knex.raw(`
    alter table attempt add column recorded_at timestamptz;
    alter table attempt alter column recorded_at set default clock_timestamp();
    comment on column attempt.recorded_at is 'null: written before attempts were sealed';
    create index attempt_recorded_idx on attempt using brin (recorded_at) with (pages_per_range = 16, autosummarize = on);

    -- What is there keeps its form; looking at it again would read every item under a lock.
    alter table seal_item drop constraint seal_item_key_form;
    alter table seal_item add constraint seal_item_key_form check (item_key ~ '^[a-z][a-z-]{0,39}:') not valid;
    comment on column seal_item.item_key is
      'entry:<entry_id>, reply:<partner_id>:<family>:<trax_id>, action:<action_id>, or a kind of src/ledger/seal/evidence.ts with its key';

    create table seal_evidence (
      kind         text not null,
      sealed_until timestamptz not null default '-infinity',
      constraint seal_evidence_pkey primary key (kind)
    );
    comment on column seal_evidence.sealed_until is 'every row of the kind that was recorded before this is in a block';
    create trigger seal_evidence_no_delete before delete on seal_evidence for each row execute function refuse_change();
    create trigger seal_evidence_no_truncate before truncate on seal_evidence for each statement execute function refuse_change();
    grant select, insert, update (sealed_until) on seal_evidence to biller_app;
    grant select on seal_evidence to biller_auditor;

    create index audit_read_recorded_idx on audit_read (recorded_at);
    create index keyed_request_made_idx on keyed_request (made_at);
    create index callback_attempt_at_idx on callback_attempt using brin (attempted_at) with (pages_per_range = 16, autosummarize = on);
    create index exception_opened_idx on exception (opened_at);
    create index exception_closed_idx on exception (closed_at) where closed_at is not null;
    create index exception_event_at_idx on exception_event (at);
    create index exception_proposal_decided_idx on exception_proposal (decided_at) where decided_at is not null;
    create index reconciliation_finding_resolved_idx on reconciliation_finding (resolved_at) where resolved_at is not null;
    create index settlement_line_posting_no_idx on settlement_line_posting using brin (posting_no) with (autosummarize = on);
  `);
  for (const [table, columns] of Object.entries(RESERVED)) {
    await knex.raw(`select reserve_columns(?::regclass, ?::text[])`, [table, [...columns]]);
  }
  for (const [table, column] of STAMPED) {
    // Triggers run in the order of their names: the guards of the table come first.
    await knex.raw(`create trigger ${table}_stamped before update on ${table}
      for each row execute function stamp_change('${column}')`);
  }
}

/** Columns that only the database writes when a row is inserted. */
const RESERVED: Readonly<Record<string, readonly string[]>> = {
  trax: ["recorded_at"],
  journal_entry: ["recorded_at"],
  attempt: ["recorded_at"],
  partner_credential: ["created_at"],
  merchant_credential: ["created_at"],
  operator_action: ["recorded_at"],
  audit_read: ["recorded_at"],
  callback_attempt: ["attempted_at"],
  exception: ["opened_at", "closed_at", "closed_because"],
  exception_event: ["event_id", "at"],
  exception_due_rule: ["made_at"],
  exception_proposal: ["proposed_at", "decision", "decided_by", "decided_via", "decided_at", "decision_note"],
  settlement_profile: ["created_at"],
  settlement_file: ["imported_at"],
  reconciliation_run: ["started_at", "finished_at"],
  reconciliation_finding: ["found_at", "resolved_at"],
  settlement_posting: ["posted_at"],
  day_close: ["closed_at"],
  keyed_request: ["made_at"],
};

/** Columns that say when a row was changed. */
const STAMPED: readonly (readonly [table: string, column: string])[] = [
  ["exception", "closed_at"],
  ["exception_proposal", "decided_at"],
  ["reconciliation_run", "finished_at"],
  ["reconciliation_finding", "resolved_at"],
  ["audit_token", "revoked_at"],
];

export async function down(knex: Knex): Promise<void> {
  for (const [table] of STAMPED) await knex.raw(`drop trigger ${table}_stamped on ${table}`);
  await knex.raw(`
    drop index audit_read_recorded_idx, keyed_request_made_idx, callback_attempt_at_idx, exception_opened_idx,
      exception_closed_idx, exception_event_at_idx, exception_proposal_decided_idx, reconciliation_finding_resolved_idx,
      settlement_line_posting_no_idx;
    drop table seal_evidence;
    alter table seal_item drop constraint seal_item_key_form;
    alter table seal_item add constraint seal_item_key_form check (item_key ~ '^(entry|reply|action):') not valid;
    alter table attempt drop column recorded_at;
  `);
  for (const table of Object.keys(RESERVED)) await knex.raw(`grant insert on ${table} to biller_app`);
  await knex.raw(`drop function stamp_change(); drop function reserve_columns(regclass, text[])`);
}
