import { type Clock, type Db, deadlineIn, messageOf, startBackgroundWriter } from "../platform";
import { type Attempt, insertAttempts } from "../store";
import type { Reach } from "./posting-point";

/** Writes attempts in the background, in batches, off the path of any request. */
export interface AttemptJournal {
  /** Cheap: what is to be kept is worked out when it is written. */
  record(make: () => Attempt): void;
  /** Writes what is buffered; for shutdown and tests. */
  flush(): Promise<void>;
  /** Attempts dropped because the database was away for too long. */
  readonly dropped: number;
  close(): Promise<void>;
}

/** Settings of the journal; times in milliseconds. */
export interface AttemptJournalOptions {
  readonly db: Db;
  readonly clock: Clock;
  readonly flushEveryMs: number;
  /** Attempts kept in memory while the database cannot be written to; beyond it the oldest are dropped and counted. */
  readonly bufferMax: number;
  readonly onFault: (message: string) => void;
  readonly reach?: Reach;
}

const BATCH_MAX = 500;
/**
 * Written at once when so many have gathered: what waits for the timer outlives the garbage collector's first looks, and
 * costs it more than the writing does.
 */
const BATCH_FULL = 128;
const WRITE_TIMEOUT_MS = 5_000;

/** Starts the journal's timer; `close` stops it and writes the rest. */
export function openAttemptJournal(options: AttemptJournalOptions): AttemptJournal {
  /** Made on first use, so that a second writing after a fault is of the very same attempts. */
  let buffer: { made: Attempt | null; readonly make: () => Attempt }[] = [];
  let dropped = 0;
  /** After a fault only the timer tries again. */
  let isFailing = false;

  /** Writes what there is, and goes on while full batches gather meanwhile. */
  async function write(): Promise<void> {
    for (let isFirst = true; buffer.length >= (isFirst ? 1 : BATCH_FULL); isFirst = false) {
      const batch = buffer.slice(0, BATCH_MAX);
      try {
        const deadline = deadlineIn(options.clock, WRITE_TIMEOUT_MS);
        const attempts = batch.map((each) => (each.made ??= each.make()));
        await options.db.withTransaction(deadline, (tx) => insertAttempts(tx, attempts));
        await options.reach?.("attempt-kept");
      } catch (error) {
        // Kept for the next round: the identifiers make a second write of the same attempts harmless.
        isFailing = true;
        options.onFault(`attempts not written, ${buffer.length} kept: ${messageOf(error)}`);
        return;
      }
      isFailing = false;
      const written = new Set(batch);
      buffer = buffer.filter((attempt) => !written.has(attempt));
    }
  }

  const writer = startBackgroundWriter(options.flushEveryMs, write);
  return {
    record(make) {
      buffer.push({ made: null, make });
      if (buffer.length > options.bufferMax) {
        buffer.shift();
        dropped += 1;
      }
      if (buffer.length >= BATCH_FULL && !isFailing) void writer.flush();
    },
    async flush() {
      await writer.flush();
      // The writing that was under way may have left what came too late for it.
      if (buffer.length > 0 && !isFailing) await writer.flush();
    },
    get dropped() {
      return dropped;
    },
    close: () => writer.close(),
  };
}
