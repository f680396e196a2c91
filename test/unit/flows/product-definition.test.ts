import type { Bill } from "../../../src/domain";
import { compileProduct, type Product, type ProductDefinition, PRODUCTS } from "../../../src/flows";
import { ConfigFault } from "../../../src/platform";
import { bill } from "../domain/samples";

const TEXT = (name: string, width = 10) => ({ kind: "text", name, width }) as const;
const DEFINITION: ProductDefinition = {
  rules: { billNumber: { minLength: 4, maxLength: 4 }, rule: { kind: "closed" }, itemsMax: 2 },
  bit61: {
    name: "bit61 test",
    source: "made up",
    fields: [
      TEXT("number", 4),
      { kind: "digits", name: "count", width: 1 },
      {
        kind: "group",
        name: "items",
        count: "count",
        max: 2,
        order: "as-listed",
        fields: [TEXT("ref", 2), { kind: "rupiah", name: "owed", width: 6 }],
      },
      { kind: "rupiah", name: "total", width: 12 },
    ],
    tail: [TEXT("name")],
  },
  bit48: "{name|trim} pays {amount|grouped} and {feeAmount}",
  customerData: [{ name: "customer", from: "name" }],
  values: {
    number: "billNumber",
    count: "itemCount",
    items: { each: "items", fields: { ref: "reference", owed: "amount" } },
    total: "amount",
    name: "customerName",
  },
};

const compiled = (changes: Partial<Record<keyof ProductDefinition, unknown>> = {}): Product =>
  compileProduct("900001", "Test", { ...DEFINITION, ...changes });

function problemsOf(definition: unknown): readonly string[] {
  try {
    compileProduct("900001", "Test", definition);
    return [];
  } catch (fault) {
    if (!(fault instanceof ConfigFault)) throw fault;
    return fault.problems;
  }
}

const changed = (changes: Partial<Record<keyof ProductDefinition, unknown>>) => ({ ...DEFINITION, ...changes });
const SHOWN: Bill = bill({ billNumber: "0042", customerName: "Ibu Šárka", details: { plate: "B 1" } }, [100n, 2_000n]);
const shownOf = (given: Bill) => ({
  items: given.items.map((item) => ({ ...item, outstanding: item.amount })),
  amount: 2_100n,
  feeAmount: 5n,
});

describe("a product", () => {
  it.each(PRODUCTS.map((each) => [each.productCode, each] as const))(
    "%s that ships is valid, also as JSON",
    (_, shipped) => {
      const { productCode, name, definition } = shipped;
      const product = compileProduct(productCode, name, JSON.parse(JSON.stringify(definition)));
      expect(product).toMatchObject({ productCode, name, isCustomerIdOutside: definition.isCustomerIdOutside });
      expect(product.layout.widest).toBeLessThanOrEqual(999);
    },
  );

  it("puts a bill into bit61, bit48 and customerData", () => {
    const product = compiled();
    const values = product.valuesOf(SHOWN, shownOf(SHOWN));
    const items = "R1   100R2  2000";
    expect(product.layout.encode(values).replaceAll(" ", "")).toBe(`00422${items}2100IbuSarka`.replaceAll(" ", ""));
    expect(product.bit48.render(values)).toBe("Ibu Sarka pays 2.100 and 5");
    expect(product.customerData(values)).toEqual({ customer: expect.stringMatching(/^Ibu Sarka *$/) });
    expect(product.layout.decode(product.layout.encode(values))).toMatchObject({
      ok: true,
      values: {
        count: "2",
        total: 2_100n,
        items: [
          { ref: "R1", owed: 100n },
          { ref: "R2", owed: 2_000n },
        ],
      },
    });
  });

  it("nests customerData where the contract does", () => {
    const customerData = [
      {
        name: "pelanggan",
        fields: [
          { name: "nama", from: "name" },
          { name: "kota", from: "city", whenBlank: "absent" },
        ],
      },
      { name: "kosong", fields: [] },
    ];
    const product = compiled({ customerData, values: { ...DEFINITION.values, city: "details.city" } });
    const values = product.valuesOf(SHOWN, shownOf(SHOWN));
    expect(product.customerData(values)).toEqual({ pelanggan: { nama: "Ibu Sarka" }, kosong: {} });
    const twice = [
      {
        name: "a",
        fields: [
          { name: "b", from: "name" },
          { name: "b", text: "" },
          { name: "c", from: "no" },
        ],
      },
    ];
    expect(problemsOf(changed({ customerData: twice }))).toEqual([
      "customerData[0].fields[2]: there is no field named no",
      "customerData[0]: the name b is given more than once",
    ]);
  });

  it("shows of an item what is still owed on it", () => {
    const partPaid = [{ itemNo: 2, reference: "R2", amount: 2_000n, outstanding: 1_999n }];
    const values = compiled().valuesOf(SHOWN, { items: partPaid, amount: 1_999n, feeAmount: 0n });
    expect(values).toMatchObject({ count: "1", items: [{ ref: "R2", owed: 1_999n }], total: 1_999n });
  });

  it("takes values from details and constants; what is not given is blank or nothing owed", () => {
    const fields = [TEXT("plate"), TEXT("made"), TEXT("none"), { kind: "rupiah", name: "part", width: 5 }];
    const values = { plate: "details.plate", made: { text: "PT" }, none: "details.constructor", part: "details.part" };
    const product = compiled({ bit61: { ...DEFINITION.bit61, fields, tail: [] }, values, bit48: "", customerData: [] });
    const given = shownOf(SHOWN);
    expect(product.valuesOf(SHOWN, given)).toMatchObject({ plate: "B 1", made: "PT", none: "", part: 0n });
    const rich = { ...SHOWN, details: { part: "00012" } };
    expect(product.valuesOf(rich, given)).toMatchObject({ plate: "", part: 12n });
    const hostile = { ...SHOWN, details: { part: "0x10" } };
    expect(() => product.valuesOf(hostile, given)).toThrow(/digits/);
  });
});

describe("the reply to a payment", () => {
  const bit48 = "{name}";
  const customerData = [
    { name: "customer", from: "name" },
    { name: "paid", from: "amount" },
    { name: "hello", from: "greeting" },
  ];
  const greeting = { template: "Dear {name|trim}" };
  const definition = { bit48, customerData, values: { ...DEFINITION.values, greeting } };
  const values = compiled(definition).valuesOf(SHOWN, shownOf(SHOWN));
  const full = compiled(definition).layout.encode(values);
  const cut = full.slice(0, -10);

  it.each<[string, string, boolean, string]>([
    ["brings the payment's bit61 back", full, false, full],
    ["leaves its tail off where the dialect says so", full, true, cut],
    ["does not cut what came without a tail", cut, true, cut],
    ["makes one itself when it cannot read the payment's", "0042", false, full],
    ["makes one without a tail", "0042", true, cut],
  ])("%s", (_, received, isCut, bit61) => {
    const product = compiled(definition);
    const reply = product.paymentReply(received, values, isCut);
    expect(reply.bit61).toBe(bit61);
    // What a cut bit61 does not say is blank; what stands in no bit61 is known all the same.
    const customer = bit61 === full ? "Ibu Sarka" : "";
    expect(product.customerData(reply.values)).toEqual({ customer, paid: "2100", hello: "Dear Ibu Sarka" });
  });

  it("reads what the payment brings by a layout of its own", () => {
    const paymentRequest = { name: "paying", source: "", fields: [TEXT("number", 4)], tail: [TEXT("till", 2)] };
    const bit61 = { inquiryReply: DEFINITION.bit61, paymentRequest };
    const product = compiled({ ...definition, bit61 });
    expect(product.paymentReply("0042T1", values, true).bit61).toBe("0042");
    expect(product.paymentReply("0042", values, false).bit61).toBe("0042");
    const { values: shown } = product.paymentReply("9942T1", values, false);
    expect(shown).toMatchObject({ number: "9942", till: "T1", name: "Ibu Sarka", total: 2_100n });
    expect(product.paymentReply("004", values, false).bit61).toBe(full);
  });

  it("has a layout of its own where the product gives one, whatever the payment brought", () => {
    const paymentReply = {
      name: "paid",
      source: "",
      fields: [TEXT("serial", 6), { kind: "rupiah", name: "total", width: 5 }],
    };
    const more = { ...definition.values, serial: "details.plate" };
    const product = compiled({ ...definition, bit61: { inquiryReply: DEFINITION.bit61, paymentReply }, values: more });
    const own = product.valuesOf(SHOWN, shownOf(SHOWN));
    for (const received of [full, "", "0042"])
      expect(product.paymentReply(received, own, true).bit61).toBe("B 1    2100");
  });
});

describe("a definition is refused", () => {
  const { total: _, ...withoutTotal } = DEFINITION.values as Record<string, unknown>;
  it.each<[string, unknown, string[]]>([
    ["that is nothing", null, [""]],
    ["that is a list", [], [""]],
    ["without a member", { ...DEFINITION, bit48: undefined }, ["bit48"]],
    ["with a member nobody knows", changed({ ["bit62" as "bit48"]: "" }), ["bit62"]],
    ["with a field that no value is given for", changed({ values: withoutTotal }), ['"total"']],
    ["with a value for no field", changed({ values: { ...DEFINITION.values, more: "amount" } }), ['"more"']],
    [
      "with both, both named",
      changed({ values: { ...withoutTotal, more: "amount", most: { text: "" } } }),
      ['"total"', '"more"', '"most"'],
    ],
    ["with a path to nowhere", changed({ values: { ...DEFINITION.values, name: "customer" } }), ["values.name"]],
    ["with a path out of details", changed({ values: { ...DEFINITION.values, name: "details.a.b" } }), ["values.name"]],
    [
      "with a path to a prototype",
      changed({ values: { ...DEFINITION.values, name: "details.__proto__" } }),
      ["values.name"],
    ],
    ["with rules that are wrong", changed({ rules: { ...DEFINITION.rules, itemsMax: 0 } }), ["rules.itemsMax"]],
    ["with more items than its message holds", changed({ rules: { ...DEFINITION.rules, itemsMax: 3 } }), ["itemsMax"]],
    ["with a template that names nothing", changed({ bit48: "{nobody}" }), ["nobody"]],
    ["with a template that shows a group", changed({ bit48: "{items}" }), ["items"]],
    ["with customerData from nothing", changed({ customerData: [{ name: "x", from: "nobody" }] }), ["nobody"]],
    [
      "with a layout that is none",
      changed({ bit61: { name: "x" } }),
      ["bit61: layout: source", "bit61: layout: fields"],
    ],
    ["with a layout of nothing", changed({ bit61: { name: "x", source: "", fields: [] }, values: {} }), ["no fields"]],
  ])("%s", (_, definition, named) => {
    const problems = problemsOf(definition);
    expect(problems.length).toBeGreaterThan(0);
    for (const [index, name] of named.entries()) expect(problems[index]).toContain(name);
    expect(problems).toHaveLength(named.length);
  });

  it("with the product named in the fault's text", () => {
    expect(() => compileProduct("900001", "Test", {})).toThrow(/product 900001 is not valid/);
  });
});
