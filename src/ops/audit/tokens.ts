import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import type { Statement, Tx } from "../../platform";
import type { Scope } from "./listing";

/** Everything that a token may be given to read the books with. */
export const SCOPES: readonly Scope[] = ["ledger", "payments", "operations", "export", "personal"];
/** What a token may be given to work on settlement with. */
export const RECON_SCOPES: readonly Scope[] = ["recon:read", "recon:maker", "recon:checker"];
/** Those whose holder is answerable by name. */
const PERSONAL_SCOPES: readonly Scope[] = ["recon:maker", "recon:checker"];

/** Whether a token with these scopes must name who holds it. */
export function needsPerson(scopes: readonly Scope[]): boolean {
  return scopes.some((scope) => PERSONAL_SCOPES.includes(scope));
}

/** A token as it is known: never its text, of which only the hash is kept. */
export interface AuditToken {
  readonly tokenId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: Date;
  /** Who works with it; null: it only reads. */
  readonly person: string | null;
}

/** A token in a list, with its history. */
export interface AuditTokenRow extends AuditToken {
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
  readonly revokedBy: string | null;
}

const PREFIX = "biller_audit_";
const FORM = new RegExp(`^${PREFIX}[A-Za-z0-9_-]{43}$`);

function hashOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

const INSERT: Statement = {
  name: "audit_insert_token",
  isWrite: true,
  text: `
    insert into audit_token (token_id, name, token_hash, scopes, created_by, expires_at, person)
    values ($1::uuid, $2, $3::bytea, $4::text[], $5, clock_timestamp() + make_interval(days => $6::int), $7)
    returning expires_at`,
};

/** Makes a token of 256 random bits; its text is returned here and nowhere else. */
export async function createToken(
  tx: Tx,
  token: {
    readonly name: string;
    readonly scopes: readonly Scope[];
    readonly days: number;
    readonly createdBy: string;
    readonly person?: string | null;
  },
): Promise<{ readonly tokenId: string; readonly text: string; readonly expiresAt: Date }> {
  const text = PREFIX + randomBytes(32).toString("base64url");
  const tokenId = randomUUID();
  const { name, scopes, createdBy, days, person = null } = token;
  const values = [tokenId, name, hashOf(text), scopes, createdBy, days, person];
  const [row] = await tx.run<{ expires_at: Date }>(INSERT, values);
  if (row === undefined) throw new Error("the token was not stored");
  return { tokenId, text, expiresAt: row.expires_at };
}

const FIND: Statement = {
  name: "audit_find_token",
  text: `
    select token_id, name, token_hash, scopes, expires_at, person
      from audit_token
     where token_hash = $1::bytea and revoked_at is null and expires_at > clock_timestamp()`,
};

/**
 * The token of this text, or null when there is none, or it has expired or was revoked. What is looked up is a hash, so the
 * time that it takes says nothing about tokens that exist.
 */
export async function findToken(tx: Tx, text: string): Promise<AuditToken | null> {
  if (!FORM.test(text)) return null;
  const hash = hashOf(text);
  const [row] = await tx.run<{
    token_id: string;
    name: string;
    token_hash: Buffer;
    scopes: Scope[];
    expires_at: Date;
    person: string | null;
  }>(FIND, [hash]);
  if (row === undefined || !timingSafeEqual(row.token_hash, hash)) return null;
  const { token_id: tokenId, name, scopes, expires_at: expiresAt, person } = row;
  return { tokenId, name, scopes, expiresAt, person };
}

const LIST: Statement = {
  name: "audit_list_tokens",
  text: `
    select token_id, name, scopes, created_by, created_at, expires_at, revoked_at, revoked_by, person
      from audit_token order by created_at desc, token_id`,
};

/** Every token that was ever made, the latest first. */
export async function listTokens(tx: Tx): Promise<AuditTokenRow[]> {
  const rows = await tx.run<{
    token_id: string;
    name: string;
    scopes: Scope[];
    created_by: string;
    created_at: Date;
    expires_at: Date;
    revoked_at: Date | null;
    revoked_by: string | null;
    person: string | null;
  }>(LIST, []);
  return rows.map((row) => ({
    tokenId: row.token_id,
    name: row.name,
    scopes: row.scopes,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    revokedBy: row.revoked_by,
    person: row.person,
  }));
}

const REVOKE: Statement = {
  name: "audit_revoke_token",
  isWrite: true,
  text: `
    update audit_token set revoked_at = clock_timestamp(), revoked_by = $2
     where token_id = $1::uuid and revoked_at is null returning token_id`,
};

/** Ends a token at once; false when there is none of this id that is not revoked yet. */
export async function revokeToken(tx: Tx, tokenId: string, revokedBy: string): Promise<boolean> {
  return (await tx.run(REVOKE, [tokenId, revokedBy])).length === 1;
}
