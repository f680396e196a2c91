import type { Statement, Tx } from "../platform";

/** How well the database protects the books from the very role that is asking. */
export interface Safeguards {
  readonly role: string;
  readonly isSuperuser: boolean;
  /** Append-only tables that this role may update, delete from or truncate: should be none. */
  readonly changeableTables: readonly string[];
  /** Append-only tables whose refusing triggers are missing or switched off: should be none. */
  readonly unguardedTables: readonly string[];
  /** `table.column` that only the database may set and that this role may insert: should be none. */
  readonly forgeableColumns: readonly string[];
  /** The last month, `YYYY-MM`, that journal entries have a partition for; null when there is none. */
  readonly lastPartition: string | null;
  /** Journal entries fell into the default partition. */
  readonly hasStrayEntries: boolean;
  /** Server's clock, milliseconds since the epoch. */
  readonly serverTimeMs: number;
}

/**
 * Every table that a trigger guards, with how many refusing triggers it has: against change and truncation, and of what may
 * be changed in part, against any other change.
 */
export const GUARDED_TABLES: Readonly<Record<string, number>> = {
  ...{ trax: 3, journal_entry: 2, posting: 2, attempt: 2, bill_item: 2, operator_action: 2, exception: 3 },
  ...{
    posting_total: 2,
    posting_total_state: 2,
    keyed_request: 2,
    callback_attempt: 2,
    audit_read: 2,
    audit_token: 2,
    forgotten_reply: 2,
  },
  ...{ seal_key: 2, seal_block: 2, seal_checkpoint: 2, seal_item: 3, seal_state: 2, seal_evidence: 2 },
  ...{ settlement_profile: 2, settlement_file: 5, settlement_line: 2, settlement_match: 3, reconciliation_finding: 3 },
  ...{
    exception_due_rule: 2,
    exception_event: 2,
    exception_proposal: 3,
    day_close: 3,
    day_reopening: 3,
    settlement_expectation: 2,
  },
  ...{ settlement_posting: 4, settlement_line_posting: 3, receivable_clearing: 2 },
  exception_item: 3,
};

/** Columns that say when a row was recorded or decided: only the database sets them (migration 021). */
export const RESERVED_COLUMNS: readonly string[] = [
  "trax.recorded_at",
  "journal_entry.recorded_at",
  "attempt.recorded_at",
  "partner_credential.created_at",
  "merchant_credential.created_at",
  "operator_action.recorded_at",
  "audit_read.recorded_at",
  "callback_attempt.attempted_at",
  "exception.opened_at",
  "exception.closed_at",
  "exception_event.at",
  "exception_due_rule.made_at",
  "exception_proposal.proposed_at",
  "exception_proposal.decided_at",
  "settlement_profile.created_at",
  "settlement_file.imported_at",
  "reconciliation_run.started_at",
  "reconciliation_finding.found_at",
  "settlement_posting.posted_at",
  "day_close.closed_at",
  "day_reopening.reopened_at",
  "settlement_expectation.set_at",
  "receivable_clearing.recorded_at",
  "keyed_request.made_at",
];

const READ_SAFEGUARDS: Statement = {
  name: "store_safeguards",
  text: `
    with guarded(name, refusals) as (select * from unnest($1::text[], $2::int[]))
    select current_user::text as role,
           (select rolsuper from pg_roles where rolname = current_user) as is_superuser,
           array(select name from guarded
                  where has_table_privilege(name, 'update') or has_table_privilege(name, 'delete')
                     or has_table_privilege(name, 'truncate')
                  order by name)::text[] as changeable,
           array(select name from guarded g
                  where (select count(*) from pg_trigger t join pg_proc p on p.oid = t.tgfoid
                          where t.tgrelid = g.name::regclass and t.tgenabled in ('O', 'A')
                            and p.proname like 'refuse\\_%') < g.refusals
                  order by name)::text[] as unguarded,
           array(select c.name from unnest($3::text[]) as c(name)
                  where has_column_privilege(split_part(c.name, '.', 1), split_part(c.name, '.', 2), 'insert')
                  order by c.name)::text[] as forgeable,
           (select max(substring(c.relname from 'y([0-9]{4})m') || '-' || substring(c.relname from 'm([0-9]{2})$'))
              from pg_inherits i join pg_class c on c.oid = i.inhrelid
             where i.inhparent = 'journal_entry'::regclass) as last_partition,
           pg_relation_size('journal_entry_default') > 0 as has_stray,
           (extract(epoch from clock_timestamp()) * 1000)::float8 as server_time_ms`,
};

interface Row {
  readonly role: string;
  readonly is_superuser: boolean;
  readonly changeable: string[];
  readonly unguarded: string[];
  readonly forgeable: string[];
  readonly last_partition: string | null;
  readonly has_stray: boolean;
  readonly server_time_ms: number;
}

/** Reads the safeguards as they are for the role of this connection. */
export async function readSafeguards(tx: Tx): Promise<Safeguards> {
  const [row] = await tx.run<Row>(READ_SAFEGUARDS, [
    Object.keys(GUARDED_TABLES),
    Object.values(GUARDED_TABLES),
    RESERVED_COLUMNS,
  ]);
  if (row === undefined) throw new Error("the database gave no answer about its safeguards");
  return {
    role: row.role,
    isSuperuser: row.is_superuser,
    changeableTables: row.changeable,
    unguardedTables: row.unguarded,
    forgeableColumns: row.forgeable,
    lastPartition: row.last_partition,
    hasStrayEntries: row.has_stray,
    serverTimeMs: row.server_time_ms,
  };
}
