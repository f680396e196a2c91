export { type Attempt, insertAttempts } from "./attempts";
export { type BillClaim, claimBills, readBills } from "./bills";
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
  type PartnerWithSecrets,
  readPartners,
} from "./partners";
export { readProducts, saveProduct, type StoredProduct } from "./products";
export { readSafeguards, type Safeguards } from "./safeguards";
export { readServerState, type ServerState } from "./server-state";
export { readLiveQuotes, saveQuotes, type StoredQuote } from "./quotes";
