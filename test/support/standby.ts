import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chownSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import pg from "pg";
import { sleep } from "../../src/platform";
import { type EmbeddedPostgres, freePort } from "../../src/platform/embedded";
import { serverAccount, spawnAs } from "../../src/platform/embedded/account";
import { locatePostgres } from "../../src/platform/embedded/binaries";
import { onServer } from "./services";

/** A streaming copy of a server, of its own data directory, process and port. */
export interface Standby {
  /** The address of the same database there. */
  urlOf(primaryUrl: string): string;
  /** Waits until everything that the primary has written by now is replayed. */
  caughtUp(): Promise<void>;
  start(): Promise<void>;
  stop(signal?: "SIGINT" | "SIGKILL"): Promise<void>;
  /** From the next start on it looks for its primary where none is. */
  loseSight(): void;
}

/**
 * Copies a running server as its documentation has it done by hand: `pg_backup_start`, copy, `pg_backup_stop`, then
 * `standby.signal` and the primary's address. Its own programs do not include pg_basebackup.
 */
export async function makeStandby(primary: EmbeddedPostgres, primaryDir: string, dir: string): Promise<Standby> {
  const session = new pg.Client({ connectionString: primary.superuserUrl });
  await session.connect();
  await session.query("select pg_backup_start('standby', true)");
  const copied = spawnSync("cp", ["-a", primaryDir, dir]);
  if (copied.status !== 0) throw new Error(copied.stderr.toString());
  for (const name of ["postmaster.pid", "postmaster.opts"]) rmSync(join(dir, name), { force: true });
  for (const name of readdirSync(join(dir, "pg_wal"))) {
    if (/^[0-9A-F]{24}/.test(name)) rmSync(join(dir, "pg_wal", name));
  }
  const { rows } = await session.query<{ labelfile: string }>("select labelfile from pg_backup_stop(false)");
  await session.end();
  const { hostname, port: primaryPort, username, password } = new URL(primary.superuserUrl);
  const lookAt = (at: string): string =>
    `primary_conninfo = 'host=${hostname} port=${at} user=${username} password=${password} application_name=standby'\n`;
  const settings = join(dir, "postgresql.auto.conf");
  writeFileSync(join(dir, "backup_label"), rows[0]?.labelfile ?? "");
  writeFileSync(join(dir, "standby.signal"), "");
  appendFileSync(settings, lookAt(primaryPort));
  const { uid, gid } = statSync(join(dir, "PG_VERSION"));
  for (const name of ["backup_label", "standby.signal"]) chownSync(join(dir, name), uid, gid);

  const account = serverAccount(dir);
  const { postgres } = locatePostgres(account, dirname(dir), () => {});
  const port = await freePort();
  const urlOf = (url: string): string => url.replace(`:${primaryPort}/`, `:${port}/`);
  const log = `${dir}.log`;
  let child: ChildProcess | null = null;

  async function start(): Promise<void> {
    const output = openSync(log, "a");
    const options = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "hot_standby=on"];
    child = spawn(postgres, ["-D", dir, "-p", String(port), ...options.flatMap((option) => ["-c", option])], {
      ...spawnAs(account),
      ...{ cwd: "/", stdio: ["ignore", output, output] },
    });
    closeSync(output);
    for (let tries = 0; ; tries += 1) {
      try {
        await onServer(urlOf(primary.superuserUrl), "select 1");
        return;
      } catch (error) {
        if (tries > 150 || child.exitCode !== null) throw new Error(readFileSync(log, "utf8"), { cause: error });
        await sleep(100);
      }
    }
  }

  return {
    urlOf,
    start,
    async stop(signal = "SIGINT") {
      if (child === null || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
    },
    async caughtUp() {
      const [wal] = (await onServer(primary.superuserUrl, "select pg_current_wal_flush_lsn()::text as at")).rows;
      for (let tries = 0; tries < 200; tries += 1) {
        const question = "select pg_last_wal_replay_lsn() >= $1::pg_lsn as is_there";
        const [row] = (await onServer(urlOf(primary.superuserUrl), question, [wal.at])).rows;
        if (row.is_there === true) return;
        await sleep(50);
      }
      throw new Error(`the standby does not follow: ${readFileSync(log, "utf8")}`);
    },
    loseSight: () => appendFileSync(settings, lookAt("1")),
  };
}
