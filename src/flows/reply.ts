import { type Bill, type Dialect, type Outcome, outstandingItemsOf, type ResultCodes } from "../domain";
import {
  encodeReply,
  formatAmount,
  formatSwitchTimestamp,
  type MessageEcho,
  type SwitchMessage,
  type SwitchReply,
} from "../wire";
import type { BillShown, Product } from "./product-definition";

/** Text of resultDesc for each outcome: what the switch's operators read. Only "Approve" is a published text. */
const DESCRIPTIONS = {
  APPROVED: "Approve",
  IN_PROCESS: "In process, repeat with the same traxId",
  UNKNOWN: "Outcome not known, repeat with the same traxId",
  CONFLICT: "traxId already used for another payment",
  ALREADY_PAID: "Bill already paid",
  BILL_NOT_FOUND: "Bill not found",
  EXPIRED: "Bill expired",
  CANCELLED: "Bill cancelled",
  BAD_AMOUNT: "Amount differs from the bill",
  BAD_FEE: "feeAmount differs from the bill",
  NO_INQUIRY: "No inquiry for this payment",
  NOT_FOUND: "Payment not found",
  REVERSED: "Payment was reversed",
  ALREADY_REVERSED: "Payment already reversed",
  NOT_REVERSIBLE: "Payment can no longer be reversed",
  PRODUCT_NOT_ALLOWED: "Product not available",
  FUNCTION_NOT_SUPPORTED: "transactionType not supported",
  BAD_AUTH: "Not authorised",
  BAD_FORMAT: "Format error",
  CUT_OFF: "Closed for cut-off",
} as const satisfies Record<Outcome, string>;

/** What every reply is made from besides the message it answers. */
export interface ReplyStamp {
  readonly sysCode: string;
  /** Microseconds since the epoch, for timeStampServer. */
  readonly serverMicros: bigint;
}

/** How a partner is spoken to. */
export interface Voice {
  readonly dialect: Dialect;
  readonly codes: ResultCodes;
}

/** A reply: its bytes, and the fields that they were made from. */
export interface Reply {
  readonly body: string;
  readonly fields: SwitchReply;
}

/** The reply to a message that was declined or whose outcome is unknown: an echo, no customer data. */
export function replyWithout(
  echo: MessageEcho,
  voice: Voice,
  outcome: Outcome,
  stamp: ReplyStamp,
  detail?: string,
): Reply {
  const said = { bit61: echo.bit61, customerData: {}, bit48: "" };
  if (detail === undefined) return replyOf(echo, voice, outcome, stamp, said);
  const resultDesc = `${DESCRIPTIONS[outcome]}: ${detail}`.slice(0, 100);
  return replyOf(echo, voice, outcome, stamp, { ...said, resultDesc });
}

/** The reply to an inquiry that shows a bill, with the bit61 that the payment is expected to bring back. */
export function replyToInquiry(
  message: SwitchMessage,
  voice: Voice,
  product: Product,
  bill: Bill,
  shown: BillShown,
  stamp: ReplyStamp,
): Reply & { readonly bit61: string; readonly bodyWidth: number } {
  const values = product.valuesOf(bill, shown);
  const bit61 = product.layout.encode(values);
  const bodyWidth = bit61.length - product.layout.tailWidth;
  const { body, fields } = replyOf(message, voice, "APPROVED", stamp, {
    bit61,
    customerData: product.customerData(values),
    customerId: customerIdBeside(voice, product, bill),
    amounts: amountsInForm(voice, shown),
    bit48: bit48Of(voice, () => product.bit48.render(values)),
  });
  return { body, fields, bit61, bodyWidth };
}

/**
 * The reply to an accepted payment. bit61 is the payment's own, without its tail unless the dialect keeps it, or what the
 * product has for this message, and customerData shows what that bit61 says; bit48 is printed on the customer's receipt and takes the name from the bill.
 */
export function replyToPayment(
  message: SwitchMessage,
  voice: Voice,
  product: Product,
  bill: Bill,
  shown: BillShown,
  stamp: ReplyStamp,
): Reply {
  const values = product.valuesOf(bill, shown);
  const isCut = voice.dialect.reply.paymentBit61 === "cut";
  const reply = product.paymentReply(message.bit61, values, isCut);
  return replyOf(message, voice, "APPROVED", stamp, {
    bit61: reply.bit61,
    customerData: product.customerData(reply.values),
    customerId: customerIdBeside(voice, product, bill),
    amounts: voice.dialect.reply.paymentAmounts === "form" ? amountsInForm(voice, shown) : undefined,
    bit48: bit48Of(voice, () => product.bit48.render(values)),
  });
}

/** What a payment covers: the oldest items that are still owed, up to its amount and to what one message holds. */
export function shownBy(
  bill: Bill,
  { amount, feeAmount }: { readonly amount: bigint; readonly feeAmount: bigint },
  product: Product,
): BillShown {
  let left = amount;
  const items = outstandingItemsOf(bill).filter((owed) => {
    const isCovered = left > 0n;
    left -= owed.outstanding;
    return isCovered;
  });
  return { items: items.slice(0, product.rules.itemsMax), amount, feeAmount };
}

/** The reply to a payment that was taken although it fits nothing (to suspense): its own bit61, and nothing about a bill. */
export function replyToSuspense(message: SwitchMessage, voice: Voice, stamp: ReplyStamp): Reply {
  const said = { bit61: message.bit61, customerData: {}, bit48: bit48Of(voice, () => "") };
  return replyOf(message, voice, "APPROVED", stamp, said);
}

/** What a reply says beside its result, what it echoes, and its stamps. */
interface Said {
  readonly bit61: string;
  readonly customerData: SwitchReply["customerData"];
  readonly bit48: string;
  readonly customerId?: string | undefined;
  /** In place of the echoed ones. */
  readonly amounts?: { readonly amount: string; readonly feeAmount: string } | undefined;
  readonly resultDesc?: string;
}

/** Written as one literal: replies are made for every message, and spreading objects together costs several times that. */
function replyOf(echo: MessageEcho, { dialect, codes }: Voice, outcome: Outcome, stamp: ReplyStamp, said: Said): Reply {
  const echoed = (name: Dialect["reply"]["echo"][number], text: string): string | undefined =>
    dialect.reply.echo.includes(name) ? text : undefined;
  const terminal = echoed("terminal", echo.terminal);
  const isTerminal = dialect.request.terminalField === "terminal";
  const fields: SwitchReply = {
    bit61: said.bit61,
    customerData: said.customerData,
    customerId: said.customerId,
    resultCode: codes[outcome],
    resultDesc: said.resultDesc ?? DESCRIPTIONS[outcome],
    sysCode: stamp.sysCode,
    productCode: echoed("productCode", echo.productCode),
    terminal: isTerminal ? terminal : undefined,
    bit41: isTerminal ? undefined : terminal,
    transactionType: echoed("transactionType", echo.transactionType),
    amount: said.amounts?.amount ?? echoed("amount", echo.amountText),
    feeAmount: said.amounts?.feeAmount ?? echoed("feeAmount", echo.feeAmountText),
    bit48: said.bit48,
    traxId: echo.traxId,
    timeStamp: echoed("timeStamp", echo.timeStamp),
    timeStampServer: formatSwitchTimestamp(stamp.serverMicros, dialect.timestamp.emitted),
  };
  return { body: encodeReply(fields), fields };
}

function amountsInForm({ dialect }: Voice, shown: BillShown): { amount: string; feeAmount: string } {
  return {
    amount: formatAmount(shown.amount, dialect.reply.amount),
    feeAmount: formatAmount(shown.feeAmount, dialect.reply.feeAmount),
  };
}

function customerIdBeside({ dialect }: Voice, product: Product, bill: Bill): string | undefined {
  const { customerId } = dialect.reply;
  const isOutside = customerId === "outside" || (customerId === "product" && product.isCustomerIdOutside);
  return isOutside ? bill.billNumber : undefined;
}

function bit48Of({ dialect }: Voice, render: () => string): string {
  if (dialect.reply.bit48 === "template") return render();
  return dialect.reply.bit48 === "null" ? "null" : "";
}
