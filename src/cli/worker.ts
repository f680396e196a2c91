import { type Host, startHost } from "../compose";
import { configFromProcess, createLogger, createMetrics, type Metrics, messageOf } from "../platform";
import type { FromWorker, ToWorker, WorkerServices } from "./worker-messages";

// One of several processes behind one port, started by `startWorkers`. It lives as long as the first process does.

const tell = (message: FromWorker): void => void process.send?.(message);
const config = configFromProcess();
const logger = createLogger({ level: config.logLevel });
const waiting = new Map<number, (text: string) => void>();
let host: Host | null = null;
const ownMetrics: Metrics = createMetrics();
let lastId = 0;

/** The first process gathers what all workers have counted; should it not answer, this one's own figures have to do. */
function metricsOfAll(own: Metrics): Promise<string> {
  const id = process.pid * 1_000_000 + (lastId += 1);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      waiting.delete(id);
      own.text().then(resolve, reject);
    }, 2_000);
    waiting.set(id, (text) => {
      clearTimeout(timer);
      resolve(text);
    });
    tell({ kind: "gather-metrics", id });
  });
}

async function start({ credentialKeys, ...services }: WorkerServices): Promise<void> {
  try {
    host = await startHost({
      config,
      logger,
      services: {
        ...services,
        credentialKeys: credentialKeys.map(([keyId, key]) => [keyId, Buffer.from(key, "base64")] as const),
        stop: () => Promise.resolve(),
      },
      metrics: { ...ownMetrics, text: () => metricsOfAll(ownMetrics) },
    });
    tell({ kind: "listening", url: host.url });
  } catch (error) {
    tell({ kind: "failed", message: messageOf(error) });
    process.exitCode = 1;
    process.disconnect();
  }
}

async function stop(exitCode: number): Promise<never> {
  try {
    await host?.stop();
  } catch (error) {
    logger.error({ err: error }, "stopped with a fault");
    process.exit(1);
  }
  process.exit(exitCode);
}

process.on("message", (message: ToWorker) => {
  if (message.kind === "start") void start(message.services);
  if (message.kind === "stop") void stop(0);
  if (message.kind === "metrics-gathered") {
    waiting.get(message.id)?.(message.text);
    waiting.delete(message.id);
  }
  if (message.kind === "metrics-wanted") {
    const { id } = message;
    void ownMetrics.snapshot().then((snapshot) => tell({ kind: "metrics", id, snapshot }));
  }
});
// An interrupt from the terminal reaches the whole group; the first process is the one that decides.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
process.on("disconnect", () => void stop(0));
for (const event of ["unhandledRejection", "uncaughtException"] as const) {
  process.on(event, (error) => {
    logger.fatal({ err: error }, "unhandled fault");
    void stop(1);
  });
}
