export { type CloseBody } from "./body";
export { closeDay, type CloseOutcome, type CloseRequest, type DayClose, parseBody, readClose } from "./close";
export { REPORT_FORMATS, type ReportFormat, reportOf, type ReportRow, rowsOf } from "./report";
export { REPORT_LANGUAGES, type ReportLanguage } from "./words";
