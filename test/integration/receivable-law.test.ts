import { inSession, proposeBankCredit, proposeUndo, readAgeing, runReconciliation } from "../../src/ops";
import type { PaymentItem } from "../../src/flows";
import { postPayments } from "../../src/flows";
import { postReversal } from "../../src/flows/post-reversal";
import { verifySeals } from "../../src/ledger";
import { type Db, deadlineIn, systemClock } from "../../src/platform";
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
import { brokenLaws } from "../support/laws";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";
import { RULES } from "../support/settlement-days";
import { FULL_HEADER, FULL_PROFILE, fullLine, settlementDesk } from "../support/settlement-files";
import { ANI, twoPeople, type TwoPeople } from "../support/two-people";

jest.setTimeout(120_000);

const DAY = "2026-11-20";
const NOON = Date.parse(`${DAY}T12:00:00+07:00`);
const AMOUNT = 30_000n;
const DUE = 35_000n;

describe("what a payment makes the switch owe", () => {
  let database: TestDatabase;
  let db: Db;
  let desk: ReturnType<typeof settlementDesk>;
  let people: TwoPeople;
  let item: PaymentItem;

  beforeEach(async () => {
    database = await createTestDatabase();
    db = testDb(database.appUrl);
    desk = settlementDesk(database);
    await fill(database, [telkomBill(), telkomBill({ billNumber: "0021008457999" })]);
    await desk.saveProfile("full", { ...FULL_PROFILE, rules: RULES });
    people = await twoPeople(database, db);
    item = await itemOf("T1");
    await postPayments(testPosting(db), [item], deadlineIn(systemClock, 10_000));
  });
  afterEach(async () => {
    expect(await brokenLaws(database)).toEqual([]);
    desk.close();
    await db.close();
    await database.drop();
  });

  async function itemOf(traxId: string, changes: Record<string, string> = {}): Promise<PaymentItem> {
    const message = paymentMessage({ traxId, amount: "30000", bit61: "", ...changes });
    return { ...paymentItem(await catalogOf(db), message), receivedAtMs: NOON };
  }
  const line = {
    ...{ traxId: "T1", productCode: "001001", billNumber: "0021008457003", amount: AMOUNT, feeAmount: 5_000n },
    ...{ businessDate: DAY, paidAtMs: NOON, status: "paid" },
  } as const;
  type Line = { -readonly [K in keyof typeof line]: (typeof line)[K] | string | bigint | number | null };
  const file = (name: string, lines: readonly Partial<Line>[], mayReplace = false) =>
    desk.import(
      name,
      `${[FULL_HEADER, ...lines.map((each) => fullLine({ ...line, ...each } as Parameters<typeof fullLine>[0]))].join("\n")}\n`,
      { date: DAY, mayReplace },
    );
  const run = () =>
    runReconciliation({
      ...{ databaseUrl: database.appUrl, profileCode: "full", settlementDate: DAY, isDryRun: false },
      ...{ redecidesDeclared: false, by: "test (test)" },
    });
  const settle = () => people.settle("full", DAY);
  const reversal = () =>
    postReversal(
      testPosting(db),
      { ...item, message: { ...item.message, transactionType: "51" }, receivedAtMs: NOON + 60_000 },
      deadlineIn(systemClock, 10_000),
    );
  const standing = async () =>
    (await database.query(`select due, state, settled, reversed, written_off, accepted, recovered from receivable`))[0];
  const openClasses = async () => (await people.queue()).map((each) => each.class).toSorted();
  const itemIdOf = async (wanted: string): Promise<string> =>
    (await people.queue()).find((each) => each.class === wanted)?.itemId ?? "";
  const balanceOf = async (account: string): Promise<bigint> =>
    (
      await database.query<{ net: bigint }>(
        `select coalesce(sum(case side when 'debit' then amount else -amount end), 0)::bigint as net
           from posting where account_code = $1`,
        [account],
      )
    )[0]?.net ?? 0n;

  it("is not taken back when a link has settled it, although both were proposed before (A1)", async () => {
    await file("day.csv", [{ billNumber: "9921008457003" }]);
    await run();
    expect(await openClasses()).toEqual(["missing-here", "missing-in-file"]);
    const link = await people.propose(await itemIdOf("missing-here"), { action: "link", target: "T1" });
    const reverse = await people.propose(await itemIdOf("missing-in-file"), { action: "reverse" });
    await people.approve(link);
    await expect(people.approve(reverse)).rejects.toMatchObject({ code: "decided" });
    expect(
      await database.query("select decided_by, decision_note from exception_proposal where decision = 'lapsed'"),
    ).toEqual([{ decided_by: "system", decision_note: "line 2 of file 1 stands for its payment" }]);
    expect(await standing()).toMatchObject({ due: 0n, state: "settled", settled: DUE, reversed: 0n });
    expect(await balanceOf("due-from-switch")).toBe(0n);
    expect(await database.query("select paid_amount from bill where bill_number = '0021008457003'")).toEqual([
      { paid_amount: AMOUNT },
    ]);
  });

  it("is not settled by a link when it was taken back first (A1, the other way round)", async () => {
    await file("day.csv", [{ billNumber: "9921008457003" }]);
    await run();
    const link = await people.propose(await itemIdOf("missing-here"), { action: "link", target: "T1" });
    await people.resolve(await itemIdOf("missing-in-file"), { action: "reverse" });
    await expect(people.approve(link)).rejects.toMatchObject({ code: "no_payment" });
    expect(await standing()).toMatchObject({ due: 0n, state: "reversed", settled: 0n, reversed: DUE });
  });

  it("is recovered, by two people, when the line of a written-off payment comes late (A2)", async () => {
    await file("day.csv", [{ traxId: "OTHER", billNumber: "0021008457998" }]);
    await run();
    await people.resolve(await itemIdOf("missing-in-file"), { action: "write-off" });
    expect(await standing()).toMatchObject({ due: 0n, state: "written-off", written_off: DUE });
    await file("late.csv", [{}]);
    await run();
    await settle();
    expect(await standing()).toMatchObject({ state: "written-off" });
    expect(await openClasses()).toContain("recovered");
    await people.resolve(await itemIdOf("recovered"), { action: "recover" });
    expect(await standing()).toMatchObject({ due: 0n, state: "recovered", written_off: 0n, recovered: DUE });
    expect(await balanceOf("written-off")).toBe(0n);
    expect(await balanceOf("due-from-switch")).toBe(0n);
    expect(await balanceOf("bank-in-transit")).toBe(DUE);
  });

  it("is not settled by a line that was matched before its reversal: settling makes it a finding (A2b)", async () => {
    await file("day.csv", [{}]);
    expect((await run()).summary.matched).toBe(1);
    expect((await reversal()).outcome).toBe("APPROVED");
    expect(await settle()).toMatchObject([{ lines: 0, amount: 0n, findings: 1 }]);
    expect(await openClasses()).toEqual(["reversed-here"]);
    expect(await standing()).toMatchObject({ state: "reversed", settled: 0n });
  });

  it("is found by a further run, too, when it was reversed after it was matched (A2b)", async () => {
    await file("day.csv", [{}]);
    await run();
    await reversal();
    const { changes } = await run();
    expect(changes).toMatchObject([{ classBefore: "matched", classNow: "reversed-here" }]);
  });

  it("is not reversed by the switch once it is settled: NOT_REVERSIBLE, and a refund case (A2b)", async () => {
    await file("day.csv", [{}]);
    await run();
    await settle();
    expect((await reversal()).outcome).toBe("NOT_REVERSIBLE");
    expect((await reversal()).isReplay).toBe(true);
    expect(await openClasses()).toEqual(["refund"]);
    await expect(people.resolve(await itemIdOf("refund"), { action: "reverse" })).rejects.toMatchObject({
      code: "not_due",
    });
    expect(await standing()).toMatchObject({ state: "settled", settled: DUE });
  });

  it("stays due for what a short line leaves, until somebody explains it", async () => {
    await file("day.csv", [{ amount: AMOUNT - 100n }]);
    await run();
    const itemId = await itemIdOf("amount-differs");
    await expect(people.propose(itemId, { action: "accept" })).resolves.toBeDefined();
    const [waiting] = await people.queue();
    await people.approve(waiting?.proposalId ?? "");
    expect(await standing()).toMatchObject({ due: 100n, state: "due", settled: DUE - 100n });
    expect(await openClasses()).toEqual(["amount-differs"]);
    const ageing = await inSession({ url: database.appUrl, isolation: "read committed" }, (session) =>
      readAgeing(session, "2026-11-25"),
    );
    expect(ageing).toMatchObject([
      { account: "due-from-switch", total: 100n },
      { account: "bank-in-transit", total: DUE - 100n },
    ]);
    await people.resolve(itemId, { action: "write-off" });
    expect(await standing()).toMatchObject({ due: 0n, written_off: 100n, settled: DUE - 100n });
    expect(await openClasses()).toEqual([]);
  });

  it.each(["accept", "write-off", "reverse"] as const)(
    "is what it was when %s is undone, by two people",
    async (action) => {
      await file("day.csv", [{ traxId: "OTHER", billNumber: "0021008457998" }]);
      await run();
      const account = action === "accept" ? "settlement-difference" : null;
      const { proposal } = await people.resolve(await itemIdOf("missing-in-file"), { action, account });
      expect(await standing()).toMatchObject({ due: 0n });
      const { proposalId } = await transact(db, (tx) => proposeUndo(tx, ANI, proposal.proposalId, "mistaken"));
      await expect(people.approve(proposalId, ANI)).rejects.toMatchObject({ code: "same_person" });
      await people.approve(proposalId);
      expect(await standing()).toMatchObject({
        due: DUE,
        state: "due",
        settled: 0n,
        reversed: 0n,
        written_off: 0n,
        accepted: 0n,
      });
      expect(await openClasses()).toContain("missing-in-file");
      expect(await database.query("select paid_amount from bill where bill_number = '0021008457003'")).toEqual([
        { paid_amount: AMOUNT },
      ]);
      const again = transact(db, (tx) => proposeUndo(tx, ANI, proposal.proposalId, "again"));
      await expect(again).rejects.toMatchObject({ code: "not_possible" });
    },
  );

  it("lets a bank's reference be booked again when its credit was undone", async () => {
    const credit = { partner: null, amount: 1_000n, creditedOn: DAY, reference: "BCA 1", reason: "statement" };
    const propose = () => transact(db, (tx) => proposeBankCredit(tx, ANI, credit));
    const first = await propose();
    await people.approve(first.proposalId);
    await expect(propose()).rejects.toMatchObject({ code: "bank_credit" });
    const undo = await transact(db, (tx) => proposeUndo(tx, ANI, first.proposalId, "another bank"));
    await people.approve(undo.proposalId);
    expect(await balanceOf("bank")).toBe(0n);
    await people.approve((await propose()).proposalId);
    expect(await balanceOf("bank")).toBe(1_000n);
  });

  it("is cleared once by whoever comes first, when the switch reverses while its file is settled", async () => {
    await file("day.csv", [{}]);
    await run();
    const [settled, reversed] = await Promise.all([settle(), retried(reversal)]);
    const now = await standing();
    expect([now?.["state"], reversed.outcome, settled[0]?.lines]).toEqual(
      now?.["state"] === "settled" ? ["settled", "NOT_REVERSIBLE", 1] : ["reversed", "APPROVED", 0],
    );
  });

  async function retried<T>(work: () => Promise<T>): Promise<T> {
    for (let round = 0; ; round += 1) {
      try {
        return await work();
      } catch (fault) {
        if (round === 5) throw fault;
      }
    }
  }

  describe("is kept by the database, whoever asks:", () => {
    const CLEARING = (kind: string, amount: string, version: number, totals: string): string => `
      insert into receivable_clearing (entry_id, version, bill_key, entry_date, partner_id, kind, amount, opened, settled, reversed,
                                       written_off, accepted, recovered, excess, by_entry_id, by_entry_date)
      select e.entry_id, ${version}, e.bill_key, e.business_date, e.partner_id, '${kind}', ${amount}, 35000, ${totals}, x.entry_id,
             x.business_date
        from journal_entry e, journal_entry x
       where e.kind = 'payment' and e.trax_id = 'T1' and x.kind = 'settlement' limit 1`;
    const ENTRY = (amount: string): string => `
      with e as (
        insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code, bill_number, amount,
                                   fee_amount, channel, happened_at)
        values (gen_random_uuid(), 'x', '${DAY}', 'settlement', 1, 'x', '', '', ${amount}, 0, 'ops', now())
        returning entry_id, bill_key, business_date)
      insert into posting (entry_id, line_no, bill_key, business_date, account_code, side, amount)
      select e.entry_id, l.n, e.bill_key, e.business_date, l.account, l.side, ${amount}
        from e, (values (1, 'bank-in-transit', 'debit'), (2, 'due-from-switch', 'credit')) l(n, account, side)`;

    it("an entry that takes money off what the switch owes and clears nothing cannot commit", async () => {
      await expect(onServer(database.appUrl, ENTRY("35000"))).rejects.toMatchObject({
        constraint: "journal_entry_clears_receivables",
      });
    });

    it.each([
      ["more than was opened", "settled", "35001", 1, "35001, 0, 0, 0, 0, 0", "receivable_cleared_once"],
      ["a part of it reversed", "reversed", "5", 1, "0, 5, 0, 0, 0, 0", "receivable_reversed_whole"],
      ["totals that do not follow", "settled", "35000", 1, "34000, 0, 0, 0, 0, 0", "receivable_clearing_continues"],
      [
        "a version that does not follow",
        "settled",
        "35000",
        2,
        "35000, 0, 0, 0, 0, 0",
        "receivable_clearing_continues",
      ],
      [
        "another amount than its entry moves",
        "settled",
        "34000",
        1,
        "34000, 0, 0, 0, 0, 0",
        "receivable_clearing_entry",
      ],
      ["something cleared twice", "excess", "35000", 1, "0, 0, 0, 0, 0, 35000", "receivable_clearing_continues"],
    ])("%s is refused", async (_what, kind, amount, version, totals, constraint) => {
      const text = `begin; ${ENTRY("35000")}; ${CLEARING(kind, amount, version, totals)}; commit`;
      await expect(onServer(database.appUrl, text)).rejects.toMatchObject({ constraint });
    });

    it("a clearing is neither changed nor deleted, and the service cannot say when it was recorded", async () => {
      await file("day.csv", [{}]);
      await run();
      await settle();
      for (const text of ["update receivable_clearing set amount = 1", "delete from receivable_clearing"]) {
        await expect(onServer(database.ownerUrl, text)).rejects.toThrow("append-only");
        await expect(onServer(database.appUrl, text)).rejects.toThrow("permission denied");
      }
      await expect(
        onServer(database.appUrl, "insert into receivable_clearing (recorded_at) values (now())"),
      ).rejects.toThrow("permission denied");
    });

    it("what was cleared past its guards is named by ledger verify", async () => {
      await database.query("set session_replication_role = replica");
      await database.query(ENTRY("35000"));
      await database.query("set session_replication_role = origin");
      const verdict = await transact(db, (tx) => verifySeals(tx));
      const said = verdict.findings.map(({ row, what }) => `${row} ${what}`).join("\n");
      expect(said).toMatch(/receivable [0-9a-f-]{36} an entry clears 35000 of due-from-switch, its clearings say 0/);
      expect(said).toContain("partner 1 the switch owes 0 by its account, and 35000 by open receivables");
      await database.query("set session_replication_role = replica");
      await database.query("delete from posting where bill_key = 'x'");
      await database.query("delete from journal_entry where bill_key = 'x'");
      await database.query("set session_replication_role = origin");
    });
  });
});
