import { setTimeout as pause } from "node:timers/promises";
import { type Checkpoint, parseCheckpoint } from "../../domain";
import { type Clock, type Db, deadlineIn, Fault, messageOf, type Tx } from "../../platform";
import { hmacOf } from "../../wire";
import { retryPauseMs } from "../backoff";
import { sendCallback } from "../send";
import { vetTarget } from "../vetted-address";
import {
  appendToCheckpointFile,
  checkpointJson,
  lastOfCheckpointFile,
  type OutgoingCheckpoint,
  putCheckpointFileAway,
  readCheckpointFile,
} from "./checkpoint-file";
import {
  type ClaimedCheckpoint,
  claimCheckpoints,
  lockFile,
  readBlockHashes,
  readCheckpointsFrom,
  recordCheckpoint,
} from "./deliveries";
import { putCheckpoint, type S3Target } from "./s3";

/** Where a checkpoint is posted to, and the key that signs the post; an empty key signs nothing. */
export interface WebhookTarget {
  readonly url: string;
  readonly secret: string;
}

/** Carries checkpoints out of the database. */
export interface CheckpointCourier {
  /** One round: the file first, then what is due elsewhere. */
  deliver(): Promise<void>;
  close(): Promise<void>;
}

/** Settings of the courier. */
export interface CourierOptions {
  readonly db: Db;
  readonly clock: Clock;
  /** Rest between two rounds, milliseconds; null: only when `deliver` is called. */
  readonly intervalMs: number | null;
  /** File that checkpoints are appended to; null: none. */
  readonly file: string | null;
  readonly s3: S3Target | null;
  readonly webhook: WebhookTarget | null;
  /** Whether somebody has accepted that the block of this checkpoint is lost; left out: nobody has. */
  readonly isRollbackAccepted?: (tx: Tx, checkpoint: Checkpoint) => Promise<boolean>;
  readonly onFault: (fault: unknown, where: string) => void;
}

const TIMEOUT_MS = 30_000;
const LEASE_MS = 60_000;
const AT_ONCE = 50;
const RETRY_MAX_MS = 3_600_000;
const PAGE = 1_000;

/** Starts it. Every process may run one: claims keep them apart, and every machine has its own file. */
export function openCheckpointCourier(options: CourierOptions): CheckpointCourier {
  const { db, clock, file, s3, webhook, onFault } = options;
  const closing = new AbortController();
  const targets = [...(s3 === null ? [] : ["s3"]), ...(webhook === null ? [] : ["webhook"])];
  const transact = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    db.withTransaction(deadlineIn(clock, TIMEOUT_MS), work);

  async function send(checkpoint: ClaimedCheckpoint): Promise<void> {
    const fault = await attempt(options, checkpoint);
    const retryInMs = retryPauseMs(checkpoint.attempt, Math.random()) ?? RETRY_MAX_MS;
    await transact((tx) => recordCheckpoint(tx, checkpoint, fault, Math.min(retryInMs, RETRY_MAX_MS)));
    if (fault !== null) {
      onFault(new Fault("checkpoint", `block ${checkpoint.blockNo} to ${checkpoint.target}: ${fault}`), "checkpoints");
    }
  }

  async function deliver(): Promise<void> {
    if (file !== null) await transact((tx) => appendNew(tx, file, options.isRollbackAccepted));
    if (targets.length === 0) return;
    const due = await transact((tx) => claimCheckpoints(tx, targets, { limit: AT_ONCE, leaseMs: LEASE_MS }));
    for (const checkpoint of due) await send(checkpoint);
  }

  async function run(intervalMs: number): Promise<void> {
    while (!closing.signal.aborted) {
      await deliver().catch((error: unknown) => onFault(error, "checkpoints"));
      await pause(intervalMs, undefined, { signal: closing.signal }).catch(() => {});
    }
  }

  const running = options.intervalMs === null ? Promise.resolve() : run(options.intervalMs);
  return {
    deliver,
    async close() {
      closing.abort();
      await running;
    },
  };
}

/**
 * Appends what the file does not have; one process at a time. Its last line has to be one of this database's: if it is not,
 * the database was put back or its chain was written anew, and the file is left as it is until somebody accepts that.
 */
async function appendNew(tx: Tx, file: string, isAccepted: CourierOptions["isRollbackAccepted"]): Promise<void> {
  if (!(await lockFile(tx, file))) return;
  const lost = await lostBlocksOf(tx, file);
  if (lost !== null) {
    const checkpoint = parseCheckpoint(lost.last.statement);
    if (checkpoint === null || !(await (isAccepted?.(tx, checkpoint) ?? false))) {
      throw new Fault(
        "checkpoint_mismatch",
        `${file} ends with a checkpoint of block ${lost.last.blockNo} that this database does not have: it was restored from ` +
          "an older backup, or its chain was written anew. Run biller ledger verify, then biller ledger accept-rollback",
      );
    }
    putCheckpointFileAway(file, lost.agreedUntil);
  }
  const last = lastOfCheckpointFile(file);
  for (let from = (last?.blockNo ?? 0n) + 1n; ;) {
    const page = await readCheckpointsFrom(tx, from, PAGE);
    await appendToCheckpointFile(file, page);
    if (page.length < PAGE) return;
    from = (page.at(-1)?.blockNo ?? from) + 1n;
  }
}

/** What a checkpoint file knows and the database does not have. */
export interface LostBlocks {
  /** The last block of the file that the database has as well; 0: none. */
  readonly agreedUntil: bigint;
  /** The last checkpoint of the file. */
  readonly last: OutgoingCheckpoint;
}

/** Compares the end of a checkpoint file with the chain; null when it is one of this chain, or there is none. */
export async function lostBlocksOf(tx: Tx, file: string): Promise<LostBlocks | null> {
  const last = lastOfCheckpointFile(file);
  if (last === null || (await agrees(tx, [last])).length === 1) return null;
  const lines = readCheckpointFile(file);
  for (let end = lines.length; end > 0; end -= PAGE) {
    const agreed = (await agrees(tx, lines.slice(Math.max(0, end - PAGE), end))).at(-1);
    if (agreed !== undefined) return { agreedUntil: agreed.blockNo, last };
  }
  return { agreedUntil: 0n, last };
}

/** Those checkpoints whose block the database has, in their order. */
async function agrees(tx: Tx, checkpoints: readonly OutgoingCheckpoint[]): Promise<readonly OutgoingCheckpoint[]> {
  const hashes = await readBlockHashes(
    tx,
    checkpoints.map(({ blockNo }) => blockNo),
  );
  return checkpoints.filter(
    ({ blockNo, statement }) => hashes.get(blockNo) === (parseCheckpoint(statement)?.blockHash ?? ""),
  );
}

async function attempt({ s3, webhook, clock }: CourierOptions, checkpoint: ClaimedCheckpoint): Promise<string | null> {
  if (checkpoint.target === "s3") return s3 === null ? "no bucket is configured" : putCheckpoint(s3, checkpoint);
  if (webhook === null) return "no webhook is configured";
  const body = checkpointJson(checkpoint);
  const id = `checkpoint-${checkpoint.blockNo}`;
  const timestamp = String(Math.floor(clock.nowMs() / 1_000));
  const signature = webhook.secret === "" ? {} : { "X-Signature": `v1=${hmacOf(webhook.secret, id, timestamp, body)}` };
  try {
    // The address is the owner's own choice, so it may be a private one.
    const target = await vetTarget(webhook.url, [new URL(webhook.url).hostname]);
    const headers = { "X-Event-Id": id, "X-Event-Kind": "ledger.checkpoint", "X-Timestamp": timestamp, ...signature };
    return (await sendCallback(target, body, headers)).fault;
  } catch (error) {
    return messageOf(error).slice(0, 200);
  }
}
