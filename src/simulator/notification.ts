import { createHmac } from "node:crypto";
import { type Clock, type Logger, sleep } from "../platform";
import { exchange } from "./exchange";
import type { Order, OrderState } from "./order";
import { SIMULATION, type SimulatorSettings } from "./settings";
import { linesOf } from "./shown-lines";

type Json = Readonly<Record<string, unknown>>;

/** Status words of a payment: only PAID is published. */
const STATUS: Readonly<Record<OrderState, readonly [status: string, description: string]>> = {
  open: ["PENDING", "The customer has not paid yet"],
  paying: ["PENDING", "The biller is being told"],
  paid: ["PAID", "Paid, and accepted by the biller"],
  declined: ["FAILED", "The biller declined; the customer's money goes back"],
  reversed: ["REVERSED", "The biller did not answer in time; the payment was reversed"],
  unclear: ["PENDING", "Neither the payment nor its reversal was answered clearly"],
};

/** HMAC-SHA512 in lower-case hex over the JSON text of an object without its `signature`, keys in the order sent. */
export function signatureOf(data: Json, merchantKey: string): string {
  const { signature: _, ...signed } = data;
  return createHmac("sha512", merchantKey).update(JSON.stringify(signed)).digest("hex");
}

/** What a notification says, and the `data` of a status answer: the published members, then the signature. */
export function notificationOf(order: Order, settings: Pick<SimulatorSettings, "merchantId" | "merchantKey">): Json {
  const { request, state } = order;
  const [status, statusDesc] = STATUS[state];
  const at = order.decidedAtMs;
  const data = {
    simulation: SIMULATION,
    merchant: { id: settings.merchantId },
    customer: { id: request.customer.email },
    // Text, as in requests; the published sample of an answer has a number.
    order: { id: order.id, reference: null, amount: request.order.amount, currency: "IDR" },
    meta: { data: request.meta?.["data"] ?? null },
    result: {
      payment: { status, statusDesc, datetime: at === null ? null : wibText(at) },
      flagging: state === "paid" ? flaggingOf(order) : null,
    },
    sourceOfFunds: {
      type: order.source ?? request.sourceOfFunds.type,
      channel: "6017",
      paymentCode: paymentCodeOf(order),
    },
  };
  return { ...data, signature: signatureOf(data, settings.merchantKey) };
}

/** The biller's payment answer, flattened. Names as published; where each value comes from stands in docs/SIMULATOR.md. */
function flaggingOf(order: Order): Json {
  const { id } = order.request.billing.billerServiceProvider;
  const reply = order.paymentReply ?? {};
  const shown = order.inquired?.kind === "shown" ? order.inquired.bill : null;
  const own = reply["customerData"];
  const answered = typeof own === "object" && own !== null ? (own as Json) : {};
  const nameOf = (data: Json): string => (typeof data["customerName"] === "string" ? data["customerName"] : "");
  const info = linesOf(answered).filter(({ name }) => name !== "customerName");
  const count = answered["jumlahBill"];
  const at = order.decidedAtMs ?? 0;
  return {
    paymentCode: paymentCodeOf(order),
    productCode: id,
    bill: typeof count === "string" ? count : "1",
    reffNo: typeof reply["sysCode"] === "string" ? reply["sysCode"] : "",
    amount: String(shown?.amount ?? 0n),
    // Some products leave the name out of the payment's reply: the inquiry had it.
    customerName: nameOf(answered) || nameOf(shown?.customerData ?? {}),
    ...Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`billingInfo${at + 1}`, info[at]?.value ?? ""])),
    paymentDateTime: wibText(at),
    gmt: new Date(at).toISOString().slice(0, 19).replace("T", " "),
    // The published sample settles on the next day.
    settlementDate: wibText(at + 86_400_000)
      .slice(5, 10)
      .replace("-", ""),
  };
}

function paymentCodeOf(order: Order): string {
  return order.request.billing.billerServiceProvider.customerId.padStart(15, "0");
}

/** `YYYY-MM-DD hh:mm:ss` in Western Indonesian time. */
function wibText(epochMs: number): string {
  return new Date(epochMs + 7 * 3_600_000).toISOString().slice(0, 19).replace("T", " ");
}

/** Tells the merchant, a few times; any 2xx ends it. Never throws. */
export async function notify(
  order: Order,
  deps: { readonly settings: SimulatorSettings; readonly clock: Clock; readonly logger: Logger },
): Promise<void> {
  const { settings, clock, logger } = deps;
  const body = JSON.stringify(notificationOf(order, settings));
  for (const delayMs of [0, ...settings.notificationDelaysMs]) {
    await sleep(delayMs);
    const atMs = clock.nowMs();
    const { status, failure } = await exchange(order.request.url.callbackUrl, body, {
      timeoutMs: settings.notificationTimeoutMs,
    });
    order.notifications.push({ atMs, status, failure });
    logger.info({ orderId: order.id, status, failure: failure ?? undefined }, "told the merchant");
    if (status !== null && status >= 200 && status <= 299) return;
  }
}
