import { randomUUID } from "node:crypto";
import type { Context, Middleware } from "koa";
import type { Logger } from "../../platform";
import { answerProblem, hasProblems } from "./problems";

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
      const reference = randomUUID();
      refuse(ctx, status, reference);
      if (status >= 500) logger.error({ err: error, reference, path: ctx.path }, "fault while answering");
      else logger.info({ reference, path: ctx.path, status }, "request refused");
    }
    if (ctx.body === undefined || ctx.body === null) {
      const { status } = ctx;
      refuse(ctx, status, null);
    }
    if (!ctx.res.hasHeader("Cache-Control")) ctx.set("Cache-Control", "no-store");
    ctx.set("X-Content-Type-Options", "nosniff");
  };
}

function refuse(ctx: Context, status: number, reference: string | null): void {
  const message = MESSAGES[status] ?? "refused";
  if (status >= 400 && hasProblems(ctx.path)) {
    answerProblem(ctx, { status, message, code: null, problems: [], reference });
    return;
  }
  ctx.body = { error: message, ...(reference === null ? {} : { reference }) };
  ctx.status = status;
}

function statusOf(error: unknown): number {
  const status = (error as { status?: unknown }).status;
  return typeof status === "number" && status >= 400 && status <= 599 ? status : 500;
}
