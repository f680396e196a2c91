import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { messageOf } from "../platform";

/** How the caller behaves once the whole request is out. */
export type Manner =
  | { readonly kind: "patient" }
  /** Closes its sending side and goes on listening. */
  | { readonly kind: "half-close" }
  /** Cuts the connection, without waiting for an answer. */
  | { readonly kind: "hang-up"; readonly afterMs: number };

/** One request and what came of it. */
export interface Exchange {
  /** The body as sent. */
  readonly request: string;
  /** HTTP status, or null when no answer came. */
  readonly status: number | null;
  /** The body as received, read as UTF-8. */
  readonly reply: string | null;
  /** Bytes of the reply. */
  readonly replyBytes: number;
  /** The reply as a JSON object, or null when it is none. */
  readonly fields: Readonly<Record<string, unknown>> | null;
  /** The biller said that it answers from its store. */
  readonly isReplay: boolean;
  readonly durationMs: number;
  /** Why there is no answer, or null. */
  readonly failure: string | null;
}

/** Times in milliseconds. */
export interface ExchangeOptions {
  /** From the first byte out to the last byte in. */
  readonly timeoutMs: number;
  readonly manner?: Manner;
  readonly contentType?: string;
}

const REPLY_MAX_BYTES = 262_144;

/**
 * Posts a body and waits. Never throws: a connection refused or cut, a reply that is too late or too long is an exchange
 * with a `failure`. Every exchange has a connection of its own, as repeats over several paths have; redirects are not
 * followed.
 */
export function exchange(url: string, body: string | Buffer, options: ExchangeOptions): Promise<Exchange> {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const request = bytes.toString("utf8");
  const { timeoutMs, manner = { kind: "patient" }, contentType = "application/json" } = options;
  const startedMs = performance.now();
  return new Promise((resolve) => {
    let isSettled = false;
    const settle = (result: Partial<Exchange>): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      const nothing = { status: null, reply: null, replyBytes: 0, fields: null, isReplay: false, failure: null };
      resolve({ ...nothing, ...result, request, durationMs: performance.now() - startedMs });
    };
    const give = (failure: string): void => {
      settle({ failure });
      outgoing.destroy();
    };
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    const headers = { "Content-Type": contentType, Accept: "application/json", "Content-Length": bytes.length };
    const outgoing = send(url, { method: "POST", agent: false, headers }, (incoming) => {
      // A biller may be quicker than we hang up: its answer is lost all the same.
      if (manner.kind === "hang-up") {
        incoming.on("error", () => {});
        incoming.resume();
        return;
      }
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > REPLY_MAX_BYTES) give(`the reply is longer than ${REPLY_MAX_BYTES} bytes`);
        else chunks.push(chunk);
      });
      incoming.on("error", (error) => give(messageOf(error)));
      incoming.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        settle({
          status: incoming.statusCode ?? null,
          reply: text,
          replyBytes: size,
          fields: objectOf(text),
          isReplay: incoming.headers["x-replayed"] === "true",
        });
      });
    });
    const timer = setTimeout(() => give(`nothing came within ${timeoutMs} ms`), timeoutMs);
    outgoing.on("error", (error) => give(messageOf(error)));
    outgoing.on("finish", () => {
      if (manner.kind === "half-close") outgoing.socket?.end();
      if (manner.kind === "hang-up") hangUp(outgoing.socket, manner.afterMs, give);
    });
    outgoing.end(bytes);
  });
}

function hangUp(socket: Socket | null, afterMs: number, give: (failure: string) => void): void {
  setTimeout(() => {
    socket?.destroy();
    give("we hung up, on purpose");
  }, afterMs);
}

function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Whether an address given by a caller may be called: http or https, no name and password in it. Loopback may. */
export function isCallable(address: string): boolean {
  if (address.length > 500 || !URL.canParse(address)) return false;
  const { protocol, username, password } = new URL(address);
  return (protocol === "http:" || protocol === "https:") && username === "" && password === "";
}
