import { PERSON_NAME } from "../exceptions/history";

/** A parameter of a question, how its text is checked, and the condition that it becomes. */
export interface FilterSpec {
  readonly kind:
    "text" | "choice" | "amount" | "instant" | "date" | "uuid" | "bill" | "traxId" | "number" | "person" | "sha256";
  /** For people, in the API's description and in refusals. */
  readonly about: string;
  /** Only for `choice`. */
  readonly choices?: readonly string[];
  /** A condition with `?` where the value is bound, cast included; it may depend on the other filters. */
  readonly sql?: string | ((filters: Question["filters"]) => string);
}

export type FilterSpecs = Readonly<Record<string, FilterSpec>>;

/** What was asked, checked: values in canonical text. */
export interface Question {
  readonly filters: Readonly<Record<string, string>>;
  readonly limit: number;
  readonly order: "asc" | "desc";
  readonly cursor: string | null;
}

/** Everything that is wrong with a question, each fault naming its parameter; values are never repeated. */
export type Read<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly string[] };

/** Rows of a page. */
export const LIMIT_MAX = 500;
const LIMIT_USUAL = 50;
/** Characters of a query string; the longest sensible one is far below. */
const QUERY_MAX = 4_096;
const NAME_SHOWN = 40;

/**
 * Reads a query string against the parameters that exist. Strict: what is unknown, given twice or malformed is refused, so
 * that a mistyped filter can never pass for "no filter". Only lists have a limit, an order and a cursor.
 */
export function readQuestion(
  query: string,
  specs: FilterSpecs,
  { isList = true }: { readonly isList?: boolean } = {},
): Read<Question> {
  const given = readParameters(query, [...Object.keys(specs), ...(isList ? ["limit", "order", "cursor"] : [])]);
  if (!given.ok) return given;
  const problems: string[] = [];
  const filters: Record<string, string> = {};
  for (const [name, spec] of Object.entries(specs)) {
    const text = given.value.get(name);
    if (text === undefined) continue;
    const value = canonical(spec, text);
    if (value === null) problems.push(`${name} must be ${describeKind(spec)}`);
    else filters[name] = value;
  }
  const limitText = given.value.get("limit") ?? String(LIMIT_USUAL);
  const limit = /^[0-9]{1,3}$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > LIMIT_MAX) problems.push(`limit must be a whole number from 1 to ${LIMIT_MAX}`);
  const order = given.value.get("order") ?? "desc";
  if (order !== "asc" && order !== "desc") problems.push("order must be asc or desc");
  problems.push(...faultsOfRanges(filters));
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: { filters, limit, order: order as "asc" | "desc", cursor: given.value.get("cursor") ?? null },
  };
}

/** Parameters by name, or what is wrong with how they are given. */
export function readParameters(query: string, known: readonly string[]): Read<ReadonlyMap<string, string>> {
  if (query.length > QUERY_MAX)
    return { ok: false, problems: [`the query string is longer than ${QUERY_MAX} characters`] };
  const found = new Map<string, string>();
  const problems: string[] = [];
  for (const [name, value] of new URLSearchParams(query)) {
    const shown = printable(name).slice(0, NAME_SHOWN);
    if (!known.includes(name)) problems.push(`${shown} is no parameter here; known: ${known.join(", ")}`);
    else if (found.has(name)) problems.push(`${shown} is given more than once`);
    else if (value === "") problems.push(`${shown} is empty: leave it out instead`);
    else if (value.includes("\uFFFD")) problems.push(`${shown} is not UTF-8, percent-encoded`);
    found.set(name, value);
  }
  return problems.length > 0 ? { ok: false, problems: problems.slice(0, 20) } : { ok: true, value: found };
}

function printable(text: string): string {
  return text.replaceAll(/[^ -~]/g, "?");
}

function describeKind({ kind, choices, about }: FilterSpec): string {
  switch (kind) {
    case "choice":
      return `one of ${(choices ?? []).join(", ")}`;
    case "amount":
      return "whole rupiah, 1 to 12 digits";
    case "instant":
      return "an instant such as 2026-11-21T00:00:00Z or 2026-11-21T07:00:00%2B07:00, from 2000 to 2099";
    case "date":
      return "a day such as 2026-11-21, from 2000 to 2099";
    case "uuid":
      return "a UUID";
    case "number":
      return "a whole number, 1 to 9 digits";
    case "bill":
      return "productCode:billNumber";
    case "traxId":
      return "1 to 32 printable characters";
    case "sha256":
      return "64 hexadecimal digits";
    case "person":
      return "a name of 1 to 100 letters, digits, blanks and . _ @ -";
    case "text":
      return `1 to 100 printable characters (${about})`;
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function canonical({ kind, choices }: FilterSpec, text: string): string | null {
  switch (kind) {
    case "choice":
      return choices?.includes(text) ? text : null;
    case "amount":
      return /^[0-9]{1,12}$/.test(text) ? String(BigInt(text)) : null;
    case "instant":
      return canonicalInstant(text);
    case "date":
      return canonicalDate(text);
    case "uuid":
      return UUID.test(text.toLowerCase()) ? text.toLowerCase() : null;
    case "number":
      return /^[0-9]{1,9}$/.test(text) ? String(Number(text)) : null;
    case "bill":
      return /^[0-9A-Za-z]{6}:[!-~]{1,32}$/.test(text) ? text : null;
    case "traxId":
      return /^[ -~]{1,32}$/.test(text) ? text : null;
    case "sha256":
      return /^[0-9a-f]{64}$/i.test(text) ? text.toLowerCase() : null;
    case "person":
      return PERSON_NAME.test(text) ? text : null;
    case "text":
      return /^[ -~]{1,100}$/.test(text) ? text : null;
  }
}

/** A day that exists, from 2000 to 2099. */
export function canonicalDate(text: string): string | null {
  const [, year, month, day] = /^(20[0-9]{2})-([0-9]{2})-([0-9]{2})$/.exec(text) ?? [];
  if (year === undefined) return null;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return date.toISOString().slice(0, 10) === text ? text : null;
}

/** UTC with microseconds. A blank before the offset is what an unescaped plus becomes in a query string. */
export function canonicalInstant(text: string): string | null {
  const pattern =
    /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6}))?)?(?:Z|([+ -])(0\d|1[0-4]):([0-5]\d))$/;
  const [, day = "", hour, minute, second = "0", fraction = "", sign, offsetHour = "0", offsetMinute = "0"] =
    pattern.exec(text) ?? [];
  if (hour === undefined || canonicalDate(day) === null) return null;
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === "-" ? -1 : 1);
  const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
  const atMs = Date.UTC(year, month - 1, date, Number(hour), Number(minute) - offset, Number(second));
  return `${new Date(atMs).toISOString().slice(0, 19)}.${fraction.padEnd(6, "0")}Z`;
}

const RANGES = [
  ["from", "to"],
  ["businessFrom", "businessTo"],
  ["settlementFrom", "settlementTo"],
  ["amountMin", "amountMax"],
] as const;

function faultsOfRanges(filters: Readonly<Record<string, string>>): string[] {
  return RANGES.flatMap(([low, high]) => {
    const [from, to] = [filters[low], filters[high]];
    if (from === undefined || to === undefined) return [];
    const isEmpty = low === "amountMin" ? BigInt(from) > BigInt(to) : low === "from" ? from >= to : from > to;
    return isEmpty ? [`${low} must be before ${high}`] : [];
  });
}

/** Collects values for placeholders; SQL text holds nothing else that came from outside. */
export class Bindings {
  readonly values: unknown[] = [];

  add(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  /** The condition with every `?` replaced by one placeholder for the value. */
  condition(sql: string, value: unknown): string {
    return sql.replaceAll("?", this.add(value));
  }
}
