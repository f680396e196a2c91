import { verifySeals } from "../../src/ledger";
import { testDb } from "../support/builders";
import { deadlineIn, systemClock } from "../../src/platform";
import globalSetup from "../support/global-setup";
import globalTeardown from "../support/global-teardown";
import { newSealKey, testSealer } from "../support/seal";
import { createTestDatabase } from "../support/services";

// `npm run bench:seal -- [payments]`: how fast a backlog is sealed and verified, and what the index over the time of
// recording costs an insert. Two leaves for each payment: its entry and its reply.

const payments = Number(process.argv[2] ?? 100_000);

const FILL = `
  with made as (
    select n, gen_random_uuid() as id, '001001:' || (100000000000 + n) as bill_key, (100000000000 + n)::text as bill_number
      from generate_series(1, $1::int) n
  ), registered as (
    insert into trax (partner_id, trax_id, family, fingerprint, product_code, bill_number, bill_key, amount, fee_amount, channel,
                      outcome, result_code, sys_code, reply_body, entry_id, business_date, received_at)
    select 1, 'B' || n, 'payment', decode('01' || repeat('ab', 32), 'hex'), '001001', bill_number, bill_key, 30000, 5000, '6017',
           'APPROVED', '00', '123456789012', rpad('{"bit61":"', 900, 'x'), id, current_date, now()
      from made
  ), entered as (
    insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code, bill_number, amount,
                               fee_amount, channel, happened_at)
    select id, bill_key, current_date, 'payment', 1, 'B' || n, '001001', bill_number, 30000, 5000, '6017', now() from made
  )
  insert into posting (entry_id, line_no, bill_key, business_date, account_code, side, amount)
  select id, l.line_no, bill_key, current_date, l.account_code, l.side, l.amount
    from made, (values (1, 'due-from-switch', 'debit', 35000), (2, 'bill-collections', 'credit', 30000),
                       (3, 'fee-earned', 'credit', 5000)) as l(line_no, account_code, side, amount)`;

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return (performance.now() - startedMs) / 1_000;
}

async function main(): Promise<void> {
  await globalSetup();
  const database = await createTestDatabase();
  const db = testDb(database.appUrl, 2, 120_000);
  try {
    await newSealKey(database);
    const fill = async (count: number): Promise<number> => seconds(() => database.query(FILL, [count]));
    console.log(`filled with ${payments} payments in ${(await fill(payments)).toFixed(1)} s`);
    const sealer = testSealer(db);
    const before = process.cpuUsage();
    let blocks: number | null = 0;
    const took = await seconds(async () => {
      blocks = await sealer.drain();
    });
    const cpu = process.cpuUsage(before);
    const leaves = payments * 2;
    console.log(
      `sealed ${leaves} leaves in ${blocks} blocks in ${took.toFixed(1)} s: ${Math.round(leaves / took)} leaves/s, ` +
        `${Math.round(payments / took)} payments/s; this process used ${((cpu.user + cpu.system) / leaves).toFixed(0)} µs of CPU a leaf`,
    );
    const idle = await seconds(() => sealer.drain());
    console.log(`a pass that finds nothing: ${(idle * 1_000).toFixed(1)} ms`);
    const verdict = { findings: -1 };
    const verified = await seconds(async () => {
      const done = await db.withTransaction(deadlineIn(systemClock, 600_000), (tx) => verifySeals(tx));
      verdict.findings = done.findings.length;
    });
    console.log(
      `verified in ${verified.toFixed(1)} s: ${Math.round(leaves / verified)} leaves/s, ${verdict.findings} findings`,
    );
    const [size] = await database.query<{ seal: bigint; books: bigint }>(
      `select pg_total_relation_size('seal_item') + pg_total_relation_size('seal_block') as seal,
              pg_total_relation_size('trax') + (select sum(pg_total_relation_size(inhrelid))::bigint from pg_inherits
                where inhparent in ('journal_entry'::regclass, 'posting'::regclass)) as books`,
    );
    console.log(
      `seals take ${Number(size?.seal) / leaves} bytes a leaf, the books ${Number(size?.books) / payments} bytes a payment`,
    );
  } finally {
    await db.close();
    await database.drop();
    await globalTeardown();
  }
}

void main().then(() => process.exit(0));
