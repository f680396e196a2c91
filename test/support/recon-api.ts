import { RECON_SCOPES, type Scope } from "../../src/ops";
import { auditToken } from "./audit";
import type { TestDatabase } from "./services";

/** What the reconciliation API answered. */
export interface ReconReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly bytes: Buffer;
  readonly body: Record<string, unknown>;
  readonly data: Record<string, unknown>[];
}

/** What a request has beside its address. */
export interface ReconRequest {
  readonly query?: Readonly<Record<string, string>> | string;
  /** Sent as JSON; a text is sent as it is. */
  readonly json?: unknown;
  /** Sent as a file. */
  readonly file?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A token of one person; with everything when no scopes are named. */
export function reconToken(
  database: TestDatabase,
  person: string,
  scopes: readonly Scope[] = RECON_SCOPES,
): Promise<string> {
  return auditToken(database, scopes, { name: `desk of ${person}`, person });
}

/** Asks the reconciliation API; `what` is the method and the path behind `/recon/v1`. */
export async function askRecon(
  url: string,
  token: string | null,
  what: string,
  { query = "", json, file, headers = {} }: ReconRequest = {},
): Promise<ReconReply> {
  const [method = "GET", path = ""] = what.split(" ");
  const search = typeof query === "string" ? query : new URLSearchParams(query).toString();
  const content = file === undefined ? "application/json" : "text/csv";
  const body = file ?? (json === undefined ? null : typeof json === "string" ? json : JSON.stringify(json));
  const response = await fetch(`${url}/recon/v1${path}${search === "" ? "" : `?${search}`}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === null ? {} : { "content-type": content }),
      ...headers,
    },
    body,
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const text = bytes.toString("utf8");
  const isJson = /^application\/(?:problem\+)?json/.test(response.headers.get("content-type") ?? "");
  const parsed = (isJson ? JSON.parse(text) : {}) as Record<string, unknown>;
  return {
    ...{ status: response.status, headers: response.headers, text, bytes, body: parsed },
    data: (parsed["data"] ?? []) as never,
  };
}
