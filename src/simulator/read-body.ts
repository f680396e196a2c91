import type { Context } from "koa";

/** Longest request body, bytes. */
export const BODY_MAX_BYTES = 32_768;

/**
 * The body as text. What is too long is read to its end and thrown away, so that the caller hears why: the server's limit
 * of time ends that. Throws 413 then, and 415 when the body is compressed; when the caller went away, the body is empty.
 */
export async function readBody(ctx: Context): Promise<string> {
  const encoding = ctx.get("Content-Encoding");
  if (encoding !== "" && encoding !== "identity") ctx.throw(415, "the body must not be compressed");
  const { req } = ctx;
  const bytes = await new Promise<Buffer | null>((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BODY_MAX_BYTES) chunks.push(chunk);
      else chunks.length = 0;
    });
    req.once("end", () => resolve(size > BODY_MAX_BYTES ? null : Buffer.concat(chunks)));
    req.once("close", () => resolve(Buffer.alloc(0)));
  });
  if (bytes === null) ctx.throw(413, `the body must have at most ${BODY_MAX_BYTES} bytes`);
  return bytes.toString("utf8");
}
