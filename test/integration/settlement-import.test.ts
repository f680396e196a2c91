import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { truncateSync } from "node:fs";
import { join } from "node:path";
import { inSession, listResults, runReconciliation } from "../../src/ops";
import { FILE_BYTES_MAX } from "../../src/ops/reconciliation/import-file";
import { fill } from "../support/builders";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { DAY, dayOf } from "../support/settlement-days";
import { bookPayments, FULL_HEADER, FULL_PROFILE, fullLine, settlementDesk } from "../support/settlement-files";

jest.setTimeout(120_000);

const ANY = { profileCode: null, settlementDate: null, fileId: null, lineNo: null, traxId: null, class: null };
const [LINE] = dayOf([{ damage: "none", amount: 30_000n, feeAmount: 5_000n, minute: 600 }]).lines.map(fullLine);
const GOOD = `${FULL_HEADER}\n${LINE}\n`;

/** Nine columns as the preset has them, on one line. */
const FINPAY_HEADER = "KODE_CA|TRAX_ID|KODE_PRODUK|BILL_NUMBER|AMOUNT|FEE|TGL_BAYAR|JAM_BAYAR|STATUS";
const FINPAY_LINE = "CA01|T1|001001|0021008457003|30000|5000|20261120|104040|SUKSES";

describe("importing a settlement file", () => {
  let database: TestDatabase;
  let desk: ReturnType<typeof settlementDesk>;
  beforeAll(async () => {
    database = await createTestDatabase();
    desk = settlementDesk(database);
    await fill(database, []);
    await desk.saveProfile("full", FULL_PROFILE);
    await desk.saveProfile("latin", { ...FULL_PROFILE, encoding: "latin1" });
    await desk.saveProfile("finpay", { preset: "finpay", partner: FULL_PROFILE.partner });
  });
  afterAll(async () => {
    desk.close();
    await database.drop();
  });
  beforeEach(async () => {
    await database.query("set session_replication_role = replica");
    await database.query("truncate settlement_file, settlement_line cascade");
    await database.query("set session_replication_role = origin");
  });

  const take = (content: string | Buffer, changes = {}) => desk.import("day.csv", content, { date: DAY, ...changes });
  const stored = async (): Promise<number> =>
    Number((await database.query<{ n: string }>("select count(*)::text as n from settlement_line"))[0]?.n);
  const lines = () =>
    inSession({ url: database.appUrl, isolation: "read committed" }, (session) =>
      listResults(session, { ...ANY, onlyOpen: false, limit: 1_000 }),
    );

  it("keeps what it says, and does nothing when it comes again, under whatever name", async () => {
    const first = await take(GOOD);
    expect(first).toMatchObject({
      kind: "imported",
      file: { lines: 1, badLines: 0, amount: 30_000n, fee: 5_000n, version: 1, settlementDate: DAY },
    });
    expect(first.file.sha256).toBe(createHash("sha256").update(GOOD).digest("hex"));
    for (const name of ["day.csv", "other.csv"]) {
      const again = await desk.import(name, GOOD, { date: DAY });
      expect(again).toMatchObject({ kind: "known", file: { fileId: first.file.fileId, fileName: "day.csv" } });
    }
    expect(await stored()).toBe(1);
  });

  it("refuses a changed file of a known name until it is told to replace it, and deletes nothing then", async () => {
    const first = await take(GOOD);
    const changed = `${GOOD}${LINE}\n`;
    await expect(take(changed)).rejects.toThrow(/day.csv is known with another content .* can become version 2/);
    expect(await take(changed, { mayReplace: true })).toMatchObject({
      kind: "imported",
      replaced: first.file.fileId,
      file: { version: 2 },
    });
    expect(await stored()).toBe(3);
    const old = await take(GOOD);
    expect(old).toMatchObject({ kind: "known", file: { version: 1 } });
    expect(old.file.supersededBy).not.toBeNull();
  });

  it("takes two imports of one file at the same time for one", async () => {
    const outcomes = await Promise.all([1, 2, 3].map((n) => desk.import(`same-${n}.csv`, GOOD, { date: DAY })));
    expect(outcomes.map(({ kind }) => kind).toSorted((a, b) => a.localeCompare(b))).toEqual([
      "imported",
      "known",
      "known",
    ]);
    expect(await stored()).toBe(1);
  });

  it("keeps lines that cannot be read, with the reason and what was there", async () => {
    const bad: readonly (readonly [line: string | Buffer, reason: string])[] = [
      ["a,b", "has 2 columns, expected 8"],
      [`${LINE},`, "has 9 columns, expected 8"],
      [FULL_HEADER, "is the header again"],
      [`"T1,001001,1,1,1,,${DAY},paid`, "the quote of column 1 is never closed"],
      [`T1,001001,1,1.000,1,,${DAY},paid`, "amount: is no amount of the form 1234567"],
      [`T1,001001,1,-5,1,,${DAY},paid`, "amount: is negative"],
      [`T1,001001,1,1e3,1,,${DAY},paid`, "amount: is no amount"],
      [`T1,001001,1,1000000000000,1,,${DAY},paid`, "amount: is over twelve digits"],
      [`T1,001001,1,５,1,,${DAY},paid`, "amount: is no amount"],
      [`T1,001001,1,1,1,2026-11-20 24:00:00,${DAY},paid`, "paidAt: is no date of the form YYYY-MM-DD HH:mm:ss"],
      ["T1,001001,1,1,1,,2026-02-30,paid", "businessDate: is no day of the calendar"],
      [`T1,001001,1,1,1,,${DAY},PAID`, "status: is a text whose meaning the profile does not tell"],
      [`,001001,,1,1,,${DAY},paid`, "has neither a traxId nor a bill number"],
      [`T 1,001001,1,1,1,,${DAY},paid`, "traxId: holds blanks or signs beyond ASCII"],
      [`${"T".repeat(33)},001001,1,1,1,,${DAY},paid`, "traxId: is longer than 32 characters"],
      [`T1,01,1,1,1,,${DAY},paid`, "productCode: is no product code"],
      [`T1\u0000,001001,1,1,1,,${DAY},paid`, "holds a NUL byte at byte 3"],
      [Buffer.from("T1,caf\u00e9", "latin1"), "is not UTF-8"],
      ["x".repeat(70_000), "is longer than 65536 bytes"],
      ["x".repeat(3_000_000), "is longer than 65536 bytes"],
    ];
    const content = Buffer.concat([
      Buffer.from(GOOD),
      ...bad.flatMap(([line]) => [Buffer.from(line), Buffer.from("\n")]),
      Buffer.from(`${LINE?.replace(/^T/, "U")}\n`),
    ]);
    expect(await take(content)).toMatchObject({ file: { lines: bad.length + 2, badLines: bad.length } });
    const found = await lines();
    expect(found.map(({ lineNo }) => lineNo)).toEqual(found.map((_row, index) => index + 2));
    for (const [index, [, reason]] of bad.entries()) {
      expect(found[index + 1]).toMatchObject({ class: "unreadable" });
      expect(found[index + 1]?.fault).toContain(reason);
      expect(found[index + 1]?.raw).toMatch(/^[^\p{Cc}]{1,520}$/u);
    }
    expect(found.at(-1)).toMatchObject({ class: "undecided", traxId: expect.stringMatching(/^U/) as string });
  });

  it.each<[string, string | Buffer]>([
    ["ends of lines CR LF", GOOD.replaceAll("\n", "\r\n")],
    ["no end of the last line", GOOD.trimEnd()],
    ["a byte order mark", `\ufeff${GOOD}`],
    ["blank lines", `\n${GOOD}\n  \n`],
    [
      "quoted values",
      `${FULL_HEADER}\n${LINE?.split(",")
        .map((value) => `"${value}"`)
        .join()}\n`,
    ],
  ])("reads a file with %s", async (_name, content) => {
    expect(await take(content)).toMatchObject({ file: { lines: 1, badLines: 0, amount: 30_000n } });
  });

  it.each<[string, string | Buffer, string]>([
    ["an empty file", "", "the file is empty"],
    ["a byte order mark alone", "\ufeff", "the file is empty"],
    ["blank lines alone", "\n\n \n", "nothing but blank lines"],
    ["a workbook", Buffer.from([0x50, 0x4b, 3, 4, 0, 0]), "is a ZIP archive or an Excel workbook"],
    ["UTF-16", Buffer.from(`\ufeff${GOOD}`, "utf16le"), "is UTF-16 text"],
    ["another header", GOOD.replace("trax,", "id,"), "the header has no trax; its columns are: id, product"],
    ["a header with a column twice", GOOD.replace("fee,", "trax,"), "the header has no fee and names trax twice"],
    ["lines of another kind", `${FULL_HEADER}\nx;y;z\n`, "none of its 1 lines can be read: is this the right profile?"],
  ])("refuses %s, and stores nothing", async (_name, content, expected) => {
    await expect(take(content)).rejects.toThrow(expected);
    expect(await stored()).toBe(0);
  });

  it("reads latin1 where the profile says so", async () => {
    const content = Buffer.from(GOOD.replace("paid\n", "paid\nT\u00e9,,,,,,,\n"), "latin1");
    const { file } = await take(content, { profileCode: "latin" });
    expect(file).toMatchObject({ lines: 2, badLines: 1 });
    expect((await lines())[1]?.raw).toContain("T\u00e9");
  });

  describe("with control totals and a name", () => {
    const finpay = (trailer: string, name = "CA01_001001_20261120.txt", changes = {}) =>
      desk.import(name, `${FINPAY_HEADER}\n${FINPAY_LINE}\n${trailer}`, { profileCode: "finpay", ...changes });

    it("takes date and product from the name, and checks the totals", async () => {
      expect(await finpay("TOTAL|1|30000|5000\n")).toMatchObject({
        file: { settlementDate: "2026-11-20", productCodes: ["001001"], lines: 1, totalsFault: null },
      });
    });

    it.each([
      ["TOTAL|2|30000|5000\n", "line 3 says 2 lines, the file has 1"],
      ["TOTAL|1|30001|5000\n", "line 3 says 30001 as the sum of amounts, the file has 30000"],
      ["TOTAL|1|30000|0\n", "line 3 says 0 as the sum of fees, the file has 5000"],
      ["TOTAL|1|x|0\n", "the trailer in line 3: its sum of amounts is no amount"],
      ["", "the trailer is missing (a last line that begins with TOTAL|): the file is cut off"],
      ["TOTAL|1|30000|5000\nCA01|T2", "line 4 comes after the trailer in line 3"],
    ])("refuses the trailer %j", async (trailer, expected) => {
      await expect(finpay(trailer)).rejects.toThrow(expected);
      expect(await stored()).toBe(0);
    });

    it("takes totals that do not agree when somebody accepts them, and keeps that with the file", async () => {
      const { file } = await finpay("TOTAL|9|30000|5000\n", undefined, { acceptsTotals: true });
      expect(file.totalsFault).toBe("line 3 says 9 lines, the file has 1");
    });

    it.each([
      ["20261120.txt", undefined, "does not follow {ca}_{product}_{date}.txt"],
      ["CA01_001001_20261320.txt", undefined, "20261320 in the name CA01_001001_20261320.txt is no date"],
      ["CA01_TELKOM1_20261120.txt", undefined, "product TELKOM1 in the name"],
      ["CA01_001001_20261120.txt", "2026-11-19", "is of business date 2026-11-20, not 2026-11-19"],
    ])("refuses the name %s", async (name, date, expected) => {
      await expect(finpay("TOTAL|1|30000|5000\n", name, { date: date ?? null })).rejects.toThrow(expected);
    });
  });

  it("refuses a file of more than 5 GiB before it reads any of it, and takes the size as it is", async () => {
    // Sparse: nothing of it stands on the disk.
    const path = desk.write("huge.csv", "");
    truncateSync(path, FILE_BYTES_MAX + 1);
    const startedMs = performance.now();
    await expect(take("", { path, fileName: "huge.csv" })).rejects.toThrow(
      `the file has ${FILE_BYTES_MAX + 1} bytes, more than the ${FILE_BYTES_MAX} that are taken`,
    );
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(await stored()).toBe(0);
    await expect(take("", { path: desk.dir, fileName: "day.csv" })).rejects.toThrow("is not a file");
    await expect(take("", { path: `${desk.dir}/none.csv`, fileName: "none.csv" })).rejects.toThrow("cannot be read");
  });

  describe("of fixed widths", () => {
    const WIDTHS = [12, 6, 13, 12, 8, 8, 6, 1] as const;
    const row = (...cells: readonly string[]): string =>
      WIDTHS.map((width, index) => {
        const cell = cells[index] ?? "";
        return index === 3 || index === 4 ? cell.padStart(width, "0") : cell.padEnd(width);
      }).join("");
    const at = (column: number): [number, number] => [
      WIDTHS.slice(0, column).reduce((sum, width) => sum + width, 0),
      WIDTHS[column] as number,
    ];
    beforeAll(() =>
      desk.saveProfile("fixed", {
        partner: FULL_PROFILE.partner,
        format: { kind: "fixed", width: WIDTHS.reduce((sum, width) => sum + width, 0) },
        trailer: { startsWith: "TOTAL", count: [12, 8], amount: [20, 20] },
        columns: {
          ...{ traxId: at(0), productCode: at(1), billNumber: { at: at(2) }, amount: at(3), feeAmount: at(4) },
          paidAt: { at: at(5), form: "YYYYMMDD", time: { at: at(6), form: "HHmmss" } },
          status: { at: at(7), paid: ["S"], failed: ["G"] },
        },
      }),
    );
    const [day] = dayOf([{ damage: "none", amount: 30_000n, feeAmount: 5_000n, minute: 600 }]).lines;
    const good = row(day?.traxId ?? "", "001001", day?.billNumber ?? "", "30000", "5000", "20261120", "100000", "S");
    const trailer = (lines: number, amount: number): string =>
      `TOTAL       ${String(lines).padStart(8, "0")}${String(amount).padStart(20, "0")}`;
    const file = (lines: readonly string[], end: string): string => [...lines, end, ""].join("\r\n");

    it("is read, kept, compared with the books and counted", async () => {
      const [payment] = dayOf([{ damage: "none", amount: 30_000n, feeAmount: 5_000n, minute: 600 }]).payments;
      await bookPayments(database, payment === undefined ? [] : [payment]);
      const failed = row("T000000077", "001001", "0000000000078", "1", "", "20261120", "235959", "G");
      const bad = [
        [good.slice(0, -1), "has 65 characters, expected 66"],
        [`${good}x`, "has 67 characters, expected 66"],
        [good.replace("20261120", "20261320"), "paidAt: "],
        [good.replace(/S$/, "X"), "status: "],
        [good.replace("000000030000", "0000000300,0"), "amount: "],
      ] as const;
      const content = file([good, failed, ...bad.map(([line]) => line)], trailer(2, 30_001));
      const outcome = await take(content, { profileCode: "fixed", acceptsTotals: true });
      expect(outcome).toMatchObject({
        kind: "imported",
        file: { lines: 7, badLines: 5, amount: 30_001n, fee: 5_000n },
      });
      const found = await lines();
      expect(found[0]).toMatchObject({ lineNo: 1, traxId: day?.traxId, amount: 30_000n, class: "undecided" });
      for (const [index, [, reason]] of bad.entries()) expect(found[index + 2]?.fault).toContain(reason);
      const { summary } = await runReconciliation({
        ...{ databaseUrl: database.appUrl, profileCode: "fixed", settlementDate: DAY, isDryRun: false },
        ...{ redecidesDeclared: false, by: "test (test)" },
      });
      expect(summary).toMatchObject({ lines: 7, badLines: 5, matched: 2, findings: [] });
    });

    it("is refused when its control totals do not agree, or when it is cut off", async () => {
      const wrong = { profileCode: "fixed" };
      await expect(take(file([good], trailer(1, 30_001)), wrong)).rejects.toThrow("30001 as the sum of amounts");
      await expect(take(`${good}\r\n`, wrong)).rejects.toThrow("the trailer is missing");
      expect(await stored()).toBe(0);
    });
  });

  it("leaves nothing when it is killed, and can be done again", async () => {
    const body = Array.from({ length: 300_000 }, (_each, index) => LINE?.replace(/^T[0-9]+/, `K${index}`)).join("\n");
    const path = desk.write("killed.csv", `${FULL_HEADER}\n${body}\n`);
    const script = `
      const { importSettlementFile } = require("./src/ops");
      importSettlementFile({ databaseUrl: process.argv[1], profileCode: "full", path: process.argv[2], date: "${DAY}",
        mayReplace: false, acceptsTotals: false, by: "test (test)",
        onProgress: ({ lines }) => process.stdout.write(lines + "\\n") }).catch((error) => { console.error(error); process.exit(1); });`;
    const child = spawn(process.execPath, ["--import", "tsx", "-e", script, database.appUrl, path], {
      cwd: join(__dirname, "..", ".."),
      stdio: ["ignore", "pipe", "inherit"],
    });
    let told = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      told = Number(chunk.toString().trim().split("\n").at(-1));
      if (told > 50_000) child.kill("SIGKILL");
    });
    const signal = await new Promise((resolve) => child.once("close", (_code, by) => resolve(by)));
    expect(signal).toBe("SIGKILL");
    expect(told).toBeLessThan(300_000);
    expect(await stored()).toBe(0);
    expect(await database.query("select * from settlement_file")).toEqual([]);
    expect(await take("", { path, fileName: "killed.csv" })).toMatchObject({
      kind: "imported",
      file: { lines: 300_000 },
    });
    expect(await stored()).toBe(300_000);
  });
});
