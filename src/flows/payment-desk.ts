import {
  CommitUnknown,
  createCollector,
  DatabaseUnavailable,
  type Deadline,
  type KeyLock,
  Overloaded,
  RolledBack,
  sleep,
  sqlStateOf,
} from "../platform";
import {
  ClaimLost,
  KeyTaken,
  type PaymentItem,
  type PostedAnswer,
  postPayments,
  type PostingDeps,
} from "./post-payments";

/** What payments are taken and posted with. */
export interface PaymentDeskDeps extends PostingDeps {
  readonly lock: KeyLock;
  readonly limits: { readonly batchMax: number; readonly batchesInFlight: number; readonly queueMax: number };
  readonly onFault: (fault: unknown, where: string) => void;
}

/** What a caller is told: an answer, or that the outcome cannot be told in time. Never a decline by default. */
export type PaymentAnswer =
  | ({ readonly kind: "answered" } & PostedAnswer)
  /** The same traxId is being worked on elsewhere and was not finished by the deadline. */
  | { readonly kind: "in-process" }
  /** Nothing was stored that we know of; a repeat is judged afresh or gets the stored reply. */
  | { readonly kind: "unknown"; readonly isOverload: boolean };

/** Takes payments one by one, posts them in batches, and answers each within its deadline. */
export interface PaymentDesk {
  submit(item: PaymentItem): Promise<PaymentAnswer>;
  readonly waiting: number;
  idle(): Promise<void>;
}

const BUSY = Symbol("busy");
const ATTEMPTS_MAX = 6;
const BUSY_FIRST_DELAY_MS = 4;
const BUSY_LONGEST_DELAY_MS = 100;
/** An item with less time left is posted by itself: its deadline must not cut short a whole batch. */
const SHORT_OF_TIME_MS = 200;

/** Opens the desk. */
export function openPaymentDesk(deps: PaymentDeskDeps): PaymentDesk {
  const inFlight = new Set<string>();
  const collector = createCollector<PaymentItem, PostedAnswer | typeof BUSY>(
    { name: "posting", ...deps.limits },
    (items) => workBatch(deps, inFlight, items),
  );

  async function submit(item: PaymentItem): Promise<PaymentAnswer> {
    let delayMs = BUSY_FIRST_DELAY_MS;
    for (;;) {
      const result = await settle(deps, item.deadline, collector.submit(item));
      if (result !== BUSY) return result;
      // A repeat of something in flight waits here, holding neither a connection nor a place in a batch.
      if (item.deadline.leftMs() <= delayMs) return { kind: "in-process" };
      await sleep(delayMs * (0.5 + Math.random() / 2));
      delayMs = Math.min(delayMs * 2, BUSY_LONGEST_DELAY_MS);
    }
  }

  return {
    submit,
    get waiting() {
      return collector.waiting;
    },
    idle: () => collector.idle(),
  };
}

/** Bounds the wait for a batch by the item's deadline, and turns faults into "unknown". */
async function settle(
  deps: PaymentDeskDeps,
  deadline: Deadline,
  pending: Promise<PostedAnswer | typeof BUSY>,
): Promise<PaymentAnswer | typeof BUSY> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), Math.max(0, deadline.leftMs()));
  });
  try {
    const result = await Promise.race([pending, expiry]);
    if (result === BUSY) return BUSY;
    if (result === "late") {
      pending.catch(() => {});
      return { kind: "unknown", isOverload: false };
    }
    return { kind: "answered", ...result };
  } catch (fault) {
    const isOverload = fault instanceof Overloaded;
    deps.onFault(fault, "posting");
    return { kind: "unknown", isOverload };
  } finally {
    clearTimeout(timer);
  }
}

/** One batch: passes over what is in flight elsewhere, posts the rest under locks. */
async function workBatch(
  deps: PaymentDeskDeps,
  inFlight: Set<string>,
  items: readonly PaymentItem[],
): Promise<PromiseSettledResult<PostedAnswer | typeof BUSY>[]> {
  const results = new Map<PaymentItem, PromiseSettledResult<PostedAnswer | typeof BUSY>>();
  const isFree = (item: PaymentItem): boolean => !inFlight.has(keyOf(item));
  const free = items.filter(isFree);
  const keys = [...new Set(free.map(keyOf))];
  for (const key of keys) inFlight.add(key);
  try {
    const grant = await deps.lock.acquire(keys);
    try {
      const busy = new Set(keys.filter((_, index) => grant.verdicts[index] === "busy"));
      const mine = free.filter((item) => !busy.has(keyOf(item)));
      const isHurried = (item: PaymentItem): boolean => item.deadline.leftMs() < SHORT_OF_TIME_MS;
      await postInIsolation(
        deps,
        mine.filter((item) => !isHurried(item)),
        results,
      );
      for (const item of mine.filter((item) => !results.has(item))) await postInIsolation(deps, [item], results);
    } finally {
      grant.release();
    }
  } finally {
    for (const key of keys) inFlight.delete(key);
  }
  return items.map((item) => results.get(item) ?? { status: "fulfilled", value: BUSY });
}

/**
 * Posts a batch. When it fails for a reason that lies in one of its items, each item is posted by itself, in order, so
 * that a poisoned one fails alone.
 */
async function postInIsolation(
  deps: PaymentDeskDeps,
  items: readonly PaymentItem[],
  results: Map<PaymentItem, PromiseSettledResult<PostedAnswer | typeof BUSY>>,
): Promise<void> {
  if (items.length === 0) return;
  try {
    const answers = await postWithRetries(deps, items);
    for (const [index, item] of items.entries()) {
      results.set(item, { status: "fulfilled", value: answers[index] as PostedAnswer });
    }
  } catch (fault) {
    if (items.length > 1 && !(fault instanceof DatabaseUnavailable)) {
      deps.onFault(fault, `posting a batch of ${items.length}, now one by one`);
      for (const item of items) await postInIsolation(deps, [item], results);
      return;
    }
    for (const item of items) results.set(item, { status: "rejected", reason: fault });
  }
}

/**
 * Runs the same transaction again after faults that say nothing about the items. That is also how an unanswered COMMIT
 * is resolved: the unique key makes the second run wait for the first one and then see what it did.
 */
async function postWithRetries(deps: PaymentDeskDeps, items: readonly PaymentItem[]): Promise<PostedAnswer[]> {
  const deadline = earliestOf(items.map((item) => item.deadline));
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await postPayments(deps, items, deadline);
    } catch (fault) {
      if (attempt === ATTEMPTS_MAX || deadline.hasPassed() || !isWorthRepeating(fault)) throw fault;
      deps.onFault(fault, `posting, attempt ${attempt}`);
      await sleep(Math.min(2 ** attempt * (0.5 + Math.random()), deadline.leftMs()));
    }
  }
}

function isWorthRepeating(fault: unknown): boolean {
  if (fault instanceof KeyTaken || fault instanceof ClaimLost || fault instanceof RolledBack) return true;
  if (fault instanceof CommitUnknown || fault instanceof DatabaseUnavailable) return true;
  const state = sqlStateOf(fault);
  // deadlock, serialization failure, shutdown and restart of the server, too many connections
  return state !== null && (state.startsWith("40") || state.startsWith("57P") || state === "53300");
}

function keyOf({ partner, message }: PaymentItem): string {
  return `payment:${partner.partnerId}:${message.traxId}`;
}

function earliestOf(deadlines: readonly Deadline[]): Deadline {
  return deadlines.reduce((earliest, each) => (each.leftMs() < earliest.leftMs() ? each : earliest));
}
