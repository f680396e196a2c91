import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { unzipSync } from "fflate";
import { FILE_KINDS, OPENED_KINDS, OUTCOMES, RECONCILIATION_CLASSES } from "../../../src/domain";
import type { DayClose } from "../../../src/ops/close/close";
import { CODE_WORDS, wordFor } from "../../../src/ops/close/code-words";
import { reportOf } from "../../../src/ops/close/report";
import { dateText, grouped, jakartaText, printable } from "../../../src/ops/close/report-values";
import { sectionsOf } from "../../../src/ops/close/sections";
import { REPORT_LANGUAGES, REPORT_WORDS } from "../../../src/ops/close/words";
import { sheetsOf } from "../../support/workbooks";

const CLASSES = [...RECONCILIATION_CLASSES, ...OPENED_KINDS, ...FILE_KINDS, "unreadable"];
const LONGEST = "999999999999999";
const BODY = {
  format: "biller day close 1",
  businessDate: "2026-11-20",
  asOf: "2026-11-20T17:05:33.123456Z",
  previousSha256: null,
  receivable: {
    opening: "-123456789012345",
    accepted: LONGEST,
    reversed: "35000",
    settled: "0",
    corrected: "0",
    late: "0",
    closing: "110007",
  },
  accounts: [
    { account: "due-from-switch", opening: "-5", debits: "7", credits: "2", late: "0", closing: "0" },
    { account: "of-next-year", opening: "5", debits: "0", credits: "5", late: "0", closing: "0" },
  ],
  products: [
    { product: "001001", family: "payment", outcome: "APPROVED", count: 5, amount: "120007", fee: "25000" },
    { product: "001001", family: "reversal", outcome: "NOT_FOUND", count: 1, amount: "30000", fee: "5000" },
  ],
  files: [
    {
      profile: "full",
      name: "=cmd|'calc'!A0; Łódź 你.csv",
      version: 2,
      sha256: "ab".repeat(32),
      lines: 5,
      badLines: 1,
      amount: "120007",
      fee: "25000",
    },
  ],
  reconciliation: CLASSES.map((each, at) => ({
    profile: "full",
    class: each,
    count: at,
    amount: "1000",
    difference: String(-at),
    resolved: 1,
  })),
  posted: [{ profile: "full", kind: "file", count: 4, amount: "120000", due: "125000" }],
  openExceptions: [{ class: "of-next-year", count: 1, amount: "7", difference: "-7" }],
  waitingProposals: 3,
  late: Array.from({ length: 120 }, (_, at) => ({
    entryId: `01980000-0000-7000-9000-${String(at).padStart(12, "0")}`,
    businessDate: "2026-11-19",
    kind: "payment",
    traxId: `2026111900000000${at}`,
    amount: "35000",
  })),
};

function closeOf(body: object): DayClose {
  const text = JSON.stringify(body);
  return {
    businessDate: BODY.businessDate,
    asOf: BODY.asOf,
    body: text,
    sha256: createHash("sha256").update(text).digest("hex"),
    closedBy: "Ani",
    version: 1,
    reopened: null,
  };
}
const CLOSE = closeOf(BODY);
const OPTIONS = { billerName: "PT Tagihan Nusantara" };

/** What a page of an uncompressed document shows: its strings are written in hexadecimal, in pieces. */
function shownIn(pdf: Buffer): string {
  return [...pdf.toString("latin1").matchAll(/\[((?:<[0-9a-f]*> ?-?[0-9.]* ?)+)\] TJ/g)]
    .map(([, pieces = ""]) =>
      [...pieces.matchAll(/<([0-9a-f]*)>/g)].map(([, hex = ""]) => Buffer.from(hex, "hex").toString("latin1")).join(""),
    )
    .join("\n");
}

describe("a report of a closed day", () => {
  it("has the same bytes at another time and in another time zone", async () => {
    const here = await Promise.all(
      REPORT_LANGUAGES.flatMap((language) =>
        (["csv", "xlsx", "pdf"] as const).map((format) => reportOf(CLOSE, format, language, OPTIONS)),
      ),
    );
    const digests = here.map((bytes) => createHash("sha256").update(bytes).digest("hex"));
    const folder = mkdtempSync(join(tmpdir(), "report-"));
    writeFileSync(join(folder, "close.json"), JSON.stringify(CLOSE));
    // A process of its own: the zone cannot be changed in this one.
    const script = `
      const Clock = Date;
      const later = Clock.now() + 200 * 86_400_000;
      globalThis.Date = class extends Clock {
        constructor(...values) { if (values.length === 0) super(later); else super(...values); }
        static now() { return later; }
      };
      const { reportOf } = require(${JSON.stringify(join(__dirname, "../../../src/ops/close/report.ts"))});
      const close = JSON.parse(require("node:fs").readFileSync(${JSON.stringify(join(folder, "close.json"))}, "utf8"));
      (async () => {
        for (const language of ["id", "en"]) for (const format of ["csv", "xlsx", "pdf"]) {
          const bytes = await reportOf(close, format, language, ${JSON.stringify(OPTIONS)});
          console.log(require("node:crypto").createHash("sha256").update(bytes).digest("hex"));
        }
      })();`;
    const elsewhere = (zone: string): string[] =>
      execFileSync(process.execPath, ["--import", "tsx", "-e", script], {
        env: { ...process.env, TZ: zone, LC_ALL: "C" },
        cwd: join(__dirname, "../../.."),
        encoding: "utf8",
      })
        .trim()
        .split("\n");
    try {
      expect(elsewhere("America/St_Johns")).toEqual(digests);
      expect(elsewhere("Pacific/Kiritimati")).toEqual(digests);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);

  it("names everything in the reader's language, and shows a code that it does not know", () => {
    for (const language of REPORT_LANGUAGES) {
      for (const each of CLASSES) expect(wordFor("class", each, language)).not.toBe(each);
      for (const each of OUTCOMES) expect(wordFor("outcome", each, language)).not.toBe(each);
      expect(wordFor("class", "of-next-year", language)).toBe("of-next-year");
      expect(wordFor("class", "constructor", language)).toBe("constructor");
    }
    for (const words of Object.values(CODE_WORDS)) {
      for (const { en, id } of Object.values(words)) expect([en.length > 0, id.length > 0]).toEqual([true, true]);
    }
    expect(wordFor("class", "recovered", "id")).toBe("Tertagih setelah dihapus atau dialihkan");
    expect(wordFor("account", "due-from-switch", "id")).toBe("Piutang dari switch");
    expect(Object.keys(REPORT_WORDS.id)).toEqual(Object.keys(REPORT_WORDS.en));
  });

  it("tells Jakarta's time with its zone, and months and groups of digits as the language writes them", () => {
    expect(jakartaText("2026-11-20T10:05:33.999999Z", "id")).toBe("20 November 2026 17.05.33 WIB");
    expect(jakartaText("2026-12-31T17:00:00.000000Z", "id")).toBe("1 Januari 2027 00.00.00 WIB");
    expect(jakartaText("2026-05-20T10:05:33Z", "en")).toBe("20 May 2026 17:05:33 WIB");
    expect(dateText("2026-08-07", "id")).toBe("7 Agustus 2026");
    expect(grouped("-1234567", "id")).toBe("-1.234.567");
    expect(grouped("1234567", "en")).toBe("1,234,567");
    expect(grouped("-123", "en")).toBe("-123");
  });

  it("writes other alphabets in letters that its fonts have, and never makes two names one", () => {
    expect(printable("Łódź Đà Nẵng Ünsal – “x” €5 Москва Αθήνα")).toBe("Lódz Dà Nang Ünsal – “x” €5 Moskva Athina");
    expect(printable("你.csv")).toBe("[U+4F60].csv");
    expect(printable("a\u0000b\u200bc\nd")).toBe("a bc d");
  });

  describe("as CSV", () => {
    it("opens in columns in an Indonesian spreadsheet, with figures as plain digits in columns of their own", async () => {
      const bytes = await reportOf(CLOSE, "csv", "id", OPTIONS);
      expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
      expect(bytes.toString().replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
      const rows = parse<Record<string, string>>(bytes, { columns: true, bom: true, delimiter: ";" });
      const titles = Object.keys(rows[0] ?? {});
      expect(titles).toHaveLength(19);
      const figures = titles.slice(6);
      for (const row of rows) for (const title of figures) expect(row[title]).toMatch(/^(-?[0-9]+)?$/);
      const differs = rows.find((row) => row["Kelas"] === "Nilai berbeda");
      expect(differs).toMatchObject({ Bagian: "Rekonsiliasi", Profil: "full", "Nilai (Rp)": "1000", Selesai: "1" });
      expect(differs?.["Selisih (Rp)"]).toMatch(/^-\d+$/);
      expect(rows.find((row) => row["Kelas"] === "Disetujui")).toMatchObject({
        Butir: "'001001",
        Rincian: "Pembayaran",
        "Biaya admin (Rp)": "25000",
      });
      expect(rows.find((row) => row["Butir"] === "Pembayaran diterima")).toMatchObject({ "Nilai (Rp)": LONGEST });
    });

    it("has commas in English, and the separator that is asked for", async () => {
      const first = async (...which: Parameters<typeof reportOf>): Promise<string> =>
        (await reportOf(...which)).toString().split("\r\n")[0] ?? "";
      expect(await first(CLOSE, "csv", "en")).toMatch(/^\ufeffSection,Item,/);
      expect(await first(CLOSE, "csv", "en", { separator: "semicolon" })).toMatch(/^\ufeffSection;Item;/);
      expect(await first(CLOSE, "csv", "id", { separator: "comma" })).toMatch(/^\ufeffBagian,Butir,/);
    });

    it.each(["comma", "semicolon"] as const)("runs no file's name, with %s", async (separator) => {
      const text = (await reportOf(CLOSE, "csv", "id", { separator })).toString();
      expect(text).toContain(`"'=cmd|'calc'!A0; Łódź 你.csv"`);
      expect(text).not.toMatch(/(^|[,;])"?[=+@]/m);
    });
  });

  describe("as a workbook", () => {
    it("has a sheet for each section whose figures are numbers, exact to fifteen digits", async () => {
      const bytes = await reportOf(CLOSE, "xlsx", "en", OPTIONS);
      const sheets = sheetsOf(bytes);
      expect([...sheets.keys()]).toEqual([
        ...["Summary", "Accounts", "Messages", "Files", "Reconciliation", "Posted", "Open exceptions", "Late entries"],
      ]);
      expect(sheets.get("Summary")).toContainEqual(["Summary", "Biller", "PT Tagihan Nusantara", null, null, null]);
      expect(sheets.get("Summary")).toContainEqual([
        ...["Due from switch", "Opening balance", null, null, null],
        -123_456_789_012_345,
      ]);
      expect(sheets.get("Accounts")?.[1]).toEqual(["Due from switch", -5, 7, 2, 0, 0]);
      expect(sheets.get("Messages")?.[1]).toEqual(["001001", "Payment", "Approved", 5, 120_007, 25_000]);
      const [head = [], ...found] = sheets.get("Reconciliation") ?? [];
      const sum = found.reduce((total, row) => total + Number(row[head.indexOf("Difference (Rp)")]), 0);
      expect(sum).toBe(CLASSES.reduce((total, _, at) => total - at, 0));
      expect(sheets.get("Late entries")?.[1]?.[0]).toBe(46_345);
      const files = unzipSync(bytes);
      const texts = Object.values(files).map((each) => Buffer.from(each).toString());
      expect(texts.join("")).toContain(`<v>${LONGEST}</v>`);
      expect(texts.join("")).not.toMatch(/<f[ >]/);
      expect([...new Set(sheets.get("Late entries")?.[0])]).toHaveLength(5);
    });

    it("has names of its own for the columns of each section, in both languages", () => {
      for (const language of REPORT_LANGUAGES) {
        for (const { columns } of sectionsOf(CLOSE, language, null)) {
          expect(new Set(columns.map(({ title }) => title)).size).toBe(columns.length);
        }
      }
    });
  });

  describe("as a document", () => {
    it("is tagged, in its language, and repeats the heads of its tables on every page with its number", async () => {
      const pdf = await reportOf(CLOSE, "pdf", "id", OPTIONS);
      const source = pdf.toString("latin1");
      expect(source).toMatch(/\/Lang \(id\)/);
      expect(source).toMatch(/\/Marked true/);
      expect(source).toMatch(/\/DisplayDocTitle true/);
      for (const tag of ["Document", "H1", "H2", "Table", "TR", "TH", "TD"]) expect(source).toContain(`/S /${tag}\n`);
      expect(source).toMatch(/\/Scope \/Column/);
      const shown = shownIn(pdf);
      const pages = Number(/Halaman 1\/(\d+)/.exec(shown)?.[1]);
      expect(pages).toBeGreaterThan(4);
      for (let page = 1; page <= pages; page += 1) expect(shown).toContain(`Halaman ${page}/${pages}`);
      expect(shown.match(/^Entri jurnal$/gm)?.length).toBeGreaterThan(2);
    });

    it("cuts nothing off where a file's name fills half a page", async () => {
      const [file] = BODY.files;
      const pdf = await reportOf(closeOf({ ...BODY, files: [{ ...file, name: "你".repeat(255) }] }), "pdf", "id");
      expect(
        shownIn(pdf)
          .replaceAll("\n", "")
          .match(/\[U\+4F60\]/g),
      ).toHaveLength(255);
      // Text is placed by its distance from the lower edge: below that of the page there is none.
      const places = [...pdf.toString("latin1").matchAll(/1 0 0 1 -?[0-9.]+ (-?[0-9.]+) Tm/g)].map(([, y]) =>
        Number(y),
      );
      expect(places.length).toBeGreaterThan(100);
      expect(Math.min(...places)).toBeGreaterThan(20);
    });

    it("names the business, has lines to sign on, groups its digits, and knows Jakarta's time", async () => {
      const [id, en] = [
        shownIn(await reportOf(CLOSE, "pdf", "id", OPTIONS)),
        shownIn(await reportOf(CLOSE, "pdf", "en", OPTIONS)),
      ];
      for (const text of ["PT Tagihan Nusantara", "Dibuat oleh", "Diperiksa oleh", "Disetujui oleh", "Nama:"]) {
        expect(id).toContain(text);
      }
      for (const text of ["999.999.999.999.999", "21 November 2026 00.05.33 WIB", "Tanggal:"])
        expect(id).toContain(text);
      for (const text of ["Prepared by", "Checked by", "Approved by", "999,999,999,999,999"])
        expect(en).toContain(text);
      expect(id).not.toContain("UTC");
      // A long list of entries is there to its last line.
      expect(id).toContain("2026111900000000119");
    });
  });

  it("shows what a later format says, and nothing of it for an older close", async () => {
    const later = closeOf({
      ...BODY,
      version: 2,
      replaces: { version: 1, sha256: "00", reason: "a file came late", proposedBy: "Ani", approvedBy: "Budi" },
      begin: { earliest: "2026-05-01", entries: 4321 },
      expectedFiles: [
        {
          profile: "full",
          partner: "finpay",
          product: null,
          dueAt: "2026-11-21T05:00:00Z",
          state: "without-file",
          files: [],
          reason: "there is none",
          proposedBy: "Ani",
          approvedBy: "Budi",
        },
      ],
      paymentsWithoutFile: [{ partner: "finpay", product: "001001", count: 2, amount: "5" }],
      supplements: [{ name: "b.csv", of: "a.csv" }],
    });
    const sheets = sheetsOf(await reportOf(later, "xlsx", "en"));
    expect(sheets.get("Expected files")?.[1]?.slice(0, 2)).toEqual(["full", "Closed without it"]);
    expect(sheets.get("Payments without file")?.[1]).toEqual(["finpay", "001001", 2, 5]);
    expect(sheets.get("Supplements")?.[1]).toEqual(["b.csv", "a.csv"]);
    expect(sheets.get("Summary")).toContainEqual(["Summary", "Reason", "a file came late", null, null, null, null]);
    const older = sheetsOf(await reportOf(CLOSE, "xlsx", "en"));
    expect([...older.keys()]).not.toContain("Expected files");
  });
});
