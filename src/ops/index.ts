export {
  type ImportedFile,
  type ImportOutcome,
  type ImportRequest,
  importSettlementFile,
} from "./reconciliation/import-file";
export { listProfiles, type ProfileRow, readProfile, saveProfile, type StoredProfile } from "./reconciliation/profiles";
export {
  type ResultChange,
  runReconciliation,
  type RunReport,
  type RunRequest,
  type RunSummary,
  summaryOf,
} from "./reconciliation/run";
export {
  type BadKind,
  type ProfileTrial,
  tryProfile,
  type TrialProblem,
  type TrialRequest,
} from "./reconciliation/try-profile";
export { inSession, type Session, txOf } from "./reconciliation/session";
export { listFiles, listResults, type ResultFilter, type ResultRow } from "./reconciliation/show";
export * from "./audit";
export * from "./exceptions";
export * from "./settlement";
export * from "./close";
export * from "./recon-desk";
