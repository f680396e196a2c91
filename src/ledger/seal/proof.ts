import { type Disclosed, merklePath, splitHashes } from "../../domain";
import { Fault, type Statement, type Tx } from "../../platform";
import { readBlocks, type SealedBlock } from "./blocks";
import { listCheckpoints } from "./checkpoints";
import { findSealedItems, leafOfItem, type SealedItem } from "./items";
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
    select t.partner_id, p.user_name, 'reply:' || t.partner_id || ':' || t.family || ':' || t.trax_id as reply_key,
           'entry:' || t.entry_id as entry_key,
           array(select 'entry:' || e.entry_id from journal_entry e
                  where t.entry_id is not null and e.reverses_entry_id = t.entry_id)::text[] as reversals
      from partner p
      join trax t on t.partner_id = p.partner_id and t.trax_id = $1
     where $2::text is null or p.user_name = $2
     order by t.partner_id, t.family`,
};

/** As many blocks at most between a payment and its checkpoint. */
const CHAIN_MAX = 100_000;

/**
 * The proof of what is stored under a traxId: its replies, its entries, and entries that take them back.
 *
 * @param userName whose traxId; null when only one partner has used it
 * @throws Fault `not_found`, `ambiguous` (several partners have used it), `not_sealed` (try again in a few seconds)
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
  const missing = keys.filter((key) => !items.some(({ itemKey }) => itemKey === key));
  if (missing.length > 0) {
    throw new Fault("not_sealed", `stored but not sealed yet: ${missing.join(", ")}; the sealer takes a few seconds`);
  }
  return proofOf(tx, { traxId, partnerId: first.partner_id }, items);
}

async function proofOf(
  tx: Tx,
  whose: { readonly traxId: string; readonly partnerId: number },
  items: readonly SealedItem[],
): Promise<Proof> {
  const rows = await readSealedRows(tx, items);
  const blocks = new Map<bigint, SealedBlock>();
  for (const { blockNo } of items) {
    const [block] = blocks.has(blockNo) ? [] : await readBlocks(tx, { from: blockNo, to: blockNo, limit: 1 });
    if (block !== undefined) blocks.set(blockNo, block);
  }
  return {
    format: "biller-proof/1",
    ...whose,
    items: items.map((item) => {
      const [row] = rows.get(item.itemKey) ?? [];
      const block = blocks.get(item.blockNo);
      if (row === undefined || block === undefined) {
        throw new Fault("broken_seal", `${item.itemKey} or its block is gone: run biller ledger verify`);
      }
      const { text, disclosed } = leafOfItem(item, row);
      const path = merklePath(splitHashes(block.leafHashes), item.leafNo);
      return {
        ...{ itemKey: item.itemKey, leaf: text, disclosed, blockNo: item.blockNo.toString(), leafNo: item.leafNo },
        path: path.map((hash) => hash.toString("hex")),
      };
    }),
    chains: await chainsOf(tx, [...blocks.keys()]),
    keys: (await listSealKeys(tx)).map(signedText),
  };
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
    for (let at = from; at <= to; at += 1_000n) {
      const page = await readBlocks(tx, { from: at, to, limit: 1_000 });
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
