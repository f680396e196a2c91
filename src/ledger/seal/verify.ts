import {
  hashOfText,
  isSignedBy,
  leafHash,
  merkleRoot,
  NO_BLOCK,
  parseCheckpoint,
  parseHeader,
  type SealedRow,
  splitHashes,
} from "../../domain";
import type { Tx } from "../../platform";
import { readBrokenReceivables } from "../receivables";
import { readBlocks, type SealedBlock } from "./blocks";
import { type AcceptedRollback, listAcceptedRollbacks } from "./chain-watch";
import { listCheckpoints, type StoredCheckpoint } from "./checkpoints";
import { isExpired } from "./expired";
import { leafOfItem, MASK_ACTION, readItemsOfBlock, rowName, type SealedItem } from "./items";
import { faultOfKeys, listSealKeys, type SealKey } from "./keys";
import { readSealedRows } from "./rows";
import { findStrays } from "./strays";
import { findContradictions } from "../recomputed";
import { findWrongTotals } from "./totals";

/** Something that is not as it was sealed. */
export interface Finding {
  /** The row: its table and its key. */
  readonly row: string;
  readonly blockNo: bigint | null;
  readonly what: string;
}

/** What verifying found. */
export interface Verdict {
  readonly blocks: bigint;
  readonly leaves: number;
  readonly masked: number;
  /** Minutes of attempts that were kept as long as the retention setting says, and are gone. */
  readonly expired: number;
  /** Rows that were sealed after rows of their kind that are more than an hour younger: see `lateRows`. */
  readonly late: number;
  /** Their names, no more than `FINDINGS_MAX`: somebody put them in later, or the database's clock was set back. */
  readonly lateRows: readonly string[];
  readonly checkpoints: number;
  readonly keyIds: readonly string[];
  /** Blocks that are lost, and that somebody has accepted as lost. */
  readonly rollbacks: readonly AcceptedRollback[];
  /** The first bad row comes first; no more than `FINDINGS_MAX`. Empty: everything is as it was sealed. */
  readonly findings: readonly Finding[];
}

/** What to verify, and against what. */
export interface VerifyOptions {
  /** Checkpoints that were kept outside of the database. */
  readonly outside?: readonly StoredCheckpoint[];
  /** A key that is known to be ours; without it any line of keys is believed that holds together. */
  readonly trustedKeyId?: string | null;
  readonly onBlock?: (blockNo: bigint, leaves: number) => void;
}

/** After so many findings there is nothing more to learn from the next one. */
export const FINDINGS_MAX = 100;
const BLOCKS_AT_ONCE = 16;
const LATE_MS = 3_600_000;

interface Work {
  readonly tx: Tx;
  readonly keys: ReadonlyMap<string, SealKey>;
  readonly findings: Finding[];
  leaves: number;
  masked: number;
  expired: number;
  late: number;
  readonly lateRows: string[];
  /** The youngest row of each kind that is in an earlier block: when it was recorded, milliseconds since the epoch. */
  readonly youngest: Map<string, number>;
  /** Of the block before. */
  hash: string;
  keyNo: number;
  readonly hashes: Map<bigint, string>;
}

/**
 * Checks every block against the rows as they are now, then what is in no block, the checkpoints, the totals, and the law of
 * receivables.
 */
export async function verifySeals(tx: Tx, options: VerifyOptions = {}): Promise<Verdict> {
  const keys = await listSealKeys(tx);
  const work: Work = {
    tx,
    findings: [],
    leaves: 0,
    masked: 0,
    expired: 0,
    late: 0,
    lateRows: [],
    youngest: new Map(),
    hash: NO_BLOCK,
    keyNo: 0,
    hashes: new Map(),
    keys: new Map(keys.map((key) => [key.keyId, key])),
  };
  const wrongKey = faultOfKeys(keys);
  if (wrongKey !== null) report(work, `seal_key ${wrongKey.keyId}`, null, wrongKey.fault);
  const { trustedKeyId = null } = options;
  if (trustedKeyId !== null && !work.keys.has(trustedKeyId)) {
    report(work, `seal_key ${trustedKeyId}`, null, "the key that is trusted is not among the keys");
  }

  const stored = await allCheckpoints(tx);
  const wanted = new Set([...stored, ...(options.outside ?? [])].map(({ blockNo }) => blockNo));
  let expected = 1n;
  for (;;) {
    const page = await readBlocks(tx, { from: expected, to: null, limit: BLOCKS_AT_ONCE });
    if (page.length === 0 || work.findings.length >= FINDINGS_MAX) break;
    for (const block of page) {
      if (block.blockNo !== expected) report(work, `seal_block ${expected}`, expected, "is gone");
      await verifyBlock(work, block);
      if (wanted.has(block.blockNo)) work.hashes.set(block.blockNo, work.hash);
      options.onBlock?.(block.blockNo, work.leaves);
      expected = block.blockNo + 1n;
    }
  }
  for (const stray of await findStrays(tx, FINDINGS_MAX)) report(work, stray.row, null, stray.what);
  for (const checkpoint of stored) verifyCheckpoint(work, checkpoint, "seal_checkpoint", expected);
  for (const checkpoint of options.outside ?? []) verifyCheckpoint(work, checkpoint, "outside checkpoint", expected);
  for (const { row, what } of await findContradictions(tx, FINDINGS_MAX)) report(work, row, null, what);
  for (const { row, what } of await findWrongTotals(tx, FINDINGS_MAX)) report(work, row, null, what);
  for (const { entryId, what } of await readBrokenReceivables(tx, FINDINGS_MAX)) {
    report(work, `receivable ${entryId}`, null, what);
  }
  return {
    blocks: expected - 1n,
    leaves: work.leaves,
    masked: work.masked,
    expired: work.expired,
    late: work.late,
    lateRows: work.lateRows,
    checkpoints: stored.length + (options.outside ?? []).length,
    rollbacks: await listAcceptedRollbacks(tx),
    keyIds: keys.map(({ keyId }) => keyId),
    findings: work.findings.slice(0, FINDINGS_MAX),
  };
}

function report(work: Work, row: string, blockNo: bigint | null, what: string): void {
  work.findings.push({ row, blockNo, what });
}

async function verifyBlock(work: Work, block: SealedBlock): Promise<void> {
  const wrong = (what: string): void => report(work, `seal_block ${block.blockNo}`, block.blockNo, what);
  const header = parseHeader(block.header);
  const hash = hashOfText(block.header);
  if (header === null) wrong("its header is not canonical");
  else {
    const key = work.keys.get(header.keyId);
    if (header.blockNo !== block.blockNo) wrong(`its header is that of block ${header.blockNo}`);
    if (header.previous !== work.hash) wrong("it does not follow the block before it");
    if (!hash.equals(block.blockHash)) wrong("its hash is not that of its header");
    if (key === undefined) wrong(`it is signed by ${header.keyId}, which is no key of ours`);
    else if (!isSignedBy(key.publicKey, block.header, block.signature)) wrong("its signature is wrong");
    else if (key.keyNo < work.keyNo) wrong(`it is signed by ${header.keyId}, which had been replaced by then`);
    work.keyNo = Math.max(work.keyNo, key?.keyNo ?? 0);
    if (header.leaves !== block.leafCount)
      wrong(`it has ${block.leafCount} leaves and was sealed with ${header.leaves}`);
    await verifyLeaves(work, block, header.root);
  }
  work.hash = hash.toString("hex");
}

async function verifyLeaves(work: Work, block: SealedBlock, root: string): Promise<void> {
  const { tx } = work;
  const { blockNo } = block;
  const list = splitHashes(block.leafHashes);
  const isListWhole = list.length > 0 && merkleRoot(list).toString("hex") === root;
  const items = await readItemsOfBlock(tx, blockNo);
  const rows = await readSealedRows(tx, items);
  const byLeaf = new Map(items.map((item) => [item.leafNo, item]));
  const before = work.findings.length;
  const hashes: Buffer[] = [];
  for (const [leafNo, wanted] of list.entries()) {
    const item = byLeaf.get(leafNo);
    work.leaves += 1;
    if (item === undefined) {
      report(work, `seal_item (${blockNo}, ${leafNo})`, blockNo, "is gone");
      continue;
    }
    const { what, hash } = await leafFault(work, item, rows.get(item.itemKey) ?? [], wanted);
    if (hash !== null) hashes.push(hash);
    if (what !== null) report(work, rowName(item.itemKey), blockNo, `${what} (block ${blockNo}, leaf ${leafNo})`);
  }
  for (const item of items) {
    if (item.leafNo >= list.length)
      report(work, rowName(item.itemKey), blockNo, "it is listed in a block that does not hold it");
  }
  if (isListWhole) return;
  if (hashes.length > 0 && hashes.length === list.length && merkleRoot(hashes).toString("hex") === root) {
    // Every row is what was signed; then those findings were about the list.
    work.findings.splice(before);
    report(
      work,
      `seal_block ${blockNo}`,
      blockNo,
      "its list of leaf hashes was changed; the rows are as they were sealed",
    );
  } else if (work.findings.length === before) {
    const [first, last] = [byLeaf.get(0), byLeaf.get(list.length - 1)];
    const span = `${rowName(first?.itemKey ?? "?")} to ${rowName(last?.itemKey ?? "?")}`;
    report(
      work,
      `seal_block ${blockNo}`,
      blockNo,
      `its root is not that of its leaves; a row was changed with its hash: ${span}`,
    );
  } else {
    report(work, `seal_block ${blockNo}`, blockNo, "its list of leaf hashes was changed too");
  }
}

async function leafFault(
  work: Work,
  item: SealedItem,
  rows: readonly SealedRow[],
  wanted: Buffer,
): Promise<{ readonly what: string | null; readonly hash: Buffer | null }> {
  const [row] = rows;
  if (row === undefined) {
    if (!(await isExpired(work.tx, item.itemKey))) return { what: "it was sealed, and is gone", hash: null };
    work.expired += 1;
    return { what: null, hash: wanted };
  }
  const hash = leafHash(leafOfItem(item, row).text);
  if (rows.length > 1) return { what: `it is there ${rows.length} times`, hash };
  if (item.salt.kind === "masked") {
    work.masked += 1;
    if (!(await isMaskingKnown(work, item))) return { what: "its salt is gone, and no action says why", hash };
  }
  noteAge(work, item.itemKey, row.recordedAt);
  return { what: hash.equals(wanted) ? null : "it is not what was sealed", hash };
}

/** Blocks hold the rows of a kind in the order of recording, but for what was still on its way: that is minutes, not hours. */
function noteAge(work: Work, itemKey: string, recordedAt: string): void {
  const kind = itemKey.slice(0, itemKey.indexOf(":"));
  const at = Date.parse(recordedAt);
  const youngest = work.youngest.get(kind);
  if (youngest === undefined || at > youngest) work.youngest.set(kind, at);
  else if (youngest - at > LATE_MS) {
    work.late += 1;
    if (work.lateRows.length < FINDINGS_MAX) work.lateRows.push(rowName(itemKey));
  }
}

/** The action has to be there under its word; whether it is what was sealed is checked with its own block. */
async function isMaskingKnown({ tx }: Work, { maskedBy }: SealedItem): Promise<boolean> {
  const itemKey = `action:${maskedBy}`;
  const [row] =
    maskedBy === null ? [] : ((await readSealedRows(tx, [{ itemKey, businessDate: null }])).get(itemKey) ?? []);
  return row?.type === "action" && row.action === MASK_ACTION;
}

function verifyCheckpoint(work: Work, stored: StoredCheckpoint, name: string, next: bigint): void {
  const wrong = (what: string): void => report(work, `${name} of block ${stored.blockNo}`, stored.blockNo, what);
  const checkpoint = parseCheckpoint(stored.statement);
  if (checkpoint === null || checkpoint.blockNo !== stored.blockNo) {
    wrong("its statement is not canonical");
    return;
  }
  const key = work.keys.get(checkpoint.keyId);
  const hash = work.hashes.get(checkpoint.blockNo);
  if (hash === undefined) wrong(`there is no such block: the chain ends at ${next - 1n}`);
  else if (hash !== checkpoint.blockHash) wrong("the chain has another block there: it was written anew");
  if (key === undefined) wrong(`it is signed by ${checkpoint.keyId}, which is no key of ours`);
  else if (!isSignedBy(key.publicKey, stored.statement, stored.signature)) wrong("its signature is wrong");
}

async function allCheckpoints(tx: Tx): Promise<StoredCheckpoint[]> {
  const all: StoredCheckpoint[] = [];
  for (;;) {
    const page = await listCheckpoints(tx, (all.at(-1)?.blockNo ?? 0n) + 1n, 5_000);
    all.push(...page);
    if (page.length < 5_000) return all;
  }
}
