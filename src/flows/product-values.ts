import { type Bill, dueOf, type OutstandingItem, type ProductRules } from "../domain";
import { Fault } from "../platform";
import { compileTemplate, firstNonPrintable, type LayoutValues, parseAmount, transliterate } from "../wire";
import type { MemberSource, ProductDefinition, ValueSource } from "./product-schema";

/** What of a bill is shown: the items still owed, and what is to be paid. Whole rupiah. */
export interface BillShown {
  readonly items: readonly OutstandingItem[];
  readonly amount: bigint;
  readonly feeAmount: bigint;
}

/** What templates and customerData may show beside the fields of bit61 and the definition's own values. */
export const MESSAGE_NAMES = ["amount", "feeAmount"] as const;
/** What the template of a member's column may name. */
export const MEMBER_NAMES = ["reference", "amount", "number"] as const;

/** Which values are whole rupiah; group members are written `group.member`. */
export type RupiahNames = ReadonlySet<string>;

/** How values are typed: rupiah, and digits with the width that zeros fill on the left. All others are text. */
export interface ValueTypes {
  readonly rupiah: RupiahNames;
  readonly digitWidths: ReadonlyMap<string, number>;
}

type Mutable = Record<string, LayoutValues[string]>;
type ValuesOf = (bill: Bill, shown: BillShown) => LayoutValues;
type Plain = (text: string) => string;

/**
 * Compiles the values of a definition that has been found without faults. Sums are made after the values that they add,
 * joined texts after everything else.
 */
export function compileValues(
  { values: sources, nonAscii = "transliterate" }: Pick<ProductDefinition, "values" | "nonAscii">,
  rules: ProductRules,
  types: ValueTypes,
): ValuesOf {
  const plain: Plain = nonAscii === "refuse" ? refused : transliterate;
  const names = [...Object.keys(sources), ...MESSAGE_NAMES];
  const compiled = Object.entries(sources).map(([name, source]) => ({
    name,
    turn: turnOf(source),
    make: compileSource(name, source, rules, types, plain, names),
  }));
  const inTurn = compiled.toSorted((a, b) => a.turn - b.turn);
  return (bill, shown) => {
    const values: Mutable = { amount: shown.amount, feeAmount: shown.feeAmount };
    for (const { name, make } of inTurn) values[name] = make(bill, shown, values);
    return values;
  };
}

type Make = (bill: Bill, shown: BillShown, made: Readonly<Mutable>) => LayoutValues[string];

function turnOf(source: ValueSource): number {
  if (typeof source === "string") return 0;
  if ("sum" in source) return 1;
  return "template" in source ? 2 : 0;
}

function compileSource(
  name: string,
  source: ValueSource,
  rules: ProductRules,
  types: ValueTypes,
  plain: Plain,
  names: readonly string[],
): Make {
  const typed = typing(name, types, plain);
  if (typeof source === "string") return (bill, shown) => typed(valueAt(source, bill, shown, rules));
  if ("text" in source) return () => typed(source.text);
  if ("count" in source) return (_bill, shown) => typed(String(shown.items.length));
  if ("sum" in source) return (_bill, _shown, made) => typed(sumOf(source.sum, made));
  if ("template" in source) {
    const template = compileTemplate(source.template, names);
    return (_bill, _shown, made) => typed(template.render(made));
  }
  const members = Object.entries(source.fields).map(([field, from]) => ({
    field,
    make: compileMember(from, typing(`${name}.${field}`, types, plain)),
  }));
  return (bill, shown) =>
    shown.items.map((item) => Object.fromEntries(members.map(({ field, make }) => [field, make(bill, item)])));
}

type Typed = (text: string | bigint) => string | bigint;

/** As bit61 will say it, so that customerData and bit48 show the same in every message. */
function typing(name: string, { rupiah, digitWidths }: ValueTypes, plain: Plain): Typed {
  if (rupiah.has(name)) return (text) => asRupiah(name, text);
  const width = digitWidths.get(name) ?? 0;
  return (given) => {
    const text = plain(`${given}`);
    // Zeros in place of a number that nobody has given would be another number.
    return text === "" ? "" : text.padStart(width, "0");
  };
}

function compileMember(source: MemberSource, typed: Typed): (bill: Bill, item: OutstandingItem) => string | bigint {
  if (typeof source === "object") {
    if ("text" in source) return () => typed(source.text);
    const template = compileTemplate(source.template, MEMBER_NAMES);
    return (_bill, item) => typed(template.render(memberValues(item)));
  }
  if (source === "reference" || source === "amount" || source === "number") {
    return (_bill, item) => typed(memberValues(item)[source]);
  }
  const stem = source.slice("details.".length, -"{n}".length);
  return ({ details }, item) => typed(detailOf(details, `${stem}${item.itemNo}`));
}

function memberValues({ reference, outstanding, itemNo }: OutstandingItem) {
  return { reference, amount: outstanding, number: String(itemNo) };
}

function valueAt(path: string, bill: Bill, shown: BillShown, rules: ProductRules): string | bigint {
  switch (path) {
    case "billNumber":
      return bill.billNumber;
    case "customerName":
      return bill.customerName;
    case "amount":
      return shown.amount;
    case "feeAmount":
      return shown.feeAmount;
    case "minAmount":
    case "maxAmount":
      return dueOf(bill, rules)[path];
    case "itemCount":
      return String(shown.items.length);
    default:
      return detailOf(bill.details, path.slice("details.".length));
  }
}

function detailOf(details: Bill["details"], name: string): string {
  return Object.hasOwn(details, name) ? (details[name] ?? "") : "";
}

/** Amounts kept among a bill's details are digits; none given is nothing owed. */
function asRupiah(name: string, value: string | bigint): bigint {
  if (typeof value === "bigint") return value;
  const amount = value === "" ? 0n : parseAmount(value);
  if (amount === null) throw new Fault("bad_detail", `${name} must be whole rupiah, one to twelve digits`);
  return amount;
}

function sumOf(names: readonly string[], made: Readonly<Mutable>): bigint {
  let total = 0n;
  for (const name of names) {
    const [group = "", member] = name.split(".");
    const value = made[group];
    const addends = member === undefined || typeof value !== "object" ? [value] : value.map((each) => each[member]);
    for (const each of addends) if (typeof each === "bigint") total += each;
  }
  return total;
}

function refused(text: string): string {
  if (firstNonPrintable(text) !== -1) {
    throw new Fault("not_ascii", "a value is not printable ASCII, and the product does not have it transliterated");
  }
  return text;
}
