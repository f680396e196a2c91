export { type ClockWatch, openClockWatch, readClockSkew } from "./clock-watch";
export { type Attempt, dropExpiredAttempts, insertAttempts } from "./attempts";
export { type BillStandingOfLink, type LinkedBill, readLinkedBills, readLinkedStandings } from "./bill-links";
export { type BillClaim, cancelBill, claimBills, readBills } from "./bills";
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
export { type OperatorAction, recordOperatorAction, stateHash } from "./operator-actions";
export { type ProductUse, readProducts, readProductUse, saveProduct, type StoredProduct } from "./products";
export { GUARDED_TABLES, readSafeguards, RESERVED_COLUMNS, type Safeguards } from "./safeguards";
export { readServerState, type ServerState } from "./server-state";
export { readLiveQuotes, readLiveQuotesOfBill, saveQuotes, type StoredQuote } from "./quotes";
export {
  findMerchantBill,
  findMerchantBillByKey,
  insertMerchantBill,
  insertMerchantPayments,
  listMerchantBills,
  type MerchantBill,
  type MerchantPayment,
  readMerchantPayments,
  reinstateMerchantPayment,
  reverseMerchantPayment,
} from "./merchant-bills";
export {
  addMerchantSecret,
  retireMerchantSecrets,
  insertMerchant,
  type MerchantSecretKind,
  type NewMerchant,
  readMerchants,
  type StoredMerchant,
} from "./merchants";
