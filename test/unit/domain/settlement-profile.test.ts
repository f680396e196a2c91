import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSettlementProfile, SETTLEMENT_PRESETS, settlementProfileJsonSchema } from "../../../src/domain";

const faultsOf = (given: unknown): string => {
  const parsed = parseSettlementProfile(given);
  return parsed.ok ? "" : parsed.faults.join("\n");
};

const CSV = {
  partner: "finpay",
  format: { kind: "delimited", delimiter: ";" },
  columns: { traxId: 1, amount: 2 },
};

describe("settlement profiles", () => {
  it("have a published schema, which is the one that the code checks by", () => {
    const file = join(__dirname, "../../../docs/settlement-profile.schema.json");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(JSON.parse(JSON.stringify(settlementProfileJsonSchema())));
  });

  it.each(Object.keys(SETTLEMENT_PRESETS))("need nothing but a partner with the preset %s", (preset) => {
    expect(faultsOf({ preset, partner: "finpay" })).toBe("");
    expect(faultsOf({ preset })).toContain("partner:");
  });

  it.each(["Y".repeat(35), "Y".repeat(100_000), "M".repeat(37), "M".repeat(100_000), "YM".repeat(50_000)])(
    "refuse a hostile date form at once: %#",
    (letters) => {
      const before = process.cpuUsage();
      const form = `${letters}!`;
      expect(faultsOf({ ...CSV, columns: { ...CSV.columns, paidAt: { at: 3, form } } })).toContain("is made of YYYY");
      expect(process.cpuUsage(before).user).toBeLessThan(50_000);
    },
  );

  it.each<[string, unknown, string]>([
    ["a list", [], "must be an object"],
    ["an unknown preset", { preset: "__proto__", partner: "x" }, "preset: must be one of finpay, generic-csv"],
    ["an unknown setting", { ...CSV, delimeter: "|" }, "delimeter"],
    [
      "a name where nothing names columns",
      { ...CSV, columns: { traxId: "TRAX", amount: 2 } },
      "columns.traxId: must be a column's number",
    ],
    [
      "a column behind the last one",
      { ...CSV, format: { ...CSV.format, columnCount: 1 } },
      "columns.amount: is behind the last column, 1",
    ],
    [
      "an offset in a file with delimiters",
      { ...CSV, columns: { traxId: [0, 4], amount: 2 } },
      "columns.traxId: must be a column's number or name",
    ],
    [
      "a column's number in a file of fixed widths",
      { ...CSV, format: { kind: "fixed", width: 9 } },
      "columns.amount: must be [offset, width]",
    ],
    [
      "an offset behind the line",
      { ...CSV, format: { kind: "fixed", width: 9 }, columns: { traxId: [0, 4], amount: [4, 6] } },
      "columns.amount: ends at 10",
    ],
    ["neither traxId nor billNumber", { ...CSV, columns: { amount: 2 } }, "columns: needs traxId or billNumber"],
    [
      "rules without a bill number",
      { ...CSV, rules: [{ kind: "bill", name: "b" }] },
      "rules: need the column billNumber",
    ],
    [
      "one sign for thousands and decimals",
      { ...CSV, amounts: { thousands: ".", decimals: ".", decimalPlaces: 2 } },
      "amounts.decimals: is the same sign",
    ],
    ["decimals without places", { ...CSV, amounts: { decimals: "," } }, "amounts.decimalPlaces: goes together"],
    [
      "a date form with a typing error",
      { ...CSV, columns: { ...CSV.columns, paidAt: { at: 3, form: "YYYY-MM-dd" } } },
      "columns.paidAt.form: is made of",
    ],
    [
      "a date form with a token too long",
      { ...CSV, columns: { ...CSV.columns, paidAt: { at: 3, form: "YYYY-MMMM-DD" } } },
      "is made of YYYY",
    ],
    [
      "a date form without a day",
      { ...CSV, columns: { ...CSV.columns, paidAt: { at: 3, form: "YYYY-MM" } } },
      "columns.paidAt.form: must hold",
    ],
    ["a file name without a date", { ...CSV, fileName: { pattern: "{ca}.txt" } }, "fileName.pattern: must hold {date}"],
    ["a file name with an unknown part", { ...CSV, fileName: { pattern: "{bank}_{date}" } }, "fileName.pattern: knows"],
    [
      "two meanings of one text",
      { ...CSV, columns: { ...CSV.columns, status: { at: 3, paid: ["00"], failed: ["00"] } } },
      "columns.status: gives two meanings",
    ],
    [
      "two rules of one name",
      {
        ...CSV,
        columns: { ...CSV.columns, billNumber: { at: 3 } },
        rules: [
          { kind: "bill", name: "b" },
          { kind: "payments-to-line", name: "b" },
        ],
      },
      "rules: two rules have the same name",
    ],
  ])("refuse %s", (_name, given, expected) => {
    expect(faultsOf(given)).toContain(expected);
  });
});
