import type { HardField, Outcome } from "../domain";
import { type Clock, type Deadline, deadlineIn, type IdSource, Overloaded } from "../platform";
import { decodeRequest, type MessageEcho, parseStrictJson, type SwitchMessage, type SwitchReply } from "../wire";
import type { InquiryDesk } from "./answer-inquiry";
import { authenticate } from "./authenticate";
import { type ActivePartner, ANONYMOUS, type Catalog, type CatalogHolder } from "./catalog";
import { deviationsOf, timestampFacts } from "./deviations";
import type { DriftMeter } from "./drift-meter";
import type { PaymentAnswer, PaymentDesk } from "./payment-desk";
import type { PaymentItem } from "./post-payments";
import type { ReversalDesk } from "./post-reversal";
import type { Reach } from "./posting-point";
import { replyWithout, type Voice } from "./reply";

/** What messages are answered with. */
export interface AnswerDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly catalog: CatalogHolder;
  readonly inquiries: InquiryDesk;
  readonly payments: PaymentDesk;
  readonly reversals: ReversalDesk;
  readonly drift: Pick<DriftMeter, "note">;
  readonly onFault: (fault: unknown, where: string) => void;
  readonly reach?: Reach;
}

/** The functions of the switch that one address accepts. */
export type Accepts = "any" | "inquiry" | "payment";

/** What the switch is answered, and what is worth remembering about it. */
export interface MessageAnswer {
  readonly body: string;
  /** What the body was made from; null for a replay. */
  readonly fields: SwitchReply | null;
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
  readonly echo: MessageEcho;
  /** Hard fields in which a repeat differs from its original: somebody changed an amount or a bill. */
  readonly differing: readonly HardField[];
  readonly note: string | null;
}

/** Longest JSON text and deepest nesting of a message; a real one has two levels and under two kilobytes. */
const JSON_LIMITS = { maxDepth: 8, maxBytes: 16_384 };

/** A message as it arrived. */
export interface Arrival {
  readonly rawBody: string;
  readonly accepts: Accepts;
  /** Address of the other end of the connection; null when it is gone. */
  readonly sourceAddress: string | null;
}

/**
 * Answers one message of the switch. The order of the checks is fixed: JSON, fields, partner, source address, signature,
 * transactionType and product, then the inquiry or payment itself. Nothing is read from bills before the signature.
 *
 * Never throws for anything that a caller can send; a fault of ours is answered UNKNOWN.
 */
export async function answerMessage(deps: AnswerDeps, arrival: Arrival): Promise<MessageAnswer> {
  const receivedAtMs = deps.clock.nowMs();
  const catalog = deps.catalog.current;
  const json = parseStrictJson(arrival.rawBody, JSON_LIMITS);
  if (!json.ok) {
    const refusal = refuse(deps, "BAD_FORMAT", NOTHING_TO_ECHO, `${json.reason}: ${json.detail}`);
    return { ...refusal, isJson: json.reason !== "not-json" };
  }
  const decoded = decodeRequest(json.value, inquiryTypeOf(catalog, json.value["userName"]));
  if (!decoded.ok) {
    const detail = decoded.faults.map(({ field, problem }) => `${field} ${problem}`).join("; ");
    return refuse(deps, "BAD_FORMAT", decoded.echo, detail);
  }

  if (deps.reach !== undefined) await deps.reach("parsed");
  const { message } = decoded;
  const partner = authenticate(catalog, message, arrival.sourceAddress);
  if (partner === null) return refuse(deps, "BAD_AUTH", message, null);

  if (deps.reach !== undefined) await deps.reach("authenticated");
  const { dialect } = partner;
  const stamp = timestampFacts(message.timeStamp, dialect);
  deps.drift.note(partner, deviationsOf(message, stamp, dialect));
  if (dialect.timestamp.others === "refuse" && !stamp.isExpected) {
    return refuse(deps, "BAD_FORMAT", message, "timeStamp has not the agreed form", partner);
  }
  const deadline = deadlineIn(deps.clock, dialect.deadlineMs);
  const product = partner.productCodes.includes(message.productCode)
    ? (catalog.products.get(message.productCode) ?? null)
    : null;
  const { windowMs } = dialect.timestamp;
  const isFresh =
    windowMs === null ||
    (stamp.instantMicros !== null && Math.abs(Number(stamp.instantMicros / 1000n) - receivedAtMs) <= windowMs);
  const { accepts } = arrival;
  if (message.transactionType === dialect.transactionTypes.inquiry && accepts !== "payment") {
    if (!isFresh) return refuse(deps, "BAD_AUTH", message, "timeStamp is outside the agreed window", partner);
    return answerInquiry(deps, { partner, product, message, receivedAtMs, deadline });
  }
  const isPayment = message.transactionType === dialect.transactionTypes.payment && accepts !== "inquiry";
  const isReversal = message.transactionType === dialect.transactionTypes.reversal && accepts === "any";
  if (isPayment || isReversal) {
    if (!carriesMoney(message)) return refuse(deps, "BAD_FORMAT", message, "amount missing", partner);
    const item = { partner, product, message, receivedAtMs, deadline, isFresh };
    return answerPosting(deps, isPayment ? deps.payments : deps.reversals, item);
  }
  return refuse(deps, "FUNCTION_NOT_SUPPORTED", message, null, partner);
}

function carriesMoney(message: SwitchMessage): message is PaymentItem["message"] {
  return message.amount !== null && message.feeAmount !== null;
}

/** The transactionType of an inquiry for the partner that a message claims to be from: inquiries may leave money out. */
function inquiryTypeOf({ partners }: Catalog, userName: unknown): string {
  const partner = typeof userName === "string" ? partners.get(userName) : undefined;
  return (partner ?? ANONYMOUS).dialect.transactionTypes.inquiry;
}

async function answerInquiry(deps: AnswerDeps, item: Parameters<InquiryDesk["submit"]>[0]): Promise<MessageAnswer> {
  const { partner, message } = item;
  try {
    const answer = await before(item.deadline, deps.inquiries.submit(item));
    return answer === null ? refuse(deps, "UNKNOWN", message, null, partner) : answered(partner, message, answer);
  } catch (fault) {
    deps.onFault(fault, "inquiry");
    const retryAfterS = fault instanceof Overloaded ? 1 : null;
    return { ...refuse(deps, "UNKNOWN", message, null, partner), retryAfterS };
  }
}

async function answerPosting(
  deps: AnswerDeps,
  desk: PaymentDesk | ReversalDesk,
  item: PaymentItem,
): Promise<MessageAnswer> {
  const { partner, message } = item;
  const answer: PaymentAnswer = await desk.submit(item);
  switch (answer.kind) {
    case "in-process":
      return refuse(deps, "IN_PROCESS", message, null, partner);
    case "unknown":
      return { ...refuse(deps, "UNKNOWN", message, null, partner), retryAfterS: answer.isOverload ? 1 : null };
    case "answered": {
      if (answer.isQuoted || partner.dialect.bit61Check === "ignore") return answered(partner, message, answer);
      deps.drift.note(partner, [{ field: "bit61", kind: "echoes no live quote" }]);
      return answered(partner, message, answer, "bit61 echoes no live quote");
    }
  }
}

const NOTHING_TO_ECHO: MessageEcho = {
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
  echo: MessageEcho | SwitchMessage,
  detail: string | null,
  partner: ActivePartner | null = null,
): MessageAnswer {
  const voice: Voice = partner ?? ANONYMOUS;
  const stamp = { sysCode: deps.ids.sysCode(), serverMicros: deps.clock.nowMicros() };
  const message = "signature" in echo ? echo : null;
  const { body, fields } = replyWithout(echo, voice, outcome, stamp, detail ?? undefined);
  return answered(partner, message, { outcome, body, fields, note: detail }, null, echo);
}

/** What is known of an answer, from whoever gave it. */
type Given = Pick<MessageAnswer, "outcome" | "body" | "fields"> &
  Partial<Pick<MessageAnswer, "isReplay" | "differing" | "note">>;

/** One literal, so that every answer has the same hidden class. */
function answered(
  partner: ActivePartner | null,
  message: SwitchMessage | null,
  given: Given,
  remark: string | null = null,
  echo: MessageEcho = message ?? NOTHING_TO_ECHO,
): MessageAnswer {
  return {
    body: given.body,
    fields: given.fields,
    outcome: given.outcome,
    resultCode: (partner ?? ANONYMOUS).codes[given.outcome],
    isReplay: given.isReplay ?? false,
    retryAfterS: null,
    isJson: true,
    partner,
    message,
    echo,
    differing: given.differing ?? [],
    note: given.note ?? remark,
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
