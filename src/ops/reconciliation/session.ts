import pg from "pg";
import { DatabaseUnavailable, Fault, messageOf, RolledBack, sqlStateOf, type Tx } from "../../platform";

/** A connection of its own, in one transaction: for work that is too long for the pool of requests. */
export interface Session {
  readonly client: pg.Client;
  readonly run: <Row extends object>(text: string, values?: readonly unknown[]) => Promise<Row[]>;
}

/** How a session is opened. */
export interface SessionOptions {
  readonly url: string;
  /** `repeatable read`: the books as they were at one moment, however long it takes. */
  readonly isolation: "read committed" | "repeatable read";
  /** One import or run at a time for this profile: waits for it, up to a minute, before the transaction begins. */
  readonly profileLock?: string;
  /** Rolled back at the end, whatever was done. */
  readonly isDryRun?: boolean;
}

/**
 * Runs `work` in one transaction on a connection of its own. Resolves only when PostgreSQL answered COMMIT (ROLLBACK for a
 * dry run); otherwise nothing was written, save when the answer itself was lost.
 *
 * @throws DatabaseUnavailable the server cannot be reached, or went away
 * @throws RolledBack PostgreSQL did not commit
 */
export async function inSession<T>(options: SessionOptions, work: (session: Session) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: "biller-recon",
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    options: "-c statement_timeout=0 -c lock_timeout=60s -c idle_in_transaction_session_timeout=600s -c timezone=UTC",
  });
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    throw new DatabaseUnavailable(`no database connection: ${messageOf(error)}`, { cause: error });
  }
  try {
    if (options.profileLock !== undefined) await client.query(LOCK_PROFILE, [options.profileLock]);
    await client.query(`begin isolation level ${options.isolation}`);
    const value = await work({
      client,
      run: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
        (await client.query<Row>(text, [...values])).rows,
    });
    const { command } = await client.query(options.isDryRun ? "rollback" : "commit");
    if (!options.isDryRun && command !== "COMMIT") throw new RolledBack(`PostgreSQL answered COMMIT with ${command}`);
    return value;
  } catch (error) {
    if (error instanceof Fault || sqlStateOf(error) !== null || !isConnectionLost(error)) throw error;
    throw new DatabaseUnavailable(`the connection was lost: ${messageOf(error)}`, { cause: error });
  } finally {
    // An open transaction ends with its connection.
    await client.end().catch(() => {});
  }
}

/** The session's transaction for what other rooms write in one. */
export function txOf({ run }: Session): Tx {
  return { run: (statement, values) => run(statement.text, values) };
}

/** Of the connection, with which it ends: the transaction must not have begun, or it would read what was there before. */
const LOCK_PROFILE = `select pg_advisory_lock(hashtext('biller:reconciliation'), hashtext($1))`;

function isConnectionLost(error: unknown): boolean {
  return /terminated|ECONN|EPIPE|not queryable|closed/i.test(messageOf(error));
}
