import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Config, Fault, messageOf } from "./platform";
import { holderOfDataDir, lockDataDir, startEmbeddedPostgres, startEmbeddedRedis } from "./platform/embedded";

/** Where the databases are and what opens the credentials; found out from settings, or started here. */
export interface Services {
  readonly isEmbedded: boolean;
  readonly databaseUrl: string;
  readonly migrationDatabaseUrl: string;
  /** Where auditors' questions are answered from. */
  readonly auditDatabaseUrl: string;
  readonly redisUrl: string | null;
  readonly credentialKeys: readonly (readonly [keyId: string, key: Buffer])[];
  /** Stops what was started here. */
  stop(): Promise<void>;
}

/** How services are opened. */
export interface ServicesOptions {
  readonly config: Config;
  readonly log: (line: string) => void;
  /** Called when an embedded server dies by itself. */
  readonly onLost: (reason: string) => void;
  /** Command line: use the servers of a running `serve` in the same directory instead of starting them again. */
  readonly mayShare: boolean;
}

/**
 * Opens the services named in the settings. Without DATABASE_URL a real PostgreSQL is started, its data under DATA_DIR,
 * and a Redis if the PATH has one.
 */
export async function openServices(options: ServicesOptions): Promise<Services> {
  const { config } = options;
  if (config.databaseUrl !== null) return external(config);
  const dir = resolve(config.dataDir);
  mkdirSync(dir, { recursive: true, mode: 0o755 });
  if (options.mayShare) {
    const shared = readRuntime(dir, config);
    if (shared !== null) return shared;
  }
  return embedded(dir, options);
}

function external(config: Config): Services {
  if (config.databaseUrl === null || config.credentialKeys === null) {
    throw new Fault("config", "DATABASE_URL and CREDENTIAL_KEYS go together");
  }
  return {
    isEmbedded: false,
    databaseUrl: config.databaseUrl,
    migrationDatabaseUrl: config.migrationDatabaseUrl ?? config.databaseUrl,
    auditDatabaseUrl: config.auditDatabaseUrl ?? config.databaseUrl,
    redisUrl: config.redisUrl,
    credentialKeys: config.credentialKeys,
    stop: () => Promise.resolve(),
  };
}

async function embedded(dir: string, { config, log, onLost }: ServicesOptions): Promise<Services> {
  const lock = await lockDataDir(dir);
  const stops: (() => Promise<void>)[] = [async () => lock.release()];
  const stop = async (): Promise<void> => {
    rmSync(runtimeFile(dir), { force: true });
    for (const each of stops.splice(0).toReversed()) await each();
  };
  try {
    const postgres = await startEmbeddedPostgres({ dataDir: join(dir, "postgres"), log });
    stops.push(() => postgres.stop());
    postgres.onUnexpectedExit((reason) => onLost(`the embedded PostgreSQL ended: ${reason}`));
    const redis =
      config.redisUrl === null
        ? await startEmbeddedRedis({ dir: join(dir, "redis"), path: config.searchPath, log })
        : null;
    if (redis !== null) stops.push(() => redis.stop());
    const services: Services = {
      isEmbedded: true,
      databaseUrl: postgres.appUrl,
      migrationDatabaseUrl: postgres.ownerUrl,
      auditDatabaseUrl: config.auditDatabaseUrl ?? postgres.auditorUrl,
      redisUrl: config.redisUrl ?? redis?.url ?? null,
      credentialKeys: credentialKeysOf(dir, config),
      stop,
    };
    writeRuntime(dir, services);
    return services;
  } catch (error) {
    await stop();
    throw error;
  }
}

function credentialKeysOf(dir: string, config: Config): Services["credentialKeys"] {
  return config.credentialKeys ?? [["local", localKey(dir)]];
}

/** The key that encrypts credentials in the embedded database: made once, readable by its owner only. */
function localKey(dir: string): Buffer {
  const file = join(dir, "credential.key");
  if (!existsSync(file)) writePrivately(file, randomBytes(32).toString("base64"));
  const key = Buffer.from(readFileSync(file, "utf8").trim(), "base64");
  if (key.length !== 32) throw new Fault("credential_key", `${file} does not hold a key of 32 bytes in base64`);
  return key;
}

function runtimeFile(dir: string): string {
  return join(dir, "runtime.json");
}

/** Lets the command line find the servers of a running `serve`. Holds passwords: mode 600. */
function writeRuntime(dir: string, services: Services): void {
  const { databaseUrl, migrationDatabaseUrl, auditDatabaseUrl, redisUrl } = services;
  writePrivately(
    runtimeFile(dir),
    JSON.stringify({ pid: process.pid, databaseUrl, migrationDatabaseUrl, auditDatabaseUrl, redisUrl }, null, 2),
  );
}

/** @returns null when no host is running in this directory; a file that a killed one left behind counts for nothing */
function readRuntime(dir: string, config: Config): Services | null {
  const holder = holderOfDataDir(dir);
  if (holder === null) return null;
  try {
    const found = JSON.parse(readFileSync(runtimeFile(dir), "utf8")) as {
      pid: number;
      databaseUrl: string;
      migrationDatabaseUrl: string;
      auditDatabaseUrl: string;
      redisUrl: string | null;
    };
    if (found.pid !== holder) return null;
    return {
      isEmbedded: true,
      databaseUrl: found.databaseUrl,
      migrationDatabaseUrl: found.migrationDatabaseUrl,
      auditDatabaseUrl: config.auditDatabaseUrl ?? found.auditDatabaseUrl,
      redisUrl: found.redisUrl,
      credentialKeys: credentialKeysOf(dir, config),
      stop: () => Promise.resolve(),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new Fault("runtime_file", `${runtimeFile(dir)} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

function writePrivately(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  chmodSync(temporary, 0o600);
  renameSync(temporary, file);
}
