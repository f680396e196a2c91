import { hashOfText, isSignedBy, leafHash, merkleRoot, NO_BLOCK, parseHeader, splitHashes } from "../../domain";
import { Fault } from "../../platform";
import type { SealedBlock } from "./blocks";
import { rowName, type SealedItem } from "./items";
import type { SealKey } from "./keys";

/**
 * A block whose header, hash, signature and list of leaf hashes belong together.
 *
 * @throws Fault `broken_seal` naming the block and what is wrong with it
 */
export function assertIntactBlock(block: SealedBlock, keys: readonly SealKey[]): void {
  const header = parseHeader(block.header);
  const key = keys.find(({ keyId }) => keyId === header?.keyId);
  const list = splitHashes(block.leafHashes);
  const wrong = (what: string): Fault => brokenSeal(`seal_block ${block.blockNo}`, what);
  if (header === null || header.blockNo !== block.blockNo) throw wrong("its header is not that of this block");
  if (!hashOfText(block.header).equals(block.blockHash)) throw wrong("its hash is not that of its header");
  if (key === undefined || !isSignedBy(key.publicKey, block.header, block.signature)) {
    throw wrong("it is not signed by a key of ours");
  }
  if (list.length !== header.leaves || merkleRoot(list).toString("hex") !== header.root) {
    throw wrong("its list of leaf hashes is not what was signed");
  }
}

/**
 * A row that is what was sealed, in a block that is intact.
 *
 * @param text the canonical text of the row as it is now
 * @throws Fault `broken_seal` naming the row
 */
export function assertIntactLeaf({ itemKey, blockNo, leafNo }: SealedItem, text: string, block: SealedBlock): void {
  const wanted = splitHashes(block.leafHashes)[leafNo];
  const place = `(block ${blockNo}, leaf ${leafNo})`;
  if (wanted === undefined) throw brokenSeal(rowName(itemKey), `the block does not hold it ${place}`);
  if (!leafHash(text).equals(wanted)) throw brokenSeal(rowName(itemKey), `it is not what was sealed ${place}`);
}

/**
 * Blocks without a gap, each of which names the hash of the one before it.
 *
 * @param before hash of the block before `from`; null when that is not known
 * @returns the hash of the last one
 * @throws Fault `broken_seal` naming the first block that does not
 */
export function assertIntactChain(
  blocks: readonly SealedBlock[],
  { from, to, before }: { readonly from: bigint; readonly to: bigint; readonly before: string | null },
): string | null {
  let previous = from === 1n ? NO_BLOCK : before;
  for (let blockNo = from; blockNo <= to; blockNo += 1n) {
    const block = blocks[Number(blockNo - from)];
    if (block?.blockNo !== blockNo) throw brokenSeal(`seal_block ${blockNo}`, "is gone");
    if (previous !== null && parseHeader(block.header)?.previous !== previous) {
      throw brokenSeal(`seal_block ${blockNo}`, "it does not follow the block before it");
    }
    previous = hashOfText(block.header).toString("hex");
  }
  return previous;
}

/** What is not as it was sealed, for whoever wanted it proven. */
export function brokenSeal(row: string, what: string): Fault {
  return new Fault("broken_seal", `${row}: ${what}. There is no proof of it; biller ledger verify tells more`);
}
