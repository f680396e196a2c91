import type { Place } from "../../domain";
import { Unreadable } from "../../wire";
import { rawOf } from "./shown-text";

/** Takes the value at a place out of a line that has been split, or is of fixed width. */
export type Cut = (line: string, values: readonly string[]) => string;

/** A column of a line by its name in the profile. */
export interface Column {
  readonly name: string;
  /** Where it stands in the file, for people. */
  readonly where: string;
  readonly cut: Cut;
}

/** Makes the column of a place; null: the profile has none. */
export type ColumnOf = (name: string, at: Place | null | undefined) => Column | null;

/** Why a line cannot be read: which column, and what is wrong with it. */
export class UnreadableLine extends Unreadable {
  constructor(
    reason: string,
    /** Name in the profile; null: it is about the line as a whole. */
    readonly column: string | null = null,
    /** Where the column stands in the file. */
    readonly where: string | null = null,
    /** What stood there, cut and escaped. */
    readonly value: string | null = null,
  ) {
    super(reason);
  }

  /** In one sentence, as it is stored with the line. */
  get text(): string {
    if (this.column === null) return this.reason;
    return `${this.column}: ${this.reason}${this.where === null ? "" : ` (${this.where})`}`;
  }
}

/** Leaves the reading of a line. */
export class BadColumn extends Error {
  constructor(readonly found: UnreadableLine) {
    super(found.reason);
  }
}

const VALUE_MAX = 60;
const NAME_MAX = 40;

/** A column's value that cannot be read. */
export function refuse({ name, where }: Column, reason: string, value: string | null = null): never {
  throw new BadColumn(new UnreadableLine(reason, name, where, value === null ? null : rawOf(value, VALUE_MAX)));
}

/** What a reader has made of a column's text. @throws BadColumn when it could not */
export function read<T>(column: Column, text: string, reader: (text: string) => T | Unreadable): T {
  const value = reader(text);
  return value instanceof Unreadable ? refuse(column, value.reason, text) : value;
}

/** Columns of a file whose header has these names. */
export function columnsBy(header: readonly string[] | null): ColumnOf {
  return (name, at) =>
    at === null || at === undefined ? null : { name, where: whereOf(at, header), cut: cutAt(at, header) };
}

/** Takes a value out of a line by its place. */
export function cutAt(at: Place, header: readonly string[] | null): Cut {
  if (Array.isArray(at)) return (line) => line.slice(at[0], at[0] + at[1]);
  const index = typeof at === "number" ? at - 1 : (header ?? []).indexOf(at);
  return (_line, values) => values[index] ?? "";
}

/** Where a place is, for people. */
export function whereOf(at: Place, header: readonly string[] | null): string {
  if (Array.isArray(at)) return `characters ${at[0] + 1} to ${at[0] + at[1]}`;
  const index = typeof at === "number" ? at - 1 : (header ?? []).indexOf(at);
  const name = typeof at === "string" ? at : header?.[index];
  return name === undefined ? `column ${index + 1}` : `column ${index + 1}, ${rawOf(name, NAME_MAX)}`;
}

/** Fills a value of the books: signs that the file adds are taken away, zeros that it has lost come back. */
export interface KeyForm {
  readonly strip: { readonly sign: string; readonly side: "left" | "right" } | null;
  readonly padTo: number | null;
}

/** A key of the books out of a column; null: it is empty. */
export function keyIn(column: Column, text: string, { strip, padTo }: KeyForm, maxLength: number): string | null {
  const trimmed = text.trim();
  const value = strip === null ? trimmed : stripped(trimmed, strip.sign, strip.side);
  if (value === "") return null;
  if (value.length > maxLength) refuse(column, `is longer than ${maxLength} characters`, text);
  if (!/^[\x21-\x7e]+$/.test(value)) refuse(column, "holds blanks or signs beyond ASCII", text);
  return value.padStart(padTo ?? 0, "0");
}

function stripped(text: string, sign: string, side: "left" | "right"): string {
  let [from, to] = [0, text.length];
  if (side === "left") while (from < to && text[from] === sign) from += 1;
  else while (to > from && text[to - 1] === sign) to -= 1;
  return text.slice(from, to);
}

/** A reader of texts with meanings. */
export function meaningIn<Meaning extends string>(
  column: Column,
  texts: Readonly<Record<Meaning, readonly string[]>>,
): (line: string, values: readonly string[]) => Meaning {
  const meanings = new Map<string, Meaning>(
    (Object.keys(texts) as Meaning[]).flatMap((meaning) => texts[meaning].map((text) => [text, meaning] as const)),
  );
  return (line, values) => {
    const text = column.cut(line, values).trim();
    return meanings.get(text) ?? refuse(column, "is a text whose meaning the profile does not tell", text);
  };
}

/** Named columns that a line of a header has to hold. */
export function namedColumns(places: readonly (readonly [path: string, at: Place])[]): string[] {
  return places.flatMap(([path, at]) => (path.startsWith("columns.") && typeof at === "string" ? [at] : []));
}
