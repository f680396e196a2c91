import { canonicalText, type CanonicalField, type CanonicalRecord, fieldOf, parseCanonical } from "./canonical";

/** The hash before the first block. */
export const NO_BLOCK = "0".repeat(64);

/** The head of a block, which is what gets signed. Hashes as hex; the instant in UTC. */
export interface BlockHeader {
  readonly blockNo: bigint;
  readonly sealedAt: string;
  readonly leaves: number;
  readonly root: string;
  /** Hash of the block before, `NO_BLOCK` for the first. */
  readonly previous: string;
  readonly keyId: string;
}

/** A header's canonical text. The block's hash is the SHA-256 of it. */
export function headerText(header: BlockHeader): string {
  return canonicalText("biller/block/1", [
    ["blockNo", header.blockNo.toString()],
    ["sealedAt", header.sealedAt],
    ["leaves", String(header.leaves)],
    ["root", header.root],
    ["previous", header.previous],
    ["keyId", header.keyId],
  ]);
}

/** Reads a header's text back; null when it is not exactly one. */
export function parseHeader(text: string): BlockHeader | null {
  const record = recordOf(text, "biller/block/1");
  if (record === null) return null;
  const number = fieldOf(record, "blockNo") ?? "";
  const leaves = fieldOf(record, "leaves") ?? "";
  if (!/^[1-9][0-9]{0,17}$/.test(number) || !/^[1-9][0-9]{0,8}$/.test(leaves)) return null;
  const header: BlockHeader = {
    blockNo: BigInt(number),
    sealedAt: fieldOf(record, "sealedAt") ?? "",
    leaves: Number(leaves),
    root: fieldOf(record, "root") ?? "",
    previous: fieldOf(record, "previous") ?? "",
    keyId: fieldOf(record, "keyId") ?? "",
  };
  return headerText(header) === text ? header : null;
}

/** What leaves the database from time to time: where the chain stood. */
export interface Checkpoint {
  readonly blockNo: bigint;
  /** Hex. */
  readonly blockHash: string;
  readonly madeAt: string;
  readonly keyId: string;
}

/** A checkpoint's canonical text. */
export function checkpointText(checkpoint: Checkpoint): string {
  return canonicalText("biller/checkpoint/1", [
    ["blockNo", checkpoint.blockNo.toString()],
    ["blockHash", checkpoint.blockHash],
    ["madeAt", checkpoint.madeAt],
    ["keyId", checkpoint.keyId],
  ]);
}

/** Reads a checkpoint's text back; null when it is not exactly one. */
export function parseCheckpoint(text: string): Checkpoint | null {
  const record = recordOf(text, "biller/checkpoint/1");
  const number = record === null ? "" : (fieldOf(record, "blockNo") ?? "");
  if (record === null || !/^[1-9][0-9]{0,17}$/.test(number)) return null;
  const checkpoint: Checkpoint = {
    blockNo: BigInt(number),
    blockHash: fieldOf(record, "blockHash") ?? "",
    madeAt: fieldOf(record, "madeAt") ?? "",
    keyId: fieldOf(record, "keyId") ?? "",
  };
  return checkpointText(checkpoint) === text ? checkpoint : null;
}

/** What introduces a signing key. The key before signs it; the first one signs itself. */
export interface KeyStatement {
  readonly keyId: string;
  /** Counts from 1. */
  readonly keyNo: number;
  /** 32 bytes as hex. */
  readonly publicKey: string;
  readonly previousKeyId: string | null;
  readonly createdAt: string;
}

/** A key statement's canonical text. */
export function keyStatementText(statement: KeyStatement): string {
  const fields: CanonicalField[] = [
    ["keyId", statement.keyId],
    ["keyNo", String(statement.keyNo)],
    ["publicKey", statement.publicKey],
    ["previousKeyId", statement.previousKeyId],
    ["createdAt", statement.createdAt],
  ];
  return canonicalText("biller/key/1", fields);
}

/** Reads a key statement's text back; null when it is not exactly one. */
export function parseKeyStatement(text: string): KeyStatement | null {
  const record = recordOf(text, "biller/key/1");
  const number = record === null ? "" : (fieldOf(record, "keyNo") ?? "");
  if (record === null || !/^[1-9][0-9]{0,5}$/.test(number)) return null;
  const statement: KeyStatement = {
    keyId: fieldOf(record, "keyId") ?? "",
    keyNo: Number(number),
    publicKey: fieldOf(record, "publicKey") ?? "",
    previousKeyId: fieldOf(record, "previousKeyId"),
    createdAt: fieldOf(record, "createdAt") ?? "",
  };
  return keyStatementText(statement) === text && /^[0-9a-f]{64}$/.test(statement.publicKey) ? statement : null;
}

function recordOf(text: string, title: string): CanonicalRecord | null {
  const record = parseCanonical(text);
  return record?.title === title ? record : null;
}
