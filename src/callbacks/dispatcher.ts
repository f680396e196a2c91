import { messageOf } from "../platform";
import { hmacOf, legacyMerchantSignature } from "../wire";
import { type DeliveryOptions, type Dispatcher, openLane } from "./lane";
import type { ClaimedEvent, DeliveryResult } from "./outbox";
import { queueReceiptOf } from "./receipts";
import { sendCallback } from "./send";
import { type Resolve, vetTarget } from "./vetted-address";

/** What has to be known of a merchant to tell it something. */
export interface MerchantContact {
  readonly serviceId: string;
  readonly userName: string;
  readonly callbackUrl: string | null;
  readonly secrets: {
    readonly password: readonly string[];
    /** Keys that sign callbacks; all of them sign, so that one can be replaced at leisure. */
    readonly callback: readonly string[];
  };
}

/** Settings of the dispatcher. */
export interface DispatcherOptions extends DeliveryOptions {
  readonly contactOf: (merchantId: number) => MerchantContact | null;
  /** Names and addresses that may be private: see `faultOfCallbackUrl`. */
  readonly allowedHosts: readonly string[];
  readonly resolve?: Resolve;
  /** Whether customers are mailed receipts: they are queued with the first attempt to tell the merchant. */
  readonly sendsMail: boolean;
}

/** Starts delivering callbacks. */
export function openDispatcher(options: DispatcherOptions): Dispatcher {
  return openLane({
    ...options,
    lane: "callback",
    ...{ inFlightMax: 32, perMerchantMax: 4, leaseMs: 30_000, pollMs: 250 },
    attempt: (event) => attempt(options, event),
    alsoRecord: async (tx, event) => {
      if (options.sendsMail) await queueReceiptOf(tx, event.eventId);
    },
  });
}

async function attempt(options: DispatcherOptions, event: ClaimedEvent): Promise<DeliveryResult> {
  const contact = options.contactOf(event.merchantId);
  const nothing = { durationMs: 0, httpStatus: null };
  if (contact === null) return { ...nothing, fault: "the merchant is not active" };
  if (contact.callbackUrl === null) return { ...nothing, fault: "the merchant has no callback address" };
  try {
    const target = await vetTarget(contact.callbackUrl, options.allowedHosts, options.resolve);
    const { body, headers } = signed(event, contact, options.clock.nowMs());
    return await sendCallback(target, body, headers);
  } catch (error) {
    return { ...nothing, fault: messageOf(error).slice(0, 200) };
  }
}

/** The body with the published signature in it, and ours over id, time and body in headers, one for each key. */
function signed(
  event: ClaimedEvent,
  { serviceId, userName, secrets }: MerchantContact,
  nowMs: number,
): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  const { transaction_number: given } = event.payload;
  const number = typeof given === "string" ? given : "";
  const signature = legacyMerchantSignature(userName, secrets.password[0] ?? "", number);
  const body = JSON.stringify({ service_id: serviceId, ...event.payload, signature });
  const timestamp = String(Math.floor(nowMs / 1_000));
  return {
    body,
    headers: {
      "X-Event-Id": event.eventId,
      "X-Event-Kind": event.kind,
      "X-Timestamp": timestamp,
      "X-Signature": secrets.callback.map((key) => `v1=${hmacOf(key, event.eventId, timestamp, body)}`).join(","),
    },
  };
}
