import { faultsOfLayout } from "../../../src/wire";

const TEXT = { kind: "text", name: "a", width: 1 };
const COUNT = { kind: "digits", name: "n", width: 1 };
const GROUP = { kind: "group", name: "g", count: "n", max: 2, order: "as-listed", fields: [TEXT] };

/** A layout with these lines and nothing else out of the ordinary. */
function withFields(...fields: unknown[]): Record<string, unknown> {
  return { name: "l", source: "test", fields };
}

describe("names and groups of a layout", () => {
  it("may be like this", () => {
    expect(faultsOfLayout(withFields(COUNT, GROUP))).toEqual([]);
    expect(faultsOfLayout(withFields(COUNT, { ...GROUP, min: 0, fields: [TEXT, COUNT] }, TEXT))).toEqual([]);
    expect(faultsOfLayout(withFields(COUNT, GROUP, { ...GROUP, name: "h", max: 9 }))).toEqual([]);
    expect(faultsOfLayout(withFields({ ...COUNT, width: 2 }, { ...GROUP, max: 99 }))).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    ["two fields have one name", withFields(TEXT, { ...COUNT, name: "a" }), ["layout: two fields are named a"]],
    ["a tail repeats a field's name", { ...withFields(TEXT), tail: [TEXT] }, ["layout: two fields are named a"]],
    [
      "two members have one name",
      withFields(COUNT, { ...GROUP, fields: [TEXT, TEXT] }),
      ["group g: two fields are named a"],
    ],
    ["a group is named as its count", withFields(COUNT, { ...GROUP, name: "n" }), ["layout: two fields are named n"]],
    ["a group has no members", withFields(COUNT, { ...GROUP, fields: [] }), ["group g: has no fields"]],
    [
      "a group stands in a group",
      withFields(COUNT, { ...GROUP, fields: [GROUP] }),
      ["fields[1] g.fields[0] g: a group may stand only among a layout's own fields"],
    ],
    [
      "a group stands in the tail",
      { ...withFields(COUNT), tail: [GROUP] },
      ["tail[0] g: a group may stand only among a layout's own fields"],
    ],
    ["a group has no count", withFields(GROUP), ["group g: no field before it is named n"]],
    ["a count stands behind its group", withFields(GROUP, COUNT), ["group g: no field before it is named n"]],
    ["a count stands in the tail", { ...withFields(GROUP), tail: [COUNT] }, ["group g: no field before it is named n"]],
    ["a group counts itself", withFields({ ...GROUP, count: "g" }), ["group g: no field before it is named g"]],
    ["a count is text", withFields({ ...TEXT, name: "n" }, GROUP), ["group g: its count n must be a digits field"]],
    [
      "a count is an amount",
      withFields({ ...COUNT, kind: "rupiah" }, GROUP),
      ["group g: its count n must be a digits field"],
    ],
    [
      "a count is another group",
      withFields(COUNT, { ...GROUP, name: "h" }, { ...GROUP, count: "h" }),
      ["group g: its count h must be a digits field"],
    ],
    ["a count is too narrow", withFields(COUNT, { ...GROUP, max: 10 }), ["group g: n is too narrow to count to 10"]],
    [
      "a group has more at least than at most",
      withFields(COUNT, { ...GROUP, min: 3 }),
      ["group g: min 3 is more than max 2"],
    ],
    [
      "a group may have no members at most",
      withFields(COUNT, { ...GROUP, max: 0 }),
      ["fields[1] g: max must be a whole number from 1 to 99"],
    ],
    [
      "a group may grow without end",
      withFields(COUNT, { ...GROUP, max: 1e9 }),
      ["fields[1] g: max must be a whole number from 1 to 99"],
    ],
    [
      "a group has a negative minimum",
      withFields(COUNT, { ...GROUP, min: -1 }),
      ["fields[1] g: min must be a whole number from 0 to 99"],
    ],
    [
      "a group has another order",
      withFields(COUNT, { ...GROUP, order: "random" }),
      ['fields[1] g: order must be "as-listed" or "reversed"'],
    ],
    [
      "a group's fields are no list",
      withFields(COUNT, { ...GROUP, fields: TEXT }),
      ["fields[1] g: fields must be a list"],
    ],
    ["a member is null", withFields(COUNT, { ...GROUP, fields: [null] }), ["fields[1] g.fields[0]: must be an object"]],
  ])("are refused when %s", (_, layout, faults) => {
    expect(faultsOfLayout(layout)).toEqual(faults);
  });
});
