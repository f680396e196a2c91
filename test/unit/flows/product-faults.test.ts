import { compileProduct, type ProductDefinition } from "../../../src/flows";
import { ConfigFault } from "../../../src/platform";
import widest from "../../vectors/product-990999.json";

const WIDEST = widest.definition as unknown as ProductDefinition;
type Data = Record<string, unknown>;

function faultsOf(definition: unknown): readonly string[] {
  try {
    compileProduct("990999", "Test", definition);
    return [];
  } catch (fault) {
    if (!(fault instanceof ConfigFault)) throw fault;
    return fault.problems;
  }
}

/** The widest product with one place changed; the path's last step may be new. */
function changed(path: string, value: unknown): unknown {
  const copy = structuredClone(WIDEST) as unknown as Data;
  const steps = path.split(".");
  const last = steps.pop() as string;
  let at = copy;
  for (const step of steps) at = at[step] as Data;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}

const FIELDS = "bit61.inquiryReply.fields";

describe("a definition", () => {
  it("of the widest message there can be has no fault", () => {
    expect(faultsOf(WIDEST)).toEqual([]);
  });

  it.each<[string, string, unknown, string]>([
    [
      "a gap before a field",
      `${FIELDS}.1.at`,
      15,
      `${FIELDS}[1] customerName: gap: stands at 15, but columns 13 to 14`,
    ],
    [
      "an overlap",
      `${FIELDS}.1.at`,
      12,
      `${FIELDS}[1] customerName: overlap: stands at 12, but the fields before it reach`,
    ],
    ["a gap within a member", `${FIELDS}.6.fields.1.at`, 7, `${FIELDS}[6] months.fields[1] meterStart: gap`],
    ["a place after a group", `${FIELDS}.7.at`, 800, `${FIELDS}[7] stampDuty: at cannot be stated after a group`],
    ["a place that is none", `${FIELDS}.1.at`, "13", `${FIELDS}[1] customerName: at is not a property`],
    ["a negative place", `${FIELDS}.1.at`, -1, `${FIELDS}[1] customerName: at is not a property`],
    [
      "a width that does not add up",
      "bit61.inquiryReply.width",
      1_000,
      "bit61.inquiryReply: width is declared as 1000",
    ],
    ["a width in words", "bit61.inquiryReply.width", "999", "bit61.inquiryReply: layout: width must be"],
    ["one column too many", `${FIELDS}.1.width`, 31, "bit61.inquiryReply: layout: may grow to 1000 characters"],
    ["a field without a kind", `${FIELDS}.1.kind`, undefined, `${FIELDS}[1] customerName: kind must be one of`],
    ["a field of width zero", `${FIELDS}.1.width`, 0, `${FIELDS}[1] customerName: width must be`],
    ["a field named like a prototype", `${FIELDS}.1.name`, "constructor", `${FIELDS}[1] constructor: name must be`],
    [
      "two fields of one name",
      `${FIELDS}.2.name`,
      "customerId",
      "bit61.inquiryReply: layout: two fields are named customerId",
    ],
    [
      "a count that is nowhere",
      `${FIELDS}.6.count`,
      "units",
      "bit61.inquiryReply: group months: no field before it is named",
    ],
    ["a message nobody sends", "bit61.advice", {}, "bit61: advice is no message; known: inquiryReply"],
    [
      "no layout of the inquiry's reply",
      "bit61.inquiryReply",
      undefined,
      "bit61: the layout of inquiryReply is missing",
    ],
    [
      "a broken layout of another message",
      "bit61.inquiryRequest.fields",
      [],
      "bit61.inquiryRequest: layout: has no fields",
    ],
    ["a constant too long for its column", "values.monthCode", { text: "0421" }, "values.monthCode.text: does not fit"],
    [
      "a constant of letters among digits",
      "values.monthCode",
      { text: "04a" },
      "values.monthCode.text: must be digits only",
    ],
    ["a constant that is not ASCII", "values.reserved", { text: "é" }, "values.reserved.text: must be printable"],
    [
      "a constant that is no amount",
      "values.stampDuty",
      { text: "1e4" },
      "values.stampDuty.text: must be whole rupiah",
    ],
    [
      "a name where an amount must be",
      "values.stampDuty",
      "customerName",
      "values.stampDuty: holds rupiah, which customerName",
    ],
    [
      "a count where an amount must be",
      "values.stampDuty",
      { count: "items" },
      "values.stampDuty: holds rupiah, which no count",
    ],
    ["a joined text where an amount must be", "values.stampDuty", { template: "1" }, "values.stampDuty: holds rupiah"],
    [
      "a sum of nothing known",
      "values.charges",
      { sum: ["charge"] },
      "values.charges.sum[0]: there is no rupiah value named charge",
    ],
    ["a sum of a text", "values.charges", { sum: ["customerName"] }, "values.charges.sum[0]: there is no rupiah value"],
    ["a sum of sums", "values.charges", { sum: ["grandTotal"] }, "values.charges.sum[0]: grandTotal is a sum itself"],
    [
      "a sum that adds twice",
      "values.charges",
      { sum: ["stampDuty", "stampDuty"] },
      "values.charges.sum[1]: stampDuty is added twice",
    ],
    ["a sum of nothing", "values.charges", { sum: [] }, "values.charges.sum: must name"],
    [
      "a joined text of joined texts",
      "values.orderLine",
      { template: "{summary}" },
      'values.orderLine.template: {summary}: there is no value named "summary"',
    ],
    [
      "a joined text of a group",
      "values.orderLine",
      { template: "{months}" },
      "values.orderLine.template: {months}: there is no value",
    ],
    [
      "an unknown filter",
      "values.orderLine",
      { template: "{office|lower}" },
      "values.orderLine.template: {office|lower}: there is no filter",
    ],
    ["a group that is given no items", "values.months", "itemCount", "values.months: the group needs its items"],
    [
      "items for a single column",
      "values.office",
      { each: "items", fields: {} },
      "values.office: only a group holds items",
    ],
    ["a count of something else", "values.unitCount", { text: "7" }, "values.unitCount: counts the group months"],
    [
      "a member without a value",
      "values.months.fields.charge",
      undefined,
      'values.months.fields: the group has a field "charge"',
    ],
    [
      "a value for no member",
      "values.months.fields.more",
      "amount",
      'values.months.fields: "more" is no field of the group',
    ],
    [
      "a reference as an amount",
      "values.months.fields.charge",
      "reference",
      "values.months.fields.charge: holds rupiah",
    ],
    [
      "a joined text as an amount",
      "values.months.fields.charge",
      { template: "1" },
      "values.months.fields.charge: holds rupiah",
    ],
    [
      "a member from an unnumbered detail",
      "values.months.fields.meterEnd",
      "details.meter",
      "values.months.fields.meterEnd: must be",
    ],
    [
      "a member's text of the bill",
      "values.months.fields.remark",
      { template: "{office}" },
      "values.months.fields.remark.template",
    ],
    [
      "a member's constant too long",
      "values.months.fields.period",
      { text: "2025-01" },
      "values.months.fields.period.text: does not fit",
    ],
    [
      "more items than the group holds",
      "rules.itemsMax",
      8,
      'rules.itemsMax: group "months" of bit61 holds fewer than 8',
    ],
    ["a group that needs two items", `${FIELDS}.6.min`, 2, 'bit61: group "months" must allow fewer than 2 members'],
    ["a rule nobody knows", "rules.rule", { kind: "free" }, "rules.rule.kind: "],
    ["a spelling mistake", "customerdata", [], ': Unrecognized key: "customerdata"'],
    [
      "customerData under one name twice",
      "customerData.0.name",
      "nama",
      "customerData: the name nama is given more than once",
    ],
    ["customerData from nowhere", "customerData.1.from", "nobody", "customerData[1]: there is no field named nobody"],
    ["customerData that is null", "customerData.1", null, "customerData.1: "],
    ["a rule for signs that is none", "nonAscii", "drop", "nonAscii: "],
  ])("is refused with %s, the place named", (_, path, value, fault) => {
    expect(
      faultsOf(changed(path, value)).find((each) => each.startsWith(fault)) ?? faultsOf(changed(path, value)),
    ).toEqual(expect.stringContaining(fault));
  });

  it("of a rule without a paid state needs groups that may be empty, and columns for the largest amount", () => {
    const chosen = { minAmount: "1", maxAmount: "999999999999", shownAmount: "1" };
    for (const kind of ["open", "static"]) {
      const definition = changed("rules.rule", { kind, ...chosen }) as Data & { bit61: { inquiryReply: Data } };
      expect(faultsOf(definition)).toEqual([
        expect.stringContaining("must allow fewer than 1 members, because nothing may"),
      ]);
      const fields = definition.bit61.inquiryReply["fields"] as Data[];
      Object.assign(fields[6] as Data, { min: 0 });
      expect(faultsOf(definition)).toEqual([]);
      const values = definition["values"] as Data;
      values["stampDuty"] = "amount";
      Object.assign(fields[7] as Data, { width: 11 });
      definition.bit61.inquiryReply["width"] = 998;
      expect(faultsOf(definition)).toEqual([
        "values.stampDuty: 11 columns do not hold rules.rule.maxAmount, which has 12 digits",
      ]);
    }
  });

  it("is refused when two messages disagree about what a value is", () => {
    const paymentReply = {
      name: "paid",
      source: "",
      fields: [
        { kind: "text", name: "stampDuty", width: 12 },
        { kind: "text", name: "months", width: 1 },
      ],
    };
    expect(faultsOf(changed("bit61.paymentReply", paymentReply))).toEqual(
      expect.arrayContaining([
        "bit61: stampDuty is rupiah in inquiryReply, text in paymentReply",
        "bit61: months is a group in inquiryReply, text in paymentReply",
      ]),
    );
  });

  it("has all its faults named at once, those of its shape and those of its meaning", () => {
    const broken = changed("rules.itemsMax", 0) as Data & { values: Data; bit61: Data };
    broken.values["office"] = 5;
    broken.values["idle"] = "customerName";
    broken.values["charges"] = { sum: ["nobody"] };
    delete broken.values["tariff"];
    broken["bit48"] = "{nobody}";
    const faults = faultsOf(broken);
    for (const place of [
      "rules.itemsMax",
      "values.office",
      '"idle"',
      '"orderLine"',
      "values.charges.sum[0]",
      '"tariff"',
      "bit48",
    ])
      expect(faults.filter((fault) => fault.includes(place))).toHaveLength(1);
    expect(faults).toHaveLength(7);
  });

  it.each([null, undefined, 5, "x", [], true, {}, { bit61: null }, { bit61: [] }, { bit61: { fields: 1 } }])(
    "that is %j is refused, and nothing is thrown but its faults",
    (definition) => {
      expect(faultsOf(definition).length).toBeGreaterThan(0);
    },
  );

  it("may be damaged anywhere without anything but faults coming of it", () => {
    const damages: unknown[] = [null, -1, "", "{", [], {}, { kind: "group" }, true];
    const paths: string[] = [];
    const walk = (path: string, value: unknown): void => {
      if (path !== "") paths.push(path);
      if (typeof value === "object" && value !== null)
        for (const [name, each] of Object.entries(value)) walk(path === "" ? name : `${path}.${name}`, each);
    };
    walk("", WIDEST);
    let refused = 0;
    for (const path of paths)
      for (const damage of damages) if (faultsOf(changed(path, damage)).length > 0) refused += 1;
    expect(refused).toBeGreaterThan(paths.length * 4);
  });
});
