import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../faults";

/** An account that servers are run under when this process is root, since PostgreSQL refuses to run as root. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * The account to run servers under: null means this process's own. For root it is the owner of an existing cluster in
 * `dataDir`, else `postgres`, else `nobody`.
 *
 * @throws Fault when this process is root and the system has neither
 */
export function serverAccount(dataDir?: string): Account | null {
  if (process.getuid?.() !== 0) return null;
  const owner = dataDir === undefined ? null : clusterOwner(dataDir);
  if (owner !== null) return owner;
  const accounts = systemAccounts();
  const account = accounts.get("postgres") ?? accounts.get("nobody");
  if (account === undefined) {
    throw new Fault(
      "no_server_account",
      "PostgreSQL does not run as root and /etc/passwd has neither 'postgres' nor 'nobody': start as another user, or set DATABASE_URL",
    );
  }
  return account;
}

/** True when the account may pass through to `dir`. Asked of the system itself, so that ACLs and mounts count. */
export function canReach(account: Account | null, dir: string): boolean {
  if (account === null) return true;
  const probe = spawnSync("/bin/sh", ["-c", 'cd -- "$1"', "sh", dir], {
    uid: account.uid,
    gid: account.gid,
    cwd: "/",
    stdio: "ignore",
  });
  if (probe.error) {
    throw new Fault("cannot_drop_root", `cannot run programs as ${account.name}: ${probe.error.message}`, {
      cause: probe.error,
    });
  }
  return probe.status === 0;
}

/** What child_process needs to run as the account: nothing when it is this process's own. */
export function spawnAs(account: Account | null): { uid: number; gid: number } | Record<string, never> {
  return account === null ? {} : { uid: account.uid, gid: account.gid };
}

function clusterOwner(dataDir: string): Account | null {
  try {
    const { uid, gid } = statSync(join(dataDir, "PG_VERSION"));
    return uid === 0 ? null : { name: `user ${uid}`, uid, gid };
  } catch {
    return null;
  }
}

function systemAccounts(): Map<string, Account> {
  const accounts = new Map<string, Account>();
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
    const [name = "", , uid = "", gid = ""] = line.split(":");
    if (/^[0-9]+$/.test(uid) && uid !== "0") accounts.set(name, { name, uid: Number(uid), gid: Number(gid) });
  }
  return accounts;
}
