import { hasPaidState, type ProductRules } from "../domain";
import {
  type ColumnSpec,
  compileCustomerData,
  type CompiledLayout,
  compileLayout,
  compileTemplate,
  type GroupSpec,
  type LayoutValues,
  LayoutFault,
  parseAmount,
  WireError,
} from "../wire";
import type { MemberSource, ProductDefinition, ValueSource } from "./product-schema";
import { MEMBER_NAMES, MESSAGE_NAMES, type RupiahNames, type ValueTypes } from "./product-values";

/** A product's data with its layouts compiled, while the rest of it is being checked. */
export interface Draft {
  readonly definition: Pick<ProductDefinition, "values" | "bit48" | "customerData">;
  readonly rules: ProductRules;
  /** Names of values that are given, though wrongly, which is reported elsewhere. */
  readonly wrongValues: ReadonlySet<string>;
  readonly inquiryReply: CompiledLayout;
  readonly paymentReply: CompiledLayout | null;
}

/** Paths whose value is whole rupiah. */
const RUPIAH_PATHS: readonly unknown[] = ["amount", "feeAmount", "minAmount", "maxAmount"];

/** The layouts that we write; the others are only read. */
function writtenBy({ inquiryReply, paymentReply }: Draft): readonly CompiledLayout[] {
  return paymentReply === null ? [inquiryReply] : [inquiryReply, paymentReply];
}

/** Names of the values that are whole rupiah: by their column, or by their source when they have none. */
function rupiahNamesOf(draft: Draft): RupiahNames {
  const layouts = writtenBy(draft);
  const names = new Set<string>(MESSAGE_NAMES);
  const columns = new Set(layouts.flatMap((layout) => layout.fieldNames));
  for (const [name, source] of Object.entries(draft.definition.values)) {
    const isSum = typeof source === "object" && "sum" in source;
    if (columns.has(name)) names.delete(name);
    else if (isSum || RUPIAH_PATHS.includes(source)) names.add(name);
  }
  for (const layout of layouts) {
    for (const name of layout.rupiahFields) names.add(name);
    for (const group of groupsOf(layout))
      for (const field of group.fields) if (field.kind === "rupiah") names.add(`${group.name}.${field.name}`);
  }
  return names;
}

/** How the values of a draft are typed. */
export function typesOf(draft: Draft): ValueTypes {
  const digitWidths = new Map<string, number>();
  const note = (name: string, column: ColumnSpec): void => {
    if (column.kind !== "digits") return;
    // Where two messages differ, the narrower one must still hold the value.
    digitWidths.set(name, Math.min(column.width, digitWidths.get(name) ?? column.width));
  };
  for (const { layout } of writtenBy(draft)) {
    for (const field of [...layout.fields, ...(layout.tail ?? [])]) {
      if (field.kind === "group") for (const each of namedIn(field.fields)) note(`${field.name}.${each.name}`, each);
      else for (const each of namedIn([field])) note(each.name, each);
    }
  }
  return { rupiah: rupiahNamesOf(draft), digitWidths };
}

function namedIn(columns: readonly ColumnSpec[]): Exclude<ColumnSpec, { kind: "filler" }>[] {
  return columns.filter((column) => column.kind !== "filler");
}

function groupsOf({ layout }: CompiledLayout): GroupSpec[] {
  return layout.fields.filter((field) => field.kind === "group");
}

/** Everything in which values, bit48 and customerData do not fit the layouts, each fault with its path. */
export function faultsOfDraft(draft: Draft): string[] {
  const { definition, rules } = draft;
  const rupiah = rupiahNamesOf(draft);
  const layouts = writtenBy(draft);
  const fields = [...new Set(layouts.flatMap((layout) => layout.fieldNames))];
  const { wrongValues } = draft;
  const scalars = [
    ...new Set([...wrongValues, ...layouts.flatMap((layout) => layout.scalarNames), ...namesOfExtras(draft, fields)]),
  ];
  const shownNames = [...scalars, ...MESSAGE_NAMES];
  const used = new Set<string>();
  const bit48 = faultsOfTemplate("bit48", definition.bit48, shownNames, used);
  const joined = Object.entries(definition.values).flatMap(([name, source]) =>
    typeof source === "object" && "template" in source
      ? faultsOfJoined(`values.${name}`, source.template, definition.values, shownNames, used)
      : [],
  );
  const customerData = faultsOf("customerData", () =>
    compileCustomerData(definition.customerData, draft.inquiryReply.layout, shownNames),
  );
  for (const name of namesShownBy(definition.customerData)) used.add(name);
  const sums = Object.entries(definition.values).flatMap(([name, source]) =>
    typeof source === "object" && "sum" in source
      ? faultsOfSum(`values.${name}`, source.sum, definition.values, rupiah, used)
      : [],
  );
  const missing = fields.filter((field) => !Object.hasOwn(definition.values, field) && !wrongValues.has(field));
  const idle = Object.keys(definition.values).filter((name) => !fields.includes(name) && !used.has(name));
  return [
    ...missing.map((field) => `values: bit61 has a field "${field}" that no value is given for`),
    ...idle.map((name) => `values: "${name}" is no field of bit61, and nothing shows it`),
    ...faultsBetween(draft),
    ...layouts.flatMap((layout) => faultsOfColumns(layout, definition.values, rules)),
    ...joined,
    ...sums,
    ...bit48,
    ...customerData,
  ];
}

/** Names that customerData takes values from. Entries may be anything as yet: their compiler says what they must be. */
function namesShownBy(entries: unknown): string[] {
  if (!Array.isArray(entries)) return [];
  return (entries as readonly ({ from?: unknown; fields?: unknown; each?: unknown } | null)[]).flatMap((entry) => {
    if (typeof entry?.from === "string") return [entry.from];
    return entry?.each === undefined ? namesShownBy(entry?.fields) : [];
  });
}

/** A value has one type, so fields of one name must be of one in all messages that we write. */
function faultsBetween({ inquiryReply, paymentReply }: Draft): string[] {
  if (paymentReply === null) return [];
  const typeIn = (layout: CompiledLayout, name: string): string => {
    if (!layout.scalarNames.includes(name)) return "a group";
    return layout.rupiahFields.has(name) ? "rupiah" : "text";
  };
  const shared = paymentReply.fieldNames.filter((name) => inquiryReply.fieldNames.includes(name));
  return shared
    .filter((name) => typeIn(inquiryReply, name) !== typeIn(paymentReply, name))
    .map((name) => {
      const types = `${typeIn(inquiryReply, name)} in inquiryReply, ${typeIn(paymentReply, name)} in paymentReply`;
      return `bit61: ${name} is ${types}`;
    });
}

/** Values that stand in no layout and are texts or amounts. */
function namesOfExtras({ definition }: Draft, fields: readonly string[]): string[] {
  const extras = Object.entries(definition.values).filter(([name]) => !fields.includes(name));
  return extras.flatMap(([name, source]) => (typeof source === "object" && "each" in source ? [] : [name]));
}

function faultsOfTemplate(path: string, template: string, names: readonly string[], used: Set<string>): string[] {
  return faultsOf(path, () => {
    for (const name of compileTemplate(template, names).names) used.add(name);
  });
}

function faultsOfJoined(
  path: string,
  template: string,
  values: Draft["definition"]["values"],
  names: readonly string[],
  used: Set<string>,
): string[] {
  const isJoined = (name: string): boolean => {
    const source = Object.hasOwn(values, name) ? values[name] : undefined;
    return typeof source === "object" && "template" in source;
  };
  const plain = names.filter((name) => !isJoined(name));
  return faultsOfTemplate(`${path}.template`, template, plain, used);
}

function faultsOfSum(
  path: string,
  addends: readonly string[],
  values: Draft["definition"]["values"],
  rupiah: RupiahNames,
  used: Set<string>,
): string[] {
  const faults: string[] = [];
  for (const [index, name] of addends.entries()) {
    used.add(name);
    const source = Object.hasOwn(values, name) ? values[name] : undefined;
    const isSum = typeof source === "object" && "sum" in source;
    if (!rupiah.has(name)) faults.push(`${path}.sum[${index}]: there is no rupiah value named ${name.slice(0, 80)}`);
    else if (isSum) faults.push(`${path}.sum[${index}]: ${name} is a sum itself`);
    else if (addends.indexOf(name) !== index) faults.push(`${path}.sum[${index}]: ${name} is added twice`);
  }
  return faults;
}

/** Each column against the source of its value. */
function faultsOfColumns(
  { layout }: CompiledLayout,
  values: Draft["definition"]["values"],
  rules: ProductRules,
): string[] {
  return [...layout.fields, ...(layout.tail ?? [])].flatMap((field) => {
    if (field.kind === "filler") return [];
    const source = Object.hasOwn(values, field.name) ? values[field.name] : undefined;
    const path = `values.${field.name}`;
    if (source === undefined) return [];
    if (field.kind === "group") return faultsOfGroup(path, field, source, values, rules);
    if (typeof source === "object" && "each" in source) return [`${path}: only a group holds items`];
    return [...faultsOfColumn(path, field, source), ...faultsOfAmountWidth(path, field, source, rules)];
  });
}

function faultsOfGroup(
  path: string,
  { name, count, min = 1, max, fields }: GroupSpec,
  source: ValueSource,
  values: Draft["definition"]["values"],
  rules: ProductRules,
): string[] {
  if (typeof source !== "object" || !("each" in source)) return [`${path}: the group needs its items: {each, fields}`];
  const faults: string[] = [];
  const counter = Object.hasOwn(values, count) ? values[count] : undefined;
  const isCount = counter === "itemCount" || (typeof counter === "object" && "count" in counter);
  if (counter !== undefined && !isCount) faults.push(`values.${count}: counts the group ${name}: itemCount or {count}`);
  if (max < rules.itemsMax) {
    faults.push(`rules.itemsMax: group "${name}" of bit61 holds fewer than ${rules.itemsMax}`);
  }
  if (min > 1 || (min > 0 && !hasPaidState(rules.rule))) {
    const why = hasPaidState(rules.rule) ? "a bill may owe a single item" : `nothing may be owed (${rules.rule.kind})`;
    faults.push(`bit61: group "${name}" must allow fewer than ${min} members, because ${why}`);
  }
  const columns = namedIn(fields);
  for (const member of columns) {
    const from = Object.hasOwn(source.fields, member.name) ? source.fields[member.name] : undefined;
    if (from === undefined) faults.push(`${path}.fields: the group has a field "${member.name}" without a value`);
    else faults.push(...faultsOfMember(`${path}.fields.${member.name}`, member, from));
  }
  for (const member of Object.keys(source.fields)) {
    if (!columns.some((column) => column.name === member))
      faults.push(`${path}.fields: "${member}" is no field of the group`);
  }
  return faults;
}

function faultsOfMember(path: string, column: ColumnSpec, source: MemberSource): string[] {
  if (typeof source === "object" && "template" in source) {
    const faults = faultsOfTemplate(`${path}.template`, source.template, MEMBER_NAMES, new Set());
    return column.kind === "rupiah" ? [...faults, `${path}: holds rupiah, which no joined text is`] : faults;
  }
  if (typeof source === "object") return faultsOfConstant(path, column, source.text);
  const isRupiah = source === "amount" || source.startsWith("details.");
  return column.kind === "rupiah" && !isRupiah ? [`${path}: holds rupiah, which ${source} is not`] : [];
}

function faultsOfColumn(path: string, column: ColumnSpec, source: ValueSource): string[] {
  if (typeof source === "object" && "text" in source) return faultsOfConstant(path, column, source.text);
  if (column.kind !== "rupiah") return [];
  if (typeof source === "object") {
    return "sum" in source ? [] : [`${path}: holds rupiah, which no count or joined text is`];
  }
  const isRupiah = RUPIAH_PATHS.includes(source) || source.startsWith("details.");
  return isRupiah ? [] : [`${path}: holds rupiah, which ${source} is not`];
}

/** A constant that does not fit would fail every message; its own column tells, alone. */
function faultsOfConstant(path: string, column: ColumnSpec, text: string): string[] {
  if (column.kind === "filler") return [];
  const amount = text === "" ? 0n : parseAmount(text);
  if (column.kind === "rupiah" && amount === null) return [`${path}.text: must be whole rupiah as digits`];
  const value: LayoutValues[string] = column.kind === "rupiah" ? (amount ?? 0n) : text;
  try {
    compileLayout({ name: path, source: "", fields: [column] }).encode({ [column.name]: value });
    return [];
  } catch (error) {
    if (error instanceof WireError) return [`${path}.text: ${error.problem}`];
    throw error;
  }
}

/** Where customers choose the amount, its column must hold the largest: no payment may be refused for its reply. */
function faultsOfAmountWidth(path: string, column: ColumnSpec, source: ValueSource, { rule }: ProductRules): string[] {
  if (hasPaidState(rule) || !("maxAmount" in rule) || typeof rule.maxAmount !== "bigint") return [];
  if (source !== "amount" && source !== "maxAmount") return [];
  const digits = rule.maxAmount.toString().length;
  if (column.width >= digits) return [];
  return [`${path}: ${column.width} columns do not hold rules.rule.maxAmount, which has ${digits} digits`];
}

/** What a compiler of the wire has to say, each line under a path. */
function faultsOf(path: string, compile: () => unknown): string[] {
  try {
    compile();
    return [];
  } catch (error) {
    if (!(error instanceof LayoutFault)) throw error;
    return error.problems.map((problem) => (problem.startsWith("[") ? `${path}${problem}` : `${path}: ${problem}`));
  }
}
