import pg from "pg";
import { type SealTiming } from "../../src/ledger";
import { type Db, sleep } from "../../src/platform";
import { recordOperatorAction } from "../../src/store";
import { testDb, transact } from "../support/builders";
import { fillWithBills, newSealKey, payBills, testSealer } from "../support/seal";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";

/** Passes look back by fractions of a second, so that what is late is late at once. */
const HASTY: SealTiming = { margin: 50_000n, overlap: 0n, fullPassEvery: 20_000n };

describe("the sealer", () => {
  let database: TestDatabase;
  let db: Db;
  let bills: string[];
  const paying = (count: number): Promise<string[]> => payBills(db, bills.splice(0, count));
  const unsealed = async (): Promise<string[]> =>
    (
      await database.query<{ name: string }>(
        `select name from (
           select 'entry:' || entry_id as name from journal_entry
           union all select 'reply:' || partner_id || ':' || family || ':' || trax_id from trax
           union all select 'action:' || action_id from operator_action) rows
         where not exists (select from seal_item s where s.item_key = rows.name)`,
      )
    ).map(({ name }) => name);

  beforeAll(async () => {
    database = await createTestDatabase();
    bills = await fillWithBills(database, 120);
    db = testDb(database.appUrl, 6);
  });
  afterAll(async () => {
    await db.close();
    await database.drop();
  });

  it("does nothing without a key", async () => {
    await paying(2);
    const sealer = testSealer(db);
    await expect(sealer.drain()).resolves.toBeNull();
    expect(await unsealed()).toHaveLength(4);
  });

  it("puts every entry, reply and action into a block, once and in order", async () => {
    await newSealKey(database);
    await paying(20);
    await transact(db, (tx) =>
      recordOperatorAction(tx, {
        actor: "test (test)",
        action: "product.load",
        object: "product:001001",
        after: { a: 1 },
      }),
    );
    const sealer = testSealer(db, { leavesMax: 7 });
    const blocks = await sealer.drain();
    expect(blocks).toBe(Math.ceil(45 / 7));
    expect(await unsealed()).toEqual([]);
    const numbers = await database.query<{ block_no: string; leaf_count: number; items: string }>(
      `select b.block_no, b.leaf_count, (select count(*) from seal_item i where i.block_no = b.block_no) as items
         from seal_block b order by 1`,
    );
    expect(numbers.map((row) => Number(row.block_no))).toEqual([1, 2, 3, 4, 5, 6, 7]);
    for (const row of numbers) expect(Number(row.items)).toBe(row.leaf_count);
    await expect(sealer.drain()).resolves.toBe(0);
    expect(sealer.lagSeconds).toBeLessThan(5);
  });

  it("finds a row that commits long after younger ones were sealed", async () => {
    const sealer = testSealer(db, { timing: HASTY });
    const slow = new pg.Client({ connectionString: database.appUrl });
    await slow.connect();
    await slow.query("begin");
    await slow.query(
      `insert into operator_action (action_id, actor, action, object) values (gen_random_uuid(), 'slow', 'slow', 'slow')`,
    );
    await paying(3);
    for (let round = 0; round < 5; round += 1) {
      await sleep(100);
      await sealer.drain();
    }
    // Everything that can be seen is sealed; the mark waits for the one that cannot.
    expect(await unsealed()).toEqual([]);
    const [mark] = await database.query<{ waits: boolean }>(
      `select sealed_until < clock_timestamp() - interval '300 ms' as waits from seal_state`,
    );
    expect(mark?.waits).toBe(true);
    await slow.query("commit");
    await slow.end();
    expect(await unsealed()).toHaveLength(1);
    await sealer.drain();
    expect(await unsealed()).toEqual([]);
    await sleep(50);
    await sealer.drain();
    const [later] = await database.query<{ follows: boolean }>(
      `select sealed_until > clock_timestamp() - interval '300 ms' as follows from seal_state`,
    );
    expect(later?.follows).toBe(true);
  });

  it("keeps one chain when several processes seal while payments go on", async () => {
    const pools = [testDb(database.appUrl, 2), testDb(database.appUrl, 2), testDb(database.appUrl, 2)];
    const sealers = pools.map((pool) => testSealer(pool, { intervalMs: 5, leavesMax: 5, timing: HASTY }));
    for (let round = 0; round < 10; round += 1) await paying(6);
    const deadline = Date.now() + 10_000;
    while ((await unsealed()).length > 0 && Date.now() < deadline) {
      await sleep(50);
    }
    await Promise.all(sealers.map((sealer) => sealer.close()));
    await Promise.all(pools.map((pool) => pool.close()));
    expect(await unsealed()).toEqual([]);
    const [chain] = await database.query<{ broken: bigint }>(
      `select count(*) as broken from seal_block b
        where b.header not like '%previous 64 ' || coalesce((select encode(block_hash, 'hex') from seal_block p
                                         where p.block_no = b.block_no - 1), repeat('0', 64)) || E'\\n%'`,
    );
    expect(chain).toEqual({ broken: 0n });
  });

  it("looks back when the database's clock was set back, and says so", async () => {
    const behind: number[] = [];
    const sealer = testSealer(db, { onClockSetBack: (seconds) => behind.push(seconds) });
    await sealer.drain();
    await onServer(
      database.superuserUrl,
      `update seal_state set seen_at = clock_timestamp() + interval '1 hour', scanned_until = clock_timestamp() + interval '1 hour',
              sealed_until = clock_timestamp() + interval '59 minutes'`,
    );
    await paying(2);
    await sealer.drain();
    expect(behind).toHaveLength(1);
    expect(behind[0]).toBeGreaterThan(3_500);
    expect(await unsealed()).toEqual([]);
  });
});
