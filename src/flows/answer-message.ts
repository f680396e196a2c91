import { randomUUID } from "node:crypto";
import type { HardField, Outcome, ResultCodes } from "../domain";
import { type Clock, type Deadline, deadlineIn, type IdSource, Overloaded } from "../platform";
import { decodeRequest, parseStrictJson, type SwitchMessage, verifySignature } from "../wire";
import type { InquiryDesk } from "./answer-inquiry";
import { type ActivePartner, ANONYMOUS_CODES, type CatalogHolder } from "./catalog";
import type { PaymentAnswer, PaymentDesk } from "./payment-desk";
import { type Echo, replyWithout } from "./reply";

/** What messages are answered with. */
export interface AnswerDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly catalog: CatalogHolder;
  readonly inquiries: InquiryDesk;
  readonly payments: PaymentDesk;
  readonly onFault: (fault: unknown, where: string) => void;
}

/** The functions of the switch that one address accepts. */
export type Accepts = "any" | "inquiry" | "payment";

/** What the switch is answered, and what is worth remembering about it. */
export interface MessageAnswer {
  readonly body: string;
  readonly outcome: Outcome;
  readonly resultCode: string;
  readonly isReplay: boolean;
  /** Seconds after which a repeat makes sense; set when we are overloaded. */
  readonly retryAfterS: number | null;
  /** False when the body was not even JSON; the status is then 400 instead of 200. */
  readonly isJson: boolean;
  readonly partner: ActivePartner | null;
  readonly message: SwitchMessage | null;
  /** What could be read of a message, well-formed or not. */
  readonly echo: Echo;
  /** Hard fields in which a repeat differs from its original: somebody changed an amount or a bill. */
  readonly differing: readonly HardField[];
  readonly note: string | null;
}

/** Longest JSON text and deepest nesting of a message; a real one has two levels and under two kilobytes. */
const JSON_LIMITS = { maxDepth: 8, maxBytes: 16_384 };

/**
 * Answers one message of the switch. The order of the checks is fixed: JSON, fields, partner, signature,
 * transactionType and product, then the inquiry or payment itself. Nothing is read from bills before the signature.
 *
 * Never throws for anything that a caller can send; a fault of ours is answered UNKNOWN.
 */
export async function answerMessage(deps: AnswerDeps, rawBody: string, accepts: Accepts): Promise<MessageAnswer> {
  const receivedAtMs = deps.clock.nowMs();
  const json = parseStrictJson(rawBody, JSON_LIMITS);
  if (!json.ok) {
    const refusal = refuse(deps, "BAD_FORMAT", NOTHING_TO_ECHO, `${json.reason}: ${json.detail}`);
    return { ...refusal, isJson: json.reason !== "not-json" };
  }
  const decoded = decodeRequest(json.value);
  if (!decoded.ok) {
    const detail = decoded.faults.map(({ field, problem }) => `${field} ${problem}`).join("; ");
    return refuse(deps, "BAD_FORMAT", decoded.echo, detail);
  }

  const { message } = decoded;
  const partner = authenticate(deps.catalog, message);
  if (partner === null) return refuse(deps, "BAD_AUTH", message, null);

  const deadline = deadlineIn(deps.clock, partner.dialect.deadlineMs);
  const product = partner.productCodes.includes(message.productCode)
    ? (deps.catalog.current.products.get(message.productCode) ?? null)
    : null;
  const { transactionTypes } = partner.dialect;
  const common = { partner, product, receivedAtMs, deadline };
  if (message.transactionType === transactionTypes.inquiry && accepts !== "payment") {
    return answerInquiry(deps, { ...common, message });
  }
  if (message.transactionType === transactionTypes.payment && accepts !== "inquiry") {
    const { amount, feeAmount } = message;
    if (amount === null || feeAmount === null) return refuse(deps, "BAD_FORMAT", message, "amount missing", partner);
    return answerPayment(deps, { ...common, message: { ...message, amount, feeAmount } });
  }
  return refuse(deps, "FUNCTION_NOT_SUPPORTED", message, null, partner);
}

async function answerInquiry(deps: AnswerDeps, item: Parameters<InquiryDesk["submit"]>[0]): Promise<MessageAnswer> {
  const { partner, message } = item;
  try {
    const answer = await before(item.deadline, deps.inquiries.submit(item));
    if (answer === null) return refuse(deps, "UNKNOWN", message, null, partner);
    return { ...plain(partner, message, partner.codes, answer.outcome), body: answer.body };
  } catch (fault) {
    deps.onFault(fault, "inquiry");
    const retryAfterS = fault instanceof Overloaded ? 1 : null;
    return { ...refuse(deps, "UNKNOWN", message, null, partner), retryAfterS };
  }
}

async function answerPayment(deps: AnswerDeps, item: Parameters<PaymentDesk["submit"]>[0]): Promise<MessageAnswer> {
  const { partner, message } = item;
  const answer: PaymentAnswer = await deps.payments.submit(item);
  switch (answer.kind) {
    case "in-process":
      return refuse(deps, "IN_PROCESS", message, null, partner);
    case "unknown":
      return { ...refuse(deps, "UNKNOWN", message, null, partner), retryAfterS: answer.isOverload ? 1 : null };
    case "answered":
      return {
        ...plain(partner, message, partner.codes, answer.outcome),
        body: answer.body,
        isReplay: answer.isReplay,
        differing: answer.differing,
        note: answer.isQuoted || partner.dialect.bit61Check === "ignore" ? null : "bit61 echoes no live quote",
      };
  }
}

/** A password to check unknown users against, so that they cost the same work; it fits nobody. */
const NOBODY_PASSWORD = randomUUID();
const NOBODY_SCHEME = { outer: "sha256", joiner: "" } as const;

/** The partner whose userName and password fit the signature, or null. Every valid password is tried, always. */
function authenticate(catalog: CatalogHolder, message: SwitchMessage): ActivePartner | null {
  const partner = catalog.current.partners.get(message.userName);
  const passwords = partner === undefined || partner.passwords.length === 0 ? [NOBODY_PASSWORD] : partner.passwords;
  const scheme = partner?.dialect.signature ?? NOBODY_SCHEME;
  let isAuthentic = false;
  for (const password of passwords) {
    isAuthentic = verifySignature(message, message.signature, password, scheme) || isAuthentic;
  }
  return isAuthentic && partner !== undefined ? partner : null;
}

const NOTHING_TO_ECHO: Echo = {
  productCode: "",
  terminal: "",
  transactionType: "",
  amountText: "",
  feeAmountText: "",
  bit61: "",
  traxId: "",
  timeStamp: "",
};

function refuse(
  deps: AnswerDeps,
  outcome: Outcome,
  echo: Echo | SwitchMessage,
  detail: string | null,
  partner: ActivePartner | null = null,
): MessageAnswer {
  const codes = partner?.codes ?? ANONYMOUS_CODES;
  const stamp = { sysCode: deps.ids.sysCode(), serverMicros: deps.clock.nowMicros() };
  const message = "signature" in echo ? echo : null;
  return {
    ...plain(partner, message, codes, outcome),
    echo,
    body: replyWithout(echo, codes, outcome, stamp, detail ?? undefined),
    note: detail,
  };
}

function plain(
  partner: ActivePartner | null,
  message: SwitchMessage | null,
  codes: ResultCodes,
  outcome: Outcome,
): Omit<MessageAnswer, "body"> {
  return {
    outcome,
    resultCode: codes[outcome],
    isReplay: false,
    retryAfterS: null,
    isJson: true,
    partner,
    message,
    echo: message ?? NOTHING_TO_ECHO,
    differing: [],
    note: null,
  };
}

/** The result, or null once the deadline has passed. */
async function before<T>(deadline: Deadline, pending: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), Math.max(0, deadline.leftMs()));
  });
  try {
    return await Promise.race([pending, expiry]);
  } finally {
    clearTimeout(timer);
  }
}
