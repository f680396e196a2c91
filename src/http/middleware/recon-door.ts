import type { Context, Middleware } from "koa";
import type { Actor, Question, ReconDesk, Scope } from "../../ops";
import { faultOf, readQuestion, type FilterSpecs, readReconBody, type ReconBody } from "../../ops";
import { ConfigFault, type Fault, messageOf } from "../../platform";
import { parseStrictJson } from "../../wire";
import { type AuditAsking, type AuditDoorDeps, AuditRefusal, createAuditDoor, refusalOfError } from "./audit-door";
import { jsonBody, rawTextOf } from "./json-body";
import { answerProblem, statusOfProblem } from "./problems";
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
  const door = createAuditDoor(deps, answerProblem);
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

/** A refusal for whatever was thrown. What no word of the table stands for is a fault of ours, never one of the database. */
function refusalOf(ctx: Context, error: unknown): AuditRefusal {
  if (error instanceof AuditRefusal) return error;
  if (error instanceof ConfigFault) return new AuditRefusal(422, "the body is not valid", [...error.problems], "body");
  const unread = httpRefusalOf(error);
  if (unread !== null) return unread;
  const general = refusalOfError(error);
  if (general.status === 503) return withRetry(ctx, general);
  const fault = faultOf(error);
  const status = statusOfProblem(fault.code);
  if (status === null || fault.code === "internal") return internalRefusal(error, fault, general);
  const refusal = new AuditRefusal(status, textOf(fault), [], fault.code);
  return status === 503 ? withRetry(ctx, refusal) : refusal;
}

/** A fault of ours: who asks learns a reference, and the log the rest. */
function internalRefusal(error: unknown, fault: Fault, general: AuditRefusal): AuditRefusal {
  const reference = /reference ([0-9a-f-]{36})$/.exec(fault.message)?.[1] ?? general.reference;
  const message = `internal fault, reference ${reference}`;
  return new AuditRefusal(500, message, [], "internal", reference, { cause: fault.cause ?? error });
}

function withRetry(ctx: Context, refusal: AuditRefusal): AuditRefusal {
  ctx.set("Retry-After", "5");
  return refusal;
}

function textOf(fault: Fault): string {
  if (fault.code === "commit_unknown") return "it is not known whether this was stored: send the same request again";
  const again = "nothing is stored by halves: the same request again tells what became of it";
  return fault.code === "work_lost" ? `${messageOf(fault)}; ${again}` : adviceOf(fault);
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
  if (!read.ok) throw new AuditRefusal(400, "the question cannot be answered", read.problems, "question");
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
    const problem = "Idempotency-Key must be 8 to 128 printable characters without blanks";
    throw new AuditRefusal(400, problem, [], "request_key");
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
  if (!pattern.test(text)) throw new AuditRefusal(400, `${name} in the address must be ${form}`, [], "address");
  return text;
}
