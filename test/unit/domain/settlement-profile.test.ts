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

  it("refuse every hostile value of every setting in no time, without a crash", () => {
    const long = "x".repeat(100_000);
    let nested: unknown = 1;
    for (let depth = 0; depth < 50_000; depth += 1) nested = [nested];
    const hostile: readonly unknown[] = [
      long,
      "0".repeat(100_000),
      "",
      -1,
      1e300,
      true,
      nested,
      { [long]: long },
      [long],
    ];
    const settings: readonly ((value: unknown) => unknown)[] = [
      (value) => ({ ...CSV, encoding: value }),
      (value) => ({ ...CSV, title: value }),
      (value) => ({ ...CSV, title: { lines: value } }),
      (value) => ({ ...CSV, leaveOut: [value] }),
      (value) => ({ ...CSV, footerLines: value, trailer: { startsWith: "T" } }),
      (value) => ({ ...CSV, trailer: { startsWith: "T", count: 2, countsAlso: [value] } }),
      (value) => ({ ...CSV, trailer: { startsWith: "T", sums: value } }),
      (value) => ({ ...CSV, columns: { ...CSV.columns, traxId: { at: 1, strip: { sign: value, side: "left" } } } }),
      (value) => ({ ...CSV, columns: { ...CSV.columns, traxId: { at: 1, padTo: value } } }),
      (value) => ({ ...CSV, columns: { ...CSV.columns, owner: { at: value, ours: [] } } }),
      (value) => ({ ...CSV, columns: { ...CSV.columns, direction: { at: 3, paid: [value], reversed: ["D", "D"] } } }),
      (value) => ({ ...CSV, columns: { ...CSV.columns, paidAt: { at: 3, form: value } } }),
      (value) => ({ ...CSV, amounts: { suffix: value || "9" } }),
      (value) => ({ ...CSV, amounts: { impliedDecimals: value } }),
      (value) => ({ ...CSV, amounts: { negative: { written: [value] } } }),
      (value) => ({ ...CSV, amounts: { charge: { percent: value } } }),
      (value) => ({ ...CSV, amounts: { charge: { fixed: 1, products: value === "" ? [] : { "001001": value } } } }),
    ];
    for (const setting of settings) {
      for (const value of hostile) {
        const before = process.cpuUsage();
        expect(faultsOf(setting(value))).not.toBe("");
        expect(process.cpuUsage(before).user).toBeLessThan(100_000);
      }
    }
  });

  it("hold nothing that reading a form could take long for", () => {
    const letters = ["Y", "M", "D", "H", "h", "m", "s", "S", "A", "Z", "-", "MD", "HhDM", "YM"];
    for (const each of letters) {
      const form = `${each.repeat(100_000 / each.length)}!`;
      const before = process.cpuUsage();
      expect(faultsOf({ ...CSV, columns: { ...CSV.columns, businessDate: { at: 3, form } } })).toContain("is made of");
      expect(process.cpuUsage(before).user).toBeLessThan(50_000);
    }
  });

  it("may be older than a setting: what was valid before stays so, and means the same", () => {
    const parsed = parseSettlementProfile({ preset: "finpay", partner: "finpay" });
    expect(parsed).toMatchObject({
      ok: true,
      profile: {
        columns: { traxId: { at: "TRAX_ID", strip: null, padTo: null }, charge: null, owner: null },
        amounts: { negative: null, impliedDecimals: 0, suffix: "" },
        trailer: { sums: "signed", countsAlso: [] },
        ...{ title: null, leaveOut: [], footerLines: 0 },
      },
    });
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
    ["no column of amounts", { ...CSV, columns: { traxId: 1 } }, "columns.amount: must be given"],
    [
      "one of two columns of amounts",
      { ...CSV, columns: { traxId: 1, paidAmount: 2 } },
      "columns: needs paidAmount and reversedAmount together",
    ],
    [
      "a column of amounts beside two",
      { ...CSV, columns: { ...CSV.columns, paidAmount: 3, reversedAmount: 4 } },
      "columns.amount: goes not together",
    ],
    [
      "a direction beside two columns",
      {
        ...CSV,
        columns: { traxId: 1, paidAmount: 3, reversedAmount: 4, direction: { at: 5, paid: ["K"], reversed: ["D"] } },
      },
      "columns.direction: goes not together",
    ],
    [
      "two meanings of one direction",
      { ...CSV, columns: { ...CSV.columns, direction: { at: 3, paid: ["K"], reversed: ["K"] } } },
      "columns.direction: gives two meanings",
    ],
    [
      "a direction beside signs",
      {
        ...CSV,
        amounts: { negative: { written: ["leading-minus"] } },
        columns: { ...CSV.columns, direction: { at: 3, paid: ["K"], reversed: ["D"] } },
      },
      "amounts.negative: goes not together with columns.direction",
    ],
    [
      "negative amounts that are written in no way",
      { ...CSV, amounts: { negative: { written: [] } } },
      "amounts.negative.written: ",
    ],
    [
      "a sign that is part of the suffix",
      { ...CSV, amounts: { suffix: ",-", negative: { written: ["trailing-minus"] } } },
      "amounts.negative.written: has trailing-minus, and suffix holds a sign",
    ],
    [
      "a sign that is part of the prefix",
      { ...CSV, amounts: { prefix: "-Rp", negative: { written: ["leading-minus"] } } },
      "amounts.negative.written: has leading-minus, and prefix holds a sign",
    ],
    ["a digit in the suffix", { ...CSV, amounts: { suffix: ",00" } }, "amounts.suffix: holds a digit"],
    ["a blank at the end of the suffix", { ...CSV, amounts: { suffix: "- " } }, "amounts.suffix: begins or ends with"],
    [
      "decimals with and without a sign",
      { ...CSV, amounts: { decimals: ",", decimalPlaces: 2, impliedDecimals: 2 } },
      "amounts.impliedDecimals: goes not together",
    ],
    ["more decimals than four", { ...CSV, amounts: { impliedDecimals: 5 } }, "amounts.impliedDecimals: "],
    ["a charge of nothing", { ...CSV, amounts: { charge: {} } }, "amounts.charge: charges nothing"],
    ["a charge of half", { ...CSV, amounts: { charge: { percent: "50" } } }, "amounts.charge.percent: must be a text"],
    ["a charge as a number", { ...CSV, amounts: { charge: { percent: 0.7 } } }, "amounts.charge.percent: "],
    [
      "a charge from a column and from rates",
      { ...CSV, amounts: { charge: { fixed: 500 } }, columns: { ...CSV.columns, charge: 3 } },
      "amounts.charge: goes not together with columns.charge",
    ],
    [
      "rates of what is no product",
      { ...CSV, amounts: { charge: { products: { telkom12: { fixed: 1 } } } } },
      "amounts.charge.products.telkom12: ",
    ],
    [
      "a filler of two signs",
      { ...CSV, columns: { ...CSV.columns, traxId: { at: 1, strip: { sign: "00", side: "left" } } } },
      "columns.traxId",
    ],
    [
      "a width of keys beyond 32",
      { ...CSV, columns: { ...CSV.columns, traxId: { at: 1, padTo: 33 } } },
      "columns.traxId",
    ],
    ["a title without an end", { ...CSV, title: { untilHeader: true } }, "title.untilHeader: needs header columns"],
    ["a title of 101 lines", { ...CSV, title: { lines: 101 } }, "title"],
    ["a title of two kinds", { ...CSV, title: { lines: 1, untilHeader: true } }, "title"],
    ["a footer behind no trailer", { ...CSV, footerLines: 2 }, "footerLines: needs a trailer"],
    [
      "a trailer that is left out",
      { ...CSV, trailer: { startsWith: "TOTAL;" }, leaveOut: ["TOT"] },
      "leaveOut: leaves out the trailer",
    ],
    ["a text that is left out twice", { ...CSV, leaveOut: ["A", "A"] }, "leaveOut: names one text twice"],
    ["a text that is left out and is empty", { ...CSV, leaveOut: [""] }, "leaveOut.0: "],
    [
      "a count of a header that is not there",
      { ...CSV, trailer: { startsWith: "T;", count: 2, countsAlso: ["header"] } },
      "trailer.countsAlso: counts the header, which the file has not",
    ],
    [
      "more counted than lines, and no count",
      { ...CSV, trailer: { startsWith: "T;", countsAlso: ["trailer"] } },
      "trailer.countsAlso: needs count",
    ],
    [
      "a sum of what is taken back where nothing can be",
      { ...CSV, trailer: { startsWith: "T;", reversedAmount: 3 } },
      "trailer.reversedAmount: needs amounts.negative",
    ],
    [
      "a sum of charges that no column has",
      { ...CSV, trailer: { startsWith: "T;", charge: 3 } },
      "trailer.charge: needs the column charge",
    ],
    [
      "an owner without a text that is ours",
      { ...CSV, columns: { ...CSV.columns, owner: { at: 3, ours: [] } } },
      "columns.owner.ours: ",
    ],
    ["an unknown encoding", { ...CSV, encoding: "utf-32" }, "encoding: "],
    [
      "hours of 12 without AM and PM",
      { ...CSV, columns: { ...CSV.columns, paidAt: { at: 3, form: "YYYY-MM-DD hh:mm" } } },
      "columns.paidAt: its form YYYY-MM-DD hh:mm has hours of 12 (hh, h), and no A",
    ],
    [
      "AM and PM beside hours of 24",
      { ...CSV, columns: { ...CSV.columns, paidAt: { at: 3, form: "YYYY-MM-DD", time: { at: 4, form: "HH:mm A" } } } },
      "has A for AM or PM, and no hours of 12",
    ],
    [
      "a number at once behind one digit or two",
      { ...CSV, columns: { ...CSV.columns, paidAt: { at: 3, form: "DMYYYY" } } },
      "has a number at once behind D",
    ],
    [
      "a zone before the time",
      { ...CSV, columns: { ...CSV.columns, paidAt: { at: 3, form: "YYYY-MM-DDZ", time: { at: 4, form: "HH:mm" } } } },
      "has signs behind Z",
    ],
    [
      "a zone of a business date",
      { ...CSV, columns: { ...CSV.columns, businessDate: { at: 3, form: "YYYY-MM-DDZ" } } },
      "columns.businessDate.form: is of a business date, which has no zone",
    ],
    ["NUL in a text", { ...CSV, amounts: { prefix: "\u0000" } }, "amounts.prefix: holds NUL or half of a character"],
    ["half of a character", { ...CSV, leaveOut: ["\ud83d"] }, "leaveOut.0: holds NUL or half of a character"],
    ["half of a character as a name", { ...CSV, products: { "\ud83d": "001001" } }, "products: the name of a setting"],
  ])("refuse %s", (_name, given, expected) => {
    expect(faultsOf(given)).toContain(expected);
  });
});
