import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Mark of a running process whose start time this system does not tell (Windows). */
const UNKNOWN_START = "unknown";

/**
 * What tells a process from a later one that was given the same number: its start time and, on Linux, the boot it
 * belongs to. Safe inside a file name.
 *
 * @returns null when no such process runs; a zombie counts as ended
 */
export function startMarkOf(pid: number): string | null {
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  if (process.platform === "linux") return linuxStartMark(pid);
  if (!isAlive(pid)) return null;
  if (process.platform === "win32") return UNKNOWN_START;
  try {
    const started = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    return started.replaceAll(/[^0-9A-Za-z]/g, "") || null;
  } catch {
    // ps exits with 1 when the process ended in between.
    return isAlive(pid) ? UNKNOWN_START : null;
  }
}

/** True while the very process that once had this mark is still running. */
export function isSameProcess(pid: number, mark: string): boolean {
  return startMarkOf(pid) === mark;
}

/** Resolves true when `hasEnded` answers true within `waitMs` milliseconds, false otherwise. */
export async function waitUntil(hasEnded: () => boolean, waitMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + waitMs;
  while (!hasEnded()) {
    if (performance.now() >= giveUpAt) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

/** One step of ending a process: the signal, and how many milliseconds it is given to work. */
export type EndingStep = readonly [signal: NodeJS.Signals, waitMs: number];

/**
 * Sends the signals of `steps` one after the other until `hasEnded` answers true.
 *
 * @returns false when the process outlived every step
 */
export async function endProcess(pid: number, steps: readonly EndingStep[], hasEnded: () => boolean): Promise<boolean> {
  for (const [signal, waitMs] of steps) {
    if (hasEnded()) return true;
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
    if (await waitUntil(hasEnded, waitMs)) return true;
  }
  return hasEnded();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function linuxStartMark(pid: number): string | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state] = fields;
  if (state === "Z" || state === "X") return null;
  // Field 22 of proc(5): clock ticks since boot, hence the boot beside it.
  return `${bootId()}-${fields[19] ?? UNKNOWN_START}`;
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8);
  } catch {
    return "boot";
  }
}
