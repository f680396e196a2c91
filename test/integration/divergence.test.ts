import { postPayments } from "../../src/flows";
import { trackDivergences } from "../../src/ledger";
import { type Db, deadlineIn, systemClock } from "../../src/platform";
import { type Attempt, insertAttempts, openExceptions } from "../../src/store";
import {
  catalogOf,
  fill,
  newTraxId,
  paymentItem,
  paymentMessage,
  telkomBill,
  testDb,
  testPosting,
  transact,
} from "../support/builders";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";

const numbers = Array.from({ length: 10 }, (_, index) => `00210086${String(10_000 + index)}`);

describe("divergences", () => {
  let database: TestDatabase;
  let db: Db;
  let unused = 0;
  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(
      database,
      numbers.map((billNumber) => telkomBill({ billNumber })),
    );
    db = testDb(database.appUrl);
  });
  afterAll(async () => {
    await db.close();
    await database.drop();
  });

  async function pay(changes: Record<string, string> = {}): Promise<string> {
    const item = paymentItem(
      await catalogOf(db),
      paymentMessage({ billNumber: numbers[unused++] as string, ...changes }),
    );
    await postPayments(testPosting(db), [item], deadlineIn(systemClock, 5_000));
    return item.message.traxId;
  }
  const attemptOf = (traxId: string, changes: Partial<Attempt>): Attempt => ({
    ...{ attemptId: crypto.randomUUID(), receivedAtMs: Date.now(), partnerId: 1, transactionType: "50", traxId },
    ...{ productCode: "001001", outcome: "APPROVED", resultCode: "00", httpStatus: 200, isReplay: false, note: null },
    ...{ isDelivered: true, durationMs: 1, sourceAddress: null, request: null, reply: null },
    ...changes,
  });
  const see = (traxId: string, changes: Partial<Attempt> = {}) =>
    transact(db, (tx) => insertAttempts(tx, [attemptOf(traxId, changes)]));
  const track = () => transact(db, (tx) => trackDivergences(tx, Date.now() - 3_600_000, Date.now() + 1_000));

  it("open for what was decided and never delivered, and close by themselves with a repeat", async () => {
    const delivered = await pay();
    await see(delivered);
    const lost = await pay();
    await see(lost, { isDelivered: false });
    const unseen = await pay();
    const declined = await pay({ amount: "1" });
    const answeredUnknown = await pay();
    await see(answeredUnknown, { outcome: "UNKNOWN", resultCode: "68" });
    const { opened, closed } = await track();
    expect([...opened].toSorted()).toEqual([lost, unseen, declined, answeredUnknown].toSorted());
    expect(closed).toEqual([]);
    expect(await track()).toEqual({ opened: [], closed: [] });

    await see(lost, { isReplay: true });
    await see(answeredUnknown, { isReplay: true });
    const second = await track();
    expect([...second.closed].toSorted()).toEqual([lost, answeredUnknown].toSorted());
    expect(second.opened).toEqual([]);
    const rows = await database.query<{ trax_id: string; closed_because: string | null }>(
      `select trax_id, closed_because from exception where kind = 'divergence' and trax_id = any($1)`,
      [[lost, unseen]],
    );
    expect(rows).toEqual(
      expect.arrayContaining([
        { trax_id: lost, closed_because: "a repeat was answered" },
        { trax_id: unseen, closed_because: null },
      ]),
    );
  });

  it("are not opened twice by several processes at once, nor again once they are closed", async () => {
    const traxId = await pay();
    const opened = await Promise.all([track(), track(), track()]);
    expect(opened.flatMap((each) => each.opened).filter((each) => each === traxId)).toHaveLength(1);
    await see(traxId, { isReplay: true });
    expect((await track()).closed).toContain(traxId);
    expect((await track()).opened).toEqual([]);
  });
});

describe("exceptions", () => {
  let database: TestDatabase;
  let db: Db;
  beforeAll(async () => {
    database = await createTestDatabase();
    db = testDb(database.appUrl);
  });
  afterAll(async () => {
    await db.close();
    await database.drop();
  });
  const about = () => ({ billKey: "001001:1", partnerId: 1, traxId: newTraxId(), otherTraxId: null, amount: 1n });

  it("are open once for a kind and traxId", async () => {
    const exception = { ...about(), kind: "suspense", detail: "x" } as const;
    for (let n = 0; n < 3; n++) await transact(db, (tx) => openExceptions(tx, [exception]));
    expect(await database.query(`select 1 from exception where trax_id = $1`, [exception.traxId])).toHaveLength(1);
  });

  it("are closed with a reason, never opened again, changed otherwise or deleted", async () => {
    const exception = { ...about(), kind: "refund", detail: "x" } as const;
    await transact(db, (tx) => openExceptions(tx, [exception]));
    const own = `where trax_id = '${exception.traxId}'`;
    await expect(onServer(database.appUrl, `update exception set closed_at = now() ${own}`)).rejects.toMatchObject({
      constraint: "exception_closed_with_reason",
    });
    await expect(onServer(database.appUrl, `update exception set amount = 0 ${own}`)).rejects.toThrow(
      /permission denied/,
    );
    await onServer(database.appUrl, `update exception set closed_at = now(), closed_because = 'done' ${own}`);
    const reopen = `update exception set closed_at = null, closed_because = null ${own}`;
    for (const url of [database.appUrl, database.ownerUrl])
      await expect(onServer(url, reopen)).rejects.toThrow(/is closed/);
    await expect(onServer(database.ownerUrl, `delete from exception`)).rejects.toThrow(/append-only/);
    await expect(onServer(database.appUrl, `delete from exception`)).rejects.toThrow(/permission denied/);
    await expect(onServer(database.ownerUrl, `truncate exception`)).rejects.toThrow(/append-only/);
  });
});
