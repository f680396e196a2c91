import { compileLayout, type Layout, type LayoutValues, telkom001001, WireError } from "../../../src/wire";

const ORDER: Layout = {
  name: "order",
  source: "test",
  fields: [
    { kind: "digits", name: "code", width: 3 },
    { kind: "text", name: "label", width: 5 },
    { kind: "filler", width: 2 },
    { kind: "rupiah", name: "price", width: 6 },
    { kind: "text", name: "suffix", width: 4, align: "right" },
  ],
  tail: [{ kind: "text", name: "memo", width: 3, pad: "_" }],
};
const order = compileLayout(ORDER);
const VALUES = { code: "007", label: "tea", price: 1500n, suffix: "kg", memo: "x" };
const BODY = "007tea      1500  kg";
const FULL = `${BODY}x__`;

function faultOf(text: string, record = order): string {
  const decoded = record.decode(text);
  return decoded.ok ? "no fault" : decoded.error.message;
}

function encodeFault(values: unknown, record = order, options?: { cut: boolean }): string {
  try {
    return `no fault: ${record.encode(values as LayoutValues, options)}`;
  } catch (error) {
    return error instanceof WireError ? error.message : `not a WireError: ${String(error)}`;
  }
}

/** A layout of one column between two fixed marks, so that a shift would be seen. */
function single(column: Layout["fields"][number]): ReturnType<typeof compileLayout> {
  return compileLayout({
    name: "one",
    source: "test",
    fields: [{ kind: "filler", width: 1, char: "<" }, column, { kind: "filler", width: 1, char: ">" }],
  });
}

describe("reading a record", () => {
  it("gives values without padding, and tells whether the tail was there", () => {
    expect(order.decode(FULL)).toEqual({ ok: true, values: VALUES, hasTail: true });
    const { memo: _, ...withoutMemo } = VALUES;
    expect(order.decode(BODY)).toEqual({ ok: true, values: withoutMemo, hasTail: false });
  });

  it.each([
    ["an empty text", "", "order, width 20: the record has 0 characters, expected 20 or 23"],
    ["one character too few", BODY.slice(1), "order, width 20: the record has 19 characters, expected 20 or 23"],
    ["one character too many", `${BODY} `, "order, width 20: the record has 21 characters, expected 20 or 23"],
    ["a line end behind the record", `${FULL}\n`, "order, width 20: the record has 24 characters, expected 20 or 23"],
    ["half a tail", FULL.slice(0, -1), "order, width 20: the record has 22 characters, expected 20 or 23"],
    ["a letter among digits", FULL.replace("007", "0O7"), "order, field code, offset 0, width 3: must be digits only"],
    ["a blank among digits", FULL.replace("007", " 07"), "order, field code, offset 0, width 3: must be digits only"],
    [
      "digits of another script",
      FULL.replace("007", "0７7"),
      "order, field code, offset 0, width 3: must be digits only",
    ],
    [
      "a letter with an accent",
      FULL.replace("tea", "thé"),
      "order, field label, offset 3, width 5: holds a character that is not printable ASCII",
    ],
    [
      "a control character",
      FULL.replace("tea", "t\0a"),
      "order, field label, offset 3, width 5: holds a character that is not printable ASCII",
    ],
    [
      "a delete character",
      FULL.replace("tea", "te\u007f"),
      "order, field label, offset 3, width 5: holds a character that is not printable ASCII",
    ],
    [
      "something in the filler",
      FULL.replace("tea   ", "tea  ."),
      "order, field (filler), offset 8, width 2: must hold the filler character only",
    ],
    [
      "a sign before the amount",
      FULL.replace(" 1500", "-1500"),
      "order, field price, offset 10, width 6: must be padding and then digits",
    ],
    [
      "a blank inside the amount",
      FULL.replace(" 1500", "15 00"),
      "order, field price, offset 10, width 6: must be padding and then digits",
    ],
    [
      "an amount on the left",
      FULL.replace("  1500", "1500  "),
      "order, field price, offset 10, width 6: must be padding and then digits",
    ],
    [
      "zeros where the amount's padding is blank",
      FULL.replace("  1500", "001500"),
      "order, field price, offset 10, width 6: must be padding and then digits",
    ],
    ["a blank amount", FULL.replace("  1500", "      "), "order, field price, offset 10, width 6: is blank"],
  ])("refuses %s", (_, text, fault) => {
    expect(faultOf(text)).toBe(fault);
  });

  it("reports a fault by name and place and never by value", () => {
    const decoded = order.decode(FULL.replace("tea", "qzé"));
    expect(decoded.ok ? null : decoded.error).toMatchObject({
      name: "WireError",
      record: "order",
      field: "label",
      offset: 3,
      width: 5,
      problem: "holds a character that is not printable ASCII",
    });
    expect(decoded.ok ? "" : decoded.error.message).not.toMatch(/q|z|é/);
  });

  it.each<[string, Layout["fields"][number], string, string | bigint]>([
    ["blanks inside and before left-aligned text", { kind: "text", name: "v", width: 8 }, "  a  b  ", "  a  b"],
    ["blanks behind right-aligned text", { kind: "text", name: "v", width: 8, align: "right" }, "  a  b  ", "a  b  "],
    ["blanks where the padding is another character", { kind: "text", name: "v", width: 4, pad: "*" }, " a**", " a"],
    ["zeros before digits", { kind: "digits", name: "v", width: 4 }, "0000", "0000"],
    ["zero as an amount", { kind: "rupiah", name: "v", width: 4 }, "   0", 0n],
    ["an amount padded with zeros", { kind: "rupiah", name: "v", width: 4, pad: "0" }, "0042", 42n],
    ["an amount of 18 digits", { kind: "rupiah", name: "v", width: 18 }, "9".repeat(18), 999_999_999_999_999_999n],
  ])("keeps %s", (_, column, wire, value) => {
    const record = single(column);
    expect(record.decode(`<${wire}>`)).toEqual({ ok: true, values: { v: value }, hasTail: false });
    expect(record.encode({ v: value })).toBe(`<${wire}>`);
  });

  it("reads a blank amount as zero only where the layout allows it", () => {
    const record = single({ kind: "rupiah", name: "v", width: 4, blankIsZero: true });
    expect(record.decode("<    >")).toEqual({ ok: true, values: { v: 0n }, hasTail: false });
    expect(record.encode({ v: 0n })).toBe("<   0>");
  });

  it("refuses blanks where an amount is padded with zeros", () => {
    const record = single({ kind: "rupiah", name: "v", width: 4, pad: "0" });
    expect(faultOf("<  42>", record)).toBe("one, field v, offset 1, width 4: must be padding and then digits");
  });
});

describe("writing a record", () => {
  it("pads every column to its width", () => {
    expect(order.encode(VALUES)).toBe(FULL);
    expect(order.encode(VALUES, { cut: true })).toBe(BODY);
    expect(order.encode(VALUES, { cut: false })).toBe(FULL);
  });

  it("fills digits with zeros on the left and ignores values it does not know", () => {
    expect(order.encode({ ...VALUES, code: "7", other: "unknown" })).toBe(FULL);
  });

  it.each<[string, object, string]>([
    ["a missing text", { label: undefined }, "field label, offset 3, width 5: must be given as text"],
    ["a text given as null", { label: null }, "field label, offset 3, width 5: must be given as text"],
    ["a text given as a number", { label: 5 }, "field label, offset 3, width 5: must be given as text"],
    ["a text that is too long", { label: "coffee" }, "field label, offset 3, width 5: does not fit"],
    ["an accent", { label: "thé" }, "field label, offset 3, width 5: holds a character that is not printable ASCII"],
    ["a tab", { label: "a\tb" }, "field label, offset 3, width 5: holds a character that is not printable ASCII"],
    ["digits given as a number", { code: 7 }, "field code, offset 0, width 3: must be given as text"],
    ["no digits at all", { code: "" }, "field code, offset 0, width 3: must be digits only"],
    ["letters as digits", { code: "0x7" }, "field code, offset 0, width 3: must be digits only"],
    ["too many digits", { code: "0007" }, "field code, offset 0, width 3: does not fit"],
    [
      "a missing amount",
      { price: undefined },
      "field price, offset 10, width 6: must be given as a bigint of whole rupiah, not negative",
    ],
    [
      "an amount as a number",
      { price: 1500 },
      "field price, offset 10, width 6: must be given as a bigint of whole rupiah, not negative",
    ],
    [
      "an amount as text",
      { price: "1500" },
      "field price, offset 10, width 6: must be given as a bigint of whole rupiah, not negative",
    ],
    [
      "a negative amount",
      { price: -1n },
      "field price, offset 10, width 6: must be given as a bigint of whole rupiah, not negative",
    ],
    ["an amount that is too wide", { price: 1_000_000n }, "field price, offset 10, width 6: does not fit"],
    [
      "a value that ends like padding",
      { memo: "x_" },
      "field memo, offset 20, width 3: begins or ends with the padding character, which could not be told from padding",
    ],
    ["a tail without its value", { memo: undefined }, "field memo, offset 20, width 3: must be given as text"],
  ])("refuses %s", (_, change, fault) => {
    expect(encodeFault({ ...VALUES, ...change })).toBe(`order, ${fault}`);
  });

  it("asks for no value of a tail that it leaves off", () => {
    const { memo: _, ...withoutMemo } = VALUES;
    expect(encodeFault(withoutMemo, order, { cut: true })).toBe(`no fault: ${BODY}`);
  });

  it("cuts a long text only where the layout says so, and looks at the kept part alone", () => {
    const record = single({ kind: "text", name: "v", width: 3, overflow: "cut" });
    expect(record.encode({ v: "abcdé" })).toBe("<abc>");
    expect(encodeFault({ v: "abécd" }, record)).toContain("not printable ASCII");
  });

  it("refuses a right-aligned value that begins like padding", () => {
    const record = single({ kind: "text", name: "v", width: 3, align: "right", pad: "0" });
    expect(encodeFault({ v: "01" }, record)).toContain("begins or ends with the padding character");
    expect(record.encode({ v: "10" })).toBe("<010>");
  });
});

describe("a compiled layout", () => {
  it("tells names, widths and which fields are money", () => {
    const record = compileLayout(telkom001001.bit61);
    const names = ["customerId", "kodeDivre", "kodeDatel", "jumlahBill"];
    expect(record.fieldNames).toEqual([...names, "items", "customerName", "npwp"]);
    expect(record.scalarNames).toEqual([...names, "customerName", "npwp"]);
    expect([...record.rupiahFields]).toEqual([]);
    expect([...order.rupiahFields]).toEqual(["price"]);
    expect([order.widest, order.tailWidth]).toEqual([23, 3]);
    expect([record.widest, record.tailWidth]).toEqual([272, 45]);
  });
});
