import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { Fault } from "../faults";
import { type Account, serverAccount, spawnAs } from "./account";
import { locatePostgres, type PostgresBinaries } from "./binaries";
import { type ClusterSecrets, createCluster, prepareDatabase, readSecrets, waitUntilReady } from "./cluster";
import { freePort } from "./free-port";
import { placeData } from "./place";
import { endProcess } from "./process-identity";

/** A PostgreSQL server of our own. The URLs hold passwords. */
export interface EmbeddedPostgres {
  readonly port: number;
  readonly pid: number;
  /** The role that migrates. */
  readonly ownerUrl: string;
  /** The role that the service runs under. */
  readonly appUrl: string;
  /** The role that only reads. */
  readonly auditorUrl: string;
  readonly superuserUrl: string;
  /** Fast shutdown: open transactions are rolled back, everything committed is on disk. */
  stop(): Promise<void>;
  /** `listener` learns why, when the server ends without having been asked to. */
  onUnexpectedExit(listener: (reason: string) => void): void;
}

/** What to start a server with. */
export interface EmbeddedPostgresOptions {
  /** The caller holds the lock of the directory that this lies in (see lockDataDir). */
  readonly dataDir: string;
  readonly log: (line: string) => void;
  /** Default true. False lets a crash of the machine lose data: for tests only. */
  readonly durable?: boolean;
  /** Further server settings. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Default `biller`. */
  readonly database?: string;
}

const STOP_STEPS = [
  ["SIGINT", 30_000],
  ["SIGQUIT", 5_000],
  ["SIGKILL", 5_000],
] as const;
const LOG_MAX_BYTES = 16 * 1024 * 1024;
const START_ATTEMPTS = 3;

/**
 * Starts a real PostgreSQL from the npm package of this platform, as a direct child, on 127.0.0.1 only. The first start
 * creates the cluster, its roles and its database; later ones find them, also after a kill -9 of this process, of the
 * server, or of both.
 *
 * @throws Fault telling what to do
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log } = options;
  const account = serverAccount(options.dataDir);
  const place = placeData(options.dataDir, account, log);
  const binaries = locatePostgres(account, place.copiesDir, log);
  const { dataDir } = place;
  if (!existsSync(join(dataDir, "PG_VERSION"))) {
    log("creating a PostgreSQL data directory (first start)");
    await createCluster(dataDir, binaries, account);
  }
  assertSameMajor(dataDir, binaries);
  const secrets = readSecrets(dataDir);
  await endLeftover(dataDir, log);

  for (let attempt = 1; ; attempt += 1) {
    const server = launch({ ...options, dataDir }, binaries, account, await freePort());
    try {
      await waitUntilReady(server, secrets, log);
      return await finish(server, secrets, options.database ?? "biller");
    } catch (error) {
      await stopServer(server);
      // Somebody took the port in the meantime, or backends of the server before are still going away.
      const isPassing = /could not bind|pre-existing shared memory|lock file .* already exists/.test(server.tail());
      if (attempt < START_ATTEMPTS && isPassing) continue;
      throw new Fault(
        "embedded_postgres_start",
        `the embedded PostgreSQL did not start: ${(error as Error).message}\n${server.tail()}`.trimEnd(),
        { cause: error },
      );
    }
  }
}

/** A launched server process. */
export interface ServerProcess {
  readonly child: ChildProcess;
  readonly port: number;
  /** Why it ended, or null while it runs. */
  ended(): string | null;
  /** The last lines of its log. */
  tail(): string;
}

function launch(
  options: EmbeddedPostgresOptions,
  binaries: PostgresBinaries,
  account: Account | null,
  port: number,
): ServerProcess {
  const { dataDir } = options;
  const logFile = join(dirname(dataDir), `${basename(dataDir)}.log`);
  if (existsSync(logFile) && statSync(logFile).size > LOG_MAX_BYTES) renameSync(logFile, `${logFile}.1`);
  const settings = Object.entries(settingsOf(options)).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const output = openSync(logFile, "a", 0o600);
  const logStart = statSync(logFile).size;
  const child = spawn(binaries.postgres, ["-D", dataDir, "-p", String(port), ...settings], {
    ...spawnAs(account),
    cwd: "/",
    // Its own process group: an interrupt from the terminal must reach us first, or we could not finish what we accepted.
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  let ended: string | null = null;
  child.once("error", (error) => {
    ended ??= error.message;
  });
  child.once("exit", (code, signal) => {
    ended ??= signal === null ? `exit code ${code}` : `signal ${signal}`;
  });
  return {
    child,
    port,
    ended: () => ended,
    tail: () => readFileSync(logFile).subarray(logStart).toString("utf8").trimEnd().split("\n").slice(-8).join("\n"),
  };
}

function settingsOf({ durable = true, settings = {} }: EmbeddedPostgresOptions): Record<string, string> {
  const safety = durable ? "on" : "off";
  return {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    fsync: safety,
    synchronous_commit: safety,
    full_page_writes: safety,
    password_encryption: "scram-sha-256",
    max_connections: "100",
    timezone: "UTC",
    log_timezone: "UTC",
    log_line_prefix: "%m [%p] ",
    ...settings,
  };
}

async function finish(server: ServerProcess, secrets: ClusterSecrets, database: string): Promise<EmbeddedPostgres> {
  const { child, port } = server;
  const urlOf = (user: string, password: string, name = database): string =>
    `postgresql://${user}:${password}@127.0.0.1:${port}/${name}`;
  await prepareDatabase(urlOf("postgres", secrets.superuser, "postgres"), secrets, database);
  // Should this process end without stopping it first, the server is at least told to.
  const onExit = (): void => void child.kill("SIGINT");
  process.once("exit", onExit);
  let isStopping = false;
  return {
    port,
    pid: child.pid as number,
    ownerUrl: urlOf("biller_owner", secrets.owner),
    appUrl: urlOf("biller_app", secrets.app),
    auditorUrl: urlOf("biller_auditor", secrets.auditor),
    superuserUrl: urlOf("postgres", secrets.superuser),
    async stop() {
      isStopping = true;
      await stopServer(server);
      process.off("exit", onExit);
    },
    onUnexpectedExit(listener) {
      child.once("exit", () => {
        if (!isStopping) listener(server.ended() ?? "unknown reason");
      });
    },
  };
}

async function stopServer(server: ServerProcess): Promise<void> {
  const { pid } = server.child;
  if (pid === undefined || server.ended() !== null) return;
  if (!(await endProcess(pid, STOP_STEPS, () => server.ended() !== null))) {
    throw new Fault("embedded_postgres_stop", `the embedded PostgreSQL, process ${pid}, does not stop`);
  }
}

function assertSameMajor(dataDir: string, { major }: PostgresBinaries): void {
  const found = readFileSync(join(dataDir, "PG_VERSION"), "utf8").trim();
  if (found === major) return;
  throw new Fault(
    "embedded_postgres_version",
    `${dataDir} was written by PostgreSQL ${found}, the embedded one is ${major}: dump it with version ${found} and ` +
      "restore, or move the directory away to start anew",
  );
}

/**
 * Ends a server that a killed process of ours left behind, and removes a pid file that names a process that is none: its
 * number may have been given to somebody else. Safe because the caller holds the directory's lock.
 */
async function endLeftover(dataDir: string, log: (line: string) => void): Promise<void> {
  const file = join(dataDir, "postmaster.pid");
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
  if (isServerOf(pid, dataDir)) {
    log(`ending the PostgreSQL that an earlier run left behind (process ${pid})`);
    if (!(await endProcess(pid, STOP_STEPS, () => !isServerOf(pid, dataDir)))) {
      throw new Fault("embedded_postgres_leftover", `process ${pid} still serves ${dataDir} and does not stop`);
    }
  }
  rmSync(file, { force: true });
}

/** A server's working directory is its data directory. */
function isServerOf(pid: number, dataDir: string): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 1) return false;
  try {
    if (process.platform === "linux") return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataDir);
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
