import type { ColumnSpec, Layout, LayoutValues } from "../../src/wire";

/** A second reading of each format, made from regular expressions and `Date` and sharing nothing with the product. */

const patterns = new Map<ColumnSpec, RegExp>();

/** What may stand in one column. */
function patternOf(spec: ColumnSpec): RegExp {
  let pattern = patterns.get(spec);
  if (pattern === undefined) {
    const { width } = spec;
    const source = {
      filler: () => `\\x${(spec.kind === "filler" ? (spec.char ?? " ") : " ").charCodeAt(0).toString(16)}{${width}}`,
      digits: () => `[0-9]{${width}}`,
      text: () => `[ -~]{${width}}`,
      rupiah: () => {
        const { pad = " ", blankIsZero } = spec as Extract<ColumnSpec, { kind: "rupiah" }>;
        const blank = blankIsZero ? `| {${width}}` : "";
        if (pad === "0") return `(?:[0-9]{${width}}${blank})`;
        // Blanks, then zero alone or digits that do not begin with one, `width` characters in all.
        const forms = Array.from({ length: width }, (_, index) => ` {${width - index - 1}}[1-9][0-9]{${index}}`);
        return `(?:${[...forms, ` {${width - 1}}0`].join("|")}${blank})`;
      },
    }[spec.kind]();
    pattern = new RegExp(source, "y");
    patterns.set(spec, pattern);
  }
  return pattern;
}

function valueOf(spec: ColumnSpec, raw: string): string | bigint {
  if (spec.kind === "rupiah") return BigInt(raw.trim() || "0");
  if (spec.kind !== "text") return raw;
  const pad = `\\x${(spec.pad ?? " ").charCodeAt(0).toString(16)}`;
  return spec.align === "right" ? raw.replace(new RegExp(`^${pad}+`), "") : raw.replace(new RegExp(`${pad}+$`), "");
}

/** The record as it would be written: only a blank amount is written otherwise than it was read. */
function canonicalOf(spec: ColumnSpec, raw: string): string {
  if (spec.kind !== "rupiah" || raw.trim() !== "") return raw;
  return spec.pad === "0" ? raw.replaceAll(" ", "0") : `${raw.slice(1)}0`;
}

/** What a record says under a layout and how it must be written back, or null when it is not valid. */
export function readByOracle(layout: Layout, text: string): { values: LayoutValues; canonical: string } | null {
  let at = 0;
  let canonical = "";
  const readColumns = (columns: readonly ColumnSpec[]): Record<string, string | bigint> | null => {
    const values: Record<string, string | bigint> = {};
    for (const spec of columns) {
      const pattern = patternOf(spec);
      pattern.lastIndex = at;
      const raw = pattern.exec(text)?.[0];
      if (raw === undefined) return null;
      at += raw.length;
      canonical += canonicalOf(spec, raw);
      if (spec.kind !== "filler") values[spec.name] = valueOf(spec, raw);
    }
    return values;
  };
  const values: Record<string, LayoutValues[string]> = {};
  for (const field of layout.fields) {
    if (field.kind !== "group") {
      const read = readColumns([field]);
      if (read === null) return null;
      Object.assign(values, read);
      continue;
    }
    const size = Number(values[field.count]);
    if (size < (field.min ?? 1) || size > field.max) return null;
    const members: LayoutValues[] = [];
    for (let n = 0; n < size; n++) {
      const member = readColumns(field.fields);
      if (member === null) return null;
      if (field.order === "reversed") members.unshift(member);
      else members.push(member);
    }
    values[field.name] = members;
  }
  if (at === text.length) return { values, canonical };
  const tail = readColumns(layout.tail ?? []);
  return tail === null || at !== text.length ? null : { values: { ...values, ...tail }, canonical };
}

/** Microseconds since the epoch, by splitting at colons and asking `Date` whether the day exists. */
export function timestampByOracle(text: string): bigint | null {
  const [, date = "", time = ""] = /^([0-9]{2}-[0-9]{2}-[0-9]{4}) {1,2}([0-9].*)$/.exec(text) ?? [];
  if (date === "" || /[^0-9:+ -]/.test(time)) return null;
  const zoned = /^(.*?):? {0,2}([+-])([0-9]{2}):([0-9]{2})$/.exec(time);
  const parts = (zoned?.[1] ?? time).split(":");
  const [hours = "", ...later] = parts;
  if (!/^[0-9]{2}$/.test(hours) || later.length < 2 || later.length > 3) return null;
  const [minutes = "", seconds = "", fraction = "0"] = later.map((part) => part.replace(/^ {0,2}(?! )/, ""));
  if (!/^[0-9]{2}$/.test(minutes) || !/^[0-9]{2}$/.test(seconds) || !/^[0-9]{1,6}$/.test(fraction)) return null;
  const [day, month, year] = date.split("-").map(Number) as [number, number, number];
  if (year < 1970) return null;
  const instant = new Date(Date.UTC(year, month - 1, day, Number(hours), Number(minutes), Number(seconds)));
  // Date carries over what is too large; what comes back must be what went in.
  const back = [
    instant.getUTCDate(),
    instant.getUTCMonth() + 1,
    instant.getUTCHours(),
    instant.getUTCMinutes(),
    instant.getUTCSeconds(),
  ];
  const given = [day, month, Number(hours), Number(minutes), Number(seconds)];
  if (back.join() !== given.join()) return null;
  let offsetMinutes = 7 * 60;
  if (zoned !== null) {
    if (Number(zoned[3]) > 14 || Number(zoned[4]) > 59) return null;
    offsetMinutes = (Number(zoned[3]) * 60 + Number(zoned[4])) * (zoned[2] === "-" ? -1 : 1);
  }
  const micros = BigInt(Math.round(Number(`0.${fraction}`) * 1e6));
  return BigInt(instant.getTime() - offsetMinutes * 60_000) * 1000n + micros;
}

/** Fields of a request: what a whole value looks like, and when it may be missing. From the published tables. */
const REQUEST: readonly (readonly [name: string, form: RegExp, needed: "always" | "money" | "never"])[] = [
  ["userName", /^[ -~]{1,100}$/, "always"],
  ["signature", /^[a-z0-9]{1,128}$/i, "always"],
  ["productCode", /^[a-z0-9]{6}$/i, "always"],
  ["channel", /^[a-z0-9]{4}$/i, "always"],
  ["terminal", /^[ -~]{8}$/, "always"],
  ["terminalName", /^[ -~]{1,20}$/, "never"],
  ["terminalLocation", /^[ -~]{1,30}$/, "never"],
  ["transactionType", /^\d\d$/, "always"],
  ["billNumber", /^[a-z0-9]{1,20}$/i, "always"],
  ["amount", /^\d{1,12}$/, "money"],
  ["feeAmount", /^\d{1,12}$/, "money"],
  ["bit61", /^[ -~]{1,999}$/, "money"],
  ["traxId", /^[\w.-]{1,32}$/, "always"],
  ["timeStamp", /^[ -~]{1,32}$/, "always"],
  ["addInfo1", /^[ -~]{1,50}$/, "never"],
  ["addInfo2", /^[ -~]{1,100}$/, "never"],
  ["addInfo3", /^[ -~]{1,999}$/, "never"],
];

/** Names of the fields that are wrong in a request. The terminal may come under its number, or under both if alike. */
export function requestByOracle(value: Readonly<Record<string, unknown>>): string[] {
  const bad = REQUEST.filter(([name, form, needed]) => {
    const given = name === "terminal" ? (value["terminal"] ?? missingOr(value)) : value[name];
    const mayLack = needed === "never" || (needed === "money" && value["transactionType"] === "38");
    if (given === undefined || given === "") return !mayLack;
    return typeof given !== "string" || !form.test(given);
  }).map(([name]) => name);
  const { terminal, bit41 } = value;
  return terminal !== undefined && bit41 !== undefined && terminal !== bit41 ? [...bad, "bit41"] : bad;
}

/** A terminal that is there and null is wrong; one that is not there may be called bit41. */
function missingOr(value: Readonly<Record<string, unknown>>): unknown {
  return value["terminal"] === undefined ? value["bit41"] : null;
}
