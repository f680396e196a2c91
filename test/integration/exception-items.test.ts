import { DEFAULT_DUE_RULE, type LedgerPayment } from "../../src/domain";
import { handleItem, lapseProposals, readItem, runReconciliation, saveDueRule } from "../../src/ops";
import { type Db, randomIds } from "../../src/platform";
import { migratorConfig } from "../../src/platform/migrate";
import { fill, testDb, transact } from "../support/builders";
import { brokenLaws } from "../support/laws";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";
import { DAY, RULES } from "../support/settlement-days";
import {
  bookPayments,
  bookPostings,
  FULL_HEADER,
  FULL_PROFILE,
  fullLine,
  settlementDesk,
} from "../support/settlement-files";
import { ANI, BUDI, TODAY, twoPeople, type TwoPeople } from "../support/two-people";

jest.setTimeout(120_000);

const NOON = Date.parse(`${DAY}T05:00:00Z`);
const payment = (traxId: string, changes: Partial<LedgerPayment> = {}): LedgerPayment => ({
  entryId: randomIds.entryId(NOON),
  traxId,
  productCode: "001001",
  billNumber: traxId.padStart(13, "0"),
  amount: 30_000n,
  feeAmount: 0n,
  businessDate: DAY,
  happenedAtMs: NOON,
  state: "accepted",
  heldBy: null,
  ...changes,
});
const lineOf = (traxId: string, changes: Partial<Parameters<typeof fullLine>[0]> = {}): string =>
  fullLine({
    ...{ traxId, productCode: "001001", billNumber: traxId.padStart(13, "0"), amount: 30_000n, feeAmount: 0n },
    ...{ paidAtMs: NOON, businessDate: DAY, status: "paid" as const },
    ...changes,
  });
const fileOf = (...lines: string[]): string => `${[FULL_HEADER, ...lines].join("\n")}\n`;

describe("an exception over several runs", () => {
  let database: TestDatabase;
  let desk: ReturnType<typeof settlementDesk>;
  let db: Db;
  let people: TwoPeople;

  beforeEach(async () => {
    database = await createTestDatabase();
    desk = settlementDesk(database);
    db = testDb(database.appUrl);
    await fill(database, []);
    await desk.saveProfile("full", { ...FULL_PROFILE, rules: RULES });
    people = await twoPeople(database, db);
  });
  afterEach(async () => {
    desk.close();
    await db.close();
    await database.drop();
  });

  const run = () =>
    runReconciliation({
      ...{ databaseUrl: database.appUrl, profileCode: "full", settlementDate: DAY, isDryRun: false },
      ...{ redecidesDeclared: false, by: "test (test)" },
    });
  const book = async (...payments: LedgerPayment[]): Promise<void> => {
    await bookPayments(database, payments);
    await bookPostings(database);
  };
  const importFile = (content: string, name = "day.csv") => desk.import(name, content, { date: DAY, mayReplace: true });
  const note = (itemId: string, text: string) =>
    transact(db, (tx) => handleItem(tx, ANI, itemId, { kind: "note", text }));
  const read = (itemId: string) => transact(db, (tx) => readItem(tx, itemId));
  const decisions = () =>
    database.query<Record<string, unknown>>(
      `select decision, decided_by, decided_via, decision_note from exception_proposal order by proposed_at`,
    );
  const only = async (): Promise<string> => {
    const queue = await people.queue();
    expect(queue).toHaveLength(1);
    return queue[0]?.itemId ?? "";
  };

  it("keeps its name, notes and owner while runs find something else about its line", async () => {
    await importFile(fileOf(lineOf("1")));
    await run();
    const itemId = await only();
    await note(itemId, "asked the switch");
    await transact(db, (tx) => handleItem(tx, BUDI, itemId, { kind: "assign", owner: "budi" }));
    const proposalId = await people.propose(itemId, { account: "suspense" });
    const before = await read(itemId);
    await book(payment("1", { amount: 31_000n }));
    const { runId } = await run();
    expect(await people.queue()).toMatchObject([
      {
        itemId,
        class: "amount-differs",
        difference: -1_000n,
        owner: "budi",
        proposalId: null,
        openedAt: before.openedAt,
      },
    ]);
    expect((await read(itemId)).history).toMatchObject([
      { kind: "note", actor: "ani", detail: "asked the switch" },
      { kind: "assigned" },
      { kind: "proposed" },
      {
        ...{ kind: "changed", actor: "system", via: `run ${runId}` },
        detail: "amount-differs of 30000 rupiah, before missing-here of 30000 rupiah",
      },
      { kind: "lapsed", detail: `accept of ani: run ${runId} finds amount-differs of 30000 rupiah now` },
    ]);
    expect(await decisions()).toEqual([
      {
        ...{ decision: "lapsed", decided_by: "system", decided_via: `run ${runId}` },
        decision_note: `run ${runId} finds amount-differs of 30000 rupiah now`,
      },
    ]);
    await expect(people.approve(proposalId)).rejects.toMatchObject({
      code: "decided",
      message: expect.stringContaining("has lapsed: run") as string,
    });
    await people.resolve(itemId, { account: "suspense" });
    expect(await people.queue()).toEqual([]);
    expect(await read(itemId)).toMatchObject({ closedBecause: "accept by ani and budi" });
    expect(await brokenLaws(database)).toEqual([]);
  });

  it("stays readable when it is matched, and its proposal lapses", async () => {
    await importFile(fileOf(lineOf("1")));
    await run();
    const itemId = await only();
    await note(itemId, "is it ours?");
    const proposalId = await people.propose(itemId, { account: "suspense" });
    await book(payment("1"));
    const { runId } = await run();
    expect(await people.queue()).toEqual([]);
    const closed = await read(itemId);
    expect(closed).toMatchObject({
      ...{ itemId, class: "missing-here", traxId: "1", lineNo: 2, closedBecause: `matched by run ${runId}` },
      ...{ closedAt: expect.any(Date) as Date, proposalId: null },
    });
    expect(closed.history.map(({ kind }) => kind)).toEqual(["note", "proposed", "closed", "lapsed"]);
    await expect(people.approve(proposalId)).rejects.toMatchObject({ code: "decided" });
    await expect(people.propose(itemId, { account: "suspense" })).rejects.toMatchObject({ code: "closed" });
    await note(itemId, "it was ours");
    expect((await read(itemId)).history.at(-1)).toMatchObject({ kind: "note", detail: "it was ours" });
    expect(await people.queue({ withClosed: true, onlyClosed: true })).toMatchObject([{ itemId }]);
    expect(await database.query(`select action from operator_action where action = 'exception.lapsed'`)).toHaveLength(
      1,
    );
  });

  it("closes a payment's when its line comes late, and opens the same again when the line goes", async () => {
    await book(payment("1"), payment("2"));
    await importFile(fileOf(lineOf("2")));
    await run();
    const itemId = await only();
    await note(itemId, "asked the switch");
    const proposalId = await people.propose(itemId, { action: "reverse" });
    await importFile(fileOf(lineOf("1")), "late.csv");
    const { runId } = await run();
    expect(await read(itemId)).toMatchObject({
      closedBecause: expect.stringMatching(
        new RegExp(`^line 2 of file \\d+ stands for its payment since run ${runId}$`),
      ) as string,
    });
    await expect(people.approve(proposalId)).rejects.toMatchObject({ code: "decided" });
    await importFile(fileOf(lineOf("9", { amount: 1n })), "late.csv");
    await run();
    const queue = await people.queue();
    expect(queue.map((item) => [item.class, item.itemId === itemId])).toEqual(
      expect.arrayContaining([
        ["missing-in-file", true],
        ["missing-here", false],
      ]),
    );
    expect((await read(itemId)).history.map(({ kind }) => kind)).toEqual([
      ...["note", "proposed", "closed", "lapsed", "reopened"],
    ]);
  });

  it("goes over to the line of the file that replaces its own, by traxId or bill", async () => {
    await importFile(fileOf(lineOf("1"), lineOf("2"), lineOf("3"), lineOf("", { traxId: null, billNumber: "77" })));
    await run();
    const before = new Map((await people.queue()).map((item) => [item.lineNo, item.itemId]));
    await note(before.get(2) ?? "", "first");
    const waiting = await people.propose(before.get(4) ?? "", { account: "suspense" });
    const kept = await people.propose(before.get(3) ?? "", { account: "suspense" });
    await book(payment("3"));
    const other = lineOf("1", { amount: 29_000n });
    await importFile(fileOf(lineOf("", { traxId: null, billNumber: "77" }), lineOf("2"), lineOf("3"), other));
    await run();
    const after = new Map((await people.queue()).map((item) => [item.lineNo, item]));
    expect(after.get(5)).toMatchObject({ itemId: before.get(2), amount: 29_000n, traxId: "1" });
    expect(after.get(3)).toMatchObject({ itemId: before.get(3), proposalId: kept });
    expect(after.get(2)).toMatchObject({ itemId: before.get(5), traxId: null });
    expect(after.size).toBe(3);
    expect(await read(before.get(4) ?? "")).toMatchObject({ closedBecause: "its file was replaced by version 2" });
    expect((await read(before.get(2) ?? "")).history.map(({ kind }) => kind)).toEqual(["note", "changed"]);
    await expect(people.approve(waiting)).rejects.toMatchObject({ code: "decided" });
    await people.approve(kept);
  });

  it("lets a link lapse whose payment has a line of its own by now", async () => {
    await book(payment("1"));
    await importFile(fileOf(lineOf("5", { amount: 30_000n })));
    await run();
    const line = (await people.queue()).find((item) => item.class === "missing-here");
    const proposalId = await people.propose(line?.itemId ?? "", { action: "link", target: "1" });
    await importFile(fileOf(lineOf("1")), "late.csv");
    await run();
    await expect(people.approve(proposalId)).rejects.toMatchObject({
      message: expect.stringContaining("stands for that payment") as string,
    });
    expect(await people.queue()).toMatchObject([{ itemId: line?.itemId, proposalId: null }]);
  });

  it("leaves everything as it is when a run repeats", async () => {
    await importFile(fileOf(lineOf("1"), lineOf("2", { status: "failed" })));
    await run();
    const queue = await people.queue();
    const proposalId = await people.propose(queue[0]?.itemId ?? "", { account: "suspense" });
    await run();
    await runReconciliation({
      ...{ databaseUrl: database.appUrl, profileCode: "full", settlementDate: DAY, isDryRun: true },
      ...{ redecidesDeclared: true, by: "test (test)" },
    });
    expect((await people.queue()).map(({ itemId }) => itemId)).toEqual(queue.map(({ itemId }) => itemId));
    expect(await decisions()).toMatchObject([{ decision: null }]);
    await people.approve(proposalId);
  });

  it("is refused by the database where a program forgets: two findings, a decision of the system, a closed item", async () => {
    await importFile(fileOf(lineOf("1"), lineOf("2")));
    await run();
    const [first, second] = await people.queue();
    const proposalId = await people.propose(first?.itemId ?? "", { account: "suspense" });
    const app = (text: string) => onServer(database.appUrl, text);
    await expect(
      app(`insert into reconciliation_finding (item_id, finding_id, run_id, profile_code, business_date, file_id, line_no, class,
             amount, difference, fee_difference, differing_fields, tried)
           values ('${first?.itemId}', gen_random_uuid(), 1, 'full', '${DAY}', 9, 9, 'missing-here', 1, 1, 0, '{}', '[]')`),
    ).rejects.toMatchObject({ constraint: "reconciliation_finding_item_key" });
    await expect(
      app(`update reconciliation_finding set item_id = gen_random_uuid() where finding_id = '${second?.itemId}'`),
    ).rejects.toThrow("permission denied");
    const decide = (decision: string, by: string) =>
      app(`update exception_proposal set decision = '${decision}', decided_by = '${by}', decided_via = 'x',
             decided_at = now() where proposal_id = '${proposalId}'`);
    const constraint = "exception_proposal_system";
    await expect(decide("approved", "System")).rejects.toMatchObject({ constraint });
    await expect(decide("refused", "system")).rejects.toMatchObject({ constraint });
    await expect(decide("withdrawn", "system")).rejects.toMatchObject({
      constraint: expect.stringMatching(/two_people|system/) as string,
    });
    await expect(decide("lapsed", "budi")).rejects.toMatchObject({ constraint });
    await expect(
      people.propose(second?.itemId ?? "", { account: "suspense" }, { name: "system", via: "x" }),
    ).rejects.toMatchObject({ constraint });
    await expect(
      app(`update exception_item set closed_at = now(), closed_because = 'x' where item_id = '${first?.itemId}'`),
    ).rejects.toMatchObject({ code: "23001" });
    await expect(app(`update exception_item set owner = 'x'`)).rejects.toThrow("permission denied");
    await expect(app(`delete from exception_item`)).rejects.toThrow("permission denied");
    await expect(app(`truncate exception_item`)).rejects.toThrow("permission denied");
    await people.approve(proposalId);
    await transact(db, (tx) => lapseProposals(tx, [first?.itemId ?? ""], "too late"));
    await expect(decide("lapsed", "system")).rejects.toMatchObject({ code: "23001" });
    expect(await decisions()).toMatchObject([{ decision: "approved" }]);
  });

  it("is made for every finding and exception that was there before, and a proposal without ground lapses", async () => {
    await importFile(fileOf(lineOf("1"), lineOf("2"), lineOf("3"), lineOf("4")));
    await run();
    await fill(database, []);
    const owner = testDb(database.ownerUrl, 1, 60_000);
    const one = { name: "022-exception-items" };
    await owner.knex.migrate.down({ ...migratorConfig(), ...one });
    await database.query(
      `insert into exception (exception_id, kind, bill_key, partner_id, trax_id, amount, detail)
       values (gen_random_uuid(), 'suspense', 'x:1', 1, 'X', 2000000, 'for a test')`,
    );
    await database.query(
      `insert into exception_proposal (proposal_id, batch_id, item_kind, item_id, action, amount, reason, proposed_by, proposed_via)
       select gen_random_uuid(), gen_random_uuid(), 'finding', finding_id, 'accept', amount, 'for a test', 'ani', 'test'
         from reconciliation_finding where line_no in (2, 3)`,
    );
    await database.query(
      `insert into exception_handling (item_id, owner) select finding_id, 'budi' from reconciliation_finding where line_no = 2`,
    );
    await database.query(`update reconciliation_finding set replaced_by_run = 1 where line_no = 3`);
    await database.query(`update reconciliation_finding set resolved_at = now() where line_no = 4`);
    await owner.knex.migrate.up({ ...migratorConfig(), ...one });
    await owner.close();
    const all = await people.queue({ withClosed: true });
    expect(all).toHaveLength(5);
    const byLine = new Map(all.map((item) => [item.lineNo, item]));
    expect(byLine.get(2)).toMatchObject({ owner: "budi", proposedBy: "ani", closedAt: null });
    expect(byLine.get(3)).toMatchObject({ proposalId: null, closedBecause: "not found again by run 1" });
    expect(byLine.get(4)).toMatchObject({ closedBecause: "resolved" });
    expect(byLine.get(5)).toMatchObject({ closedAt: null });
    expect(byLine.get(null)).toMatchObject({ class: "suspense", traxId: "X", closedAt: null });
    expect(new Set((await decisions()).map(({ decision }) => decision))).toEqual(new Set(["lapsed", null]));
    await run();
    expect(await people.queue()).toHaveLength(4);
  });

  it("has due times that follow a new rule, in the database as in the program", async () => {
    await importFile(fileOf(lineOf("1"), lineOf("2", { amount: 5_000_000n }), lineOf("3", { amount: 50_000_000n })));
    await run();
    const hours = async () =>
      (await people.queue()).map(({ traxId, openedAt, dueAt }) => [
        traxId,
        (dueAt.getTime() - openedAt.getTime()) / 3_600_000,
      ]);
    const byDefault = await hours();
    expect(byDefault).toEqual([
      ["3", 4],
      ["2", 24],
      ["1", 72],
    ]);
    const item = (await people.queue())[0];
    const carry = { kind: "carry", today: TODAY, to: "2026-12-20", text: "later" } as const;
    await transact(db, (tx) => handleItem(tx, ANI, item?.itemId ?? "", carry));
    await transact(db, (tx) => saveDueRule(tx, ANI, { tiers: [{ from: "0", hours: 5 }] }));
    expect((await hours()).slice(0, 2).map(([, each]) => each)).toEqual([5, 5]);
    expect((await people.queue()).at(-1)).toMatchObject({ traxId: "3", carriedTo: "2026-12-20" });
    await transact(db, (tx) => saveDueRule(tx, ANI, DEFAULT_DUE_RULE));
    expect((await hours()).slice(0, 2)).toEqual(byDefault.slice(1));
  });

  it("is worked on by several at once: runs, proposals and approvals wait for each other, and none is left without ground", async () => {
    const traxIds = Array.from({ length: 12 }, (_, index) => String(index + 1));
    await importFile(fileOf(...traxIds.map((traxId) => lineOf(traxId))));
    await run();
    const queue = await people.queue();
    const early = await Promise.all(
      queue.slice(0, 6).map(({ itemId }) => people.propose(itemId, { account: "suspense" })),
    );
    await book(...traxIds.map((traxId) => payment(traxId)));
    const work: Promise<unknown>[] = [
      run(),
      ...early.map((proposalId) => people.approve(proposalId)),
      ...early.map((proposalId) => people.approve(proposalId, { name: "citra", via: "test" })),
      ...queue.slice(6).map(({ itemId }) => people.propose(itemId, { account: "suspense" })),
      ...queue.map(({ itemId }) => note(itemId, "seen")),
      ...queue.map(({ itemId }) =>
        transact(db, (tx) => handleItem(tx, BUDI, itemId, { kind: "assign", owner: "budi" })),
      ),
      run(),
    ];
    const outcomes = await Promise.allSettled(work);
    const faults = outcomes.flatMap((each) => (each.status === "rejected" ? [each.reason as { code?: string }] : []));
    expect(faults.map(({ code }) => code).filter((code) => code !== "decided" && code !== "closed")).toEqual([]);
    expect(
      await database.query(
        `select p.proposal_id from exception_proposal p join exception_item i using (item_id)
          where p.decision is null and i.closed_at is not null
          union all
         select f.item_id from exception_item f
          where f.closed_at is null and not exists (
            select from reconciliation_finding r
             where r.item_id = f.item_id and r.replaced_by_run is null and r.resolved_at is null)`,
      ),
    ).toEqual([]);
    const approved = (await decisions()).filter(({ decision }) => decision === "approved");
    const closed = await people.queue({ withClosed: true, onlyClosed: true });
    expect(closed).toHaveLength(12);
    expect(closed.filter(({ closedBecause }) => closedBecause?.startsWith("accept by"))).toHaveLength(approved.length);
    expect(await brokenLaws(database)).toEqual([]);
  });
});
