export {
  type ImportedFile,
  type ImportOutcome,
  type ImportRequest,
  importSettlementFile,
  type SupplementRequest,
} from "./reconciliation/import-file";
export {
  DEFAULT_DUE,
  type Expectation,
  EXPECTED_DAYS,
  type ExpectationRequest,
  listExpectations,
  setExpectation,
} from "./reconciliation/expectations";
export {
  type ExpectedFile,
  readExpectedFiles,
  trackMissingFiles,
  type UnexpectedPayments,
} from "./reconciliation/expected-files";
export { listProfiles, type ProfileRow, readProfile, saveProfile, type StoredProfile } from "./reconciliation/profiles";
export {
  type ResultChange,
  runReconciliation,
  type RunReport,
  type RunRequest,
  type RunSummary,
  summaryOf,
} from "./reconciliation/run";
export { inSession, type Session, txOf } from "./reconciliation/session";
export { listFiles, listResults, type ResultFilter, type ResultRow } from "./reconciliation/show";
export * from "./audit";
export * from "./exceptions";
export * from "./settlement";
export * from "./close";
export * from "./recon-desk";
