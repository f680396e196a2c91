import Router from "@koa/router";
import type { Context, Middleware } from "koa";
import {
  type Accepts,
  type Arrival,
  type AttemptCircumstances,
  type AttemptJournal,
  attemptOf,
  type MessageAnswer,
  type Reach,
  refusedAttempt,
} from "../../flows";
import { type Clock, type FailureAlarm, type Logger, maskNumber, type Metrics, uuidV7 } from "../../platform";
import { jsonBody, rawTextOf } from "../middleware/json-body";

/** What the switch's addresses answer from. */
export interface SwitchRouteDeps {
  readonly answer: (arrival: Arrival) => Promise<MessageAnswer>;
  readonly attempts: AttemptJournal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Told of every message that is not authentic. */
  readonly authAlarm: FailureAlarm;
  readonly reach?: Reach;
}

/**
 * The switch's addresses. `/finpay/billing` routes on transactionType; the other two accept only their own. A reply that
 * carries a result code has status 200, since switches take anything else for a timeout; 400 when the body was no JSON.
 */
export function switchRoutes(deps: SwitchRouteDeps): Router {
  const router = new Router();
  const body = jsonBody();
  const routes: readonly (readonly [string, Accepts])[] = [
    ["/finpay/billing", "any"],
    ["/finpay/inquiry", "inquiry"],
    ["/finpay/payment", "payment"],
  ];
  const kept = keepRefusals(deps);
  for (const [path, accepts] of routes) router.post(path, kept, body, (ctx) => answerSwitch(deps, ctx, accepts));
  return router;
}

/** What is refused before it is a message is kept as an attempt as well. */
function keepRefusals(deps: SwitchRouteDeps): Middleware {
  return async function keepRefusalsMiddleware(ctx, next) {
    const startedMs = deps.clock.monotonicMs();
    const receivedAtMs = deps.clock.nowMs();
    try {
      await next();
    } catch (error) {
      const { status = 500, message } = error as { status?: number; message: string };
      const attemptId = uuidV7(receivedAtMs);
      const sourceAddress = ctx.req.socket.remoteAddress ?? null;
      const durationMs = deps.clock.monotonicMs() - startedMs;
      const seen = { attemptId, receivedAtMs, durationMs, isDelivered: true, httpStatus: status, sourceAddress };
      deps.attempts.record(() => refusedAttempt(seen, `refused as a request: ${message}`.slice(0, 200)));
      throw error;
    }
  };
}

async function answerSwitch(deps: SwitchRouteDeps, ctx: Context, accepts: Accepts): Promise<void> {
  const startedMs = deps.clock.monotonicMs();
  const receivedAtMs = deps.clock.nowMs();
  const sourceAddress = ctx.req.socket.remoteAddress ?? null;
  const answer = await deps.answer({ rawBody: rawTextOf(ctx), accepts, sourceAddress });
  ctx.status = answer.isJson ? 200 : 400;
  ctx.type = "application/json; charset=utf-8";
  if (answer.isReplay) ctx.set("x-replayed", "true");
  if (answer.retryAfterS !== null) ctx.set("Retry-After", String(answer.retryAfterS));
  ctx.body = answer.body;
  await deps.reach?.("replying");
  const httpStatus = ctx.status;
  whenSent(ctx, (isDelivered) => {
    void deps.reach?.("replied");
    const durationMs = deps.clock.monotonicMs() - startedMs;
    remember(deps, answer, { receivedAtMs, durationMs, isDelivered, httpStatus, sourceAddress });
  });
}

/** Calls back once, when the answer was handed to the operating system or the caller turned out to be gone. */
function whenSent(ctx: Context, then: (isDelivered: boolean) => void): void {
  const { res } = ctx;
  if (res.destroyed || ctx.req.socket.destroyed) {
    then(false);
    return;
  }
  res.once("close", () => then(res.writableFinished));
}

type Circumstances = Omit<AttemptCircumstances, "attemptId">;

function operationOf({ partner, message }: MessageAnswer): "inquiry" | "payment" | "reversal" | "other" {
  if (partner === null || message === null) return "other";
  const { inquiry, payment, reversal } = partner.dialect.transactionTypes;
  if (message.transactionType === inquiry) return "inquiry";
  if (message.transactionType === payment) return "payment";
  return message.transactionType === reversal ? "reversal" : "other";
}

/** One log line, one count, one row of the attempt journal. Signatures, names and whole bill numbers go nowhere. */
function remember(deps: SwitchRouteDeps, answer: MessageAnswer, seen: Circumstances): void {
  const { message, echo, partner, outcome } = answer;
  const operation = operationOf(answer);
  deps.metrics.countMessage({ operation, outcome, isReplay: answer.isReplay }, seen.durationMs);
  const event = {
    traxId: echo.traxId || undefined,
    partner: partner?.userName,
    product: message?.productCode,
    operation,
    bill: message === null ? undefined : maskNumber(message.billNumber),
    outcome,
    isReplay: answer.isReplay,
    isDelivered: seen.isDelivered,
    durationMs: Math.round(seen.durationMs * 10) / 10,
    note: answer.note ?? undefined,
  };
  if (outcome === "BAD_AUTH") deps.authAlarm.note(seen.sourceAddress ?? "unknown");
  if (answer.differing.length > 0) {
    deps.metrics.countTamperAlarm();
    deps.logger.warn({ ...event, differing: answer.differing }, "tamper alarm: a repeat with other money");
  } else {
    deps.logger.info(event, "answered");
  }
  const attemptId = uuidV7(seen.receivedAtMs);
  deps.attempts.record(() => attemptOf(answer, { ...seen, attemptId }));
}
