import { ensureMonthPartitions, restoreLostAttempts, trackDivergences } from "./ledger";
import { type Clock, type Db, deadlineIn, type Logger, type Tx } from "./platform";
import { trackMissingFiles } from "./ops";
import { dropExpiredAttempts } from "./store";

/** What has to be done from time to time in a running host. */
export interface Housekeeping {
  stop(): void;
}

/** What housekeeping is done with. */
export interface HousekeepingOptions {
  readonly db: Db;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Months of attempts to keep beside the present one; 0 keeps all. */
  readonly attemptRetentionMonths: number;
  readonly onFault: (fault: unknown, where: string) => void;
}

/** Times in milliseconds. */
const MINUTE_MS = 60_000;
const PARTITIONS_EVERY_MS = 6 * 60 * MINUTE_MS;
const RETENTION_EVERY_MS = 24 * 60 * MINUTE_MS;
const RESTORE_EVERY_MS = 10 * MINUTE_MS;
/** At start, what any crash of the last days has left behind; afterwards only what others leave. */
const RESTORE_AT_START_MS = 48 * 60 * MINUTE_MS;
/** Attempts younger than this may still be in the memory of a living process. */
const RESTORE_REST_MS = MINUTE_MS;
const DIVERGENCE_EVERY_MS = MINUTE_MS;
const DIVERGENCE_SPAN_MS = 24 * 60 * MINUTE_MS;
/** Attempts of living processes are written within a second; those restored after a crash count as not delivered. */
const DIVERGENCE_REST_MS = MINUTE_MS;
const MISSING_FILES_EVERY_MS = MINUTE_MS;
const TIMEOUT_MS = 60_000;
const MONTHS_AHEAD = 3;

/** Creates the partitions that payments need; nothing may be posted before. */
export function preparePartitions(db: Db, clock: Clock): Promise<number> {
  return db.withTransaction(deadlineIn(clock, TIMEOUT_MS), (tx) => ensureMonthPartitions(tx, MONTHS_AHEAD));
}

/** Starts the timers. Everything here may be done by several replicas at once. */
export function startHousekeeping(options: HousekeepingOptions): Housekeeping {
  const { db, clock, logger, onFault } = options;
  const transact = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    db.withTransaction(deadlineIn(clock, TIMEOUT_MS), work);

  async function restore(spanMs: number): Promise<void> {
    const untilMs = clock.nowMs() - RESTORE_REST_MS;
    const restored = await transact((tx) => restoreLostAttempts(tx, untilMs - spanMs, untilMs));
    if (restored > 0) logger.warn({ restored }, "attempts were lost in a crash and written again from the registry");
  }
  async function diverge(): Promise<void> {
    const untilMs = clock.nowMs() - DIVERGENCE_REST_MS;
    const { opened, closed } = await transact((tx) => trackDivergences(tx, untilMs - DIVERGENCE_SPAN_MS, untilMs));
    for (const traxId of opened) logger.warn({ traxId }, "divergence: decided, but the switch may not know");
    for (const traxId of closed) logger.info({ traxId }, "divergence closed");
  }
  async function missing(): Promise<void> {
    const { opened } = await transact((tx) => trackMissingFiles(tx, clock.nowMs()));
    if (opened > 0) logger.warn({ opened }, "settlement files that were expected have not come");
  }
  async function expire(): Promise<void> {
    if (options.attemptRetentionMonths === 0) return;
    const dropped = await transact((tx) => dropExpiredAttempts(tx, options.attemptRetentionMonths));
    if (dropped.length > 0) logger.info({ dropped }, "months of attempts dropped, as the retention setting says");
  }
  const attempt = (where: string, work: () => Promise<unknown>): void => {
    work().catch((error: unknown) => onFault(error, where));
  };

  attempt("restoring attempts", () => restore(RESTORE_AT_START_MS));
  attempt("dropping attempts", expire);
  attempt("tracking divergences", diverge);
  attempt("looking for missing files", missing);
  const timers = [
    setInterval(() => attempt("partition maintenance", () => preparePartitions(db, clock)), PARTITIONS_EVERY_MS),
    setInterval(() => attempt("restoring attempts", () => restore(2 * RESTORE_EVERY_MS)), RESTORE_EVERY_MS),
    setInterval(() => attempt("tracking divergences", diverge), DIVERGENCE_EVERY_MS),
    setInterval(() => attempt("looking for missing files", missing), MISSING_FILES_EVERY_MS),
    setInterval(() => attempt("dropping attempts", expire), RETENTION_EVERY_MS),
  ];
  return {
    stop: () => {
      for (const timer of timers) clearInterval(timer);
    },
  };
}
