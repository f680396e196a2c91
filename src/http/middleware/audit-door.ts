import { randomUUID } from "node:crypto";
import type { Context, Middleware } from "koa";
import type { AuditDesk, AuditRead, AuditToken, Scope } from "../../ops";
import { type Clock, DatabaseUnavailable, Fault, type Logger, messageOf, RolledBack, sqlStateOf } from "../../platform";
import type { Refusal } from "./problems";

/** What the door is made from. */
export interface AuditDoorDeps {
  readonly audit: AuditDesk;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A question whose asker is known and may ask it. Filters and rows are filled in by the route, and kept with the read. */
export interface AuditAsking {
  readonly readId: string;
  readonly token: AuditToken;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
  filter: Readonly<Record<string, unknown>>;
  rowCount: number;
  note: string | null;
  /** Set by a route that goes on writing after it has returned: it records the read itself, when it has ended. */
  finish: ((record: (changes: Partial<AuditRead>) => void) => void) | null;
}

/** Answers of the door: what a token may do in a second, and how often an address may be wrong in a minute. */
const RATE_PER_SECOND = 20;
const RATE_BURST = 60;
const WRONG_PER_MINUTE = 30;
const KNOWN_MAX = 10_000;

/** A refusal: a status, and a text for the caller. */
export class AuditRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly problems: readonly string[] = [],
    /** A stable word for programs. */
    readonly code: string | null = null,
    /** Names the line of the log that says more. */
    readonly reference: string | null = null,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options);
  }
}

/**
 * Lets in who holds a valid token with the scope, not too often, and keeps what was asked: every answer and every refusal of
 * a known token is a row of `audit_read`. While those cannot be written nothing is answered.
 *
 * Answers 401 without a valid token, 403 without the scope, 429 when asked too often, 503 when the database does not answer
 * or the question took too long, 500 for a fault of ours.
 *
 * @param answerRefusal writes a refusal into the answer
 */
export function createAuditDoor(
  deps: AuditDoorDeps,
  answerRefusal: (ctx: Context, refusal: Refusal) => void = answerError,
) {
  const buckets = new Map<string, { left: number; atMs: number }>();
  const wrong = new Map<string, { count: number; sinceMs: number }>();

  function mayAsk(tokenId: string): boolean {
    const nowMs = deps.clock.monotonicMs();
    const bucket = buckets.get(tokenId) ?? { left: RATE_BURST, atMs: nowMs };
    const left = Math.min(RATE_BURST, bucket.left + ((nowMs - bucket.atMs) / 1_000) * RATE_PER_SECOND);
    remember(buckets, tokenId, { left: Math.max(0, left - 1), atMs: nowMs });
    return left >= 1;
  }
  function isGuessing(address: string): boolean {
    const known = wrong.get(address);
    return known !== undefined && deps.clock.monotonicMs() - known.sinceMs < 60_000 && known.count >= WRONG_PER_MINUTE;
  }
  function noteWrong(address: string): void {
    const nowMs = deps.clock.monotonicMs();
    const known = wrong.get(address);
    const isOld = known === undefined || nowMs - known.sinceMs >= 60_000;
    remember(wrong, address, isOld ? { count: 1, sinceMs: nowMs } : { ...known, count: known.count + 1 });
    if (!isOld && known.count + 1 === WRONG_PER_MINUTE) {
      deps.logger.warn({ address }, "alarm: many audit tokens from one address are not valid");
    }
  }

  async function authenticate(ctx: Context): Promise<AuditToken> {
    const address = ctx.req.socket.remoteAddress ?? "";
    if (isGuessing(address)) throw new AuditRefusal(429, "too many tokens that are not valid: wait a minute");
    const text = /^Bearer ([!-~]{1,200})$/.exec(ctx.get("Authorization"))?.[1];
    const token = text === undefined ? null : await deps.audit.tokenOf(text);
    if (token !== null) return token;
    noteWrong(address);
    ctx.set("WWW-Authenticate", 'Bearer realm="audit"');
    throw new AuditRefusal(
      401,
      "a valid token is needed: Authorization: Bearer …. It may be missing, mistyped, expired or revoked",
    );
  }

  return function auditDoor(
    scopes: readonly Scope[],
    answer: (ctx: Context, asking: AuditAsking) => Promise<void>,
  ): Middleware {
    return async function auditDoorMiddleware(ctx) {
      const [readAtMs, startedMs] = [deps.clock.nowMs(), deps.clock.monotonicMs()];
      const gone = new AbortController();
      ctx.res.once("close", () => gone.abort());
      let asking: AuditAsking | null = null;
      try {
        const token = await authenticate(ctx);
        const readId = randomUUID();
        asking = { readId, token, signal: gone.signal, filter: {}, rowCount: 0, note: null, finish: null };
        const missing = scopes.filter((scope) => !token.scopes.includes(scope));
        if (missing.length > 0) throw new AuditRefusal(403, `the token lacks the scope ${missing.join(", ")}`);
        if (!mayAsk(token.tokenId)) {
          ctx.set("Retry-After", "1");
          throw new AuditRefusal(429, `more than ${RATE_PER_SECOND} questions a second`);
        }
        if (!deps.audit.log.hasRoom)
          throw new AuditRefusal(
            503,
            "what is read cannot be recorded now, so nothing is answered",
            [],
            "not_recorded",
          );
        await answer(ctx, asking);
      } catch (error) {
        const refusal = refusalOfError(error);
        answerRefusal(ctx, refusal);
        // Once: a refusal that carries a cause was made from a fault of ours.
        const ours = error instanceof AuditRefusal ? error.cause : error;
        if (ours !== undefined) {
          const { reference } = refusal;
          deps.logger.error({ err: ours, path: ctx.path, reference }, "fault while answering an auditor");
        }
        if (asking !== null) asking.note = noteOf(error);
      }
      if (asking === null) return;
      const { readId, token, rowCount, filter, note, finish } = asking;
      const record = (changes: Partial<AuditRead>): void =>
        deps.audit.log.record({
          ...{ readId, readAtMs, tokenId: token.tokenId, tokenName: token.name, route: ctx.path.slice(0, 200) },
          ...{ filter, httpStatus: ctx.status, rowCount, note, export: null },
          ...{ durationMs: deps.clock.monotonicMs() - startedMs, sourceAddress: ctx.req.socket.remoteAddress ?? null },
          ...changes,
        });
      if (finish === null) record({});
      else finish(record);
    };
  };
}

/** Keeps at most so many, the oldest forgotten first: a flood cannot fill memory. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > KNOWN_MAX && oldest !== undefined) map.delete(oldest);
}

function answerError(ctx: Context, { status, message, problems, reference }: Refusal): void {
  ctx.status = status;
  ctx.body = {
    error: message,
    ...(problems.length > 0 ? { problems } : {}),
    ...(reference === null ? {} : { reference }),
  };
}

function noteOf(error: unknown): string {
  const problems = error instanceof AuditRefusal ? error.problems : [];
  return [messageOf(error), ...problems].join("; ").slice(0, 500);
}

/** Anything that was thrown as a refusal. What is no refusal and says nothing of the database is a fault of ours: 500. */
export function refusalOfError(error: unknown): AuditRefusal {
  if (error instanceof AuditRefusal) return error;
  const state = sqlStateOf(error) ?? "";
  // 57014: cancelled by the statement's time limit, or since the caller has gone.
  if (state === "57014" || (error instanceof Fault && error.code === "deadline_passed")) {
    return new AuditRefusal(503, "the question took too long: narrow it, or ask for an export", [], "too_slow", null, {
      cause: error,
    });
  }
  if (error instanceof Fault && error.code === "audit_database") {
    return new AuditRefusal(503, error.message, [], "database_unavailable", null, { cause: error });
  }
  const isAway = error instanceof DatabaseUnavailable || error instanceof RolledBack;
  // Connection lost, no room, shutting down, or a standby where the primary was.
  if (isAway || /^(?:08|53|57P)/.test(state) || state === "25006") {
    return new AuditRefusal(503, "the database does not answer now", [], "database_unavailable", null, {
      cause: error,
    });
  }
  const reference = randomUUID();
  return new AuditRefusal(500, `internal fault, reference ${reference}`, [], "internal", reference);
}
