import {
  type KeptField,
  type Leaf,
  leafOf,
  type LeafSalt,
  maskFields,
  privateValuesOf,
  type SealedRow,
} from "../../domain";
import { Fault, type Statement, type Tx } from "../../platform";
import { evidenceKindOf } from "./evidence-rows";
import { type ItemRef, readSealedRows } from "./rows";

/** Which row is which leaf. */
export interface SealedItem extends ItemRef {
  readonly blockNo: bigint;
  readonly leafNo: number;
  readonly salt: LeafSalt;
  /** The action that asked for masking; null while nothing is masked. */
  readonly maskedBy: string | null;
}

/** The word of the operator action that masking is done under; a row without a salt needs one. */
export const MASK_ACTION = "personal-data.mask";

const COLUMNS = "block_no, leaf_no, item_key, business_date, salt, kept, masked_by";

interface Row {
  readonly block_no: bigint;
  readonly leaf_no: number;
  readonly item_key: string;
  readonly business_date: string | null;
  readonly salt: Buffer | null;
  readonly kept: Record<string, KeptField> | null;
  readonly masked_by: string | null;
}

function itemOf(row: Row): SealedItem {
  return {
    blockNo: row.block_no,
    leafNo: row.leaf_no,
    itemKey: row.item_key,
    businessDate: row.business_date,
    salt: row.salt === null ? { kind: "masked", kept: row.kept ?? {} } : { kind: "salt", salt: row.salt },
    maskedBy: row.masked_by,
  };
}

const READ_OF_BLOCK: Statement = {
  name: "ledger_seal_items_of_block",
  text: `select ${COLUMNS} from seal_item where block_no = $1 order by leaf_no`,
};

/** The items of one block, by leaf number. */
export async function readItemsOfBlock(tx: Tx, blockNo: bigint): Promise<SealedItem[]> {
  return (await tx.run<Row>(READ_OF_BLOCK, [blockNo])).map(itemOf);
}

const READ_BY_KEY: Statement = {
  name: "ledger_seal_items_by_key",
  text: `select ${COLUMNS} from seal_item where item_key = any($1::text[]) order by block_no, leaf_no`,
};

/** Where rows are sealed; those that are in no block are not in the answer. */
export async function findSealedItems(tx: Tx, itemKeys: readonly string[]): Promise<SealedItem[]> {
  return (await tx.run<Row>(READ_BY_KEY, [itemKeys])).map(itemOf);
}

/** A row as people look for it: `journal_entry <id> or its postings`, `trax <partner> <family> <traxId>`, … */
export function rowName(itemKey: string): string {
  const [type = "", ...rest] = itemKey.split(":");
  if (type === "entry") return `journal_entry ${rest.join(":")} or its postings`;
  if (type === "action") return `operator_action ${rest.join(":")}`;
  const evidence = evidenceKindOf(itemKey);
  if (evidence !== null) return `${evidence.called} ${rest.join(":")}`;
  if (type !== "reply") return itemKey;
  return `trax (${rest[0]}, ${rest.slice(2).join(":")}, ${rest[1]})`;
}

/** A leaf as it was sealed, from its row as it is now. */
export function leafOfItem(item: SealedItem, row: SealedRow): Leaf {
  return leafOf(row, item.salt);
}

const MASK: Statement = {
  name: "ledger_seal_mask_item",
  isWrite: true,
  text: `update seal_item set salt = null, kept = $2::jsonb, masked_by = $3 where item_key = $1`,
};

/**
 * Takes away what ties personal fields to their seals, while the values are still in the row; whoever calls this removes
 * the values afterwards, in the same transaction. The seals stay valid: of a masked field the commitment is kept. Needs the
 * owner's role.
 *
 * @param fields names as in `privateValuesOf`
 * @param actionId the operator action `MASK_ACTION` under which it is done
 * @throws Fault `not_sealed` when the row is in no block, or is not there
 */
export async function maskSealedItem(
  tx: Tx,
  itemKey: string,
  fields: readonly string[],
  actionId: string,
): Promise<void> {
  const [item] = await findSealedItems(tx, [itemKey]);
  const [row] = item === undefined ? [] : ((await readSealedRows(tx, [item])).get(itemKey) ?? []);
  if (item === undefined || row === undefined) throw new Fault("not_sealed", `${itemKey} is not sealed yet`);
  await tx.run(MASK, [itemKey, JSON.stringify(maskFields(privateValuesOf(row), item.salt, fields)), actionId]);
}
