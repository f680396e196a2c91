import type { CompiledLayout } from "../../wire";
import type { Credentials } from "../message";
import { signedMessage, timeStampText, TRANSACTION_TYPES } from "../message";
import { withoutTail } from "./bit61";
import type { MessageSpec, MoneyForm } from "./case";
import type { Draw } from "./draw";

/** What the latest inquiry of a bill answered. Whole rupiah. */
export interface Quoted {
  readonly amount: bigint;
  readonly feeAmount: bigint;
  readonly bit61: string;
}

/** What messages of one case are built from. */
export interface BuildContext {
  readonly caseName: string;
  readonly productCode: string;
  readonly billNumbers: readonly string[];
  readonly quotes: ReadonlyMap<string, Quoted>;
  readonly credentials: Credentials;
  readonly previousPassword: string | null;
  readonly layout: CompiledLayout | null;
  readonly draw: Draw;
}

/** Functions of the switch, as steps name them. */
export type StepFunction = "inquire" | "pay" | "reverse";

const TYPES = {
  inquire: TRANSACTION_TYPES.inquiry,
  pay: TRANSACTION_TYPES.payment,
  reverse: TRANSACTION_TYPES.reversal,
} as const;
const TRAX_LENGTH = 16;
const NOBODYS_PRODUCT = "999999";

/**
 * The body of a message as a step describes it, signed for this moment.
 *
 * @param each told apart from the other messages of a storm whose traxIds are their own; "" when there is one
 */
export function buildBody(
  spec: MessageSpec,
  kind: StepFunction,
  context: BuildContext,
  nowMicros: bigint,
  each = "",
): string {
  const { credentials, draw, caseName, billNumbers } = context;
  const billNumber = billNumberOf(spec, context);
  const isInquiry = kind === "inquire";
  const quote = context.quotes.get(billNumber) ?? { amount: 10_000n, feeAmount: 0n, bit61: billNumber };
  const trax = `${spec.trax ?? (isInquiry ? "inquiry" : "payment")}${each}`;
  const skewMicros = BigInt(spec.skewMinutes ?? 0) * 60_000_000n;
  const content = {
    productCode: spec.productCode === "unknown" ? NOBODYS_PRODUCT : context.productCode,
    transactionType: spec.transactionType ?? TYPES[kind],
    billNumber,
    amount: moneyText(spec.amount, isInquiry ? 0n : quote.amount, isInquiry ? "bare" : "padded"),
    feeAmount: moneyText(spec.fee, isInquiry ? 0n : quote.feeAmount, "bare"),
    bit61: bit61Of(spec, isInquiry ? billNumber : quote.bit61, billNumber, context.layout),
    traxId: `U${draw.digits((spec.traxLength ?? TRAX_LENGTH) - 1, caseName, trax, ...billNumbers)}`,
    timeStamp: timeStampText(nowMicros + skewMicros, spec.timeStamp ?? "microseconds"),
  };
  const password = passwordOf(spec, context);
  const message: Record<string, unknown> = signedMessage(content, { ...credentials, password });
  if (spec.terminalAs === "bit41") {
    message["bit41"] = message["terminal"];
    delete message["terminal"];
  }
  for (const name of spec.leaveOut ?? []) delete message[name];
  return JSON.stringify({ ...message, ...spec.set });
}

/** The bill that a message is about. */
export function billNumberOf({ bill = 0 }: MessageSpec, { billNumbers, draw, caseName }: BuildContext): string {
  const first = billNumbers[0] ?? "";
  if (bill === "unknown") return `9${draw.digits(Math.max(first.length, 2) - 1, caseName, "unknown bill")}`;
  return billNumbers[bill] ?? first;
}

function moneyText(form: MoneyForm | undefined, value: bigint, usual: "bare" | "padded"): string {
  if (typeof form === "object" && "text" in form) return form.text;
  const whole = typeof form === "object" ? value + form.plus : value;
  const digits = (whole < 0n ? 0n : whole).toString();
  const chosen = form === "bare" || form === "padded" ? form : usual;
  return chosen === "padded" ? digits.padStart(12, "0") : digits;
}

function bit61Of(spec: MessageSpec, usual: string, billNumber: string, layout: CompiledLayout | null): string {
  if (spec.bit61 === "bill-number") return billNumber;
  return spec.bit61 === "without-tail" ? (withoutTail(layout, usual) ?? usual) : usual;
}

function passwordOf({ key = "current" }: MessageSpec, { credentials, previousPassword, draw }: BuildContext): string {
  if (key === "wrong") return draw.digits(20, "wrong password");
  return key === "previous" ? (previousPassword ?? "") : credentials.password;
}
