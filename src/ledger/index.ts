export { appendTrax, type Family, readPaymentKeys, type StoredTrax, type TraxRecord } from "./trax";
export { type AccountTotal, ensureMonthPartitions, readTrialBalance } from "./books";
