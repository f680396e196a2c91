import { changesBetween } from "../../../src/cli/product-changes";

describe("what changes between two products", () => {
  it.each<[string, unknown, unknown, string[]]>([
    ["nothing", { a: [1, { name: "x" }], b: null }, { b: null, a: [1, { name: "x" }] }, []],
    ["a value", { rules: { feeAmount: "1" } }, { rules: { feeAmount: "2" } }, ['rules.feeAmount: "1" becomes "2"']],
    ["something new", { c: 1 }, { a: { b: true }, c: 1 }, ["a.b: true comes"]],
    ["something less", { a: 1, b: 2 }, { b: 2 }, ["a: 1 goes"]],
    ["a list by its places", { a: ["x", "y"] }, { a: ["x", "z", "w"] }, ['a[1]: "y" becomes "z"', 'a[2]: "w" comes']],
    ["a kind", { a: "x" }, { a: { text: "x" } }, ['a: "x" goes', 'a.text: "x" comes']],
    ["a list that empties", { a: [1] }, { a: [] }, ["a[0]: 1 goes", "a: [] comes"]],
  ])("%s", (_, before, after, changes) => {
    expect(changesBetween(before, after)).toEqual(changes);
  });

  it("columns stand under their names: one more moves no other", () => {
    const column = (name: string, width: number) => ({ kind: "text", name, width });
    const before = { fields: [column("a", 1), column("c", 3)] };
    const after = { fields: [column("a", 1), column("b", 2), column("c", 4)] };
    expect(changesBetween(before, after)).toEqual([
      "fields: the order a, c becomes the order a, b, c",
      'fields[b].kind: "text" comes',
      'fields[b].name: "b" comes',
      "fields[b].width: 2 comes",
      "fields[c].width: 3 becomes 4",
    ]);
  });
});
