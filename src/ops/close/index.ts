export { type CloseBody } from "./body";
export { closeDay, type CloseOutcome, type CloseRequest, type DayClose, parseBody, readClose } from "./close";
export { REPORT_FORMATS, type ReportFormat, reportOf, type ReportOptions } from "./report";
export { CSV_SEPARATORS, type CsvSeparator } from "./report-csv";
export { REPORT_LANGUAGES, type ReportLanguage } from "./words";
