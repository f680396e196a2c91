import type { Deadline } from "./clock";
import { CommitUnknown, DatabaseUnavailable, DeadlinePassed, Fault, messageOf, RolledBack, sqlStateOf } from "./faults";

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

/**
 * What a transaction needs of a connection. Whatever is called is sent at once, in order, without waiting for answers to what
 * was sent before. node-postgres' in the product, a modelled one in the simulation.
 */
export interface Session {
  /** Resolves with the tag that the server answered with, and the warning that came with it. */
  control(word: "begin" | "commit" | "rollback"): Promise<{ readonly tag: string; readonly warning: string | null }>;
  run<Row extends object>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
  /** It is of no use any more: nobody may get it after this. */
  discard(reason: string): void;
}

/**
 * begin, work, commit on one connection. The COMMIT is ours, because PostgreSQL answers COMMIT of a failed transaction
 * with the tag ROLLBACK and no error, and drivers resolve as if all were well.
 *
 * @throws what `Db.withTransaction` does
 */
export async function transact<T>(session: Session, deadline: Deadline, work: (tx: Tx) => Promise<T>): Promise<T> {
  const begun = within(deadline, "opening a transaction", session.control("begin"));
  begun.catch(() => {});
  const tx: Tx = {
    run: async (statement, values) => {
      // In a pipeline a write behind a failed BEGIN would run, and commit, by itself.
      if (statement.isWrite) await begun;
      return execute(session, deadline, statement, values);
    },
  };
  let value: T;
  try {
    value = await work(tx);
    await begun;
    if (deadline.hasPassed()) throw new DeadlinePassed("preparing to commit");
  } catch (error) {
    if (!mustDiscard(error)) await rollBack(session, error);
    throw error;
  }
  await commit(session, deadline);
  return value;
}

async function rollBack(session: Session, because: unknown): Promise<void> {
  try {
    await session.control("rollback");
  } catch (error) {
    // The server rolls back on disconnect.
    session.discard(`rollback failed: ${messageOf(error)} after ${messageOf(because)}`);
  }
}

async function commit(session: Session, deadline: Deadline): Promise<void> {
  const { tag, warning } = await within(deadline, "committing", session.control("commit")).catch((error: unknown) => {
    const state = sqlStateOf(error);
    // A deferred check refused it: a definite no. Anything else (connection gone, shutdown, deadline) is no answer.
    if (state !== null && !state.startsWith("57") && !state.startsWith("08")) throw error;
    throw new CommitUnknown(`no answer to COMMIT: ${messageOf(error)}`, { cause: error });
  });
  if (tag !== "COMMIT") throw new RolledBack(`PostgreSQL answered COMMIT with ${tag}`);
  // "canceling wait for synchronous replication": committed here, not known to be safe elsewhere.
  if (warning !== null) throw new CommitUnknown(`COMMIT came with a warning: ${warning}`);
}

/** Runs one statement, in a transaction or by itself. */
export async function execute<Row extends object>(
  session: Session,
  deadline: Deadline,
  statement: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  try {
    return await within(deadline, `running ${statement.name}`, session.run<Row>(statement, values));
  } catch (error) {
    if (error instanceof Fault || sqlStateOf(error) !== null) throw error;
    throw new DatabaseUnavailable(`connection lost while running ${statement.name}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** After these the state of the connection is not known: it must never serve another request. */
export function mustDiscard(error: unknown): boolean {
  if (error instanceof DeadlinePassed || error instanceof CommitUnknown || error instanceof DatabaseUnavailable) {
    return true;
  }
  const state = sqlStateOf(error);
  return state !== null && (state.startsWith("57P") || state.startsWith("08") || state === "25P03");
}

/** Bounds a wait by the deadline. The work itself is not stopped by this: the caller destroys the connection. */
export async function within<T>(deadline: Deadline, doing: string, work: Promise<T>): Promise<T> {
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
