import { isDeepStrictEqual } from "node:util";
import {
  adira020013,
  type ColumnSpec,
  type CompiledLayout,
  compileLayout,
  decodeRequest,
  describeBit61,
  faultsOfLayout,
  formatAmount,
  formatSwitchTimestamp,
  type Layout,
  LayoutFault,
  type LayoutValues,
  parseAmount,
  parseStrictJson,
  parseSwitchTimestamp,
  telkom001001,
  transliterate,
  WireError,
} from "../../src/wire";
import { paymentMessage } from "../support/builders";
import adiraSample from "../vectors/adira-020013-inquiry.json";
import telkomSample from "../vectors/telkom-001001-payment.json";
import { Chance, damaged, DIGITS, ODD_PIECES, oddText, PRINTABLE } from "./random";
import { readByOracle, requestByOracle, timestampByOracle } from "./codec-oracles";

/** What one input led to. `miss`: it went through, and something about the result is wrong; the text says what. */
export type Verdict = "accepted" | "refused" | { readonly miss: string };

/** One function under fire: makes an input from chance, runs it, judges the result. */
export interface Target {
  readonly name: string;
  /** How many of a hundred inputs it gets. */
  readonly share: number;
  /** The input, as it is printed when it fails; `index` lets several inputs share what is dear to make. */
  readonly make: (chance: Chance, index: number, seed: number) => unknown;
  readonly judge: (input: never) => Verdict;
}

function target<Input>(
  name: string,
  share: number,
  make: (chance: Chance, index: number, seed: number) => Input,
  judge: (input: Input) => Verdict,
): Target {
  return { name, share, make, judge };
}

const miss = (text: string): Verdict => ({ miss: text });

/** A layout, its code, and records that are valid under it. */
interface Subject {
  readonly layout: Layout;
  readonly record: CompiledLayout;
  readonly valid: readonly string[];
}

const SHIPPED: readonly Subject[] = [
  [telkom001001.bit61, [telkomSample.paymentRequest.bit61, telkomSample.paymentResponse.bit61]] as const,
  [adira020013.bit61, [adiraSample.inquiryResponse.bit61]] as const,
].map(([layout, valid]) => ({ layout, record: compileLayout(layout), valid }));

/** One layout serves this many inputs. */
const INPUTS_PER_LAYOUT = 128;

/** Reading one record: against the plain reader of the oracle, back to the same text, and column by column. */
function judgeRecord({ record, layout }: Subject, text: string): Verdict {
  const decoded = record.decode(text);
  const expected = readByOracle(layout, text);
  const description = describeBit61(record, text);
  if (description.rows.map((row) => row.raw).join("") !== text) return miss("the traced columns are not the text");
  if ((description.faults.length === 0) !== decoded.ok) return miss("trace and decode disagree about validity");
  if (!decoded.ok) {
    if (!(decoded.error instanceof WireError)) return miss("the error is no WireError");
    return expected === null ? "refused" : miss("refused, and the oracle can read it");
  }
  if (expected === null) return miss("accepted, and the oracle cannot read it");
  if (!isDeepStrictEqual({ ...decoded.values }, expected.values)) return miss("other values than the oracle's");
  const written = record.encode(decoded.values, { cut: !decoded.hasTail });
  return written === expected.canonical ? "accepted" : miss(`written back as ${JSON.stringify(written)}`);
}

interface RecordInput {
  readonly layout: Layout;
  readonly text: string;
}

const subjects = new WeakMap<Layout, Subject>();

function subjectOf(layout: Layout): Subject {
  let subject = subjects.get(layout);
  if (subject === undefined) {
    subject = { layout, record: compileLayout(layout), valid: [] };
    subjects.set(layout, subject);
  }
  return subject;
}
for (const subject of SHIPPED) subjects.set(subject.layout, subject);

function shippedRecord(chance: Chance): RecordInput {
  const { layout, valid } = chance.pick(SHIPPED);
  const start = chance.oneIn(3) ? writtenBy(chance, layout) : chance.pick(valid);
  return { layout, text: chance.oneIn(8) ? start : damaged(chance, start, chance.pick(chance.pick(SHIPPED).valid)) };
}

let current: { readonly block: number; readonly seed: number; readonly layout: Layout } | null = null;

/** The layout of an input's block, always the same for the same seed. */
function randomLayoutAt(index: number, seed: number): Layout {
  const block = Math.floor(index / INPUTS_PER_LAYOUT);
  if (current?.block !== block || current.seed !== seed) {
    current = { block, seed, layout: randomLayout(new Chance(seed, block)) };
  }
  return current.layout;
}

function randomRecord(chance: Chance, index: number, seed: number): RecordInput {
  const layout = randomLayoutAt(index, seed);
  const start = writtenBy(chance, layout);
  return { layout, text: chance.oneIn(3) ? start : damaged(chance, start, start) };
}

/** A valid layout: any kinds of columns, up to two counted groups, a tail. */
function randomLayout(chance: Chance): Layout {
  let names = 0;
  const column = (): ColumnSpec => {
    const name = `f${(names += 1)}`;
    const kind = chance.below(10);
    if (kind < 4) {
      return {
        ...{ kind: "text" as const, name, width: chance.between(1, 20) },
        ...(chance.oneIn(2) ? { align: chance.pick(["left", "right"] as const) } : {}),
        ...(chance.oneIn(2) ? { pad: chance.pick([" ", "0", "*", "~"]) } : {}),
        ...(chance.oneIn(2) ? { overflow: chance.pick(["cut", "refuse"] as const) } : {}),
      };
    }
    if (kind < 6) return { kind: "digits", name, width: chance.between(1, 20) };
    if (kind < 9) {
      return {
        ...{ kind: "rupiah" as const, name, width: chance.between(1, 18) },
        ...(chance.oneIn(2) ? { pad: chance.pick([" ", "0"] as const) } : {}),
        ...(chance.oneIn(3) ? { blankIsZero: true as const } : {}),
      };
    }
    return { kind: "filler", width: chance.between(1, 5), char: chance.pick([" ", "0", "x"]) };
  };
  const columns = (min: number, max: number): ColumnSpec[] => Array.from({ length: chance.between(min, max) }, column);
  const fields: Layout["fields"][number][] = columns(0, 4);
  for (let groups = chance.below(3); groups > 0; groups--) {
    const [count, max] = [`n${(names += 1)}`, chance.between(1, 6)];
    fields.push({ kind: "digits", name: count, width: chance.between(1, 3) }, ...columns(0, 2));
    fields.push({
      ...{ kind: "group", name: `g${(names += 1)}`, count, max, min: chance.between(0, max) },
      ...{ order: chance.pick(["as-listed", "reversed"] as const), fields: columns(1, 3) },
    });
  }
  fields.push(...columns(1, 3));
  return { name: "random", source: "fuzz", fields, tail: columns(0, 3), maxWidth: 9_999 };
}

/** A valid record under a layout, written without the product's encoder. */
function writtenBy(chance: Chance, layout: Layout): string {
  const counts = new Map<string, number>();
  for (const field of layout.fields) {
    if (field.kind === "group") counts.set(field.count, chance.between(field.min ?? 1, field.max));
  }
  const cell = (spec: ColumnSpec): string => {
    const { width } = spec;
    switch (spec.kind) {
      case "filler":
        return (spec.char ?? " ").repeat(width);
      case "digits": {
        const count = counts.get(spec.name);
        return count === undefined ? chance.text(width, DIGITS) : String(count).padStart(width, "0");
      }
      case "rupiah": {
        if (spec.blankIsZero && chance.oneIn(5)) return " ".repeat(width);
        const size = chance.between(1, width);
        const digits = chance.oneIn(8) ? "0" : chance.text(1, "123456789") + chance.text(size - 1, DIGITS);
        return digits.padStart(width, spec.pad ?? " ");
      }
      case "text": {
        const text = chance.text(chance.between(0, width), chance.oneIn(4) ? ` ${spec.pad ?? " "}` : PRINTABLE);
        return spec.align === "right" ? text.padStart(width, spec.pad ?? " ") : text.padEnd(width, spec.pad ?? " ");
      }
    }
  };
  let text = "";
  for (const field of layout.fields) {
    if (field.kind !== "group") text += cell(field);
    else for (let n = counts.get(field.count) ?? 0; n > 0; n--) text += field.fields.map(cell).join("");
  }
  return chance.oneIn(2) ? text : text + (layout.tail ?? []).map(cell).join("");
}

interface ValuesInput {
  readonly layout: Layout;
  readonly values: LayoutValues;
  readonly cut: boolean;
}

/** Values for writing: most of them fit, some are of the wrong length, alphabet or type. */
function randomValues(chance: Chance, index: number, seed: number): ValuesInput {
  const layout = chance.oneIn(2) ? chance.pick(SHIPPED).layout : randomLayoutAt(index, seed);
  const counts = new Map<string, number>();
  const isHostile = chance.oneIn(2);
  const cell = (spec: ColumnSpec): unknown => {
    if (isHostile && chance.oneIn(12)) {
      return chance.pick([
        undefined,
        null,
        12,
        -1n,
        10n ** 18n,
        {},
        [],
        "",
        oddText(chance, 30),
        true,
        Number.NaN,
        "1e1",
      ]);
    }
    if (spec.kind === "rupiah") return chance.bigint(chance.between(1, spec.width));
    if (spec.kind === "digits") {
      const count = counts.get(spec.name);
      return count === undefined ? chance.text(chance.between(1, spec.width), DIGITS) : String(count);
    }
    const isLong = spec.kind === "text" && spec.overflow === "cut" && chance.oneIn(3);
    return chance.text(chance.between(0, spec.width * (isLong ? 3 : 1)), PRINTABLE);
  };
  const valuesOf = (columns: readonly ColumnSpec[]): Record<string, unknown> =>
    Object.fromEntries(columns.flatMap((spec) => (spec.kind === "filler" ? [] : [[spec.name, cell(spec)] as const])));
  const values: Record<string, unknown> = {};
  for (const field of layout.fields) {
    if (field.kind === "group") counts.set(field.count, chance.between(field.min ?? 1, field.max));
  }
  for (const field of layout.fields) {
    if (field.kind !== "group") Object.assign(values, valuesOf([field]));
    else values[field.name] = Array.from({ length: counts.get(field.count) ?? 0 }, () => valuesOf(field.fields));
  }
  return { layout, values: { ...values, ...valuesOf(layout.tail ?? []) } as LayoutValues, cut: chance.oneIn(2) };
}

function judgeEncoding({ layout, values, cut }: ValuesInput): Verdict {
  const { record } = subjectOf(layout);
  let text: string;
  try {
    text = record.encode(values, { cut });
  } catch (error) {
    if (error instanceof WireError) return "refused";
    throw error;
  }
  if (!/^[ -~]*$/.test(text)) return miss("wrote a character that is not printable ASCII");
  const read = readByOracle(layout, text);
  if (read === null) return miss(`wrote what the oracle cannot read: ${JSON.stringify(text)}`);
  if (Buffer.byteLength(text) !== text.length) return miss("bytes and characters differ");
  for (const [name, value] of Object.entries(read.values)) {
    const given = values[name];
    if (typeof value === "bigint" && value !== given) return miss(`the amount ${name} changed`);
  }
  const decoded = record.decode(text);
  if (!decoded.ok) return miss("wrote what it cannot read");
  return record.encode(decoded.values, { cut: !decoded.hasTail }) === text
    ? "accepted"
    : miss("another text comes back");
}

/** A layout with something broken in it: it is listed as broken or compiles, and never anything else. */
function brokenLayout(chance: Chance): unknown {
  const layout = structuredClone(chance.pick(SHIPPED).layout) as unknown as Record<string, unknown>;
  const places: Record<string, unknown>[] = [layout];
  for (let at = 0; at < places.length; at++) {
    for (const value of Object.values(places[at] ?? {})) {
      if (Array.isArray(value)) places.push(...(value as Record<string, unknown>[]));
    }
  }
  for (let edits = chance.between(1, 3); edits > 0; edits--) {
    const place = chance.pick(places);
    const key = chance.oneIn(8) ? chance.pick(ODD_PIECES) : chance.pick([...Object.keys(place), "name"]);
    const value = chance.oneIn(4)
      ? chance.pick(places)[key]
      : chance.pick([
          null,
          -1,
          0,
          1,
          1.5,
          10 ** 9,
          "",
          "x",
          "items",
          "group",
          [],
          {},
          [null],
          true,
          oddText(chance, 5),
        ]);
    if (chance.oneIn(4)) delete place[key];
    else place[key] = value;
  }
  return layout;
}

/** What no layout may have, whatever else it has: a name twice, a width of nothing, a width that is a lie. */
function problemOfLayout({ fields, tail = [], width }: Layout): string | null {
  const groups = fields.filter((field) => field.kind === "group");
  for (const columns of [[...fields, ...tail], ...groups.map((group) => group.fields)]) {
    const names = columns.flatMap((column) => ("name" in column ? [column.name] : []));
    if (new Set(names).size !== names.length) return "two fields have one name";
    if (columns.some((column) => "width" in column && !(column.width >= 1))) return "a column has no width";
  }
  const sum = [...fields, ...tail].reduce((total, column) => total + ("width" in column ? column.width : 0), 0);
  return width !== undefined && (groups.length > 0 || width !== sum) ? "its width is not the sum of its columns" : null;
}

function judgeLayout(layout: unknown): Verdict {
  const faults = faultsOfLayout(layout);
  try {
    const record = compileLayout(layout as Layout);
    if (faults.length > 0) return miss("compiled in spite of faults");
    const problem = problemOfLayout(layout as Layout);
    if (problem !== null) return miss(`compiled although ${problem}`);
    record.decode(telkomSample.paymentRequest.bit61);
    record.trace(telkomSample.paymentRequest.bit61);
    return "accepted";
  } catch (error) {
    if (!(error instanceof LayoutFault)) throw error;
    return faults.length > 0 ? "refused" : miss("no fault was found, and it does not compile");
  }
}

const STAMPS = [
  "20-03-2023 10:40:40",
  "20-03-2023 10: 40: 40",
  "09-06-2017 09:05:32:340",
  "11-06-2024 14:46:12:+07:00",
  "24-06-2023 13:05:36:396538",
  "29-02-2024 23:59:59:999999",
  "31-12-9999 23:59:59:999999:-14:00",
  "01-01-1970 00:00:00:+14:00",
];

/** Where calendars go wrong: leap years, centuries, the last days of months, the ends of what can be said. */
const EDGE_YEARS = ["1969", "1970", "1972", "1999", "2000", "2024", "2038", "2100", "2400", "9999", "0000"];
const EDGE_DAYS = [
  "28-02",
  "29-02",
  "30-02",
  "31-04",
  "30-04",
  "31-12",
  "01-01",
  "00-01",
  "01-00",
  "31-01",
  "32-01",
  "01-13",
];

function randomStamp(chance: Chance): string {
  if (chance.oneIn(3)) return damaged(chance, chance.pick(STAMPS), chance.pick(STAMPS));
  const two = (max: number): string => String(chance.below(max)).padStart(2, "0");
  const gap = (): string => " ".repeat(chance.oneIn(3) ? chance.below(4) : 0);
  const isAtEnd = chance.oneIn(4);
  const year = isAtEnd
    ? chance.pick(EDGE_YEARS)
    : chance.oneIn(3)
      ? chance.text(4, DIGITS)
      : String(chance.between(1968, 2105));
  const fraction = chance.oneIn(2) ? `:${gap()}${chance.text(chance.between(1, 7), DIGITS)}` : "";
  const offset = chance.oneIn(4)
    ? `${chance.pick(["", ":"])}${gap()}${chance.pick(["+", "-"])}${two(16)}:${two(61)}`
    : "";
  const date = isAtEnd ? `${chance.pick(EDGE_DAYS)}-${year}` : `${two(33)}-${two(14)}-${year}`;
  return `${date}${chance.pick([" ", " ", "  ", ""])}${two(25)}:${gap()}${two(61)}:${gap()}${two(61)}${fraction}${offset}`;
}

const FIRST_MICROS = BigInt(Date.UTC(1970, 0, 1)) * 1000n - 7n * 3_600_000_000n;
const LAST_MICROS = BigInt(Date.UTC(10_000, 0, 1)) * 1000n - 7n * 3_600_000_000n;

function judgeStamp(text: string): Verdict {
  const instant = parseSwitchTimestamp(text);
  const expected = timestampByOracle(text);
  if (instant !== expected) return miss(`parsed as ${String(instant)}, the oracle says ${String(expected)}`);
  if (instant === null) return "refused";
  if (instant < FIRST_MICROS || instant >= LAST_MICROS) return "accepted";
  return judgeInstant(instant);
}

function judgeInstant(micros: bigint): Verdict {
  let text: string;
  try {
    text = formatSwitchTimestamp(micros);
  } catch (error) {
    const isOutside = micros < -62_167_244_400_000_000n || micros >= LAST_MICROS;
    if (error instanceof RangeError && isOutside) return "refused";
    throw error;
  }
  if (!/^[0-9]{2}-[0-9]{2}-[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}:[0-9]{6}$/.test(text)) return miss(`written as ${text}`);
  if (micros < FIRST_MICROS) return "accepted";
  if (timestampByOracle(text) !== micros) return miss(`written as ${text}, another instant`);
  return parseSwitchTimestamp(text) === micros ? "accepted" : miss(`${text} comes back as another instant`);
}

function randomInstant(chance: Chance): bigint {
  const size = chance.bigint(chance.between(1, 19));
  return chance.oneIn(4) ? -size : size;
}

function randomAmount(chance: Chance): string {
  const digits = chance.text(chance.between(0, 14), chance.oneIn(3) ? "0" : DIGITS);
  return chance.oneIn(2) ? digits : damaged(chance, digits, "-1e3 0x10 １２ 1.0");
}

function judgeAmount(text: string): Verdict {
  const amount = parseAmount(text);
  // Read by hand: character codes, and the value summed digit by digit.
  let expected: bigint | null = text.length >= 1 && text.length <= 12 ? 0n : null;
  for (let at = 0; at < text.length && expected !== null; at++) {
    const digit = text.charCodeAt(at) - 48;
    expected = digit >= 0 && digit <= 9 ? expected * 10n + BigInt(digit) : null;
  }
  if (amount !== expected) return miss(`read as ${String(amount)}`);
  if (amount === null) return "refused";
  if (formatAmount(amount, "lpz12") !== text.padStart(12, "0")) return miss("padded to something else");
  const bare = text.replace(/^0+/, "") || "0";
  return formatAmount(amount, "bare") === bare ? "accepted" : miss("written bare as something else");
}

const JSON_LIMITS = { maxDepth: 8, maxBytes: 16_384 };

/** JSON text that people and machines write, and what attackers make of it. */
function randomJson(chance: Chance): string {
  const start = chance.oneIn(3) ? JSON.stringify(paymentTemplate) : jsonValue(chance, 0);
  if (chance.oneIn(4)) return start;
  if (chance.oneIn(30)) return `${"[".repeat(chance.between(1, 9_000))}${start}`;
  if (chance.oneIn(6)) return start.replace(/"[a-zA-Z0-9]+"(?=:)/, () => `"${chance.pick(KEYS)}"`);
  return damaged(chance, start, chance.pick(ODD_JSON));
}

const KEYS = [
  "a",
  "b",
  "amount",
  "__proto__",
  "constructor",
  "prototype",
  "\\u0061",
  "\\u005f_proto__",
  "é",
  "",
  "\\\\",
  "\\ud800",
];
const ODD_JSON = [
  '{"a":1,"a":2}',
  '{"a":{"b":{"a":[{"b":1}]}}}',
  String.raw`{"\u0061":1,"a":"\"b\":2"}`,
  "[1,2,[3]]",
  '"x":1,',
  "1e400",
  "-0",
];

function jsonValue(chance: Chance, depth: number): string {
  const kind = depth === 0 && !chance.oneIn(10) ? 0 : chance.below(depth > 9 ? 3 : 6);
  const gap = (): string => (chance.oneIn(10) ? chance.pick([" ", "\n", "\t", "\r\n "]) : "");
  if (depth > 0 && kind < 2)
    return chance.pick(['"x"', "1", "true", "null", '"\\"a\\":1"', '"{[:,"', '"\\\\"', "-0.5e-3"]);
  if (depth > 0 && kind === 2) return JSON.stringify(oddText(chance, 4));
  if (kind === 3)
    return `[${Array.from({ length: chance.below(4) }, () => gap() + jsonValue(chance, depth + 1) + gap()).join()}]`;
  const members = Array.from(
    { length: chance.below(4) },
    () => `${gap()}"${chance.pick(KEYS)}"${gap()}:${gap()}${jsonValue(chance, depth + 1)}${gap()}`,
  );
  return `{${members.join()}}`;
}

/** Accepts what JSON.parse accepts, less depth, repeats, bad keys and non-objects; found out with a tokenizer. */
function judgeJson(text: string): Verdict {
  const result = parseStrictJson(text, JSON_LIMITS);
  if ("polluted" in {}) return miss("Object.prototype was changed");
  let value: unknown;
  let expected = Buffer.byteLength(text) <= JSON_LIMITS.maxBytes;
  try {
    value = JSON.parse(text);
  } catch {
    expected = false;
  }
  if (expected) {
    const keys: string[] = [];
    const skeleton = text.replace(/("(?:[^"\\]|\\[\s\S])*")([ \t\r\n]*:)?/g, (_, string: string, colon?: string) => {
      if (colon !== undefined) keys.push(JSON.parse(string) as string);
      return "";
    });
    let [depth, deepest] = [0, 0];
    for (const character of skeleton) {
      if ("{[".includes(character)) deepest = Math.max(deepest, (depth += 1));
      if ("}]".includes(character)) depth -= 1;
    }
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    const isSafe = !keys.some((key) => ["__proto__", "constructor", "prototype"].includes(key));
    // A key named twice leaves fewer keys in the value than there are in the text; deep texts are refused anyway.
    expected = isObject && isSafe && deepest <= JSON_LIMITS.maxDepth && keysIn(value) === keys.length;
  }
  if (result.ok !== expected) return miss(result.ok ? "accepted" : `refused as ${result.reason}`);
  if (!result.ok) return "refused";
  return isDeepStrictEqual(result.value, value) ? "accepted" : miss("another value than JSON.parse gives");
}

function keysIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce<number>((sum, each) => sum + keysIn(each), own);
}

const paymentTemplate: Readonly<Record<string, string>> = paymentMessage({ traxId: "FUZZ-1" });
const FIELD_NAMES = Object.keys(paymentTemplate);

/** A message with one to three fields that are wrong, odd, gone, or just at the limit of what is allowed. */
function randomRequest(chance: Chance): Record<string, unknown> {
  const message: Record<string, unknown> = { ...paymentTemplate };
  if (chance.oneIn(3)) message["transactionType"] = chance.pick(["38", "51", "00", "3８"]);
  for (let edits = chance.below(4); edits > 0; edits--) {
    const field = chance.pick(FIELD_NAMES);
    const old = paymentTemplate[field] ?? "";
    switch (chance.below(8)) {
      case 0:
        delete message[field];
        break;
      case 1:
        message[field] = chance.pick<unknown>([null, 1, 0, true, [], {}, [old], { toString: 1 }, Number.NaN, 10n]);
        break;
      case 2: // lengths around every limit of the table
        message[field] = chance.text(
          Math.max(0, chance.pick([1, 2, 4, 6, 8, 12, 20, 30, 32, 50, 100, 128, 999]) + chance.between(-1, 1)),
          chance.pick([DIGITS, PRINTABLE, "aZ9"]),
        );
        break;
      case 3:
        message[field] = oddText(chance, 20);
        break;
      case 4:
        message[field] = "";
        break;
      case 5:
        message[chance.pick(ODD_PIECES)] = old;
        break;
      case 6:
        message["bit41"] = chance.pick<unknown>([message["terminal"], "T0800004", "T0800005", "", null, 8]);
        if (chance.oneIn(2)) delete message["terminal"];
        break;
      default:
        message[field] = damaged(chance, old, "0021008457003 bmandiri");
    }
  }
  return message;
}

function judgeRequest(value: Record<string, unknown>): Verdict {
  const decoded = decodeRequest(value);
  const bad = requestByOracle(value);
  if (!decoded.ok) {
    const named = decoded.faults.map(({ field }) => field);
    if (!isDeepStrictEqual(named.toSorted(), bad.toSorted()))
      return miss(`faults in ${named.join()}, the oracle says ${bad.join()}`);
    const echoed = Object.values(decoded.echo).every((text) => typeof text === "string" && /^[ -~]*$/.test(text));
    return echoed ? "refused" : miss("echoes what is not printable");
  }
  if (bad.length > 0) return miss(`accepted, the oracle says faults in ${bad.join()}`);
  const { amountText, feeAmountText, amount, feeAmount } = decoded.message;
  const texts: Readonly<Record<string, unknown>> = { ...decoded.message, amount: amountText, feeAmount: feeAmountText };
  for (const name of FIELD_NAMES) {
    const given = name === "terminal" ? (value["terminal"] ?? value["bit41"]) : value[name];
    if (texts[name] !== (given ?? "")) return miss(`${name} was changed`);
  }
  const expected = [amountText, feeAmountText].map((text) => (text === "" ? null : BigInt(text)));
  return isDeepStrictEqual([amount, feeAmount], expected) ? "accepted" : miss("the amounts are others");
}

function judgeTransliteration(text: string): Verdict {
  const plain = transliterate(text);
  if (!/^[ -~]*$/.test(plain)) return miss(`gave ${JSON.stringify(plain)}`);
  if (transliterate(plain) !== plain) return miss("doing it twice changes something");
  if (/^[ -~]*$/.test(text)) return plain === text ? "accepted" : miss("changed printable ASCII");
  // Code points become one or more characters, marks none: the longest known decomposition has 18.
  if (plain.length > 18 * text.length) return miss("grew beyond every decomposition");
  return "accepted";
}

const NAMES = ["BUDI SANTOSO", "Siti Nürhaliza Çelik", "Renée Ó Dálaigh", "Łukasz Żółć", "Nguyễn Thị Hồng", "山田太郎"];

/** Everything that `npm run fuzz` throws at the codecs. */
export const TARGETS: readonly Target[] = [
  target("bit61 decode, shipped layouts", 22, shippedRecord, ({ layout, text }) =>
    judgeRecord(subjectOf(layout), text),
  ),
  target("bit61 decode, random layouts", 16, randomRecord, ({ layout, text }) => judgeRecord(subjectOf(layout), text)),
  target("bit61 encode", 10, randomValues, judgeEncoding),
  target("layouts", 4, brokenLayout, judgeLayout),
  target("time stamps, parse", 10, randomStamp, judgeStamp),
  target("time stamps, format", 6, randomInstant, judgeInstant),
  target("amounts", 8, randomAmount, judgeAmount),
  target("strict JSON", 10, randomJson, judgeJson),
  target("requests", 8, randomRequest, judgeRequest),
  target(
    "transliterate",
    6,
    (chance) => (chance.oneIn(2) ? oddText(chance, 40) : damaged(chance, chance.pick(NAMES), chance.pick(NAMES))),
    judgeTransliteration,
  ),
];
