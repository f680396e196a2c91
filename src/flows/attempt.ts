import type { Dialect } from "../domain";
import { maskNumber } from "../platform";
import type { Attempt } from "../store";
import type { MessageAnswer } from "./answer-message";
import { ANONYMOUS } from "./catalog";

/** What the HTTP face knows about an attempt. */
export interface AttemptCircumstances {
  readonly attemptId: string;
  readonly receivedAtMs: number;
  readonly durationMs: number;
  readonly isDelivered: boolean;
  readonly httpStatus: number;
  readonly sourceAddress: string | null;
}

/** One row of the attempt journal, masked by the partner's rules. Costs a few microseconds: not for the hot path. */
export function attemptOf(answer: MessageAnswer, seen: AttemptCircumstances): Attempt {
  const { echo, partner } = answer;
  const rules = (partner ?? ANONYMOUS).dialect.journal;
  // One literal without spreading: this runs for every message.
  return {
    attemptId: seen.attemptId,
    receivedAtMs: seen.receivedAtMs,
    durationMs: seen.durationMs,
    isDelivered: seen.isDelivered,
    httpStatus: seen.httpStatus,
    sourceAddress: seen.sourceAddress,
    partnerId: partner?.partnerId ?? null,
    transactionType: echo.transactionType || null,
    productCode: echo.productCode || null,
    traxId: echo.traxId || null,
    outcome: answer.outcome,
    resultCode: answer.resultCode,
    isReplay: answer.isReplay,
    request: kept(REQUEST_FIELDS, answer.message ?? echo, rules),
    // Of a repeat the reply is the original's, byte for byte: it is kept once, with the original.
    reply: answer.fields === null ? null : kept(REPLY_FIELDS, answer.fields, rules),
    note: noteOf(answer),
  };
}

/** An attempt that never became a message: its body was too long, of another type, or did not arrive. */
export function refusedAttempt(seen: AttemptCircumstances, note: string): Attempt {
  return {
    ...seen,
    ...{ partnerId: null, transactionType: null, productCode: null, traxId: null },
    ...{ outcome: "BAD_FORMAT", resultCode: "", isReplay: false, request: null, reply: null, note },
  };
}

function noteOf({ differing, note }: MessageAnswer): string | null {
  return differing.length > 0 ? `tamper alarm: ${differing.join(", ")} differ` : note;
}

type Journalled = readonly (readonly [name: string, key: string])[];

/** A request's fields and where they are in a message. Signatures are never kept, whatever the rules say. */
const REQUEST_FIELDS: Journalled = [
  ...["userName", "productCode", "channel", "terminal", "terminalName", "terminalLocation", "transactionType"],
  ...["billNumber", "amount", "feeAmount", "bit61", "traxId", "timeStamp", "addInfo1", "addInfo2", "addInfo3"],
].map((name) => [name, name === "amount" || name === "feeAmount" ? `${name}Text` : name]);

const REPLY_FIELDS: Journalled = [
  ...["bit61", "customerData", "customerId", "resultCode", "resultDesc", "sysCode", "productCode", "terminal", "bit41"],
  ...["transactionType", "amount", "feeAmount", "bit48", "traxId", "timeStamp", "timeStampServer"],
].map((name) => [name, name]);

/** JSON of the fields that say something, each by its rule. Written piece by piece: half the time of an object's. */
function kept(fields: Journalled, from: object, rules: Dialect["journal"]): string {
  const values = from as Readonly<Record<string, unknown>>;
  let json = "";
  for (const [name, key] of fields) {
    const value = values[key];
    if (value === undefined || value === null || value === "") continue;
    const rule = rules[name as keyof typeof rules] ?? "keep";
    if (rule === "drop") continue;
    const isText = typeof value === "string";
    const text = isText ? value : JSON.stringify(value);
    const shown = rule === "mask" ? maskNumber(text) : rule === "length" ? `${text.length} characters` : null;
    json += `${json === "" ? "" : ","}"${name}":${shown === null && !isText ? text : quoted(shown ?? text)}`;
  }
  return `{${json}}`;
}

/** A text as JSON has it. */
function quoted(text: string): string {
  return /[^ !#-[\]-~]/.test(text) ? JSON.stringify(text) : `"${text}"`;
}
