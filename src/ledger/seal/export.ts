import { Fault, type Tx } from "../../platform";
import { splitHashes } from "../../domain";
import { readBlocks, type SealedBlock } from "./blocks";
import { isExpired } from "./expired";
import { listCheckpoints } from "./checkpoints";
import { leafOfItem, readItemsOfBlock } from "./items";
import { listSealKeys } from "./keys";
import { signedHeader, signedText } from "./proof";
import { readSealedRows } from "./rows";

const BLOCKS_AT_ONCE = 16;

/**
 * Everything that is sealed, as lines of JSON: head, keys, then block by block its header, its leaves and its checkpoint,
 * and an end with counts. docs/AUDIT.md has the format; `verify/verify.mjs` checks it. Memory does not grow with the length.
 *
 * @throws Fault `broken_seal` naming the first row that cannot be exported as it was sealed
 */
export async function* exportSealed(
  tx: Tx,
  range: { readonly from: bigint; readonly to: bigint | null },
): AsyncGenerator<string> {
  yield line({ type: "head", format: "biller-export/1", fromBlock: range.from.toString() });
  for (const key of await listSealKeys(tx)) yield line({ type: "key", ...signedText(key) });
  let blocks = 0;
  let leaves = 0;
  let next = range.from;
  let checkpoints = await listCheckpoints(tx, next, 1_000);
  for (;;) {
    const page = await readBlocks(tx, { from: next, to: range.to, limit: BLOCKS_AT_ONCE });
    if (page.length === 0) break;
    for (const block of page) {
      yield line({ type: "block", ...signedHeader(block) });
      for await (const leaf of leavesOf(tx, block)) yield leaf;
      while (checkpoints[0] !== undefined && checkpoints[0].blockNo <= block.blockNo) {
        if (checkpoints[0].blockNo === block.blockNo) yield line({ type: "checkpoint", ...signedText(checkpoints[0]) });
        checkpoints =
          checkpoints.length > 1 ? checkpoints.slice(1) : await listCheckpoints(tx, block.blockNo + 1n, 1_000);
      }
      blocks += 1;
      leaves += block.leafCount;
      next = block.blockNo + 1n;
    }
  }
  yield line({ type: "end", blocks, leaves });
}

async function* leavesOf(tx: Tx, { blockNo, leafHashes }: SealedBlock): AsyncGenerator<string> {
  const list = splitHashes(leafHashes);
  const items = await readItemsOfBlock(tx, blockNo);
  const rows = await readSealedRows(tx, items);
  for (const item of items) {
    const [row] = rows.get(item.itemKey) ?? [];
    if (row === undefined && (await isExpired(tx, item.itemKey))) {
      yield line({ type: "leaf", itemKey: item.itemKey, hash: list[item.leafNo]?.toString("hex") });
      continue;
    }
    if (row === undefined) throw new Fault("broken_seal", `${item.itemKey} of block ${blockNo} is gone`);
    const { text, disclosed } = leafOfItem(item, row);
    yield line({ type: "leaf", leaf: text, disclosed });
  }
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
