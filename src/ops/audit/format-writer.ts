import type { Row } from "./columns";

/** A file in the making: its head, then a piece for each stretch of rows, then its end. */
export interface FormatWriter {
  head(): Buffer;
  rows(rows: readonly Row[]): Buffer;
  end(): Buffer;
}

/** A value as one text; null for nothing. */
export function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : typeof value === "bigint" ? value.toString() : JSON.stringify(value);
}
