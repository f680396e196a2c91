import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import pg from "pg";
import { Redis } from "ioredis";
import { type EmbeddedPostgres, freePort, locateRedis, startEmbeddedPostgres } from "../../src/platform/embedded";
import { sleep } from "../../src/platform";

/** A durable PostgreSQL of our own: it can be killed with everything that belongs to it, and started on the same data. */
export interface ChaosPostgres {
  /** Another one after every start. */
  readonly port: number;
  readonly urls: Pick<EmbeddedPostgres, "ownerUrl" | "appUrl" | "superuserUrl" | "auditorUrl">;
  /** SIGKILL to every process of it at once; resolves when none is left. */
  kill(): Promise<void>;
  /** After a kill, or after it ended by itself. */
  start(): Promise<void>;
  isUp(): boolean;
  stop(): Promise<void>;
}

/** Starts it on an empty or an earlier data directory. */
export async function startPostgres(dataDir: string): Promise<ChaosPostgres> {
  const launch = (): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({
      dataDir,
      log: () => {},
      durable: true,
      settings: { max_connections: "200", max_wal_size: "256MB", log_min_messages: "panic" },
      database: "chaos_template",
    });
  let server = await launch();
  let isUp = true;
  const watch = (): void => {
    const own = server;
    own.onUnexpectedExit(() => {
      if (server === own) isUp = false;
    });
  };
  watch();
  return {
    get port() {
      return server.port;
    },
    get urls() {
      return server;
    },
    isUp: () => isUp,
    async kill() {
      isUp = false;
      const { pid } = server;
      // Standing still it cannot start further ones while they are counted.
      signal(pid, "SIGSTOP");
      const all = [...childrenOf(pid), pid];
      for (const each of all) signal(each, "SIGKILL");
      while (all.some((each) => isAlive(each))) await sleep(5);
      await server.stop();
    },
    async start() {
      await server.stop();
      server = await launch();
      isUp = true;
      watch();
    },
    async stop() {
      isUp = false;
      await server.stop();
    },
  };
}

/** A Redis on a port that stays, without persistence. */
export interface ChaosRedis {
  readonly port: number;
  readonly admin: Redis;
  kill(): Promise<void>;
  start(): Promise<void>;
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** @throws Error when the PATH has no Redis server */
export async function startRedis(): Promise<ChaosRedis> {
  const found = locateRedis(process.env["PATH"] ?? "");
  if (found === null) throw new Error("chaos needs redis-server or valkey-server on the PATH");
  const program = found;
  const port = await freePort();
  let child: ChildProcess | null = null;
  const admin = new Redis({ port, host: "127.0.0.1", lazyConnect: true, maxRetriesPerRequest: null });
  admin.on("error", () => {});
  const onExit = (): void => void child?.kill("SIGKILL");
  process.once("exit", onExit);
  const self: ChaosRedis = {
    port,
    admin,
    async start() {
      const settings = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
      child = spawn(program, settings, { cwd: "/", stdio: "ignore" });
      await admin.ping();
    },
    async kill() {
      const dying = child;
      child = null;
      if (dying === null) return;
      const ended = new Promise((resolve) => dying.once("exit", resolve));
      dying.kill("SIGKILL");
      await ended;
    },
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
    async stop() {
      admin.disconnect();
      await self.kill();
      process.off("exit", onExit);
    },
  };
  await self.start();
  return self;
}

/** Sends a signal to one process; one that is gone is no fault. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** State and parent of a process, or null when it is gone. */
function statOf(pid: number): { readonly state: string; readonly parent: number } | null {
  try {
    const [state = "", parent = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return { state, parent: Number(parent) };
  } catch {
    return null;
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((each) => statOf(each)?.parent === pid);
}

/** Also false for one that only waits to be reaped. */
function isAlive(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== null && stat.state !== "Z";
}

/** True while a process stands still after SIGSTOP. */
export function isStopped(pid: number): boolean {
  return statOf(pid)?.state === "T";
}

/** Runs statements on a connection of its own. */
export async function onDatabase<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
