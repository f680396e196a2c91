import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

const BILLER = join(__dirname, "..", "..", "bin", "biller.mjs");

/** How a command ended, and what it wrote. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A command that is running. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with everything written to standard error so far, once it matches. */
  says(pattern: RegExp): Promise<string>;
  /** The same for standard output. */
  prints(pattern: RegExp): Promise<string>;
}

/** Starts `biller` as a person would, with these settings and no others. */
export function startBiller(
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
  input?: string,
): Running {
  const child = spawn(process.execPath, [BILLER, ...args], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...settings },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  let out = "";
  let err = "";
  const listeners = new Set<() => void>();
  const heard = (): void => {
    for (const listener of listeners) listener();
  };
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    heard();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
    heard();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code) => resolve({ code, out, err }));
  });
  const waitFor = (text: () => string, pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(text())) resolve(text());
      };
      listeners.add(look);
      look();
      void ended.then(({ code }) => reject(new Error(`it ended with ${code} and said:\n${err}`)));
    });
  return {
    child,
    ended,
    says: (pattern) => waitFor(() => err, pattern),
    prints: (pattern) => waitFor(() => out, pattern),
  };
}
