import { buildSignature, formatSwitchTimestamp, type SignatureScheme } from "../wire";

/** Who signs, and how. */
export interface Credentials {
  readonly userName: string;
  readonly password: string;
  readonly scheme: SignatureScheme;
}

/** The published forms of a time stamp. */
export type TimeStampForm = "seconds" | "spaced" | "milliseconds" | "offset" | "microseconds";

/** What a message says; amounts as text, so that odd forms can be sent on purpose. */
export interface MessageContent {
  readonly productCode: string;
  readonly transactionType: string;
  readonly billNumber: string;
  readonly amount: string;
  readonly feeAmount: string;
  readonly bit61: string;
  readonly traxId: string;
  /** As it is signed and sent. */
  readonly timeStamp: string;
}

/** transactionType by function: 38 and 50 are published, 51 was seen in client code. */
export const TRANSACTION_TYPES = { inquiry: "38", payment: "50", reversal: "51" } as const;

const CHANNEL = "6017";
const TERMINAL = "SIMULATE";

/** A signed message with every field of the published request table, in its order. */
export function signedMessage(content: MessageContent, credentials: Credentials): Record<string, string> {
  const { userName, password, scheme } = credentials;
  const signed = { ...content, userName, channel: CHANNEL, terminal: TERMINAL };
  return {
    userName,
    signature: buildSignature(signed, password, scheme),
    productCode: content.productCode,
    channel: CHANNEL,
    terminal: TERMINAL,
    terminalName: "FINPAY SIMULATOR",
    terminalLocation: "SIMULATION",
    transactionType: content.transactionType,
    billNumber: content.billNumber,
    amount: content.amount,
    feeAmount: content.feeAmount,
    bit61: content.bit61,
    traxId: content.traxId,
    timeStamp: content.timeStamp,
    addInfo1: "",
    addInfo2: "",
    addInfo3: "",
  };
}

/** An instant (microseconds since the epoch) in one of the published forms, Western Indonesian time. */
export function timeStampText(epochMicros: bigint, form: TimeStampForm): string {
  const seconds = formatSwitchTimestamp(epochMicros, "seconds");
  if (form === "spaced") return seconds.replaceAll(":", ": ");
  if (form === "offset") return `${seconds}:+07:00`;
  return formatSwitchTimestamp(epochMicros, form);
}
