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

type Fields = Readonly<Record<string, unknown>>;

/** One row of the attempt journal, masked by the partner's rules. Costs a few microseconds: not for the hot path. */
export function attemptOf(answer: MessageAnswer, seen: AttemptCircumstances): Attempt {
  const { echo, partner } = answer;
  const rules = (partner ?? ANONYMOUS).dialect.journal;
  return {
    ...seen,
    partnerId: partner?.partnerId ?? null,
    transactionType: echo.transactionType || null,
    productCode: echo.productCode || null,
    traxId: echo.traxId || null,
    outcome: answer.outcome,
    resultCode: answer.resultCode,
    isReplay: answer.isReplay,
    request: requestOf(answer, rules),
    // Of a repeat the reply is the original's, byte for byte: it is kept once, with the original.
    reply: answer.isReplay ? null : masked(JSON.parse(answer.body) as Fields, rules),
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

function requestOf({ message, echo }: MessageAnswer, rules: Dialect["journal"]): Fields {
  const { amountText, feeAmountText, ...rest } = message ?? echo;
  const asOnTheWire: Record<string, unknown> = { ...rest, amount: amountText, feeAmount: feeAmountText };
  // Our own remarks about the message are no part of it.
  delete asOnTheWire["terminalField"];
  delete asOnTheWire["unknownFields"];
  return masked(asOnTheWire, rules);
}

/** Signatures are never kept, whatever the rules say. */
function masked(fields: Fields, rules: Dialect["journal"]): Fields {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (name === "signature" || value === "" || value === null) continue;
    const rule = Object.hasOwn(rules, name) ? rules[name as keyof typeof rules] : "keep";
    const text = typeof value === "string" ? value : JSON.stringify(value);
    if (rule === "keep") kept[name] = value;
    else if (rule === "mask") kept[name] = maskNumber(text);
    else if (rule === "length") kept[name] = `${text.length} characters`;
  }
  return kept;
}
