import { postPayments } from "../../src/flows";
import { restoreLostAttempts } from "../../src/ledger";
import { type Db, deadlineIn, systemClock } from "../../src/platform";
import { dropExpiredAttempts } from "../../src/store";
import {
  catalogOf,
  fill,
  paymentItem,
  paymentMessage,
  telkomBill,
  testDb,
  testPosting,
  transact,
} from "../support/builders";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";

describe("attempts", () => {
  let database: TestDatabase;
  let db: Db;
  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, [telkomBill(), telkomBill({ billNumber: "0021008457004" })]);
    db = testDb(database.appUrl);
  });
  afterAll(async () => {
    await db.close();
    await database.drop();
  });

  const attemptsOf = (traxId: string | undefined) =>
    database.query<{ outcome: string; note: string; request: Record<string, string> }>(
      `select outcome, note, request from attempt where trax_id = $1`,
      [traxId],
    );

  it("that a killed process took with it are written again from the registry, once, by several at the same time", async () => {
    const catalog = await catalogOf(db);
    const [paid, declined] = [paymentMessage(), paymentMessage({ billNumber: "0021008457004", amount: "1" })];
    const items = [paid, declined].map((message) => paymentItem(catalog, message));
    await postPayments(testPosting(db), items, deadlineIn(systemClock, 5_000));
    const [now, hour] = [Date.now(), 3_600_000];
    // Too young: a living process may still have them in memory.
    expect(await transact(db, (tx) => restoreLostAttempts(tx, now - hour, now - 60_000))).toBe(0);

    const counts = await Promise.all(
      [1, 2, 3].map(() => transact(db, (tx) => restoreLostAttempts(tx, now - hour, now + 60_000))),
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(await transact(db, (tx) => restoreLostAttempts(tx, now - hour, now + 60_000))).toBe(0);
    expect(await attemptsOf(paid["traxId"])).toMatchObject([
      { outcome: "APPROVED", note: expect.stringMatching(/^written again/) as string, request: { amount: "30000" } },
    ]);
    const [restored] = await attemptsOf(declined["traxId"]);
    expect(restored).toMatchObject({ outcome: "BAD_AMOUNT", request: { billNumber: "00*********04" } });
  });

  it("are dropped by whole months, no younger than agreed, and by no other way", async () => {
    await onServer(database.ownerUrl, "select ensure_month_partitions(11, date '2020-01-01')");
    await database.query(
      `insert into attempt (attempt_id, received_at, outcome, result_code, http_status, is_replay, is_delivered, duration_ms)
       select gen_random_uuid(), at, 'APPROVED', '00', 200, false, true, 1
         from unnest(array[timestamptz '2020-01-15', timestamptz '2020-12-31 16:59:59+00', now()]) at`,
    );
    const dropped = await transact(db, (tx) => dropExpiredAttempts(tx, 24));
    expect(dropped).toEqual(Array.from({ length: 12 }, (_, n) => `attempt_y2020m${String(n + 1).padStart(2, "0")}`));
    const old = await database.query(`select 1 from attempt where received_at < timestamptz '2021-01-01'`);
    expect(old).toEqual([]);
    expect((await database.query(`select 1 from attempt`)).length).toBeGreaterThan(0);
    expect(await transact(db, (tx) => dropExpiredAttempts(tx, 24))).toEqual([]);
    // The months of the books themselves stay.
    const books = await database.query(`select 1 from pg_class where relname = 'journal_entry_y2020m01'`);
    expect(books).toHaveLength(1);
  });

  it.each([[0], [2], [-1]])("are not dropped when asked to keep %i months", async (months) => {
    await expect(transact(db, (tx) => dropExpiredAttempts(tx, months))).rejects.toThrow(/at least 3 months/);
  });

  it("cannot be dropped by the auditor", async () => {
    await expect(onServer(database.auditorUrl, "select drop_expired_attempts(24)")).rejects.toThrow(
      /permission denied/,
    );
  });
});
