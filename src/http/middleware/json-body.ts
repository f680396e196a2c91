import type { Context, Middleware } from "koa";
import bodyParser from "koa-bodyparser";

/** The body as it was sent. An empty one is left out by the parser. */
export function rawTextOf(ctx: Context): string {
  const { rawBody } = ctx.request as { rawBody?: unknown };
  return typeof rawBody === "string" ? rawBody : "";
}

/** Longest request body, bytes. The longest message of the protocol is below three kilobytes. */
export const BODY_MAX_BYTES = 16_384;

/**
 * Reads a JSON body of at most 16 KiB, not compressed, as text. It is not parsed here: what parses it also looks for
 * duplicate keys, and answers in the protocol what is no JSON.
 *
 * Answers 415 for another content type or an encoding, 413 for a longer body.
 */
export function jsonBody(options: { readonly withGet?: boolean } = {}): Middleware {
  const parse = bodyParser({
    enableTypes: ["text"],
    extendTypes: { text: ["application/json"] },
    textLimit: String(BODY_MAX_BYTES),
  });
  return async function jsonBodyMiddleware(ctx, next) {
    const hasBody = ctx.get("Content-Length") !== "" || ctx.get("Transfer-Encoding") !== "";
    if (options.withGet === true && ctx.method === "GET" && !hasBody) return next();
    const encoding = ctx.get("Content-Encoding");
    if (!ctx.is("application/json") || (encoding !== "" && encoding !== "identity")) ctx.throw(415);
    const charset = ctx.request.charset.toLowerCase();
    if (charset !== "" && charset !== "utf-8" && charset !== "us-ascii") ctx.throw(415);
    await parse(ctx, next);
  };
}
