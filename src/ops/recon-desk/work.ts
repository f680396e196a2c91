import { extname, join } from "node:path";
import { randomIds, type SideJobs, systemClock } from "../../platform";
import {
  closeDay,
  type DayClose,
  type ReportFormat,
  type ReportLanguage,
  reportOf,
  type ReportOptions,
} from "../close";
import { importSettlementFile } from "../reconciliation/import-file";
import { runReconciliation, type RunReport, type RunRequest } from "../reconciliation/run";
import { inSession } from "../reconciliation/session";
import { settleMatched, type SettleRequest } from "../settlement";

/** Which report is to be made. */
export interface ReportRequest {
  readonly close: DayClose;
  readonly format: ReportFormat;
  readonly language: ReportLanguage;
  readonly options: ReportOptions;
}

/** What would be found on several dates. */
export interface TryRequest extends Omit<RunRequest, "settlementDate" | "isDryRun" | "redecidesDeclared"> {
  readonly from: string;
  readonly to: string;
}

/** A dry run of one of several dates: of its changes only the first. */
export interface TriedDate extends Omit<RunReport, "runId"> {
  /** Counted up to a thousand. */
  readonly changeCount: number;
}

const CHANGES_OF_DATE = 100;

/** Dates that have files, one after the other. */
async function tryDates({ from, to, ...request }: TryRequest): Promise<TriedDate[]> {
  const tried: TriedDate[] = [];
  const dates = await inSession({ url: request.databaseUrl, isolation: "read committed" }, ({ run }) =>
    run<{ day: string }>(
      `select distinct settlement_date as day from settlement_file
        where profile_code = $1 and settlement_date between $2::date and $3::date and superseded_by is null order by 1`,
      [request.profileCode, from, to],
    ),
  );
  for (const { day } of dates) {
    const flags = { isDryRun: true, redecidesDeclared: true };
    const { runId: _none, changes, ...report } = await runReconciliation({ ...request, ...flags, settlementDate: day });
    tried.push({ ...report, changeCount: changes.length, changes: changes.slice(0, CHANGES_OF_DATE) });
  }
  return tried;
}

/** What is done beside the process that answers: each opens a connection of its own from its request. */
export const WORK = {
  import: importSettlementFile,
  run: runReconciliation,
  tryDates,
  settle: (request: Omit<SettleRequest, "clock" | "ids">) =>
    settleMatched({ ...request, clock: systemClock, ids: randomIds }),
  close: closeDay,
  report: ({ close, format, language, options }: ReportRequest) => reportOf(close, format, language, options),
} satisfies SideJobs;

/** Kinds of work. */
export type Work = typeof WORK;

/** What a process that does such work is started with. */
export const WORK_ENTRY = join(__dirname, `work-process${extname(__filename)}`);
