import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  chmodSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { Fault } from "../faults";
import { type Account, spawnAs } from "./account";

/** PostgreSQL's programs, ready to run under the account they were located for. */
export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Major version, as PG_VERSION has it: "18". */
  readonly major: string;
}

/**
 * Finds PostgreSQL in the npm package of this platform, puts its library symlinks in place (npm packs none, and may hold
 * back the package's own script that would) and proves that it runs. When the account cannot read the package, or the
 * package is on a read-only disk, the programs are copied once to a directory under `copiesDir`.
 *
 * @throws Fault telling what to do when this platform has no package or its programs do not run
 */
export function locatePostgres(
  account: Account | null,
  copiesDir: string,
  log: (line: string) => void,
): PostgresBinaries {
  const { root, version } = locatePackage();
  const inPlace = join(root, "native");
  const restored = restoreSymlinks(root, inPlace);
  if (restored && tryRun(inPlace, account) === null) return binariesIn(inPlace, version);

  const copy = join(copiesDir, `postgresql-${version}-${process.platform}-${process.arch}`);
  if (!existsSync(copy)) {
    log(`PostgreSQL's programs cannot be used where npm put them: copying them once to ${copy}`);
    copyTree(root, inPlace, copy);
  }
  const problem = tryRun(copy, account);
  if (problem === null) return binariesIn(copy, version);
  throw new Fault(
    "embedded_postgres_unusable",
    `the embedded PostgreSQL does not run here (${problem}): set DATABASE_URL to a server of your own`,
  );
}

function locatePackage(): { root: string; version: string } {
  const os = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch (error) {
    throw new Fault(
      "embedded_postgres_missing",
      `there is no embedded PostgreSQL for this platform (package ${name} is not installed): set DATABASE_URL, ` +
        "or install again without leaving out optional packages",
      { cause: error },
    );
  }
  const root = dirname(dirname(entry));
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return { root, version: manifest.version };
}

interface PackedLink {
  readonly source: string;
  readonly target: string;
}

/** @returns false when the directory cannot be written to and links are missing */
function restoreSymlinks(root: string, native: string): boolean {
  const list = join(root, "native", "pg-symlinks.json");
  if (!existsSync(list)) return true;
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as PackedLink[]) {
    const link = join(native, relative("native", target));
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EEXIST" && !existsSync(link)) return false;
    }
  }
  return true;
}

/** @returns null when it works, else why not */
function tryRun(native: string, account: Account | null): string | null {
  // initdb reads the share directory, which a narrow umask at install time may have closed to the account.
  const probes = [["postgres", "--version"] as const, ["initdb", "--version"] as const];
  for (const [program, argument] of probes) {
    const run = spawnSync(programIn(native, program), [argument], {
      ...spawnAs(account),
      cwd: "/",
      encoding: "utf8",
      env: { LC_ALL: "C" },
    });
    if (run.error) return `${program}: ${run.error.message}`;
    if (run.status !== 0) return `${program}: ${run.stderr.trim() || `ended with ${run.signal ?? run.status}`}`;
  }
  if (account === null) return null;
  const readable = spawnSync("/bin/sh", ["-c", 'cat -- "$1" >/dev/null', "sh", join(native, SHARED_FILE)], {
    ...spawnAs(account),
    cwd: "/",
    stdio: "ignore",
  });
  return readable.status === 0 ? null : `${SHARED_FILE} is not readable for ${account.name}`;
}

const SHARED_FILE = join("share", "postgresql", "postgres.bki");

function copyTree(root: string, from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o755 });
  const unfinished = mkdtempSync(`${to}.`);
  try {
    cpSync(from, unfinished, { recursive: true, verbatimSymlinks: true });
    if (process.platform !== "win32") spawnSync("chmod", ["-R", "a+rX", unfinished], { stdio: "ignore" });
    restoreSymlinks(root, unfinished);
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, to);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another process finished the same copy first.
    if (!existsSync(to)) throw error;
  }
}

function programIn(native: string, name: string): string {
  return join(native, "bin", process.platform === "win32" ? `${name}.exe` : name);
}

function binariesIn(native: string, version: string): PostgresBinaries {
  const [major = version] = version.split(".");
  return { postgres: programIn(native, "postgres"), initdb: programIn(native, "initdb"), major };
}
