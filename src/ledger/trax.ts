import type { Outcome } from "../domain";
import type { KnownTrax, Posting } from "../domain";
import type { Statement, Tx } from "../platform";
import { latestClearing } from "./receivables";

/**
 * A payment of the switch, its repeats and its advice share one key, (partner, family, traxId). What operators post or take
 * back has keys of its own, the `manual-` ones; PostgreSQL lets one of `payment` and `manual-payment` move money.
 */
export type Family = "payment" | "reversal" | "manual-payment" | "manual-reversal";

/** A traxId as read back: what it was, and the very bytes that were answered. */
export interface StoredTrax extends KnownTrax {
  readonly replyBody: string;
  readonly sysCode: string;
  readonly resultCode: string;
  /** Null when no money moved. */
  readonly entryId: string | null;
}

/** A journal entry to be written. */
export interface NewEntry {
  readonly entryId: string;
  readonly postings: readonly Posting[];
  /** The entry that this one takes back. */
  readonly reversesEntryId?: string;
}

/** A decided traxId to be written: the registry row, and the journal entry when money moved. */
export interface TraxRecord {
  readonly partnerId: number;
  readonly family: Family;
  readonly traxId: string;
  /** Version byte and SHA-256 over the hard fields, 33 bytes as hex. */
  readonly fingerprintHex: string;
  readonly productCode: string;
  readonly billNumber: string;
  readonly billKey: string;
  readonly amount: bigint;
  readonly feeAmount: bigint;
  readonly channel: string;
  readonly outcome: Outcome;
  readonly resultCode: string;
  readonly sysCode: string;
  readonly replyBody: string;
  /** `YYYY-MM-DD` in Jakarta, with the partner's cut-off applied. */
  readonly businessDate: string;
  readonly receivedAtMs: number;
  /** The entry that is written with it. */
  readonly entry: NewEntry | null;
  /** The entry that operators posted before, which this row answers; null for every other row. */
  readonly answersEntryId: string | null;
}

/**
 * All families of a traxId lie beside each other in the primary key, so one probe finds the payment's own row or, where the
 * switch's message was never answered, the operators' posting. `offset 0` has each key looked up by itself: planned as one
 * join, it may read the whole table for a batch.
 */
const READ_TRAX: Statement = {
  name: "ledger_read_trax",
  text: `
    select k.ordinal::int as ordinal, t.product_code, t.bill_number, t.amount, t.fee_amount, t.outcome, t.reply_body,
           t.sys_code, t.result_code, t.entry_id, t.family = 'manual-payment' as is_manual,
           coalesce(r.reversed > 0, false) as is_reversed
      from unnest($1::int[], $2::text[]) with ordinality k(partner_id, trax_id, ordinal)
     cross join lateral (select * from trax
                          where partner_id = k.partner_id and trax_id = k.trax_id
                            and (family = 'payment' or family = 'manual-payment')
                          order by family desc limit 1 offset 0) t
      left join lateral ${latestClearing("t.entry_id")} r on true`,
};

interface TraxRow {
  readonly ordinal: number;
  readonly product_code: string;
  readonly bill_number: string;
  readonly amount: bigint;
  readonly fee_amount: bigint;
  readonly outcome: Outcome;
  readonly reply_body: string;
  readonly sys_code: string;
  readonly result_code: string;
  readonly entry_id: string | null;
  readonly is_manual: boolean;
  readonly is_reversed: boolean;
}

/**
 * What is stored under each payment key, in the order asked; null where the key was never consumed. Where operators posted
 * the payment and its message was never answered: their posting. No locks.
 */
export async function readPaymentKeys(
  tx: Tx,
  keys: readonly { readonly partnerId: number; readonly traxId: string }[],
): Promise<(StoredTrax | null)[]> {
  const found: (StoredTrax | null)[] = keys.map(() => null);
  if (keys.length === 0) return found;
  const rows = await tx.run<TraxRow>(READ_TRAX, [keys.map((key) => key.partnerId), keys.map((key) => key.traxId)]);
  for (const row of rows) {
    found[row.ordinal - 1] = {
      productCode: row.product_code,
      billNumber: row.bill_number,
      amount: row.amount,
      feeAmount: row.fee_amount,
      outcome: row.outcome,
      replyBody: row.reply_body,
      sysCode: row.sys_code,
      resultCode: row.result_code,
      entryId: row.entry_id,
      isManual: row.is_manual,
      isReversed: row.is_reversed,
    };
  }
  return found;
}

/**
 * Registry rows, entries and postings in one statement: one round trip, and the balance triggers see an entry together
 * with its postings. Keys are inserted in sorted order, so that two batches with the same keys cannot deadlock on them. A
 * row that any unique key refuses is not inserted: its own key, or the payment key that a manual posting shares with it.
 */
const APPEND: Statement = {
  name: "ledger_append",
  isWrite: true,
  text: `
    with input as materialized (
      select *
        from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
                    $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], string_to_array($14::text, chr(30)),
                    $15::date[], $16::bigint[], $17::uuid[], $18::uuid[], $26::uuid[])
             as i(partner_id, family, trax_id, fingerprint, product_code, bill_number, bill_key, amount, fee_amount,
                  channel, outcome, result_code, sys_code, reply_body, business_date, received_at_ms, entry_id,
                  reverses_entry_id, answers_entry_id)
    ), registered as (
      insert into trax (partner_id, trax_id, family, fingerprint, product_code, bill_number, bill_key, amount, fee_amount,
                        channel, outcome, result_code, sys_code, reply_body, entry_id, answers_manual, business_date,
                        received_at)
      select partner_id, trax_id, family, decode(fingerprint, 'hex'), product_code, bill_number, bill_key, amount,
             fee_amount, channel, outcome, result_code, sys_code, reply_body, coalesce(entry_id, answers_entry_id),
             answers_entry_id is not null, business_date, to_timestamp(received_at_ms / 1000.0)
        from input
       order by partner_id, trax_id, family
      on conflict do nothing
      returning 1
    ), entered as (
      insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code, bill_number,
                                 amount, fee_amount, channel, reverses_entry_id, happened_at)
      select entry_id, bill_key, business_date, replace(family, 'manual-', ''), partner_id, trax_id, product_code, bill_number, amount,
             fee_amount, channel, reverses_entry_id, to_timestamp(received_at_ms / 1000.0)
        from input
       where entry_id is not null
    ), posted as (
      insert into posting (entry_id, line_no, bill_key, business_date, account_code, side, amount)
      select *
        from unnest($19::uuid[], $20::smallint[], $24::text[], $25::date[], $21::text[], $22::text[], $23::bigint[])
    )
    select count(*)::int as registered from registered`,
};

/**
 * Writes decided traxIds with their entries. All or nothing is the caller's transaction.
 *
 * @returns false when a key, or the payment key of a traxId by its other family, was taken by another transaction in the meantime: roll back, and judge the batch again
 */
export async function appendTrax(tx: Tx, records: readonly TraxRecord[]): Promise<boolean> {
  if (records.length === 0) return true;
  const lines = records.flatMap(({ entry, billKey, businessDate }) =>
    entry === null
      ? []
      : entry.postings.map(({ accountCode, side, amount }, index) => ({
          entryId: entry.entryId,
          lineNo: index + 1,
          billKey,
          businessDate,
          accountCode,
          side,
          amount,
        })),
  );
  const [row] = await tx.run<{ registered: number }>(APPEND, [
    records.map((record) => record.partnerId),
    records.map((record) => record.family),
    records.map((record) => record.traxId),
    records.map((record) => record.fingerprintHex),
    records.map((record) => record.productCode),
    records.map((record) => record.billNumber),
    records.map((record) => record.billKey),
    records.map((record) => record.amount),
    records.map((record) => record.feeAmount),
    records.map((record) => record.channel),
    records.map((record) => record.outcome),
    records.map((record) => record.resultCode),
    records.map((record) => record.sysCode),
    records.map((record) => record.replyBody),
    records.map((record) => record.businessDate),
    records.map((record) => record.receivedAtMs),
    records.map((record) => record.entry?.entryId ?? null),
    records.map((record) => record.entry?.reversesEntryId ?? null),
    lines.map((line) => line.entryId),
    lines.map((line) => line.lineNo),
    lines.map((line) => line.accountCode),
    lines.map((line) => line.side),
    lines.map((line) => line.amount),
    lines.map((line) => line.billKey),
    lines.map((line) => line.businessDate),
    records.map((record) => record.answersEntryId),
  ]);
  return row?.registered === records.length;
}
