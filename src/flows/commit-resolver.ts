import { readPaymentKeys } from "../ledger";
import { type Clock, type Db, deadlineIn, messageOf, sleep } from "../platform";
import type { PaymentItem } from "./post-payments";

/** What became of a payment whose COMMIT was never answered. */
export interface Resolution {
  readonly traxId: string;
  readonly userName: string;
  /** The outcome that is stored, or null: nothing was. */
  readonly outcome: string | null;
}

/** Finds out, in the background, what became of payments that were answered UNKNOWN because a COMMIT got no answer. */
export interface CommitResolver {
  watch(items: readonly PaymentItem[]): void;
  /** Payments that it is not known of yet. */
  readonly open: number;
  close(): void;
}

/** Settings of the resolver. */
export interface CommitResolverOptions {
  readonly db: Db;
  readonly clock: Clock;
  readonly onResolved: (resolution: Resolution) => void;
  readonly onFault: (message: string) => void;
}

/** Times in milliseconds. */
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 60_000;
const READ_TIMEOUT_MS = 3_000;
/**
 * A server process that lost its client may still be finishing a commit; it cannot for longer than its own limits on
 * statements and idle transactions allow. A key that has no row after this was not written.
 */
const SETTLED_AFTER_MS = 60_000;

/**
 * Starts with nothing to do. The answer only informs people and closes the matter here: the switch learns it from the
 * stored reply when it repeats, and nothing is ever posted from here.
 */
export function openCommitResolver(options: CommitResolverOptions): CommitResolver {
  const { db, clock } = options;
  const open = new Set<PaymentItem>();
  const closing = new AbortController();

  async function resolve(item: PaymentItem): Promise<void> {
    const { partner, message } = item;
    const since = clock.monotonicMs();
    const key = { partnerId: partner.partnerId, traxId: message.traxId };
    for (let delayMs = FIRST_DELAY_MS; !closing.signal.aborted; delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)) {
      await sleep(delayMs);
      try {
        const [stored] = await db.withTransaction(deadlineIn(clock, READ_TIMEOUT_MS), (tx) =>
          readPaymentKeys(tx, [key]),
        );
        const isSettled = clock.monotonicMs() - since > SETTLED_AFTER_MS;
        if (!stored && !isSettled) continue;
        open.delete(item);
        options.onResolved({
          traxId: message.traxId,
          userName: partner.userName,
          outcome: stored?.outcome ?? null,
        });
        return;
      } catch (error) {
        options.onFault(`traxId ${message.traxId} not resolved yet: ${messageOf(error)}`);
      }
    }
  }

  return {
    watch(items) {
      for (const item of items) {
        open.add(item);
        void resolve(item);
      }
    },
    get open() {
      return open.size;
    },
    close() {
      closing.abort();
    },
  };
}
