import { firstNonPrintable } from "./ascii";
import type { CustomerData } from "./customer-data";
import { parseAmount } from "./rupiah-text";
import type { SignedFields } from "./signature";

/**
 * A message of the switch, checked field by field. Texts are exactly as received, since they are signed and echoed;
 * amounts are beside them as whole rupiah.
 * Source: docs.finpay.id, Finpay Billing, Core API, request tables; widths in `REQUEST_FIELDS`.
 */
export interface SwitchMessage extends SignedFields {
  readonly signature: string;
  readonly terminalName: string;
  readonly terminalLocation: string;
  readonly amountText: string;
  readonly feeAmountText: string;
  /** Null only where the message may leave it out (an inquiry). */
  readonly amount: bigint | null;
  readonly feeAmount: bigint | null;
  readonly bit61: string;
  readonly addInfo1: string;
  readonly addInfo2: string;
  readonly addInfo3: string;
  /** Name under which the terminal came: some messages call it by its ISO 8583 number. */
  readonly terminalField: TerminalField;
  /** Names of fields that no table knows, at most 20, each cut to 40 characters; their values were not looked at. */
  readonly unknownFields: readonly string[];
}

/** The two names of the terminal. */
export type TerminalField = "terminal" | "bit41";

/** One field that is missing or not as it must be. `problem` never repeats the value. */
export interface FieldFault {
  readonly field: string;
  readonly problem: string;
}

/** What of a message that cannot be understood may be sent back: fields that are well-formed, "" for the others. */
export type MessageEcho = Pick<
  SwitchMessage,
  "productCode" | "terminal" | "transactionType" | "amountText" | "feeAmountText" | "bit61" | "traxId" | "timeStamp"
>;

/** What decoding a request gives. */
export type DecodedRequest =
  | { readonly ok: true; readonly message: SwitchMessage }
  | { readonly ok: false; readonly faults: readonly FieldFault[]; readonly echo: MessageEcho };

interface RequestField {
  readonly min: number;
  readonly max: number;
  /** Default: printable ASCII. */
  readonly form?: { readonly pattern: RegExp; readonly must: string };
  /** `always`, only in messages that carry money, or `never`. */
  readonly required: "always" | "money" | "never";
}

const DIGITS = { pattern: /^[0-9]*$/, must: "must be digits only" };
const ALPHANUMERIC = { pattern: /^[A-Za-z0-9]*$/, must: "must be letters and digits only" };
const AMOUNT = { pattern: /^[0-9]{1,12}$/, must: "must be whole rupiah, one to twelve digits" };

/**
 * Every request field with its length in characters. Longer than published where samples are: signature (SHA-256 has 64
 * digits, the table allows 40), billNumber (BPJS sends 16, the table allows 13), timeStamp (one form has 27).
 * `terminal` must be exactly 8, padded with blanks, and productCode, channel and transactionType are fixed anyway: the
 * signature joins fields with nothing between them, and only fixed widths keep one signature from fitting two messages.
 * That leaves billNumber beside traxId, both of any width here: a product's rules fix the width of its billNumber.
 */
const REQUEST_FIELDS = {
  userName: { min: 1, max: 100, required: "always" },
  signature: { min: 1, max: 128, form: ALPHANUMERIC, required: "always" },
  productCode: { min: 6, max: 6, form: ALPHANUMERIC, required: "always" },
  channel: { min: 4, max: 4, form: ALPHANUMERIC, required: "always" },
  terminal: { min: 8, max: 8, required: "always" },
  terminalName: { min: 0, max: 20, required: "never" },
  terminalLocation: { min: 0, max: 30, required: "never" },
  transactionType: { min: 2, max: 2, form: DIGITS, required: "always" },
  billNumber: { min: 1, max: 20, form: ALPHANUMERIC, required: "always" },
  amount: { min: 1, max: 12, form: AMOUNT, required: "money" },
  feeAmount: { min: 1, max: 12, form: AMOUNT, required: "money" },
  bit61: { min: 1, max: 999, required: "money" },
  traxId: {
    min: 1,
    max: 32,
    form: { pattern: /^[A-Za-z0-9._-]*$/, must: "must be letters, digits, dots, dashes and underscores only" },
    required: "always",
  },
  timeStamp: { min: 1, max: 32, required: "always" },
  addInfo1: { min: 0, max: 50, required: "never" },
  addInfo2: { min: 0, max: 100, required: "never" },
  addInfo3: { min: 0, max: 999, required: "never" },
} as const satisfies Record<string, RequestField>;

type RequestFieldName = keyof typeof REQUEST_FIELDS;

const UNKNOWN_FIELDS_MAX = 20;
const UNKNOWN_NAME_MAX = 40;

/**
 * Checks a request of the switch: every field text, of its length, in its alphabet. Reports all faults at once. Fields
 * that are not known are ignored, but named. Never throws.
 *
 * @param inquiryType transactionType of an inquiry, which asks what is owed and so may leave the money out (samples send
 * zeros)
 */
export function decodeRequest(value: Readonly<Record<string, unknown>>, inquiryType = "38"): DecodedRequest {
  const carriesMoney = value["transactionType"] !== inquiryType;
  const faults: FieldFault[] = [];
  const own = (name: string): unknown => (Object.hasOwn(value, name) ? value[name] : undefined);
  const terminalField: TerminalField =
    own("terminal") === undefined && own("bit41") !== undefined ? "bit41" : "terminal";
  if (terminalField === "terminal" && own("bit41") !== undefined && own("bit41") !== own("terminal")) {
    faults.push({ field: "bit41", problem: "differs from terminal" });
  }
  const read = (name: RequestFieldName, given = own(name)): string => {
    const field: RequestField = REQUEST_FIELDS[name];
    const isRequired = field.required === "always" || (field.required === "money" && carriesMoney);
    const problem = problemOf(given, field, isRequired);
    if (problem !== null) faults.push({ field: name, problem });
    return problem === null && typeof given === "string" ? given : "";
  };
  // In the order of the table, in which faults are reported; one literal, so that all messages have one hidden class.
  const texts = {
    userName: read("userName"),
    signature: read("signature"),
    productCode: read("productCode"),
    channel: read("channel"),
    terminal: read("terminal", own(terminalField)),
    terminalName: read("terminalName"),
    terminalLocation: read("terminalLocation"),
    transactionType: read("transactionType"),
    billNumber: read("billNumber"),
    amountText: read("amount"),
    feeAmountText: read("feeAmount"),
    bit61: read("bit61"),
    traxId: read("traxId"),
    timeStamp: read("timeStamp"),
    addInfo1: read("addInfo1"),
    addInfo2: read("addInfo2"),
    addInfo3: read("addInfo3"),
  };
  if (faults.length > 0) {
    const { productCode, terminal, transactionType, amountText, feeAmountText, bit61, traxId, timeStamp } = texts;
    const echo = { productCode, terminal, transactionType, amountText, feeAmountText, bit61, traxId, timeStamp };
    return { ok: false, faults, echo };
  }
  const message: SwitchMessage = {
    ...texts,
    amount: parseAmount(texts.amountText),
    feeAmount: parseAmount(texts.feeAmountText),
    terminalField,
    unknownFields: unknownFieldsOf(value),
  };
  return { ok: true, message };
}

function unknownFieldsOf(value: Readonly<Record<string, unknown>>): string[] {
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(REQUEST_FIELDS, name) && name !== "bit41");
  return unknown.slice(0, UNKNOWN_FIELDS_MAX).map((name) => name.slice(0, UNKNOWN_NAME_MAX));
}

function problemOf(given: unknown, field: RequestField, isRequired: boolean): string | null {
  if (given === undefined || (given === "" && !isRequired)) return isRequired ? "is missing" : null;
  if (typeof given !== "string") return "must be text";
  const { min, max, form } = field;
  if (given.length < min || given.length > max) {
    return min === max ? `must have exactly ${max} characters` : `must have ${min} to ${max} characters`;
  }
  // What fits a form is printable: all forms are.
  if (form !== undefined && form.pattern.test(given)) return null;
  if (firstNonPrintable(given) !== -1) return "must be printable ASCII";
  return form === undefined ? null : form.must;
}

/** A reply, as texts ready for the wire. What is undefined is left out: a dialect may have fewer fields echoed. */
export interface SwitchReply {
  readonly bit61: string;
  readonly customerData: CustomerData;
  /** Only for products whose samples carry it beside customerData. */
  readonly customerId?: string | undefined;
  readonly resultCode: string;
  readonly resultDesc: string;
  readonly sysCode: string;
  readonly productCode?: string | undefined;
  /** The terminal under one of its two names. */
  readonly terminal?: string | undefined;
  readonly bit41?: string | undefined;
  readonly transactionType?: string | undefined;
  readonly amount?: string | undefined;
  readonly feeAmount?: string | undefined;
  readonly bit48: string;
  readonly traxId: string;
  readonly timeStamp?: string | undefined;
  readonly timeStampServer: string;
}

/**
 * The bytes of a reply, keys in the order of the published payment sample. traxId is echoed whole, although the response
 * table allows 18 characters where the request table allows 32.
 */
export function encodeReply(reply: SwitchReply): string {
  return JSON.stringify({
    bit61: reply.bit61,
    customerData: reply.customerData,
    customerId: reply.customerId,
    resultCode: reply.resultCode,
    resultDesc: reply.resultDesc,
    sysCode: reply.sysCode,
    productCode: reply.productCode,
    terminal: reply.terminal,
    bit41: reply.bit41,
    transactionType: reply.transactionType,
    amount: reply.amount,
    feeAmount: reply.feeAmount,
    bit48: reply.bit48,
    traxId: reply.traxId,
    timeStamp: reply.timeStamp,
    timeStampServer: reply.timeStampServer,
  });
}
