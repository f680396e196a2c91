import { type Clock, type Db, deadlineIn, messageOf, startBackgroundWriter } from "../platform";
import { addDrift, type DriftCount } from "../store";
import type { Deviation } from "./deviations";

/** Counts tolerated deviations, so that a change at the other side is seen on its first day. */
export interface DriftMeter {
  /** Cheap: counts in memory, writes later. */
  note(partner: { readonly partnerId: number; readonly userName: string }, deviations: readonly Deviation[]): void;
  /** Writes what was counted; for shutdown and tests. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Settings of the meter; times in milliseconds. */
export interface DriftMeterOptions {
  readonly db: Db;
  readonly clock: Clock;
  readonly flushEveryMs: number;
  /** Called for every deviation, for metrics. */
  readonly onDeviation: (userName: string, deviation: Deviation) => void;
  /** Called once in the life of a database for each (partner, field, kind). */
  readonly onFirstSight: (userName: string, deviation: Deviation) => void;
  readonly onFault: (message: string) => void;
}

const WRITE_TIMEOUT_MS = 5_000;
/** Kinds remembered for one partner; names of fields come from outside, and must not fill memory, metrics or a table. */
const KINDS_MAX = 200;
const BEYOND: Deviation = { field: "(more)", kind: "further kinds" };

/** Starts the meter's timer; `close` stops it and writes the rest. */
export function openDriftMeter(options: DriftMeterOptions): DriftMeter {
  const kindsByPartner = new Map<number, Set<string>>();
  let counts = new Map<string, DriftCount & { readonly userName: string }>();

  /** The deviation itself, or what stands for all that are too many. */
  function bounded(partnerId: number, deviation: Deviation): Deviation {
    const kinds = kindsByPartner.get(partnerId) ?? new Set();
    kindsByPartner.set(partnerId, kinds);
    const name = `${deviation.field}\n${deviation.kind}`;
    if (kinds.has(name)) return deviation;
    if (kinds.size >= KINDS_MAX) return BEYOND;
    kinds.add(name);
    return deviation;
  }

  function add(entry: DriftCount & { readonly userName: string }): void {
    const key = `${entry.partnerId}\n${entry.field}\n${entry.kind}`;
    const seen = counts.get(key);
    counts.set(key, { ...entry, count: entry.count + (seen?.count ?? 0n) });
  }

  async function writeAll(): Promise<void> {
    if (counts.size === 0) return;
    const batch = [...counts.values()];
    counts = new Map();
    try {
      const deadline = deadlineIn(options.clock, WRITE_TIMEOUT_MS);
      const isNew = await options.db.withTransaction(deadline, (tx) => addDrift(tx, batch));
      for (const [index, { userName, field, kind }] of batch.entries()) {
        if (isNew[index]) options.onFirstSight(userName, { field, kind });
      }
    } catch (error) {
      // Counted again with the next round. Should the commit have happened all the same, a count is too high: no harm.
      for (const entry of batch) add(entry);
      options.onFault(`drift not written: ${messageOf(error)}`);
    }
  }

  const writer = startBackgroundWriter(options.flushEveryMs, writeAll);
  return {
    note({ partnerId, userName }, deviations) {
      for (const each of deviations) {
        const deviation = bounded(partnerId, each);
        options.onDeviation(userName, deviation);
        add({ partnerId, userName, ...deviation, count: 1n, seenAtMs: options.clock.nowMs() });
      }
    },
    flush: () => writer.flush(),
    close: () => writer.close(),
  };
}
