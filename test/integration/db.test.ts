import {
  CommitUnknown,
  DatabaseUnavailable,
  type Db,
  DeadlinePassed,
  deadlineIn,
  RolledBack,
  type Statement,
  systemClock,
} from "../../src/platform";
import { testDb, transact } from "../support/builders";
import { type CuttableProxy, openProxy } from "../support/cuttable-proxy";
import { createTestDatabase, type TestDatabase } from "../support/services";

const insert = (n: number): Statement => ({ name: `insert_${n}`, isWrite: true, text: `insert into t values (${n})` });
const read = (text: string): Statement => ({ name: text.slice(0, 60), text });
const FAILING: Statement = { name: "failing", text: "select 1/0" };

describe("a transaction", () => {
  let database: TestDatabase;
  let db: Db;
  const rows = async (): Promise<number[]> =>
    (await database.query<{ n: number }>("select n from t order by n")).map((row) => row.n);

  beforeAll(async () => {
    database = await createTestDatabase();
    await database.query("create table t (n int primary key); grant all on t to biller_app");
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await database.query("truncate t");
    db = testDb(database.appUrl, 1);
  });
  afterEach(() => db.close());

  it("keeps what was written, and reads bigint as BigInt and days as text", async () => {
    const [row] = await transact(db, async (tx) => {
      await tx.run(insert(1), []);
      return tx.run(read("select 9007199254740993::bigint as big, date '2026-03-01' as day"), []);
    });
    expect(row).toEqual({ big: 9_007_199_254_740_993n, day: "2026-03-01" });
    expect(await rows()).toEqual([1]);
  });

  it("does not take PostgreSQL's ROLLBACK for a commit when a failed statement was swallowed", async () => {
    const outcome = transact(db, async (tx) => {
      await tx.run(insert(1), []);
      await tx.run(FAILING, []).catch(() => {});
      return "as if all were well";
    });
    await expect(outcome).rejects.toBeInstanceOf(RolledBack);
    expect(await rows()).toEqual([]);
    await transact(db, (tx) => tx.run(insert(2), []));
    expect(await rows()).toEqual([2]);
  });

  it("rolls back and gives the error on when the work throws", async () => {
    const outcome = transact(db, async (tx) => {
      await tx.run(insert(1), []);
      throw new Error("changed my mind");
    });
    await expect(outcome).rejects.toThrow("changed my mind");
    expect(await rows()).toEqual([]);
  });

  it("does not run writes that are sent along with a failing statement", async () => {
    const outcome = transact(db, async (tx) => {
      await Promise.all([tx.run(FAILING, []), tx.run(insert(1), [])]);
    });
    await expect(outcome).rejects.toThrow(/division by zero/);
    expect(await rows()).toEqual([]);
  });

  it("stops at the deadline, writes nothing, and does not hand out the connection again", async () => {
    const startedMs = performance.now();
    const outcome = db.withTransaction(deadlineIn(systemClock, 200), async (tx) => {
      await tx.run(insert(1), []);
      await tx.run(read("select pg_sleep(3)"), []);
    });
    await expect(outcome).rejects.toBeInstanceOf(DeadlinePassed);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    // The pool has one connection: the next transaction needs a new one.
    await transact(db, (tx) => tx.run(insert(2), []));
    expect(await rows()).toEqual([2]);
  });

  it("does not commit when the deadline passed while the work was being done elsewhere", async () => {
    const outcome = db.withTransaction(deadlineIn(systemClock, 80), async (tx) => {
      await tx.run(insert(1), []);
      await new Promise((resolve) => setTimeout(resolve, 150));
    });
    await expect(outcome).rejects.toBeInstanceOf(DeadlinePassed);
    expect(await rows()).toEqual([]);
  });

  it("bounds the wait for a free connection by the deadline, and leaks none", async () => {
    let release = (): void => {};
    const holding = transact(db, async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    const startedMs = performance.now();
    const outcome = db.withTransaction(deadlineIn(systemClock, 100), (tx) => tx.run(insert(1), []));
    await expect(outcome).rejects.toBeInstanceOf(DeadlinePassed);
    expect(performance.now() - startedMs).toBeLessThan(500);
    release();
    await holding;
    await transact(db, (tx) => tx.run(insert(2), []));
    expect(await rows()).toEqual([2]);
  });

  it("reports a deferred constraint that refuses the COMMIT as a definite no", async () => {
    await database.query(
      `create table once (n int unique deferrable initially deferred); grant all on once to biller_app`,
    );
    const twice: Statement = { name: "twice", isWrite: true, text: "insert into once values (1), (1)" };
    await expect(transact(db, (tx) => tx.run(twice, []))).rejects.toMatchObject({ code: "23505" });
    await expect(transact(db, (tx) => tx.run(insert(2), []))).resolves.toBeDefined();
  });
});

describe("a transaction over a bad line", () => {
  let database: TestDatabase;
  let proxy: CuttableProxy;
  let db: Db;
  const isCommit = (chunk: Buffer): boolean => chunk.includes("commit");
  const rows = async (): Promise<number[]> =>
    (await database.query<{ n: number }>("select n from t order by n")).map((row) => row.n);

  beforeAll(async () => {
    database = await createTestDatabase();
    await database.query("create table t (n int primary key); grant all on t to biller_app");
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await database.query("truncate t");
    const url = new URL(database.appUrl);
    proxy = await openProxy(Number(url.port));
    url.port = String(proxy.port);
    db = testDb(url.toString(), 2);
  });
  afterEach(async () => {
    await db.close();
    await proxy.close();
  });

  it("says that the outcome is unknown when the line is cut behind the COMMIT, which was carried out", async () => {
    proxy.onClientData = (chunk) => (isCommit(chunk) ? "pass-and-cut" : "pass");
    await expect(transact(db, (tx) => tx.run(insert(1), []))).rejects.toBeInstanceOf(CommitUnknown);
    expect(await rows()).toEqual([1]);
  });

  it("says that the outcome is unknown when the line is cut before the COMMIT arrives, which was not", async () => {
    proxy.onClientData = (chunk) => (isCommit(chunk) ? "drop-and-cut" : "pass");
    await expect(transact(db, (tx) => tx.run(insert(1), []))).rejects.toBeInstanceOf(CommitUnknown);
    expect(await rows()).toEqual([]);
  });

  it("says that the outcome is unknown when the COMMIT gets no answer until the deadline", async () => {
    proxy.onClientData = (chunk) => (isCommit(chunk) ? "stall" : "pass");
    const outcome = db.withTransaction(deadlineIn(systemClock, 300), (tx) => tx.run(insert(1), []));
    await expect(outcome).rejects.toBeInstanceOf(CommitUnknown);
    proxy.onClientData = () => "pass";
    await transact(db, (tx) => tx.run(insert(2), []));
    expect(await rows()).toEqual([2]);
  });

  it("is unavailable, with nothing written, when the line is cut before COMMIT, and works again afterwards", async () => {
    const outcome = transact(db, async (tx) => {
      await tx.run(insert(1), []);
      proxy.cutAll();
      await tx.run(read("select 1"), []);
    });
    await expect(outcome).rejects.toBeInstanceOf(DatabaseUnavailable);
    expect(await rows()).toEqual([]);
    await transact(db, (tx) => tx.run(insert(2), []));
    expect(await rows()).toEqual([2]);
  });

  it("is unavailable soon when there is no server at all", async () => {
    await proxy.close();
    const startedMs = performance.now();
    await expect(transact(db, (tx) => tx.run(insert(1), []))).rejects.toBeInstanceOf(DatabaseUnavailable);
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    proxy = await openProxy(1);
  });

  it("survives idle connections that the server ends", async () => {
    await transact(db, (tx) => tx.run(insert(1), []));
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'test'`,
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    await transact(db, (tx) => tx.run(insert(2), []));
    expect(await rows()).toEqual([1, 2]);
  });
});
