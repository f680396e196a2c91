import { createHash } from "node:crypto";
import type { Knex } from "knex";
import {
  type Bill,
  billKeyOf,
  businessDateOf,
  decidePayment,
  outstandingItemsOf,
  withPayment,
} from "../../../src/domain";
import type { Catalog } from "../../../src/flows";
import { replyToPayment, replyWithout } from "../../../src/flows/reply";
import { randomIds } from "../../../src/platform";
import { decodeRequest, type SwitchMessage, verifySignature } from "../../../src/wire";

export interface PlainAnswer {
  readonly status: number;
  readonly body: string;
  readonly isReplay: boolean;
}

type Paying = SwitchMessage & { readonly amount: bigint; readonly feeAmount: bigint };

/** Checks one message, then posts it in a transaction of its own. */
export async function answerPayment(knex: Knex, catalog: Catalog, body: unknown): Promise<PlainAnswer> {
  const decoded = decodeRequest(body as Record<string, unknown>);
  if (!decoded.ok) return { status: 400, body: "{}", isReplay: false };
  const { message } = decoded;
  const partner = catalog.partners.get(message.userName);
  const password = partner?.passwords[0] ?? "";
  if (partner === undefined || !verifySignature(message, message.signature, password, partner.dialect.signature)) {
    return { status: 401, body: "{}", isReplay: false };
  }
  const { amount, feeAmount } = message;
  if (amount === null || feeAmount === null) return { status: 400, body: "{}", isReplay: false };
  return post(knex, catalog, partner, { ...message, amount, feeAmount });
}

type Partner = NonNullable<ReturnType<Catalog["partners"]["get"]>>;

/** Six round trips: begin, registry, bill with its items under lock, update of the bill, all inserts, commit. */
async function post(knex: Knex, catalog: Catalog, partner: Partner, message: Paying): Promise<PlainAnswer> {
  const nowMs = Date.now();
  const stamp = { sysCode: randomIds.sysCode(), serverMicros: BigInt(nowMs) * 1000n };
  const product = catalog.products.get(message.productCode) ?? null;
  const billKey = billKeyOf(message.productCode, message.billNumber);
  return knex.transaction(async (trx) => {
    const known = await trx("trax")
      .select("product_code", "bill_number", "amount", "fee_amount", "outcome", "reply_body")
      .where({ partner_id: partner.partnerId, trax_id: message.traxId, family: "payment" })
      .first();
    if (known !== undefined) return { status: 200, body: known.reply_body as string, isReplay: true };
    const bill = await readBill(trx, billKey);
    const decision = decidePayment(
      message,
      {
        known: null,
        isProductAllowed: partner.productCodes.includes(message.productCode),
        rules: product?.rules ?? null,
        bill,
        quotes: [],
        bit61Check: "ignore",
        isFresh: true,
        mustAccept: false,
      },
      nowMs,
    );
    if (decision.kind !== "post" || product === null || bill === null) {
      // Enough for the measurement: a decline is an answer that it does not expect.
      const outcome = decision.kind === "decline" ? decision.outcome : "UNKNOWN";
      return { status: 200, body: replyWithout(message, partner, outcome, stamp).body, isReplay: false };
    }
    const paid = withPayment(bill, decision.applied);
    const isPaid = paid.paidAmount === paid.totalAmount;
    await trx("bill")
      .where({ bill_key: billKey })
      .update({
        paid_amount: paid.paidAmount.toString(),
        version: paid.version,
        updated_at: trx.fn.now(),
        ...(isPaid ? { paid_at: trx.fn.now() } : {}),
      });
    const { amount, feeAmount } = message;
    const shown = { items: outstandingItemsOf(bill), amount, feeAmount };
    const reply = replyToPayment(message, partner, product, bill, shown, stamp).body;
    const entryId = randomIds.entryId(nowMs);
    const businessDate = businessDateOf(nowMs, partner.dialect.cutOff);
    const fields = `${message.productCode}\n${message.billNumber}\n${amount}\n${feeAmount}`;
    const lines = decision.postings.map(() => "(?::uuid, ?::smallint, ?, ?::date, ?, ?, ?::bigint)").join(", ");
    await trx.raw(
      `with registered as (
         insert into trax (partner_id, trax_id, family, fingerprint, product_code, bill_number, bill_key, amount,
                           fee_amount, channel, outcome, result_code, sys_code, reply_body, entry_id, business_date,
                           received_at)
         values (?, ?, 'payment', decode(?, 'hex'), ?, ?, ?, ?, ?, ?, 'APPROVED', ?, ?, ?, ?, ?, ?)
       ), entered as (
         insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code,
                                    bill_number, amount, fee_amount, channel, happened_at)
         values (?, ?, ?, 'payment', ?, ?, ?, ?, ?, ?, ?, ?)
       )
       insert into posting (entry_id, line_no, bill_key, business_date, account_code, side, amount) values ${lines}`,
      [
        ...[partner.partnerId, message.traxId, `01${createHash("sha256").update(fields).digest("hex")}`],
        ...[message.productCode, message.billNumber, billKey, amount.toString(), feeAmount.toString()],
        ...[message.channel, partner.codes.APPROVED, stamp.sysCode, reply, entryId, businessDate, new Date(nowMs)],
        ...[entryId, billKey, businessDate, partner.partnerId, message.traxId, message.productCode],
        ...[message.billNumber, amount.toString(), feeAmount.toString(), message.channel, new Date(nowMs)],
        ...decision.postings.flatMap((posting, index) => [
          ...[entryId, index + 1, billKey, businessDate],
          ...[posting.accountCode, posting.side, posting.amount.toString()],
        ]),
      ],
    );
    return { status: 200, body: reply, isReplay: false };
  });
}

interface PlainBillRow {
  readonly product_code: string;
  readonly bill_number: string;
  readonly version: number;
  readonly is_cancelled: boolean;
  readonly total_amount: bigint;
  readonly paid_amount: bigint;
  readonly fee_amount: bigint;
  readonly customer_name: string;
  readonly details: Record<string, string>;
  readonly due_at: Date | null;
  readonly items: readonly (readonly [itemNo: number, reference: string, amount: string])[] | null;
}

async function readBill(trx: Knex.Transaction, billKey: string): Promise<Bill | null> {
  const { rows } = await trx.raw<{ rows: PlainBillRow[] }>(
    `select b.*, (select json_agg(json_build_array(i.item_no, i.reference, i.amount::text) order by i.item_no)
                    from bill_item i where i.bill_key = b.bill_key) as items
       from bill b where b.bill_key = ? for update of b`,
    [billKey],
  );
  const [row] = rows;
  if (row === undefined) return null;
  return {
    billKey,
    productCode: row.product_code,
    billNumber: row.bill_number,
    version: row.version,
    isCancelled: row.is_cancelled,
    totalAmount: row.total_amount,
    paidAmount: row.paid_amount,
    feeAmount: row.fee_amount,
    customerName: row.customer_name,
    details: row.details,
    dueAtMs: row.due_at?.getTime() ?? null,
    items: (row.items ?? []).map(([itemNo, reference, amount]) => ({ itemNo, reference, amount: BigInt(amount) })),
  };
}
