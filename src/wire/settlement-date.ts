import { Unreadable } from "./settlement-text";

/** A point of local time: whole days since 1970-01-01, and milliseconds of that day. */
export interface LocalTime {
  readonly day: number;
  readonly ofDayMs: number;
  /** Minutes that it is ahead of UTC, where the text says so itself; null: it does not. */
  readonly offsetMinutes: number | null;
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
/** Indonesian names where they differ. */
const BULAN: Readonly<Record<string, number>> = { MEI: 5, AGU: 8, AGT: 8, OKT: 10, DES: 12 };
const DAY_MS = 86_400_000;
/** Longer ones first. */
const TOKENS = ["YYYY", "MMM", "SSS", "YY", "MM", "DD", "HH", "hh", "mm", "ss", "M", "D", "H", "h", "A", "Z"] as const;
type Token = (typeof TOKENS)[number];
/** Of one digit or two, as the text has them. */
const OPEN_TOKENS: ReadonlySet<Token> = new Set(["M", "D", "H", "h"]);
/** An offset: Z, +07:00, +0700 or +07. */
const OFFSET = /^(?:Z|([+-])([0-9]{2})(?::?([0-9]{2}))?)$/;
/** The world has none further from UTC. */
const OFFSET_MINUTES_MAX = 14 * 60;

interface Found {
  year: number;
  month: number;
  day: number;
  ofDayMs: number;
  /** 1 to 12; null: the form has no hours of 12. */
  halfHour: number | null;
  isAfternoon: boolean;
  offsetMinutes: number | null;
}

/**
 * A reader of dates and times of one form, made of YYYY, YY (20YY), MMM (JAN or Indonesian), MM, DD, HH, mm, ss, SSS; of M,
 * D, H with one digit or two; of hh or h (1 to 12) with A (AM or PM); of Z (Z, +07:00, +0700 or +07) as the last; and of
 * signs that stand for themselves. Days that no calendar has are refused.
 */
export function dateReader(form: string): (text: string) => LocalTime | Unreadable {
  const parts = partsOf(form);
  const wrong = new Unreadable(`is no date of the form ${form}`);
  return (text) => {
    const given = text.trim();
    const found: Found = {
      year: 1970,
      month: 1,
      day: 1,
      ofDayMs: 0,
      halfHour: null,
      isAfternoon: false,
      offsetMinutes: null,
    };
    let at = 0;
    for (const { token, literal } of parts) {
      const piece = token === null ? literal : pieceOf(token, given, at);
      if (token === null ? given[at] !== literal : !take(found, token, piece)) return wrong;
      at += piece.length;
    }
    if (at !== given.length) return wrong;
    if (found.halfHour !== null) found.ofDayMs += ((found.halfHour % 12) + (found.isAfternoon ? 12 : 0)) * 3_600_000;
    const ms = Date.UTC(found.year, found.month - 1, found.day);
    // 31-02 rolls over into March: then the day of the month is another one.
    if (found.day > 28 && dayOfMonth(ms, found.year, found.month) !== found.day)
      return new Unreadable("is no day of the calendar");
    return { day: ms / DAY_MS, ofDayMs: found.ofDayMs, offsetMinutes: found.offsetMinutes };
  };
}

/** Whether all texts of a form are as long as the form, with every token at its place. */
export function isFixedDateForm(form: string): boolean {
  return partsOf(form).every(
    ({ token }) => token === null || (!OPEN_TOKENS.has(token) && token !== "A" && token !== "Z"),
  );
}

interface Part {
  readonly token: Token | null;
  readonly literal: string;
}

function partsOf(form: string): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < form.length;) {
    const token = TOKENS.find((each) => form.startsWith(each, at)) ?? null;
    parts.push({ token, literal: form[at] as string });
    at += token?.length ?? 1;
  }
  return parts;
}

/** The text that a token stands for. */
function pieceOf(token: Token, given: string, at: number): string {
  if (token.length > 1) return given.slice(at, at + token.length);
  if (token === "Z") return given.slice(at, at + 7);
  if (token === "A") return given.slice(at, at + 2);
  const second = given.charCodeAt(at + 1) - 48;
  return given.slice(at, at + (second >= 0 && second <= 9 ? 2 : 1));
}

function take(found: Found, token: Token, piece: string): boolean {
  if (token === "A") {
    const half = piece.toUpperCase();
    found.isAfternoon = half === "PM";
    return half === "AM" || half === "PM";
  }
  if (token === "Z") return takeOffset(found, piece);
  if (piece.length < token.length) return false;
  const value = token === "MMM" ? monthOf(piece) : digitsOf(piece);
  if (value < 0) return false;
  switch (token) {
    case "YYYY":
      found.year = value;
      return value >= 2000 && value <= 2199;
    case "YY":
      found.year = 2000 + value;
      return true;
    case "M":
    case "MM":
    case "MMM":
      found.month = value;
      return value >= 1 && value <= 12;
    case "D":
    case "DD":
      found.day = value;
      return value >= 1 && value <= 31;
    case "H":
    case "HH":
      found.ofDayMs += value * 3_600_000;
      return value <= 23;
    case "h":
    case "hh":
      found.halfHour = value;
      return value >= 1 && value <= 12;
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

function takeOffset(found: Found, piece: string): boolean {
  const parts = OFFSET.exec(piece);
  if (parts === null) return false;
  const [, sign, hours = "0", minutes = "0"] = parts;
  const ahead = digitsOf(hours) * 60 + digitsOf(minutes);
  found.offsetMinutes = sign === "-" ? -ahead : ahead;
  return digitsOf(minutes) <= 59 && ahead <= OFFSET_MINUTES_MAX;
}

/** -1: something else than digits. */
function digitsOf(text: string): number {
  if (text === "") return -1;
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
