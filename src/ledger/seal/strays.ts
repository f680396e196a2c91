import type { Statement, Tx } from "../../platform";

/** A row that should be in a block and is in none, or that hangs on nothing. */
export interface Stray {
  readonly row: string;
  readonly what: string;
}

const unsealed = (table: string, key: string, name: string): string => `
    (select ${name} as row, r.recorded_at
       from ${table} r
      where r.recorded_at < (select sealed_until from seal_state)
        and not exists (select from seal_item s where s.item_key = ${key})
      order by r.recorded_at
      limit $1)`;

const FIND: Statement = {
  name: "ledger_seal_find_strays",
  text: `
    select found.row, found.recorded_at from (${[
      unsealed("journal_entry", "'entry:' || r.entry_id", "'journal_entry ' || r.entry_id"),
      unsealed(
        "trax",
        "'reply:' || r.partner_id || ':' || r.family || ':' || r.trax_id",
        "'trax (' || r.partner_id || ', ' || r.trax_id || ', ' || r.family || ')'",
      ),
      unsealed("operator_action", "'action:' || r.action_id", "'operator_action ' || r.action_id"),
    ].join("\n    union all")}
    ) found
     order by found.recorded_at
     limit $1`,
};

const FIND_POSTINGS: Statement = {
  name: "ledger_seal_find_stray_postings",
  text: `
    select distinct 'posting ' || p.entry_id || ' line ' || p.line_no as row
      from posting p
     where not exists (select from journal_entry e
                        where e.entry_id = p.entry_id and e.bill_key = p.bill_key and e.business_date = p.business_date)
     order by 1
     limit $1`,
};

/**
 * Rows older than the moment up to which everything is sealed that are in no block: put in behind the sealer's back, or
 * recorded under a clock that was wrong. And postings without an entry. Reads everything.
 */
export async function findStrays(tx: Tx, limit: number): Promise<Stray[]> {
  const rows = await tx.run<{ row: string; recorded_at: Date }>(FIND, [limit]);
  const postings = await tx.run<{ row: string }>(FIND_POSTINGS, [limit]);
  return [
    ...rows.map(({ row, recorded_at }) => ({
      row,
      what: `it says that it was recorded at ${recorded_at.toISOString()}, and was not there when that was sealed`,
    })),
    ...postings.map(({ row }) => ({ row, what: "its journal entry is not there" })),
  ];
}
