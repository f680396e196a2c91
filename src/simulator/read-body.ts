import type { Context } from "koa";

/** Longest request body, bytes. */
export const BODY_MAX_BYTES = 32_768;

/** The body as text. Throws 413 when it is too long and 415 when it is compressed. */
export async function readBody(ctx: Context): Promise<string> {
  const encoding = ctx.get("Content-Encoding");
  if (encoding !== "" && encoding !== "identity") ctx.throw(415, "the body must not be compressed");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_MAX_BYTES) {
      ctx.set("Connection", "close");
      ctx.throw(413, `the body must have at most ${BODY_MAX_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
