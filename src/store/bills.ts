import type { Bill, BillItem, LastPayment } from "../domain";
import type { Statement, Tx } from "../platform";

/** Columns of a whole bill, `b`, as `billOf` reads them. */
export const BILL_COLUMNS = `
           b.bill_key, b.product_code, b.bill_number, b.version, b.is_cancelled, b.total_amount, b.paid_amount,
           b.fee_amount, b.customer_name, b.merchant_id, b.last_partner_id, b.last_trax_id, b.last_amount,
           (extract(epoch from b.last_paid_at) * 1000)::float8 as last_paid_at_ms, b.details,
           (extract(epoch from b.due_at) * 1000)::float8 as due_at_ms,
           (select json_agg(json_build_array(i.item_no, i.reference, i.amount::text) order by i.item_no)
              from bill_item i where i.bill_key = b.bill_key) as items`;

const READ_BILLS: Statement = {
  name: "store_read_bills",
  text: `
    select ${BILL_COLUMNS}
      from unnest($1::text[]) k(bill_key)
     cross join lateral (select * from bill where bill_key = k.bill_key offset 0) b`,
};

/** A row of `BILL_COLUMNS`. */
export interface BillRow {
  readonly bill_key: string;
  readonly product_code: string;
  readonly bill_number: string;
  readonly version: number;
  readonly is_cancelled: boolean;
  readonly total_amount: bigint;
  readonly paid_amount: bigint;
  readonly fee_amount: bigint;
  readonly customer_name: string;
  readonly details: Record<string, string>;
  readonly due_at_ms: number | null;
  readonly merchant_id: number | null;
  readonly last_partner_id: number | null;
  readonly last_trax_id: string | null;
  readonly last_amount: bigint | null;
  readonly last_paid_at_ms: number | null;
  readonly items: readonly (readonly [itemNo: number, reference: string, amount: string])[] | null;
}

/** Bills with their items by bill key; keys of bills that do not exist are missing from the map. No locks. */
export async function readBills(tx: Tx, billKeys: readonly string[]): Promise<Map<string, Bill>> {
  if (billKeys.length === 0) return new Map();
  const rows = await tx.run<BillRow>(READ_BILLS, [billKeys]);
  return new Map(rows.map((row) => [row.bill_key, billOf(row)]));
}

/** The bill of a row. */
export function billOf(row: BillRow): Bill {
  return {
    billKey: row.bill_key,
    productCode: row.product_code,
    billNumber: row.bill_number,
    version: row.version,
    isCancelled: row.is_cancelled,
    totalAmount: row.total_amount,
    paidAmount: row.paid_amount,
    feeAmount: row.fee_amount,
    customerName: row.customer_name,
    details: row.details,
    dueAtMs: row.due_at_ms,
    lastPayment: lastPaymentOf(row),
    merchantId: row.merchant_id,
    items: (row.items ?? []).map(([itemNo, reference, amount]): BillItem => ({
      itemNo,
      reference,
      amount: BigInt(amount),
    })),
  };
}

function lastPaymentOf(row: BillRow): LastPayment | null {
  if (row.last_partner_id === null || row.last_trax_id === null) return null;
  return {
    partnerId: row.last_partner_id,
    traxId: row.last_trax_id,
    amount: row.last_amount ?? 0n,
    paidAtMs: row.last_paid_at_ms ?? 0,
  };
}

/** A bill as decided upon: it is claimed only if it still has the version that the decision was made on. */
export interface BillClaim {
  readonly billKey: string;
  readonly expectedVersion: number;
  readonly version: number;
  readonly paidAmount: bigint;
  readonly lastPayment: LastPayment | null;
}

const CANCEL_BILL: Statement = {
  name: "store_cancel_bill",
  isWrite: true,
  text: `
    update bill set is_cancelled = true, version = version + 1, updated_at = clock_timestamp()
     where bill_key = $1 and version = $2
    returning bill_key`,
};

/** Cancels a bill that still has this version; false when it changed meanwhile. */
export async function cancelBill(tx: Tx, billKey: string, version: number): Promise<boolean> {
  return (await tx.run(CANCEL_BILL, [billKey, version])).length === 1;
}

/**
 * The row of the bill decides a race of two traxIds: the update waits for a transaction that has the row, then sees its
 * version and passes over it. Sorted, so that batches with the same bills take them in the same order.
 */
const CLAIM_BILLS: Statement = {
  name: "store_claim_bills",
  isWrite: true,
  text: `
    update bill b
       set paid_amount = c.paid_amount,
           version = c.version,
           paid_at = case when c.paid_amount = b.total_amount and b.paid_amount < b.total_amount then clock_timestamp()
                          when c.paid_amount = b.total_amount then b.paid_at end,
           last_partner_id = c.last_partner_id, last_trax_id = c.last_trax_id, last_amount = c.last_amount,
           last_paid_at = to_timestamp(c.last_paid_at_ms / 1000.0),
           updated_at = clock_timestamp()
      from (select * from unnest($1::text[], $2::int[], $3::int[], $4::bigint[], $5::int[], $6::text[], $7::bigint[],
                                 $8::bigint[])
                     as i(bill_key, expected_version, version, paid_amount, last_partner_id, last_trax_id, last_amount,
                          last_paid_at_ms)
             order by bill_key) c
     where b.bill_key = c.bill_key and b.version = c.expected_version and b.bill_key = any($1::text[])
    returning b.bill_key`,
};

/** Applies the claims; returns the keys that were won. Who is not in it lost to another payment: read and decide again. */
export async function claimBills(tx: Tx, claims: readonly BillClaim[]): Promise<Set<string>> {
  if (claims.length === 0) return new Set();
  const rows = await tx.run<{ bill_key: string }>(CLAIM_BILLS, [
    claims.map((claim) => claim.billKey),
    claims.map((claim) => claim.expectedVersion),
    claims.map((claim) => claim.version),
    claims.map((claim) => claim.paidAmount),
    claims.map((claim) => claim.lastPayment?.partnerId ?? null),
    claims.map((claim) => claim.lastPayment?.traxId ?? null),
    claims.map((claim) => claim.lastPayment?.amount ?? null),
    claims.map((claim) => (claim.lastPayment ? Math.floor(claim.lastPayment.paidAtMs) : null)),
  ]);
  return new Set(rows.map((row) => row.bill_key));
}
