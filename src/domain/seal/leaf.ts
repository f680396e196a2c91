import { canonicalLines, type CanonicalField, canonicalText } from "./canonical";
import { type Disclosed, type LeafSalt, sealFields } from "./private-field";

/** A journal entry with its postings, as stored. Amounts in whole rupiah; instants in UTC with six fraction digits. */
export interface EntryRow {
  readonly entryId: string;
  readonly kind: string;
  readonly businessDate: string;
  readonly partnerId: number;
  readonly traxId: string;
  readonly productCode: string;
  readonly billKey: string;
  readonly billNumber: string;
  readonly amount: bigint;
  readonly feeAmount: bigint;
  readonly channel: string;
  readonly reversesEntryId: string | null;
  readonly happenedAt: string;
  readonly recordedAt: string;
  /** `line_no account_code side amount`, in order of line_no. */
  readonly postings: readonly string[];
}

/** A row of the registry: what was decided for a traxId, and the very bytes that were answered. */
export interface ReplyRow {
  readonly partnerId: number;
  readonly family: string;
  readonly traxId: string;
  readonly fingerprintHex: string;
  readonly productCode: string;
  readonly billKey: string;
  readonly billNumber: string;
  readonly amount: bigint;
  readonly feeAmount: bigint;
  readonly channel: string;
  readonly outcome: string;
  readonly resultCode: string;
  readonly sysCode: string;
  readonly replyBody: string;
  readonly entryId: string | null;
  readonly businessDate: string;
  readonly receivedAt: string;
  readonly recordedAt: string;
}

/** Something that an operator did. Hashes are SHA-256 as hex. */
export interface ActionRow {
  readonly actionId: string;
  readonly recordedAt: string;
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly beforeHash: string | null;
  readonly afterHash: string | null;
  readonly detail: string;
}

/** A row of any other table that is evidence, or several of them as one digest: what it is made of is declared elsewhere. */
export interface EvidenceRow {
  /** First part of its name among all that are sealed. */
  readonly kind: string;
  /** The rest of it. */
  readonly key: string;
  readonly recordedAt: string;
  /** What anybody may read, in the order in which it is sealed. */
  readonly fields: readonly CanonicalField[];
  /** What is personal or secret, by name: only salted hashes of it are sealed. */
  readonly personal: Readonly<Record<string, string>>;
}

/** Any row that is sealed. */
export type SealedRow =
  | ({ readonly type: "entry" } & EntryRow)
  | ({ readonly type: "reply" } & ReplyRow)
  | ({ readonly type: "action" } & ActionRow)
  | ({ readonly type: "row" } & EvidenceRow);

/** A row as a leaf: its canonical text, and what is needed to check its personal fields. */
export interface Leaf {
  readonly text: string;
  readonly disclosed: Readonly<Record<string, Disclosed>>;
}

/** The name of a row among all that are sealed: `entry:…`, `reply:partner:family:traxId`, `action:…`, `kind:key`. */
export function itemKeyOf(row: SealedRow): string {
  if (row.type === "entry") return `entry:${row.entryId}`;
  if (row.type === "reply") return `reply:${row.partnerId}:${row.family}:${row.traxId}`;
  return row.type === "row" ? `${row.kind}:${row.key}` : `action:${row.actionId}`;
}

/**
 * The personal fields of a row, by the names under which they are sealed: `bill` (whose number may be a telephone number,
 * and whose fingerprint would give it away to whoever tries all), `reply` (whose bit61 holds names), `detail`.
 */
export function privateValuesOf(row: SealedRow): Readonly<Record<string, string>> {
  if (row.type === "action") return { detail: row.detail };
  if (row.type === "row") return row.personal;
  const bill: CanonicalField[] = [
    ["billKey", row.billKey],
    ["billNumber", row.billNumber],
  ];
  if (row.type === "entry") return { bill: canonicalLines(bill) };
  return { bill: canonicalLines([...bill, ["fingerprint", row.fingerprintHex]]), reply: row.replyBody };
}

/** The canonical form of a row, version 1. Any change of it is a new version, with the old one still understood. */
export function leafOf(row: SealedRow, salt: LeafSalt): Leaf {
  const { commitments, disclosed } = sealFields(privateValuesOf(row), salt);
  const sealed: CanonicalField[] = [...commitments].map(([field, commitment]) => [field, commitment]);
  return { text: canonicalText(`biller/${row.type}/1`, [...openFieldsOf(row), ...sealed]), disclosed };
}

function openFieldsOf(row: SealedRow): CanonicalField[] {
  if (row.type === "entry") return entryFields(row);
  if (row.type === "row") {
    return [["evidence", row.kind], ["key", row.key], ["recordedAt", row.recordedAt], ...row.fields];
  }
  return row.type === "reply" ? replyFields(row) : actionFields(row);
}

function entryFields(row: EntryRow): CanonicalField[] {
  return [
    ["entryId", row.entryId],
    ["kind", row.kind],
    ["businessDate", row.businessDate],
    ["partnerId", String(row.partnerId)],
    ["traxId", row.traxId],
    ["productCode", row.productCode],
    ["amount", row.amount.toString()],
    ["feeAmount", row.feeAmount.toString()],
    ["channel", row.channel],
    ["reversesEntryId", row.reversesEntryId],
    ["happenedAt", row.happenedAt],
    ["recordedAt", row.recordedAt],
    ...row.postings.map((posting): CanonicalField => ["posting", posting]),
  ];
}

function replyFields(row: ReplyRow): CanonicalField[] {
  return [
    ["partnerId", String(row.partnerId)],
    ["family", row.family],
    ["traxId", row.traxId],
    ["productCode", row.productCode],
    ["amount", row.amount.toString()],
    ["feeAmount", row.feeAmount.toString()],
    ["channel", row.channel],
    ["outcome", row.outcome],
    ["resultCode", row.resultCode],
    ["sysCode", row.sysCode],
    ["entryId", row.entryId],
    ["businessDate", row.businessDate],
    ["receivedAt", row.receivedAt],
    ["recordedAt", row.recordedAt],
  ];
}

function actionFields(row: ActionRow): CanonicalField[] {
  return [
    ["actionId", row.actionId],
    ["recordedAt", row.recordedAt],
    ["actor", row.actor],
    ["action", row.action],
    ["object", row.object],
    ["beforeHash", row.beforeHash],
    ["afterHash", row.afterHash],
  ];
}
