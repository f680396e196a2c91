import { setTimeout as pause } from "node:timers/promises";
import { type Clock, type Db, deadlineIn, Fault, messageOf, type Tx } from "../../platform";
import { hmacOf } from "../../wire";
import { retryPauseMs } from "../backoff";
import { sendCallback } from "../send";
import { vetTarget } from "../vetted-address";
import { appendToCheckpointFile, checkpointJson, lastOfCheckpointFile } from "./checkpoint-file";
import {
  type ClaimedCheckpoint,
  claimCheckpoints,
  lockFile,
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
    if (file !== null) await transact((tx) => appendNew(tx, file));
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
 * the database was put back or its chain was written anew, and the file is left as it is.
 */
async function appendNew(tx: Tx, file: string): Promise<void> {
  if (!(await lockFile(tx, file))) return;
  const last = lastOfCheckpointFile(file);
  for (let from = last?.blockNo ?? 1n; ;) {
    const page = await readCheckpointsFrom(tx, from, PAGE);
    if (last !== null && from === last.blockNo && page[0]?.statement !== last.statement) {
      throw new Fault(
        "checkpoint_mismatch",
        `${file} ends with a checkpoint of block ${last.blockNo} that this database does not have: it was restored from ` +
          "an older backup, or its chain was written anew. Run biller ledger verify; move the file away to begin another",
      );
    }
    await appendToCheckpointFile(
      file,
      page.filter(({ blockNo }) => blockNo > (last?.blockNo ?? 0n)),
    );
    if (page.length < PAGE) return;
    from = (page.at(-1)?.blockNo ?? from) + 1n;
  }
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
