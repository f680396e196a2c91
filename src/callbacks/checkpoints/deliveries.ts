import type { Statement, Tx } from "../../platform";
import type { OutgoingCheckpoint } from "./checkpoint-file";

/** A checkpoint on its way to a target, claimed for a while. */
export interface ClaimedCheckpoint extends OutgoingCheckpoint {
  readonly target: "s3" | "webhook";
  /** Counts from 1, this one included. */
  readonly attempt: number;
}

const CLAIM: Statement = {
  name: "callbacks_claim_checkpoints",
  isWrite: true,
  text: `
    with chosen as (
      select d.block_no, d.target
        from seal_delivery d
       where d.delivered_at is null and d.next_attempt_at <= clock_timestamp() and d.target = any($1::text[])
         and (d.claimed_until is null or d.claimed_until < clock_timestamp())
       order by d.block_no
       limit $2
         for update skip locked
    )
    update seal_delivery d
       set claimed_until = clock_timestamp() + make_interval(secs => $3::float8 / 1000), attempts = d.attempts + 1
      from chosen c, seal_checkpoint s
     where d.block_no = c.block_no and d.target = c.target and s.block_no = d.block_no
    returning d.block_no, d.target, d.attempts, s.statement, s.signature`,
};

/** Claims checkpoints that are due for these targets. A claim is a lease: whoever dies with it gives it back by waiting. */
export async function claimCheckpoints(
  tx: Tx,
  targets: readonly string[],
  claim: { readonly limit: number; readonly leaseMs: number },
): Promise<ClaimedCheckpoint[]> {
  const rows = await tx.run<{
    block_no: bigint;
    target: "s3" | "webhook";
    attempts: number;
    statement: string;
    signature: Buffer;
  }>(CLAIM, [targets, claim.limit, claim.leaseMs]);
  return rows.map((row) => ({
    ...{ blockNo: row.block_no, target: row.target, attempt: row.attempts },
    ...{ statement: row.statement, signature: row.signature },
  }));
}

const RECORD: Statement = {
  name: "callbacks_record_checkpoint",
  isWrite: true,
  text: `
    update seal_delivery
       set claimed_until = null, last_fault = $3,
           delivered_at = case when $3::text is null then clock_timestamp() end,
           next_attempt_at = clock_timestamp() + make_interval(secs => $4::float8 / 1000)
     where block_no = $1 and target = $2 and delivered_at is null`,
};

/** Writes down how an attempt ended; `fault` null means delivered. Checkpoints are tried for ever. */
export async function recordCheckpoint(
  tx: Tx,
  { blockNo, target }: ClaimedCheckpoint,
  fault: string | null,
  retryInMs: number,
): Promise<void> {
  await tx.run(RECORD, [blockNo, target, fault, retryInMs]);
}

const READ_AFTER: Statement = {
  name: "callbacks_checkpoints_after",
  text: `
    select block_no, statement, signature from seal_checkpoint
     where block_no >= $1 order by block_no limit $2`,
};

/** Checkpoints from a block on, ascending. */
export async function readCheckpointsFrom(tx: Tx, blockNo: bigint, limit: number): Promise<OutgoingCheckpoint[]> {
  const rows = await tx.run<{ block_no: bigint; statement: string; signature: Buffer }>(READ_AFTER, [blockNo, limit]);
  return rows.map((row) => ({ blockNo: row.block_no, statement: row.statement, signature: row.signature }));
}

const LOCK_FILE: Statement = {
  name: "callbacks_lock_checkpoint_file",
  isWrite: true,
  text: `select pg_try_advisory_xact_lock(4823011, hashtext($1)) as is_ours`,
};

/** Takes the lock of a checkpoint file for this transaction; false when another process has it. */
export async function lockFile(tx: Tx, path: string): Promise<boolean> {
  const [row] = await tx.run<{ is_ours: boolean }>(LOCK_FILE, [path]);
  return row?.is_ours ?? false;
}

const READ_HASHES: Statement = {
  name: "callbacks_checkpoint_hashes",
  text: `select block_no, encode(block_hash, 'hex') as block_hash from seal_block where block_no = any($1::bigint[])`,
};

/** Hashes of blocks, as hex; those that are not there are not in the answer. */
export async function readBlockHashes(tx: Tx, blockNos: readonly bigint[]): Promise<ReadonlyMap<bigint, string>> {
  const rows = await tx.run<{ block_no: bigint; block_hash: string }>(READ_HASHES, [blockNos]);
  return new Map(rows.map((row) => [row.block_no, row.block_hash]));
}
