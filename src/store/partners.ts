import { randomUUID } from "node:crypto";
import type { SecretBox, Statement, Tx } from "../platform";

/** A partner as stored: its dialect is data, checked where it is compiled. */
export interface StoredPartner {
  readonly partnerId: number;
  readonly userName: string;
  readonly name: string;
  readonly productCodes: readonly string[];
  readonly dialect: unknown;
  /** The passwords that are valid for it now, the newest first. */
  readonly passwords: readonly string[];
}

const READ_PARTNERS: Statement = {
  name: "store_read_partners",
  text: `
    select p.partner_id, p.user_name, p.name, p.product_codes, p.dialect, p.is_active,
           c.credential_id, c.key_id, c.nonce, c.ciphertext, c.created_at
      from partner p
      left join partner_credential c on c.partner_id = p.partner_id and c.retired_at is null
     order by p.user_name, c.created_at desc`,
};

interface PartnerRow {
  readonly partner_id: number;
  readonly user_name: string;
  readonly name: string;
  readonly product_codes: string[];
  readonly dialect: unknown;
  readonly is_active: boolean;
  readonly credential_id: string | null;
  readonly key_id: string;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
}

/**
 * Every active partner with its decrypted passwords.
 *
 * @throws Fault `secret_unreadable` when a credential does not open
 */
export async function readPartners(tx: Tx, secrets: SecretBox): Promise<StoredPartner[]> {
  const rows = await tx.run<PartnerRow>(READ_PARTNERS, []);
  const partners = new Map<number, StoredPartner>();
  for (const row of rows) {
    if (!row.is_active) continue;
    const password =
      row.credential_id === null ? [] : [secrets.open(sealedOf(row), identityOf(row.partner_id, row.credential_id))];
    const seen = partners.get(row.partner_id);
    partners.set(row.partner_id, {
      partnerId: row.partner_id,
      userName: row.user_name,
      name: row.name,
      productCodes: row.product_codes,
      dialect: row.dialect,
      passwords: [...(seen?.passwords ?? []), ...password],
    });
  }
  return [...partners.values()];
}

function sealedOf(row: PartnerRow): { keyId: string; nonce: Buffer; ciphertext: Buffer } {
  return { keyId: row.key_id, nonce: row.nonce, ciphertext: row.ciphertext };
}

/** The row identity that a credential's ciphertext is bound to. */
function identityOf(partnerId: number, credentialId: string): string {
  return `partner ${partnerId} credential ${credentialId}`;
}

/** A partner to be created. */
export interface NewPartner {
  readonly userName: string;
  readonly name: string;
  readonly productCodes: readonly string[];
  /** Parts of a dialect; what is left out takes its default. */
  readonly dialect: Record<string, unknown>;
  readonly password: string;
}

const INSERT_PARTNER: Statement = {
  name: "store_insert_partner",
  isWrite: true,
  text: `
    insert into partner (user_name, name, product_codes, dialect)
    values ($1, $2, $3::text[], $4::jsonb)
    on conflict (user_name) do nothing
    returning partner_id`,
};

const INSERT_CREDENTIAL: Statement = {
  name: "store_insert_credential",
  isWrite: true,
  text: `
    insert into partner_credential (credential_id, partner_id, key_id, nonce, ciphertext)
    values ($1, $2, $3, $4, $5)`,
};

/** Creates a partner with its first password. @returns its id, or null when the userName is taken */
export async function insertPartner(tx: Tx, partner: NewPartner, secrets: SecretBox): Promise<number | null> {
  const [row] = await tx.run<{ partner_id: number }>(INSERT_PARTNER, [
    partner.userName,
    partner.name,
    partner.productCodes,
    JSON.stringify(partner.dialect),
  ]);
  if (row === undefined) return null;
  const credentialId = randomUUID();
  const sealed = secrets.seal(partner.password, identityOf(row.partner_id, credentialId));
  await tx.run(INSERT_CREDENTIAL, [credentialId, row.partner_id, sealed.keyId, sealed.nonce, sealed.ciphertext]);
  return row.partner_id;
}

const READ_DIALECT: Statement = {
  name: "store_read_dialect",
  text: `select dialect from partner where user_name = $1`,
};

/** A partner's dialect as stored, or undefined when there is no such partner. */
export async function readDialect(tx: Tx, userName: string): Promise<unknown> {
  const [row] = await tx.run<{ dialect: unknown }>(READ_DIALECT, [userName]);
  return row?.dialect;
}

const SAVE_DIALECT: Statement = {
  name: "store_save_dialect",
  isWrite: true,
  text: `update partner set dialect = $2::jsonb, updated_at = clock_timestamp() where user_name = $1`,
};

/** Stores a partner's dialect in place of the one that was there. */
export async function saveDialect(tx: Tx, userName: string, dialect: Readonly<Record<string, unknown>>): Promise<void> {
  await tx.run(SAVE_DIALECT, [userName, JSON.stringify(dialect)]);
}

/** What a listing shows of a partner: nothing secret. */
export interface PartnerSummary {
  readonly partnerId: number;
  readonly userName: string;
  readonly name: string;
  readonly productCodes: readonly string[];
  readonly isActive: boolean;
  readonly activeCredentials: number;
  readonly createdAt: Date;
}

const LIST_PARTNERS: Statement = {
  name: "store_list_partners",
  text: `
    select p.partner_id, p.user_name, p.name, p.product_codes, p.is_active, p.created_at,
           (select count(*)::int from partner_credential c
             where c.partner_id = p.partner_id and c.retired_at is null) as active_credentials
      from partner p
     order by p.user_name`,
};

/** Every partner, active or not, by userName. */
export async function listPartners(tx: Tx): Promise<PartnerSummary[]> {
  const rows = await tx.run<PartnerRow & { created_at: Date; active_credentials: number }>(LIST_PARTNERS, []);
  return rows.map((row) => ({
    partnerId: row.partner_id,
    userName: row.user_name,
    name: row.name,
    productCodes: row.product_codes,
    isActive: row.is_active,
    activeCredentials: row.active_credentials,
    createdAt: row.created_at,
  }));
}
