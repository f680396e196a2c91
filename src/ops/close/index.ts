export { type CloseAdditions, type CloseBody } from "./body";
export {
  closeDay,
  type CloseOutcome,
  type CloseRequest,
  type DayClose,
  type DayReopening,
  parseBody,
  readCarried,
  readClose,
} from "./close";
export { REPORT_FORMATS, type ReportFormat, reportOf, type ReportOptions } from "./report";
export { CSV_SEPARATORS, type CsvSeparator } from "./report-csv";
export { REPORT_LANGUAGES, type ReportLanguage } from "./words";
export { proposeWithoutFiles } from "./without-files";
