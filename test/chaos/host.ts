import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { TEST_KEYS } from "../support/builders";
import type { Build } from "./build";
import type { Act, Point } from "./child";
import { isStopped, signal } from "./servers";
import { sleep } from "../../src/platform";

/** What a host process is started with. */
export interface HostOptions {
  readonly name: string;
  readonly build: Build;
  readonly appUrl: string;
  readonly redisUrl: string | null;
  /** Further environment; settings of the host. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** One host process, from its start to its end. */
export interface HostProcess {
  readonly name: string;
  readonly pid: number;
  readonly url: string;
  /** How it ended, or null while it lives. */
  readonly end: string | null;
  /** Whether it was told to end, in whatever way, or to be late. */
  readonly isDoomed: boolean;
  /** When it was last woken after standing still; milliseconds of `performance.now()`. */
  readonly thawedAtMs: number;
  readonly ended: Promise<void>;
  /** The last lines that it logged. */
  readonly log: readonly string[];
  /** Makes it do something the next time, but for `skip` times, that it passes a point. */
  arm(point: Point, act: Act, more?: { readonly skip?: number; readonly hangMs?: number }): Promise<void>;
  disarm(): Promise<void>;
  /** Points at which it did what it was armed for. */
  readonly reached: readonly Point[];
  kill(): Promise<void>;
  /** SIGTERM: it finishes what it has accepted. */
  terminate(): Promise<void>;
  freeze(): void;
  thaw(): void;
  isFrozen(): boolean;
}

const START_TIMEOUT_MS = 20_000;
const LOG_MAX = 40;
/** Nobody waits for what happens there: a fault is one that nobody caught, and ends the process. */
const UNCAUGHT: readonly Point[] = ["replied", "draining"];
/** The deadline begins after the first two and bounds nothing after the reply is made: the host itself waits nowhere there. */
const UNBOUNDED: readonly Point[] = ["parsed", "authenticated", "replying"];
const started = new Set<ChildProcess>();

/** Should the harness end in a way of its own, no host stays behind. */
process.on("exit", () => {
  for (const child of started) child.kill("SIGKILL");
});

/**
 * Starts it and waits until it listens.
 *
 * @throws Error with what it said, when it ended or did not come up
 */
export async function startHost(options: HostOptions): Promise<HostProcess> {
  const { name, build, appUrl, redisUrl, settings = {} } = options;
  const child = spawn(process.execPath, [build.child, "host"], {
    env: {
      PATH: process.env["PATH"],
      PORT: "0",
      DATABASE_URL: appUrl,
      DATABASE_POOL_MAX: "4",
      LOG_LEVEL: "warn",
      CREDENTIAL_KEYS: TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join(),
      ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
      ...settings,
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  started.add(child);
  const log: string[] = [];
  const reached: Point[] = [];
  let end: string | null = null;
  let isDoomed = false;
  let isFrozenByUs = false;
  let thawedAtMs = 0;
  let onArmed = (): void => {};
  const ended = new Promise<void>((resolve) => {
    child.once("exit", (code, signalName) => {
      started.delete(child);
      end = String(code ?? signalName);
      onArmed();
      resolve();
    });
  });
  child.stdin.on("error", () => {});
  createInterface({ input: child.stderr }).on("line", (line) => {
    log.push(line);
    if (log.length > LOG_MAX) log.shift();
  });
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (what: string): void => {
      child.kill("SIGKILL");
      reject(new Error(`host ${name} ${what}\n${log.join("\n")}`));
    };
    const timer = setTimeout(() => fail("does not come up"), START_TIMEOUT_MS);
    void ended.then(() => {
      clearTimeout(timer);
      fail(`ended with ${end} before it listened`);
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [word, rest = ""] = line.split(" ");
      if (word === "at") reached.push(rest as Point);
      if (word === "armed") onArmed();
      if (word !== "listening") return;
      clearTimeout(timer);
      resolve(rest);
    });
  });
  const tell = (what: object | null): Promise<void> =>
    new Promise((resolve) => {
      onArmed = resolve;
      if (end === null) child.stdin.write(`${JSON.stringify(what)}\n`);
      else resolve();
    });
  const pid = child.pid as number;
  return {
    ...{ name, pid, url, ended, log, reached },
    get end() {
      return end;
    },
    get isDoomed() {
      return isDoomed;
    },
    get thawedAtMs() {
      return thawedAtMs;
    },
    arm(point, act, { skip = 0, hangMs = 0 } = {}) {
      if (act === "kill" || UNCAUGHT.includes(point) || (act === "hang" && UNBOUNDED.includes(point))) isDoomed = true;
      return tell({ point, act, hangMs, skip });
    },
    disarm: () => tell(null),
    async kill() {
      isDoomed = true;
      signal(pid, "SIGKILL");
      await ended;
    },
    async terminate() {
      isDoomed = true;
      signal(pid, "SIGTERM");
      const isOver = await Promise.race([ended.then(() => true), sleep(20_000).then(() => false)]);
      if (!isOver) signal(pid, "SIGKILL");
      await ended;
    },
    freeze() {
      isFrozenByUs = true;
      signal(pid, "SIGSTOP");
    },
    thaw() {
      isFrozenByUs = false;
      thawedAtMs = performance.now();
      signal(pid, "SIGCONT");
    },
    isFrozen: () => isFrozenByUs || isStopped(pid),
  };
}
