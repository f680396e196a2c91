export { appendTrax, type Family, readPaymentKeys, type StoredTrax, type TraxRecord } from "./trax";
export { restoreLostAttempts } from "./lost-attempts";
export { type AccountTotal, ensureMonthPartitions, readTrialBalance } from "./books";
