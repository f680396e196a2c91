import { startHost, type Host } from "../compose";
import { type Config, ConfigFault, createLogger, createMetrics, Fault, messageOf } from "../platform";
import { migrateToLatest } from "../platform/migrate";
import { keepSealing, type SealingKeeper } from "../sealing-keeper";
import { openServices, type Services } from "../services";
import { demoGuide } from "./demo/guide";
import { seedDemo } from "./demo/seed";
import { untilStopped } from "./until-stopped";
import { ensureSealKey } from "./seal-key";
import { withOwner } from "./with-database";
import { startWorkers } from "./workers";

/**
 * Runs the host until SIGTERM or SIGINT, embedded servers included. Exit codes: 0 stopped cleanly, 1 could not start or
 * lost its database server, 78 wrong settings.
 */
export async function serve(readConfig: () => Config): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  let config: Config;
  try {
    config = readConfig();
  } catch (error) {
    say(messageOf(error));
    process.exitCode = error instanceof ConfigFault ? 78 : 1;
    return;
  }
  const logger = createLogger({ level: config.logLevel });
  let services: Services | null = null;
  let host: Pick<Host, "url" | "stop"> | null = null;
  let sealing: SealingKeeper | null = null;
  let stopping: Promise<void> | null = null;

  const stop = (reason: string, exitCode: number): Promise<void> => {
    stopping ??= (async () => {
      say(`${reason}: finishing what was accepted`);
      try {
        await host?.stop();
        await sealing?.stop();
        await services?.stop();
        say("stopped");
      } catch (error) {
        say(`stopped with a fault: ${messageOf(error)}`);
        exitCode = 1;
      }
      process.exit(exitCode);
    })();
    return stopping;
  };
  void untilStopped().then((reason) => stop(reason, 0));
  process.on("unhandledRejection", (error) => {
    logger.fatal({ err: error }, "unhandled rejection");
    void stop("unhandled fault", 1);
  });
  process.on("uncaughtException", (error) => {
    logger.fatal({ err: error }, "uncaught exception");
    void stop("unhandled fault", 1);
  });

  try {
    services = await openServices({
      config,
      log: say,
      mayShare: false,
      onLost: (reason) => void stop(reason, 1),
    });
    if (services.redisUrl === null) say("redis: none found, running without it (only latency of repeats is affected)");
    const shouldSeed = config.seedDemo ?? services.isEmbedded;
    const applied = await migrateToLatest(services.migrationDatabaseUrl, { log: say });
    if (applied.length > 0) say(`migrations applied: ${applied.join(", ")}`);
    if (services.isEmbedded) {
      const keyId = await withOwner(services, ensureSealKey);
      if (keyId !== null) say(`signing key of the ledger: ${keyId}`);
    }
    if (shouldSeed) say(await withOwner(services, (context) => seedDemo(context)));
    if (stopping !== null) return;
    const metrics = createMetrics();
    sealing = keepSealing({ config, services, logger, metrics });
    host = await (config.workers === 1
      ? startHost({ config, services, logger, metrics })
      : startWorkers({
          ...{ count: config.workers, services, logger, metrics, shutdownTimeoutMs: config.shutdownTimeoutMs },
          onLost: (reason) => void stop(reason, 1),
        }));
    say(`listening on ${host.url}${config.workers === 1 ? "" : `, ${config.workers} processes`}`);
    if (shouldSeed) say(demoGuide(host.url));
  } catch (error) {
    say(error instanceof Fault ? error.message : `could not start: ${messageOf(error)}`);
    await stop("start failed", error instanceof ConfigFault ? 78 : 1);
  }
}
