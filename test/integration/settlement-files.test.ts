import { listQueue, runReconciliation, trackMissingFiles, WHOLE_QUEUE } from "../../src/ops";
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
import { twoPeople, type TwoPeople } from "../support/two-people";

jest.setTimeout(120_000);

const NEXT = "2026-11-21";
const EMPTY = `${FULL_HEADER}\n`;

describe("settlement files of a subject", () => {
  let database: TestDatabase;
  let desk: ReturnType<typeof settlementDesk>;
  let db: Db;
  let people: TwoPeople;
  const truth = { damage: "none", amount: 30_000n, feeAmount: 5_000n, minute: 600 } as const;
  const day = dayOf([truth, truth, truth]);
  const [first = "", second = "", third = ""] = day.lines.map(fullLine);
  const fileOf = (...lines: readonly string[]): string => `${[FULL_HEADER, ...lines].join("\n")}\n`;

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
  const take = (name: string, content: string, changes = {}) => desk.import(name, content, { date: DAY, ...changes });
  const run = (settlementDate = DAY) =>
    runReconciliation({
      databaseUrl: database.appUrl,
      profileCode: "full",
      settlementDate,
      isDryRun: false,
      redecidesDeclared: false,
      by: "test (test)",
    });
  const unreadable = (withClosed = false) => people.queue({ class: "unreadable-line", withClosed });
  const historyOf = (itemId: string) =>
    database.query<{ kind: string; detail: string; actor: string }>(
      "select kind, detail, actor from exception_event where item_id = $1 order by event_id",
      [itemId],
    );

  describe("are known by what they are about", () => {
    it("takes a second empty file for its own day, under the same name or another, and finds its payments missing", async () => {
      await take("empty.csv", EMPTY, { date: "2026-11-19" });
      for (const name of ["empty.csv", "other.csv"]) {
        const outcome = await take(name, EMPTY);
        // The second name is the same subject and content.
        expect(outcome).toMatchObject({
          kind: name === "empty.csv" ? "imported" : "known",
          file: { settlementDate: DAY },
        });
      }
      expect((await run()).summary).toMatchObject({
        files: 1,
        findings: [{ class: "missing-in-file", count: 3, amount: 90_000n }],
      });
    });

    it("refuses lines that are known of another day, byte for byte, until somebody takes them", async () => {
      const { file } = await take("day.csv", fileOf(first));
      const again = take("day.csv", fileOf(first), { date: NEXT });
      await expect(again).rejects.toMatchObject({
        code: "settlement_file_repeated",
        remedy: "accept-the-same-content",
        message: `the 1 lines of day.csv for ${NEXT} are, byte for byte, those of file ${file.fileId}, day.csv of ${DAY}`,
      });
      const taken = await take("day.csv", fileOf(first), { date: NEXT, acceptsSameContent: true });
      expect(taken).toMatchObject({
        kind: "imported",
        file: {
          version: 1,
          settlementDate: NEXT,
          remarks: [`the same content as file ${file.fileId}, day.csv of ${DAY}`],
        },
      });
    });

    it("takes an earlier content for a version again when it is to replace the current one", async () => {
      const one = await take("day.csv", fileOf(first));
      const two = await take("day.csv", fileOf(first, second), { mayReplace: true });
      // The old file comes again by itself: nothing happens.
      expect(await take("day.csv", fileOf(first))).toMatchObject({
        kind: "known",
        file: { version: 1, supersededBy: two.file.fileId },
      });
      const back = await take("day.csv", fileOf(first), { mayReplace: true });
      expect(back).toMatchObject({ kind: "imported", replaced: two.file.fileId, file: { version: 3, lines: 1 } });
      expect(back.file.sha256).toBe(one.file.sha256);
      expect((await run()).summary).toMatchObject({ files: 1, lines: 1, matched: 1 });
      expect(await take("day.csv", fileOf(first), { mayReplace: true })).toMatchObject({ kind: "known" });
    });

    it("cannot hold one content twice for one subject, nor two current versions: the database refuses", async () => {
      const { file } = await take("day.csv", fileOf(first));
      const copy = (changes: string): string =>
        `insert into settlement_file (profile_code, profile_version, partner_id, file_name, version, content_sha256, byte_count,
           settlement_date, product_codes, line_count, bad_line_count, amount_total, fee_total, imported_by)
         select profile_code, profile_version, partner_id, ${changes}, byte_count, settlement_date, product_codes, 0, 0, 0, 0, 'x'
           from settlement_file where file_id = ${file.fileId}`;
      await expect(onServer(database.appUrl, copy("'x.csv', 1, content_sha256"))).rejects.toMatchObject({
        constraint: "settlement_file_content_key",
      });
      await expect(onServer(database.appUrl, copy("file_name, 2, sha256('x')"))).rejects.toMatchObject({
        constraint: "settlement_file_current_key",
      });
    });
  });

  describe("with lines that cannot be read", () => {
    const bad = second.replace("30000", "30.000");

    it("opens an exception for each, with an owner, a due time and a history", async () => {
      const { file } = await take("day.csv", fileOf(first, bad, bad.replace("T", "U")));
      const items = await unreadable();
      expect(items).toMatchObject([
        { class: "unreadable-line", profileCode: "full", businessDate: DAY, fileId: file.fileId, traxId: null },
        { class: "unreadable-line" },
      ]);
      expect(new Set(items.map(({ lineNo }) => lineNo))).toEqual(new Set([3, 4]));
      expect(items[0]?.detail).toMatch(/^line [34] of day.csv: amount: is no amount/);
      expect(items[0]?.dueAt.getTime()).toBeGreaterThan(items[0]?.openedAt.getTime() ?? 0);
      expect(await people.queue({ profileCode: "full", businessDate: DAY, toDate: DAY })).toHaveLength(2);
      expect(await people.queue({ businessDate: NEXT })).toHaveLength(0);
    });

    it("lets two people close one that is no payment, and no one person", async () => {
      await take("day.csv", fileOf(first, bad));
      const [item] = await unreadable();
      const itemId = item?.itemId ?? "";
      await expect(people.propose(itemId, { action: "accept" })).rejects.toMatchObject({ code: "not_possible" });
      const proposalId = await people.propose(itemId, { action: "not-a-payment", reason: "a subtotal" });
      await expect(people.approve(proposalId, { name: "ani", via: "x" })).rejects.toMatchObject({
        code: "same_person",
      });
      expect(await people.approve(proposalId)).toMatchObject({ done: "closed: no payment", entryId: null });
      expect(await unreadable()).toEqual([]);
      expect(await unreadable(true)).toMatchObject([{ itemId, closedAt: expect.any(Date) as Date }]);
      expect((await historyOf(itemId)).map(({ kind }) => kind)).toEqual(["proposed", "approved"]);
    });

    it("closes them when the file is replaced, and what was proposed about them", async () => {
      await take("day.csv", fileOf(first, bad));
      const [item] = await unreadable();
      const proposalId = await people.propose(item?.itemId ?? "", { action: "not-a-payment" });
      const { file } = await take("day.csv", fileOf(first, second), { mayReplace: true });
      expect(await unreadable()).toEqual([]);
      expect(await historyOf(item?.itemId ?? "")).toMatchObject([
        { kind: "proposed" },
        { kind: "closed", actor: "biller (by itself)", detail: `the file was replaced by file ${file.fileId}` },
      ]);
      await expect(people.approve(proposalId)).rejects.toMatchObject({
        code: "decided",
        message: `proposal ${proposalId} has lapsed: the file was replaced by file ${file.fileId}`,
      });
    });

    it("settles one by a supplement after its file was settled, and the original stays as it was", async () => {
      const { file } = await take("day.csv", fileOf(first, bad, third));
      await run();
      await people.settle("full", DAY);
      await expect(take("day.csv", fileOf(first, second, third), { mayReplace: true })).rejects.toMatchObject({
        code: "settlement_file_resolved",
        remedy: "supplement-the-file",
      });
      const supplement = { ofFileId: file.fileId, lineNos: [3] };
      const outcome = await desk.import("corrected.csv", fileOf(second), { supplement });
      expect(outcome).toMatchObject({
        kind: "imported",
        file: { supplementOf: file.fileId, settlementDate: DAY, version: 1, lines: 1 },
      });
      expect(await unreadable()).toEqual([]);
      expect(await historyOf((await unreadable(true))[0]?.itemId ?? "")).toMatchObject([
        { kind: "closed", detail: `the line was corrected by the supplement, file ${outcome.file.fileId}` },
      ]);
      expect(await desk.import("corrected.csv", fileOf(second), { supplement })).toMatchObject({ kind: "known" });
      expect((await run()).summary).toMatchObject({ files: 2, lines: 4, badLines: 1, matched: 3, findings: [] });
      expect(await people.settle("full", DAY)).toMatchObject([
        { fileId: file.fileId, lines: 0 },
        { fileId: outcome.file.fileId, lines: 1, amount: 35_000n },
      ]);
      const [kept] = await database.query("select line_count, bad_line_count, superseded_by from settlement_file");
      expect(kept).toEqual({ line_count: 3, bad_line_count: 1, superseded_by: null });
    });

    it("refuses a supplement of no line, of a line that was read or closed, of no file, and of another subject", async () => {
      const { file } = await take("day.csv", fileOf(first, bad));
      const other = await take("next.csv", fileOf(third), { date: NEXT });
      const give = (supplement: { ofFileId: number; lineNos: number[] }, changes = {}) =>
        desk.import("corrected.csv", fileOf(second), { supplement, ...changes });
      const ofFileId = file.fileId;
      await expect(give({ ofFileId, lineNos: [] })).rejects.toMatchObject({ remedy: "name-the-lines" });
      await expect(give({ ofFileId, lineNos: [2] })).rejects.toThrow(
        `line 2 of file ${ofFileId} is no open unreadable line; open are: 3`,
      );
      const empty = desk.import("none.csv", EMPTY, { supplement: { ofFileId, lineNos: [3] } });
      await expect(empty).rejects.toMatchObject({ code: "supplement", message: "none.csv has no line" });
      await expect(give({ ofFileId: 99, lineNos: [3] })).rejects.toThrow("there is no file 99");
      await expect(give({ ofFileId, lineNos: [3] }, { date: NEXT })).rejects.toThrow(`is of business date ${DAY}`);
      await expect(
        onServer(
          database.appUrl,
          `insert into settlement_file (profile_code, profile_version, partner_id, file_name, version, content_sha256, byte_count,
             settlement_date, product_codes, line_count, bad_line_count, amount_total, fee_total, imported_by, supplement_of)
           select profile_code, profile_version, partner_id, 'x', 1, sha256('x'), 1, settlement_date, product_codes, 0, 0, 0, 0,
                  'x', ${ofFileId} from settlement_file where file_id = ${other.file.fileId}`,
        ),
      ).rejects.toMatchObject({ constraint: "settlement_file_supplement" });
      await give({ ofFileId, lineNos: [3] });
      await expect(
        desk.import("more.csv", fileOf(third, first), { supplement: { ofFileId, lineNos: [3] } }),
      ).rejects.toThrow("open are: none");
      expect(await database.query("select count(*)::int as n from settlement_file")).toEqual([{ n: 3 }]);
    });

    it("replaces supplements with the file whose lines they corrected", async () => {
      const { file } = await take("day.csv", fileOf(first, bad));
      const supplement = { ofFileId: file.fileId, lineNos: [3] };
      const corrected = await desk.import("corrected.csv", fileOf(second), { supplement });
      const whole = await take("day.csv", fileOf(first, second), { mayReplace: true });
      expect(whole.file.remarks).toEqual([
        `also replaces the supplements of the version before: ${corrected.file.fileId}`,
      ]);
      expect((await run()).summary).toMatchObject({ files: 1, lines: 2, matched: 2 });
      await expect(
        desk.import("late.csv", fileOf(third), { supplement: { ofFileId: file.fileId, lineNos: [3] } }),
      ).rejects.toThrow(`file ${file.fileId} was replaced by file ${whole.file.fileId}: supplement that one`);
    });
  });

  it("are looked for without a plan that was never set", async () => {
    expect(await transact(db, (tx) => trackMissingFiles(tx, Date.parse("2026-11-25T00:00:00Z")))).toEqual({
      opened: 0,
      closed: 0,
    });
    expect(await transact(db, (tx) => listQueue(tx, WHOLE_QUEUE))).toEqual([]);
  });
});
