import { type Bill, type Outcome, type ResultCodes } from "../domain";
import { encodeReply, formatAmount, formatSwitchTimestamp, type SwitchMessage } from "../wire";
import type { ActivePartner } from "./catalog";
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

/** The fields that a reply can echo even when the message could not be understood. */
export type Echo = Pick<
  SwitchMessage,
  "productCode" | "terminal" | "transactionType" | "amountText" | "feeAmountText" | "bit61" | "traxId" | "timeStamp"
>;

/** The reply to a message that was declined or whose outcome is unknown: an echo, no customer data. */
export function replyWithout(
  echo: Echo,
  codes: ResultCodes,
  outcome: Outcome,
  stamp: ReplyStamp,
  detail?: string,
): string {
  return encodeReply({
    bit61: echo.bit61,
    customerData: {},
    resultCode: codes[outcome],
    resultDesc: detail === undefined ? DESCRIPTIONS[outcome] : `${DESCRIPTIONS[outcome]}: ${detail}`.slice(0, 100),
    sysCode: stamp.sysCode,
    productCode: echo.productCode,
    terminal: echo.terminal,
    transactionType: echo.transactionType,
    amount: echo.amountText,
    feeAmount: echo.feeAmountText,
    bit48: "",
    traxId: echo.traxId,
    timeStamp: echo.timeStamp,
    timeStampServer: formatSwitchTimestamp(stamp.serverMicros),
  });
}

/** The reply to an inquiry that shows a bill, with the bit61 that the payment is expected to bring back. */
export function replyToInquiry(
  message: SwitchMessage,
  partner: ActivePartner,
  product: Product,
  bill: Bill,
  shown: BillShown,
  stamp: ReplyStamp,
): { readonly body: string; readonly bit61: string; readonly bodyWidth: number } {
  const values = product.valuesOf(bill, shown);
  const bit61 = product.layout.encode(values);
  const bodyWidth = bit61.length - product.layout.tailWidth;
  const body = encodeReply({
    bit61,
    customerData: product.customerData(values),
    ...(product.isCustomerIdOutside ? { customerId: bill.billNumber } : {}),
    resultCode: partner.codes.APPROVED,
    resultDesc: DESCRIPTIONS.APPROVED,
    sysCode: stamp.sysCode,
    productCode: message.productCode,
    terminal: message.terminal,
    transactionType: message.transactionType,
    amount: formatAmount(shown.amount, partner.dialect.reply.amount),
    feeAmount: formatAmount(shown.feeAmount, partner.dialect.reply.feeAmount),
    bit48: product.bit48.render(values),
    traxId: message.traxId,
    timeStamp: message.timeStamp,
    timeStampServer: formatSwitchTimestamp(stamp.serverMicros),
  });
  return { body, bit61, bodyWidth };
}

/**
 * The reply to an accepted payment. bit61 is the payment's own, without its tail unless the dialect keeps it, and
 * customerData shows what that bit61 says; bit48 is printed on the customer's receipt and takes the name from the bill.
 */
export function replyToPayment(
  message: SwitchMessage,
  partner: ActivePartner,
  product: Product,
  bill: Bill,
  shown: BillShown,
  stamp: ReplyStamp,
): string {
  const values = product.valuesOf(bill, shown);
  const isCut = partner.dialect.reply.paymentBit61 === "cut";
  // A payment whose bit61 we cannot read was accepted on its amount; the reply then carries what we know ourselves.
  const received = product.layout.decode(message.bit61);
  const full = received.ok ? message.bit61 : product.layout.encode(values);
  const hasTail = !received.ok || received.hasTail;
  const bit61 = isCut && hasTail ? full.slice(0, full.length - product.layout.tailWidth) : full;
  const replied = product.layout.decode(bit61);
  return encodeReply({
    bit61,
    customerData: product.customerData(replied.ok ? replied.values : values),
    ...(product.isCustomerIdOutside ? { customerId: bill.billNumber } : {}),
    resultCode: partner.codes.APPROVED,
    resultDesc: DESCRIPTIONS.APPROVED,
    sysCode: stamp.sysCode,
    productCode: message.productCode,
    terminal: message.terminal,
    transactionType: message.transactionType,
    amount: message.amountText,
    feeAmount: message.feeAmountText,
    bit48: product.bit48.render(values),
    traxId: message.traxId,
    timeStamp: message.timeStamp,
    timeStampServer: formatSwitchTimestamp(stamp.serverMicros),
  });
}
