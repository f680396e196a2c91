import type { Column, Row } from "../audit/columns";
import { FORMATS } from "../audit/export-formats";
import type { DayClose } from "./close";
import { parseBody } from "./close";
import { reportPdf } from "./report-pdf";
import { REPORT_WORDS, type ReportLanguage } from "./words";

/** What a report may be asked for as. */
export const REPORT_FORMATS = ["csv", "xlsx", "pdf", "json"] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** One line of a report; amounts are digits of whole rupiah, with a minus where they are negative. */
export interface ReportRow {
  readonly section: string;
  readonly item: string;
  readonly detail: string;
  readonly count: number | null;
  readonly amount: string | null;
}

/** A report of a closed day, made from the stored bytes alone: the same whenever it is asked for. `json` is those bytes. */
export async function reportOf(close: DayClose, format: ReportFormat, language: ReportLanguage): Promise<Buffer> {
  if (format === "json") return Buffer.from(close.body, "utf8");
  const rows = rowsOf(close, language);
  if (format === "pdf") return reportPdf(close, rows, language);
  const words = REPORT_WORDS[language];
  const column = (name: string, kind: Column["kind"]): Column => ({ name, kind, sql: "" });
  const columns = [
    ...[column(words.section, "text"), column(words.item, "text"), column(words.detail, "text")],
    ...[column(words.count, "number"), column(words.amount, "amount")],
  ];
  const writer = FORMATS[format].open(columns, `${words.title} ${close.businessDate}`);
  const asRow = (row: ReportRow): Row => ({
    ...{ [words.section]: row.section, [words.item]: row.item, [words.detail]: row.detail },
    ...{ [words.count]: row.count, [words.amount]: row.amount },
  });
  return Buffer.concat([writer.head(), writer.rows(rows.map(asRow)), writer.end()]);
}

/** Everything that a closed day says, line by line. */
export function rowsOf(close: DayClose, language: ReportLanguage): ReportRow[] {
  const body = parseBody(close);
  const words = REPORT_WORDS[language];
  const row = (section: string, item: string, more: Partial<ReportRow> = {}): ReportRow => ({
    ...{ section, item, detail: "", count: null, amount: null },
    ...more,
  });
  const { receivable } = body;
  return [
    row(words.title, words.businessDate, { detail: body.businessDate }),
    row(words.title, words.asOf, { detail: body.asOf }),
    row(words.title, words.closedBy, { detail: close.closedBy }),
    row(words.title, "SHA-256", { detail: close.sha256 }),
    row(words.title, words.previous, { detail: body.previousSha256 ?? "-" }),
    ...(["opening", "accepted", "reversed", "settled", "corrected", "late", "closing"] as const).map((name) =>
      row(words.receivable, words[name], { amount: receivable[name] }),
    ),
    ...body.accounts.flatMap(({ account, ...sums }) =>
      (["opening", "debits", "credits", "late", "closing"] as const).map((name) =>
        row(words.accounts, account, { detail: words[name], amount: sums[name] }),
      ),
    ),
    ...body.products.map(({ product, family, outcome, count, amount, fee }) =>
      row(words.products, product, { detail: `${family}, ${outcome}, ${words.fee} ${fee}`, count, amount }),
    ),
    ...body.files.map((file) =>
      row(words.files, file.name, {
        detail: `${file.profile} v${file.version}, ${file.badLines} ${words.unreadable}, SHA-256 ${file.sha256}`,
        ...{ count: file.lines, amount: file.amount },
      }),
    ),
    ...body.reconciliation.map((each) =>
      row(words.reconciliation, each.class, {
        detail: `${each.profile}, ${words.difference} ${each.difference}, ${words.resolved} ${each.resolved}`,
        ...{ count: each.count, amount: each.amount },
      }),
    ),
    ...body.posted.map((each) =>
      row(words.posted, each.profile, { detail: each.kind, count: each.count, amount: each.amount }),
    ),
    ...body.openExceptions.map((each) =>
      row(words.openExceptions, each.class, {
        detail: `${words.difference} ${each.difference}`,
        ...{ count: each.count, amount: each.amount },
      }),
    ),
    row(words.openExceptions, words.waiting, { count: body.waitingProposals }),
    ...body.late.map((each) =>
      row(words.late, each.traxId, {
        detail: `${each.businessDate}, ${each.kind}, ${each.entryId}`,
        amount: each.amount,
      }),
    ),
  ];
}
