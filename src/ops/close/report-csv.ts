import { harmless } from "../audit/export-formats";
import { REPORT_KEYS, REPORT_KINDS, type ReportKey, type ReportRow, type ReportSection } from "./report-table";
import { REPORT_WORDS, type ReportLanguage, type ReportWords } from "./words";

/** What may stand between the columns of a report's CSV. */
export const CSV_SEPARATORS = ["comma", "semicolon"] as const;
export type CsvSeparator = (typeof CSV_SEPARATORS)[number];

const CHARACTERS = { comma: ",", semicolon: ";" } as const satisfies Record<CsvSeparator, string>;

/** Spreadsheets set to Indonesian take the comma for the decimal sign, and open columns between semicolons. */
const OF_LANGUAGE = { id: "semicolon", en: "comma" } as const satisfies Record<ReportLanguage, CsvSeparator>;

/**
 * All sections as one flat table: a heading, then one line for each row, with every figure in a column of its own as plain
 * digits. UTF-8 with byte order mark, lines end with CRLF: what a spreadsheet opens in columns by a double click.
 */
export function reportCsv(
  sections: readonly ReportSection[],
  language: ReportLanguage,
  separator: CsvSeparator | null,
): Buffer {
  const titles = csvTitles(REPORT_WORDS[language]);
  const lines = sections.flatMap(({ title, rows }) => rows.map((row): ReportRow => ({ ...row, section: title })));
  const between = CHARACTERS[separator ?? OF_LANGUAGE[language]];
  return Buffer.from(
    [
      REPORT_KEYS.map((key) => quoted(titles[key])),
      ...lines.map((row) => REPORT_KEYS.map((key) => cellOf(key, row[key]))),
    ]
      .map((cells) => cells.join(between))
      .join("\r\n")
      .replace(/^/, "\ufeff")
      .concat("\r\n"),
    "utf8",
  );
}

function csvTitles(words: ReportWords): Readonly<Record<ReportKey, string>> {
  return {
    section: words.section,
    item: words.item,
    profile: words.profile,
    class: words.class,
    detail: words.detail,
    date: words.date,
    version: words.fileVersion,
    count: words.count,
    unreadable: words.unreadable,
    resolved: words.resolved,
    amount: words.amount,
    fee: words.fee,
    difference: words.difference,
    due: words.due,
    opening: words.opening,
    debits: words.debits,
    credits: words.credits,
    late: words.late,
    closing: words.closing,
  };
}

function cellOf(key: ReportKey, value: string | number | undefined): string {
  if (value === undefined) return "";
  const text = String(value);
  const isFigure = REPORT_KINDS[key] !== "text" && /^(-?[0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2})$/.test(text);
  return isFigure ? text : quoted(textual(harmless(text)));
}

/** Texts that a spreadsheet would take for a number or a date, and change: product 001001, a traxId of twenty digits. */
function textual(text: string): string {
  return /^[0-9][0-9.,:/eE +-]*$/.test(text) ? `'${text}` : text;
}

function quoted(text: string): string {
  return /[",;\r\n\0]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
