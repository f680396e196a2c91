import { unzipSync } from "fflate";
import { closeDay, type CloseOutcome, type DayClose, parseBody, reportOf, runReconciliation } from "../../src/ops";
import { type Db } from "../../src/platform";
import { fill, testDb } from "../support/builders";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";
import { DAY, dayOf } from "../support/settlement-days";
import {
  bookPayments,
  bookPostings,
  FULL_HEADER,
  FULL_PROFILE,
  fullLine,
  settlementDesk,
} from "../support/settlement-files";
import { ANI, twoPeople, type TwoPeople } from "../support/two-people";

jest.setTimeout(120_000);

const NEXT = "2026-11-21";

describe("closing a day", () => {
  let database: TestDatabase;
  let desk: ReturnType<typeof settlementDesk>;
  let db: Db;
  let people: TwoPeople;
  const truth = { amount: 30_000n, feeAmount: 5_000n, minute: 600 };
  const day = dayOf([
    { ...truth, damage: "none" },
    { ...truth, damage: "none" },
    { ...truth, damage: "reversed-both" },
    { ...truth, damage: "declined-here" },
    { ...truth, damage: "amount-differs" },
    { ...truth, damage: "missing-in-file", amount: 7n },
  ]);
  const close = (businessDate = DAY, at = "2026-11-22T00:06:00+07:00", cutOffs = ["24:00"]): Promise<CloseOutcome> =>
    closeDay({ databaseUrl: database.appUrl, businessDate, actor: ANI, nowMs: Date.parse(at), cutOffs });

  beforeEach(async () => {
    database = await createTestDatabase();
    desk = settlementDesk(database);
    db = testDb(database.appUrl);
    await fill(database, []);
    await desk.saveProfile("full", FULL_PROFILE);
    await bookPayments(database, day.payments);
    await bookPostings(database);
    people = await twoPeople(database, db);
  });
  afterEach(async () => {
    desk.close();
    await db.close();
    await database.drop();
  });
  const importAndRun = async (): Promise<void> => {
    await desk.import("=cmd|'calc'!A0.csv", `${[FULL_HEADER, ...day.lines.map(fullLine)].join("\n")}\n`, {
      date: DAY,
    });
    await runReconciliation({
      ...{ databaseUrl: database.appUrl, profileCode: "full", settlementDate: DAY, isDryRun: false },
      ...{ redecidesDeclared: false, by: "test (test)" },
    });
  };

  it("adds up: opening, accepted, reversed, settled and late make the closing balance, day after day", async () => {
    await importAndRun();
    const first = await close();
    const body = parseBody(first.close);
    expect(body.receivable).toEqual({
      ...{ opening: "0", accepted: String(35_000 * 4 + 5_007), reversed: "35000", settled: "0", corrected: "0" },
      ...{ late: "0", closing: "110007" },
    });
    expect(body.products).toEqual([
      { product: "001001", family: "payment", outcome: "APPROVED", count: 5, amount: "120007", fee: "25000" },
      { product: "001001", family: "payment", outcome: "EXPIRED", count: 1, amount: "30000", fee: "5000" },
      { product: "001001", family: "reversal", outcome: "APPROVED", count: 1, amount: "30000", fee: "5000" },
    ]);
    expect(body.openExceptions).toEqual([
      { class: "amount-differs", count: 1, amount: "30001", difference: "1" },
      { class: "missing-in-file", count: 1, amount: "7", difference: "-7" },
      { class: "status-differs", count: 1, amount: "30000", difference: "30000" },
    ]);
    expect(body.reconciliation.find((each) => each.class === "matched")).toMatchObject({ count: 3 });
    expect(body.files).toMatchObject([{ lines: 5, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string }]);

    // Something of the closed date after all, and two people at work the day after.
    await bookPayments(database, [
      {
        ...dayOf([{ ...truth, damage: "none" }]).payments[0]!,
        traxId: "LATE",
        entryId: "01980000-0000-7000-9000-000000000001",
      },
    ]);
    await bookPostings(database);
    await people.settle("full", DAY);
    for (const { itemId } of await people.queue()) await people.resolve(itemId, { account: "suspense" });
    expect(await close()).toMatchObject({ kind: "known", isIdentical: true, close: { body: first.close.body } });
    const second = await close(NEXT);
    const next = parseBody(second.close);
    expect(next.previousSha256).toBe(first.close.sha256);
    expect(next.late).toMatchObject([{ traxId: "LATE", businessDate: DAY, amount: "30000", kind: "payment" }]);
    expect(next.receivable).toEqual({
      ...{ opening: "110007", accepted: "0", reversed: "0", settled: "110007", corrected: "0", late: "35000" },
      closing: "35000",
    });
    expect(next.openExceptions).toEqual([]);
    expect(await close(NEXT)).toMatchObject({ kind: "known", isIdentical: true });
  });

  it("is refused while the day is not over, for a partner or at midnight, out of order, and before a file is compared", async () => {
    await expect(close(DAY, "2026-11-20T23:59:59+07:00", ["22:00"])).rejects.toMatchObject({ code: "day_open" });
    await expect(close(DAY, "2026-11-21T00:04:59+07:00")).rejects.toMatchObject({ code: "day_open" });
    await desk.import("day.csv", `${[FULL_HEADER, ...day.lines.map(fullLine)].join("\n")}\n`, { date: DAY });
    await expect(close()).rejects.toMatchObject({ code: "not_reconciled" });
    await database.query("update reconciliation_run set finished_at = now()");
    await close("2026-11-19");
    await expect(close(NEXT)).rejects.toMatchObject({ code: "close_order" });
  });

  it("notices when the books are another than when it was closed", async () => {
    const { close: stored } = await close();
    await database.query("set session_replication_role = replica");
    await database.query("update posting set amount = amount + 1 where line_no = 1");
    await database.query("set session_replication_role = origin");
    expect(await close()).toMatchObject({ kind: "known", isIdentical: false, close: { sha256: stored.sha256 } });
    await expect(onServer(database.superuserUrl, "update day_close set closed_by = 'x'")).rejects.toThrow(
      "append-only",
    );
  });

  it("waits for what is under way, and lists what is recorded afterwards in the next day", async () => {
    const slow = testDb(database.ownerUrl);
    const open = await slow.knex.transaction();
    await open.raw(
      "insert into operator_action (action_id, actor, action, object) values (gen_random_uuid(), 'x', 'x', 'x')",
    );
    const closing = close();
    const raced = await Promise.race([closing, new Promise((resolve) => setTimeout(() => resolve("waits"), 2_000))]);
    expect(raced).toBe("waits");
    await open.commit();
    expect((await closing).kind).toBe("closed");
    await slow.close();
  });

  describe("its report", () => {
    let stored: DayClose;
    beforeEach(async () => {
      await importAndRun();
      stored = (await close()).close;
    });

    it.each(["csv", "xlsx", "pdf", "json"] as const)(
      "is the same %s whenever it is asked for, in both languages",
      async (format) => {
        for (const language of ["id", "en"] as const) {
          const [once, again] = [await reportOf(stored, format, language), await reportOf(stored, format, language)];
          expect(once.length).toBeGreaterThan(500);
          expect(once.equals(again)).toBe(true);
        }
      },
    );

    it("lets no spreadsheet run what a file was called", async () => {
      const csv = (await reportOf(stored, "csv", "id")).toString();
      expect(csv).toContain("Piutang dari switch;Saldo akhir;;;;;;;;;110007;");
      expect(csv).toContain("'=cmd|'calc'!A0.csv");
      expect(csv).not.toMatch(/(^|[,;])"?[=+@]/m);
      const sheets = Object.entries(unzipSync(await reportOf(stored, "xlsx", "en")))
        .filter(([path]) => path.startsWith("xl/worksheets/"))
        .map(([, bytes]) => Buffer.from(bytes).toString());
      expect(sheets).toHaveLength(10);
      expect(sheets[0]).toContain("Closing balance");
      expect(sheets.join("")).not.toContain("<f>");
      expect(sheets.join("")).toMatch(/t="inlineStr"><is><t[^>]*>'?=cmd/);
    });

    it("is a document in the language that was asked for", async () => {
      const pdf = await reportOf(stored, "pdf", "id");
      expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
      expect(pdf.toString("latin1")).toContain("Tutup hari 2026-11-20");
    });
  });
});
