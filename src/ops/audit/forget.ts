import { findSealedItems, MASK_ACTION, maskSealedItem } from "../../ledger";
import type { ActorText } from "../../domain";
import { Fault, type Statement, type Tx } from "../../platform";
import { recordOperatorAction } from "../../store";
import type { CompiledLayout } from "../../wire";
import { maskBit61, maskMessage, maskText } from "./personal";

/** A bill whose personal data may be masked, or why not. */
export interface Forgettable {
  readonly billKey: string;
  /** Stored answers that hold personal data. */
  readonly replies: number;
  /** Null: it may be forgotten. */
  readonly obstacle: string | null;
}

/** Who asked for it, and why. */
export interface ForgetOrder {
  readonly actor: ActorText;
  readonly reason: string;
  readonly layoutOf: (productCode: string) => CompiledLayout | null;
}

const FIND: Statement = {
  name: "audit_forgettable",
  text: `
    select b.bill_key, (select count(*)::int from trax t where t.bill_key = b.bill_key) as replies,
           case when not b.is_cancelled and b.paid_amount < b.total_amount then 'it is neither paid nor cancelled'
                when exists (select from quote q where q.bill_key = b.bill_key and q.honoured_until > now())
                  then 'an answer about it is still honoured: somebody may be paying it'
                when exists (select from exception x where x.bill_key = b.bill_key and x.closed_at is null)
                  then 'an exception about it is open' end as obstacle
      from bill b left join merchant_bill m on m.bill_key = b.bill_key
     where ($1::text is null or b.bill_key = $1)
       and ($2::text is null or $2 in (b.customer_name, m.customer_email, m.customer_phone))
       and ($3::int is null or greatest(b.created_at, b.paid_at, b.updated_at) < now() - make_interval(months => $3))
       and (b.customer_name ~ '[^* ]' or m.customer_email ~ '[^* ]')
     order by b.bill_key limit 1000`,
};

/** Bills that a request is about, at most 1,000: those that hold personal data still. Reads all bills unless one is named. */
export async function findForgettable(
  tx: Tx,
  which: { readonly billKey: string | null; readonly customer: string | null; readonly olderThanMonths: number | null },
): Promise<Forgettable[]> {
  const rows = await tx.run<{ bill_key: string; replies: number; obstacle: string | null }>(FIND, [
    which.billKey,
    which.customer,
    which.olderThanMonths,
  ]);
  return rows.map((row) => ({ billKey: row.bill_key, replies: row.replies, obstacle: row.obstacle }));
}

const READ_REPLIES: Statement = {
  name: "audit_forget_replies",
  text: `
    select t.partner_id, t.trax_id, t.family, t.product_code, t.reply_body, exists (select from seal_block) as is_sealing
      from trax t where t.bill_key = $1 order by t.recorded_at`,
};
const REMEMBER: Statement = {
  name: "audit_forgotten_reply",
  isWrite: true,
  text: `
    insert into forgotten_reply (action_id, partner_id, trax_id, family, sha256_before, sha256_after)
    values ($1::uuid, $2::int, $3, $4, sha256(convert_to($5, 'UTF8')), sha256(convert_to($6, 'UTF8')))`,
};
const MASK_REPLY: Statement = {
  name: "audit_mask_reply",
  isWrite: true,
  text: `update trax set reply_body = $4 where partner_id = $1::int and trax_id = $2 and family = $3`,
};
const READ_QUOTES: Statement = {
  name: "audit_forget_quotes",
  text: `select partner_id, encode(quote_digest, 'hex') as digest, bit61, split_part(bill_key, ':', 1) as product_code
           from quote where bill_key = $1`,
};
const MASK_QUOTE: Statement = {
  name: "audit_mask_quote",
  isWrite: true,
  text: `update quote set bit61 = $4 where bill_key = $1 and partner_id = $2::int and quote_digest = decode($3, 'hex')`,
};
const READ_BILL: Statement = {
  name: "audit_forget_bill",
  isWrite: true,
  text: `select customer_name, details from bill where bill_key = $1 for update`,
};
const MASK_BILL: Statement = {
  name: "audit_mask_bill",
  isWrite: true,
  text: `update bill set customer_name = $2, details = $3::jsonb, updated_at = clock_timestamp() where bill_key = $1`,
};
const MASK_MERCHANT_BILL: Statement = {
  name: "audit_mask_merchant_bill",
  isWrite: true,
  text: `
    update merchant_bill
       set notes = regexp_replace(notes, '[^ ]', '*', 'g'),
           customer_email = regexp_replace(customer_email, '[^ ]', '*', 'g'),
           customer_phone = regexp_replace(customer_phone, '[^ ]', '*', 'g'),
           customer_address = regexp_replace(customer_address, '[^ ]', '*', 'g')
     where bill_key = $1`,
};

/**
 * Masks names and contacts of one bill: in the bill, in what inquiries were answered, and in the stored answers. Amounts,
 * references, entries and postings stay; so do the seals, of which the commitments to what was there are kept. One
 * transaction, one operator action. Needs the owner's role. A repeat of the payment is afterwards answered with the masked
 * bytes.
 *
 * @throws Fault `not_forgettable` with the reason; `not_sealed` while a stored answer is in no block yet, since it could not
 * be proven afterwards what it was
 */
export async function forgetBill(tx: Tx, billKey: string, order: ForgetOrder): Promise<{ readonly replies: number }> {
  const [found] = await findForgettable(tx, { billKey, customer: null, olderThanMonths: null });
  if (found === undefined)
    throw new Fault("not_forgettable", `${billKey}: no such bill, or nothing personal is left of it`);
  if (found.obstacle !== null) throw new Fault("not_forgettable", `${billKey}: ${found.obstacle}`);
  const [bill] = await tx.run<{ customer_name: string; details: Record<string, unknown> }>(READ_BILL, [billKey]);
  if (bill === undefined) throw new Fault("not_forgettable", `${billKey}: no such bill`);
  const { actor, reason, layoutOf } = order;
  const actionId = await recordOperatorAction(tx, {
    actor,
    action: MASK_ACTION,
    object: `bill:${billKey}`,
    detail: reason,
  });
  const replies = await forgetReplies(tx, billKey, actionId, layoutOf);
  const quotes = await tx.run<{ partner_id: number; digest: string; bit61: string; product_code: string }>(
    READ_QUOTES,
    [billKey],
  );
  for (const { partner_id, digest, bit61, product_code } of quotes) {
    await tx.run(MASK_QUOTE, [billKey, partner_id, digest, maskBit61(layoutOf(product_code), bit61)]);
  }
  const details = Object.fromEntries(
    Object.entries(bill.details).map(([name, value]) => [name, typeof value === "string" ? maskText(value) : null]),
  );
  await tx.run(MASK_BILL, [billKey, maskText(bill.customer_name), JSON.stringify(details)]);
  await tx.run(MASK_MERCHANT_BILL, [billKey]);
  return { replies };
}

async function forgetReplies(
  tx: Tx,
  billKey: string,
  actionId: string,
  layoutOf: ForgetOrder["layoutOf"],
): Promise<number> {
  const rows = await tx.run<{
    partner_id: number;
    trax_id: string;
    family: string;
    product_code: string;
    reply_body: string;
    is_sealing: boolean;
  }>(READ_REPLIES, [billKey]);
  for (const { partner_id, trax_id, family, product_code, reply_body, is_sealing } of rows) {
    const fields = JSON.parse(reply_body) as Readonly<Record<string, unknown>>;
    const masked = JSON.stringify(maskMessage(layoutOf(product_code), fields));
    if (masked === reply_body) continue;
    const itemKey = `reply:${partner_id}:${family}:${trax_id}`;
    const isSealed = (await findSealedItems(tx, [itemKey])).length > 0;
    // While nothing seals, there is nothing to keep whole; once something does, a row waits for its block.
    if (is_sealing || isSealed) await maskSealedItem(tx, itemKey, ["reply"], actionId);
    await tx.run(REMEMBER, [actionId, partner_id, trax_id, family, reply_body, masked]);
    await tx.run(MASK_REPLY, [partner_id, trax_id, family, masked]);
  }
  return rows.length;
}
