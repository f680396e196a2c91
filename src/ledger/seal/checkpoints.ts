import { checkpointText, type SigningKey, signText } from "../../domain";
import type { Statement, Tx } from "../../platform";
import { readLastBlock } from "./blocks";

/** A checkpoint as stored. */
export interface StoredCheckpoint {
  readonly blockNo: bigint;
  readonly statement: string;
  readonly signature: Buffer;
}

/** Where checkpoints go beside the file. */
export type CheckpointTarget = "s3" | "webhook";

const COLUMNS = "block_no, statement, signature";

interface Row {
  readonly block_no: bigint;
  readonly statement: string;
  readonly signature: Buffer;
}

function checkpointOf(row: Row): StoredCheckpoint {
  return { blockNo: row.block_no, statement: row.statement, signature: row.signature };
}

const LIST: Statement = {
  name: "ledger_seal_list_checkpoints",
  text: `select ${COLUMNS} from seal_checkpoint where block_no >= $1 order by block_no limit $2`,
};

/** Checkpoints from a block on, ascending. */
export async function listCheckpoints(tx: Tx, fromBlock: bigint, limit: number): Promise<StoredCheckpoint[]> {
  return (await tx.run<Row>(LIST, [fromBlock, limit])).map(checkpointOf);
}

const INSERT: Statement = {
  name: "ledger_seal_insert_checkpoint",
  isWrite: true,
  text: `
    with made as (
      insert into seal_checkpoint (block_no, statement, signature, made_at)
      values ($1, $2, $3, $4::timestamptz)
      on conflict do nothing
      returning block_no
    ), queued as (
      insert into seal_delivery (block_no, target)
      select made.block_no, t.target from made, unnest($5::text[]) as t(target)
    )
    select block_no from made`,
};

/**
 * Makes a checkpoint of the newest block and puts it into the outbox of every target, unless that block has one. Under the
 * sealer's lock.
 *
 * @param madeAt UTC, ISO 8601
 * @returns the checkpoint, or null when there is nothing new
 */
export async function makeCheckpoint(
  tx: Tx,
  key: SigningKey,
  madeAt: string,
  targets: readonly CheckpointTarget[],
): Promise<StoredCheckpoint | null> {
  const block = await readLastBlock(tx);
  if (block === null) return null;
  const { blockNo, blockHash } = block;
  const statement = checkpointText({ blockNo, blockHash: blockHash.toString("hex"), madeAt, keyId: key.keyId });
  const signature = signText(key.privateKey, statement);
  const made = await tx.run(INSERT, [blockNo, statement, signature, madeAt, targets]);
  return made.length === 0 ? null : { blockNo, statement, signature };
}

const READ_DUE: Statement = {
  name: "ledger_seal_checkpoint_due",
  text: `
    select coalesce((select max(b.block_no) from seal_block b) > coalesce(max(c.block_no), 0), false)
           and coalesce(max(c.made_at) <= clock_timestamp() - make_interval(secs => $1::float8 / 1000), true) as is_due
      from seal_checkpoint c`,
};

/** Whether there are blocks behind the last checkpoint, and that one is older than `intervalMs`. */
export async function isCheckpointDue(tx: Tx, intervalMs: number): Promise<boolean> {
  const [row] = await tx.run<{ is_due: boolean }>(READ_DUE, [intervalMs]);
  return row?.is_due ?? false;
}
