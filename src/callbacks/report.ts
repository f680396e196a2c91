import type { Logger, Metrics } from "../platform";
import type { ClaimedEvent, DeliveryResult } from "./outbox";

/** Counts and logs how an attempt to deliver an event ended. Never names a customer. */
export function reportDelivery(logger: Logger, metrics: Metrics) {
  return (event: ClaimedEvent, { fault, durationMs }: DeliveryResult, isDead: boolean): void => {
    const isMail = event.kind.startsWith("email.");
    const result = fault === null ? "delivered" : isDead ? "dead" : "failed";
    if (isMail) metrics.countMail(result);
    else metrics.countCallback(result);
    const { eventId, merchantId, kind, attempt } = event;
    const facts = { eventId, merchantId, kind, attempt, fault: fault ?? undefined, durationMs: Math.round(durationMs) };
    const what = isMail ? "mail" : "callback";
    if (isDead) logger.error(facts, `${what} is a dead letter`);
    else logger.info(facts, fault === null ? `${what} delivered` : `${what} failed, will be tried again`);
  };
}
