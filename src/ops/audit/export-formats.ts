import type { Column, Row } from "./columns";
import { type FormatWriter, textOf } from "./format-writer";
import { startWorkbook } from "./workbook";

/** Turns rows into the bytes of a file, a stretch at a time; nothing is kept but the stretch. */
export interface Format {
  readonly contentType: string;
  readonly extension: string;
  /** Pieces of the file: its head, then one call for each stretch of rows, then its end. */
  open(columns: readonly Column[], name: string): FormatWriter;
}

/** What an export may be asked for as. */
export const FORMAT_NAMES = ["csv", "ndjson", "xlsx"] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

/** The formats by their names. */
export const FORMATS: Readonly<Record<FormatName, Format>> = {
  csv: {
    contentType: "text/csv; charset=utf-8",
    extension: "csv",
    open: (columns) => ({
      head: () => Buffer.from(`${columns.map(({ name }) => csvCell(name)).join(",")}\r\n`),
      rows: (rows) =>
        Buffer.from(rows.map((row) => `${columns.map((each) => csvOf(each, row)).join(",")}\r\n`).join("")),
      end: () => Buffer.alloc(0),
    }),
  },
  ndjson: {
    contentType: "application/x-ndjson; charset=utf-8",
    extension: "ndjson",
    open: (columns) => ({
      head: () => Buffer.alloc(0),
      rows: (rows) =>
        Buffer.from(
          rows
            .map(
              (row) => `${JSON.stringify(Object.fromEntries(columns.map(({ name }) => [name, row[name] ?? null])))}\n`,
            )
            .join(""),
        ),
      end: () => Buffer.alloc(0),
    }),
  },
  xlsx: {
    contentType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    extension: "xlsx",
    open: startWorkbook,
  },
};

/**
 * Text that no spreadsheet runs: what begins like a formula gets an apostrophe in front, as OWASP advises. Amounts and
 * numbers are ours, digits only, and stay bare.
 */
export function harmless(text: string): string {
  return /^[\s]*[=+\-@\t\r\n\0＝＋－＠]/.test(text) ? `'${text}` : text;
}

function csvOf({ name, kind }: Column, row: Row): string {
  const text = textOf(row[name]);
  if (text === null) return "";
  return (kind === "amount" || kind === "number") && /^-?[0-9]+(\.[0-9]+)?$/.test(text)
    ? text
    : csvCell(harmless(text));
}

/** Quoted as RFC 4180 says, where it has to be. */
function csvCell(text: string): string {
  return /[",\r\n\0]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
