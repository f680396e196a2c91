import { compileLayout, faultsOfLayout, type Layout, LayoutFault, publishedProducts } from "../../../src/wire";

const TEXT = { kind: "text", name: "a", width: 1 };
const COUNT = { kind: "digits", name: "n", width: 1 };
const GROUP = { kind: "group", name: "g", count: "n", max: 2, order: "as-listed", fields: [TEXT] };
const NAME_RULE = "name must be a letter and then up to 39 letters or digits, and no word that every object carries";
const KIND_RULE = "kind must be one of text, digits, rupiah, filler, group";

/** A layout with these lines and nothing else out of the ordinary. */
function withFields(...fields: unknown[]): Record<string, unknown> {
  return { name: "l", source: "test", fields };
}

describe("a layout", () => {
  it.each(publishedProducts.map((product) => [product.name, product.bit61] as const))(
    "of %s has no faults and survives being stored as JSON",
    (_, layout) => {
      expect(faultsOfLayout(layout)).toEqual([]);
      expect(JSON.parse(JSON.stringify(layout))).toEqual(layout);
    },
  );

  it.each<[string, unknown]>([
    ["null", null],
    ["undefined", undefined],
    ["a list", []],
    ["text", "{}"],
    ["a number", 7],
    ["a function", () => ({})],
  ])("is never %s", (_, candidate) => {
    expect(faultsOfLayout(candidate)).toEqual(["the layout must be an object"]);
  });

  it.each<[string, unknown, string[]]>([
    [
      "nothing in it",
      {},
      ["layout: name must be text", "layout: source must be text", "layout: fields must be a list"],
    ],
    ["fields that are no list", { ...withFields(), fields: { 0: TEXT } }, ["layout: fields must be a list"]],
    ["no fields", withFields(), ["layout: has no fields"]],
    [
      "a property that is not known",
      { ...withFields(TEXT), fileds: [] },
      ["layout: fileds is not a property known here"],
    ],
    [
      "its own __proto__",
      JSON.parse('{"name":"l","source":"t","fields":[{"kind":"text","name":"a","width":1}],"__proto__":{}}'),
      ["layout: __proto__ is not a property known here"],
    ],
    ["a tail that is no list", { ...withFields(TEXT), tail: "b" }, ["layout: tail must be a list"]],
    ["a tail that is null", { ...withFields(TEXT), tail: null }, ["layout: tail must be a list"]],
    [
      "a maximum that is no whole number",
      { ...withFields(TEXT), maxWidth: 1.5 },
      ["layout: maxWidth must be a whole number from 1 to 9999"],
    ],
    [
      "a maximum beyond all bounds",
      { ...withFields(TEXT), maxWidth: 10_000 },
      ["layout: maxWidth must be a whole number from 1 to 9999"],
    ],
    [
      "a width given as text",
      { ...withFields(TEXT), width: "1" },
      ["layout: width must be a whole number from 1 to 9999"],
    ],
    [
      "a declared width that is wrong",
      { ...withFields(TEXT), width: 2 },
      ["layout: width is declared as 2, but its fields add up to 1"],
    ],
    [
      "a declared width and a group",
      { ...withFields(COUNT, GROUP), width: 3 },
      ["layout: width is declared, but a group varies it"],
    ],
    [
      "too many columns in all",
      withFields({ ...TEXT, width: 999 }, { ...TEXT, name: "b" }),
      ["layout: may grow to 1000 characters, more than 999"],
    ],
    [
      "too many columns with its groups full",
      { ...withFields(COUNT, GROUP), maxWidth: 2 },
      ["layout: may grow to 3 characters, more than 2"],
    ],
    [
      "too many columns with its tail",
      { ...withFields(TEXT), tail: [{ ...TEXT, name: "b" }], maxWidth: 1 },
      ["layout: may grow to 2 characters, more than 1"],
    ],
  ])("is refused with %s", (_, candidate, faults) => {
    expect(faultsOfLayout(candidate)).toEqual(faults);
  });

  it.each<[string, unknown, string[]]>([
    ["is null", null, ["fields[0]: must be an object"]],
    ["is a list", [], ["fields[0]: must be an object"]],
    ["is text", "a", ["fields[0]: must be an object"]],
    ["has no kind", { name: "a", width: 1 }, [`fields[0] a: ${KIND_RULE}`]],
    ["has an unknown kind", { ...TEXT, kind: "money" }, [`fields[0] a: ${KIND_RULE}`]],
    ["has a kind that every object carries", { ...TEXT, kind: "constructor" }, [`fields[0] a: ${KIND_RULE}`]],
    ["has a kind that is a list", { ...TEXT, kind: ["text"] }, [`fields[0] a: ${KIND_RULE}`]],
    ["has no name", { kind: "text", width: 1 }, [`fields[0]: ${NAME_RULE}`]],
    ["has no width", { kind: "text", name: "a" }, ["fields[0] a: width must be a whole number from 1 to 999"]],
    ["is misspelt", { ...TEXT, padd: "0" }, ["fields[0] a: padd is not a property known here"]],
    ["aligns to the centre", { ...TEXT, align: "centre" }, ['fields[0] a: align must be "left" or "right"']],
    ["pads with two characters", { ...TEXT, pad: "00" }, ["fields[0] a: pad must be one printable ASCII character"]],
    ["pads with nothing", { ...TEXT, pad: "" }, ["fields[0] a: pad must be one printable ASCII character"]],
    ["pads with a line end", { ...TEXT, pad: "\n" }, ["fields[0] a: pad must be one printable ASCII character"]],
    [
      "pads with a character beyond ASCII",
      { ...TEXT, pad: "·" },
      ["fields[0] a: pad must be one printable ASCII character"],
    ],
    ["overflows otherwise", { ...TEXT, overflow: "wrap" }, ['fields[0] a: overflow must be "refuse" or "cut"']],
    ["is inferred: false", { ...TEXT, inferred: false }, ["fields[0] a: inferred must be true or left out"]],
    ["has a note that is no text", { ...TEXT, note: 1 }, ["fields[0] a: note must be text"]],
    ["is digits with padding", { ...COUNT, pad: " " }, ["fields[0] n: pad is not a property known here"]],
    [
      "is an amount wider than 64 bits hold",
      { kind: "rupiah", name: "a", width: 19 },
      ["fields[0] a: width must be a whole number from 1 to 18"],
    ],
    [
      "is an amount padded with stars",
      { kind: "rupiah", name: "a", width: 9, pad: "*" },
      ['fields[0] a: pad must be " " or "0"'],
    ],
    [
      "is an amount that may be blank: 1",
      { kind: "rupiah", name: "a", width: 9, blankIsZero: 1 },
      ["fields[0] a: blankIsZero must be true or left out"],
    ],
    [
      "is filler with a name",
      { kind: "filler", name: "a", width: 1 },
      ["fields[0] a: name is not a property known here"],
    ],
    [
      "is filler of two characters",
      { kind: "filler", width: 1, char: "--" },
      ["fields[0]: char must be one printable ASCII character"],
    ],
  ])("is refused with a line that %s", (_, line, faults) => {
    expect(faultsOfLayout(withFields(line))).toEqual(faults);
  });

  it.each([0, -1, 1.5, 1000, 1e308, Number.NaN, Number.POSITIVE_INFINITY, "1", null, true, [1], 1n])(
    "is refused with a line of width %p",
    (width) => {
      expect(faultsOfLayout(withFields({ ...TEXT, width }))).toEqual([
        "fields[0] a: width must be a whole number from 1 to 999",
      ]);
    },
  );

  it.each([
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "valueOf",
    "prototype",
    "isPrototypeOf",
    "",
    "1",
    "1a",
    "a b",
    "a.b",
    "a_b",
    "a-b",
    "é",
    "a\n",
    "items[0]",
    "a".repeat(41),
  ])("is refused with a field named %j", (name) => {
    expect(faultsOfLayout(withFields({ ...TEXT, name }))).toEqual([`fields[0] ${name.slice(0, 40)}: ${NAME_RULE}`]);
  });

  it.each<[string, unknown]>([
    ["a number", 7],
    ["null", null],
    ["a list", ["a"]],
  ])("is refused with a name that is %s", (_, name) => {
    expect(faultsOfLayout(withFields({ ...TEXT, name }))).toEqual([`fields[0]: ${NAME_RULE}`]);
  });

  it("is refused with a hole in its list of fields", () => {
    expect(faultsOfLayout({ ...withFields(), fields: Array(1) })).toEqual(["fields[0]: must be an object"]);
  });

  it("is refused with everything that is wrong, at once", () => {
    const layout = { ...withFields({ ...TEXT, name: "1" }, null), tail: [{ ...TEXT, width: 0 }], extra: 1 };
    expect(faultsOfLayout(layout)).toEqual([
      "layout: extra is not a property known here",
      `fields[0] 1: ${NAME_RULE}`,
      "fields[1]: must be an object",
      "tail[0] a: width must be a whole number from 1 to 999",
    ]);
  });

  it("may be as wide as it allows itself to be", () => {
    const fields = Array.from({ length: 10 }, (_, index) => ({ ...TEXT, name: `f${index}`, width: 999 }));
    expect(faultsOfLayout({ ...withFields(...fields), maxWidth: 9_990, width: 9_990 })).toEqual([]);
  });

  it("is not compiled with a fault; the error names the layout and lists the faults", () => {
    const broken = withFields({ ...TEXT, width: 0 }) as unknown as Layout;
    expect(() => compileLayout(broken)).toThrow(LayoutFault);
    expect(() => compileLayout(broken)).toThrow(
      "layout l is not valid:\n  - fields[0] a: width must be a whole number from 1 to 999",
    );
    expect(() => compileLayout(null as unknown as Layout)).toThrow("layout without a name is not valid");
  });
});
