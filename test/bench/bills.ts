import type { TestDatabase } from "../support/services";
import { type Bit61, billNumberSql, SCENE } from "./messages";

/** Rows that one statement makes; between two statements there is a line of progress. */
const CHUNK = 200_000;

/** Bills `from` up to `to`, each with its items, some of it paid already; the server makes the rows itself. */
export async function makeBills(
  database: TestDatabase,
  options: { readonly from: number; readonly to: number; readonly itemAmount: number; readonly paidAmount: number },
  say: (line: string) => void,
): Promise<void> {
  const { from, to, itemAmount, paidAmount } = options;
  const { productCode, itemCount, feeAmount, customerName, details, references } = SCENE;
  const number = billNumberSql("i");
  await inChunks(database, from, to, say, "bills", [
    `insert into bill (bill_key, product_code, bill_number, version, total_amount, paid_amount, fee_amount, customer_name, details)
     select '${productCode}:' || n, '${productCode}', n, ${paidAmount > 0 ? 2 : 1}, ${itemCount * itemAmount},
            ${paidAmount}, ${feeAmount}, '${customerName}',
            '${JSON.stringify(details)}'::jsonb
       from (select ${number} as n from generate_series($1::int, $2::int) i) numbers`,
    `insert into bill_item (bill_key, item_no, reference, amount)
     select '${productCode}:' || ${number}, r.no, r.reference, ${itemAmount}
       from generate_series($1::int, $2::int) i
      cross join unnest('{${references.join()}}'::text[]) with ordinality r(reference, no)`,
  ]);
}

/** For each of these bills the quote of an inquiry that was answered just now and is honoured for a day. */
export async function makeQuotes(
  database: TestDatabase,
  { from, to, itemAmount, bit61 }: { readonly from: number; readonly to: number; itemAmount: number; bit61: Bit61 },
  say: (line: string) => void,
): Promise<void> {
  const total = SCENE.itemCount * itemAmount;
  await inChunks(database, from, to, say, "quotes", [
    `insert into quote (bill_key, partner_id, quote_digest, bill_version, amount, fee_amount, bit61, body_width,
                        quoted_at, honoured_until)
     select '${SCENE.productCode}:' || n, 1,
            sha256(convert_to(n || substr('${bit61.text}', 14) || E'\\n${total}\\n${SCENE.feeAmount}', 'UTF8')),
            1, ${total}, ${SCENE.feeAmount}, n || substr('${bit61.text}', 14), ${bit61.bodyWidth},
            now(), now() + interval '1 day'
       from (select ${billNumberSql("i")} as n from generate_series($1::int, $2::int) i) numbers`,
  ]);
}

/** For each of these bills one payment of `amount` that was taken a while ago: registry row, entry, postings. */
export async function makeEntries(
  database: TestDatabase,
  options: { readonly from: number; readonly to: number; readonly amount: number; readonly replyBody: string },
  say: (line: string) => void,
): Promise<void> {
  const { amount, replyBody } = options;
  const { productCode, feeAmount } = SCENE;
  const number = billNumberSql("i");
  // Version 7, as the host makes them: they sort by time, and so do these.
  const entry = `('01980000-' || lpad(to_hex(i >> 16), 4, '0') || '-7' || lpad(to_hex((i >> 4) & 4095), 3, '0') || '-8' ||
                  lpad(to_hex(i & 15), 3, '0') || '-' || substr(md5(i::text), 1, 12))::uuid`;
  const day = `(now() at time zone 'Asia/Jakarta')::date`;
  await inChunks(database, options.from, options.to, say, "entries", [
    `insert into trax (partner_id, trax_id, family, fingerprint, product_code, bill_number, bill_key, amount, fee_amount,
                       channel, outcome, result_code, sys_code, reply_body, entry_id, business_date, received_at)
     select 1, 'OLD' || i, 'payment', '\\x01'::bytea || sha256(convert_to(i::text, 'UTF8')), '${productCode}', ${number},
            '${productCode}:' || ${number}, ${amount}, ${feeAmount}, '6017', 'APPROVED', '00', '123456789012',
            '${replyBody.replaceAll("'", "''")}', ${entry}, ${day}, now()
       from generate_series($1::int, $2::int) i`,
    `insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code, bill_number,
                                amount, fee_amount, channel, happened_at)
     select ${entry}, '${productCode}:' || ${number}, ${day}, 'payment', 1, 'OLD' || i, '${productCode}', ${number},
            ${amount}, ${feeAmount}, '6017', now()
       from generate_series($1::int, $2::int) i`,
    `insert into posting (entry_id, line_no, bill_key, business_date, account_code, side, amount)
     select ${entry}, l.no, '${productCode}:' || ${number}, ${day}, l.account, l.side, l.amount
       from generate_series($1::int, $2::int) i
      cross join (values (1, 'due-from-switch', 'debit', ${amount + feeAmount}),
                         (2, 'bill-collections', 'credit', ${amount}),
                         (3, 'fee-earned', 'credit', ${feeAmount})) l(no, account, side, amount)`,
  ]);
}

async function inChunks(
  database: TestDatabase,
  from: number,
  to: number,
  say: (line: string) => void,
  what: string,
  statements: readonly string[],
): Promise<void> {
  // Triggers and foreign keys would check every made row; the laws of the books are checked over all of them later.
  await database.query("set session_replication_role = replica");
  for (let first = from; first < to; first += CHUNK) {
    const last = Math.min(first + CHUNK, to) - 1;
    for (const statement of statements) await database.query(statement, [first, last]);
    say(`${(last + 1 - from).toLocaleString("en")} of ${(to - from).toLocaleString("en")} ${what} made`);
  }
  await database.query("set session_replication_role = origin");
}
