import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { TEST_KEYS } from "../support/builders";
import type { Build } from "./build";
import { signal } from "./servers";

/** A sealer, or one step of reconciliation, in a process of its own. */
export interface Job {
  readonly pid: number;
  /** What it said. */
  readonly lines: readonly string[];
  /** Resolves with its exit code; null: killed. */
  readonly ended: Promise<number | null>;
  /** What it said when something was wrong. */
  readonly complaints: readonly string[];
  kill(): Promise<void>;
}

const started = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of started) child.kill("SIGKILL");
});

/** Starts it. */
export function startJob(
  build: Build,
  part: "seal" | "import" | "run",
  settings: Readonly<Record<string, string>>,
): Job {
  const child = spawn(process.execPath, [build.child, part], {
    env: { PATH: process.env["PATH"], SEAL_SECRET: TEST_KEYS[0][1].toString("base64"), ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.add(child);
  const lines: string[] = [];
  const complaints: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  createInterface({ input: child.stderr }).on("line", (line) => complaints.push(line));
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      started.delete(child);
      resolve(code);
    });
  });
  const pid = child.pid as number;
  return {
    ...{ pid, lines, complaints, ended },
    async kill() {
      signal(pid, "SIGKILL");
      await ended;
    },
  };
}
