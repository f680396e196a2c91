import { createSecretBox, type Db, deadlineIn, openDb, type SecretBox, systemClock, type Tx } from "../platform";
import type { Services } from "../services";

/** What a command needs to work on the data. */
export interface DatabaseContext {
  readonly db: Db;
  readonly secrets: SecretBox;
  /** One transaction with a generous deadline. */
  readonly transact: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
}

const COMMAND_TIMEOUT_MS = 60_000;

/** Runs a command on a connection of the owner role, which may change what the service may only read. */
export function withOwner<T>(services: Services, work: (context: DatabaseContext) => Promise<T>): Promise<T> {
  return withUrl(services.migrationDatabaseUrl, services, work);
}

/** Runs a command on a connection of the service's own role. */
export function withApp<T>(services: Services, work: (context: DatabaseContext) => Promise<T>): Promise<T> {
  return withUrl(services.databaseUrl, services, work);
}

async function withUrl<T>(url: string, services: Services, work: (context: DatabaseContext) => Promise<T>): Promise<T> {
  const db = openDb({
    url,
    poolMax: 2,
    applicationName: "biller-cli",
    statementTimeoutMs: COMMAND_TIMEOUT_MS,
    lockTimeoutMs: 10_000,
    connectTimeoutMs: 5_000,
    clock: systemClock,
  });
  try {
    return await work({
      db,
      secrets: createSecretBox(services.credentialKeys),
      transact: (inTransaction) => db.withTransaction(deadlineIn(systemClock, COMMAND_TIMEOUT_MS), inTransaction),
    });
  } finally {
    await db.close();
  }
}
