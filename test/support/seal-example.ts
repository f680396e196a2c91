import {
  checkpointText,
  hashOfText,
  headerText,
  keyIdOf,
  keyStatementText,
  leafHash,
  leafOf,
  merkleRoot,
  NO_BLOCK,
  privateKeyOf,
  publicBytesOf,
  type SealedRow,
  signText,
} from "../../src/domain";

/** The worked example of docs/AUDIT.md: everything in it follows from these values. */
export function workedExample(): Readonly<Record<string, string>> {
  const privateKey = privateKeyOf(Buffer.alloc(32, 1));
  const publicKey = publicBytesOf(privateKey);
  const keyId = keyIdOf(publicKey);
  const action: SealedRow = {
    ...{ type: "action", actionId: "00000000-0000-4000-8000-000000000001", recordedAt: "2026-01-02T03:04:05.000006Z" },
    ...{ actor: "cli:ani@host", action: "product.load", object: "product:001001", beforeHash: null },
    ...{ afterHash: "ab".repeat(32), detail: "Tagihan é" },
  };
  const leaf = leafOf(action, { kind: "salt", salt: Buffer.alloc(32, 2) });
  const other = leafOf({ ...action, object: "product:020013" }, { kind: "salt", salt: Buffer.alloc(32, 3) });
  const hashes = [leafHash(leaf.text), leafHash(other.text)];
  const root = merkleRoot(hashes).toString("hex");
  const header = headerText({
    ...{ blockNo: 1n, sealedAt: "2026-01-02T03:04:06.000000Z", leaves: 2, root, previous: NO_BLOCK, keyId },
  });
  const blockHash = hashOfText(header).toString("hex");
  const statement = keyStatementText({
    ...{ keyId, keyNo: 1, publicKey: publicKey.toString("hex"), previousKeyId: null },
    createdAt: "2026-01-01T00:00:00.000Z",
  });
  const checkpoint = checkpointText({ blockNo: 1n, blockHash, madeAt: "2026-01-02T03:05:00.000Z", keyId });
  return {
    leaf: leaf.text,
    detailSalt: leaf.disclosed["detail"]?.salt ?? "",
    leafHash: (hashes[0] as Buffer).toString("hex"),
    beside: (hashes[1] as Buffer).toString("hex"),
    root,
    header,
    headerSignature: signText(privateKey, header).toString("hex"),
    blockHash,
    statement,
    statementSignature: signText(privateKey, statement).toString("hex"),
    checkpoint,
    checkpointSignature: signText(privateKey, checkpoint).toString("hex"),
  };
}
