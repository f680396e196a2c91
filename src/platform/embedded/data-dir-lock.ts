import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Fault } from "../faults";
import { isSameProcess, startMarkOf } from "./process-identity";

/** The right to use a data directory, held until released or until this process ends, however it ends. */
export interface DataDirLock {
  /** Gives the directory free. Calling it again does nothing. */
  release(): void;
}

/** Another live process uses the data directory. */
export class DataDirInUse extends Fault {
  constructor(
    readonly dir: string,
    readonly pid: number,
  ) {
    super(
      "data_dir_in_use",
      `${dir} is in use by process ${pid}` +
        `${pid === process.pid ? " (this one)" : ""}: stop that one first, or set DATA_DIR to another directory`,
    );
  }
}

/** How long to keep trying: two that start in the same instant both step back, then one of them gets through. */
const SETTLE_MS = 1_500;

/**
 * Locks a data directory for this process.
 *
 * Each candidate first puts down a claim, a file whose name holds its process number and start time, and only then looks
 * for claims of other live processes; whoever sees one takes its own claim back. Two can therefore refuse each other, and
 * try again, but never both succeed. A claim left behind by a kill -9 names a process that has ended (or a number that
 * was given to another one since) and is swept away. Processes of other machines or process namespaces are not seen: a
 * data directory belongs to one machine.
 *
 * @throws DataDirInUse naming the process that holds it
 */
export async function lockDataDir(dir: string): Promise<DataDirLock> {
  return lockDirectory(resolve(dir), join(resolve(dir), "lock"));
}

/** Locks by claims in `claimsDir`; `dir` is only what the fault's text names. Same rules as lockDataDir. */
export async function lockDirectory(dir: string, claimsDir: string): Promise<DataDirLock> {
  const mark = startMarkOf(process.pid);
  if (mark === null) throw new Fault("process_table", "cannot read this process's own entry in the process table");
  const giveUpAt = performance.now() + SETTLE_MS;
  for (;;) {
    mkdirSync(claimsDir, { recursive: true });
    const claim = `${process.pid}.${mark}.${randomBytes(6).toString("hex")}`;
    const file = join(claimsDir, claim);
    writeFileSync(file, "", { flag: "wx" });
    const other = liveClaims(claimsDir).find((each) => each.name !== claim);
    if (other === undefined) return { release: () => rmSync(file, { force: true }) };
    rmSync(file, { force: true });
    if (performance.now() >= giveUpAt) throw new DataDirInUse(dir, other.pid);
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 180));
  }
}

/** Number of the live process that holds the directory's lock, or null. For those who want to share, not to own. */
export function holderOfDataDir(dir: string): number | null {
  return liveClaims(join(resolve(dir), "lock"))[0]?.pid ?? null;
}

interface Claim {
  readonly name: string;
  readonly pid: number;
}

/** Claims of live processes; those of ended ones are removed on the way. */
function liveClaims(claimsDir: string): Claim[] {
  const live: Claim[] = [];
  for (const name of namesIn(claimsDir)) {
    const [pidText = "", mark = ""] = name.split(".");
    const pid = Number(pidText);
    if (isSameProcess(pid, mark)) live.push({ name, pid });
    else rmSync(join(claimsDir, name), { force: true });
  }
  return live;
}

function namesIn(claimsDir: string): string[] {
  try {
    return readdirSync(claimsDir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
