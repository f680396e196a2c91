import knexFactory, { type Knex } from "knex";
import pg from "pg";
import type { Clock, Deadline } from "./clock";
import { DatabaseUnavailable, DeadlinePassed, messageOf } from "./faults";
import { SILENT_KNEX_LOG } from "./knex-log";
import { encodeValues } from "./sql-array";
import { execute, mustDiscard, type Session, type Statement, transact, type Tx, within } from "./transaction";

// bigint columns are money or counters: as BigInt, never as text to be added up, never as a lossy number.
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => BigInt(text));
// A DATE is a day, not an instant in the machine's time zone.
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

/** The database as the rooms see it. */
export interface Db {
  /** Query builder for plain reads and writes that need no transaction of their own. */
  readonly knex: Knex;
  /**
   * Runs `work` in one READ COMMITTED transaction. Resolves only when PostgreSQL itself answered COMMIT.
   *
   * @throws DeadlinePassed nothing was written
   * @throws RolledBack nothing was written, although no statement failed in sight of the caller
   * @throws CommitUnknown it may or may not be durable
   * @throws DatabaseUnavailable no connection could be had, or it was lost before COMMIT: nothing was written
   * @throws whatever `work` throws, after rolling back
   */
  withTransaction<T>(deadline: Deadline, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Runs one statement outside any transaction. Same faults as withTransaction; only for reads and idempotent writes. */
  run<Row extends object>(deadline: Deadline, statement: Statement, values: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** Options of a pool. Times in milliseconds. */
export interface DbOptions {
  readonly url: string;
  readonly poolMax: number;
  readonly applicationName: string;
  /** Longest single statement, enforced by the server. */
  readonly statementTimeoutMs: number;
  /** Longest wait for a row or table lock, enforced by the server. */
  readonly lockTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** How statements are planned, see `PLANNING`; default `by-values`. */
  readonly planning?: keyof typeof PLANNING;
  readonly clock: Clock;
  readonly onFault?: (fault: { readonly where: string; readonly message: string }) => void;
}

/**
 * A prepared statement's plan may be made once or for each execution. Made once while tables were empty, it reads them
 * whole for as long as the connection lives: one such read cost 5.5 ms after 90,000 payments.
 *
 * - `by-values`: planned for each execution, 0.1 to 0.2 ms for a statement over a batch.
 * - `once`: planned once, and forbidden the plans that go wrong as tables grow. Only for statements that find every row
 *   by a key: what is left is a loop over an index, which is right for tables of any size.
 */
const PLANNING = {
  "by-values": ["plan_cache_mode=force_custom_plan"],
  once: [
    "plan_cache_mode=force_generic_plan",
    "enable_seqscan=off",
    "enable_bitmapscan=off",
    "enable_hashjoin=off",
    "enable_mergejoin=off",
  ],
} as const;

interface Connection extends pg.Client {
  /** knex discards a connection that carries a reason here instead of handing it out again. */
  __knex__disposed?: unknown;
}

interface ConnectionPool {
  acquireConnection(): Promise<Connection>;
  releaseConnection(connection: Connection): Promise<void>;
}

/** Opens a pool; connects on first use. */
export function openDb(options: DbOptions): Db {
  const knex = knexFactory({
    client: "pg",
    connection: {
      connectionString: options.url,
      application_name: options.applicationName,
      keepAlive: true,
      // Statements of one transaction are sent without waiting for each other's answer (node-postgres >= 8.20).
      pipeline: true,
      connectionTimeoutMillis: options.connectTimeoutMs,
      options: [
        `-c statement_timeout=${options.statementTimeoutMs}`,
        `-c lock_timeout=${options.lockTimeoutMs}`,
        `-c idle_in_transaction_session_timeout=${options.statementTimeoutMs * 2}`,
        "-c timezone=UTC",
        "-c jit=off",
        ...PLANNING[options.planning ?? "by-values"].map((setting) => `-c ${setting}`),
      ].join(" "),
    } as Knex.PgConnectionConfig,
    pool: { min: 0, max: options.poolMax, idleTimeoutMillis: 60_000 },
    acquireConnectionTimeout: options.connectTimeoutMs,
    log: SILENT_KNEX_LOG,
  });
  const pool = knex.client as ConnectionPool;
  const report = options.onFault ?? (() => {});

  async function acquire(deadline: Deadline): Promise<Connection> {
    const pending = pool.acquireConnection();
    try {
      return await within(deadline, "waiting for a database connection", pending);
    } catch (error) {
      // Whoever stops waiting must not leak the connection that arrives later.
      pending.then(
        (late) => pool.releaseConnection(late),
        () => {},
      );
      if (error instanceof DeadlinePassed) throw error;
      throw new DatabaseUnavailable(`no database connection: ${messageOf(error)}`, { cause: error });
    }
  }

  function destroy(connection: Connection, reason: string): void {
    connection.__knex__disposed = reason;
    const { stream } = (connection as unknown as { connection: { stream: { destroy(): void } } }).connection;
    stream.destroy();
  }

  /** Lends one connection to `use`, and sees to it that a connection in doubt never serves another request. */
  async function onConnection<T>(deadline: Deadline, use: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await acquire(deadline);
    // A checked-out connection that dies between statements emits 'error'; without a listener the process would exit.
    const onError = (error: Error): void => report({ where: "connection", message: error.message });
    connection.on("error", onError);
    try {
      return await use(connection);
    } catch (error) {
      if (mustDiscard(error)) destroy(connection, messageOf(error));
      throw error;
    } finally {
      if (connection.__knex__disposed === undefined) connection.off("error", onError);
      await pool.releaseConnection(connection);
    }
  }

  return {
    knex,
    withTransaction: (deadline, work) =>
      onConnection(deadline, (connection) => transact(sessionOf(connection), deadline, work)),
    run: (deadline, statement, values) =>
      onConnection(deadline, (connection) => execute(sessionOf(connection), deadline, statement, values)),
    close: () => knex.destroy(),
  };
}

/** A connection of node-postgres as transactions use it. */
function sessionOf(connection: Connection): Session {
  return {
    async control(word) {
      if (word !== "commit") return { tag: (await connection.query(word)).command, warning: null };
      let warning: string | null = null;
      const onNotice = (notice: { message?: string | undefined; severity?: string | undefined }): void => {
        if (notice.severity === "WARNING") warning = notice.message ?? "warning";
      };
      connection.on("notice", onNotice);
      try {
        const { command } = await connection.query(word);
        return { tag: command, warning };
      } finally {
        connection.off("notice", onNotice);
      }
    },
    async run<Row extends object>({ name, text }: Statement, values: readonly unknown[]) {
      const { rows } = await connection.query<Row>({ name, text, values: encodeValues(text, values) });
      return rows;
    },
    discard(reason) {
      connection.__knex__disposed = reason;
    },
  };
}
