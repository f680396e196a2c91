import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Redis } from "ioredis";
import { sleep } from "../clock";
import { Fault, messageOf } from "../faults";
import { serverAccount, spawnAs } from "./account";
import { freePort } from "./free-port";
import { endProcess, isSameProcess, startMarkOf } from "./process-identity";

/** A Redis of our own that keeps nothing on disk: it only holds locks. */
export interface EmbeddedRedis {
  /** Holds a password. */
  readonly url: string;
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

const PROGRAMS = ["redis-server", "valkey-server"];
const STOP_STEPS = [
  ["SIGTERM", 3_000],
  ["SIGKILL", 2_000],
] as const;
const READY_TIMEOUT_MS = 10_000;

/** Path of the Redis server on this machine's PATH, or null. */
export function locateRedis(path: string): string | null {
  for (const directory of path.split(delimiter)) {
    for (const program of PROGRAMS) {
      const file = join(directory, program);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not there: the next place.
      }
    }
  }
  return null;
}

/**
 * Starts a Redis from the PATH on 127.0.0.1, with a password, without persistence.
 *
 * @param options.dir where its process number is kept, so that one left behind by a kill -9 is ended at the next start
 * @returns null when the PATH has none
 */
export async function startEmbeddedRedis(options: {
  readonly dir: string;
  readonly path: string;
  readonly log: (line: string) => void;
}): Promise<EmbeddedRedis | null> {
  const program = locateRedis(options.path);
  if (program === null) return null;
  mkdirSync(options.dir, { recursive: true });
  const pidFile = join(options.dir, "redis.pid");
  await endLeftover(pidFile);

  const port = await freePort();
  const password = randomBytes(24).toString("hex");
  const child = spawn(program, ["-"], {
    ...spawnAs(serverAccount()),
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  let ended: string | null = null;
  child.once("error", (error) => {
    ended ??= error.message;
  });
  child.once("exit", (code, signal) => {
    ended ??= signal === null ? `exit code ${code}` : `signal ${signal}`;
  });
  child.stdin?.on("error", () => {});
  // Through standard input, so that the password stands in no argument list.
  child.stdin?.end(
    `bind 127.0.0.1\nport ${port}\nrequirepass ${password}\nsave ""\nappendonly no\ndaemonize no\n` +
      "maxmemory 64mb\nmaxmemory-policy noeviction\n",
  );
  const pid = child.pid;
  if (pid === undefined) throw new Fault("embedded_redis_start", `${program} could not be started: ${String(ended)}`);
  writeFileSync(pidFile, `${pid} ${startMarkOf(pid) ?? ""}`);
  const onExit = (): void => void child.kill("SIGTERM");
  process.once("exit", onExit);
  const stop = async (): Promise<void> => {
    await endProcess(pid, STOP_STEPS, () => ended !== null);
    process.off("exit", onExit);
    rmSync(pidFile, { force: true });
  };
  const url = `redis://:${password}@127.0.0.1:${port}`;
  try {
    await waitUntilReady(url, () => ended);
  } catch (error) {
    await stop();
    throw new Fault("embedded_redis_start", `${program} did not start: ${messageOf(error)}`, { cause: error });
  }
  return { url, pid, port, stop };
}

async function waitUntilReady(url: string, ended: () => string | null): Promise<void> {
  const giveUpAtMs = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const reason = ended();
    if (reason !== null) throw new Error(`it ended with ${reason}`);
    const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
    redis.on("error", () => {});
    try {
      await redis.connect();
      await redis.ping();
      return;
    } catch (error) {
      if (performance.now() > giveUpAtMs) throw error;
      await sleep(20);
    } finally {
      redis.disconnect();
    }
  }
}

async function endLeftover(pidFile: string): Promise<void> {
  let pid: number;
  let mark: string;
  try {
    const [pidText = "", markText = ""] = readFileSync(pidFile, "utf8").split(" ");
    pid = Number(pidText);
    mark = markText;
  } catch {
    return;
  }
  if (isSameProcess(pid, mark)) await endProcess(pid, STOP_STEPS, () => !isSameProcess(pid, mark));
  rmSync(pidFile, { force: true });
}
