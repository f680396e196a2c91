import type { Context, Middleware } from "koa";
import type { Actor, Question, ReconDesk, Scope } from "../../ops";
import { readQuestion, type FilterSpecs, readReconBody, type ReconBody } from "../../ops";
import { ConfigFault, Fault, messageOf, Overloaded, sqlStateOf } from "../../platform";
import { parseStrictJson } from "../../wire";
import { type AuditAsking, type AuditDoorDeps, AuditRefusal, createAuditDoor } from "./audit-door";
import { jsonBody, rawTextOf } from "./json-body";
import { adviceOf } from "./remedies";

/** What the reconciliation API answers from: the auditors' tokens and log, and a desk of its own. */
export interface ReconRouteDeps extends AuditDoorDeps {
  readonly recon: ReconDesk;
  /** Largest settlement file that is taken, bytes. */
  readonly uploadMaxBytes: number;
  /** Where it lies while it arrives. */
  readonly uploadDir: string;
}

/** A request of somebody who may make it. */
export interface ReconAsking extends AuditAsking {
  /** The token's person, and the token and address that they come from. */
  readonly actor: Actor;
}

/** Lets in and records as the audit API does, and turns faults into precise refusals. */
export function createReconDoor(deps: AuditDoorDeps) {
  const door = createAuditDoor(deps);
  return function reconDoor(scope: Scope, answer: (ctx: Context, asking: ReconAsking) => Promise<void>): Middleware {
    return door([scope], async (ctx, asking) => {
      try {
        await answer(ctx, Object.assign(asking, { actor: actorOf(ctx, asking) }));
      } catch (error) {
        throw refusalOf(ctx, error);
      }
    });
  };
}

/** Lets in who holds a token with the scope. */
export type ReconDoor = ReturnType<typeof createReconDoor>;

function actorOf(ctx: Context, { token }: AuditAsking): Actor {
  const address = ctx.req.socket.remoteAddress ?? "unknown";
  return { name: token.person ?? token.name, via: `api:${token.name}/${token.tokenId.slice(0, 8)}@${address}` };
}

/** Statuses of faults whose text tells whoever asks what to do. */
const STATUSES: Readonly<Record<string, number>> = {
  day_not_closed: 404,
  no_exception: 404,
  no_proposal: 404,
  no_settlement_file: 404,
  unknown_profile: 404,
  same_person: 403,
  other_person: 403,
  close_changed: 409,
  close_first: 409,
  close_order: 409,
  closed: 409,
  day_open: 409,
  decided: 409,
  missing_file: 409,
  not_reconciled: 409,
  proposed: 409,
  settlement_file_changed: 409,
  settlement_file_repeated: 409,
  settlement_file_resolved: 409,
  upload_aborted: 400,
  upload_slow: 408,
  upload_too_large: 413,
  account: 422,
  advice_declined: 422,
  bank_credit: 422,
  expectation: 422,
  key_reused: 422,
  no_partner: 422,
  no_payment: 422,
  not_possible: 422,
  nothing_to_reverse: 422,
  settlement_file: 422,
  settlement_profile: 422,
  settlement_totals: 422,
  supplement: 422,
  unknown_partner: 422,
  busy: 503,
  overloaded: 503,
  upload_no_room: 507,
};

/** Constraints that say more than that something is out of order. */
const BY_CONSTRAINT: Readonly<Record<string, readonly [status: number, code: string, message: string]>> = {
  exception_proposal_two_people: [403, "same_person", "who has proposed it cannot decide it"],
  exception_proposal_open_key: [409, "proposed", "a proposal about it waits for a decision already"],
};

function refusalOf(ctx: Context, error: unknown): unknown {
  if (error instanceof AuditRefusal) return error;
  const code = error instanceof Fault ? error.code : "";
  const status = STATUSES[code];
  if (error instanceof ConfigFault) return new AuditRefusal(422, "the body is not valid", [...error.problems], "body");
  if (code === "work_lost") {
    ctx.set("Retry-After", "5");
    const again = "nothing is stored by halves: the same request again tells what became of it";
    return new AuditRefusal(503, `${messageOf(error)}; ${again}`, [], code);
  }
  if (status !== undefined) {
    if (error instanceof Overloaded || status === 503) ctx.set("Retry-After", "5");
    return new AuditRefusal(status, adviceOf(error), [], code);
  }
  if (code === "commit_unknown") {
    return new AuditRefusal(503, "it is not known whether this was stored: send the same request again", [], code);
  }
  const { constraint } = error as { constraint?: unknown };
  const known = typeof constraint === "string" ? BY_CONSTRAINT[constraint] : undefined;
  if (known !== undefined) return new AuditRefusal(known[0], known[2], [], known[1]);
  const sqlState = sqlStateOf(error);
  if (sqlState === "23001") return new AuditRefusal(409, messageOf(error), [], "refused_by_books");
  if (sqlState === "55P03") {
    ctx.set("Retry-After", "5");
    return new AuditRefusal(503, "somebody else is at work on this: try again", [], "busy");
  }
  return httpRefusalOf(error) ?? error;
}

/** What reading a JSON body may refuse. */
const BODY_MESSAGES: Readonly<Record<number, string>> = {
  400: "the request body could not be read",
  413: "the request body is larger than 16 KiB",
  415: "Content-Type must be application/json, without compression",
};

function httpRefusalOf(error: unknown): AuditRefusal | null {
  const { status } = error as { status?: unknown };
  const message = typeof status === "number" ? BODY_MESSAGES[status] : undefined;
  return typeof status === "number" && message !== undefined ? new AuditRefusal(status, message) : null;
}

/** Parameters of a request. @throws AuditRefusal naming everything that is wrong with them */
export function questionOf(ctx: Context, asking: ReconAsking, specs: FilterSpecs, isList = false): Question {
  const read = readQuestion(ctx.querystring, specs, { isList });
  if (!read.ok) throw new AuditRefusal(400, "the question cannot be answered", read.problems);
  const { filters, limit, order } = read.value;
  asking.filter = isList ? { ...filters, limit, order } : filters;
  return read.value;
}

const JSON_LIMITS = { maxDepth: 8, maxBytes: 16_384 };
const readJson = jsonBody();

/** A JSON object as the body, strict; an absent body is an empty object. */
export async function jsonObjectOf(ctx: Context): Promise<Record<string, unknown>> {
  const hasBody = ctx.get("Transfer-Encoding") !== "" || !["", "0"].includes(ctx.get("Content-Length"));
  if (!hasBody) return {};
  await readJson(ctx, () => Promise.resolve());
  const parsed = parseStrictJson(rawTextOf(ctx), JSON_LIMITS);
  if (!parsed.ok) throw new AuditRefusal(422, "the body cannot be read", [parsed.detail], "body");
  return parsed.value;
}

/** A body of a known shape. @throws AuditRefusal naming everything that is wrong with it */
export async function bodyOf<Name extends ReconBody>(ctx: Context, asking: ReconAsking, name: Name) {
  questionOf(ctx, asking, {});
  const read = readReconBody(name, await jsonObjectOf(ctx));
  if (!read.ok) throw new AuditRefusal(422, "the body is not what this address takes", read.problems, "body");
  asking.filter = JSON.parse(jsonText(read.value)) as Record<string, unknown>;
  return read.value;
}

/** The key of a request that may come again; null without one. */
export function requestKeyOf(ctx: Context): string | null {
  const key = ctx.get("Idempotency-Key");
  if (key === "") return null;
  if (!/^[!-~]{8,128}$/.test(key)) {
    throw new AuditRefusal(400, "Idempotency-Key must be 8 to 128 printable characters without blanks");
  }
  return key;
}

/** JSON with amounts as digits in quotes. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === "bigint" ? each.toString() : each));
}

/** Answers with JSON. */
export function answerJson(ctx: Context, status: number, value: unknown): void {
  ctx.status = status;
  ctx.type = "application/json; charset=utf-8";
  ctx.body = jsonText(value);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const PARAMETERS = {
  uuid: [UUID, "a UUID in small letters"],
  number: [/^[1-9][0-9]{0,8}$/, "a whole number of 1 to 9 digits"],
  profile: [/^[a-z0-9][a-z0-9-]{0,39}$/, "a profile's code"],
} as const;

/** A part of the address. @throws AuditRefusal when it has another form */
export function parameterOf(ctx: Context, name: string, kind: keyof typeof PARAMETERS): string {
  const text = (ctx["params"] as Record<string, string | undefined>)[name] ?? "";
  const [pattern, form] = PARAMETERS[kind];
  if (!pattern.test(text)) throw new AuditRefusal(400, `${name} in the address must be ${form}`);
  return text;
}
