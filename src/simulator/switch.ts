import { randomInt } from "node:crypto";
import { type Clock, type Logger, maskNumber, sleep } from "../platform";
import { formatAmount, parseAmount } from "../wire";
import { classOfCode } from "./codes";
import { type Exchange, exchange, type Manner } from "./exchange";
import { STORM_SIZE } from "./faults";
import { type MessageContent, signedMessage, timeStampText, TRANSACTION_TYPES } from "./message";
import { type Inquired, type Order, remember, type SentMessage, type ShownBill } from "./order";
import type { SimulatorSettings } from "./settings";

/** The switch: what it sends to the biller for an order. */
export interface Switch {
  /** Asks for the bill, once for all who wait; an answer that showed it is kept for a minute. Never throws. */
  inquire(order: Order): Promise<Inquired>;
  /**
   * Pays what the inquiry showed: repeats with the same traxId while nothing can be concluded, then reverses. Ends with the
   * order in its last state. The order must be `paying` and have been shown.
   */
  pay(order: Order, bill: ShownBill): Promise<void>;
}

/** What the switch needs. */
export interface SwitchDeps {
  readonly settings: SimulatorSettings;
  readonly clock: Clock;
  readonly logger: Logger;
}

const SHOWN_FOR_MS = 60_000;
const BIT61_MAX = 999;

/** A switch over one biller. */
export function createSwitch(deps: SwitchDeps): Switch {
  const { clock } = deps;
  return {
    inquire(order) {
      const { inquired } = order;
      const isFresh = clock.nowMs() - order.inquiredAtMs < SHOWN_FOR_MS;
      if (inquired?.kind === "shown" && (isFresh || order.state !== "open")) return Promise.resolve(inquired);
      order.asking ??= askForBill(deps, order).finally(() => {
        order.asking = null;
      });
      return order.asking;
    },
    async pay(order, bill) {
      const content = {
        ...contentFor(deps, order),
        transactionType: TRANSACTION_TYPES.payment,
        amount: formatAmount(bill.amount, "lpz12"),
        feeAmount: formatAmount(bill.feeAmount, "bare"),
        bit61: bill.bit61,
      };
      const paid = await askUntilKnown(deps, order, "payment", content);
      order.paymentReply = paid?.fields ?? null;
      if (paid === null) order.state = await reversed(deps, order, content);
      else order.state = classOf(deps, paid) === "ok" ? "paid" : "declined";
      order.decidedAtMs = clock.nowMs();
      deps.logger.info({ orderId: order.id, traxId: content.traxId, state: order.state }, "order decided");
    },
  };

  /** Giving up on a payment: its own body and traxId, as a reversal. */
  async function reversed(of: SwitchDeps, order: Order, payment: MessageContent): Promise<"reversed" | "unclear"> {
    const timeStamp = timeStampText(clock.nowMicros(), "microseconds");
    const content = { ...payment, transactionType: TRANSACTION_TYPES.reversal, timeStamp };
    const answer = await askUntilKnown(of, order, "reversal", content);
    // A declined reversal may mean that there was nothing to reverse, or that it is too late: the codes do not tell.
    return answer !== null && classOf(of, answer) === "ok" ? "reversed" : "unclear";
  }

  async function askForBill(of: SwitchDeps, order: Order): Promise<Inquired> {
    const answer = await askUntilKnown(of, order, "inquiry", contentFor(of, order));
    order.inquired = answer === null ? { kind: "unanswered" } : inquiredFrom(of, answer);
    order.inquiredAtMs = clock.nowMs();
    return order.inquired;
  }
}

function contentFor({ clock }: SwitchDeps, order: Order): MessageContent {
  const { customerId, id } = order.request.billing.billerServiceProvider;
  return {
    productCode: id,
    transactionType: TRANSACTION_TYPES.inquiry,
    billNumber: customerId,
    amount: "0",
    feeAmount: "0",
    bit61: customerId,
    traxId: `S${clock.nowMs()}${randomInt(1_000, 10_000)}`,
    timeStamp: timeStampText(clock.nowMicros(), "microseconds"),
  };
}

/** Sends the same bytes until something can be concluded; null when the tries are used up. */
async function askUntilKnown(
  deps: SwitchDeps,
  order: Order,
  kind: SentMessage["function"],
  content: MessageContent,
): Promise<Exchange | null> {
  const { settings, clock, logger } = deps;
  const body = JSON.stringify(signedMessage(content, settings.credentials));
  const timeoutMs = kind === "inquiry" ? settings.inquiryTimeoutMs : settings.paymentTimeoutMs;
  for (let tryNo = 1; tryNo <= settings.tries; tryNo++) {
    if (tryNo > 1) await sleep(settings.retryDelayMs);
    const sentAtMs = clock.nowMs();
    const copies = order.fault === "storm" && kind === "payment" ? STORM_SIZE : 1;
    const manner = mannerOf(order, kind, tryNo);
    const send = (): Promise<Exchange> => exchange(settings.billerUrl, body, { timeoutMs, manner });
    const [first, ...more] = await Promise.all([send(), ...Array.from({ length: copies - 1 }, send)]);
    const answers = [first, ...more];
    for (const each of answers) remember(order, { function: kind, traxId: content.traxId, sentAtMs, exchange: each });
    const answer = answers.find((each) => isFinal(classOf(deps, each))) ?? first;
    const concluded = classOf(deps, answer);
    logger.info(
      {
        orderId: order.id,
        function: kind,
        traxId: content.traxId,
        tryNo,
        bill: maskNumber(content.billNumber),
        status: answer.status,
        class: concluded,
        failure: answer.failure ?? undefined,
      },
      "asked the biller",
    );
    if (isFinal(concluded)) return answer;
  }
  return null;
}

function isFinal(concluded: ReturnType<typeof classOfCode>): boolean {
  return concluded === "ok" || concluded === "declined";
}

/** How a message is sent under the order's fault: the biller always gets it whole. */
function mannerOf({ fault }: Order, kind: SentMessage["function"], tryNo: number): Manner {
  const isLost = kind === "payment" && (fault === "silence" || (fault === "answer-lost" && tryNo === 1));
  return isLost ? { kind: "hang-up", afterMs: 0 } : { kind: "patient" };
}

/** What may be concluded from an answer: nothing from another status than 200, another traxId, or a code of no class. */
function classOf({ settings }: SwitchDeps, { status, fields, request }: Exchange): ReturnType<typeof classOfCode> {
  if (status !== 200 || fields === null) return null;
  const { traxId } = JSON.parse(request) as { traxId: string };
  return fields["traxId"] === traxId ? classOfCode(settings.codes, fields["resultCode"]) : null;
}

function inquiredFrom(deps: SwitchDeps, answer: Exchange): Inquired {
  const fields = answer.fields ?? {};
  const textOf = (name: string): string => (typeof fields[name] === "string" ? fields[name] : "");
  if (classOf(deps, answer) !== "ok") {
    return { kind: "declined", code: textOf("resultCode"), description: textOf("resultDesc").slice(0, 100) };
  }
  const [amount, feeAmount] = [parseAmount(textOf("amount")), parseAmount(textOf("feeAmount"))];
  const bit61 = textOf("bit61");
  const { customerData } = fields;
  if (amount === null || feeAmount === null || bit61.length === 0 || bit61.length > BIT61_MAX) {
    return {
      kind: "declined",
      code: textOf("resultCode"),
      description: "the reply has no usable amount, fee or bit61",
    };
  }
  const isObject = typeof customerData === "object" && customerData !== null && !Array.isArray(customerData);
  const data = isObject ? (customerData as Record<string, unknown>) : {};
  return { kind: "shown", bill: { amount, feeAmount, bit61, customerData: data } };
}
