import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSettlementProfile, type SettlementProfile } from "../../../src/domain";
import { type ProfileTrial, tryProfile } from "../../../src/ops";

const SAMPLES = join(__dirname, "../../../docs/settlement-samples");
const HEAD = "KODE_CA|TRAX_ID|KODE_PRODUK|BILL_NUMBER|AMOUNT|FEE|TGL_BAYAR|JAM_BAYAR|STATUS";
const LINE = "CA01|T1|001001|0021008457003|30000|5000|20261120|104040|SUKSES";

function profileOf(given: unknown): SettlementProfile {
  const parsed = parseSettlementProfile(given);
  if (!parsed.ok) throw new Error(parsed.faults.join());
  return parsed.profile;
}

describe("trying a profile", () => {
  const dir = mkdtempSync(join(tmpdir(), "biller-trial-"));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const finpay = profileOf({ preset: "finpay", partner: "finpay" });
  const tried = (content: string | Buffer, name = "CA01_001001_20261120.txt", date: string | null = null) => {
    writeFileSync(join(dir, name), content);
    return tryProfile({ profile: finpay, path: join(dir, name), date, lines: 10 });
  };
  const problemsOf = ({ problems }: ProfileTrial): string => problems.map(({ problem }) => problem).join("\n");

  it.each(readdirSync(SAMPLES))("finds that the sample %s could be imported", async (name) => {
    const profile = profileOf(JSON.parse(readFileSync(join(SAMPLES, name, "profile.json"), "utf8")));
    const file = readdirSync(join(SAMPLES, name)).find((each) => each.startsWith("file.")) ?? "";
    const path = join(SAMPLES, name, file);
    const trial = await tryProfile({ profile, path, date: "2026-11-20", lines: 100 });
    expect(trial).toMatchObject({ isImportable: true, problems: [], subject: { settlementDate: "2026-11-20" } });
    expect(trial.controlTotals.agree).toBe(profile.trailer === null ? null : true);
    expect(trial.lines).toHaveLength(trial.counts.lines - trial.counts.badLines);
  });

  it("shows lines as they would be stored, and what each column is read as", async () => {
    const trial = await tried(`${HEAD}\n${LINE}\nTOTAL|1|30000|5000\n`);
    expect(trial).toMatchObject({
      fileName: "CA01_001001_20261120.txt",
      subject: { settlementDate: "2026-11-20", productCodes: ["001001"] },
      header: { lineNo: 1 },
      controlTotals: { agree: true, fault: null },
      lines: [
        {
          ...{ lineNo: 2, traxId: "T1", productCode: "001001", billNumber: "0021008457003", amount: 30_000n },
          ...{ feeAmount: 5_000n, businessDate: "2026-11-20", status: "paid" },
          paidAtMs: Date.parse("2026-11-20T10:40:40+07:00"),
        },
      ],
    });
    expect(trial.header?.columns[6]).toEqual({ name: "TGL_BAYAR", readAs: ["paidAt"] });
    expect(trial.header?.columns[0]).toEqual({ name: "KODE_CA", readAs: [] });
  });

  it.each<[string, string, string, string | null]>([
    ["totals that do not agree", `${HEAD}\n${LINE}\nTOTAL|1|30001|5000\n`, "says 30001", "accept-the-totals"],
    ["a file that is cut off", `${HEAD}\n${LINE}\n`, "the trailer is missing", null],
    ["another header", `A|B\n${LINE}\n`, "the header in line 1 has 2 columns, expected 9", null],
    [
      "a line behind the trailer",
      `${HEAD}\n${LINE}\nTOTAL|1|30000|5000\n${LINE}\n`,
      "are these two files in one?",
      null,
    ],
    ["an empty file", "\n", "nothing but blank lines", null],
  ])("says what stands in the way of %s", async (_name, content, problem, remedy) => {
    const trial = await tried(content);
    expect(trial).toMatchObject({ isImportable: false, problems: [{ remedy }] });
    expect(problemsOf(trial)).toContain(problem);
  });

  it("goes on where the name is refused, and says both", async () => {
    const trial = await tried(`${HEAD}\n${LINE}\nTOTAL|2|30000|5000\n`, "day.txt");
    expect(trial).toMatchObject({ subject: null, isImportable: false, lines: [{ traxId: "T1" }] });
    expect(problemsOf(trial)).toMatch(
      /^the name day.txt does not follow .*\ncontrol totals do not agree: line 3 says 2/,
    );
  });

  it("keeps fifty kinds of unreadable lines, and three lines of each, cut and escaped", async () => {
    const bad = Array.from({ length: 60 }, (_each, index) =>
      LINE.replace("001001", `P${String.fromCodePoint(0x4e00 + index)}`),
    );
    const odd = Array.from({ length: 60 }, (_each, index) =>
      LINE.replace("SUKSES", `\u202e${"x".repeat(500)}${index}`),
    );
    const trial = await tried([HEAD, LINE, ...bad, ...odd, "TOTAL|121|30000|5000"].join("\n"));
    expect(trial.counts).toMatchObject({ lines: 121, badLines: 120 });
    expect(trial.badKinds.map(({ column, count }) => [column, count])).toEqual([
      ["productCode", 60],
      ["status", 60],
    ]);
    for (const { examples } of trial.badKinds) expect(examples).toHaveLength(3);
    expect(trial.badKinds[1]?.examples[0]).toMatchObject({ lineNo: 63, value: `\\u202e${"x".repeat(59)}…` });
    const codes = Array.from({ length: 60 }, (_each, index) => {
      const letters = String.fromCodePoint(65 + (index % 26), 65 + Math.floor(index / 26));
      return LINE.replace("001001", `AAAA${letters}`);
    });
    const many = await tried([HEAD, LINE, ...codes, "TOTAL|61|30000|5000"].join("\n"));
    expect(many.badKinds).toHaveLength(50);
    expect(many.badOfOtherKinds).toBe(10);
  });
});
