export { BALANCE_FILTERS, readBalances, trialBalanceOf } from "./balances";
export type { Row } from "./columns";
export { type Dossier, readDossier } from "./dossier";
export { dossierText } from "./dossier-text";
export { FORMAT_NAMES, type FormatName } from "./export-formats";
export { type Export, type ExportManifest, startExport } from "./exports";
export {
  canonicalDate,
  canonicalInstant,
  type FilterSpecs,
  LIMIT_MAX,
  type Question,
  readParameters,
  readQuestion,
} from "./filters";
export { type Listing, type Page, PAGE_BUDGET_MS, readPage, type Scope } from "./listing";
export { AUDIT_LISTINGS } from "./all-listings";
export { type AuditReader, type Freshness, openReader, readFreshness } from "./reader";
export { type AuditRead, openReadLog, type ReadLog } from "./read-log";
export {
  type AuditToken,
  createToken,
  findToken,
  listTokens,
  needsPerson,
  RECON_SCOPES,
  revokeToken,
  SCOPES,
} from "./tokens";
export { type AuditDesk, openAuditDesk } from "./desk";
export { findForgettable, type Forgettable, forgetBill, type ForgetOrder } from "./forget";
export {
  ARCHIVED_TABLES,
  type ArchivedTable,
  type ArchiveManifest,
  countLines,
  hasPartition,
  linesOf,
  makeRestoreTable,
  partitionOf,
  restoreLines,
} from "./archive";
