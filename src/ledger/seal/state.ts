import type { Statement, Tx } from "../../platform";

/** How far sealing has come, and what PostgreSQL says about transactions now. Instants in microseconds since the epoch. */
export interface SealState {
  /** Every row recorded before this is in a block; null before the first pass. */
  readonly sealedUntil: bigint | null;
  /** Rows recorded before this were looked for at least once; null before the first pass. */
  readonly scannedUntil: bigint | null;
  /** Every transaction that had a number at `at` has one below `xid`. */
  readonly pending: { readonly at: bigint; readonly xid: bigint } | null;
  /** The server's clock when the state was last written. */
  readonly seenAt: bigint | null;
  readonly now: bigint;
  /** Every transaction below this number has ended, subtransactions included: they have higher numbers than their own. */
  readonly oldestXid: bigint;
}

const micros = (expression: string): string => `(extract(epoch from ${expression}) * 1000000)::bigint`;
const markOf = (column: string): string => `case when isfinite(${column}) then ${micros(column)} end as ${column}`;

/** One process at a time; the lock ends with the transaction, after its commit can be seen. */
const LOCK: Statement = {
  name: "ledger_seal_lock",
  isWrite: true,
  text: `select pg_try_advisory_xact_lock(4823010) as is_ours`,
};

/** Takes the sealer's lock for this transaction; false when another process has it. */
export async function lockSealing(tx: Tx): Promise<boolean> {
  const [row] = await tx.run<{ is_ours: boolean }>(LOCK, []);
  return row?.is_ours ?? false;
}

const READ: Statement = {
  name: "ledger_seal_read_state",
  text: `
    select ${markOf("sealed_until")}, ${markOf("scanned_until")}, ${micros("pending_at")} as pending_at, pending_xid,
           ${micros("seen_at")} as seen_at, ${micros("statement_timestamp()")} as now,
           pg_snapshot_xmin(pg_current_snapshot())::text::bigint as oldest_xid
      from seal_state`,
};

/** Reads the state; in a transaction that goes on to seal, `lockSealing` comes first. */
export async function readSealState(tx: Tx): Promise<SealState> {
  const [row] = await tx.run<{
    sealed_until: bigint | null;
    scanned_until: bigint | null;
    pending_at: bigint | null;
    pending_xid: bigint | null;
    seen_at: bigint | null;
    now: bigint;
    oldest_xid: bigint;
  }>(READ, []);
  if (row === undefined) throw new RangeError("seal_state has lost its row");
  const { pending_at: at, pending_xid: xid } = row;
  return {
    sealedUntil: row.sealed_until,
    scannedUntil: row.scanned_until,
    pending: at === null || xid === null ? null : { at, xid },
    seenAt: row.seen_at,
    now: row.now,
    oldestXid: row.oldest_xid,
  };
}

const TAKE_MARK: Statement = {
  name: "ledger_seal_take_mark",
  isWrite: true,
  text: `
    select ${micros("transaction_timestamp()")} as at, pg_current_xact_id()::text::bigint as xid`,
};

/**
 * A mark that older transactions can be waited for by: this transaction's own number, and the time at which it began. It
 * got its number after that, so that whoever had one at that time has a lower one. A snapshot's xmax would not do: it is
 * the number after the highest that has ended, and any number of transactions may be writing under that number and higher.
 */
export async function takeMark(tx: Tx): Promise<{ readonly at: bigint; readonly xid: bigint }> {
  const [row] = await tx.run<{ at: bigint; xid: bigint }>(TAKE_MARK, []);
  if (row === undefined) throw new RangeError("the database gave no transaction number");
  return row;
}

const at = (parameter: string): string => `timestamptz 'epoch' + ${parameter}::bigint * interval '1 microsecond'`;

const WRITE: Statement = {
  name: "ledger_seal_write_state",
  isWrite: true,
  text: `
    update seal_state
       set sealed_until = coalesce(${at("$1")}, '-infinity'), scanned_until = ${at("$2")}, pending_at = ${at("$3")}, pending_xid = $4,
           seen_at = ${at("$5")}`,
};

/** What a pass leaves behind. */
export interface NextSealState {
  readonly sealedUntil: bigint | null;
  readonly scannedUntil: bigint;
  readonly pending: { readonly at: bigint; readonly xid: bigint };
  readonly seenAt: bigint;
}

/** Writes the state, under the sealer's lock. */
export async function writeSealState(tx: Tx, next: NextSealState): Promise<void> {
  await tx.run(WRITE, [next.sealedUntil, next.scannedUntil, next.pending.at, next.pending.xid, next.seenAt]);
}

const OLDEST: Statement = {
  name: "ledger_seal_oldest_row",
  text: `
    select ${micros(`least(
             (select min(recorded_at) from journal_entry), (select min(recorded_at) from trax),
             (select min(recorded_at) from operator_action), clock_timestamp())`)} as oldest`,
};

/** When the first row of all was recorded, of those that can be seen. Reads everything: for the very first passes. */
export async function readOldestRow(tx: Tx): Promise<bigint> {
  const [row] = await tx.run<{ oldest: bigint }>(OLDEST, []);
  return row?.oldest ?? 0n;
}
