import type { FilterSpecs } from "./filters";
import { type Branch, type Listing, listingOf } from "./listing";
import { bounded, BY_TIME, fromTo, PARTNER_NAME } from "./listing-parts";

const PROFILE: FilterSpecs = { profile: { kind: "text", about: "profile of the file", sql: "s.profile_code = ?" } };
const SETTLEMENT_DATES: FilterSpecs = {
  settlementFrom: { kind: "date", about: "first settlement date", sql: "s.settlement_date >= ?::date" },
  settlementTo: { kind: "date", about: "last settlement date", sql: "s.settlement_date <= ?::date" },
};
const AMOUNTS: FilterSpecs = {
  amountMin: { kind: "amount", about: "smallest amount", sql: "s.amount >= ?::bigint" },
  amountMax: { kind: "amount", about: "largest amount", sql: "s.amount <= ?::bigint" },
};

/** Settlement files as they were received, every version of each. */
const files = listingOf({
  name: "settlement-files",
  scope: "payments",
  about: "Settlement files that were imported: every version, with digest and totals",
  key: [{ name: "file_id", type: "int" }],
  branches: [
    {
      from: "settlement_file f",
      key: ["f.file_id"],
      fields: `f.file_name, f.profile_code, f.profile_version, f.version, f.partner_id, f.settlement_date, f.product_codes,
               f.content_sha256, f.byte_count, f.line_count, f.bad_line_count, f.amount_total, f.fee_total, f.totals_fault,
               f.remarks, f.imported_by, f.imported_at, f.superseded_by, f.supplement_of`,
    },
  ],
  columns: [
    ["fileId", "number", "s.file_id"],
    ["fileName", "text", "s.file_name"],
    ["version", "number", "s.version"],
    ["profile", "text", "s.profile_code"],
    ["profileVersion", "number", "s.profile_version"],
    ["partner", "text", PARTNER_NAME],
    ["settlementDate", "date", "s.settlement_date"],
    ["productCodes", "json", "to_json(s.product_codes)"],
    ["sha256", "text", "encode(s.content_sha256, 'hex')"],
    ["bytes", "amount", "s.byte_count"],
    ["lines", "number", "s.line_count"],
    ["badLines", "number", "s.bad_line_count"],
    ["amountTotal", "amount", "s.amount_total"],
    ["feeTotal", "amount", "s.fee_total"],
    ["totalsFault", "text", "s.totals_fault"],
    ["remarks", "json", "to_json(s.remarks)"],
    ["importedBy", "text", "s.imported_by"],
    ["importedAt", "time", "s.imported_at"],
    ["supersededBy", "number", "s.superseded_by"],
    ["supplementOf", "number", "s.supplement_of"],
  ],
  filters: {
    ...{ ...PROFILE, ...SETTLEMENT_DATES },
    state: {
      kind: "choice",
      choices: ["current", "superseded"],
      about: "whether a later version took its place",
      sql: "(case when s.superseded_by is null then 'current' else 'superseded' end) = ?",
    },
  },
});

/** Two block-range filters over what was received find a traxId or a bill without a tree over every line. */
const lineOf = (where?: string): Branch => ({
  from: `settlement_line_result l join settlement_file f on f.file_id = l.file_id`,
  ...(where === undefined ? {} : { where }),
  key: ["l.file_id", "l.line_no"],
  fields: `l.trax_id, l.product_code, l.bill_number, l.amount, l.fee_amount, l.business_date, l.status, l.class, l.rule,
           l.entry_id, l.head_line_no, l.run_id, l.finding_id, l.fault, f.profile_code, f.file_name, f.version,
           f.settlement_date, f.superseded_by`,
});
const LINE_CLASSES = [
  ...["matched", "unreadable", "undecided", "amount-differs", "fee-differs", "missing-here", "duplicate-in-file"],
  ...["status-differs", "wrong-business-date", "reversed-here", "reversed-there"],
] as const;

/** Lines of settlement files, and what each was found to stand for. */
const lines = listingOf({
  name: "settlement-lines",
  scope: "payments",
  about: "Lines of settlement files with the payment that each stands for, or why there is none",
  key: [
    { name: "file_id", type: "int" },
    { name: "line_no", type: "int" },
  ],
  branches: [lineOf()],
  direct: {
    entryId: lineOf("l.entry_id = ?::uuid"),
    traxId: lineOf("l.trax_id = ?"),
    bill: lineOf(
      "l.bill_number = split_part(?, ':', 2) and coalesce(l.product_code, split_part(?, ':', 1)) = split_part(?, ':', 1)",
    ),
    file: lineOf("l.file_id = ?::int"),
  },
  columns: [
    ["fileId", "number", "s.file_id"],
    ["lineNo", "number", "s.line_no"],
    ["fileName", "text", "s.file_name"],
    ["fileVersion", "number", "s.version"],
    ["isSuperseded", "boolean", "s.superseded_by is not null"],
    ["profile", "text", "s.profile_code"],
    ["settlementDate", "date", "s.settlement_date"],
    ["traxId", "text", "s.trax_id"],
    ["productCode", "text", "s.product_code"],
    ["billNumber", "text", "s.bill_number"],
    ["amount", "amount", "s.amount"],
    ["feeAmount", "amount", "s.fee_amount"],
    ["businessDate", "date", "s.business_date"],
    ["status", "text", "s.status"],
    ["class", "text", "s.class"],
    ["rule", "text", "s.rule"],
    ["entryId", "text", "s.entry_id::text"],
    ["headLineNo", "number", "s.head_line_no"],
    ["runId", "number", "s.run_id"],
    ["findingId", "text", "s.finding_id::text"],
    ["fault", "text", "s.fault"],
  ],
  filters: {
    traxId: { kind: "traxId", about: "the switch's reference, as the file has it", sql: "s.trax_id = ?" },
    bill: {
      kind: "bill",
      about: "productCode:billNumber; also lines that name no product",
      sql: "s.bill_number = split_part(?, ':', 2) and coalesce(s.product_code, split_part(?, ':', 1)) = split_part(?, ':', 1)",
    },
    entryId: { kind: "uuid", about: "the journal entry that the line stands for", sql: "s.entry_id = ?::uuid" },
    file: { kind: "number", about: "fileId", sql: "s.file_id = ?::int" },
    class: {
      kind: "choice",
      choices: LINE_CLASSES,
      about: "what comparing it with the books found",
      sql: "s.class = ?",
    },
    ...{ ...PROFILE, ...SETTLEMENT_DATES, ...AMOUNTS },
  },
});

const FINDING: Omit<Branch, "where"> = {
  from: "reconciliation_finding f",
  key: ["f.found_at", "f.finding_id"],
  fields: `f.run_id, f.profile_code, f.business_date as settlement_date, f.file_id, f.line_no, f.entry_id, f.entry_date, f.class, f.rule,
           f.amount, f.difference, f.fee_difference, f.nearest_trax_id, f.nearest_entry_id, f.blocked_by,
           f.differing_fields, f.tried, f.replaced_by_run, f.resolved_at, f.item_id, f.resolved_because`,
};
const FINDING_CLASSES = [
  ...["amount-differs", "fee-differs", "missing-here", "missing-in-file", "duplicate-in-file", "status-differs"],
  ...["wrong-business-date", "reversed-here", "reversed-there"],
] as const;

/** What did not agree between a settlement file and the books, also what later runs have replaced. */
const findings = listingOf({
  name: "reconciliation-findings",
  scope: "payments",
  about: "What did not agree between settlement files and the books: open, resolved, and replaced by later runs",
  key: BY_TIME,
  branches: [{ ...FINDING, ...bounded }],
  join: `left join settlement_line l on l.file_id = s.file_id and l.line_no = s.line_no
         left join journal_entry e on e.entry_id = s.entry_id and e.business_date = s.entry_date`,
  columns: [
    ["findingId", "text", "s.id::text"],
    ["foundAt", "time", "s.at"],
    ["runId", "number", "s.run_id"],
    ["profile", "text", "s.profile_code"],
    ["settlementDate", "date", "s.settlement_date"],
    ["class", "text", "s.class"],
    ["fileId", "number", "s.file_id"],
    ["lineNo", "number", "s.line_no"],
    ["traxId", "text", "coalesce(l.trax_id, e.trax_id)"],
    ["billNumber", "text", "coalesce(l.bill_number, split_part(e.bill_key, ':', 2))"],
    ["entryId", "text", "s.entry_id::text"],
    ["amount", "amount", "s.amount"],
    ["difference", "amount", "s.difference"],
    ["feeDifference", "amount", "s.fee_difference"],
    ["rule", "text", "s.rule"],
    ["nearestTraxId", "text", "s.nearest_trax_id"],
    ["nearestEntryId", "text", "s.nearest_entry_id::text"],
    ["blockedBy", "text", "s.blocked_by"],
    ["differingFields", "json", "to_json(s.differing_fields)"],
    ["tried", "json", "s.tried"],
    ["replacedByRun", "number", "s.replaced_by_run"],
    ["resolvedAt", "time", "s.resolved_at"],
    ["resolvedBecause", "text", "s.resolved_because"],
    ["itemId", "text", "s.item_id::text"],
  ],
  filters: {
    class: { kind: "choice", choices: FINDING_CLASSES, about: "what did not agree", sql: "s.class = ?" },
    state: {
      kind: "choice",
      choices: ["open", "resolved", "replaced"],
      about: "whether somebody still has to look at it",
      sql: `(case when s.replaced_by_run is not null then 'replaced' when s.resolved_at is not null then 'resolved'
                  else 'open' end) = ?`,
    },
    file: { kind: "number", about: "fileId", sql: "s.file_id = ?::int" },
    run: { kind: "number", about: "runId", sql: "s.run_id = ?::int" },
    ...{ ...PROFILE, ...SETTLEMENT_DATES, ...AMOUNTS, ...fromTo("found") },
  },
});

export { files as RECON_FILES, findings as RECON_FINDINGS, lines as RECON_LINES };

/** The listings of settlement: files, their lines, and what did not agree. */
export const SETTLEMENT_LISTINGS: readonly Listing[] = [files, lines, findings];
