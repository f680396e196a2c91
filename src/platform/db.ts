import knexFactory, { type Knex } from "knex";
import pg from "pg";
import type { Clock, Deadline } from "./clock";
import { CommitUnknown, DatabaseUnavailable, DeadlinePassed, Fault, messageOf, RolledBack, sqlStateOf } from "./faults";
import { SILENT_KNEX_LOG } from "./knex-log";
import { encodeValues } from "./sql-array";

// bigint columns are money or counters: as BigInt, never as text to be added up, never as a lossy number.
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => BigInt(text));
// A DATE is a day, not an instant in the machine's time zone.
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

/** One SQL statement, prepared under its name on each connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** Set on everything that is not a plain read: it is held back until BEGIN is known to have worked. */
  readonly isWrite?: true;
}

/** A transaction in progress. Reads may be issued together without waiting: the connection is pipelined. */
export interface Tx {
  run<Row extends object>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
}

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
    withTransaction: (deadline, work) => onConnection(deadline, (connection) => transact(connection, deadline, work)),
    run: (deadline, statement, values) =>
      onConnection(deadline, (connection) => execute(connection, deadline, statement, values)),
    close: () => knex.destroy(),
  };
}

/**
 * begin, work, commit on one connection. The COMMIT is ours, because PostgreSQL answers COMMIT of a failed transaction
 * with the tag ROLLBACK and no error, and drivers resolve as if all were well.
 */
async function transact<T>(connection: Connection, deadline: Deadline, work: (tx: Tx) => Promise<T>): Promise<T> {
  const begun = within(deadline, "opening a transaction", connection.query("begin"));
  begun.catch(() => {});
  const tx: Tx = {
    run: async (statement, values) => {
      // In a pipeline a write behind a failed BEGIN would run, and commit, by itself.
      if (statement.isWrite) await begun;
      return execute(connection, deadline, statement, values);
    },
  };
  let value: T;
  try {
    value = await work(tx);
    await begun;
    if (deadline.hasPassed()) throw new DeadlinePassed("preparing to commit");
  } catch (error) {
    if (!mustDiscard(error)) await rollBack(connection, error);
    throw error;
  }
  await commit(connection, deadline);
  return value;
}

async function rollBack(connection: Connection, because: unknown): Promise<void> {
  try {
    await connection.query("rollback");
  } catch (error) {
    // The server rolls back on disconnect; the connection is of no use any more.
    connection.__knex__disposed = `rollback failed: ${messageOf(error)} after ${messageOf(because)}`;
  }
}

async function commit(connection: Connection, deadline: Deadline): Promise<void> {
  let warning: string | null = null;
  const onNotice = (notice: { message?: string | undefined; severity?: string | undefined }): void => {
    // "canceling wait for synchronous replication": committed here, not known to be safe elsewhere.
    if (notice.severity === "WARNING") warning = notice.message ?? "warning";
  };
  connection.on("notice", onNotice);
  let tag: string;
  try {
    ({ command: tag } = await within(deadline, "committing", connection.query("commit")));
  } catch (error) {
    const state = sqlStateOf(error);
    // A deferred check refused it: a definite no. Anything else (connection gone, shutdown, deadline) is no answer.
    if (state !== null && !state.startsWith("57") && !state.startsWith("08")) throw error;
    throw new CommitUnknown(`no answer to COMMIT: ${messageOf(error)}`, { cause: error });
  } finally {
    connection.off("notice", onNotice);
  }
  if (tag !== "COMMIT") throw new RolledBack(`PostgreSQL answered COMMIT with ${tag}`);
  if (warning !== null) throw new CommitUnknown(`COMMIT came with a warning: ${warning as string}`);
}

async function execute<Row extends object>(
  connection: Connection,
  deadline: Deadline,
  statement: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  try {
    const result = await within(
      deadline,
      `running ${statement.name}`,
      connection.query<Row>({
        name: statement.name,
        text: statement.text,
        values: encodeValues(statement.text, values),
      }),
    );
    return result.rows;
  } catch (error) {
    if (error instanceof Fault || sqlStateOf(error) !== null) throw error;
    throw new DatabaseUnavailable(`connection lost while running ${statement.name}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** After these the state of the connection is not known: it must never serve another request. */
function mustDiscard(error: unknown): boolean {
  if (error instanceof DeadlinePassed || error instanceof CommitUnknown || error instanceof DatabaseUnavailable) {
    return true;
  }
  const state = sqlStateOf(error);
  return state !== null && (state.startsWith("57P") || state.startsWith("08") || state === "25P03");
}

/** Bounds a wait by the deadline. The work itself is not stopped by this: the caller destroys the connection. */
async function within<T>(deadline: Deadline, doing: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlinePassed(doing)), Math.max(0, deadline.leftMs()));
  });
  try {
    return await Promise.race([work, expiry]);
  } finally {
    clearTimeout(timer);
  }
}
