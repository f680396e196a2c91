import fc from "fast-check";
import { type LineRef, type LineResult, reconcile } from "../../src/domain";
import { inSession, listResults, runReconciliation, type RunReport, type RunRequest } from "../../src/ops";
import { fill } from "../support/builders";
import { UNLINKED_MAX } from "../../src/ops/reconciliation/linked-rows";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";
import { DAY, dayOf, RULES, truthArbitrary } from "../support/settlement-days";
import { bookPayments, FULL_HEADER, FULL_PROFILE, fullLine, settlementDesk } from "../support/settlement-files";

jest.setTimeout(120_000);

const ANY = { profileCode: null, settlementDate: null, fileId: null, lineNo: null, traxId: null, class: null };

describe("a run", () => {
  let database: TestDatabase;
  let desk: ReturnType<typeof settlementDesk>;
  beforeEach(async () => {
    database = await createTestDatabase();
    desk = settlementDesk(database);
    await fill(database, []);
    await desk.saveProfile("full", { ...FULL_PROFILE, rules: RULES });
  });
  afterEach(async () => {
    desk.close();
    await database.drop();
  });

  const run = (changes: Partial<RunRequest> = {}): Promise<RunReport> =>
    runReconciliation({
      ...{ databaseUrl: database.appUrl, profileCode: "full", settlementDate: DAY, isDryRun: false },
      ...{ redecidesDeclared: false, by: "test (test)", ...changes },
    });
  const results = () =>
    inSession({ url: database.appUrl, isolation: "read committed" }, (session) =>
      listResults(session, { ...ANY, onlyOpen: false, limit: 100_000 }),
    );
  const key = ({ fileId, lineNo }: LineRef): string => `${fileId}:${lineNo}`;
  const importDay = (lines: readonly string[], name = "day.csv") =>
    desk.import(name, `${[FULL_HEADER, ...lines].join("\n")}\n`, { date: DAY });

  it("finds what the pure functions find, on generated days, and nothing new when it is repeated", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(truthArbitrary, { minLength: 1, maxLength: 60 }), async (truths) => {
        const day = dayOf(truths);
        await database.query("set session_replication_role = replica");
        await database.query(`truncate trax, journal_entry, settlement_file, settlement_line, settlement_match,
          reconciliation_finding, reconciliation_run, receivable_clearing cascade`);
        await database.query("set session_replication_role = origin");
        await bookPayments(database, day.payments);
        const outcome = await importDay(day.lines.map(fullLine));
        const { fileId } = outcome.file;
        const report = await run();
        const found = await results();

        // The header is line 1 of the file.
        const lines = day.lines.map((line) => ({ ...line, fileId, lineNo: line.lineNo + 1 }));
        const expected = reconcile(lines, day.payments, RULES, DAY);
        const inFile = found.filter((row) => row.fileId !== null);
        const shown = new Map(inFile.map((row) => [key(row as LineRef), row]));
        for (const each of expected.lines) expect(shown.get(key(each.line))).toMatchObject(rowOf(each));
        expect(inFile).toHaveLength(lines.length);
        const missing = found.filter((row) => row.fileId === null).map(({ traxId }) => traxId);
        expect(new Set(missing)).toEqual(new Set(expected.missingInFile.map(({ traxId }) => traxId)));
        expect(missing).toHaveLength(expected.missingInFile.length);
        expect(report.summary.matched).toBe(expected.lines.filter((each) => each.class === "matched").length);

        const again = await run();
        expect(again.changes).toEqual([]);
        expect(await results()).toEqual(found);
        expect(await database.query("select * from reconciliation_work_line")).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  function rowOf({ class: found, rule, payments, tried, differingFields }: LineResult) {
    const isFinding = found !== "matched";
    return {
      class: found,
      rule: !isFinding && payments.length === 0 && rule === "traxId" ? null : rule,
      entryId: payments[0]?.entryId ?? null,
      ...(isFinding ? { tried, differingFields } : {}),
    };
  }

  const payment = dayOf([{ damage: "none", amount: 30_000n, feeAmount: 5_000n, minute: 600 }]);
  const [line] = payment.lines as [(typeof payment.lines)[number]];

  it("decides an open line again when its payment has come, and gives up what the line before had held", async () => {
    await importDay([fullLine(line)]);
    expect((await run()).summary.findings).toMatchObject([{ class: "missing-here", count: 1, difference: 30_000n }]);
    await bookPayments(database, payment.payments);
    const { summary, changes } = await run();
    expect(summary).toMatchObject({ matched: 1, findings: [] });
    expect(changes).toMatchObject([{ classBefore: "missing-here", classNow: "matched", ruleNow: "traxId" }]);
  });

  it("takes a payment out of the missing ones when a later file speaks of it", async () => {
    await bookPayments(database, payment.payments);
    await importDay([], "first.csv");
    expect((await run()).summary.findings).toMatchObject([
      { class: "missing-in-file", amount: 30_000n, difference: -30_000n },
    ]);
    await importDay([fullLine(line)], "second.csv");
    expect((await run()).summary).toMatchObject({ files: 2, matched: 1, findings: [] });
  });

  it("calls the same payment in a later file a duplicate, and names the line that holds it", async () => {
    await bookPayments(database, payment.payments);
    const first = await importDay([fullLine(line)], "first.csv");
    await run();
    await importDay([fullLine(line), fullLine(line)], "second.csv");
    const { summary } = await run();
    expect(summary).toMatchObject({
      matched: 1,
      findings: [{ class: "duplicate-in-file", count: 2, difference: 60_000n }],
    });
    const [row] = (await results()).filter((each) => each.class === "duplicate-in-file");
    expect(row?.tried).toEqual([
      {
        ...{ rule: "traxId", blockedBy: "heldBy", heldBy: { fileId: first.file.fileId, lineNo: 2 } },
        nearest: { traxId: line.traxId, entryId: payment.payments[0]?.entryId },
      },
    ]);
  });

  it("calls a line a duplicate when a file of another date holds its payment, though no run has seen its own file", async () => {
    await bookPayments(database, payment.payments);
    const tomorrow = { date: "2026-11-21" };
    await desk.import("tomorrow.csv", `${FULL_HEADER}\n${fullLine(line)}\n`, tomorrow);
    expect((await run({ settlementDate: tomorrow.date })).summary).toMatchObject({ matched: 1, findings: [] });
    // The same bytes would be the same file.
    await importDay([fullLine(line), ""], "today.csv");
    expect((await run()).summary).toMatchObject({ matched: 0, findings: [{ class: "duplicate-in-file", count: 1 }] });
  });

  it("decides the same when more is left than a run holds in memory", async () => {
    const many = UNLINKED_MAX / 2 + 1;
    const damage = "other-bill-number" as const;
    const truths = Array.from({ length: many }, () => ({ damage, amount: 30_000n, feeAmount: 0n, minute: 600 }));
    const day = dayOf([...truths, { damage: "none", amount: 30_000n, feeAmount: 0n, minute: 600 }]);
    await bookPayments(database, day.payments);
    await importDay(day.lines.map(fullLine));
    const { summary } = await run({ rules: [] });
    expect(summary.matched).toBe(1);
    expect(summary.findings.map((each) => [each.class, each.count])).toEqual([
      ["missing-here", many],
      ["missing-in-file", many],
    ]);
    expect((await run({ rules: [] })).changes).toEqual([]);
  });

  it("lets the lines of a replaced file go", async () => {
    await bookPayments(database, payment.payments);
    await importDay([fullLine(line)]);
    await run();
    const outcome = await desk.import("day.csv", `${FULL_HEADER}\n${fullLine({ ...line, amount: 1n })}\n`, {
      ...{ date: DAY, mayReplace: true },
    });
    expect(outcome).toMatchObject({ kind: "imported", file: { version: 2 } });
    expect((await run()).summary).toMatchObject({
      files: 1,
      matched: 0,
      findings: [{ class: "amount-differs", difference: -29_999n }],
    });
  });

  it("leaves alone what people have resolved, and keeps its identity", async () => {
    await importDay([fullLine(line)]);
    await run();
    await onServer(database.appUrl, "update reconciliation_finding set resolved_at = now()");
    const before = await results();
    await bookPayments(database, payment.payments);
    await run();
    expect((await results()).filter(({ fileId }) => fileId !== null)).toEqual(before);
    await expect(desk.import("day.csv", `${FULL_HEADER}\n`, { date: DAY, mayReplace: true })).rejects.toThrow(
      "1 exceptions of version 1 of day.csv are resolved",
    );
  });

  it("shows what other rules would find, and keeps nothing of it", async () => {
    await bookPayments(database, payment.payments);
    await importDay([fullLine({ ...line, traxId: "OTHER" })]);
    await run();
    const before = await results();
    const dry = await run({ rules: [], isDryRun: true, redecidesDeclared: true });
    expect(dry.changes).toMatchObject(
      [
        { fileId: null, classNow: "missing-in-file", traxId: line.traxId },
        { classBefore: "matched", ruleBefore: "bill-amount-day", classNow: "missing-here", traxId: "OTHER" },
      ].toReversed(),
    );
    expect(await results()).toEqual(before);
    expect(await database.query("select count(*)::int as n from reconciliation_run")).toEqual([{ n: 1 }]);
  });

  it("is refused for a date without a file, and a profile that nobody knows", async () => {
    await expect(run()).rejects.toThrow(`profile full has no file of business date ${DAY}`);
    await expect(run({ profileCode: "nobody" })).rejects.toThrow("there is no settlement profile nobody");
  });

  it("cannot link a line twice, nor a payment to two lines, nor change what it found: the database refuses", async () => {
    await bookPayments(database, payment.payments);
    await importDay([fullLine(line), fullLine({ ...line, traxId: "OTHER", billNumber: "1" })]);
    await run();
    const entry = payment.payments[0]?.entryId as string;
    const link = (fileLine: string, entryId: string | null): string =>
      `insert into settlement_match (run_id, entry_id, entry_date, file_id, line_no)
       select run_id, ${entryId}, ${entryId === null ? "null" : `'${DAY}'`}, file_id, ${fileLine} from settlement_match limit 1`;
    await expect(onServer(database.appUrl, link("2", "gen_random_uuid()"))).rejects.toThrow(
      "settlement_match_line_key",
    );
    await expect(onServer(database.appUrl, link("3", `'${entry}'`))).rejects.toThrow("settlement_match_payment_key");
    for (const statement of [
      "update settlement_match set entry_id = null",
      "delete from settlement_match",
      "update reconciliation_finding set class = 'matched'",
      "delete from reconciliation_finding",
      "update settlement_line set amount = 1",
      "delete from settlement_file",
      "update settlement_file set line_count = 1",
      "truncate settlement_line",
    ]) {
      await expect(onServer(database.appUrl, statement)).rejects.toThrow(/permission denied/);
    }
    for (const statement of [
      "update settlement_match set entry_id = null",
      "delete from settlement_match",
      "update reconciliation_finding set amount = 1",
      "update settlement_file set line_count = 1",
      "delete from settlement_line",
      "truncate reconciliation_finding",
    ]) {
      await expect(onServer(database.ownerUrl, statement)).rejects.toThrow(/UPDATE refused|append-only/);
    }
    await expect(onServer(database.auditorUrl, "select * from settlement_line_result")).resolves.toBeDefined();
  });
});
