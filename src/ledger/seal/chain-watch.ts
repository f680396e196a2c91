import type { Checkpoint } from "../../domain";
import type { Statement, Tx } from "../../platform";

/** The word of the operator action that a rollback is accepted under; its object is `blocks:<first>-<last>`, the lost ones. */
export const ACCEPT_ROLLBACK = "ledger.accept-rollback";

/** Notices that this database has lost blocks that were there, or has other blocks in their place. */
export interface ChainWatch {
  /**
   * Compares the chain with the last checkpoint outside, and with what this process has seen of it.
   *
   * @returns what contradicts it and was not accepted; null when nothing does
   */
  contradictionOf(tx: Tx): Promise<string | null>;
}

/** A block that is known to have been there. */
interface KnownBlock {
  readonly blockNo: bigint;
  /** Hex. */
  readonly blockHash: string;
  /** ISO 8601. */
  readonly at: string;
  readonly isOutside: boolean;
}

/** @param lastOutside the last checkpoint that is kept outside of the database; null: there is none */
export function openChainWatch(lastOutside: () => Checkpoint | null): ChainWatch {
  let seen: KnownBlock | null = null;

  return {
    async contradictionOf(tx) {
      // Before the database is asked: a checkpoint is in the file only when its block was committed.
      const outside = lastOutside();
      const known: KnownBlock[] = seen === null ? [] : [seen];
      if (outside !== null) known.unshift({ ...outside, at: outside.madeAt, isOutside: true });
      for (const block of known) {
        const what = await contradictionBy(tx, block);
        if (what !== null) return what;
      }
      seen = await readHead(tx);
      return null;
    },
  };
}

const READ_HEAD: Statement = {
  name: "ledger_seal_read_head",
  text: `
    select block_no, encode(block_hash, 'hex') as block_hash, clock_timestamp()::text as at
      from seal_block order by block_no desc limit 1`,
};

async function readHead(tx: Tx): Promise<KnownBlock | null> {
  const [row] = await tx.run<{ block_no: bigint; block_hash: string; at: string }>(READ_HEAD, []);
  return row === undefined ? null : { blockNo: row.block_no, blockHash: row.block_hash, at: row.at, isOutside: false };
}

const COMPARE: Statement = {
  name: "ledger_seal_compare_known_block",
  text: `
    select (select encode(b.block_hash, 'hex') from seal_block b where b.block_no = $1) as block_hash,
           coalesce((select max(b.block_no) from seal_block b), 0) as last`,
};

async function contradictionBy(tx: Tx, known: KnownBlock): Promise<string | null> {
  const [row] = await tx.run<{ block_hash: string | null; last: bigint }>(COMPARE, [known.blockNo]);
  if (row === undefined || row.block_hash === known.blockHash) return null;
  if (await isRollbackAccepted(tx, known)) return null;
  const whose = known.isOutside ? "a checkpoint outside of the database" : "this process";
  const what =
    row.block_hash === null ? `the chain ends at block ${row.last}` : `the chain has another block ${known.blockNo}`;
  return (
    `${whose} knows block ${known.blockNo}, and ${what}: the database was rolled back, or its chain was written anew. ` +
    'Nothing is sealed until somebody decides: biller ledger verify, then biller ledger accept-rollback --because "…"'
  );
}

const FIND_ACCEPTED: Statement = {
  name: "ledger_seal_find_accepted_rollback",
  text: `
    select a.action_id
      from operator_action a
     where a.action = '${ACCEPT_ROLLBACK}' and a.recorded_at > $1::timestamptz
       and ($2::bigint is null or case when a.object ~ '^blocks:[0-9]{1,18}-[0-9]{1,18}$'
                                       then split_part(a.object, '-', 2)::bigint >= $2 else false end)
     limit 1`,
};

/**
 * Whether somebody has accepted that a block is lost: afterwards, and of a checkpoint outside, naming its block. What only a
 * process has seen needs no name: nobody can look it up.
 */
export async function isRollbackAccepted(
  tx: Tx,
  { blockNo, at, isOutside }: Pick<KnownBlock, "blockNo" | "at" | "isOutside">,
): Promise<boolean> {
  return (await tx.run(FIND_ACCEPTED, [at, isOutside ? blockNo : null])).length > 0;
}

/** A rollback that somebody has accepted. */
export interface AcceptedRollback {
  /** `blocks:<first>-<last>`. */
  readonly object: string;
  readonly actor: string;
  /** ISO 8601. */
  readonly at: string;
  readonly detail: string;
}

const LIST_ACCEPTED: Statement = {
  name: "ledger_seal_list_accepted_rollbacks",
  text: `
    select object, actor, to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at, detail
      from operator_action where action = '${ACCEPT_ROLLBACK}' order by recorded_at, action_id`,
};

/** Every rollback that was accepted, the first one first. */
export function listAcceptedRollbacks(tx: Tx): Promise<AcceptedRollback[]> {
  return tx.run<AcceptedRollback>(LIST_ACCEPTED, []);
}
