import { addTotals } from "../../src/ledger";
import { testDb, transact } from "../support/builders";
import type { TestDatabase } from "../support/services";

/** Rows that one statement makes. */
const CHUNK = 200_000;
/** Payments of one bill. */
export const BILLS_PER_ROWS = 4;
const MONTHS = 12;
/** Blocks are larger than those of a host, and without real hashes: what is measured does not read them. */
const LEAVES = 2_000;

/**
 * A year of payments up to now, made by the server itself: 98 of 100 accepted, 2 declined, an attempt for each. In the order
 * of time, as a host writes them.
 */
export async function makeAuditRows(database: TestDatabase, rows: number, say: (line: string) => void): Promise<void> {
  await database.query(`select ensure_month_partitions(${MONTHS + 2}, (now() - interval '${MONTHS} months')::date)`);
  const startAt = new Date(Math.floor(Date.now() / 1_000) * 1_000 - MONTHS * 30 * 86_400_000).toISOString();
  const stepMs = Math.floor((MONTHS * 30 * 86_400_000) / rows);
  const number = `lpad((i % ${Math.max(1, Math.floor(rows / BILLS_PER_ROWS))})::text, 13, '0')`;
  const columns = `
    select i, 'A' || i as trax_id, ${number} as bill_number, '001001:' || ${number} as bill_key, (i % 100000)::bigint + 1 as amount,
           i % 50 = 0 as is_declined, start_at + i * interval '${stepMs} milliseconds' as at,
           ((start_at + i * interval '${stepMs} milliseconds') at time zone 'Asia/Jakarta')::date as day,
           (lpad(to_hex((extract(epoch from start_at + i * interval '${stepMs} milliseconds') * 1000)::bigint), 12, '0') ||
            '7' || substr(md5(i::text), 1, 3) || '8' || substr(md5(i::text), 4, 15))::uuid as entry_id
      from generate_series($1::int, $2::int) i, (select '${startAt}'::timestamptz as start_at) s`;
  for (let from = 1; from <= rows; from += CHUNK) {
    const to = Math.min(rows, from + CHUNK - 1);
    say(`rows ${to.toLocaleString("en")} of ${rows.toLocaleString("en")}`);
    const reply = JSON.stringify({ bit61: "x".repeat(134), customerData: {}, resultCode: "00", resultDesc: "Approve" });
    for (const statement of [
      `insert into trax (partner_id, trax_id, family, fingerprint, product_code, bill_number, bill_key, amount, fee_amount,
                         channel, outcome, result_code, sys_code, reply_body, entry_id, business_date, received_at, recorded_at)
       select 1, trax_id, 'payment', '\\x01'::bytea || sha256(convert_to(trax_id, 'UTF8')), '001001', bill_number, bill_key,
              amount, 500, '6017', case when is_declined then 'BAD_AMOUNT' else 'APPROVED' end, '00', '123456789012',
              '${reply}', case when not is_declined then entry_id end, day, at, at + interval '8 milliseconds'
         from (${columns}) n`,
      `insert into posting (entry_id, line_no, bill_key, business_date, account_code, side, amount)
       select entry_id, l.no, bill_key, day, l.account, l.side, case l.no when 1 then amount + 500 when 2 then amount else 500 end
         from (${columns}) n
        cross join (values (1, 'due-from-switch', 'debit'), (2, 'bill-collections', 'credit'), (3, 'fee-earned', 'credit'))
                   l(no, account, side)
        where not is_declined`,
      // Its trigger looks for the postings of an entry, so they come first here.
      `insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code, bill_number,
                                  amount, fee_amount, channel, happened_at, recorded_at)
       select entry_id, bill_key, day, 'payment', 1, trax_id, '001001', bill_number, amount, 500, '6017', at,
              at + interval '8 milliseconds'
         from (${columns}) n where not is_declined`,
      `insert into attempt (attempt_id, received_at, partner_id, transaction_type, product_code, trax_id, outcome, result_code,
                            http_status, is_replay, is_delivered, duration_ms)
       select gen_random_uuid(), at, 1, '50', '001001', trax_id, case when is_declined then 'BAD_AMOUNT' else 'APPROVED' end,
              '00', 200, false, true, 8
         from (${columns}) n`,
    ]) {
      await database.query(statement, [from, to]);
    }
  }
  await vacuum(database, say, ["trax", "journal_entry", "posting", "attempt"]);
  await makeTotals(database, rows, say);
  await vacuum(database, say, ["seal_item", "posting_total"]);
}

/** Everything up to the last per mille is sealed, and added to the totals as the sealer does it. */
async function makeTotals(database: TestDatabase, rows: number, say: (line: string) => void): Promise<void> {
  say("blocks");
  await database.query(
    `insert into seal_item (block_no, leaf_no, item_key, business_date, salt)
     select (n - 1) / ${LEAVES} + 1, (n - 1) % ${LEAVES}, 'entry:' || entry_id, business_date, sha256('')
       from (select entry_id, business_date, row_number() over (order by entry_id) as n from journal_entry) e
      where n <= $1::int`,
    [Math.floor(rows * 0.979)],
  );
  await database.query(
    `insert into seal_block (block_no, header, block_hash, signature, leaf_count, leaf_hashes, sealed_at)
     select n, '', sha256(n::text::bytea), decode(repeat('00', 64), 'hex'), 1, sha256(''), now()
       from generate_series(1, (select max(block_no) from seal_item)) n`,
  );
  await database.query(
    `update seal_state set sealed_until = (select max(e.recorded_at) from journal_entry e, seal_item s
       where s.block_no = (select max(block_no) from seal_item) and s.item_key = 'entry:' || e.entry_id)`,
  );
  say("totals");
  const db = testDb(database.appUrl, 1);
  const startedMs = performance.now();
  while (await transact(db, addTotals));
  say(`totals of ${rows} traxIds in ${Math.round(performance.now() - startedMs)} ms`);
  await db.close();
}

async function vacuum(database: TestDatabase, say: (line: string) => void, tables: readonly string[]): Promise<void> {
  say("vacuum and analyze");
  for (const table of tables) await database.query(`vacuum (analyze) ${table}`);
}
