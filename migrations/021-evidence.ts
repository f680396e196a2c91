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
];

export async function down(knex: Knex): Promise<void> {
  for (const [table] of STAMPED) await knex.raw(`drop trigger ${table}_stamped on ${table}`);
  for (const table of Object.keys(RESERVED)) await knex.raw(`grant insert on ${table} to biller_app`);
  await knex.raw(`drop function stamp_change(); drop function reserve_columns(regclass, text[])`);
}
