import type { Statement, Tx } from "../../platform";
import { EVIDENCE_KINDS } from "./evidence-rows";
import { rowName } from "./items";

/** A row that should be in a block and is in none, or that hangs on nothing. */
export interface Stray {
  readonly row: string;
  readonly what: string;
}

/** A row is sealed within this time, seconds; an older one that is in no block is a finding. */
const OPEN_SECONDS = 60;
/** Nothing is recorded later than now; this much is allowed for a database's clock that was set back a little, seconds. */
const AHEAD_SECONDS = 5;

/** A table whose rows are sealed one by one: how a row is called in `seal_item`. */
interface SealedTable {
  readonly table: string;
  readonly key: string;
}

const TABLES: readonly SealedTable[] = [
  { table: "journal_entry", key: "'entry:' || r.entry_id" },
  { table: "trax", key: "'reply:' || r.partner_id || ':' || r.family || ':' || r.trax_id" },
  { table: "operator_action", key: "'action:' || r.action_id" },
];

/** Rows that meet a condition and are in no block. `s` is the state of sealing. */
const unsealed = (condition: string): string =>
  TABLES.map(
    ({ table, key }) => `
      (select ${key} as item_key, r.recorded_at
         from ${table} r, seal_state s
        where ${condition} and not exists (select from seal_item i where i.item_key = ${key})
        order by r.recorded_at
        limit $1)`,
  ).join("\n      union all");

const NOW = "clock_timestamp()";
const AT = `to_char(f.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
const isOld = `r.recorded_at < ${NOW} - interval '${OPEN_SECONDS} seconds'`;

/** What a sealer has looked through: behind its mark, and old enough that no transaction is still on its way. */
const FIND_PASSED: Statement = {
  name: "ledger_seal_find_strays",
  text: `
    select f.item_key, case when isfinite(f.recorded_at) then ${AT} else f.recorded_at::text end as at
      from (${unsealed(`(r.recorded_at < s.sealed_until or (r.recorded_at < s.scanned_until and ${isOld}))`)}
      ) f
     order by f.recorded_at
     limit $1`,
};

/** What says that it was recorded later than now. */
const FIND_AHEAD: Statement = {
  name: "ledger_seal_find_ahead",
  text: `
    select f.item_key, case when isfinite(f.recorded_at) then ${AT} else f.recorded_at::text end as at
      from (${unsealed(`r.recorded_at > ${NOW} + interval '${AHEAD_SECONDS} seconds'`)}
      ) f
     order by f.recorded_at
     limit $1`,
};

/** What no sealer has looked at, although it is not new. */
const FIND_WAITING: Statement = {
  name: "ledger_seal_find_waiting",
  text: `
    select count(*) as count, min(f.item_key) as item_key, to_char(min(f.recorded_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at
      from (${unsealed(`r.recorded_at >= greatest(s.sealed_until, s.scanned_until) and ${isOld}`)}
      ) f`,
};

/** Places in no block: a row that is listed there would pass for sealed. */
const FIND_LOOSE_ITEMS: Statement = {
  name: "ledger_seal_find_loose_items",
  text: `
    select i.item_key, i.block_no, i.leaf_no
      from seal_item i
     where not exists (select from seal_block b where b.block_no = i.block_no)
     order by i.block_no, i.leaf_no
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

/** Waiting rows are counted up to this; beyond it the count says no more. */
const COUNT_MAX = 1_000_000;

/**
 * Rows that are in no block although they should be: older than the last minute, or recorded in the future; places in blocks
 * that are not there; postings without an entry. Reads everything.
 */
export async function findStrays(tx: Tx, limit: number): Promise<Stray[]> {
  const passed = await tx.run<{ item_key: string; at: string }>(FIND_PASSED, [limit]);
  const ahead = await tx.run<{ item_key: string; at: string }>(FIND_AHEAD, [limit]);
  const [waiting] = await tx.run<{ count: bigint; item_key: string | null; at: string | null }>(FIND_WAITING, [
    COUNT_MAX,
  ]);
  const loose = await tx.run<{ item_key: string; block_no: bigint; leaf_no: number }>(FIND_LOOSE_ITEMS, [limit]);
  const postings = await tx.run<{ row: string }>(FIND_POSTINGS, [limit]);
  return [
    ...passed.map(({ item_key, at }) => ({
      row: rowName(item_key),
      what: `it says that it was recorded at ${at}, and was not there when that was sealed`,
    })),
    ...ahead.map(({ item_key, at }) => ({
      row: rowName(item_key),
      what: `it says that it was recorded at ${at}, which is in the future, and is in no block`,
    })),
    ...loose.map(({ item_key, block_no, leaf_no }) => ({
      row: rowName(item_key),
      what: `it is listed as leaf ${leaf_no} of block ${block_no}, and there is no such block`,
    })),
    ...(await findEvidenceStrays(tx, limit)),
    ...waitingFinding(waiting),
    ...postings.map(({ row }) => ({ row, what: "its journal entry is not there" })),
  ];
}

interface EvidenceStray {
  readonly item_key: string;
  readonly why: "ahead" | "passed" | "waiting";
  readonly at: string;
}

const WHY: Readonly<Record<EvidenceStray["why"], string>> = {
  ahead: "which is in the future, and is in no block",
  passed: "and was not there when that was sealed",
  waiting: "and is in no block: does a sealer run?",
};

/** Rows of the evidence beside the books that are in no block although they should be, and attempts without a time. */
async function findEvidenceStrays(tx: Tx, limit: number): Promise<Stray[]> {
  const strays: Stray[] = [];
  for (const { strays: statement } of EVIDENCE_KINDS.values()) {
    for (const { item_key, why, at } of await tx.run<EvidenceStray>(statement, [limit])) {
      strays.push({ row: rowName(item_key), what: `it says that it was recorded at ${at}, ${WHY[why]}` });
    }
  }
  const undated = await tx.run<{ row: string }>(FIND_UNDATED, [limit]);
  return [
    ...strays,
    ...undated.map(({ row }) => ({ row, what: "it does not say when it was recorded, as only older ones may" })),
  ];
}

const FIND_UNDATED: Statement = {
  name: "ledger_seal_find_undated_attempts",
  text: `
    select 'attempt ' || a.attempt_id as row from attempt a
     where a.recorded_at is null and a.received_at > (select min(b.recorded_at) from attempt b)
     order by a.received_at
     limit $1`,
};

function waitingFinding(
  waiting: { readonly count: bigint; readonly item_key: string | null; readonly at: string | null } | undefined,
): Stray[] {
  if (waiting === undefined || waiting.count === 0n || waiting.item_key === null) return [];
  return [
    {
      row: rowName(waiting.item_key),
      what:
        `${waiting.count} rows, this one among them, wait to be sealed; the oldest was recorded at ${waiting.at}. ` +
        "No sealer has looked at them: does one run?",
    },
  ];
}
