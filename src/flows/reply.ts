import { type Bill, type Dialect, type Outcome, type ResultCodes } from "../domain";
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

/** The reply to a message that was declined or whose outcome is unknown: an echo, no customer data. */
export function replyWithout(
  echo: MessageEcho,
  voice: Voice,
  outcome: Outcome,
  stamp: ReplyStamp,
  detail?: string,
): string {
  return encodeReply({
    ...frameOf(echo, voice, outcome, stamp),
    bit61: echo.bit61,
    customerData: {},
    resultDesc: detail === undefined ? DESCRIPTIONS[outcome] : `${DESCRIPTIONS[outcome]}: ${detail}`.slice(0, 100),
    bit48: "",
  });
}

/** The reply to an inquiry that shows a bill, with the bit61 that the payment is expected to bring back. */
export function replyToInquiry(
  message: SwitchMessage,
  voice: Voice,
  product: Product,
  bill: Bill,
  shown: BillShown,
  stamp: ReplyStamp,
): { readonly body: string; readonly bit61: string; readonly bodyWidth: number } {
  const values = product.valuesOf(bill, shown);
  const bit61 = product.layout.encode(values);
  const bodyWidth = bit61.length - product.layout.tailWidth;
  const body = encodeReply({
    ...frameOf(message, voice, "APPROVED", stamp),
    bit61,
    customerData: product.customerData(values),
    customerId: customerIdBeside(voice, product, bill),
    ...amountsInForm(voice, shown),
    bit48: bit48Of(voice, () => product.bit48.render(values)),
  });
  return { body, bit61, bodyWidth };
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
): string {
  const values = product.valuesOf(bill, shown);
  const isCut = voice.dialect.reply.paymentBit61 === "cut";
  const reply = product.paymentReply(message.bit61, values, isCut);
  return encodeReply({
    ...frameOf(message, voice, "APPROVED", stamp),
    ...(voice.dialect.reply.paymentAmounts === "form" ? amountsInForm(voice, shown) : {}),
    bit61: reply.bit61,
    customerData: product.customerData(reply.values),
    customerId: customerIdBeside(voice, product, bill),
    bit48: bit48Of(voice, () => product.bit48.render(values)),
  });
}

/** The reply to a payment that was taken although it fits nothing (to suspense): its own bit61, and nothing about a bill. */
export function replyToSuspense(message: SwitchMessage, voice: Voice, stamp: ReplyStamp): string {
  return encodeReply({
    ...frameOf(message, voice, "APPROVED", stamp),
    bit61: message.bit61,
    customerData: {},
    bit48: bit48Of(voice, () => ""),
  });
}

/** What all replies have: result, echoed fields, stamps. */
function frameOf(
  echo: MessageEcho,
  { dialect, codes }: Voice,
  outcome: Outcome,
  stamp: ReplyStamp,
): Omit<SwitchReply, "bit61" | "customerData" | "bit48"> {
  const echoed = (name: Dialect["reply"]["echo"][number], text: string): string | undefined =>
    dialect.reply.echo.includes(name) ? text : undefined;
  return {
    resultCode: codes[outcome],
    resultDesc: DESCRIPTIONS[outcome],
    sysCode: stamp.sysCode,
    productCode: echoed("productCode", echo.productCode),
    [dialect.request.terminalField]: echoed("terminal", echo.terminal),
    transactionType: echoed("transactionType", echo.transactionType),
    amount: echoed("amount", echo.amountText),
    feeAmount: echoed("feeAmount", echo.feeAmountText),
    traxId: echo.traxId,
    timeStamp: echoed("timeStamp", echo.timeStamp),
    timeStampServer: formatSwitchTimestamp(stamp.serverMicros, dialect.timestamp.emitted),
  };
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
