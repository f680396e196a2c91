import type { AccountCode, KnownPayment, Outcome, Posting } from "../domain";
import type { Statement, Tx } from "../platform";
import { isReversed, type StoredTrax } from "./trax";

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
           ${isReversed("t.entry_id")} as is_reversed,
           (select json_agg(json_build_array(p.account_code, p.side, p.amount::text) order by p.line_no)
              from posting p where p.entry_id = t.entry_id and p.business_date = t.business_date) as postings
      from trax t
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
  readonly postings: readonly (readonly [AccountCode, Posting["side"], string])[] | null;
}

/**
 * What is stored under a traxId: the payment with its entry, whoever posted it, and the switch's own reversal. No locks.
 */
export async function readReversalFacts(
  tx: Tx,
  partnerId: number,
  traxId: string,
): Promise<{ readonly payment: StoredPayment | null; readonly reversal: StoredTrax | null }> {
  const rows = await tx.run<Row>(READ, [partnerId, traxId]);
  // The database lets one of the two be stored.
  const payment = rows.find(({ family }) => family === "payment" || family === "manual-payment");
  const reversal = rows.find((row) => row.family === "reversal");
  return {
    payment: payment === undefined ? null : paymentOf(payment),
    reversal: reversal === undefined ? null : storedOf(reversal),
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
    postings: (row.postings ?? []).map(([accountCode, side, amount]) => ({
      accountCode,
      side,
      amount: BigInt(amount),
    })),
  };
}
