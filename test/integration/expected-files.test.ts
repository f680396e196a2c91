import { canonicalJson } from "../../src/domain";
import {
  type Actor,
  closeDay,
  type CloseOutcome,
  type ExpectationRequest,
  inSession,
  listExpectations,
  parseBody,
  proposeReopening,
  proposeWithoutFiles,
  readClose,
  runReconciliation,
  setExpectation,
  trackMissingFiles,
} from "../../src/ops";
import type { Db } from "../../src/platform";
import { fill, testDb, transact } from "../support/builders";
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

const BEFORE = "2026-11-19";
const NEXT = "2026-11-21";
const at = (jakarta: string): number => Date.parse(`${jakarta}+07:00`);

describe("files that are expected, and days", () => {
  let database: TestDatabase;
  let desk: ReturnType<typeof settlementDesk>;
  let db: Db;
  let people: TwoPeople;
  const truth = { damage: "none", amount: 30_000n, feeAmount: 5_000n, minute: 600 } as const;
  const day = dayOf([truth, truth]);

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
  const session = <T>(work: Parameters<typeof inSession<T>>[1]): Promise<T> =>
    inSession({ url: database.appUrl, isolation: "read committed" }, work);
  const expectFile = (changes: Partial<ExpectationRequest> = {}, actor: Actor = ANI) =>
    session((each) =>
      setExpectation(each, actor, {
        profileCode: "full",
        partner: null,
        productCode: null,
        isExpected: true,
        days: "every-day",
        exceptDates: [],
        alsoDates: [],
        dueDays: 1,
        dueTime: "09:00",
        validFrom: DAY,
        ...changes,
      }),
    );
  const track = (jakarta: string) => transact(db, (tx) => trackMissingFiles(tx, at(jakarta)));
  const missing = (withClosed = false) => people.queue({ class: "missing-file", withClosed });
  const take = (date = DAY, name = `${date}.csv`) =>
    desk.import(name, `${[FULL_HEADER, ...(date === DAY ? day.lines.map(fullLine) : [])].join("\n")}\n`, { date });
  const run = (settlementDate = DAY) =>
    runReconciliation({
      databaseUrl: database.appUrl,
      profileCode: "full",
      settlementDate,
      isDryRun: false,
      redecidesDeclared: false,
      by: "test (test)",
    });
  const close = (businessDate = DAY, isBegin = false): Promise<CloseOutcome> =>
    closeDay({
      databaseUrl: database.appUrl,
      businessDate,
      isBegin,
      actor: ANI,
      nowMs: at("2026-11-25T12:00:00"),
      cutOffs: ["24:00"],
    });
  const withoutFile = (businessDate = DAY) =>
    transact(db, (tx) =>
      proposeWithoutFiles(tx, ANI, { businessDate, reason: "the switch is down", nowMs: at("2026-11-25T12:00:00") }),
    );
  const reopen = async (businessDate: string): Promise<string> => {
    const { proposalId } = await transact(db, (tx) => proposeReopening(tx, ANI, businessDate, "a file came late"));
    return (await people.approve(proposalId)).done;
  };

  describe("an expected file", () => {
    it("is an exception from its due time on, with what it should bring, and closes itself when it comes", async () => {
      await expectFile();
      expect(await track("2026-11-21T08:59:59")).toEqual({ opened: 0, closed: 0 });
      expect(await track("2026-11-21T09:00:00")).toEqual({ opened: 1, closed: 0 });
      expect(await track("2026-11-21T09:01:00")).toEqual({ opened: 0, closed: 0 });
      const [item] = await missing();
      expect(item).toMatchObject({
        class: "missing-file",
        profileCode: "full",
        businessDate: DAY,
        amount: 60_000n,
        traxId: null,
        owner: null,
        detail: `no file of full for ${DAY} has come; it is due 2026-11-21 09:00 WIB`,
      });
      const { file } = await take();
      expect(await missing()).toEqual([]);
      expect((await missing(true))[0]?.closedAt).not.toBeNull();
      const [reason] = await database.query("select closed_because from exception");
      expect(reason).toEqual({ closed_because: `the file has come: file ${file.fileId}, ${DAY}.csv` });
      expect(await track("2026-11-21T23:00:00")).toEqual({ opened: 0, closed: 0 });
    });

    it("is expected on weekdays, but for some dates, and on others beside", async () => {
      // 2026-11-20 is a Friday.
      await expectFile({ days: "weekdays", exceptDates: ["2026-11-24"], alsoDates: ["2026-11-22"] });
      await track("2026-11-27T00:00:00");
      expect((await missing()).map(({ businessDate }) => businessDate).toSorted()).toEqual([
        DAY,
        "2026-11-22",
        "2026-11-23",
        "2026-11-25",
      ]);
    });

    it("of a product comes with a file of that product, or of all", async () => {
      await expectFile({ productCode: "001001" });
      await expectFile({ productCode: "020013" });
      await track("2026-11-21T10:00:00");
      expect(new Set((await missing()).map(({ amount }) => amount))).toEqual(new Set([0n, 60_000n]));
      await take();
      expect(await missing()).toEqual([]);
    });

    it("follows the version that is valid on its date; what is not expected any more closes itself", async () => {
      await expectFile();
      await track("2026-11-21T10:00:00");
      expect(await expectFile()).toMatchObject({ version: 1, isNew: false });
      expect(await expectFile({ validFrom: NEXT, dueTime: "23:00" })).toMatchObject({ version: 2, isNew: true });
      expect(await track("2026-11-22T10:00:00")).toEqual({ opened: 0, closed: 0 });
      expect(await track("2026-11-22T23:00:00")).toEqual({ opened: 1, closed: 0 });
      expect(await expectFile({ validFrom: NEXT, isExpected: false })).toMatchObject({ version: 3 });
      expect(await track("2026-11-30T10:00:00")).toEqual({ opened: 0, closed: 1 });
      expect((await missing()).map(({ businessDate }) => businessDate)).toEqual([DAY]);
      const all = await session((each) => listExpectations(each, { profileCode: "full", withAll: true }));
      expect(all.map(({ version, isOverruled }) => [version, isOverruled])).toEqual([
        [1, false],
        [2, true],
        [3, false],
      ]);
    });

    it("is refused where it makes no sense, and changed by nobody afterwards", async () => {
      await expect(expectFile({ profileCode: "none" })).rejects.toMatchObject({ code: "unknown_profile" });
      await expect(expectFile({ partner: "nobody" })).rejects.toMatchObject({ code: "unknown_partner" });
      await expect(expectFile({ dueTime: "9:00" })).rejects.toMatchObject({ code: "expectation" });
      await expect(expectFile({ isExpected: false })).rejects.toThrow("no file of full is expected");
      await expectFile();
      for (const url of [database.appUrl, database.ownerUrl]) {
        await expect(onServer(url, "update settlement_expectation set due_days = 2")).rejects.toThrow(
          /permission denied|append-only/,
        );
      }
      await take();
      await run();
      await close();
      await expect(expectFile({ validFrom: DAY, dueTime: "10:00" })).rejects.toThrow(`up to ${DAY} are closed`);
    });
  });

  describe("a day", () => {
    it("is not closed while an expected file is missing, due or not, until two people agree; the close names them", async () => {
      await expectFile({ dueDays: 31 });
      await expect(close()).rejects.toMatchObject({
        code: "missing_file",
        message: `the file of full for ${DAY} has not come`,
        remedy: "agree-without-file",
      });
      // It stands in the queue now, though it is not due.
      expect(await missing()).toHaveLength(1);
      const { batchId, proposalIds } = await withoutFile();
      expect(proposalIds).toHaveLength(1);
      await expect(withoutFile()).rejects.toMatchObject({ code: "not_possible" });
      await expect(close()).rejects.toMatchObject({ code: "missing_file" });
      expect(await people.approve(proposalIds[0] ?? "")).toMatchObject({ done: "its day may be closed without it" });
      expect(await missing()).toEqual([]);
      const closed = await close();
      expect(parseBody(closed.close)).toMatchObject({
        format: "biller day close 2",
        version: 1,
        replaces: null,
        begin: null,
        paymentsWithoutFile: [],
        expectedFiles: [
          {
            profile: "full",
            product: null,
            state: "without-file",
            files: [],
            dueAt: "2026-12-21T02:00:00Z",
            reason: "the switch is down",
            proposedBy: "ani",
            approvedBy: "budi",
          },
        ],
      });
      expect(batchId).toMatch(/^[0-9a-f-]{36}$/);
      // The file comes after all: the close says what it said.
      await take();
      await run();
      expect(await close()).toMatchObject({ kind: "known", isIdentical: true });
      expect(await track("2026-12-30T00:00:00")).toMatchObject({ closed: 0 });
    });

    it("closes with the file that came, whatever was agreed before", async () => {
      await expectFile();
      const { proposalIds } = await withoutFile();
      await take();
      await expect(people.approve(proposalIds[0] ?? "")).rejects.toMatchObject({ code: "decided" });
      await expect(close()).rejects.toMatchObject({ code: "not_reconciled" });
      await run();
      expect(parseBody((await close()).close).expectedFiles).toMatchObject([
        { state: "arrived", files: [`${DAY}.csv`], reason: null },
      ]);
    });

    it("says which payments no file speaks of where none is expected", async () => {
      expect(parseBody((await close()).close)).toMatchObject({
        expectedFiles: [],
        paymentsWithoutFile: [{ partner: FULL_PROFILE.partner, product: "001001", count: 2, amount: "60000" }],
      });
    });

    it("lists a line that cannot be read among its open exceptions", async () => {
      await desk.import("bad.csv", `${[FULL_HEADER, ...day.lines.map(fullLine), "x,y"].join("\n")}\n`, { date: DAY });
      await run();
      expect(parseBody((await close()).close).openExceptions).toEqual([
        { class: "unreadable-line", count: 1, amount: "0", difference: "0" },
      ]);
    });
  });

  it("computes a day again in the format that it was closed in", async () => {
    await expectFile();
    await take();
    await run();
    const { close: stored } = await close();
    const { version, replaces, begin, expectedFiles, paymentsWithoutFile, supplements, ...first } = parseBody(stored);
    expect([version, replaces, begin, paymentsWithoutFile, supplements]).toEqual([1, null, null, [], []]);
    expect(expectedFiles).toHaveLength(1);
    const body = canonicalJson({ ...first, format: "biller day close 1" });
    await database.query("set session_replication_role = replica");
    await database.query("update day_close set body = $1, sha256 = sha256(convert_to($1, 'UTF8'))", [body]);
    await database.query("set session_replication_role = origin");
    expect(await close()).toMatchObject({ kind: "known", isIdentical: true, close: { body } });
  });

  describe("the first closed day", () => {
    it("is the earliest with entries, unless somebody says that closed days begin later; the close says what it takes over", async () => {
      await expect(close(NEXT)).rejects.toMatchObject({
        code: "close_first",
        message: `there are entries of ${DAY} and later: close ${DAY} first`,
        remedy: "begin-later",
      });
      const begun = await close(NEXT, true);
      expect(parseBody(begun.close)).toMatchObject({
        begin: { earliest: DAY, entries: 2 },
        receivable: { opening: "70000", closing: "70000" },
      });
      expect(await close(NEXT)).toMatchObject({ kind: "known", isIdentical: true });
      await expect(close(DAY)).rejects.toMatchObject({ code: "close_order" });
      await expect(close("2026-11-22", true)).rejects.toThrow(`closed days begin with ${NEXT} already`);
    });

    it("may be one before any entry", async () => {
      expect((await close(BEFORE)).kind).toBe("closed");
      expect((await close()).kind).toBe("closed");
    });
  });

  describe("a closed day that two people open again", () => {
    it("keeps every close as evidence, closes again in order, and its hashes chain over the versions", async () => {
      const [first, second] = [await close(), await close(NEXT)];
      expect(await reopen(DAY)).toBe(`open again: ${DAY}, ${NEXT}; close them in this order`);
      expect(await session((each) => readClose(each, DAY))).toBeNull();
      expect(await session((each) => readClose(each, DAY, 1))).toMatchObject({
        sha256: first.close.sha256,
        reopened: { reason: "a file came late", proposedBy: "ani", approvedBy: "budi" },
      });
      await take();
      await expect(close(NEXT)).rejects.toThrow(`every closed date was opened again: close ${DAY} next`);
      await expect(close()).rejects.toMatchObject({ code: "not_reconciled" });
      await run();
      await people.settle("full", DAY);
      const again = await close();
      expect(parseBody(again.close)).toMatchObject({
        version: 2,
        replaces: {
          version: 1,
          sha256: first.close.sha256,
          reason: "a file came late",
          proposedBy: "ani",
          approvedBy: "budi",
        },
        paymentsWithoutFile: [],
        posted: [{ profile: "full", count: 2, amount: "70000" }],
      });
      const next = await close(NEXT);
      expect(parseBody(next.close)).toMatchObject({ version: 2, previousSha256: again.close.sha256 });
      expect(await close()).toMatchObject({ kind: "known", isIdentical: true, close: { version: 2 } });
      expect(await close(NEXT)).toMatchObject({ kind: "known", isIdentical: true, close: { version: 2 } });
      const stored = await database.query(
        "select business_date, version, encode(previous_sha256, 'hex') as previous from day_close order by 1, 2",
      );
      expect(stored).toEqual([
        { business_date: DAY, version: 1, previous: null },
        { business_date: DAY, version: 2, previous: null },
        { business_date: NEXT, version: 1, previous: first.close.sha256 },
        { business_date: NEXT, version: 2, previous: again.close.sha256 },
      ]);
      expect(parseBody(second.close).previousSha256).toBe(first.close.sha256);
    });

    it("asks again for a file that is still missing", async () => {
      await expectFile();
      await people.approve((await withoutFile()).proposalIds[0] ?? "");
      await close();
      await reopen(DAY);
      await expect(close()).rejects.toMatchObject({ code: "missing_file" });
      expect(await missing()).toHaveLength(1);
    });

    it("needs two names, a reason and a closed day, in the program and in the database", async () => {
      await expect(transact(db, (tx) => proposeReopening(tx, ANI, DAY, "why"))).rejects.toMatchObject({
        code: "day_not_closed",
      });
      await close();
      await close(NEXT);
      const { proposalId, days } = await transact(db, (tx) => proposeReopening(tx, ANI, NEXT, "why"));
      expect(days).toMatchObject([{ businessDate: NEXT, version: 1 }]);
      await expect(people.approve(proposalId, ANI)).rejects.toMatchObject({ code: "same_person" });
      const reopening = (date: string): string =>
        `insert into day_reopening (business_date, version, proposal_id, reason, proposed_by, approved_by)
         values ('${date}', 1, '${proposalId}', 'why', 'ani', 'budi')`;
      await expect(onServer(database.appUrl, reopening(DAY))).rejects.toThrow("the last closed day is reopened first");
      await expect(onServer(database.appUrl, reopening(NEXT))).rejects.toMatchObject({
        constraint: "day_reopening_approved",
      });
      await expect(
        onServer(
          database.appUrl,
          `insert into day_close (business_date, version, as_of, body, sha256, closed_by, closed_via)
           values ('2026-11-24', 1, now(), 'x', sha256('x'), 'x', 'x')`,
        ),
      ).rejects.toThrow("closed days follow one another");
      await people.approve(proposalId);
      await expect(people.approve(proposalId)).rejects.toMatchObject({ code: "decided" });
    });
  });
});
