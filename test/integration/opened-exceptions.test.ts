import { MONEY_ACTIONS, moneyActionsFor, OPENED_KINDS, type OpenedKind } from "../../src/domain";
import { postPayments } from "../../src/flows";
import { handleItem, type QueueItem, readItem } from "../../src/ops";
import { type Db, deadlineIn, systemClock } from "../../src/platform";
import { openExceptions } from "../../src/store";
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
import { brokenLaws } from "../support/laws";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { ANI, BUDI, TODAY, twoPeople, type TwoPeople } from "../support/two-people";

jest.setTimeout(120_000);

describe("what payments opened, worked on by two people", () => {
  let database: TestDatabase;
  let db: Db;
  let people: TwoPeople;
  let bills = 0;
  beforeAll(async () => {
    database = await createTestDatabase();
    db = testDb(database.appUrl);
    const known = Array.from({ length: 40 }, (_each, index) => telkomBill({ billNumber: numberOf(index) }));
    await fill(database, known, { mustAccept: true, bit61Check: "ignore" });
    people = await twoPeople(database, db);
  });
  afterAll(async () => {
    expect(await brokenLaws(database)).toEqual([]);
    await db.close();
    await database.drop();
  });
  const numberOf = (index: number): string => String(21_008_457_000 + index).padStart(13, "0");

  /** A payment that was accepted, and its exception: what is suspended opens its own. */
  async function opened(kind: OpenedKind): Promise<QueueItem> {
    const traxId = newTraxId();
    bills += 1;
    // No such bill: what must be accepted goes to suspense.
    const billNumber = kind === "suspense" ? String(9_000_000_000_000 + bills) : numberOf(bills);
    const item = paymentItem(await catalogOf(db), paymentMessage({ traxId, billNumber }));
    const [answer] = await postPayments(testPosting(db), [item], deadlineIn(systemClock, 5_000));
    expect(answer?.outcome).toBe("APPROVED");
    if (kind !== "suspense") {
      const about = { billKey: `001001:${billNumber}`, partnerId: 1, traxId, otherTraxId: null, amount: 30_000n };
      await transact(db, (tx) => openExceptions(tx, [{ ...about, kind, detail: "for a test" }]));
    }
    const found = (await people.queue({ class: kind })).find((each) => each.traxId === traxId);
    if (found === undefined) throw new Error(`no ${kind} of ${traxId}`);
    return found;
  }
  const entriesOf = (traxId: string | null) =>
    database.query<{ kind: string; account: string; side: string; amount: bigint }>(
      `select e.kind, p.account_code as account, p.side, p.amount
         from journal_entry e join posting p on p.entry_id = e.entry_id
        where e.trax_id = $1 and e.kind <> 'payment' order by e.recorded_at, p.line_no`,
      [traxId],
    );
  const auditOf = (itemId: string) =>
    database.query(
      `select actor, action from operator_action where object like '%' || $1 || '%' order by recorded_at, action`,
      [itemId],
    );
  const closedBecause = async (itemId: string): Promise<string | null | undefined> =>
    (
      await database.query<{ closed_because: string | null }>(
        "select closed_because from exception where exception_id = $1::uuid",
        [itemId],
      )
    )[0]?.closed_because;
  const plain = (itemId: string, action: Parameters<typeof handleItem>[3]) =>
    transact(db, (tx) => handleItem(tx, ANI, itemId, action));

  const reversible = OPENED_KINDS.filter((kind) => moneyActionsFor(kind).includes("reverse"));
  it.each(reversible)("takes the payment of a %s back, when another one agrees", async (kind) => {
    const { itemId, traxId } = await opened(kind);
    const proposalId = await people.propose(itemId, { action: "reverse" });
    await expect(people.approve(proposalId, ANI)).rejects.toMatchObject({ code: "same_person" });
    expect(await entriesOf(traxId)).toEqual([]);
    await expect(plain(itemId, { kind: "close", text: "never mind" })).rejects.toMatchObject({ code: "not_possible" });
    await expect(people.propose(itemId, { action: "reverse" }, BUDI)).rejects.toMatchObject({ code: "proposed" });
    expect(await people.approve(proposalId)).toMatchObject({ done: `payment ${traxId} reversed` });
    const entries = await entriesOf(traxId);
    expect(entries.length).toBeGreaterThanOrEqual(2);
    expect(new Set(entries.map((each) => each.kind))).toEqual(new Set(["reversal"]));
    expect(entries).toContainEqual(expect.objectContaining({ account: "due-from-switch", side: "credit" }));
    expect(await closedBecause(itemId)).toMatch(/reversed/);
    expect(await auditOf(itemId)).toEqual([
      { actor: "ani (test)", action: "exception.proposed" },
      { actor: "budi (test)", action: "exception.approved" },
    ]);
    const { history } = await transact(db, (tx) => readItem(tx, itemId));
    expect(history).toMatchObject([
      { kind: "proposed", actor: "ani" },
      { kind: "approved", actor: "budi" },
    ]);
    expect(await people.queue({ itemId })).toEqual([]);
  });

  it("moves what is suspended to an account, once, and only to another one", async () => {
    const { itemId, traxId, amount } = await opened("suspense");
    await expect(people.propose(itemId, {})).rejects.toMatchObject({ code: "account" });
    await expect(people.propose(itemId, { account: "bank" })).rejects.toMatchObject({ code: "account" });
    const back = await people.propose(itemId, { account: "suspense" });
    await expect(people.approve(back)).rejects.toMatchObject({ code: "account" });
    expect(await entriesOf(traxId)).toEqual([]);
    await people.refuse(back);
    expect(await closedBecause(itemId)).toBeNull();

    const proposalId = await people.propose(itemId, { account: "refund-payable" });
    const all = await Promise.allSettled([1, 2, 3, 4].map(() => people.approve(proposalId)));
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const entries = await entriesOf(traxId);
    expect(entries).toMatchObject([
      { kind: "correction", account: "suspense", side: "debit" },
      { kind: "correction", account: "refund-payable", side: "credit" },
    ]);
    expect(entries[0]?.amount).toBe(entries[1]?.amount);
    expect(entries[0]?.amount).toBeGreaterThanOrEqual(amount);
    expect(await closedBecause(itemId)).toBe("to refund-payable by ani and budi");
    const [suspended] = await database.query(
      `select coalesce(sum(case side when 'credit' then p.amount else -p.amount end), 0)::text as left_over
         from posting p join journal_entry e on e.entry_id = p.entry_id
        where e.trax_id = $1 and p.account_code = 'suspense'`,
      [traxId],
    );
    expect(suspended).toEqual({ left_over: "0" });
    await expect(people.propose(itemId, { account: "refund-payable" })).rejects.toMatchObject({ code: "closed" });
  });

  it("moves nothing out of suspense that the switch has taken back meanwhile", async () => {
    const { itemId } = await opened("suspense");
    const proposalId = await people.propose(itemId, { account: "refund-payable" });
    await database.query("set session_replication_role = replica");
    await database.query("update posting set account_code = 'unapplied-credit' where account_code = 'suspense'");
    await expect(people.approve(proposalId)).rejects.toMatchObject({ code: "not_possible" });
    await database.query("update posting set account_code = 'suspense' where account_code = 'unapplied-credit'");
    await database.query("set session_replication_role = origin");
    await people.approve(proposalId);
  });

  const refused = OPENED_KINDS.flatMap((kind) =>
    MONEY_ACTIONS.filter((action) => !moneyActionsFor(kind).includes(action)).map((action) => [action, kind] as const),
  );
  it.each(refused)("does not let anyone %s a %s", async (action, kind) => {
    const { itemId, traxId } = await opened(kind);
    await expect(people.propose(itemId, { action })).rejects.toMatchObject({ code: "not_possible" });
    expect(await entriesOf(traxId)).toEqual([]);
    expect(await auditOf(itemId)).toEqual([]);
  });

  const close = { kind: "close", text: "nothing had to move" } as const;
  it("is never closed by one person while its money stands in suspense", async () => {
    const { itemId } = await opened("suspense");
    await plain(itemId, { kind: "carry", today: TODAY, to: null, text: "tomorrow" });
    await expect(plain(itemId, close)).rejects.toMatchObject({ code: "not_possible" });
    expect(await closedBecause(itemId)).toBeNull();
  });

  const closable = OPENED_KINDS.filter((kind) => kind !== "suspense");
  it.each(closable)("is noted, owned, carried and closed by one person where no money stands: %s", async (kind) => {
    const { itemId } = await opened(kind);
    await plain(itemId, { kind: "note", text: "seen" });
    await plain(itemId, { kind: "assign", owner: "budi" });
    await plain(itemId, { kind: "carry", today: TODAY, to: null, text: "tomorrow" });
    await plain(itemId, close);
    expect(await closedBecause(itemId)).toBe("nothing had to move");
    await expect(plain(itemId, close)).rejects.toMatchObject({ code: "closed" });
    await expect(plain(itemId, { kind: "assign", owner: "ani" })).rejects.toMatchObject({ code: "closed" });
    await plain(itemId, { kind: "note", text: "afterwards" });
    const { history } = await transact(db, (tx) => readItem(tx, itemId));
    expect(history.map((each) => each.kind)).toEqual(["note", "assigned", "carried", "closed", "note"]);
    expect(await auditOf(itemId)).toHaveLength(5);
  });
});
