import { openWorkbook } from "../audit/workbook";
import { REPORT_KINDS, type ReportColumn, type ReportRow, type ReportSection } from "./report-table";
import { spreadsheetDay } from "./report-values";
import { REPORT_WORDS, type ReportLanguage } from "./words";

/** A workbook with a sheet for each section; sections that share a sheet are told apart in its first column. */
export function reportWorkbook(sections: readonly ReportSection[], language: ReportLanguage): Buffer {
  const workbook = openWorkbook({ isStyled: true });
  for (const sheet of new Set(sections.map((section) => section.sheet))) {
    const parts = sections.filter((section) => section.sheet === sheet);
    const first: ReportColumn = { key: "section", title: REPORT_WORDS[language].section, width: 24 };
    const columns = columnsOf(
      parts.length > 1 ? [first, ...parts.flatMap((part) => part.columns)] : (parts[0]?.columns ?? []),
    );
    workbook.startSheet(
      sheet,
      columns.map(({ key, title, width }) => ({ name: title, kind: REPORT_KINDS[key], width })),
    );
    const rows = parts.flatMap((part) => part.rows.map((row): ReportRow => ({ ...row, section: part.title })));
    workbook.addRows(
      rows.map((row) =>
        Object.fromEntries(
          columns.map(({ key, title }) => {
            const value = row[key];
            return [title, REPORT_KINDS[key] === "date" ? (spreadsheetDay(String(value)) ?? value) : value];
          }),
        ),
      ),
    );
  }
  workbook.end();
  return workbook.take();
}

/** Each column once, in the order of their first appearance. */
function columnsOf(columns: readonly ReportColumn[]): ReportColumn[] {
  return columns.filter(({ key }, at) => columns.findIndex((each) => each.key === key) === at);
}
