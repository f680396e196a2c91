import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { SigningKey } from "../../domain";
import { type Clock, type Db, deadlineIn, Fault, type SecretBox, type Tx } from "../../platform";
import type { ChainWatch } from "./chain-watch";
import { type CheckpointTarget, isCheckpointDue, makeCheckpoint, type StoredCheckpoint } from "./checkpoints";
import { readSigningKey } from "./keys";
import { newSealPace, type SealPass, sealPass, type SealTiming } from "./seal-pass";
import { lockSealing, readSealState } from "./state";
import { addTotals } from "./totals";

/** Seals in the background. */
export interface Sealer {
  /** Seconds since the last moment up to which everything was looked for; null while that is not known. */
  readonly lagSeconds: number | null;
  /** Seals until nothing is left. @returns blocks made, or null when there is no key or another process seals */
  drain(): Promise<number | null>;
  /** Makes a checkpoint of the newest block, unless there is one. */
  checkpoint(): Promise<StoredCheckpoint | null>;
  /** Ends after the block that is being made. */
  close(): Promise<void>;
}

/** Settings of a sealer. Times in milliseconds. */
export interface SealerOptions {
  readonly db: Db;
  readonly clock: Clock;
  readonly secrets: SecretBox;
  /** Rest between two passes; null: only when `drain` is called. */
  readonly intervalMs: number | null;
  readonly checkpointIntervalMs: number;
  /** Where checkpoints go beside the file. */
  readonly targets: readonly CheckpointTarget[];
  readonly leavesMax?: number;
  /** Nothing is sealed while it finds a contradiction; left out: nothing is compared. */
  readonly chainWatch?: ChainWatch;
  /** For tests. */
  readonly timing?: SealTiming;
  readonly onBlock?: (block: { readonly blockNo: bigint; readonly leaves: number }) => void;
  readonly onClockSetBack?: (seconds: number) => void;
  readonly onFault: (fault: unknown, where: string) => void;
}

const TIMEOUT_MS = 60_000;
const REST_AFTER_FAULT_MS = 5_000;
const LEAVES_MAX = 2_048;
/** One look at the tables serves so many blocks: what was recorded lately is not indexed yet, and is read whole. */
const BLOCKS_MAX = 16;

/** Starts it. Every process may run one: a lock lets one of them work at a time. */
export function openSealer(options: SealerOptions): Sealer {
  const { db, clock, secrets, leavesMax = LEAVES_MAX, onBlock = () => {}, onClockSetBack = () => {} } = options;
  const timing = options.timing === undefined ? {} : { timing: options.timing };
  const closing = new AbortController();
  const pace = newSealPace();
  let key: SigningKey | null = null;
  let lag: number | null = null;
  let areTotalsBehind = false;
  const transact = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    db.withTransaction(deadlineIn(clock, TIMEOUT_MS), work);

  /** The newest key; asked for each time, since a rotation is to take effect with the next block. */
  async function currentKey(tx: Tx): Promise<SigningKey | null> {
    key = (await readSigningKey(tx, secrets, key?.keyNo ?? 0)) ?? key;
    return key;
  }

  async function pass(isQuick: boolean): Promise<SealPass | null> {
    const done = await transact(async (tx) => {
      const signing = await currentKey(tx);
      if (signing === null) return null;
      const contradiction = (await options.chainWatch?.contradictionOf(tx)) ?? null;
      if (contradiction !== null) throw new Fault("checkpoint_mismatch", contradiction);
      const sealed = await sealPass(tx, {
        ...{ ...timing, isQuick, key: signing, leavesMax, blocksMax: BLOCKS_MAX, pace },
        newSalt: () => randomBytes(32),
      });
      areTotalsBehind = sealed.kind === "done" && (await addTotals(tx));
      return sealed;
    });
    if (done?.kind !== "done") {
      const { now, scannedUntil } = await transact(readSealState);
      lag = scannedUntil === null ? null : Number(now - scannedUntil) / 1e6;
      return done;
    }
    lag = Number(done.lagMicros) / 1e6;
    if (done.clockSetBackMicros > 0n) onClockSetBack(Number(done.clockSetBackMicros) / 1e6);
    for (const { blockNo, leafCount } of done.blocks) onBlock({ blockNo, leaves: leafCount });
    return done;
  }

  async function drain(): Promise<number | null> {
    let blocks = 0;
    let isQuick = false;
    while (!closing.signal.aborted) {
      const done = await pass(isQuick);
      if (done?.kind !== "done") return null;
      blocks += done.blocks.length;
      if (done.isThrough && !done.wasFull && !areTotalsBehind) break;
      isQuick = done.isThrough;
    }
    return blocks;
  }

  function checkpoint(intervalMs = 0): Promise<StoredCheckpoint | null> {
    return transact(async (tx) => {
      const signing = await currentKey(tx);
      if (signing === null || !(await isCheckpointDue(tx, intervalMs)) || !(await lockSealing(tx))) return null;
      return makeCheckpoint(tx, signing, new Date(clock.nowMs()).toISOString(), options.targets);
    });
  }

  async function run(intervalMs: number): Promise<void> {
    while (!closing.signal.aborted) {
      let restMs = intervalMs;
      try {
        if ((await drain()) !== null) await checkpoint(options.checkpointIntervalMs);
      } catch (error) {
        options.onFault(error, "sealing");
        restMs = Math.max(restMs, REST_AFTER_FAULT_MS);
      }
      await pause(restMs, undefined, { signal: closing.signal }).catch(() => {});
    }
  }

  const running = options.intervalMs === null ? Promise.resolve() : run(options.intervalMs);
  return {
    get lagSeconds() {
      return lag;
    },
    drain,
    checkpoint: () => checkpoint(),
    async close() {
      closing.abort();
      await running;
    },
  };
}
