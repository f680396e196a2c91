export { type Attempt, dropExpiredAttempts, insertAttempts } from "./attempts";
export { type BillClaim, claimBills, readBills } from "./bills";
export { addDrift, type DriftCount, type DriftRow, listDrift } from "./drift";
export {
  closeExceptions,
  type ExceptionKind,
  type ExceptionRow,
  listExceptions,
  type NewException,
  openExceptions,
} from "./exceptions";
export {
  findItemConflicts,
  importBills,
  type ImportedBill,
  type ImportSummary,
  type ItemConflict,
} from "./import-bills";
export {
  insertPartner,
  listPartners,
  type NewPartner,
  type PartnerSummary,
  readDialect,
  readPartners,
  saveDialect,
  type StoredPartner,
} from "./partners";
export { type ProductUse, readProducts, readProductUse, saveProduct, type StoredProduct } from "./products";
export { readSafeguards, type Safeguards } from "./safeguards";
export { readServerState, type ServerState } from "./server-state";
export { readLiveQuotes, saveQuotes, type StoredQuote } from "./quotes";
