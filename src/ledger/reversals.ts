import type { AccountCode, KnownPayment, Outcome, Posting } from "../domain";
import type { Statement, Tx } from "../platform";
import { latestClearing } from "./receivables";
import type { StoredTrax } from "./trax";

/** A payment as it is read back for its reversal. */
export interface StoredPayment extends KnownPayment {
  /** Null when no money moved. */
  readonly entryId: string | null;
}

const READ: Statement = {
  name: "ledger_read_reversal_facts",
  text: `
    select t.family, t.product_code, t.bill_number, t.amount, t.fee_amount, t.outcome, t.reply_body, t.sys_code,
           t.result_code, t.business_date, t.entry_id,
           c.version is not null and c.reversed > 0 as is_reversed,
           c.version is null
             or c.settled + c.reversed + c.written_off + c.accepted + c.recovered + c.excess = 0 as is_due,
           (select json_agg(json_build_array(p.account_code, p.side, p.amount::text) order by p.line_no)
              from posting p where p.entry_id = t.entry_id and p.business_date = t.business_date) as postings
      from trax t
      left join lateral ${latestClearing("t.entry_id")} c on true
     where t.partner_id = $1 and t.trax_id = $2 and not t.answers_manual`,
};

interface Row {
  readonly family: string;
  readonly product_code: string;
  readonly bill_number: string;
  readonly amount: bigint;
  readonly fee_amount: bigint;
  readonly outcome: Outcome;
  readonly reply_body: string;
  readonly sys_code: string;
  readonly result_code: string;
  readonly business_date: string;
  readonly entry_id: string | null;
  readonly is_reversed: boolean;
  readonly is_due: boolean;
  readonly postings: readonly (readonly [AccountCode, Posting["side"], string])[] | null;
}

/**
 * What is stored under a traxId: the payment with its entry, whoever posted it, and the switch's own reversal. No locks.
 */
export async function readReversalFacts(
  tx: Tx,
  partnerId: number,
  traxId: string,
): Promise<{
  readonly payment: StoredPayment | null;
  readonly reversal: StoredTrax | null;
  /** A reversal has moved money under this traxId before, if only to be undone: no second one can take its key. */
  readonly isReversalKeyTaken: boolean;
}> {
  const rows = await tx.run<Row>(READ, [partnerId, traxId]);
  // The database lets one of the two be stored.
  const payment = rows.find(({ family }) => family === "payment" || family === "manual-payment");
  const reversal = rows.find((row) => row.family === "reversal");
  return {
    payment: payment === undefined ? null : paymentOf(payment),
    reversal: reversal === undefined ? null : storedOf(reversal),
    isReversalKeyTaken: rows.some(({ family, entry_id: entryId }) => family.endsWith("reversal") && entryId !== null),
  };
}

function storedOf(row: Row): StoredTrax {
  return {
    productCode: row.product_code,
    billNumber: row.bill_number,
    amount: row.amount,
    feeAmount: row.fee_amount,
    outcome: row.outcome,
    replyBody: row.reply_body,
    sysCode: row.sys_code,
    resultCode: row.result_code,
    entryId: row.entry_id,
  };
}

function paymentOf(row: Row): StoredPayment {
  return {
    ...storedOf(row),
    businessDate: row.business_date,
    isReversed: row.is_reversed,
    isDue: row.is_due,
    postings: (row.postings ?? []).map(([accountCode, side, amount]) => ({
      accountCode,
      side,
      amount: BigInt(amount),
    })),
  };
}

/** A reversal that stands, with what taking it back needs. Whole rupiah. */
export interface StandingReversal {
  readonly entryId: string;
  readonly billKey: string;
  readonly partnerId: number;
  readonly traxId: string;
  readonly productCode: string;
  readonly billNumber: string;
  readonly channel: string;
  readonly amount: bigint;
  /** Lines of the reversal's own entry. */
  readonly postings: readonly Posting[];
}

const READ_STANDING: Statement = {
  name: "ledger_read_standing_reversal",
  text: `
    select r.entry_id as "entryId", r.bill_key as "billKey", r.partner_id as "partnerId", r.trax_id as "traxId",
           r.product_code as "productCode", r.bill_number as "billNumber", r.channel, r.amount,
           (select json_agg(json_build_array(p.account_code, p.side, p.amount::text) order by p.line_no)
              from posting p where p.entry_id = r.entry_id and p.business_date = r.business_date) as postings
      from ${latestClearing("$1::uuid")} c
      join journal_entry r on r.entry_id = c.by_entry_id and r.business_date = c.by_entry_date
     where c.kind = 'reversed' and c.reversed > 0`,
};

/** The reversal of a payment, where it stands: nothing has taken it back. */
export async function readStandingReversal(tx: Tx, paymentEntryId: string): Promise<StandingReversal | null> {
  const [row] = await tx.run<Omit<StandingReversal, "postings"> & { readonly postings: NonNullable<Row["postings"]> }>(
    READ_STANDING,
    [paymentEntryId],
  );
  if (row === undefined) return null;
  const postings = row.postings.map(([accountCode, side, amount]) => ({ accountCode, side, amount: BigInt(amount) }));
  return { ...row, postings };
}
