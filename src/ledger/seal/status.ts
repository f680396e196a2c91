import type { Statement, Tx } from "../../platform";

/** How sealing stands, for people and for readiness. */
export interface SealStatus {
  /** Null before the first key. */
  readonly keyId: string | null;
  readonly blocks: bigint;
  readonly leaves: bigint;
  /** Seconds since the last moment up to which everything was looked for; null before the first pass. */
  readonly lagSeconds: number | null;
  /** Block of the newest checkpoint, null when there is none. */
  readonly checkpointBlock: bigint | null;
  /** Checkpoints that have not reached a target yet. */
  readonly undelivered: number;
}

const READ: Statement = {
  name: "ledger_seal_status",
  text: `
    select (select k.key_id from seal_key k order by k.key_no desc limit 1) as key_id,
           coalesce((select max(b.block_no) from seal_block b), 0)::bigint as blocks,
           coalesce((select max(c.block_no) from seal_checkpoint c), 0)::bigint as checkpoint_block,
           (select count(*)::int from seal_delivery d where d.delivered_at is null) as undelivered,
           case when isfinite(s.scanned_until)
                then extract(epoch from clock_timestamp() - s.scanned_until)::float8 end as lag_seconds,
           (select coalesce(sum(b.leaf_count), 0)::bigint from seal_block b where $1::boolean) as leaves
      from seal_state s`,
};

/** Reads it. Leaves are only counted when asked for: that reads every block. */
export async function readSealStatus(tx: Tx, withLeaves = false): Promise<SealStatus> {
  const [row] = await tx.run<{
    key_id: string | null;
    blocks: bigint;
    checkpoint_block: bigint;
    undelivered: number;
    lag_seconds: number | null;
    leaves: bigint;
  }>(READ, [withLeaves]);
  return {
    keyId: row?.key_id ?? null,
    blocks: row?.blocks ?? 0n,
    leaves: row?.leaves ?? 0n,
    lagSeconds: row?.lag_seconds ?? null,
    checkpointBlock: row === undefined || row.checkpoint_block === 0n ? null : row.checkpoint_block,
    undelivered: row?.undelivered ?? 0,
  };
}
