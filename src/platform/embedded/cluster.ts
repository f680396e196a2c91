import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { sleep } from "../clock";
import { Fault, messageOf, sqlStateOf } from "../faults";
import { type Account, spawnAs } from "./account";
import type { PostgresBinaries } from "./binaries";
import type { ServerProcess } from "./postgres";

/** Passwords of the roles of one cluster; letters and digits only. */
export interface ClusterSecrets {
  readonly superuser: string;
  readonly owner: string;
  readonly app: string;
  readonly auditor: string;
}

const ROLES = ["owner", "app", "auditor"] as const;

/** Beside the data and not in it: the server's account does not need them. */
function secretsFile(dataDir: string): string {
  return join(dirname(dataDir), `${basename(dataDir)}.secrets.json`);
}

/** @throws Fault when there is a cluster but its passwords are gone */
export function readSecrets(dataDir: string): ClusterSecrets {
  const file = secretsFile(dataDir);
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ClusterSecrets;
  } catch (error) {
    throw new Fault(
      "embedded_postgres_secrets",
      `${file}, which holds the passwords of ${dataDir}, cannot be read (${messageOf(error)}): restore it from a backup, ` +
        "or move both away to start anew",
      { cause: error },
    );
  }
}

/**
 * Creates a cluster beside its final place and moves it there when it is whole: a start that was killed halfway leaves
 * nothing that looks like data.
 */
export async function createCluster(
  dataDir: string,
  binaries: PostgresBinaries,
  account: Account | null,
): Promise<void> {
  const parent = dirname(dataDir);
  const prefix = `${basename(dataDir)}.new-`;
  for (const name of readdirSync(parent)) {
    if (name.startsWith(prefix)) rmSync(join(parent, name), { recursive: true, force: true });
  }
  const secret = (): string => randomBytes(24).toString("hex");
  const secrets: ClusterSecrets = { superuser: secret(), owner: secret(), app: secret(), auditor: secret() };
  const unfinished = join(parent, `${prefix}${randomBytes(4).toString("hex")}`);
  try {
    makeFor(account, unfinished);
    const passwordFile = join(unfinished, "password");
    writeFileSync(passwordFile, secrets.superuser, { mode: 0o600 });
    if (account !== null) chownSync(passwordFile, account.uid, account.gid);
    const cluster = join(unfinished, "cluster");
    await runInitdb(binaries, account, [
      ...["-D", cluster, "--username=postgres", `--pwfile=${passwordFile}`, "--auth=scram-sha-256"],
      ...["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"],
      ...["--data-checksums", "--no-instructions"],
    ]);
    rmSync(passwordFile);
    const file = secretsFile(dataDir);
    writeFileSync(`${file}.new`, JSON.stringify(secrets, null, 2), { mode: 0o600 });
    chmodSync(`${file}.new`, 0o600);
    renameSync(`${file}.new`, file);
    if (existsSync(dataDir)) rmSync(dataDir, { recursive: false, force: true });
    renameSync(cluster, dataDir);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function makeFor(account: Account | null, dir: string): void {
  mkdirSync(dir, { mode: 0o700 });
  if (account !== null) chownSync(dir, account.uid, account.gid);
}

async function runInitdb(binaries: PostgresBinaries, account: Account | null, args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(binaries.initdb, args, {
      ...spawnAs(account),
      cwd: "/",
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" },
    });
  } catch (error) {
    const { stderr = "" } = error as { stderr?: string };
    throw new Fault("embedded_postgres_init", `initdb failed: ${stderr.trim() || messageOf(error)}`, { cause: error });
  }
}

const READY_TIMEOUT_MS = 300_000;
const REMARK_EVERY_MS = 2_000;

/** Waits until the server takes connections; after a crash it first replays its log, which may take a while. */
export async function waitUntilReady(
  server: ServerProcess,
  secrets: ClusterSecrets,
  log: (line: string) => void,
): Promise<void> {
  const startedMs = performance.now();
  let remarkAtMs = startedMs + REMARK_EVERY_MS;
  for (;;) {
    const ended = server.ended();
    if (ended !== null) throw new Fault("embedded_postgres_start", `it ended with ${ended}`);
    const problem = await problemConnecting(server.port, secrets.superuser);
    if (problem === null) return;
    const nowMs = performance.now();
    if (nowMs - startedMs > READY_TIMEOUT_MS) throw new Fault("embedded_postgres_start", `not ready: ${problem}`);
    if (nowMs > remarkAtMs) {
      log(`PostgreSQL is not ready yet, ${Math.round((nowMs - startedMs) / 1000)} s: ${problem}`);
      remarkAtMs = nowMs + REMARK_EVERY_MS;
    }
    await sleep(25);
  }
}

/** @returns null when a connection was made, else why not yet; throws what waiting cannot mend, such as a wrong password */
async function problemConnecting(port: number, password: string): Promise<string | null> {
  const client = new pg.Client({ host: "127.0.0.1", port, user: "postgres", password, database: "postgres" });
  client.on("error", () => {});
  try {
    await client.connect();
    return null;
  } catch (error) {
    const state = sqlStateOf(error);
    if (state !== null && !state.startsWith("57P")) throw error;
    return messageOf(error);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Makes the roles and the database if they are missing; the passwords are set every time, so the file is the truth. */
export async function prepareDatabase(adminUrl: string, secrets: ClusterSecrets, database: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  client.on("error", () => {});
  await client.connect();
  try {
    for (const role of ROLES) {
      const name = `biller_${role}`;
      const { rowCount } = await client.query("select from pg_roles where rolname = $1", [name]);
      const verb = rowCount === 0 ? "create" : "alter";
      await client.query(`${verb} role ${name} login password '${secrets[role]}'`);
    }
    const { rowCount } = await client.query("select from pg_database where datname = $1", [database]);
    const name = pg.escapeIdentifier(database);
    if (rowCount === 0) await client.query(`create database ${name} owner biller_owner`);
    await client.query(`revoke all on database ${name} from public`);
    await client.query(`grant connect on database ${name} to biller_app, biller_auditor`);
  } finally {
    await client.end();
  }
}
