import type { Attempted } from "../../domain";
import type { ImportedFile } from "./import-file";
import { FILE_COLUMNS } from "./known-files";
import type { Session } from "./session";

/** Which results are wanted; null: whatever. */
export interface ResultFilter {
  readonly profileCode: string | null;
  readonly settlementDate: string | null;
  readonly fileId: number | null;
  readonly lineNo: number | null;
  readonly traxId: string | null;
  /** A class, or `unreadable` or `undecided`. */
  readonly class: string | null;
  /** Leave out what is matched. */
  readonly onlyOpen: boolean;
  readonly limit: number;
}

/** What is known of a line, or of a payment that no line speaks of. Whole rupiah. */
export interface ResultRow {
  readonly fileId: number | null;
  readonly lineNo: number | null;
  readonly traxId: string | null;
  readonly billNumber: string | null;
  readonly amount: bigint | null;
  readonly class: string;
  readonly rule: string | null;
  readonly difference: bigint | null;
  readonly feeDifference: bigint | null;
  readonly entryId: string | null;
  readonly nearestTraxId: string | null;
  readonly blockedBy: string | null;
  readonly differingFields: readonly string[] | null;
  readonly tried: readonly Attempted[] | null;
  readonly findingId: string | null;
  /** The exception that the finding belongs to. */
  readonly itemId: string | null;
  readonly resolvedAt: Date | null;
  /** Of a line that cannot be read. */
  readonly fault: string | null;
  readonly raw: string | null;
}

/** Files of a profile or of a date, the latest first. */
export function listFiles(
  { run }: Session,
  filter: Pick<ResultFilter, "profileCode" | "settlementDate" | "limit">,
): Promise<
  (ImportedFile & { readonly profileCode: string; readonly importedAt: Date; readonly importedBy: string })[]
> {
  return run(
    `select ${FILE_COLUMNS}, f.profile_code as "profileCode", f.imported_at as "importedAt", f.imported_by as "importedBy"
       from settlement_file f
      where ($1::text is null or f.profile_code = $1) and ($2::date is null or f.settlement_date = $2::date)
      order by f.settlement_date desc, f.file_id desc limit $3`,
    [filter.profileCode, filter.settlementDate, filter.limit],
  );
}

/** Results line by line, those of payments without a line at the end. */
export function listResults({ run }: Session, filter: ResultFilter): Promise<ResultRow[]> {
  return run<ResultRow>(
    `select * from (
       select r.file_id as "fileId", r.line_no as "lineNo", r.trax_id as "traxId", r.bill_number as "billNumber", r.amount,
              r.class, r.rule, r.difference, r.fee_difference as "feeDifference", r.entry_id as "entryId",
              r.nearest_trax_id as "nearestTraxId", r.blocked_by as "blockedBy", r.differing_fields as "differingFields",
              r.tried, r.finding_id as "findingId",
              (select i.item_id from reconciliation_finding i where i.finding_id = r.finding_id) as "itemId",
              r.resolved_at as "resolvedAt", r.fault, r.raw
         from settlement_line_result r
         join settlement_file f on f.file_id = r.file_id and f.superseded_by is null
        where ($1::text is null or f.profile_code = $1) and ($2::date is null or f.settlement_date = $2::date)
          and ($3::int is null or r.file_id = $3) and ($4::int is null or r.line_no = $4)
          and ($5::text is null or r.trax_id = $5)
       union all
       select null, null, f.nearest_trax_id, e.bill_number, f.amount, f.class, f.rule, f.difference, f.fee_difference,
              f.entry_id, null, f.blocked_by, f.differing_fields, f.tried, f.finding_id, f.item_id, f.resolved_at,
              null, null
         from reconciliation_finding f
         left join journal_entry e on e.entry_id = f.entry_id and e.business_date = f.entry_date
        where f.class = 'missing-in-file' and f.replaced_by_run is null and $3::int is null and $4::int is null
          and ($1::text is null or f.profile_code = $1) and ($2::date is null or f.business_date = $2::date)
          and ($5::text is null or f.nearest_trax_id = $5)) as results
      where ($6::text is null or class = $6) and (not $7::boolean or class <> 'matched')
      order by "fileId", "lineNo", "traxId" limit $8`,
    [
      ...[filter.profileCode, filter.settlementDate, filter.fileId, filter.lineNo, filter.traxId],
      ...[filter.class, filter.onlyOpen, filter.limit],
    ],
  );
}
