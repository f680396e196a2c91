import { join } from "node:path";
import { type CheckpointCourier, lastOfCheckpointFile, openCheckpointCourier } from "./callbacks";
import { type Checkpoint, parseCheckpoint } from "./domain";
import type { ReadinessCheck } from "./http";
import {
  describeSealing,
  isRollbackAccepted,
  openChainWatch,
  openSealer,
  readSealStatus,
  type Sealer,
  type SealerOptions,
} from "./ledger";
import { type Config, createSecretBox, type Db, deadlineIn, messageOf, openDb, systemClock } from "./platform";
import type { Services } from "./services";

/** What makes the books provable: it seals them, and takes checkpoints out of the database. */
export interface Sealing {
  readonly db: Db;
  readonly sealer: Sealer;
  readonly courier: CheckpointCourier;
  /** Ends after the block that is being made. */
  close(): Promise<void>;
}

/** What sealing needs. */
export interface SealingOptions extends Pick<SealerOptions, "onBlock" | "onClockSetBack" | "onFault"> {
  readonly config: Config;
  readonly services: Pick<Services, "isEmbedded" | "databaseUrl" | "credentialKeys">;
  /** False: nothing happens by itself, only when it is called. */
  readonly isRunning: boolean;
}

/** Name of the file within the checkpoint directory. */
export const CHECKPOINT_FILE = "checkpoints.ndjson";
const COURIER_EVERY_MS = 2_000;
/** The first pass over a ledger that was never sealed reads all of it. */
const STATEMENT_TIMEOUT_MS = 60_000;

/** The checkpoint file of these settings; null when there is none. */
export function checkpointFileOf(config: Config, services: Pick<Services, "isEmbedded">): string | null {
  const directory = config.seal.checkpointDir ?? (services.isEmbedded ? join(config.dataDir, "checkpoints") : null);
  return directory === null ? null : join(directory, CHECKPOINT_FILE);
}

/** Opens sealer and courier on connections of their own: payments never wait for one. */
export function openSealing({ config, services, isRunning, onFault, ...told }: SealingOptions): Sealing {
  const { seal } = config;
  const clock = systemClock;
  const db = openSealingDb(services.databaseUrl, onFault);
  const targets = [
    ...(seal.s3 === null ? [] : ["s3" as const]),
    ...(seal.webhook === null ? [] : ["webhook" as const]),
  ];
  const file = checkpointFileOf(config, services);
  const sealer = openSealer({
    chainWatch: openChainWatch(() => lastOutside(file)),
    ...{ ...told, db, clock, targets, onFault },
    secrets: createSecretBox(services.credentialKeys),
    intervalMs: isRunning ? seal.intervalMs : null,
    checkpointIntervalMs: seal.checkpointIntervalMs,
  });
  const courier = openCheckpointCourier({
    ...{ db, clock, onFault, s3: seal.s3, webhook: seal.webhook },
    intervalMs: isRunning ? COURIER_EVERY_MS : null,
    file,
    isRollbackAccepted: (tx, { blockNo, madeAt }) => isRollbackAccepted(tx, { blockNo, at: madeAt, isOutside: true }),
  });
  return {
    ...{ db, sealer, courier },
    async close() {
      await Promise.all([sealer.close(), courier.close()]);
      await db.close();
    },
  };
}

/** How far sealing is, wherever it is done, for `/readyz`. */
export async function checkSealing(db: Db, seal: Config["seal"]): Promise<ReadinessCheck> {
  const known = { name: "seal", isRequired: seal.lagMaxMs !== null };
  try {
    const status = await db.withTransaction(deadlineIn(systemClock, 1_000), (tx) => readSealStatus(tx));
    return { ...known, ...describeSealing(status, seal) };
  } catch (error) {
    return { ...known, isOk: false, detail: messageOf(error) };
  }
}

/** The last checkpoint of the file; null when there is none, or it cannot be read: the courier reports that. */
function lastOutside(file: string | null): Checkpoint | null {
  try {
    const last = file === null ? null : lastOfCheckpointFile(file);
    return last === null ? null : parseCheckpoint(last.statement);
  } catch {
    return null;
  }
}

/** Whether the chain is the one that is known: asked at every question about readiness, and every few seconds. */
export interface ChainState {
  readonly isContradicted: boolean;
  check(): Promise<ReadinessCheck>;
  close(): void;
}

const CHAIN_EVERY_MS = 5_000;

/** Compares, in a host, what is known of the chain with what the database has. */
export function openChainState(db: Db, file: string | null, onContradiction: (detail: string) => void): ChainState {
  const watch = openChainWatch(() => lastOutside(file));
  let contradiction: string | null = null;
  async function check(): Promise<ReadinessCheck> {
    const known = { name: "chain", isRequired: true };
    try {
      const found = await db.withTransaction(deadlineIn(systemClock, 1_000), (tx) => watch.contradictionOf(tx));
      if (found !== null && contradiction === null) onContradiction(found);
      contradiction = found;
      const detail = file === null ? "as this process has seen it; no checkpoint file" : "as the checkpoint file says";
      return { ...known, isOk: found === null, detail: found ?? detail };
    } catch (error) {
      // That the database does not answer is told by its own check.
      return { name: "chain", isRequired: false, isOk: contradiction === null, detail: messageOf(error) };
    }
  }
  const timer = setInterval(() => void check(), CHAIN_EVERY_MS);
  timer.unref();
  return {
    get isContradicted() {
      return contradiction !== null;
    },
    check,
    close: () => clearInterval(timer),
  };
}

/** A small pool whose statements may take their time. */
export function openSealingDb(url: string, onFault: SealingOptions["onFault"]): Db {
  return openDb({
    ...{ url, poolMax: 2, applicationName: "biller-sealer", clock: systemClock },
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
    onFault: ({ where, message }) => onFault(new Error(message), where),
  });
}
