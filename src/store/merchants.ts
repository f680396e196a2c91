import { randomUUID } from "node:crypto";
import type { SecretBox, Statement, Tx } from "../platform";

/** What a merchant's secret is for. Several of one kind may be valid at once, while one is being replaced. */
export type MerchantSecretKind = "password" | "hmac" | "callback";

/** A merchant with its decrypted secrets, by kind, the newest first. */
export interface StoredMerchant {
  readonly merchantId: number;
  readonly serviceId: string;
  readonly name: string;
  readonly userName: string;
  readonly callbackUrl: string | null;
  /** Requests must be signed with HMAC; the published signature alone is refused. */
  readonly requiresHmac: boolean;
  readonly secrets: Readonly<Record<MerchantSecretKind, readonly string[]>>;
}

const READ_MERCHANTS: Statement = {
  name: "store_read_merchants",
  text: `
    select m.merchant_id, m.service_id, m.name, m.user_name, m.callback_url, m.requires_hmac,
           c.credential_id, c.kind, c.key_id, c.nonce, c.ciphertext
      from merchant m
      left join merchant_credential c on c.merchant_id = m.merchant_id and c.retired_at is null
     where m.is_active
     order by m.service_id, c.created_at desc`,
};

interface Row {
  readonly merchant_id: number;
  readonly service_id: string;
  readonly name: string;
  readonly user_name: string;
  readonly callback_url: string | null;
  readonly requires_hmac: boolean;
  readonly credential_id: string | null;
  readonly kind: MerchantSecretKind;
  readonly key_id: string;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
}

/**
 * Every active merchant with its decrypted secrets.
 *
 * @throws Fault `secret_unreadable` when a credential does not open
 */
export async function readMerchants(tx: Tx, secrets: SecretBox): Promise<StoredMerchant[]> {
  const merchants = new Map<number, StoredMerchant>();
  for (const row of await tx.run<Row>(READ_MERCHANTS, [])) {
    const known = merchants.get(row.merchant_id) ?? {
      merchantId: row.merchant_id,
      serviceId: row.service_id,
      name: row.name,
      userName: row.user_name,
      callbackUrl: row.callback_url,
      requiresHmac: row.requires_hmac,
      secrets: { password: [], hmac: [], callback: [] },
    };
    merchants.set(row.merchant_id, row.credential_id === null ? known : withSecret(known, row, secrets));
  }
  return [...merchants.values()];
}

function withSecret(merchant: StoredMerchant, row: Row, box: SecretBox): StoredMerchant {
  const sealed = { keyId: row.key_id, nonce: row.nonce, ciphertext: row.ciphertext };
  const secret = box.open(sealed, identityOf(row.merchant_id, row.kind, row.credential_id ?? ""));
  const { secrets } = merchant;
  return { ...merchant, secrets: { ...secrets, [row.kind]: [...secrets[row.kind], secret] } };
}

/** The row identity that a secret's ciphertext is bound to. */
function identityOf(merchantId: number, kind: MerchantSecretKind, credentialId: string): string {
  return `merchant ${merchantId} ${kind} ${credentialId}`;
}

/** A merchant to be created. */
export interface NewMerchant {
  readonly serviceId: string;
  readonly name: string;
  readonly userName: string;
  readonly callbackUrl: string | null;
  readonly requiresHmac: boolean;
  readonly secrets: Readonly<Record<MerchantSecretKind, string>>;
}

const INSERT_MERCHANT: Statement = {
  name: "store_insert_merchant",
  isWrite: true,
  text: `
    insert into merchant (service_id, name, user_name, callback_url, requires_hmac)
    values ($1, $2, $3, $4, $5)
    on conflict (service_id) do nothing
    returning merchant_id`,
};

const INSERT_SECRET: Statement = {
  name: "store_insert_merchant_secret",
  isWrite: true,
  text: `
    insert into merchant_credential (credential_id, merchant_id, kind, key_id, nonce, ciphertext)
    values ($1, $2, $3, $4, $5, $6)`,
};

/** Creates a merchant with its secrets. @returns its id, or null when the service id is taken */
export async function insertMerchant(tx: Tx, merchant: NewMerchant, box: SecretBox): Promise<number | null> {
  const { serviceId, name, userName, callbackUrl, requiresHmac, secrets } = merchant;
  const values = [serviceId, name, userName, callbackUrl, requiresHmac];
  const [row] = await tx.run<{ merchant_id: number }>(INSERT_MERCHANT, values);
  if (row === undefined) return null;
  for (const kind of ["password", "hmac", "callback"] as const) {
    await addMerchantSecret(tx, row.merchant_id, kind, secrets[kind], box);
  }
  return row.merchant_id;
}

/** Adds a secret beside those of its kind that are valid: from now on all of them are, and all callback keys sign. */
export async function addMerchantSecret(
  tx: Tx,
  merchantId: number,
  kind: MerchantSecretKind,
  secret: string,
  box: SecretBox,
): Promise<void> {
  const credentialId = randomUUID();
  const { keyId, nonce, ciphertext } = box.seal(secret, identityOf(merchantId, kind, credentialId));
  await tx.run(INSERT_SECRET, [credentialId, merchantId, kind, keyId, nonce, ciphertext]);
}

const RETIRE_SECRETS: Statement = {
  name: "store_retire_merchant_secrets",
  isWrite: true,
  text: `
    update merchant_credential set retired_at = clock_timestamp()
     where merchant_id = $1 and kind = $2 and retired_at is null
       and credential_id <> (select c.credential_id from merchant_credential c
                              where c.merchant_id = $1 and c.kind = $2 and c.retired_at is null
                              order by c.created_at desc, c.credential_id limit 1)
    returning credential_id`,
};

/** Retires all secrets of a kind but the newest; returns how many. */
export async function retireMerchantSecrets(tx: Tx, merchantId: number, kind: MerchantSecretKind): Promise<number> {
  return (await tx.run(RETIRE_SECRETS, [merchantId, kind])).length;
}
