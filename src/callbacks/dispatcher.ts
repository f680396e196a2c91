import { type Clock, type Db, deadlineIn, messageOf, sleep, type Tx } from "../platform";
import { hmacOf, legacyMerchantSignature } from "../wire";
import { retryPauseMs } from "./backoff";
import { claimDueEvents, type ClaimedEvent, type DeliveryResult, recordDelivery } from "./outbox";
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

/** Delivers events in the background, at least once each. */
export interface Dispatcher {
  /** Stops claiming and waits for what is being sent. */
  close(): Promise<void>;
}

/** Settings of the dispatcher. */
export interface DispatcherOptions {
  readonly db: Db;
  readonly clock: Clock;
  readonly contactOf: (merchantId: number) => MerchantContact | null;
  /** Names and addresses that may be private: see `faultOfCallbackUrl`. */
  readonly allowedHosts: readonly string[];
  readonly resolve?: Resolve;
  readonly onDelivered: (event: ClaimedEvent, result: DeliveryResult, isDead: boolean) => void;
  readonly onFault: (fault: unknown, where: string) => void;
}

/** Times in milliseconds. */
const POLL_MS = 250;
const REST_AFTER_FAULT_MS = 2_000;
const LEASE_MS = 30_000;
const DATABASE_TIMEOUT_MS = 5_000;
const IN_FLIGHT_MAX = 32;
const PER_MERCHANT_MAX = 4;

/** Starts it. Several processes may run one each: a claim keeps them apart. */
export function openDispatcher(options: DispatcherOptions): Dispatcher {
  const closing = new AbortController();
  const inFlight = new Map<Promise<void>, number>();
  const transact = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    options.db.withTransaction(deadlineIn(options.clock, DATABASE_TIMEOUT_MS), work);

  async function deliver(event: ClaimedEvent): Promise<void> {
    const result = await attempt(options, event);
    const retryInMs = result.fault === null ? null : retryPauseMs(event.attempt, Math.random());
    try {
      await transact((tx) => recordDelivery(tx, event, result, retryInMs));
      options.onDelivered(event, result, result.fault !== null && retryInMs === null);
    } catch (error) {
      // The lease runs out and it is sent again, under the same event id: at least once.
      options.onFault(error, "recording a callback");
    }
  }

  /** Merchants that have as much in flight as one may have. */
  function busyMerchants(): number[] {
    const counts = new Map<number, number>();
    for (const merchantId of inFlight.values()) counts.set(merchantId, (counts.get(merchantId) ?? 0) + 1);
    return [...counts].flatMap(([merchantId, count]) => (count >= PER_MERCHANT_MAX ? [merchantId] : []));
  }

  async function round(): Promise<number> {
    const limit = IN_FLIGHT_MAX - inFlight.size;
    if (limit <= 0) return 0;
    const claim = { limit, perMerchant: PER_MERCHANT_MAX, leaseMs: LEASE_MS, except: busyMerchants() };
    const events = await transact((tx) => claimDueEvents(tx, claim));
    for (const event of events) {
      const sending: Promise<void> = deliver(event).finally(() => inFlight.delete(sending));
      inFlight.set(sending, event.merchantId);
    }
    return events.length;
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        const claimed = await round();
        if (claimed === 0) await sleep(POLL_MS);
      } catch (error) {
        options.onFault(error, "claiming callbacks");
        await sleep(REST_AFTER_FAULT_MS);
      }
    }
  }

  const running = run();
  return {
    async close() {
      closing.abort();
      await running;
      await Promise.all(inFlight.keys());
    },
  };
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
