export { RETRY_PAUSES_MS, retryPauseMs } from "./backoff";
export { type Dispatcher, type MerchantContact, openDispatcher } from "./dispatcher";
export {
  claimDueEvents,
  type ClaimedEvent,
  type DeliveryResult,
  enqueueEvents,
  type EventKind,
  type NewEvent,
  recordDelivery,
} from "./outbox";
export { type EventRow, type EventState, listEvents, replayEvents } from "./queries";
export { faultOfCallbackUrl, isPublic, type Resolve, vetTarget, type VettedTarget } from "./vetted-address";
