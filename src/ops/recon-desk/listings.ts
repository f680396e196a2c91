import { type Branch, type Listing, listingOf } from "../audit/listing";
import { BY_TIME, bounded, fromTo } from "../audit/listing-parts";
import { RECON_FILES, RECON_FINDINGS, RECON_LINES } from "../audit/settlement-listings";

/** The same rows as auditors see, for those who work on them. */
const workedOn = (listing: Listing, name: string, more: Partial<Listing> = {}): Listing => ({
  ...{ ...listing, name, scope: "recon:read" },
  ...more,
});

/** Files that were imported, every version. */
export const FILES = workedOn(RECON_FILES, "files", {
  direct: { file: RECON_FILES.branches.map((branch) => ({ ...branch, where: "f.file_id = ?::int" })) },
  filters: { file: { kind: "number", about: "fileId", sql: "s.file_id = ?::int" }, ...RECON_FILES.filters },
});
/** What did not agree, open, resolved or replaced. */
export const FINDINGS = workedOn(RECON_FINDINGS, "findings");

const WHY = listingOf({
  ...RECON_LINES,
  columns: [
    ["difference", "amount", "s.difference"],
    ["feeDifference", "amount", "s.fee_difference"],
    ["differingFields", "json", "to_json(s.differing_fields)"],
    ["blockedBy", "text", "s.blocked_by"],
    ["nearestTraxId", "text", "s.nearest_trax_id"],
    ["nearestEntryId", "text", "s.nearest_entry_id::text"],
    ["tried", "json", "s.tried"],
    ["resolvedAt", "time", "s.resolved_at"],
    ["raw", "text", "s.raw"],
  ],
});
const withWhy = (fields: string): string =>
  `${fields}, l.difference, l.fee_difference, l.differing_fields, l.blocked_by, l.nearest_trax_id, l.nearest_entry_id,
   l.tried, l.resolved_at, l.raw`;

/** Lines of files with everything that was tried on those that did not agree. */
export const LINES = workedOn(RECON_LINES, "lines", {
  about:
    "Lines of settlement files, with the rules that were tried on them, the nearest payment and the field that blocked it",
  columns: [...RECON_LINES.columns, ...WHY.columns],
  branches: RECON_LINES.branches.map((branch) => ({ ...branch, fields: withWhy(branch.fields) })),
  direct: Object.fromEntries(
    Object.entries(RECON_LINES.direct).map(([filter, branches]) => [
      filter,
      [branches].flat().map((branch) => ({ ...branch, fields: withWhy(branch.fields) })),
    ]),
  ),
});

const RUN: Branch = {
  from: "reconciliation_run r",
  key: ["r.run_id"],
  fields: `r.profile_code, r.profile_version, r.settlement_date, r.started_by, r.started_at, r.finished_at, r.summary, r.rules`,
};

/** Runs, the latest first. */
export const RUNS = listingOf({
  name: "runs",
  scope: "recon:read",
  about: "Runs of reconciliation with what each of them left",
  key: [{ name: "run_id", type: "int" }],
  branches: [RUN],
  direct: { run: { ...RUN, where: "r.run_id = ?::int" } },
  columns: [
    ["runId", "number", "s.run_id"],
    ["profile", "text", "s.profile_code"],
    ["profileVersion", "number", "s.profile_version"],
    ["settlementDate", "date", "s.settlement_date"],
    ["startedBy", "text", "s.started_by"],
    ["startedAt", "time", "s.started_at"],
    ["finishedAt", "time", "s.finished_at"],
    ["summary", "json", "s.summary"],
    ["rules", "json", "s.rules"],
  ],
  filters: {
    run: { kind: "number", about: "runId", sql: "s.run_id = ?::int" },
    profile: { kind: "text", about: "profile of the files", sql: "s.profile_code = ?" },
    settlementFrom: { kind: "date", about: "first settlement date", sql: "s.settlement_date >= ?::date" },
    settlementTo: { kind: "date", about: "last settlement date", sql: "s.settlement_date <= ?::date" },
  },
});

const PROPOSAL: Branch = {
  from: "exception_proposal p",
  key: ["p.proposed_at", "p.proposal_id"],
  fields: `p.batch_id, p.item_kind, p.item_id, p.action, p.account_code, p.target_entry_id, p.amount, p.facts, p.reason,
           p.proposed_by, p.proposed_via, p.decision, p.decided_by, p.decided_via, p.decided_at, p.decision_note,
           p.last_failed_at, p.last_failure`,
  ...bounded,
};

/** Proposals, waiting or decided. */
export const PROPOSALS = listingOf({
  name: "proposals",
  scope: "recon:read",
  about: "Actions that move money: who proposed what for which exception, and who decided",
  key: BY_TIME,
  branches: [PROPOSAL],
  direct: {
    proposal: { ...PROPOSAL, where: "p.proposal_id = ?::uuid" },
    item: { ...PROPOSAL, where: "p.item_id = ?::uuid" },
  },
  columns: [
    ["proposalId", "text", "s.id::text"],
    ["batchId", "text", "s.batch_id::text"],
    ["itemKind", "text", "s.item_kind"],
    ["itemId", "text", "s.item_id::text"],
    ["action", "text", "s.action"],
    ["account", "text", "s.account_code"],
    ["targetEntryId", "text", "s.target_entry_id::text"],
    ["amount", "amount", "s.amount"],
    ["facts", "json", "s.facts"],
    ["reason", "text", "s.reason"],
    ["proposedBy", "text", "s.proposed_by"],
    ["proposedVia", "text", "s.proposed_via"],
    ["proposedAt", "time", "s.at"],
    ["decision", "text", "s.decision"],
    ["decidedBy", "text", "s.decided_by"],
    ["decidedVia", "text", "s.decided_via"],
    ["decidedAt", "time", "s.decided_at"],
    ["note", "text", "s.decision_note"],
    ["lastFailedAt", "time", "s.last_failed_at"],
    ["lastFailure", "text", "s.last_failure"],
  ],
  filters: {
    state: {
      kind: "choice",
      choices: ["waiting", "approved", "refused", "withdrawn", "lapsed"],
      about: "whether somebody still has to decide",
      sql: "coalesce(s.decision, 'waiting') = ?",
    },
    failed: {
      kind: "choice",
      choices: ["true"],
      about: "only those that were approved and could not be done",
      sql: "(s.last_failed_at is not null)::text = ?",
    },
    proposal: { kind: "uuid", about: "proposalId", sql: "s.id = ?::uuid" },
    item: { kind: "uuid", about: "the exception that it is about", sql: "s.item_id = ?::uuid" },
    batch: { kind: "uuid", about: "proposed together", sql: "s.batch_id = ?::uuid" },
    proposedBy: { kind: "person", about: "who proposed", sql: "lower(s.proposed_by) = lower(?)" },
    ...fromTo("proposed"),
  },
});

/** Closed days, the latest first. */
export const DAYS = listingOf({
  name: "days",
  scope: "recon:read",
  about: "Closed business dates, every version, with the hash of each, and that of the day before",
  key: [
    { name: "day", type: "text" },
    { name: "version", type: "int" },
  ],
  branches: [
    {
      from: "day_close c left join day_reopening r on r.business_date = c.business_date and r.version = c.version",
      key: ["c.business_date::text", "c.version"],
      fields: `c.as_of, c.sha256, c.previous_sha256, c.closed_by, c.closed_at, r.reopened_at, r.reason, r.proposed_by,
               r.approved_by`,
      bounds: ({ businessFrom: from }) => ({ from }),
    },
  ],
  columns: [
    ["businessDate", "text", "s.day"],
    ["version", "number", "s.version"],
    ["asOf", "time", "s.as_of"],
    ["sha256", "text", "encode(s.sha256, 'hex')"],
    ["previousSha256", "text", "encode(s.previous_sha256, 'hex')"],
    ["closedBy", "text", "s.closed_by"],
    ["closedAt", "time", "s.closed_at"],
    ["reopenedAt", "time", "s.reopened_at"],
    ["reopenedBecause", "text", "s.reason"],
    ["reopeningProposedBy", "text", "s.proposed_by"],
    ["reopeningApprovedBy", "text", "s.approved_by"],
  ],
  filters: {
    businessFrom: { kind: "date", about: "first business date", sql: "s.day >= ?" },
    businessTo: { kind: "date", about: "last business date", sql: "s.day <= ?" },
  },
});

/** All lists of the reconciliation API that are read by pages. */
export const RECON_LISTINGS: readonly Listing[] = [FILES, FINDINGS, LINES, RUNS, PROPOSALS, DAYS];
