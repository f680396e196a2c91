import type { Dialect, TimestampForm } from "../domain";
import { formOfSwitchTimestamp, parseSwitchTimestamp, type SwitchMessage } from "../wire";

/** One way in which a message differs from its partner's dialect and was understood all the same. */
export interface Deviation {
  /** Name of the field, as it is on the wire. */
  readonly field: string;
  /** What about it: a short word that never holds a value. */
  readonly kind: string;
}

/** What can be seen in a time stamp. */
export interface TimestampFacts {
  /** Microseconds since the epoch; null when it is no time. */
  readonly instantMicros: bigint | null;
  /** Null when it is no time. */
  readonly form: TimestampForm | null;
  readonly isExpected: boolean;
}

/** Reads a message's time stamp as its partner's dialect has it. */
export function timestampFacts(text: string, dialect: Dialect): TimestampFacts {
  const instantMicros = parseSwitchTimestamp(text);
  const form: TimestampForm | null = instantMicros === null ? null : formOfSwitchTimestamp(text);
  return { instantMicros, form, isExpected: form !== null && dialect.timestamp.accepted.includes(form) };
}

/** Everything in which an authentic message differs from its dialect, in the order of its fields. */
export function deviationsOf(message: SwitchMessage, stamp: TimestampFacts, dialect: Dialect): Deviation[] {
  const found: Deviation[] = [];
  const add = (field: string, kind: string | null): void => {
    if (kind !== null) found.push({ field, kind });
  };
  add("signature", caseOf(message.signature, dialect.signature.hexCase));
  if (message.terminalField !== dialect.request.terminalField) add("terminal", `named ${message.terminalField}`);
  // An inquiry's amounts mean nothing, and samples send a bare 0 whatever the form.
  if (message.transactionType !== dialect.transactionTypes.inquiry) {
    add("amount", formOf(message.amountText, dialect.request.amount));
    add("feeAmount", formOf(message.feeAmountText, dialect.request.feeAmount));
  }
  if (stamp.form === null) add("timeStamp", "no time");
  else if (!stamp.isExpected) add("timeStamp", `form ${stamp.form}`);
  for (const field of message.unknownFields) add(field, "not in the tables");
  return found;
}

function caseOf(signature: string, expected: "lower" | "upper"): string | null {
  const other = expected === "lower" ? /[A-F]/ : /[a-f]/;
  return other.test(signature) ? `not ${expected} case` : null;
}

function formOf(text: string, expected: "lpz12" | "bare"): string | null {
  if (expected === "lpz12") return text.length === 12 ? null : "not padded to twelve digits";
  return text.length > 1 && text.startsWith("0") ? "padded with zeros" : null;
}
