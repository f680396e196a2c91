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
import type { Reach } from "./posting-point";

/** What a desk works with. */
export interface KeyedDeskOptions<Item, Answer extends object> {
  readonly name: string;
  readonly limits: { readonly batchMax: number; readonly batchesInFlight: number; readonly queueMax: number };
  readonly lock: KeyLock;
  /** Keys that are being worked on in this process; desks that share keys share this. */
  readonly inFlight: Set<string>;
  readonly keyOf: (item: Item) => string;
  readonly deadlineOf: (item: Item) => Deadline;
  /** One idempotent transaction over a list: may be run again after any fault. Answers in the order of the items. */
  readonly post: (items: readonly Item[], deadline: Deadline) => Promise<readonly Answer[]>;
  /** Whether a fault of `post`, of its own making, says nothing about the items. */
  readonly isPassing: (fault: unknown) => boolean;
  /** Called for items of a batch whose COMMIT was not answered, when there was no time left to find out. */
  readonly onCommitUnknown: (items: readonly Item[]) => void;
  readonly onFault: (fault: unknown, where: string) => void;
  readonly reach: Reach;
}

/** What a caller is told: an answer, or that the outcome cannot be told in time. Never a decline by default. */
export type DeskAnswer<Answer extends object> =
  | ({ readonly kind: "answered" } & Answer)
  /** The same key is being worked on elsewhere and was not finished by the deadline. */
  | { readonly kind: "in-process" }
  /** Nothing was stored that we know of; a repeat is judged afresh or gets the stored reply. */
  | { readonly kind: "unknown"; readonly isOverload: boolean };

/** Takes items one by one, posts them in batches, and answers each within its deadline. */
export interface KeyedDesk<Item, Answer extends object> {
  submit(item: Item): Promise<DeskAnswer<Answer>>;
  readonly waiting: number;
  idle(): Promise<void>;
}

const BUSY = Symbol("busy");
const ATTEMPTS_MAX = 6;
const BUSY_FIRST_DELAY_MS = 4;
const BUSY_LONGEST_DELAY_MS = 100;
/** An item with less time left is posted by itself: its deadline must not cut short a whole batch. */
const SHORT_OF_TIME_MS = 200;

type Settled<Answer> = PromiseSettledResult<Answer | typeof BUSY>;

/** Opens a desk for items that must not be worked on twice at the same time. */
export function openKeyedDesk<Item, Answer extends object>(
  options: KeyedDeskOptions<Item, Answer>,
): KeyedDesk<Item, Answer> {
  const collector = createCollector<Item, Answer | typeof BUSY>({ name: options.name, ...options.limits }, (items) =>
    workBatch(options, items),
  );

  async function submit(item: Item): Promise<DeskAnswer<Answer>> {
    const deadline = options.deadlineOf(item);
    let delayMs = BUSY_FIRST_DELAY_MS;
    for (;;) {
      const result = await settle(options, deadline, collector.submit(item));
      if (result !== BUSY) return result;
      // A repeat of something in flight waits here, holding neither a connection nor a place in a batch.
      if (deadline.leftMs() <= delayMs) return { kind: "in-process" };
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
async function settle<Item, Answer extends object>(
  options: KeyedDeskOptions<Item, Answer>,
  deadline: Deadline,
  pending: Promise<Answer | typeof BUSY>,
): Promise<DeskAnswer<Answer> | typeof BUSY> {
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
    return { kind: "answered", ...(result as Answer) };
  } catch (fault) {
    options.onFault(fault, options.name);
    return { kind: "unknown", isOverload: fault instanceof Overloaded };
  } finally {
    clearTimeout(timer);
  }
}

/** One batch: passes over what is in flight elsewhere, posts the rest under locks. */
async function workBatch<Item, Answer extends object>(
  options: KeyedDeskOptions<Item, Answer>,
  items: readonly Item[],
): Promise<Settled<Answer>[]> {
  const { inFlight, keyOf, deadlineOf } = options;
  const results = new Map<Item, Settled<Answer>>();
  const free = items.filter((item) => !inFlight.has(keyOf(item)));
  const keys = [...new Set(free.map(keyOf))];
  for (const key of keys) inFlight.add(key);
  try {
    const grant = await options.lock.acquire(keys);
    try {
      await options.reach("locked");
      const busy = new Set(keys.filter((_, index) => grant.verdicts[index] === "busy"));
      const mine = free.filter((item) => !busy.has(keyOf(item)));
      const unhurried = mine.filter((item) => deadlineOf(item).leftMs() >= SHORT_OF_TIME_MS);
      await postInIsolation(options, unhurried, results);
      for (const item of mine.filter((item) => !results.has(item))) await postInIsolation(options, [item], results);
    } finally {
      grant.release();
    }
    await options.reach("released");
  } finally {
    for (const key of keys) inFlight.delete(key);
  }
  return items.map((item) => results.get(item) ?? { status: "fulfilled", value: BUSY });
}

/**
 * Posts a batch. When it fails for a reason that lies in one of its items, each item is posted by itself, in order, so
 * that a poisoned one fails alone.
 */
async function postInIsolation<Item, Answer extends object>(
  options: KeyedDeskOptions<Item, Answer>,
  items: readonly Item[],
  results: Map<Item, Settled<Answer>>,
): Promise<void> {
  if (items.length === 0) return;
  try {
    const answers = await postWithRetries(options, items);
    for (const [index, item] of items.entries()) {
      results.set(item, { status: "fulfilled", value: answers[index] as Answer });
    }
  } catch (fault) {
    if (items.length > 1 && !(fault instanceof DatabaseUnavailable)) {
      options.onFault(fault, `${options.name} a batch of ${items.length}, now one by one`);
      for (const item of items) await postInIsolation(options, [item], results);
      return;
    }
    if (fault instanceof CommitUnknown) options.onCommitUnknown(items);
    for (const item of items) results.set(item, { status: "rejected", reason: fault });
  }
}

/**
 * Runs the same transaction again after faults that say nothing about the items. That is also how an unanswered COMMIT
 * is resolved: the unique key makes the second run wait for the first one and then see what it did.
 *
 * @throws CommitUnknown when any of the runs ended in it and no later one brought certainty
 */
async function postWithRetries<Item, Answer extends object>(
  options: KeyedDeskOptions<Item, Answer>,
  items: readonly Item[],
): Promise<readonly Answer[]> {
  const deadline = earliestOf(items.map((item) => options.deadlineOf(item)));
  let unknown: CommitUnknown | null = null;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await options.post(items, deadline);
    } catch (fault) {
      if (fault instanceof CommitUnknown) unknown = fault;
      if (attempt === ATTEMPTS_MAX || deadline.hasPassed() || !isWorthRepeating(options, fault)) throw unknown ?? fault;
      options.onFault(fault, `${options.name}, attempt ${attempt}`);
      await sleep(Math.min(2 ** attempt * (0.5 + Math.random()), deadline.leftMs()));
    }
  }
}

function isWorthRepeating<Item, Answer extends object>(
  options: KeyedDeskOptions<Item, Answer>,
  fault: unknown,
): boolean {
  if (options.isPassing(fault) || fault instanceof RolledBack) return true;
  if (fault instanceof CommitUnknown || fault instanceof DatabaseUnavailable) return true;
  const state = sqlStateOf(fault);
  // deadlock, serialization failure, shutdown and restart of the server, too many connections
  return state !== null && (state.startsWith("40") || state.startsWith("57P") || state === "53300");
}

function earliestOf(deadlines: readonly Deadline[]): Deadline {
  return deadlines.reduce((earliest, each) => (each.leftMs() < earliest.leftMs() ? each : earliest));
}
