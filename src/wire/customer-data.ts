import { ANY_TEXT, faultsOfShape, isPlainObject, LIST, NAME, oneOf, optional, type Rule, type Shape } from "./shape";
import type { GroupSpec, Layout } from "./layout";
import type { LayoutValues } from "./record";
import { LayoutFault } from "./wire-error";

/** The reply's customerData: an object of texts, and of objects of texts for what repeats. */
export interface CustomerData {
  readonly [name: string]: string | CustomerData;
}

/** One text of customerData: a value of the record, or a constant. */
export type CustomerDataField =
  | {
      readonly name: string;
      /** Name of a field that is no group. */
      readonly from: string;
      /** What happens when there is nothing to say: "" is written (`text`, default), or the name is left out. */
      readonly whenBlank?: "text" | "absent";
    }
  | { readonly name: string; readonly text: string };

/** One line of a mapping: a text, an object of texts, or one object per member of a group. */
export type CustomerDataEntry =
  | CustomerDataField
  | { readonly name: string; readonly fields: readonly CustomerDataField[] }
  | {
      /** Name of a group of the layout. */
      readonly each: string;
      /** `{n}` in it counts from 1: `billInfo{n}`. */
      readonly name: string;
      /** `reversed`: number 1 is the LAST member of the value list. */
      readonly order: "as-listed" | "reversed";
      readonly fields: readonly CustomerDataField[];
    };

/** What customerData holds, in the order in which it is written; plain data. */
export type CustomerDataMapping = readonly CustomerDataEntry[];

/** Makes customerData from a record's values. Keys keep the mapping's order; a value that is missing comes out as "". */
export type CompiledCustomerData = (values: LayoutValues) => CustomerData;

const NUMBERED: Rule = {
  must: "must be a name with {n} at its end",
  isMet: (value) => typeof value === "string" && value.endsWith("{n}") && NAME.isMet(value.slice(0, -"{n}".length)),
};
const FROM_SHAPE: Shape = { name: NAME, from: NAME, whenBlank: optional(oneOf("text", "absent")) };
const TEXT_SHAPE: Shape = { name: NAME, text: ANY_TEXT };
const OBJECT_SHAPE: Shape = { name: NAME, fields: LIST };
const EACH_SHAPE: Shape = { each: NAME, name: NUMBERED, order: oneOf("as-listed", "reversed"), fields: LIST };

/**
 * Compiles a mapping over the fields of a layout.
 *
 * @param extraNames values that are no field of the layout and may be named all the same, such as `amount`
 * @throws LayoutFault listing every unknown field or group, every name given twice, and every other fault
 */
export function compileCustomerData(
  mapping: CustomerDataMapping,
  layout: Layout,
  extraNames: readonly string[] = [],
): CompiledCustomerData {
  const faults = Array.isArray(mapping) ? faultsOfMapping(mapping, layout, extraNames) : ["it must be a list"];
  if (faults.length > 0) throw new LayoutFault("customerData", faults);
  const writers = mapping.map((entry) => {
    if ("each" in entry) return eachWriter(entry);
    return "fields" in entry ? objectWriter(entry) : fieldWriter(entry);
  });
  return (values) => {
    const data: Record<string, string | CustomerData> = {};
    for (const write of writers) write(values, data);
    return data;
  };
}

type Writer = (values: LayoutValues, into: Record<string, string | CustomerData>) => void;

function fieldWriter(field: CustomerDataField): Writer {
  const { name } = field;
  if ("text" in field) {
    return (_values, into) => {
      into[name] = field.text;
    };
  }
  const { from, whenBlank = "text" } = field;
  return (values, into) => {
    const value = values[from] ?? "";
    const text = typeof value === "object" ? "" : value.toString().trim();
    if (text !== "" || whenBlank === "text") into[name] = text;
  };
}

function objectWriter({ name, fields }: { name: string; fields: readonly CustomerDataField[] }): Writer {
  const writers = fields.map(fieldWriter);
  return (values, into) => {
    const data: Record<string, string | CustomerData> = {};
    for (const write of writers) write(values, data);
    into[name] = data;
  };
}

function eachWriter({ each, name, order, fields }: Extract<CustomerDataEntry, { each: string }>): Writer {
  const stem = name.slice(0, -"{n}".length);
  const writers = fields.map(fieldWriter);
  return (values, into) => {
    const members = values[each];
    if (typeof members !== "object") return;
    const listed = order === "reversed" ? members.toReversed() : members;
    for (const [index, member] of listed.entries()) {
      const data: Record<string, string | CustomerData> = {};
      for (const write of writers) write(member, data);
      into[`${stem}${index + 1}`] = data;
    }
  };
}

function faultsOfMapping(mapping: readonly unknown[], layout: Layout, extraNames: readonly string[]): string[] {
  const groups = layout.fields.filter((field) => field.kind === "group");
  const known = [...namesOf([...layout.fields, ...(layout.tail ?? [])]), ...extraNames];
  const names: string[] = [];
  // Copied first: flatMap would pass over the holes of a sparse list.
  const faults = [...mapping].flatMap((entry, index) => {
    if (isPlainObject(entry) && "each" in entry) return faultsOfEach(`[${index}]`, entry, groups, names);
    if (isPlainObject(entry) && "fields" in entry) return faultsOfObject(`[${index}]`, entry, known, names);
    return faultsOfField(`[${index}]`, entry, known, names);
  });
  return [...faults, ...faultsOfRepeats("", names)];
}

/** Names of the fields whose value is one text. */
function namesOf(fields: Layout["fields"]): string[] {
  return fields.flatMap((field) => (field.kind === "filler" || field.kind === "group" ? [] : [field.name]));
}

function faultsOfField(where: string, entry: unknown, known: readonly string[], names: string[]): string[] {
  if (!isPlainObject(entry)) return [`${where}: must be an object`];
  const { name, from } = entry;
  if (typeof name === "string") names.push(name);
  const faults = faultsOfShape(where, entry, "text" in entry ? TEXT_SHAPE : FROM_SHAPE);
  if (typeof from === "string" && !known.includes(from)) faults.push(`${where}: there is no field named ${from}`);
  return faults;
}

function faultsOfObject(
  where: string,
  entry: Readonly<Record<string, unknown>>,
  known: readonly string[],
  names: string[],
): string[] {
  const { name, fields } = entry;
  if (typeof name === "string") names.push(name);
  const faults = faultsOfShape(where, entry, OBJECT_SHAPE);
  if (!Array.isArray(fields)) return faults;
  const inner: string[] = [];
  const ofFields = [...(fields as unknown[])].flatMap((field, index) =>
    faultsOfField(`${where}.fields[${index}]`, field, known, inner),
  );
  return [...faults, ...ofFields, ...faultsOfRepeats(`${where}: `, inner)];
}

function faultsOfEach(
  where: string,
  entry: Readonly<Record<string, unknown>>,
  groups: readonly GroupSpec[],
  names: string[],
): string[] {
  const faults = faultsOfShape(where, entry, EACH_SHAPE);
  const { each, name, fields } = entry;
  const group = groups.find((candidate) => candidate.name === each);
  if (group === undefined) faults.push(`${where}: there is no group with the name that each gives`);
  if (faults.length > 0 || group === undefined || !Array.isArray(fields) || typeof name !== "string") return faults;
  for (let n = 1; n <= group.max; n++) names.push(name.replace("{n}", String(n)));
  const inner: string[] = [];
  const members = namesOf(group.fields);
  faults.push(
    ...[...(fields as unknown[])].flatMap((field, index) =>
      faultsOfField(`${where}.fields[${index}]`, field, members, inner),
    ),
  );
  return [...faults, ...faultsOfRepeats(`${where}: `, inner)];
}

function faultsOfRepeats(where: string, names: readonly string[]): string[] {
  const repeated = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  return [...repeated].map((name) => `${where}the name ${name} is given more than once`);
}
