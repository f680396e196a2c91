import type { ColumnSpec } from "./field";
import {
  ANY_TEXT,
  faultsOfShape,
  isPlainObject,
  LIST,
  NAME,
  ONE_CHARACTER,
  oneOf,
  optional,
  type Shape,
  TRUE_IF_GIVEN,
  wholeNumber,
} from "./shape";

/** Members that repeat as often as an earlier digits field says. */
export interface GroupSpec {
  readonly kind: "group";
  readonly name: string;
  /** Name of the digits field, earlier in the record, that holds the number of members. */
  readonly count: string;
  /** Fewest members accepted, default 1. */
  readonly min?: number;
  readonly max: number;
  /** `reversed`: the first slot on the wire is the LAST member of the value list. */
  readonly order: "as-listed" | "reversed";
  readonly fields: readonly ColumnSpec[];
  readonly note?: string;
}

/** One line of a layout. */
export type FieldSpec = ColumnSpec | GroupSpec;

/** A fixed-width record as data: nothing in it but JSON values, so it may live in a file or a database. */
export interface Layout {
  readonly name: string;
  /** Where the table comes from, for people. */
  readonly source: string;
  readonly fields: readonly FieldSpec[];
  /** Columns at the end that may be absent altogether: a record with and without them is accepted. */
  readonly tail?: readonly ColumnSpec[];
  /** Longest record allowed, in characters; default 999, as bit61 and bit48 have. */
  readonly maxWidth?: number;
  /** Declared width of a record without groups, tail included; must be what the fields add up to. */
  readonly width?: number;
}

/** The longest record that the switch's tables allow, unless a layout says otherwise. */
export const RECORD_WIDTH_MAX = 999;

const WIDTH = wholeNumber(1, RECORD_WIDTH_MAX);
const NAMED: Shape = { name: NAME, width: WIDTH, inferred: TRUE_IF_GIVEN, note: optional(ANY_TEXT) };
const COLUMN_SHAPES: Readonly<Record<ColumnSpec["kind"], Shape>> = {
  text: {
    kind: ANY_TEXT,
    ...NAMED,
    align: optional(oneOf("left", "right")),
    pad: optional(ONE_CHARACTER),
    overflow: optional(oneOf("refuse", "cut")),
  },
  digits: { kind: ANY_TEXT, ...NAMED },
  // 18 digits are what a signed 64-bit integer always holds.
  rupiah: {
    kind: ANY_TEXT,
    ...NAMED,
    width: wholeNumber(1, 18),
    pad: optional(oneOf(" ", "0")),
    blankIsZero: TRUE_IF_GIVEN,
  },
  filler: { kind: ANY_TEXT, width: WIDTH, char: optional(ONE_CHARACTER), note: optional(ANY_TEXT) },
};
const GROUP_SHAPE: Shape = {
  kind: ANY_TEXT,
  name: NAME,
  count: NAME,
  min: optional(wholeNumber(0, 99)),
  max: wholeNumber(1, 99),
  order: oneOf("as-listed", "reversed"),
  fields: LIST,
  note: optional(ANY_TEXT),
};
const LAYOUT_SHAPE: Shape = {
  name: ANY_TEXT,
  source: ANY_TEXT,
  fields: LIST,
  tail: optional(LIST),
  maxWidth: optional(wholeNumber(1, 9_999)),
  width: optional(wholeNumber(1, 9_999)),
};

/**
 * Everything wrong with a layout, in the order of its fields; empty when it can be compiled. Takes anything: layouts come
 * from files that people write.
 */
export function faultsOfLayout(candidate: unknown): string[] {
  if (!isPlainObject(candidate)) return ["the layout must be an object"];
  const faults = faultsOfShape("layout", candidate, LAYOUT_SHAPE);
  const fields = faultsOfFields("fields", candidate["fields"], true);
  const tail = faultsOfFields("tail", candidate["tail"] ?? [], false);
  faults.push(...fields, ...tail);
  // What follows reads the layout as a layout, so its shape must hold.
  if (faults.length > 0) return faults;
  const layout = candidate as unknown as Layout;
  const all = [...layout.fields, ...(layout.tail ?? [])];
  return [...faultsOfNames("layout", all), ...faultsOfGroups(layout), ...faultsOfWidths(layout)];
}

function faultsOfFields(where: string, fields: unknown, mayHoldGroups: boolean): string[] {
  if (!Array.isArray(fields)) return [];
  // Copied first: flatMap would pass over the holes of a sparse list.
  return [...(fields as unknown[])].flatMap((field, index) =>
    faultsOfField(`${where}[${index}]`, field, mayHoldGroups),
  );
}

function faultsOfField(path: string, field: unknown, mayBeGroup: boolean): string[] {
  if (!isPlainObject(field)) return [`${path}: must be an object`];
  const { kind, name } = field;
  const where = typeof name === "string" ? `${path} ${name.slice(0, 40)}` : path;
  if (kind === "group") {
    if (!mayBeGroup) return [`${where}: a group may stand only among a layout's own fields`];
    return [...faultsOfShape(where, field, GROUP_SHAPE), ...faultsOfFields(`${where}.fields`, field["fields"], false)];
  }
  if (typeof kind !== "string" || !Object.hasOwn(COLUMN_SHAPES, kind)) {
    return [`${where}: kind must be one of ${[...Object.keys(COLUMN_SHAPES), "group"].join(", ")}`];
  }
  return faultsOfShape(where, field, COLUMN_SHAPES[kind as ColumnSpec["kind"]]);
}

function faultsOfNames(where: string, fields: readonly FieldSpec[]): string[] {
  const faults = fields.length === 0 ? [`${where}: has no fields`] : [];
  const seen = new Set<string>();
  for (const field of fields) {
    if (field.kind === "filler") continue;
    if (seen.has(field.name)) faults.push(`${where}: two fields are named ${field.name}`);
    seen.add(field.name);
    if (field.kind === "group") faults.push(...faultsOfNames(`group ${field.name}`, field.fields));
  }
  return faults;
}

function faultsOfGroups(layout: Layout): string[] {
  return layout.fields.flatMap((field, index) => {
    if (field.kind !== "group") return [];
    const { name, count, min = 1, max } = field;
    const faults = min > max ? [`group ${name}: min ${min} is more than max ${max}`] : [];
    const counter = layout.fields.slice(0, index).find((earlier) => "name" in earlier && earlier.name === count);
    if (counter === undefined) faults.push(`group ${name}: no field before it is named ${count}`);
    else if (counter.kind !== "digits") faults.push(`group ${name}: its count ${count} must be a digits field`);
    else if (counter.width < String(max).length)
      faults.push(`group ${name}: ${count} is too narrow to count to ${max}`);
    return faults;
  });
}

function faultsOfWidths(layout: Layout): string[] {
  const { maxWidth = RECORD_WIDTH_MAX, width } = layout;
  const widest = widestOf(layout);
  const faults: string[] = [];
  if (widest > maxWidth) faults.push(`layout: may grow to ${widest} characters, more than ${maxWidth}`);
  if (width === undefined) return faults;
  if (layout.fields.some((field) => field.kind === "group"))
    faults.push("layout: width is declared, but a group varies it");
  else if (width !== widest) faults.push(`layout: width is declared as ${width}, but its fields add up to ${widest}`);
  return faults;
}

/** Characters of the longest record a layout describes: every group full, the tail present. */
export function widestOf(layout: Layout): number {
  return [...layout.fields, ...(layout.tail ?? [])].reduce(
    (sum, field) => sum + (field.kind === "group" ? field.max * widthOf(field.fields) : field.width),
    0,
  );
}

/** Characters of some columns standing side by side. */
export function widthOf(columns: readonly { readonly width: number }[]): number {
  return columns.reduce((sum, column) => sum + column.width, 0);
}
