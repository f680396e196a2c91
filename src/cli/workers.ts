import cluster, { type Worker } from "node:cluster";
import { extname, join } from "node:path";
import { aggregateMetrics, Fault, type Logger, type Metrics, sleep } from "../platform";
import type { Services } from "../services";
import type { FromWorker, ToWorker, WorkerServices } from "./worker-messages";

/** Several processes behind one port. They share nothing but PostgreSQL and Redis. */
export interface Workers {
  readonly url: string;
  /** Every worker finishes what it has accepted. */
  stop(): Promise<void>;
}

/** How workers are run. */
export interface WorkersOptions {
  readonly count: number;
  readonly services: Services;
  readonly logger: Logger;
  /** Figures of this process, to be added to the workers'. */
  readonly metrics: Metrics;
  /** How long a worker may take to finish, milliseconds; then it is killed. */
  readonly shutdownTimeoutMs: number;
  /** Called when workers keep ending by themselves. */
  readonly onLost: (reason: string) => void;
}

/** Times in milliseconds. */
const RESTART_AFTER_MS = 500;
const METRICS_WAIT_MS = 1_000;
/** A worker that ends this soon after its start, this often, will not do better the next time. */
const SHORT_LIFE_MS = 10_000;
const SHORT_LIVES_MAX = 5;

/**
 * Starts the workers and keeps their number: one that ends by itself is replaced.
 *
 * @throws Fault `workers` when one of them cannot start
 */
export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  cluster.setupPrimary({ exec: join(__dirname, `worker${extname(__filename)}`) });
  let isStopping = false;
  let shortLives = 0;

  async function begin(): Promise<string> {
    const startedMs = performance.now();
    const worker = cluster.fork();
    const url = await greet(worker, servicesFor(options.services));
    worker.on("message", (message: FromWorker) => {
      if (message.kind === "gather-metrics") void gather(worker, message.id, options.metrics);
    });
    worker.once("exit", (code, signal) => {
      if (isStopping) return;
      shortLives = performance.now() - startedMs < SHORT_LIFE_MS ? shortLives + 1 : 0;
      options.logger.error({ worker: worker.process.pid, code, signal }, "a worker ended by itself");
      if (shortLives >= SHORT_LIVES_MAX) options.onLost(`workers keep ending: ${signal ?? `exit code ${code}`}`);
      else void replace();
    });
    return url;
  }

  async function replace(): Promise<void> {
    await sleep(RESTART_AFTER_MS);
    if (isStopping) return;
    try {
      await begin();
    } catch (error) {
      options.onLost((error as Error).message);
    }
  }

  const urls = await Promise.all(Array.from({ length: options.count }, begin));
  return {
    url: urls[0] ?? "",
    async stop() {
      isStopping = true;
      await Promise.all(living().map((worker) => end(worker, options)));
    },
  };
}

function living(): Worker[] {
  return Object.values(cluster.workers ?? {}).flatMap((worker) => worker ?? []);
}

function send(worker: Worker, message: ToWorker): void {
  worker.send(message, (error) => {
    // It is gone; its exit is dealt with where it is noticed.
    void error;
  });
}

/** Hands a worker its services and waits until it listens. */
function greet(worker: Worker, services: WorkerServices): Promise<string> {
  return new Promise((resolve, reject) => {
    worker.on("message", (message: FromWorker) => {
      if (message.kind === "listening") resolve(message.url);
      if (message.kind === "failed") reject(new Fault("workers", message.message));
    });
    worker.once("exit", (code, signal) => {
      reject(new Fault("workers", `a worker ended while starting: ${signal ?? `exit code ${code}`}`));
    });
    worker.once("online", () => send(worker, { kind: "start", services }));
  });
}

function end(worker: Worker, { shutdownTimeoutMs }: WorkersOptions): Promise<void> {
  return new Promise((resolve) => {
    const kill = setTimeout(() => worker.process.kill("SIGKILL"), shutdownTimeoutMs + 5_000);
    worker.once("exit", () => {
      clearTimeout(kill);
      resolve();
    });
    send(worker, { kind: "stop" });
  });
}

/** One worker was asked for its metrics: its figures alone would be a part of the truth. */
async function gather(asking: Worker, id: number, own: Metrics): Promise<void> {
  const snapshots = await Promise.all([own.snapshot(), ...living().map((worker) => snapshotOf(worker, id))]);
  const text = await aggregateMetrics(snapshots.filter((snapshot) => snapshot !== null));
  send(asking, { kind: "metrics-gathered", id, text });
}

/** Figures of one worker, or null when it does not answer in time. */
function snapshotOf(worker: Worker, id: number): Promise<unknown> {
  return new Promise((resolve) => {
    const finish = (snapshot: unknown): void => {
      clearTimeout(timer);
      worker.off("message", onMessage);
      resolve(snapshot);
    };
    const onMessage = (message: FromWorker): void => {
      if (message.kind === "metrics" && message.id === id) finish(message.snapshot);
    };
    const timer = setTimeout(() => finish(null), METRICS_WAIT_MS);
    worker.on("message", onMessage);
    send(worker, { kind: "metrics-wanted", id });
  });
}

function servicesFor({ credentialKeys, ...services }: Services): WorkerServices {
  const { isEmbedded, databaseUrl, migrationDatabaseUrl, auditDatabaseUrl, redisUrl } = services;
  return {
    ...{ isEmbedded, databaseUrl, migrationDatabaseUrl, auditDatabaseUrl, redisUrl },
    credentialKeys: credentialKeys.map(([keyId, key]) => [keyId, key.toString("base64")] as const),
  };
}
