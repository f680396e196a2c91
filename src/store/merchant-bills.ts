import type { Statement, Tx } from "../platform";

/** A merchant's side of a bill. Instants in epoch milliseconds. */
export interface MerchantBill {
  readonly billKey: string;
  readonly merchantId: number;
  readonly transactionNumber: string;
  readonly billingId: string;
  /** Part of the address of the bill's page; cannot be guessed. */
  readonly linkCode: string;
  /** SHA-256 over the content of the request, hex: a repeat has the same. */
  readonly digestHex: string;
  readonly billingDateMs: number;
  readonly language: "EN" | "ID";
  readonly notes: string;
  readonly staticVaNo: string | null;
  readonly customerEmail: string;
  readonly customerPhone: string;
  readonly customerAddress: string;
  /** What the customer is shown; amounts as digits. */
  readonly itemLines: readonly { readonly name: string; readonly qty: string; readonly amount: string }[];
}

const INSERT: Statement = {
  name: "store_insert_merchant_bill",
  isWrite: true,
  text: `
    insert into merchant_bill (bill_key, merchant_id, transaction_number, billing_id, link_code, content_digest,
                               billing_date, language, notes, static_va_no, customer_email, customer_phone,
                               customer_address, item_lines)
    values ($1, $2, $3, $4, $5, decode($6, 'hex'), to_timestamp($7::bigint / 1000.0), $8, $9, $10, $11, $12, $13, $14::jsonb)
    on conflict do nothing
    returning 1 as inserted`,
};

/** Writes the merchant's side of a new bill; false when its number, billing id or link is taken. */
export async function insertMerchantBill(tx: Tx, bill: MerchantBill): Promise<boolean> {
  const rows = await tx.run(INSERT, [
    bill.billKey,
    bill.merchantId,
    bill.transactionNumber,
    bill.billingId,
    bill.linkCode,
    bill.digestHex,
    Math.floor(bill.billingDateMs),
    bill.language,
    bill.notes,
    bill.staticVaNo,
    bill.customerEmail,
    bill.customerPhone,
    bill.customerAddress,
    JSON.stringify(bill.itemLines),
  ]);
  return rows.length === 1;
}

/** Columns of a merchant's side of a bill, `m`, as `merchantBillOf` reads them. */
export const MERCHANT_BILL_COLUMNS = `
    m.bill_key, m.merchant_id, m.transaction_number, m.billing_id, m.link_code,
    encode(m.content_digest, 'hex') as digest_hex, (extract(epoch from m.billing_date) * 1000)::float8 as billing_date_ms,
    m.language, m.notes, m.static_va_no, m.customer_email, m.customer_phone, m.customer_address, m.item_lines`;

/** A row of `MERCHANT_BILL_COLUMNS`. */
export interface MerchantBillRow {
  readonly bill_key: string;
  readonly merchant_id: number;
  readonly transaction_number: string;
  readonly billing_id: string;
  readonly link_code: string;
  readonly digest_hex: string;
  readonly billing_date_ms: number;
  readonly language: "EN" | "ID";
  readonly notes: string;
  readonly static_va_no: string | null;
  readonly customer_email: string;
  readonly customer_phone: string;
  readonly customer_address: string;
  readonly item_lines: MerchantBill["itemLines"];
}

const FIND_BY_NUMBER: Statement = {
  name: "store_find_merchant_bill",
  text: `select ${MERCHANT_BILL_COLUMNS} from merchant_bill m where merchant_id = $1 and transaction_number = $2`,
};

/** A merchant's bill by the merchant's own number; null when there is none of this merchant. */
export async function findMerchantBill(
  tx: Tx,
  merchantId: number,
  transactionNumber: string,
): Promise<MerchantBill | null> {
  const [row] = await tx.run<MerchantBillRow>(FIND_BY_NUMBER, [merchantId, transactionNumber]);
  return row === undefined ? null : merchantBillOf(row);
}

const FIND_BY_KEY: Statement = {
  name: "store_find_merchant_bill_by_key",
  text: `select ${MERCHANT_BILL_COLUMNS} from merchant_bill m where bill_key = $1`,
};

/** The merchant's side of a bill; null when no merchant made it. */
export async function findMerchantBillByKey(tx: Tx, billKey: string): Promise<MerchantBill | null> {
  const [row] = await tx.run<MerchantBillRow>(FIND_BY_KEY, [billKey]);
  return row === undefined ? null : merchantBillOf(row);
}

const LIST: Statement = {
  name: "store_list_merchant_bills",
  text: `
    select ${MERCHANT_BILL_COLUMNS}, (extract(epoch from created_at) * 1000000)::bigint as created_micros
      from merchant_bill m
     where merchant_id = $1
       and ($2::bigint is null or (created_at, bill_key) < (to_timestamp($2::bigint / 1000000.0), $3::text))
     order by created_at desc, bill_key desc
     limit $4`,
};

/** One page of a merchant's bills, the latest first, and where the next page begins. */
export async function listMerchantBills(
  tx: Tx,
  merchantId: number,
  page: { readonly afterMicros: bigint | null; readonly afterKey: string | null; readonly limit: number },
): Promise<{ readonly bills: readonly MerchantBill[]; readonly lastMicros: bigint | null }> {
  const values = [merchantId, page.afterMicros, page.afterKey, page.limit];
  const rows = await tx.run<MerchantBillRow & { readonly created_micros: bigint }>(LIST, values);
  return { bills: rows.map(merchantBillOf), lastMicros: rows.at(-1)?.created_micros ?? null };
}

/** The merchant's side of a row. */
export function merchantBillOf(row: MerchantBillRow): MerchantBill {
  return {
    billKey: row.bill_key,
    merchantId: row.merchant_id,
    transactionNumber: row.transaction_number,
    billingId: row.billing_id,
    linkCode: row.link_code,
    digestHex: row.digest_hex,
    billingDateMs: row.billing_date_ms,
    language: row.language,
    notes: row.notes,
    staticVaNo: row.static_va_no,
    customerEmail: row.customer_email,
    customerPhone: row.customer_phone,
    customerAddress: row.customer_address,
    itemLines: row.item_lines,
  };
}

/** A payment of a merchant's bill. Whole rupiah; instants in epoch milliseconds. */
export interface MerchantPayment {
  readonly billKey: string;
  readonly entryId: string;
  readonly partnerId: number;
  readonly traxId: string;
  readonly amount: bigint;
  readonly paidAtMs: number;
}

const INSERT_PAYMENTS: Statement = {
  name: "store_insert_merchant_payments",
  isWrite: true,
  text: `
    insert into merchant_payment (bill_key, entry_id, partner_id, trax_id, amount, paid_at)
    select bill_key, entry_id, partner_id, trax_id, amount, to_timestamp(paid_at_ms / 1000.0)
      from unnest($1::text[], $2::uuid[], $3::int[], $4::text[], $5::bigint[], $6::bigint[])
           as i(bill_key, entry_id, partner_id, trax_id, amount, paid_at_ms)`,
};

/** Lists payments of merchants' bills, in the transaction that posts them. */
export async function insertMerchantPayments(tx: Tx, payments: readonly MerchantPayment[]): Promise<void> {
  if (payments.length === 0) return;
  await tx.run(INSERT_PAYMENTS, [
    payments.map((payment) => payment.billKey),
    payments.map((payment) => payment.entryId),
    payments.map((payment) => payment.partnerId),
    payments.map((payment) => payment.traxId),
    payments.map((payment) => payment.amount),
    payments.map((payment) => Math.floor(payment.paidAtMs)),
  ]);
}

const REVERSE_PAYMENT: Statement = {
  name: "store_reverse_merchant_payment",
  isWrite: true,
  text: `
    update merchant_payment set reversed_at = clock_timestamp()
     where bill_key = $1 and entry_id = $2 and reversed_at is null`,
};

/** Marks a payment as taken back, in the transaction of its reversal. */
export async function reverseMerchantPayment(tx: Tx, billKey: string, entryId: string): Promise<void> {
  await tx.run(REVERSE_PAYMENT, [billKey, entryId]);
}

const REINSTATE_PAYMENT: Statement = {
  name: "store_reinstate_merchant_payment",
  isWrite: true,
  text: `update merchant_payment set reversed_at = null where bill_key = $1 and entry_id = $2 and reversed_at is not null`,
};

/** Marks a payment as standing again, in the transaction that takes its reversal back. */
export async function reinstateMerchantPayment(tx: Tx, billKey: string, entryId: string): Promise<void> {
  await tx.run(REINSTATE_PAYMENT, [billKey, entryId]);
}

const READ_PAYMENTS: Statement = {
  name: "store_read_merchant_payments",
  text: `
    select bill_key, entry_id, partner_id, trax_id, amount, (extract(epoch from paid_at) * 1000)::float8 as paid_at_ms
      from merchant_payment where bill_key = any($1::text[]) and reversed_at is null
     order by bill_key, paid_at, entry_id`,
};

/** Payments of these bills that stand, in their order. */
export async function readMerchantPayments(tx: Tx, billKeys: readonly string[]): Promise<MerchantPayment[]> {
  const rows = await tx.run<{
    bill_key: string;
    entry_id: string;
    partner_id: number;
    trax_id: string;
    amount: bigint;
    paid_at_ms: number;
  }>(READ_PAYMENTS, [billKeys]);
  return rows.map((row) => ({
    billKey: row.bill_key,
    entryId: row.entry_id,
    partnerId: row.partner_id,
    traxId: row.trax_id,
    amount: row.amount,
    paidAtMs: row.paid_at_ms,
  }));
}
