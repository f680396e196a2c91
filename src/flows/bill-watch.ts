import { type Clock, type Db, deadlineIn } from "../platform";
import { readLinkedStandings } from "../store";
import { isEverPaidIn, tagOf } from "./bill-page";
import type { CatalogHolder } from "./catalog";

/** What a watch over open pages needs. */
export interface BillWatchDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly catalog: CatalogHolder;
  /** Pages watching at once in this process, at most. */
  readonly watchersMax: number;
  readonly onFault: (fault: unknown) => void;
  /** Milliseconds between two looks; left out: 2000. */
  readonly pollEveryMs?: number;
}

/** Somebody who has a page open. */
export interface Watcher {
  /** The bill's tag, once it is known and whenever it changes. */
  readonly onTag: (tag: string) => void;
  /** The watch is over for everybody: the process stops. */
  readonly onEnd: () => void;
}

/** Tells open pages when their bill changes: one statement for all of them, however many there are. */
export interface BillWatch {
  /** Starts to watch; returns how to stop, or null when too many do. */
  watch(linkCode: string, watcher: Watcher): (() => void) | null;
  /** Looks at once, for instance since a payment was announced; does nothing for a link that nobody watches. */
  hurry(linkCode: string): void;
  readonly watching: number;
  /** Ends every watch. */
  close(): void;
}

const POLL_EVERY_MS = 2_000;
const TIMEOUT_MS = 2_000;
/** After a look that failed. */
const REST_MS = 5_000;
/** Whoever has one link must not use up the places of all others. */
const WATCHERS_OF_ONE_MAX = 20;

interface Watched {
  readonly watchers: Set<Watcher>;
  tag: string | null;
}

/** Opens the watch. Nothing is read while nobody watches, and no connection is held between two looks. */
export function openBillWatch(deps: BillWatchDeps): BillWatch {
  const { db, clock, catalog, watchersMax, onFault, pollEveryMs = POLL_EVERY_MS } = deps;
  const watched = new Map<string, Watched>();
  let watching = 0;
  let isClosed = false;
  let isLooking = false;
  let mustLookAgain = false;
  let timer: NodeJS.Timeout | null = null;

  function lookIn(delayMs: number): void {
    if (timer !== null || isClosed || watched.size === 0) return;
    timer = setTimeout(() => void look(), delayMs);
  }

  function lookNow(): void {
    if (isLooking) mustLookAgain = true;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (!isLooking) lookIn(0);
  }

  async function look(): Promise<void> {
    timer = null;
    isLooking = true;
    let nextMs = pollEveryMs;
    try {
      await readAndTell();
    } catch (error) {
      nextMs = REST_MS;
      onFault(error);
    }
    isLooking = false;
    lookIn(mustLookAgain ? 0 : nextMs);
    mustLookAgain = false;
  }

  async function readAndTell(): Promise<void> {
    const deadline = deadlineIn(clock, TIMEOUT_MS);
    const found = await readLinkedStandings({ run: (statement, values) => db.run(deadline, statement, values) }, [
      ...watched.keys(),
    ]);
    const nowMs = clock.nowMs();
    for (const [linkCode, standing] of found) {
      const one = watched.get(linkCode);
      const tag = tagOf(standing, isEverPaidIn(catalog.current, standing.productCode), nowMs);
      if (one === undefined || one.tag === tag) continue;
      one.tag = tag;
      for (const watcher of one.watchers) watcher.onTag(tag);
    }
  }

  return {
    watch(linkCode, watcher) {
      const known = watched.get(linkCode);
      const isFull = watching >= watchersMax || (known?.watchers.size ?? 0) >= WATCHERS_OF_ONE_MAX;
      if (isClosed || isFull) return null;
      const one = known ?? { watchers: new Set<Watcher>(), tag: null };
      watched.set(linkCode, one);
      one.watchers.add(watcher);
      watching += 1;
      if (one.tag !== null) watcher.onTag(one.tag);
      if (!isLooking) lookIn(pollEveryMs);
      return () => {
        if (!one.watchers.delete(watcher)) return;
        watching -= 1;
        if (one.watchers.size === 0) watched.delete(linkCode);
      };
    },
    hurry(linkCode) {
      if (watched.has(linkCode)) lookNow();
    },
    get watching() {
      return watching;
    },
    close() {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
      for (const { watchers } of watched.values()) {
        const ended = [...watchers];
        watchers.clear();
        for (const { onEnd } of ended) onEnd();
      }
      watched.clear();
      watching = 0;
    },
  };
}
