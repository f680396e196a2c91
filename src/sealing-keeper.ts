import type { ChildProcess } from "node:child_process";
import { extname, join } from "node:path";
import { type Config, forkBeside, type Logger, type Metrics } from "./platform";
import type { FromSealing, ToSealing } from "./sealing-messages";
import type { Services } from "./services";

/** Sealing goes on until this is stopped. */
export interface SealingKeeper {
  /** Resolves when the block that is being made is made, or given up. */
  stop(): Promise<void>;
}

/** What sealing is kept up with. */
export interface SealingKeeperOptions {
  readonly config: Config;
  readonly services: Services;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Times in milliseconds. */
const RESTART_AFTER_MS = 1_000;
const RESTART_AFTER_MAX_MS = 30_000;
const LONG_LIFE_MS = 60_000;
const STOP_AFTER_MS = 10_000;
/** JavaScript heap of the process, MiB: a pass holds 33,000 leaves at most. */
const HEAP_MIB = 256;
const ENTRY = join(__dirname, `sealing-process${extname(__filename)}`);

/**
 * Seals in a process of its own, at a lower priority: canonical forms and digests are 60 microseconds of processor a leaf,
 * two leaves a payment, which those who wait for an answer would wait for too. A process that ends is started again.
 */
export function keepSealing({ config, services, logger, metrics }: SealingKeeperOptions): SealingKeeper {
  let child: ChildProcess | null = null;
  let ended: Promise<void> = Promise.resolve();
  let restart: NodeJS.Timeout | undefined;
  let restartAfterMs = RESTART_AFTER_MS;
  let isStopping = false;
  let lag: number | null = null;
  metrics.watch(
    "biller_seal_lag_seconds",
    "Age of the moment up to which everything was looked for to be sealed; -1 before the first pass",
    () => lag ?? -1,
    "max",
  );

  function hear(message: FromSealing): void {
    switch (message.kind) {
      case "sealed":
        metrics.countSealed(message.leaves);
        return logger.debug({ blockNo: message.blockNo.toString(), leaves: message.leaves }, "sealed");
      case "lag":
        lag = message.seconds;
        return;
      case "clock set back":
        return logger.warn(
          { seconds: message.seconds },
          "anomaly: the database's clock was set back; sealing looks that far back again",
        );
      case "fault":
        metrics.countFault(message.where);
        return logger.warn({ where: message.where, code: message.code ?? undefined }, message.message);
    }
  }

  function begin(): void {
    const startedMs = performance.now();
    const started = forkBeside({ entry: ENTRY, heapMib: HEAP_MIB });
    child = started.child;
    started.child.on("message", hear);
    const { isEmbedded, databaseUrl, credentialKeys } = services;
    tell(started.child, { kind: "start", services: { isEmbedded, databaseUrl, credentialKeys } });
    ended = started.gone.then((why) => {
      child = null;
      lag = null;
      if (isStopping) return;
      metrics.countFault("sealing");
      logger.error({ where: "sealing", why, said: started.tail() }, "the process that seals ended by itself");
      if (performance.now() - startedMs > LONG_LIFE_MS) restartAfterMs = RESTART_AFTER_MS;
      restart = setTimeout(begin, restartAfterMs);
      restartAfterMs = Math.min(restartAfterMs * 2, RESTART_AFTER_MAX_MS);
    });
  }

  if (config.seal.isOn) begin();
  return {
    async stop() {
      isStopping = true;
      clearTimeout(restart);
      if (child === null) return;
      const ending = child;
      tell(ending, { kind: "stop" });
      const kill = setTimeout(() => ending.kill("SIGKILL"), STOP_AFTER_MS);
      await ended;
      clearTimeout(kill);
    },
  };
}

function tell(child: ChildProcess, message: ToSealing): void {
  child.send(message, () => {
    // It is gone; its end is dealt with where it is noticed.
  });
}
