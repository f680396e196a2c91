import { readEvidence } from "./evidence-rows";
import type { EntryRow, ReplyRow, SealedRow } from "../../domain";
import type { Statement, Tx } from "../../platform";

/** A row that may be sealed, by its name; `businessDate` says which partition an entry is in. */
export interface ItemRef {
  readonly itemKey: string;
  readonly businessDate: string | null;
}

/** An instant as it is sealed: UTC, six fraction digits. */
const UTC = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const entrySelect = (keys: string, join: string): string => `
    select e.entry_id, e.kind, e.business_date, e.partner_id, e.trax_id, e.product_code, e.bill_key, e.bill_number,
           e.amount, e.fee_amount, e.channel, e.reverses_entry_id, ${UTC("e.happened_at")} as happened_at,
           ${UTC("e.recorded_at")} as recorded_at,
           array(select p.line_no || ' ' || p.account_code || ' ' || p.side || ' ' || p.amount
                   from posting p
                  where p.entry_id = e.entry_id and p.bill_key = e.bill_key and p.business_date = e.business_date
                  order by p.line_no) as postings
      from ${keys}
      join journal_entry e on ${join}`;

const READ_ENTRIES: Statement = {
  name: "ledger_seal_read_entries",
  text: entrySelect(
    "unnest($1::uuid[], $2::date[]) as k(entry_id, business_date)",
    "e.entry_id = k.entry_id and e.business_date = k.business_date",
  ),
};

/** Without the partition, for entries that are not where they were. */
const FIND_ENTRIES: Statement = {
  name: "ledger_seal_find_entries",
  text: entrySelect("unnest($1::uuid[]) as k(entry_id)", "e.entry_id = k.entry_id"),
};

const READ_REPLIES: Statement = {
  name: "ledger_seal_read_replies",
  text: `
    select t.partner_id, t.family, t.trax_id, encode(t.fingerprint, 'hex') as fingerprint, t.product_code, t.bill_key,
           t.bill_number, t.amount, t.fee_amount, t.channel, t.outcome, t.result_code, t.sys_code, t.reply_body,
           t.entry_id, t.business_date, ${UTC("t.received_at")} as received_at, ${UTC("t.recorded_at")} as recorded_at
      from unnest($1::int[], $2::text[], $3::text[]) as k(partner_id, family, trax_id)
      join trax t on t.partner_id = k.partner_id and t.trax_id = k.trax_id and t.family = k.family`,
};

const READ_ACTIONS: Statement = {
  name: "ledger_seal_read_actions",
  text: `
    select a.action_id, ${UTC("a.recorded_at")} as recorded_at, a.actor, a.action, a.object,
           encode(a.before_hash, 'hex') as before_hash, encode(a.after_hash, 'hex') as after_hash, a.detail
      from unnest($1::uuid[]) as k(action_id)
      join operator_action a on a.action_id = k.action_id`,
};

interface EntryRecord {
  readonly entry_id: string;
  readonly kind: string;
  readonly business_date: string;
  readonly partner_id: number;
  readonly trax_id: string;
  readonly product_code: string;
  readonly bill_key: string;
  readonly bill_number: string;
  readonly amount: bigint;
  readonly fee_amount: bigint;
  readonly channel: string;
  readonly reverses_entry_id: string | null;
  readonly happened_at: string;
  readonly recorded_at: string;
  readonly postings: string[];
}

interface ReplyRecord extends Omit<
  EntryRecord,
  "entry_id" | "kind" | "reverses_entry_id" | "happened_at" | "postings"
> {
  readonly family: string;
  readonly fingerprint: string;
  readonly outcome: string;
  readonly result_code: string;
  readonly sys_code: string;
  readonly reply_body: string;
  readonly entry_id: string | null;
  readonly received_at: string;
}

interface ActionRecord {
  readonly action_id: string;
  readonly recorded_at: string;
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly before_hash: string | null;
  readonly after_hash: string | null;
  readonly detail: string;
}

/**
 * Reads rows by their names, as they are now. One that is not there is not in the answer; an entry of which there are two
 * is in it twice.
 */
export async function readSealedRows(tx: Tx, items: readonly ItemRef[]): Promise<Map<string, SealedRow[]>> {
  const entries = items.filter(({ itemKey }) => isUuid("entry:", itemKey));
  const replies = items.flatMap(({ itemKey }) => replyKeyOf(itemKey) ?? []);
  const actions = items.flatMap(({ itemKey }) => (isUuid("action:", itemKey) ? [itemKey.slice(7)] : []));
  const rows = new Map<string, SealedRow[]>();
  const add = (key: string, row: SealedRow): void => void rows.set(key, [...(rows.get(key) ?? []), row]);

  for (const row of await readEntries(tx, entries)) add(`entry:${row.entry_id}`, { type: "entry", ...entryOf(row) });
  if (replies.length > 0) {
    const columns = [replies.map((key) => key[0]), replies.map((key) => key[1]), replies.map((key) => key[2])];
    for (const row of await tx.run<ReplyRecord>(READ_REPLIES, columns)) {
      add(`reply:${row.partner_id}:${row.family}:${row.trax_id}`, { type: "reply", ...replyOf(row) });
    }
  }
  if (actions.length > 0) {
    for (const row of await tx.run<ActionRecord>(READ_ACTIONS, [actions])) {
      add(`action:${row.action_id}`, { type: "action", ...actionOf(row) });
    }
  }
  for (const row of await readEvidence(
    tx,
    items.map(({ itemKey }) => itemKey),
  )) {
    add(`${row.kind}:${row.key}`, { type: "row", ...row });
  }
  return rows;
}

/** A name that is none is that of no row; whoever has put it there is not helped to an error of the database. */
function isUuid(prefix: string, itemKey: string): boolean {
  return itemKey.startsWith(prefix) && UUID.test(itemKey.slice(prefix.length));
}
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function readEntries(tx: Tx, items: readonly ItemRef[]): Promise<EntryRecord[]> {
  if (items.length === 0) return [];
  const ids = items.map(({ itemKey }) => itemKey.slice(6));
  const found = await tx.run<EntryRecord>(READ_ENTRIES, [ids, items.map(({ businessDate }) => businessDate)]);
  const seen = new Set(found.map((row) => row.entry_id));
  const astray = ids.filter((id) => !seen.has(id));
  return astray.length === 0 ? found : [...found, ...(await tx.run<EntryRecord>(FIND_ENTRIES, [astray]))];
}

/** `reply:<partner>:<family>:<traxId>` taken apart; a traxId may hold colons. */
function replyKeyOf(itemKey: string): readonly (readonly [partnerId: number, family: string, traxId: string])[] | null {
  const match = /^reply:([0-9]{1,9}):([a-z-]+):(.*)$/s.exec(itemKey);
  return match === null ? null : [[Number(match[1]), match[2] as string, match[3] as string]];
}

function entryOf(row: EntryRecord): EntryRow {
  return {
    ...sharedOf(row),
    entryId: row.entry_id,
    kind: row.kind,
    reversesEntryId: row.reverses_entry_id,
    happenedAt: row.happened_at,
    postings: row.postings,
  };
}

function replyOf(row: ReplyRecord): ReplyRow {
  return {
    ...sharedOf(row),
    family: row.family,
    fingerprintHex: row.fingerprint,
    outcome: row.outcome,
    resultCode: row.result_code,
    sysCode: row.sys_code,
    replyBody: row.reply_body,
    entryId: row.entry_id,
    receivedAt: row.received_at,
  };
}

/** What an entry and a row of the registry have in common. */
function sharedOf(row: Omit<EntryRecord, "entry_id" | "kind" | "reverses_entry_id" | "happened_at" | "postings">) {
  return {
    businessDate: row.business_date,
    partnerId: row.partner_id,
    traxId: row.trax_id,
    productCode: row.product_code,
    billKey: row.bill_key,
    billNumber: row.bill_number,
    amount: row.amount,
    feeAmount: row.fee_amount,
    channel: row.channel,
    recordedAt: row.recorded_at,
  };
}

function actionOf(row: ActionRecord) {
  return {
    actionId: row.action_id,
    recordedAt: row.recorded_at,
    actor: row.actor,
    action: row.action,
    object: row.object,
    beforeHash: row.before_hash,
    afterHash: row.after_hash,
    detail: row.detail,
  };
}

const probe = (key: string): string => `(select s.block_no from seal_item s where s.item_key = ${key}) is null`;
const instant = (parameter: string): string => `timestamptz 'epoch' + ${parameter}::bigint * interval '1 microsecond'`;

function scanOf(table: string, key: string, day: string): string {
  return `
      (select ${key} as item_key, ${day} as business_date, r.recorded_at
         from ${table} r
        where r.recorded_at >= ${instant("$1")} and r.recorded_at < ${instant("$2")}
          and ${probe(key)}
        order by r.recorded_at
        limit $3)`;
}

/** Names of the rows, in order of recording, that are in no block. The probe is one look into an index for each row. */
const SCAN: Statement = {
  name: "ledger_seal_scan",
  text: `
    select found.item_key, found.business_date::text as business_date,
           (extract(epoch from found.recorded_at) * 1000000)::bigint as recorded_micros
      from (${[
        scanOf("journal_entry", "'entry:' || r.entry_id", "r.business_date"),
        scanOf("trax", "'reply:' || r.partner_id || ':' || r.family || ':' || r.trax_id", "null::date"),
        scanOf("operator_action", "'action:' || r.action_id", "null::date"),
      ].join("\n      union all")}
      ) found
     order by found.recorded_at, found.item_key
     limit $3`,
};

/** A row that is in no block, and when it was recorded: microseconds since the epoch. */
export interface UnsealedItem extends ItemRef {
  readonly recordedMicros: bigint;
}

/** Rows recorded from `fromMicros` and before `untilMicros` that are in no block, the oldest first. */
export async function scanUnsealed(
  tx: Tx,
  fromMicros: bigint,
  untilMicros: bigint,
  limit: number,
): Promise<UnsealedItem[]> {
  const rows = await tx.run<{ item_key: string; business_date: string | null; recorded_micros: bigint }>(SCAN, [
    fromMicros,
    untilMicros,
    limit,
  ]);
  return rows.map((row) => ({
    itemKey: row.item_key,
    businessDate: row.business_date,
    recordedMicros: row.recorded_micros,
  }));
}
