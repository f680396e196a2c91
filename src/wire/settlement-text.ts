/** Values of settlement files: characters <-> values. Every reader returns a value, or a text that says what is wrong. */

/** What is wrong with a value or a line, for people. */
export class Unreadable {
  constructor(readonly reason: string) {}
}

/**
 * The values of a line of delimited text. A quoted value may hold the delimiter, and the quote doubled; it never holds the
 * end of a line, so that one lost quote costs one line and not the rest of the file.
 */
export function splitDelimited(line: string, delimiter: string, isQuoted: boolean): string[] | Unreadable {
  if (!isQuoted || !line.includes('"')) return line.split(delimiter);
  const values: string[] = [];
  let at = 0;
  for (;;) {
    if (line[at] === '"') {
      let value = "";
      for (at += 1; ; at += 1) {
        const quote = line.indexOf('"', at);
        if (quote < 0) return new Unreadable(`the quote of column ${values.length + 1} is never closed`);
        value += line.slice(at, quote);
        at = quote + 1;
        if (line[at] !== '"') break;
        value += '"';
      }
      if (at < line.length && line[at] !== delimiter) {
        return new Unreadable(`column ${values.length + 1} goes on behind its closing quote`);
      }
      values.push(value);
    } else {
      const end = line.indexOf(delimiter, at);
      const value = line.slice(at, end < 0 ? line.length : end);
      if (value.includes('"')) return new Unreadable(`column ${values.length + 1} has a quote inside`);
      values.push(value);
      at += value.length;
    }
    if (at >= line.length) return values;
    at += 1;
  }
}

/** How amounts are written. */
export interface SettlementAmountForm {
  readonly thousands: string;
  readonly decimals: string;
  readonly decimalPlaces: number;
  readonly prefix: string;
}

/** Twelve digits, as everywhere on the wire. */
const AMOUNT_MAX = 999_999_999_999n;

/** A reader of amounts in whole rupiah; blanks around them are left out of account. */
export function amountReader(form: SettlementAmountForm): (text: string) => bigint | Unreadable {
  const { thousands, decimals, decimalPlaces, prefix } = form;
  const isPlain = thousands === "" && decimals === "";
  const shown = `${prefix}${thousands === "" ? "1234567" : ["1", "234", "567"].join(thousands)}${decimals}${"0".repeat(decimalPlaces)}`;
  const wrong = new Unreadable(`is no amount of the form ${shown}`);
  return (text) => {
    let rest = text.trim();
    if (prefix !== "") {
      if (!rest.startsWith(prefix)) return wrong;
      rest = rest.slice(prefix.length).trimStart();
    }
    if (rest.length > 40) return wrong;
    if (!isPlain) {
      if (decimals !== "") {
        const at = rest.length - decimalPlaces - 1;
        if (rest[at] !== decimals) return wrong;
        const fraction = rest.slice(at + 1);
        if (!/^[0-9]+$/.test(fraction)) return wrong;
        if (!/^0+$/.test(fraction)) return new Unreadable("has parts of a rupiah");
        rest = rest.slice(0, at);
      }
      if (thousands !== "" && rest.includes(thousands)) {
        const [first = "", ...groups] = rest.split(thousands);
        if (first.length < 1 || first.length > 3 || groups.some((group) => group.length !== 3)) return wrong;
        rest = first + groups.join("");
      }
    }
    if (rest.startsWith("-") || /^\(.*\)$/.test(rest)) return new Unreadable("is negative");
    if (!/^[0-9]+$/.test(rest)) return wrong;
    const amount = BigInt(rest);
    return amount > AMOUNT_MAX ? new Unreadable("is over twelve digits") : amount;
  };
}

/** A point of local time: whole days since 1970-01-01, and milliseconds of that day. */
export interface LocalTime {
  readonly day: number;
  readonly ofDayMs: number;
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
/** Indonesian names where they differ. */
const BULAN: Readonly<Record<string, number>> = { MEI: 5, AGU: 8, AGT: 8, OKT: 10, DES: 12 };
const DAY_MS = 86_400_000;
const TOKENS = ["YYYY", "MMM", "SSS", "YY", "MM", "DD", "HH", "mm", "ss"] as const;
type Token = (typeof TOKENS)[number];

/**
 * A reader of dates and times of one form, made of YYYY, YY (20YY), MMM (JAN or Indonesian), MM, DD, HH, mm, ss, SSS and
 * signs that stand for themselves. Days that no calendar has are refused.
 */
export function dateReader(form: string): (text: string) => LocalTime | Unreadable {
  const parts = partsOf(form);
  const wrong = new Unreadable(`is no date of the form ${form}`);
  return (text) => {
    const given = text.trim();
    if (given.length !== form.length) return wrong;
    const found = { year: 1970, month: 1, day: 1, ofDayMs: 0 };
    for (const { token, at, literal } of parts) {
      if (token === null) {
        if (given[at] !== literal) return wrong;
        continue;
      }
      const piece = given.slice(at, at + token.length);
      const value = token === "MMM" ? monthOf(piece) : digitsOf(piece);
      if (value < 0 || !take(found, token, value)) return wrong;
    }
    const ms = Date.UTC(found.year, found.month - 1, found.day);
    // 31-02 rolls over into March: then the day of the month is another one.
    if (found.day > 28 && dayOfMonth(ms, found.year, found.month) !== found.day)
      return new Unreadable("is no day of the calendar");
    return { day: ms / DAY_MS, ofDayMs: found.ofDayMs };
  };
}

interface Part {
  readonly token: Token | null;
  readonly at: number;
  readonly literal: string;
}

function partsOf(form: string): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < form.length;) {
    const token = TOKENS.find((each) => form.startsWith(each, at)) ?? null;
    parts.push({ token, at, literal: form[at] as string });
    at += token?.length ?? 1;
  }
  return parts;
}

function take(
  found: { year: number; month: number; day: number; ofDayMs: number },
  token: Token,
  value: number,
): boolean {
  switch (token) {
    case "YYYY":
      found.year = value;
      return value >= 2000 && value <= 2199;
    case "YY":
      found.year = 2000 + value;
      return true;
    case "MM":
    case "MMM":
      found.month = value;
      return value >= 1 && value <= 12;
    case "DD":
      found.day = value;
      return value >= 1 && value <= 31;
    case "HH":
      found.ofDayMs += value * 3_600_000;
      return value <= 23;
    case "mm":
      found.ofDayMs += value * 60_000;
      return value <= 59;
    case "ss":
      found.ofDayMs += value * 1_000;
      return value <= 59;
    case "SSS":
      found.ofDayMs += value;
      return true;
  }
}

function digitsOf(text: string): number {
  let value = 0;
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function monthOf(text: string): number {
  const name = text.toUpperCase();
  const at = MONTHS.indexOf(name);
  return at >= 0 ? at + 1 : (BULAN[name] ?? -1);
}

function dayOfMonth(ms: number, year: number, month: number): number {
  const first = Date.UTC(year, month - 1, 1);
  const next = month === 12 ? Date.UTC(year + 1, 0, 1) : Date.UTC(year, month, 1);
  return ms >= next ? -1 : (ms - first) / DAY_MS + 1;
}

/** What a file's name tells by its pattern. */
export interface FileNameParts {
  readonly ca: string | null;
  readonly product: string | null;
  /** As it stands in the name. */
  readonly date: string;
}

const NAME_PARTS: Readonly<Record<string, string>> = {
  ca: "(?<ca>[^_/\\\\]{1,40})",
  product: "(?<product>[^_/\\\\]{1,40})",
  date: "(?<date>[0-9A-Za-z.-]{6,20})",
  any: "[^/\\\\]{0,80}",
};

/** A reader of file names of a pattern with {ca}, {product}, {date} and {any}; null: the name does not follow it. */
export function fileNameReader(pattern: string): (name: string) => FileNameParts | null {
  const seen = new Set<string>();
  const source = pattern.replaceAll(
    /\{(\w+)\}|([^{}]+)/g,
    (_all, part: string | undefined, text: string | undefined) => {
      if (part === undefined) return (text ?? "").replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
      // A part that is named again must only have the form.
      const isAgain = seen.has(part);
      seen.add(part);
      return isAgain ? "[^_/\\\\]{1,40}" : (NAME_PARTS[part] ?? "");
    },
  );
  const expression = new RegExp(`^${source}$`, "i");
  return (name) => {
    const found = name.length <= 255 ? expression.exec(name)?.groups : undefined;
    return found === undefined
      ? null
      : { ca: found["ca"] ?? null, product: found["product"] ?? null, date: found["date"] ?? "" };
  };
}
