export { trackDivergences } from "./divergence";
export { readReversalFacts, readStandingReversal, type StandingReversal, type StoredPayment } from "./reversals";
export { appendTrax, type Family, type NewEntry, readPaymentKeys, type StoredTrax, type TraxRecord } from "./trax";
export { restoreLostAttempts } from "./lost-attempts";
export { type AccountTotal, ensureMonthPartitions, readTrialBalance } from "./books";
export * from "./seal";
export {
  appendClearings,
  type BrokenReceivable,
  isCleared,
  isReversed,
  latestClearing,
  readBrokenReceivables,
  readBrokenReceivablesOn,
  readReceivables,
  type ReceivableClearing,
  ReceivableTaken,
} from "./receivables";
export { CHART, type ChartAccount } from "./chart";
export { findContradictions, type Recomputed } from "./recomputed";
export { appendOperatorEntry, type OperatorEntry } from "./operator-entries";
