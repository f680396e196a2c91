import {
  compileCustomerData,
  type CustomerDataMapping,
  type Layout,
  LayoutFault,
  type LayoutValues,
} from "../../../src/wire";

const LAYOUT: Layout = {
  name: "l",
  source: "test",
  fields: [
    { kind: "digits", name: "n", width: 1 },
    { kind: "text", name: "label", width: 9 },
    { kind: "rupiah", name: "price", width: 9 },
    { kind: "filler", width: 1 },
    {
      kind: "group",
      name: "items",
      count: "n",
      max: 3,
      order: "as-listed",
      fields: [
        { kind: "text", name: "ref", width: 4 },
        { kind: "rupiah", name: "sum", width: 9 },
      ],
    },
  ],
  tail: [{ kind: "text", name: "memo", width: 4 }],
};
const VALUES: LayoutValues = {
  n: "2",
  label: "tea",
  price: 1_500n,
  items: [
    { ref: "old", sum: 1n },
    { ref: "new", sum: 2n },
  ],
};

function dataOf(mapping: CustomerDataMapping, values: LayoutValues = VALUES): string {
  return JSON.stringify(compileCustomerData(mapping, LAYOUT, ["amount"])(values));
}

function problemsOf(mapping: unknown): readonly string[] {
  try {
    compileCustomerData(mapping as CustomerDataMapping, LAYOUT, ["amount"]);
    return [];
  } catch (error) {
    return error instanceof LayoutFault ? error.problems : [`not a LayoutFault: ${String(error)}`];
  }
}

const INFO = {
  each: "items",
  name: "info{n}",
  order: "as-listed",
  fields: [
    { name: "sum", from: "sum" },
    { name: "ref", from: "ref" },
  ],
} as const;

describe("customerData", () => {
  it.each<[string, CustomerDataMapping, LayoutValues, string]>([
    ["nothing for an empty mapping", [], VALUES, "{}"],
    [
      "keys in the mapping's order",
      [
        { name: "z", from: "label" },
        { name: "b", from: "n" },
      ],
      VALUES,
      '{"z":"tea","b":"2"}',
    ],
    ["amounts as digits without zeros", [{ name: "harga", from: "price" }], VALUES, '{"harga":"1500"}'],
    [
      "an amount beyond what a number holds",
      [{ name: "harga", from: "price" }],
      { price: 9_007_199_254_740_993n },
      '{"harga":"9007199254740993"}',
    ],
    [
      "one value under two names",
      [
        { name: "a", from: "n" },
        { name: "b", from: "n" },
      ],
      VALUES,
      '{"a":"2","b":"2"}',
    ],
    ["a constant", [{ name: "unit", text: "Rp" }], VALUES, '{"unit":"Rp"}'],
    ["an empty constant", [{ name: "unit", text: "" }], VALUES, '{"unit":""}'],
    ["values beside the layout's", [{ name: "total", from: "amount" }], { amount: 7n }, '{"total":"7"}'],
    [
      "a value without blanks around it",
      [{ name: "a", from: "label" }],
      { label: "  green tea " },
      '{"a":"green tea"}',
    ],
    ["a missing value as empty text", [{ name: "memo", from: "memo" }], VALUES, '{"memo":""}'],
    ["a blank value as empty text", [{ name: "memo", from: "memo", whenBlank: "text" }], { memo: "  " }, '{"memo":""}'],
    [
      "nothing for a blank value where it may be left out",
      [{ name: "memo", from: "memo", whenBlank: "absent" }],
      { memo: "  " },
      "{}",
    ],
    [
      "nothing for a missing value where it may be left out",
      [{ name: "memo", from: "memo", whenBlank: "absent" }],
      {},
      "{}",
    ],
    [
      "a value that is there although it might be left out",
      [{ name: "memo", from: "memo", whenBlank: "absent" }],
      { memo: "x" },
      '{"memo":"x"}',
    ],
    ["zero, which is not blank", [{ name: "a", from: "price", whenBlank: "absent" }], { price: 0n }, '{"a":"0"}'],
    ["members counted as listed", [INFO], VALUES, '{"info1":{"sum":"1","ref":"old"},"info2":{"sum":"2","ref":"new"}}'],
    [
      "members counted from the last",
      [{ ...INFO, order: "reversed" }],
      VALUES,
      '{"info1":{"sum":"2","ref":"new"},"info2":{"sum":"1","ref":"old"}}',
    ],
    ["no members for an empty group", [INFO], { items: [] }, "{}"],
    ["no members for a missing group", [INFO], {}, "{}"],
  ])("has %s", (_, mapping, values, expected) => {
    expect(dataOf(mapping, values)).toBe(expected);
  });

  it("leaves the values' own list as it was", () => {
    const items = Object.freeze([
      { ref: "old", sum: 1n },
      { ref: "new", sum: 2n },
    ]);
    dataOf([{ ...INFO, order: "reversed" }], { items });
    expect(items.map((item) => item.ref)).toEqual(["old", "new"]);
  });

  it("gives a new object every time", () => {
    const make = compileCustomerData([INFO], LAYOUT);
    expect(make(VALUES)).toEqual(make(VALUES));
    expect(make(VALUES)).not.toBe(make(VALUES));
  });
});

describe("a mapping of customerData", () => {
  const NAME_RULE = "must be a letter and then up to 39 letters or digits, and no word that every object carries";
  const GROUP_RULE = "there is no group with the name that each gives";
  it.each<[string, unknown, string[]]>([
    ["is null", null, ["it must be a list"]],
    ["is an object", {}, ["it must be a list"]],
    ["holds null", [null], ["[0]: must be an object"]],
    ["holds a list", [[]], ["[0]: must be an object"]],
    ["has a hole", Array(1), ["[0]: must be an object"]],
    ["holds an empty object", [{}], [`[0]: name ${NAME_RULE}`, `[0]: from ${NAME_RULE}`]],
    ["names an unknown field", [{ name: "a", from: "b" }], ["[0]: there is no field named b"]],
    ["shows a group as text", [{ name: "a", from: "items" }], ["[0]: there is no field named items"]],
    ["shows a member outside its group", [{ name: "a", from: "ref" }], ["[0]: there is no field named ref"]],
    ["writes a name that every object carries", [{ name: "toString", from: "n" }], [`[0]: name ${NAME_RULE}`]],
    ["writes __proto__", [{ name: "__proto__", text: "x" }], [`[0]: name ${NAME_RULE}`]],
    ["writes a number as a name", [{ name: "1", from: "n" }], [`[0]: name ${NAME_RULE}`]],
    ["is misspelt", [{ name: "a", from: "n", whenblank: "text" }], ["[0]: whenblank is not a property known here"]],
    [
      "has another way for blanks",
      [{ name: "a", from: "n", whenBlank: "null" }],
      ['[0]: whenBlank must be "text" or "absent"'],
    ],
    ["has a constant that is no text", [{ name: "a", text: 5 }], ["[0]: text must be text"]],
    [
      "has both a value and a constant",
      [{ name: "a", from: "n", text: "x" }],
      ["[0]: from is not a property known here"],
    ],
    [
      "writes one name twice",
      [
        { name: "a", from: "n" },
        { name: "a", from: "label" },
      ],
      ["the name a is given more than once"],
    ],
    [
      "writes a member's name as a field's",
      [INFO, { name: "info3", from: "n" }],
      ["the name info3 is given more than once"],
    ],
    [
      "writes one group twice under one name",
      [INFO, INFO],
      [
        "the name info1 is given more than once",
        "the name info2 is given more than once",
        "the name info3 is given more than once",
      ],
    ],
    ["repeats an unknown group", [{ ...INFO, each: "bills" }], [`[0]: ${GROUP_RULE}`]],
    ["repeats a field that is no group", [{ ...INFO, each: "label" }], [`[0]: ${GROUP_RULE}`]],
    ["repeats without a number", [{ ...INFO, name: "info" }], ["[0]: name must be a name with {n} at its end"]],
    ["has the number elsewhere", [{ ...INFO, name: "{n}info" }], ["[0]: name must be a name with {n} at its end"]],
    ["repeats in no order", [{ ...INFO, order: undefined }], ['[0]: order must be "as-listed" or "reversed"']],
    ["repeats no fields", [{ ...INFO, fields: "all" }], ["[0]: fields must be a list"]],
    [
      "shows in a member what is outside",
      [{ ...INFO, fields: [{ name: "a", from: "label" }] }],
      ["[0].fields[0]: there is no field named label"],
    ],
    ["has a member that is null", [{ ...INFO, fields: [null] }], ["[0].fields[0]: must be an object"]],
    [
      "has a group in a group",
      [{ ...INFO, fields: [INFO] }],
      [
        "[0].fields[0]: name " + NAME_RULE,
        "[0].fields[0]: from " + NAME_RULE,
        "[0].fields[0]: each is not a property known here",
        "[0].fields[0]: order is not a property known here",
        "[0].fields[0]: fields is not a property known here",
      ],
    ],
    [
      "writes a name twice in a member",
      [{ ...INFO, fields: [INFO.fields[0], INFO.fields[0]] }],
      ["[0]: the name sum is given more than once"],
    ],
    [
      "has several faults",
      [{ name: "a", from: "b" }, null],
      ["[0]: there is no field named b", "[1]: must be an object"],
    ],
  ])("is refused when it %s", (_, mapping, problems) => {
    expect(problemsOf(mapping)).toEqual(problems);
  });

  it("may use a member's name outside its group again", () => {
    expect(problemsOf([INFO, { name: "sum", from: "price" }, { name: "ref", text: "" }])).toEqual([]);
  });

  it("may show a group's members in constants", () => {
    expect(dataOf([{ ...INFO, fields: [{ name: "kind", text: "bill" }] }])).toBe(
      '{"info1":{"kind":"bill"},"info2":{"kind":"bill"}}',
    );
  });
});
