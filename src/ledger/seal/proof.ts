import { type Disclosed, merklePath, type SealedRow, splitHashes } from "../../domain";
import { Fault, type Statement, type Tx } from "../../platform";
import { readBlocks, type SealedBlock } from "./blocks";
import { listCheckpoints } from "./checkpoints";
import { assertIntactBlock, assertIntactChain, assertIntactLeaf, brokenSeal } from "./intact";
import { findSealedItems, leafOfItem, rowName, type SealedItem } from "./items";
import { listSealKeys } from "./keys";
import { readSealedRows } from "./rows";

/** A canonical text with its signature, 64 bytes as hex. */
export interface SignedText {
  readonly statement: string;
  readonly signature: string;
}

/** A block's header with its signature, as in proofs and exports. */
export interface SignedHeader {
  readonly header: string;
  readonly signature: string;
}

/** The proof of one payment: what it takes to check it without the database and without us. docs/AUDIT.md has the format. */
export interface Proof {
  readonly format: "biller-proof/1";
  readonly traxId: string;
  readonly partnerId: number;
  readonly items: readonly {
    readonly itemKey: string;
    readonly leaf: string;
    /** Personal fields that are not masked. */
    readonly disclosed: Readonly<Record<string, Disclosed>>;
    readonly blockNo: string;
    readonly leafNo: number;
    /** Hashes beside the way to the root, from the bottom up. */
    readonly path: readonly string[];
  }[];
  /** Blocks without a gap, each run ending at a checkpoint if there is one behind it. */
  readonly chains: readonly { readonly blocks: readonly SignedHeader[]; readonly checkpoint: SignedText | null }[];
  readonly keys: readonly SignedText[];
}

const FIND: Statement = {
  name: "ledger_seal_find_trax",
  text: `
    select p.partner_id, p.user_name, k.reply_key, 'entry:' || t.entry_id as entry_key,
           array(select 'entry:' || e.entry_id from journal_entry e
                  where t.entry_id is not null and e.reverses_entry_id = t.entry_id)::text[] as reversals
      from partner p
     cross join (values ('payment'), ('reversal'), ('manual-payment'), ('manual-reversal')) f(family)
     cross join lateral (select 'reply:' || p.partner_id || ':' || f.family || ':' || $1::text as reply_key) k
      left join trax t on t.partner_id = p.partner_id and t.trax_id = $1 and t.family = f.family
     where ($2::text is null or p.user_name = $2)
       -- What was sealed under it and is gone is told, not passed over.
       and (t.trax_id is not null or exists (select from seal_item s where s.item_key = k.reply_key))
     order by p.partner_id, f.family`,
};

/** As many blocks at most between a payment and its checkpoint. */
const CHAIN_MAX = 100_000;
/** Blocks that are read at once: each brings up to 64 KB of leaf hashes. */
const PAGE = 100n;

/**
 * The proof of what is stored under a traxId: its replies, its entries, and entries that take them back.
 *
 * @param userName whose traxId; null when only one partner has used it
 * @throws Fault `not_found`, `ambiguous` (several partners have used it), `not_sealed` (try again in a few seconds),
 *   `broken_seal` naming the first row or block that is not as it was sealed: what would not be proven is not handed out
 */
export async function buildProof(tx: Tx, traxId: string, userName: string | null): Promise<Proof> {
  const found = await tx.run<{
    partner_id: number;
    user_name: string;
    reply_key: string;
    entry_key: string | null;
    reversals: string[];
  }>(FIND, [traxId, userName]);
  const [first] = found;
  if (first === undefined) throw new Fault("not_found", `nothing is stored under traxId ${JSON.stringify(traxId)}`);
  const partners = new Set(found.map((row) => row.user_name));
  if (partners.size > 1) {
    throw new Fault(
      "ambiguous",
      `traxId ${traxId} was used by several partners, name one: ${[...partners].join(", ")}`,
    );
  }
  const keys = [...new Set(found.flatMap((row) => [row.reply_key, row.entry_key ?? [], row.reversals].flat()))];
  const items = await findSealedItems(tx, keys);
  const proof = await proofOf(tx, { traxId, partnerId: first.partner_id }, items);
  const missing = keys.filter((key) => !items.some(({ itemKey }) => itemKey === key));
  if (missing.length > 0) {
    throw new Fault("not_sealed", `stored but not sealed yet: ${missing.join(", ")}; the sealer takes a few seconds`);
  }
  return proof;
}

async function proofOf(
  tx: Tx,
  whose: { readonly traxId: string; readonly partnerId: number },
  items: readonly SealedItem[],
): Promise<Proof> {
  const keys = await listSealKeys(tx);
  const rows = await readSealedRows(tx, items);
  const blocks = new Map<bigint, SealedBlock>();
  for (const { blockNo } of items) {
    if (blocks.has(blockNo)) continue;
    const [block] = await readBlocks(tx, { from: blockNo, to: blockNo, limit: 1 });
    if (block === undefined) throw brokenSeal(`seal_block ${blockNo}`, "is gone");
    blocks.set(blockNo, block);
  }
  // Blocks first: where a list of hashes was changed, its rows are not to blame.
  for (const block of blocks.values()) assertIntactBlock(block, keys);
  const leaves = items.map((item) => intactLeafOf(item, rows, blocks));
  return {
    format: "biller-proof/1",
    ...whose,
    items: leaves,
    chains: await chainsOf(tx, [...blocks.keys()]),
    keys: keys.map(signedText),
  };
}

function intactLeafOf(
  item: SealedItem,
  rows: ReadonlyMap<string, readonly SealedRow[]>,
  blocks: ReadonlyMap<bigint, SealedBlock>,
): Proof["items"][number] {
  const { itemKey, blockNo, leafNo } = item;
  const [row, second] = rows.get(itemKey) ?? [];
  const block = blocks.get(blockNo) as SealedBlock;
  if (row === undefined)
    throw brokenSeal(rowName(itemKey), `it was sealed, and is gone (block ${blockNo}, leaf ${leafNo})`);
  if (second !== undefined) throw brokenSeal(rowName(itemKey), "it is there more than once");
  const { text, disclosed } = leafOfItem(item, row);
  assertIntactLeaf(item, text, block);
  const path = merklePath(splitHashes(block.leafHashes), leafNo).map((hash) => hash.toString("hex"));
  return { itemKey, leaf: text, disclosed, blockNo: blockNo.toString(), leafNo, path };
}

/** Runs of headers from each block to the nearest checkpoint, those that meet put together. */
async function chainsOf(tx: Tx, blockNos: readonly bigint[]): Promise<Proof["chains"]> {
  const chains: { blocks: SignedHeader[]; checkpoint: SignedText | null }[] = [];
  let covered = 0n;
  for (const from of blockNos.toSorted((a, b) => (a < b ? -1 : 1))) {
    if (from <= covered) continue;
    const [checkpoint] = await listCheckpoints(tx, from, 1);
    const to = checkpoint?.blockNo ?? from;
    if (to - from >= CHAIN_MAX) throw new Fault("proof", `the next checkpoint is ${to - from} blocks away`);
    const blocks: SignedHeader[] = [];
    let before: string | null = null;
    for (let at = from; at <= to; at += PAGE) {
      const end = at + PAGE - 1n < to ? at + PAGE - 1n : to;
      const page = await readBlocks(tx, { from: at, to: end, limit: Number(PAGE) });
      before = assertIntactChain(page, { from: at, to: end, before });
      blocks.push(...page.map(signedHeader));
    }
    chains.push({ blocks, checkpoint: checkpoint === undefined ? null : signedText(checkpoint) });
    covered = to;
  }
  return chains;
}

/** A block as it stands in proofs and exports. */
export function signedHeader(block: SealedBlock): SignedHeader {
  return { header: block.header, signature: block.signature.toString("hex") };
}

/** A key or checkpoint as it stands in proofs and exports. */
export function signedText(signed: { readonly statement: string; readonly signature: Buffer }): SignedText {
  return { statement: signed.statement, signature: signed.signature.toString("hex") };
}
