export { RETRY_PAUSES_MS, retryPauseMs } from "./backoff";
export type { DeliveryPoint } from "./delivery-point";
export { type MerchantContact, openDispatcher } from "./dispatcher";
export type { Dispatcher } from "./lane";
export { type Composed, openMailLane } from "./mail-lane";
export { type Mail, type Mailer, openMailer } from "./mailer";
export {
  claimDueEvents,
  type ClaimedEvent,
  type DeliveryResult,
  enqueueEvents,
  type EventKind,
  type Lane,
  type NewEvent,
  recordDelivery,
} from "./outbox";
export { type EventRow, type EventState, listEvents, replayEvents } from "./queries";
export { reportDelivery } from "./report";
export { faultOfCallbackUrl, isPublic, type Resolve, vetTarget, type VettedTarget } from "./vetted-address";
export * from "./checkpoints";
