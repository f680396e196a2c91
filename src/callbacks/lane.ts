import { type Clock, type Db, deadlineIn, sleep, type Tx } from "../platform";
import { retryPauseMs } from "./backoff";
import type { DeliveryPoint } from "./delivery-point";
import { claimDueEvents, type ClaimedEvent, type DeliveryResult, type Lane, recordDelivery } from "./outbox";

/** Delivers the events of one lane in the background, at least once each. */
export interface Dispatcher {
  /** Stops claiming and waits for what is being sent. */
  close(): Promise<void>;
}

/** What every lane is run with. */
export interface DeliveryOptions {
  readonly db: Db;
  readonly clock: Clock;
  readonly onDelivered: (event: ClaimedEvent, result: DeliveryResult, isDead: boolean) => void;
  readonly onFault: (fault: unknown, where: string) => void;
  /** Called at each point that is reached, and waited for. */
  readonly reach?: (point: DeliveryPoint) => void | Promise<void>;
}

/** How one lane works. Times in milliseconds. */
export interface LaneOptions extends DeliveryOptions {
  readonly lane: Lane;
  readonly inFlightMax: number;
  readonly perMerchantMax: number;
  /** Longer than an attempt can last: by then whoever claimed it is gone. */
  readonly leaseMs: number;
  readonly pollMs: number;
  /** Tries to deliver one event. Never throws. */
  readonly attempt: (event: ClaimedEvent) => Promise<DeliveryResult>;
  /** Further work in the transaction that records how an attempt ended. */
  readonly alsoRecord?: (tx: Tx, event: ClaimedEvent) => Promise<void>;
  /** Further work before each claim, in the transaction of the claim. */
  readonly alsoClaim?: (tx: Tx) => Promise<void>;
}

const REST_AFTER_FAULT_MS = 2_000;
const DATABASE_TIMEOUT_MS = 5_000;

/** Starts a lane. Several processes may run one each: a claim keeps them apart. */
export function openLane(options: LaneOptions): Dispatcher {
  const { lane, leaseMs, inFlightMax, perMerchantMax } = options;
  const closing = new AbortController();
  const inFlight = new Map<Promise<void>, number>();
  /** Ends the present pause: what has just been delivered may have made room, or another event of its bill due. */
  let wake = (): void => {};
  const transact = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    options.db.withTransaction(deadlineIn(options.clock, DATABASE_TIMEOUT_MS), work);

  async function deliver(event: ClaimedEvent): Promise<void> {
    try {
      await options.reach?.("delivering");
      const result = await options.attempt(event);
      await options.reach?.("delivered");
      const isOver = result.fault === null || result.isFinal === true;
      const retryInMs = isOver ? null : retryPauseMs(event.attempt, Math.random());
      await transact(async (tx) => {
        await recordDelivery(tx, event, result, retryInMs);
        await options.alsoRecord?.(tx, event);
      });
      options.onDelivered(event, result, result.fault !== null && retryInMs === null);
    } catch (error) {
      // The lease runs out and it is sent again, under the same event id: at least once.
      options.onFault(error, `recording a delivery, ${lane}`);
    }
  }

  /** How much of each merchant is in flight. */
  function countsInFlight(): Map<number, number> {
    const counts = new Map<number, number>();
    for (const merchantId of inFlight.values()) counts.set(merchantId, (counts.get(merchantId) ?? 0) + 1);
    return counts;
  }

  async function round(): Promise<number> {
    const limit = inFlightMax - inFlight.size;
    if (limit <= 0) return 0;
    const claim = { lane, limit, perMerchant: perMerchantMax, leaseMs, inFlight: countsInFlight() };
    const events = await transact(async (tx) => {
      await options.alsoClaim?.(tx);
      return claimDueEvents(tx, claim);
    });
    for (const event of events) {
      const sending: Promise<void> = deliver(event).finally(() => {
        inFlight.delete(sending);
        wake();
      });
      inFlight.set(sending, event.merchantId);
    }
    return events.length;
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const claimed = await round();
        if (claimed === 0) await Promise.race([woken, sleep(options.pollMs)]);
      } catch (error) {
        options.onFault(error, `claiming, ${lane}`);
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
