import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { environmentWith, Fault } from "../../platform";

/** A process of the demo. */
export interface Child {
  readonly name: string;
  readonly pid: number | undefined;
  /** Resolves with how it ended and its last words. */
  readonly ended: Promise<string>;
  /** Asks it to finish, and waits; kills it when it does not. */
  stop(): Promise<void>;
}

/** How a process of the demo is started. */
export interface ChildOptions {
  readonly name: string;
  /** Arguments of `biller`. */
  readonly args: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
  /** Put into its standard input: secrets stand in no argument list. */
  readonly input?: string;
  readonly logFile: string;
}

const READY = /listening on http/;
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const WORDS_MAX = 4_000;

/**
 * Starts `biller` as a process of its own and waits until it says that it listens. It has a channel to this process, and
 * ends by itself when that breaks; it is in a group of its own, so that Ctrl-C reaches this process only, which then stops
 * its children in order.
 *
 * @throws Fault `demo_child` with its last words, when it ends or stays silent instead
 */
export async function startChild({ name, args, settings = {}, input, logFile }: ChildOptions): Promise<Child> {
  const program = process.argv[1];
  if (program === undefined) throw new Fault("demo_child", "it is not known how this program was started");
  const child = spawn(process.execPath, [...process.execArgv, program, ...args], {
    env: environmentWith(settings),
    stdio: ["pipe", "pipe", "pipe", "ipc"],
    detached: process.platform !== "win32",
  });
  const log = createWriteStream(logFile, { mode: 0o600 });
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  let words = "";
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`${name} could not be started: ${error.message}`));
    child.once("close", (code, signal) => {
      log.end();
      resolve(`${name} ended with ${signal ?? `exit code ${code}`}. Its last words (more in ${logFile}):\n${words}`);
    });
  });
  const isReady = new Promise<true>((resolve) => {
    child.stderr?.on("data", (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-WORDS_MAX);
      if (READY.test(words)) resolve(true);
    });
  });
  const stop = (): Promise<void> => end(child, ended);
  let timer: NodeJS.Timeout | undefined;
  const isLate = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`${name} did not listen within ${READY_TIMEOUT_MS / 1_000} s`), READY_TIMEOUT_MS);
  });
  const came = await Promise.race([isReady, ended, isLate]);
  clearTimeout(timer);
  if (came === true) return { name, pid: child.pid, ended, stop };
  await stop();
  throw new Fault("demo_child", came);
}

async function end(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill("SIGTERM");
  const kill = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(kill);
}
