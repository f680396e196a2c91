import { extname, join } from "node:path";
import { randomIds, type SideJobs, systemClock } from "../../platform";
import { closeDay, type DayClose, type ReportFormat, type ReportLanguage, reportOf } from "../close";
import { importSettlementFile } from "../reconciliation/import-file";
import { runReconciliation } from "../reconciliation/run";
import { settleMatched, type SettleRequest } from "../settlement";

/** Which report is to be made. */
export interface ReportRequest {
  readonly close: DayClose;
  readonly format: ReportFormat;
  readonly language: ReportLanguage;
}

/** What is done beside the process that answers: each opens a connection of its own from its request. */
export const WORK = {
  import: importSettlementFile,
  run: runReconciliation,
  settle: (request: Omit<SettleRequest, "clock" | "ids">) =>
    settleMatched({ ...request, clock: systemClock, ids: randomIds }),
  close: closeDay,
  report: ({ close, format, language }: ReportRequest) => reportOf(close, format, language),
} satisfies SideJobs;

/** Kinds of work. */
export type Work = typeof WORK;

/** What a process that does such work is started with. */
export const WORK_ENTRY = join(__dirname, `work-process${extname(__filename)}`);
