import {
  isSignedBy,
  keyIdOf,
  type KeyStatement,
  keyStatementText,
  parseKeyStatement,
  privateKeyOf,
  publicBytesOf,
  type SigningKey,
  signText,
} from "../../domain";
import { Fault, type SecretBox, type Statement, type Tx } from "../../platform";

/** A public signing key with what introduces it. */
export interface SealKey {
  readonly keyId: string;
  readonly keyNo: number;
  readonly publicKey: Buffer;
  readonly statement: string;
  readonly signature: Buffer;
  readonly createdAt: Date;
}

const LIST: Statement = {
  name: "ledger_seal_list_keys",
  text: `select key_id, key_no, public_key, statement, signature, created_at from seal_key order by key_no`,
};

/** Every signing key, the first one first; public halves only. */
export async function listSealKeys(tx: Tx): Promise<SealKey[]> {
  const rows = await tx.run<{
    key_id: string;
    key_no: number;
    public_key: Buffer;
    statement: string;
    signature: Buffer;
    created_at: Date;
  }>(LIST, []);
  return rows.map((row) => ({
    keyId: row.key_id,
    keyNo: row.key_no,
    publicKey: row.public_key,
    statement: row.statement,
    signature: row.signature,
    createdAt: row.created_at,
  }));
}

const READ_ACTIVE: Statement = {
  name: "ledger_seal_read_active_key",
  text: `
    select key_id, key_no, secret_key_id, nonce, ciphertext
      from seal_key
     where key_no > $1
     order by key_no desc
     limit 1`,
};

/**
 * The key that signs now, opened; null when there is none newer than `afterKeyNo`.
 *
 * @throws Fault `secret_unreadable` when the key ring does not open it
 */
export async function readSigningKey(tx: Tx, secrets: SecretBox, afterKeyNo = 0): Promise<SigningKey | null> {
  const [row] = await tx.run<{
    key_id: string;
    key_no: number;
    secret_key_id: string;
    nonce: Buffer;
    ciphertext: Buffer;
  }>(READ_ACTIVE, [afterKeyNo]);
  if (row === undefined) return null;
  const { key_id: keyId, secret_key_id, nonce, ciphertext } = row;
  const seed = Buffer.from(secrets.open({ keyId: secret_key_id, nonce, ciphertext }, identityOf(keyId)), "base64");
  const privateKey = privateKeyOf(seed);
  if (keyIdOf(publicBytesOf(privateKey)) !== keyId) {
    throw new Fault("seal_key", `the stored key ${keyId} is another one than its name says`);
  }
  return { keyId, keyNo: row.key_no, privateKey };
}

/** The row identity that a key's ciphertext is bound to. */
function identityOf(keyId: string): string {
  return `seal key ${keyId}`;
}

const INSERT: Statement = {
  name: "ledger_seal_insert_key",
  isWrite: true,
  text: `
    insert into seal_key (key_id, key_no, public_key, statement, signature, secret_key_id, nonce, ciphertext)
    values ($1, $2, $3, $4, $5, $6, $7, $8)`,
};

/** Two that make a key at the same time would both follow the same one. */
const LOCK_KEYS: Statement = {
  name: "ledger_seal_lock_keys",
  isWrite: true,
  text: `lock table seal_key in share row exclusive mode`,
};

/**
 * Makes the next signing key: from the next block on it signs. It is introduced by the key before, which has to open; the
 * first one introduces itself, and has to be handed to auditors by a way that they trust. Needs the owner's role.
 *
 * @param seed 32 random bytes
 * @param createdAt UTC, ISO 8601
 */
export async function addSealKey(tx: Tx, secrets: SecretBox, seed: Buffer, createdAt: string): Promise<KeyStatement> {
  await tx.run(LOCK_KEYS, []);
  const before = await readSigningKey(tx, secrets);
  const privateKey = privateKeyOf(seed);
  const publicKey = publicBytesOf(privateKey);
  const statement: KeyStatement = {
    keyId: keyIdOf(publicKey),
    keyNo: (before?.keyNo ?? 0) + 1,
    publicKey: publicKey.toString("hex"),
    previousKeyId: before?.keyId ?? null,
    createdAt,
  };
  const text = keyStatementText(statement);
  const signature = signText(before?.privateKey ?? privateKey, text);
  const sealed = secrets.seal(seed.toString("base64"), identityOf(statement.keyId));
  await tx.run(INSERT, [
    ...[statement.keyId, statement.keyNo, publicKey, text, signature],
    ...[sealed.keyId, sealed.nonce, sealed.ciphertext],
  ]);
  return statement;
}

/** What is wrong with a line of keys, or null: each has to be introduced by the one before, the first by itself. */
export function faultOfKeys(keys: readonly SealKey[]): { readonly keyId: string; readonly fault: string } | null {
  for (const [at, key] of keys.entries()) {
    const before = keys[at - 1] ?? null;
    const statement = parseKeyStatement(key.statement);
    const wrong = (fault: string) => ({ keyId: key.keyId, fault });
    if (statement === null) return wrong("its statement is not canonical");
    if (
      statement.keyId !== key.keyId ||
      statement.keyNo !== key.keyNo ||
      statement.publicKey !== key.publicKey.toString("hex") ||
      keyIdOf(key.publicKey) !== key.keyId
    ) {
      return wrong("it is another key than its statement says");
    }
    if (statement.keyNo !== at + 1) return wrong(`it is number ${statement.keyNo} where ${at + 1} was to come`);
    if (statement.previousKeyId !== (before?.keyId ?? null)) return wrong("it does not follow the key before it");
    if (!isSignedBy((before ?? key).publicKey, key.statement, key.signature)) {
      return wrong("its statement is not signed by the key before it");
    }
  }
  return null;
}
