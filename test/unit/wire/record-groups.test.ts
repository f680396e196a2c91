import { compileLayout, type CompiledLayout, type LayoutValues, WireError } from "../../../src/wire";

function recordOf(order: "as-listed" | "reversed", min?: number): CompiledLayout {
  return compileLayout({
    name: "bills",
    source: "test",
    fields: [
      { kind: "digits", name: "count", width: 1 },
      {
        kind: "group",
        name: "items",
        count: "count",
        ...(min === undefined ? {} : { min }),
        max: 3,
        order,
        fields: [
          { kind: "text", name: "ref", width: 2 },
          { kind: "filler", width: 1, char: "/" },
          { kind: "rupiah", name: "sum", width: 3 },
        ],
      },
      { kind: "text", name: "end", width: 1 },
    ],
    tail: [{ kind: "digits", name: "check", width: 2 }],
  });
}

const listed = recordOf("as-listed");
const reversed = recordOf("reversed");
const A = { ref: "A", sum: 1n };
const B = { ref: "B", sum: 22n };
const C = { ref: "C", sum: 333n };
const WIRE = "3A /  1B / 22C /333.";

function encodeFault(values: unknown): string {
  try {
    return `no fault: ${listed.encode(values as LayoutValues, { cut: true })}`;
  } catch (error) {
    return error instanceof WireError ? error.message : `not a WireError: ${String(error)}`;
  }
}

describe("a group", () => {
  it.each<[string, CompiledLayout, LayoutValues[]]>([
    ["listed as on the wire", listed, [A, B, C]],
    ["listed from the last slot", reversed, [C, B, A]],
  ])("comes and goes %s", (_, record, items) => {
    const values = { count: "3", items, end: "." };
    expect(record.decode(WIRE)).toEqual({ ok: true, values, hasTail: false });
    expect(record.encode(values, { cut: true })).toBe(WIRE);
    expect(record.encode({ ...values, check: "42" })).toBe(`${WIRE}42`);
  });

  it("leaves the caller's list as it was", () => {
    const items = Object.freeze([C, B, A]);
    reversed.encode({ count: "3", items, end: "." }, { cut: true });
    expect(items).toEqual([C, B, A]);
  });

  it("may have no members where its layout says so", () => {
    const record = recordOf("as-listed", 0);
    expect(record.decode("0.")).toEqual({ ok: true, values: { count: "0", items: [], end: "." }, hasTail: false });
    expect(record.encode({ count: "0", items: [], end: "." }, { cut: true })).toBe("0.");
  });

  it("needs at least one member by default", () => {
    expect(encodeFault({ count: "0", items: [], end: "." })).toBe(
      "bills, field items, offset 1: must have 1 to 3 members",
    );
  });

  it.each([
    ["no members", "0.", "bills, field items, offset 1: must have 1 to 3 members"],
    [
      "more members than the layout has",
      "4" + "A /  1".repeat(4) + ".",
      "bills, field items, offset 1: must have 1 to 3 members",
    ],
    ["a count that is no digit", WIRE.replace("3", "x"), "bills, field count, offset 0, width 1: must be digits only"],
    ["no count", "", "bills, field count, offset 0, width 1: the record ends before it"],
    [
      "a count that is smaller than what follows",
      WIRE.replace("3", "2"),
      "bills, width 14: the record has 20 characters, expected 14 or 16",
    ],
    [
      "a count that is larger than what follows",
      "3A /  1B / 22.",
      "bills, width 20: the record has 14 characters, expected 20 or 22",
    ],
    [
      "a damaged member, named with its group",
      WIRE.replace(" 22", "2x2"),
      "bills, field items.sum, offset 10, width 3: must be padding and then digits",
    ],
    [
      "a damaged filler in a member",
      WIRE.replace("C /", "C -"),
      "bills, field items.(filler), offset 15, width 1: must hold the filler character only",
    ],
    ["letters in the tail", `${WIRE}4x`, "bills, field check, offset 20, width 2: must be digits only"],
  ])("is refused with %s", (_, text, fault) => {
    const decoded = listed.decode(text);
    expect(decoded.ok ? "no fault" : decoded.error.message).toBe(fault);
  });

  it.each<[string, object, string]>([
    ["is missing", { items: undefined }, "field items, offset 1: must be given as a list of members"],
    ["is an object", { items: { 0: A } }, "field items, offset 1: must be given as a list of members"],
    ["is text", { items: "AB" }, "field items, offset 1: must be given as a list of members"],
    ["has too many members", { count: "4", items: [A, B, C, A] }, "field items, offset 1: must have 1 to 3 members"],
    [
      "has fewer members than its count",
      { items: [A, B] },
      "field items, offset 1: must have as many members as count says",
    ],
    [
      "has more members than its count",
      { count: "1" },
      "field items, offset 1: must have as many members as count says",
    ],
    ["holds null", { items: [A, null, C] }, "field items, offset 1: must hold members only"],
    ["holds a list", { items: [A, [], C] }, "field items, offset 1: must hold members only"],
    ["holds text", { items: ["A", B, C] }, "field items, offset 1: must hold members only"],
    [
      "has a member without a value",
      { items: [A, {}, C] },
      "field items.ref, offset 7, width 2: must be given as text",
    ],
    [
      "has a member with an amount as a number",
      { items: [A, B, { ref: "C", sum: 3 }] },
      "field items.sum, offset 16, width 3: must be given as a bigint of whole rupiah, not negative",
    ],
    ["has no count", { count: undefined }, "field count, offset 0, width 1: must be given as text"],
  ])("cannot be written when it %s", (_, change, fault) => {
    expect(encodeFault({ count: "3", items: [A, B, C], end: ".", ...change })).toBe(`bills, ${fault}`);
  });
});

describe("two groups under one count", () => {
  const twin = compileLayout({
    name: "twin",
    source: "test",
    fields: [
      { kind: "digits", name: "n", width: 2 },
      {
        kind: "group",
        name: "a",
        count: "n",
        max: 12,
        order: "as-listed",
        fields: [{ kind: "digits", name: "v", width: 1 }],
      },
      {
        kind: "group",
        name: "b",
        count: "n",
        max: 12,
        order: "reversed",
        fields: [{ kind: "text", name: "v", width: 1 }],
      },
    ],
  });

  it("are read and written one after the other, and their members may share names", () => {
    const values = { n: "02", a: [{ v: "1" }, { v: "2" }], b: [{ v: "y" }, { v: "x" }] };
    expect(twin.decode("0212xy")).toEqual({ ok: true, values, hasTail: false });
    expect(twin.encode(values)).toBe("0212xy");
  });
});
