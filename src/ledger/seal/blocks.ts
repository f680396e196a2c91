import { setImmediate } from "node:timers/promises";
import {
  headerText,
  hashOfText,
  type Leaf,
  leafHash,
  leafOf,
  merkleRoot,
  NO_BLOCK,
  type SealedRow,
  type SigningKey,
  signText,
} from "../../domain";
import { Fault, type Statement, type Tx } from "../../platform";
import { type ItemRef, readSealedRows } from "./rows";

/** A block as stored. */
export interface SealedBlock {
  readonly blockNo: bigint;
  readonly header: string;
  readonly blockHash: Buffer;
  readonly signature: Buffer;
  readonly leafCount: number;
  /** 32 bytes for each leaf. */
  readonly leafHashes: Buffer;
}

const BLOCK_COLUMNS = "block_no, header, block_hash, signature, leaf_count, leaf_hashes";

interface BlockRow {
  readonly block_no: bigint;
  readonly header: string;
  readonly block_hash: Buffer;
  readonly signature: Buffer;
  readonly leaf_count: number;
  readonly leaf_hashes: Buffer;
}

function blockOf(row: BlockRow): SealedBlock {
  return {
    blockNo: row.block_no,
    header: row.header,
    blockHash: row.block_hash,
    signature: row.signature,
    leafCount: row.leaf_count,
    leafHashes: row.leaf_hashes,
  };
}

const READ_LAST: Statement = {
  name: "ledger_seal_read_last_block",
  text: `select ${BLOCK_COLUMNS} from seal_block order by block_no desc limit 1`,
};

/** The newest block; null when nothing is sealed yet. */
export async function readLastBlock(tx: Tx): Promise<SealedBlock | null> {
  const [row] = await tx.run<BlockRow>(READ_LAST, []);
  return row === undefined ? null : blockOf(row);
}

const READ_RANGE: Statement = {
  name: "ledger_seal_read_blocks",
  text: `
    select ${BLOCK_COLUMNS} from seal_block
     where block_no >= $1 and ($2::bigint is null or block_no <= $2)
     order by block_no
     limit $3`,
};

/** Blocks by number, ascending. */
export async function readBlocks(
  tx: Tx,
  range: { readonly from: bigint; readonly to: bigint | null; readonly limit: number },
): Promise<SealedBlock[]> {
  return (await tx.run<BlockRow>(READ_RANGE, [range.from, range.to, range.limit])).map(blockOf);
}

const INSERT_BLOCK: Statement = {
  name: "ledger_seal_insert_block",
  isWrite: true,
  text: `
    insert into seal_block (block_no, header, block_hash, signature, leaf_count, leaf_hashes, sealed_at)
    values ($1, $2, $3, $4, $5, $6, $7::timestamptz)`,
};

const INSERT_ITEMS: Statement = {
  name: "ledger_seal_insert_items",
  isWrite: true,
  text: `
    insert into seal_item (block_no, leaf_no, item_key, business_date, salt)
    select $1::bigint, k.ordinal - 1, k.item_key, k.business_date, k.salt
      from unnest($2::text[], $3::date[], $4::bytea[]) with ordinality as k(item_key, business_date, salt, ordinal)
     order by k.ordinal`,
};

/** What a block is made of. */
export interface NewBlock {
  readonly items: readonly ItemRef[];
  readonly key: SigningKey;
  /** UTC, ISO 8601. */
  readonly sealedAt: string;
  /** 32 random bytes for each call. */
  readonly newSalt: () => Buffer;
}

/** Leaves made in one go; then whatever else the process has to do comes first, payments above all. */
const LEAVES_IN_ONE_GO = 32;

/** Puts rows into the next block, in the order given. Under the sealer's lock. */
export async function appendBlock(tx: Tx, { items, key, sealedAt, newSalt }: NewBlock): Promise<SealedBlock> {
  const rows = await readSealedRows(tx, items);
  const before = await readLastBlock(tx);
  const salts = items.map(() => newSalt());
  const hashes: Buffer[] = [];
  for (const [at, { itemKey }] of items.entries()) {
    if (at % LEAVES_IN_ONE_GO === LEAVES_IN_ONE_GO - 1) await setImmediate();
    hashes.push(leafHash(leafOfOnly(itemKey, rows.get(itemKey) ?? [], salts[at] as Buffer).text));
  }
  const blockNo = (before?.blockNo ?? 0n) + 1n;
  const header = headerText({
    ...{ blockNo, sealedAt, leaves: items.length, keyId: key.keyId },
    root: merkleRoot(hashes).toString("hex"),
    previous: before?.blockHash.toString("hex") ?? NO_BLOCK,
  });
  const block: SealedBlock = {
    ...{ blockNo, header, blockHash: hashOfText(header), signature: signText(key.privateKey, header) },
    ...{ leafCount: items.length, leafHashes: Buffer.concat(hashes) },
  };
  const { blockHash, signature, leafHashes } = block;
  await Promise.all([
    tx.run(INSERT_BLOCK, [blockNo, header, blockHash, signature, items.length, leafHashes, sealedAt]),
    tx.run(INSERT_ITEMS, [
      blockNo,
      items.map(({ itemKey }) => itemKey),
      items.map(({ businessDate }) => businessDate),
      salts,
    ]),
  ]);
  return block;
}

function leafOfOnly(itemKey: string, rows: readonly SealedRow[], salt: Buffer): Leaf {
  const [row] = rows;
  if (row === undefined || rows.length > 1) {
    throw new Fault("seal", `${itemKey} was found ${rows.length} times while it was being sealed`);
  }
  return leafOf(row, { kind: "salt", salt });
}
