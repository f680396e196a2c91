import type { Posting } from "../domain";
import type { Statement, Tx } from "../platform";

/** A journal entry that people, or a settlement file, brought about; no traxId of the switch is consumed. Whole rupiah. */
export interface OperatorEntry {
  readonly entryId: string;
  readonly kind: "settlement" | "correction";
  /** What it is about, where a payment's entry has its bill. */
  readonly billKey: string;
  readonly businessDate: string;
  readonly partnerId: number;
  /** The traxId that it corrects, or our own reference. */
  readonly reference: string;
  readonly productCode: string;
  readonly billNumber: string;
  readonly amount: bigint;
  readonly happenedAtMs: number;
  readonly postings: readonly Posting[];
  readonly reversesEntryId: string | null;
}

const APPEND: Statement = {
  name: "ledger_append_operator_entry",
  isWrite: true,
  text: `
    with entered as (
      insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code, bill_number,
                                 amount, fee_amount, channel, reverses_entry_id, happened_at)
      values ($1::uuid, $2, $3::date, $4, $5::int, $6, $7, $8, $9::bigint, 0, 'ops', $10::uuid,
              to_timestamp($11::bigint / 1000.0))
    )
    insert into posting (entry_id, line_no, bill_key, business_date, account_code, side, amount)
    select $1::uuid, p.line_no, $2, $3::date, p.account_code, p.side, p.amount
      from unnest($12::smallint[], $13::text[], $14::text[], $15::bigint[]) as p(line_no, account_code, side, amount)`,
};

/** Writes one entry with its postings in one statement, in the transaction of what brought it about. */
export async function appendOperatorEntry(tx: Tx, entry: OperatorEntry): Promise<void> {
  const { postings } = entry;
  await tx.run(APPEND, [
    ...[entry.entryId, entry.billKey, entry.businessDate, entry.kind, entry.partnerId, entry.reference],
    ...[entry.productCode, entry.billNumber, entry.amount, entry.reversesEntryId, Math.floor(entry.happenedAtMs)],
    postings.map((_line, index) => index + 1),
    postings.map((line) => line.accountCode),
    postings.map((line) => line.side),
    postings.map((line) => line.amount),
  ]);
}
