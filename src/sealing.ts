import { join } from "node:path";
import { openCheckpointCourier } from "./callbacks";
import type { ReadinessCheck } from "./http";
import { describeSealing, openSealer, readSealStatus } from "./ledger";
import {
  type Config,
  createSecretBox,
  type Db,
  deadlineIn,
  type Logger,
  messageOf,
  type Metrics,
  openDb,
  systemClock,
} from "./platform";
import type { Services } from "./services";

/** What makes the books provable, running behind the payments. */
export interface Sealing {
  check(): Promise<ReadinessCheck>;
  stop(): Promise<void>;
}

/** What sealing is started with. */
export interface SealingOptions {
  readonly config: Config;
  readonly services: Services;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly onFault: (fault: unknown, where: string) => void;
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

/** Starts sealer and courier on connections of their own: payments never wait for one. */
export function startSealing({ config, services, logger, metrics, onFault }: SealingOptions): Sealing {
  const { seal } = config;
  const clock = systemClock;
  const db = openSealingDb(services.databaseUrl, onFault);
  const targets = [
    ...(seal.s3 === null ? [] : ["s3" as const]),
    ...(seal.webhook === null ? [] : ["webhook" as const]),
  ];
  const sealer = openSealer({
    ...{ db, clock, targets, onFault },
    secrets: createSecretBox(services.credentialKeys),
    intervalMs: seal.isOn ? seal.intervalMs : null,
    checkpointIntervalMs: seal.checkpointIntervalMs,
    onBlock: ({ blockNo, leaves }) => {
      metrics.countSealed(leaves);
      logger.debug({ blockNo: blockNo.toString(), leaves }, "sealed");
    },
    onClockSetBack: (seconds) =>
      logger.warn({ seconds }, "anomaly: the database's clock was set back; sealing looks that far back again"),
  });
  const courier = openCheckpointCourier({
    ...{ db, clock, onFault, s3: seal.s3, webhook: seal.webhook },
    intervalMs: seal.isOn ? COURIER_EVERY_MS : null,
    file: checkpointFileOf(config, services),
  });
  metrics.watch(
    "biller_seal_lag_seconds",
    "Age of the moment up to which everything was looked for to be sealed; -1 before the first pass",
    () => sealer.lagSeconds ?? -1,
    "max",
  );
  return {
    async check() {
      try {
        const status = await db.withTransaction(deadlineIn(clock, 1_000), (tx) => readSealStatus(tx));
        return { name: "seal", isRequired: seal.lagMaxMs !== null, ...describeSealing(status, seal) };
      } catch (error) {
        return { name: "seal", isRequired: seal.lagMaxMs !== null, isOk: false, detail: messageOf(error) };
      }
    },
    async stop() {
      await Promise.all([sealer.close(), courier.close()]);
      await db.close();
    },
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
