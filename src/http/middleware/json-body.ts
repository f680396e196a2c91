import type { Context, Middleware } from "koa";
import bodyParser from "koa-bodyparser";

/** Longest request body, bytes. The longest message of the protocol is below three kilobytes. */
export const BODY_MAX_BYTES = 16_384;

/**
 * Reads a JSON body of at most 16 KiB, not compressed. The parsed form is not used: koa-bodyparser keeps the raw text
 * beside it, which is what is scanned for duplicate keys, and accepts things (an empty body, an array) that are none.
 *
 * Answers 415 for another content type or an encoding, 413 for a longer body; what is not JSON passes on to the flow as
 * raw text, whose answer is a protocol reply with status 400.
 */
export function jsonBody(): Middleware {
  const parse = bodyParser({
    enableTypes: ["json"],
    jsonLimit: String(BODY_MAX_BYTES),
    strict: true,
    onerror(error: Error & { status?: number; body?: unknown }, ctx: Context) {
      if (error.status === 413 || typeof error.body !== "string") throw error;
      // Not JSON, but read to its end: the flow answers it.
      ctx.request.rawBody = error.body;
    },
  });
  return async function jsonBodyMiddleware(ctx, next) {
    const encoding = ctx.get("Content-Encoding");
    if (!ctx.is("application/json") || (encoding !== "" && encoding !== "identity")) ctx.throw(415);
    const charset = ctx.request.charset.toLowerCase();
    if (charset !== "" && charset !== "utf-8" && charset !== "us-ascii") ctx.throw(415);
    await parse(ctx, next);
  };
}
