import { createToken, type Scope, SCOPES } from "../../src/ops";
import { testDb, transact } from "./builders";
import type { TestDatabase } from "./services";

/** Makes a token and returns its text. */
export async function auditToken(
  database: TestDatabase,
  scopes: readonly Scope[] = SCOPES,
  options: { readonly days?: number; readonly name?: string; readonly person?: string } = {},
): Promise<string> {
  const db = testDb(database.ownerUrl, 1);
  try {
    const { days = 1, name = "auditor", person = null } = options;
    const made = await transact(db, (tx) => createToken(tx, { name, scopes, days, createdBy: "test", person }));
    return made.text;
  } finally {
    await db.close();
  }
}

/** What the audit API answered. */
export interface AuditReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
  readonly data: Record<string, unknown>[];
}

/** Asks the audit API; the path starts behind `/audit/v1`. */
export async function askAudit(
  url: string,
  token: string | null,
  path: string,
  query: Readonly<Record<string, string>> | string = {},
): Promise<AuditReply> {
  const search = typeof query === "string" ? query : new URLSearchParams(query).toString();
  const response = await fetch(`${url}/audit/v1${path}${search === "" ? "" : `?${search}`}`, {
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  const body = (isJson ? JSON.parse(text) : {}) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, text, body, data: (body["data"] ?? []) as never };
}
