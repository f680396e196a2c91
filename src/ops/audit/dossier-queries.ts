import type { Tx } from "../../platform";
import { instantSql, type Row } from "./columns";
import { idFloor } from "./listing";
import { statementOf } from "./reader";

const at = (expression: string, name: string): string => `${instantSql(expression)} as "${name}"`;

/** A consumed key as the dossier begins with it. */
export interface RegistryRow extends Row {
  readonly partnerId: number;
  readonly partner: string;
  readonly family: "payment" | "reversal" | "manual-payment" | "manual-reversal";
  readonly productCode: string;
  readonly billKey: string;
  readonly amount: bigint;
  readonly entryId: string | null;
  readonly businessDate: string;
  readonly happenedAt: string;
  readonly recordedAt: string;
  readonly replyBody: string;
}

/** Everything stored under a traxId, whoever sent it: usually one payment, and its reversal. */
export function readRegistry(tx: Tx, traxId: string): Promise<RegistryRow[]> {
  return ask(
    tx,
    `select t.partner_id as "partnerId", p.user_name as "partner", t.family, t.trax_id as "traxId",
            t.product_code as "productCode", t.bill_number as "billNumber", t.bill_key as "billKey", t.amount,
            t.fee_amount as "feeAmount", t.channel, t.outcome, t.result_code as "resultCode", t.sys_code as "sysCode",
            t.entry_id::text as "entryId", t.business_date::text as "businessDate", ${at("t.received_at", "happenedAt")},
            ${at("t.recorded_at", "recordedAt")}, t.reply_body as "replyBody",
            encode(sha256(convert_to(t.reply_body, 'UTF8')), 'hex') as "replySha256",
            encode(t.fingerprint, 'hex') as fingerprint
       from trax t join partner p on p.partner_id = t.partner_id
      where t.partner_id = any (array(select partner_id from partner)) and t.trax_id = $1
      order by t.recorded_at, t.family`,
    [traxId],
  );
}

/** Requests seen with the traxId, the oldest first, at most a thousand. */
export function readAttempts(tx: Tx, traxId: string): Promise<Row[]> {
  return ask(
    tx,
    `select a.attempt_id::text as "attemptId", ${at("a.received_at", "receivedAt")}, a.partner_id as "partnerId",
            a.transaction_type as "transactionType", a.product_code as "productCode", a.outcome,
            a.result_code as "resultCode", a.http_status as "httpStatus", a.is_replay as "isReplay",
            a.is_delivered as "isDelivered", a.duration_ms as "durationMs", a.source_address as "sourceAddress",
            a.request, a.reply, a.note
       from attempt a where a.trax_id = $1 order by a.received_at, a.attempt_id limit 1000`,
    [traxId],
  );
}

/** Answers that inquiries gave on the bill to this partner up to the payment. */
export function readQuotes(tx: Tx, { billKey, partnerId, recordedAt }: RegistryRow): Promise<Row[]> {
  return ask(
    tx,
    `select encode(q.quote_digest, 'hex') as "quoteDigest", q.bill_version as "billVersion", q.amount,
            q.fee_amount as "feeAmount", q.bit61, ${at("q.quoted_at", "quotedAt")},
            ${at("q.honoured_until", "honouredUntil")}
       from quote q
      where q.bill_key = $1 and q.partner_id = $2 and q.quoted_at <= $3::timestamptz
      order by q.quoted_at limit 100`,
    [billKey, partnerId, recordedAt],
  );
}

/** Journal entries of the registry rows, with their postings. */
export function readEntries(tx: Tx, { entryId, billKey, businessDate }: RegistryRow): Promise<Row[]> {
  return ask(
    tx,
    `select e.entry_id::text as "entryId", e.kind, e.amount, e.fee_amount as "feeAmount",
            e.business_date::text as "businessDate", e.reverses_entry_id::text as "reversesEntryId",
            ${at("e.happened_at", "happenedAt")}, ${at("e.recorded_at", "recordedAt")},
            (select json_agg(json_build_object('lineNo', p.line_no, 'account', p.account_code, 'side', p.side,
                                               'amount', p.amount::text) order by p.line_no)
               from posting p
              where p.entry_id = e.entry_id and p.bill_key = e.bill_key and p.business_date = e.business_date) as postings
       from journal_entry e
      where e.entry_id = $1::uuid and e.bill_key = $2 and e.business_date = $3::date
     union all
     select e.entry_id::text, e.kind, e.amount, e.fee_amount, e.business_date::text, e.reverses_entry_id::text,
            ${instantSql("e.happened_at")}, ${instantSql("e.recorded_at")},
            (select json_agg(json_build_object('lineNo', p.line_no, 'account', p.account_code, 'side', p.side,
                                               'amount', p.amount::text) order by p.line_no)
               from posting p
              where p.entry_id = e.entry_id and p.bill_key = e.bill_key and p.business_date = e.business_date)
       from journal_entry e where e.reverses_entry_id = $1::uuid`,
    [entryId, billKey, businessDate],
  );
}

/** What people had to look at about this payment. */
export function readExceptions(tx: Tx, { billKey, partnerId, traxId }: RegistryRow & Row): Promise<Row[]> {
  return ask(
    tx,
    `select x.exception_id::text as "exceptionId", x.kind, x.trax_id as "traxId", x.other_trax_id as "otherTraxId",
            x.amount, x.detail, ${at("x.opened_at", "openedAt")}, ${at("x.closed_at", "closedAt")},
            x.closed_because as "closedBecause"
       from exception x
      where x.bill_key = $1 and ((x.partner_id = $2 and x.trax_id = $3) or x.other_trax_id = $3)
      order by x.opened_at`,
    [billKey, partnerId, traxId],
  );
}

/**
 * What the merchant was told, with every attempt to tell it. An event carries the millisecond of its payment in its name,
 * so that it is found without an index over bills.
 */
export function readCallbacks(tx: Tx, { billKey, happenedAt }: RegistryRow): Promise<Row[]> {
  return ask(
    tx,
    `select o.event_id::text as "eventId", o.kind, m.service_id as "merchant", ${at("o.created_at", "createdAt")},
            ${at("o.delivered_at", "deliveredAt")}, ${at("o.dead_at", "deadAt")},
            (select json_agg(json_build_object('attemptNo', c.attempt_no, 'attemptedAt', ${instantSql("c.attempted_at")},
                                               'httpStatus', c.http_status, 'durationMs', c.duration_ms, 'fault', c.fault)
                             order by c.attempt_no)
               from callback_attempt c where c.event_id = o.event_id) as attempts
       from outbox o join merchant m on m.merchant_id = o.merchant_id
      where o.event_id >= $1::uuid and o.event_id < $2::uuid and o.bill_key = $3
      order by o.created_at`,
    [idFloor(happenedAt), idFloor(happenedAt, 1), billKey],
  );
}

/** The bill as it stands now. */
export async function readBill(tx: Tx, billKey: string): Promise<Row | null> {
  const rows = await ask(
    tx,
    `select b.bill_key as "bill", b.version, b.is_cancelled as "isCancelled", b.total_amount as "totalAmount",
            b.paid_amount as "paidAmount", b.fee_amount as "feeAmount", b.customer_name as "customerName",
            ${at("b.due_at", "dueAt")}, ${at("b.paid_at", "paidAt")},
            (select json_agg(json_build_object('itemNo', i.item_no, 'reference', i.reference, 'amount', i.amount::text)
                             order by i.item_no) from bill_item i where i.bill_key = b.bill_key) as items
       from bill b where b.bill_key = $1`,
    [billKey],
  );
  return rows[0] ?? null;
}

async function ask<R extends Row>(tx: Tx, text: string, values: readonly unknown[]): Promise<R[]> {
  return tx.run<R>(statementOf("dossier", text), values);
}

/** Lines of settlement files that stand for the payment, by the runs that count. */
export function readSettlement(tx: Tx, { entryId }: RegistryRow): Promise<Row[]> {
  return ask(
    tx,
    `select f.file_name as "fileName", f.version as "fileVersion", m.line_no as "lineNo", m.rule, m.run_id as "runId",
            l.amount, l.fee_amount as "feeAmount", l.status, l.business_date::text as "businessDate",
            ${at("f.imported_at", "importedAt")}
       from settlement_match m
       join settlement_line l on l.file_id = m.file_id and l.line_no = m.line_no
       join settlement_file f on f.file_id = m.file_id
      where m.entry_id = $1::uuid and m.replaced_by_run is null`,
    [entryId],
  );
}

/** The blocks that the stored answer and its entry are sealed in. The proof itself: `biller ledger proof`. */
export function readSeals(tx: Tx, { partnerId, family, entryId, ...row }: RegistryRow): Promise<Row[]> {
  return ask(
    tx,
    `select i.item_key as "item", i.block_no as "blockNo", i.leaf_no as "leafNo", ${at("b.sealed_at", "sealedAt")},
            encode(b.block_hash, 'hex') as "blockHash", i.masked_by::text as "maskedBy"
       from seal_item i join seal_block b on b.block_no = i.block_no
      where i.item_key = any ($1::text[]) order by i.block_no, i.leaf_no`,
    [[`reply:${partnerId}:${family}:${String(row["traxId"])}`, ...(entryId === null ? [] : [`entry:${entryId}`])]],
  );
}
