import type { DayClose } from "./close";
import { type CsvSeparator, reportCsv } from "./report-csv";
import { reportPdf } from "./report-pdf";
import { reportWorkbook } from "./report-workbook";
import { sectionsOf } from "./sections";
import type { ReportLanguage } from "./words";

/** What a report may be asked for as. */
export const REPORT_FORMATS = ["csv", "xlsx", "pdf", "json"] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** What a report depends on beside the closed day, its format and its language. */
export interface ReportOptions {
  /** Whose business it is; null: it is not named. */
  readonly billerName?: string | null;
  /** Of CSV; left out: that of the language. */
  readonly separator?: CsvSeparator | null;
}

/**
 * Make a report of a closed day from its stored bytes: the same bytes on every machine and at any time. `json` is the stored
 * bytes themselves.
 */
export async function reportOf(
  close: DayClose,
  format: ReportFormat,
  language: ReportLanguage,
  options: ReportOptions = {},
): Promise<Buffer> {
  if (format === "json") return Buffer.from(close.body, "utf8");
  const { billerName = null, separator = null } = options;
  const sections = sectionsOf(close, language, billerName);
  if (format === "pdf") return reportPdf({ close, sections, language, billerName });
  return format === "csv" ? reportCsv(sections, language, separator) : reportWorkbook(sections, language);
}
