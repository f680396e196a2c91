import { createHash } from "node:crypto";
import {
  type Clock,
  DatabaseUnavailable,
  type Db,
  deadlineIn,
  Fault,
  messageOf,
  openDb,
  type Statement,
  type Tx,
} from "../../platform";

/** How old an answer may be. */
export interface Freshness {
  readonly source: "primary" | "replica";
  /** The instant that the answer shows: now on the primary, the last replayed transaction on a replica. */
  readonly asOf: string;
  /** At most so many seconds behind the primary; on a replica of an idle primary it grows although nothing is missing. */
  readonly lagSeconds: number;
  /**
   * Everything recorded before is there. After it, a transaction that began earlier may still add rows: who follows the
   * books asks again from here.
   */
  readonly completeUntil: string;
}

/** The auditors' own door to the database: few connections, read-only, never those that post. */
export interface AuditReader {
  /**
   * Runs questions in one read-only transaction on one snapshot. When `signal` is aborted the running statement is
   * cancelled at the server.
   *
   * @throws Fault `audit_database` when that database cannot be reached, which says nothing about the one that posts
   */
  ask<T>(
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
    work: (tx: Tx) => Promise<T>,
  ): Promise<T>;
  close(): Promise<void>;
}

/** Settings of the door. */
export interface ReaderOptions {
  readonly url: string;
  readonly poolMax: number;
  readonly clock: Clock;
  readonly onFault: (fault: unknown, where: string) => void;
}

/** Longest statement, milliseconds: the sums over a large ledger. Pages have a far shorter deadline of their own. */
export const STATEMENT_MAX_MS = 60_000;

/** Opens the auditors' pool; connects on first use. */
export function openReader({ url, poolMax, clock, onFault }: ReaderOptions): AuditReader {
  const open = (max: number, applicationName: string): Db =>
    openDb({
      url: readOnlyUrl(url),
      poolMax: max,
      applicationName,
      statementTimeoutMs: STATEMENT_MAX_MS,
      lockTimeoutMs: 1_000,
      connectTimeoutMs: 2_000,
      clock,
      onFault: ({ where, message }) => onFault(new Error(message), `audit ${where}`),
    });
  const db = open(poolMax, "biller-audit");
  const canceller = open(1, "biller-audit-cancel");

  async function cancel(pid: number, startedAt: string): Promise<void> {
    try {
      await canceller.run(deadlineIn(clock, 2_000), CANCEL, [pid, startedAt]);
    } catch (error) {
      onFault(new Error(`a question whose asker has gone was not cancelled: ${messageOf(error)}`), "audit cancel");
    }
  }

  return {
    ask: ({ timeoutMs, signal }, work) =>
      named(
        db.withTransaction(deadlineIn(clock, timeoutMs), async (tx) => {
          if (signal === undefined) return work(tx);
          const [me] = await tx.run<{ pid: number; started_at: string }>(WHO, []);
          const onAbort = (): void => void (me === undefined ? undefined : cancel(me.pid, me.started_at));
          signal.throwIfAborted();
          signal.addEventListener("abort", onAbort, { once: true });
          try {
            return await work(tx);
          } finally {
            signal.removeEventListener("abort", onAbort);
          }
        }),
      ),
    async close() {
      await Promise.all([db.close(), canceller.close()]);
    },
  };
}

async function named<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable)) throw error;
    throw new Fault("audit_database", "the database that audit questions are answered from does not answer now", {
      cause: error,
    });
  }
}

/**
 * The address with the session's settings in it. They stand in the address because settings given there take the place of
 * those that a pool sets: every one is therefore repeated.
 */
export function readOnlyUrl(url: string): string {
  const parsed = new URL(url);
  const settings = [
    "default_transaction_read_only=on",
    "default_transaction_isolation=repeatable\\ read",
    `statement_timeout=${STATEMENT_MAX_MS}`,
    "lock_timeout=1000",
    `idle_in_transaction_session_timeout=${STATEMENT_MAX_MS}`,
    "timezone=UTC",
    "plan_cache_mode=force_custom_plan",
    // Sums over the ledger must not take the machine from the payments.
    "max_parallel_workers_per_gather=0",
    "jit=off",
  ];
  const given = parsed.searchParams.get("options");
  const ours = settings.map((setting) => `-c ${setting}`).join(" ");
  parsed.searchParams.set("options", given === null ? ours : `${given} ${ours}`);
  return parsed.toString();
}

const WHO: Statement = {
  name: "audit_who",
  text: `select pg_backend_pid() as pid, now()::text as started_at`,
};

/** Cancels the transaction that was meant and no later one of the same connection. */
const CANCEL: Statement = {
  name: "audit_cancel",
  text: `select pg_cancel_backend(pid) from pg_stat_activity where pid = $1::int and xact_start = $2::timestamptz`,
};

/** A payment's transaction ends within its deadline and an operator's within a minute: nothing older can still appear. */
const SETTLED_AFTER_SECONDS = 90;

const FRESHNESS: Statement = {
  name: "audit_freshness",
  text: `
    select pg_is_in_recovery() as is_replica,
           to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as as_of,
           greatest(0, extract(epoch from now() - at))::float8 as lag_seconds,
           to_char((at - interval '${SETTLED_AFTER_SECONDS} seconds') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
             as complete_until
      from (select case when pg_is_in_recovery()
                        -- Nothing replayed since its start: then it is what it was at the checkpoint that it began with.
                        then coalesce(pg_last_xact_replay_timestamp(), (select checkpoint_time from pg_control_checkpoint()))
                        else now() end as at) moment`,
};

/** Reads how old the answers of this transaction are. */
export async function readFreshness(tx: Tx): Promise<Freshness> {
  const [row] = await tx.run<{ is_replica: boolean; as_of: string; lag_seconds: number; complete_until: string }>(
    FRESHNESS,
    [],
  );
  if (row === undefined) throw new Error("the database did not say how old its answers are");
  return {
    source: row.is_replica ? "replica" : "primary",
    asOf: row.as_of,
    lagSeconds: Math.round(row.lag_seconds * 1_000) / 1_000,
    completeUntil: row.complete_until,
  };
}

/** A statement made of constant pieces; its name follows from its text, so that each is prepared once a connection. */
export function statementOf(purpose: string, text: string): Statement {
  return { name: `audit_${purpose}_${createHash("sha256").update(text).digest("hex").slice(0, 12)}`, text };
}
