import { randomUUID } from "node:crypto";
import type { Middleware } from "koa";
import type { Logger } from "../../platform";

/** JSON texts of refusals that never reach a flow. The caller learns a reference, the log the reason. */
const MESSAGES: Readonly<Record<number, string>> = {
  400: "the request body could not be read",
  404: "no such address",
  405: "method not allowed at this address",
  408: "the request took too long to arrive",
  413: "the request body is larger than 16 KiB",
  415: "Content-Type must be application/json, without compression",
  500: "internal fault",
  503: "not ready",
};

/** Turns whatever was thrown, and every unanswered request, into a JSON body; logs faults of ours once. */
export function answerFaults(logger: Logger): Middleware {
  return async function answerFaultsMiddleware(ctx, next) {
    try {
      await next();
    } catch (error) {
      const status = statusOf(error);
      ctx.status = status;
      const reference = randomUUID();
      ctx.body = { error: MESSAGES[status] ?? "refused", reference };
      if (status >= 500) logger.error({ err: error, reference, path: ctx.path }, "fault while answering");
      else logger.info({ reference, path: ctx.path, status }, "request refused");
    }
    if (ctx.body === undefined || ctx.body === null) {
      const { status } = ctx;
      ctx.body = { error: MESSAGES[status] ?? "refused" };
      ctx.status = status;
    }
    if (!ctx.res.hasHeader("Cache-Control")) ctx.set("Cache-Control", "no-store");
    ctx.set("X-Content-Type-Options", "nosniff");
  };
}

function statusOf(error: unknown): number {
  const status = (error as { status?: unknown }).status;
  return typeof status === "number" && status >= 400 && status <= 599 ? status : 500;
}
