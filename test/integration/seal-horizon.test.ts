import pg from "pg";
import type { SealTiming } from "../../src/ledger";
import { type Db, sleep } from "../../src/platform";
import { testDb } from "../support/builders";
import { newSealKey, testSealer } from "../support/seal";
import { createTestDatabase, type TestDatabase } from "../support/services";

/** Passes look back by a fraction of a second, so that a row which is passed over once is passed over for ever. */
const HASTY: SealTiming = { margin: 30_000n, overlap: 0n, fullPassEvery: 10_000n };
const INSERT = `insert into operator_action (action_id, actor, action, object)
  values (gen_random_uuid(), 'test', 'test.write', $1)`;

describe("the sealer beside transactions that are under way", () => {
  let database: TestDatabase;
  let db: Db;
  let clients: pg.Client[];

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: database.appUrl });
    await client.connect();
    clients.push(client);
    return client;
  };
  const write = (client: pg.Client, object: string): Promise<unknown> => client.query(INSERT, [object]);
  /** Passes of a sealer, with time between them to leave everything behind that they believe to be complete. */
  const passes = async (count: number): Promise<void> => {
    const sealer = testSealer(db, { timing: HASTY });
    for (let pass = 0; pass < count; pass += 1) {
      await sleep(50);
      await sealer.drain();
    }
    await sealer.close();
  };
  const unsealed = (): Promise<{ object: string }[]> =>
    database.query(
      `select a.object from operator_action a
        where not exists (select from seal_item s where s.item_key = 'action:' || a.action_id) order by 1`,
    );
  const isMarkPast = async (): Promise<boolean> => {
    const [row] = await database.query<{ is_past: boolean }>(
      `select sealed_until > clock_timestamp() - interval '400 ms' as is_past from seal_state`,
    );
    return row?.is_past ?? false;
  };

  beforeEach(async () => {
    database = await createTestDatabase();
    db = testDb(database.appUrl, 3);
    clients = [];
    await newSealKey(database);
  });
  afterEach(async () => {
    await Promise.all(clients.map((client) => client.end()));
    await db.close();
    await database.drop();
  });

  it.each([
    { name: "nothing else has ended since it began", isOthersBusy: false },
    { name: "younger ones end all the time", isOthersBusy: true },
  ])("finds the row of a transaction that ends late, when $name", async ({ isOthersBusy }) => {
    const [slow, other] = [await connect(), await connect()];
    await write(other, "first");
    await passes(3);
    await slow.query("begin");
    await write(slow, "slow");
    for (let round = 0; round < 4; round += 1) {
      if (isOthersBusy) await write(other, "quick");
      await passes(2);
    }
    expect(await isMarkPast()).toBe(false);
    await slow.query("commit");
    await passes(3);
    expect(await unsealed()).toEqual([]);
    expect(await isMarkPast()).toBe(true);
  });

  it("finds a row that is older than everything that the very first pass could see", async () => {
    const [slow, other] = [await connect(), await connect()];
    await slow.query("begin");
    await write(slow, "oldest");
    await sleep(200);
    await write(other, "seen first");
    await passes(4);
    await slow.query("commit");
    await passes(3);
    expect(await unsealed()).toEqual([]);
  });

  it("finds a row of a transaction that began before the first full pass's mark was taken and wrote behind it", async () => {
    const [slow, other] = [await connect(), await connect()];
    await passes(1);
    await slow.query("begin");
    await write(slow, "in an empty ledger");
    await sleep(200);
    await write(other, "seen first");
    await passes(4);
    await slow.query("commit");
    await passes(3);
    expect(await unsealed()).toEqual([]);
  });

  it("finds what is written under savepoints, kept and taken back", async () => {
    const [slow, other] = [await connect(), await connect()];
    await slow.query("begin");
    await slow.query("savepoint kept");
    await write(slow, "kept");
    await slow.query("release savepoint kept");
    await slow.query("savepoint undone");
    await write(slow, "undone");
    await slow.query("rollback to savepoint undone");
    await passes(3);
    await slow.query("savepoint deep");
    await slow.query("savepoint deeper");
    await write(slow, "deeper");
    await write(other, "other");
    await passes(3);
    await slow.query("commit");
    await passes(3);
    expect(await unsealed()).toEqual([]);
    const rows = await database.query<{ object: string }>("select object from operator_action order by 1");
    expect(rows.map(({ object }) => object)).toEqual(["deeper", "kept", "other"]);
  });

  it("finds the row of a transaction that began long before it got its number", async () => {
    const late = await connect();
    await late.query("begin isolation level repeatable read");
    await late.query("select count(*) from operator_action");
    await passes(4);
    // Only now does it write; it has been reading on its old snapshot all along.
    await write(late, "late number");
    await passes(4);
    await late.query("commit");
    await passes(3);
    expect(await unsealed()).toEqual([]);
  });

  it("passes nothing over while writers of every kind come and go", async () => {
    const sealer = testSealer(db, { timing: HASTY, intervalMs: 2 });
    const writer = async (kind: number): Promise<void> => {
      const client = await connect();
      for (let round = 0; round < 25; round += 1) {
        await client.query("begin");
        if (kind % 2 === 0) await client.query("savepoint here");
        if (kind % 3 === 0) await sleep(Math.random() * 60);
        await write(client, `writer ${kind} round ${round}`);
        if (kind % 2 === 0) await client.query("release savepoint here");
        await sleep(Math.random() * (kind === 5 ? 300 : 40));
        await client.query(Math.random() < 0.2 ? "rollback" : "commit");
      }
    };
    await Promise.all([0, 1, 2, 3, 4, 5].map(writer));
    await sealer.close();
    await passes(3);
    expect(await unsealed()).toEqual([]);
    const [count] = await database.query<{ count: bigint }>("select count(*) from operator_action");
    expect(Number(count?.count)).toBeGreaterThan(80);
  });
});
