import type { SigningKey } from "../../domain";
import type { Tx } from "../../platform";
import { appendBlock, type SealedBlock } from "./blocks";
import { findEvidence } from "./evidence-pass";
import { scanUnsealed, type UnsealedItem } from "./rows";
import { lockSealing, readOldestRow, readSealState, type SealState, takeMark, writeSealState } from "./state";

/** What one pass did. */
export type SealPass =
  | { readonly kind: "elsewhere" }
  | {
      readonly kind: "done";
      readonly blocks: readonly SealedBlock[];
      /** False: there is more, call again at once. */
      readonly isThrough: boolean;
      /** It did not look up to the present: a quick pass has to follow. */
      readonly wasFull: boolean;
      /** How far behind the database's clock the pass ended, microseconds. */
      readonly lagMicros: bigint;
      /** The database's clock was set back, by so many microseconds; 0 if not. */
      readonly clockSetBackMicros: bigint;
    };

/** How a pass is made. */
export interface SealPassOptions {
  readonly key: SigningKey;
  readonly newSalt: () => Buffer;
  /** Leaves of one block at most. */
  readonly leavesMax: number;
  /** Blocks of one pass at most. */
  readonly blocksMax: number;
  /** How much time is looked through at once: adapts from pass to pass, so one object for all of them. */
  readonly pace: SealPace;
  /** A full pass came to its end just now: look at the present first. */
  readonly isQuick?: boolean;
  /** For tests; left out: `SEAL_TIMING`. */
  readonly timing?: SealTiming;
}

/** Spans that decide how often and how far back a sealer looks, microseconds. */
export interface SealTiming {
  /**
   * A row carries the time at which its values were worked out, which is a little before its transaction gets a number.
   * This much is looked at again; it is more than any statement of the service may take.
   */
  readonly margin: bigint;
  /** How far a quick pass looks back behind the one before. */
  readonly overlap: bigint;
  readonly fullPassEvery: bigint;
}

/** The span that one look at the tables covers, microseconds. */
export interface SealPace {
  windowMicros: bigint;
}

/** Where a sealer begins: ten seconds at once. */
export const newSealPace = (): SealPace => ({ windowMicros: 10n * SECOND });

/** Times in microseconds. */
const SECOND = 1_000_000n;
/** What the service runs with. */
export const SEAL_TIMING: SealTiming = { margin: 10n * SECOND, overlap: 2n * SECOND, fullPassEvery: 10n * SECOND };

const WINDOW_MIN = 1_000n;
const WINDOW_MAX = 24n * 3_600n * SECOND;
/** Windows looked through in one transaction. */
const WINDOWS_MAX = 64;

/**
 * Seals rows that are committed and in no block, the oldest first, into so many blocks at most.
 *
 * Two kinds of pass. The quick one looks at what was recorded since the last pass and finds nearly everything. The full one
 * is what makes sure: it looks again from `sealedUntil` to a moment of which PostgreSQL says that every transaction that
 * was writing then has ended; only that moves `sealedUntil`. So a row is found however late its transaction commits.
 */
export async function sealPass(tx: Tx, options: SealPassOptions): Promise<SealPass> {
  const { margin, overlap, fullPassEvery } = options.timing ?? SEAL_TIMING;
  if (!(await lockSealing(tx))) return { kind: "elsewhere" };
  const state = await readSealState(tx);
  const clockSetBackMicros = state.seenAt !== null && state.seenAt > state.now ? state.seenAt - state.now : 0n;
  const mark = await takeMark(tx);
  const start = await startOf(tx, state, clockSetBackMicros > 0n ? margin : null);
  const pending = pendingOf(state, mark, clockSetBackMicros > 0n);
  const isFull = options.isQuick !== true && pending.xid <= state.oldestXid && state.now - pending.at >= fullPassEvery;
  // A pass that was cut short goes on where it ended.
  const wasThrough = state.seenAt === null || start.scannedUntil >= state.seenAt;
  const quickFrom = larger(start.sealedUntil ?? 0n, start.scannedUntil - (wasThrough ? overlap : 0n));
  const from = isFull ? (start.sealedUntil ?? smaller(await readOldestRow(tx), pending.at) - margin) : quickFrom;
  const until = isFull ? pending.at : state.now;

  const { items, cursor } = await collect(tx, from, until, options);
  const blocks: SealedBlock[] = [];
  for (let at = 0; at < items.length; at += options.leavesMax) {
    const some = items.slice(at, at + options.leavesMax);
    blocks.push(await appendBlock(tx, { ...options, items: some, sealedAt: isoOfMicros(state.now) }));
  }
  const evidence = await findEvidence(tx, start.sealedUntil, options.leavesMax * options.blocksMax - items.length);
  for (let at = 0; at < evidence.items.length; at += options.leavesMax) {
    const some = evidence.items.slice(at, at + options.leavesMax);
    blocks.push(await appendBlock(tx, { ...options, items: some, sealedAt: isoOfMicros(state.now) }));
  }
  const isThrough = cursor >= until;
  await writeSealState(tx, {
    sealedUntil: isFull ? larger(start.sealedUntil ?? from, smaller(cursor, pending.at - margin)) : start.sealedUntil,
    scannedUntil: larger(start.scannedUntil, cursor),
    pending: isFull && isThrough ? mark : pending,
    seenAt: state.now,
  });
  return {
    kind: "done",
    blocks,
    isThrough: isThrough && evidence.isThrough,
    wasFull: isFull,
    lagMicros: state.now - larger(start.scannedUntil, cursor),
    clockSetBackMicros,
  };
}

/**
 * Where the passes go on. `sealedUntil` stays null until the first full pass: a row that is older than all that can be
 * seen may still be on its way. After the clock was set back (`setBackMargin`) new rows carry times that were passed already.
 */
async function startOf(
  tx: Tx,
  { sealedUntil, scannedUntil, now }: SealState,
  setBackMargin: bigint | null,
): Promise<{ readonly sealedUntil: bigint | null; readonly scannedUntil: bigint }> {
  if (setBackMargin !== null && sealedUntil !== null) {
    const back = smaller(sealedUntil, now - setBackMargin);
    return { sealedUntil: back, scannedUntil: back };
  }
  const isKnown = scannedUntil !== null && setBackMargin === null;
  return { sealedUntil, scannedUntil: isKnown ? scannedUntil : await readOldestRow(tx) };
}

type Mark = NonNullable<SealState["pending"]>;

/** The mark that waits for older transactions; a new one when there is none or it is of another server's numbering. */
function pendingOf({ pending }: SealState, mark: Mark, isAnew: boolean): Mark {
  return pending === null || isAnew || pending.xid > mark.xid ? mark : pending;
}

/**
 * Rows from `from` on, in windows of time that adapt to how much is recorded in them. `cursor` is how far everything was
 * found.
 */
async function collect(
  tx: Tx,
  from: bigint,
  until: bigint,
  { leavesMax, blocksMax, pace }: SealPassOptions,
): Promise<{ readonly items: readonly UnsealedItem[]; readonly cursor: bigint }> {
  const items: UnsealedItem[] = [];
  let cursor = from;
  for (let windows = 0; cursor < until && windows < WINDOWS_MAX; windows += 1) {
    const room = leavesMax * blocksMax - items.length;
    const end = smaller(until, cursor + pace.windowMicros);
    const found = await scanUnsealed(tx, cursor, end, room + 1);
    items.push(...found.slice(0, room));
    if (found.length > room) {
      pace.windowMicros = larger(WINDOW_MIN, pace.windowMicros / 2n);
      // Rows recorded in the very same microsecond may be on both sides of the cut: the cursor stays before them.
      return { items, cursor: larger(cursor, found[room]?.recordedMicros ?? cursor) };
    }
    cursor = end;
    pace.windowMicros = smaller(WINDOW_MAX, pace.windowMicros * 2n);
  }
  return { items, cursor };
}

/** Microseconds since the epoch as UTC text with six fraction digits. */
export function isoOfMicros(micros: bigint): string {
  const text = new Date(Number(micros / 1_000n)).toISOString();
  return `${text.slice(0, -1)}${(micros % 1_000n).toString().padStart(3, "0")}Z`;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
