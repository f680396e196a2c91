import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** A contestant: a process that listens. */
export interface Contestant {
  readonly pid: number;
  readonly port: number;
  /** From its start until it was ready, milliseconds. */
  readonly startMs: number;
  stop(): Promise<void>;
}

const started = new Set<ChildProcess>();
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;

/** Should the bench end in a way of its own, nothing that it started stays behind. */
process.on("exit", () => {
  for (const child of started) child.kill("SIGKILL");
});

/** Starts a program that says on standard error where it listens. With `readyPath`, ready is when that answers 200. */
export async function startContestant(options: {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly readyPath?: string;
}): Promise<Contestant> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [...options.args], {
    cwd: options.cwd,
    env: { PATH: process.env["PATH"], NODE_ENV: "production", ...options.env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  started.add(child);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => {
      started.delete(child);
      resolve();
    });
  });
  const port = await portOf(child);
  while (options.readyPath !== undefined && !(await isReady(`http://127.0.0.1:${port}${options.readyPath}`))) {
    if (performance.now() - startedMs > START_TIMEOUT_MS) throw new Error("a contestant does not become ready");
    await sleep(5);
  }
  return {
    pid: child.pid as number,
    port,
    startMs: performance.now() - startedMs,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = "";
    const fail = (what: string): void =>
      reject(new Error(`${child.spawnargs.join(" ")}: ${what}\n${text.slice(-2_000)}`));
    const timer = setTimeout(() => fail("does not listen"), START_TIMEOUT_MS);
    child.once("exit", (code, signal) => fail(`ended with ${code ?? signal}`));
    child.stderr?.on("data", (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-10_000);
      const found = /listening on http:\/\/[^\s]*:([0-9]+)/.exec(text)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(Number(found));
    });
  });
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.text();
    return response.status === 200;
  } catch {
    return false;
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Clock ticks of a process and of the children that it has waited for; 0 where the system does not tell. */
function ticksOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at] ?? 0), 0);
  } catch {
    return 0;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** Processor time of a process and of the children that it had and that have ended, milliseconds. */
export function ownCpuMsOf(pid: number): number {
  return 10 * ticksOf(pid);
}

/** Processor time of a process with all its children, milliseconds. */
export function cpuMsOf(pid: number): number {
  return 10 * [pid, ...childrenOf(pid)].reduce((sum, each) => sum + ticksOf(each), 0);
}

/** Processor time of the whole machine, milliseconds: what was used, by anybody. Null where the system does not tell. */
export function machineCpuMs(): number | null {
  try {
    const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = readFileSync("/proc/stat", "utf8")
      .split("\n", 1)[0]!
      .split(/\s+/)
      .map(Number);
    return 10 * (user + nice + system + irq + softirq + steal);
  } catch {
    return null;
  }
}

/** The most memory that a process ever had resident, MiB; null where the system does not tell. */
export function peakMemoryOf(pid: number): number | null {
  try {
    const found = /^VmHWM:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return found === undefined ? null : Number(found) / 1024;
  } catch {
    return null;
  }
}

/** Waits until a process has nothing left to do (work in the background counts), `maxMs` at most. */
export async function untilQuiet(pids: readonly number[], maxMs: number): Promise<void> {
  const giveUpMs = performance.now() + maxMs;
  const total = (): number => pids.reduce((sum, pid) => sum + cpuMsOf(pid), 0);
  for (let before = total(); performance.now() < giveUpMs;) {
    await sleep(300);
    const now = total();
    if (now - before <= 10) return;
    before = now;
  }
}
