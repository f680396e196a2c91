import { parseStrictJson } from "../../wire";
import { textAt } from "./call";
import type { Desk, ShopDeps } from "./desk";
import { BILL_STATUSES, type ShopEvent, tell } from "./order";
import { type CallbackProof, faultOfCallback, isFinpays, publishedSignature } from "./proof";

/** What the caller is answered: any 2xx says that it need not come again. */
export interface Taken {
  readonly status: 200 | 400 | 401 | 404 | 409;
  readonly text: string;
}

const JSON_LIMITS = { maxDepth: 10, maxBytes: 32_768 } as const;
const OK = { status: 200, text: "ok" } as const;

/** The biller's callback. What is not proven to be the biller's changes nothing, and is shown on the order that it names. */
export function takeCallback(deps: ShopDeps, desk: Desk, body: string, proof: CallbackProof): Taken {
  const { settings, clock } = deps;
  const json = parseStrictJson(body, JSON_LIMITS);
  if (!json.ok) return { status: 400, text: "no JSON object" };
  const fields = json.value;
  const number = textAt(fields, "transaction_number");
  const order = desk.orders.byNumber(number);
  const fault = faultOfCallback(proof, body, settings.callbackSecret, clock.nowMs());
  if (order === undefined)
    return fault === null ? { status: 404, text: "no such order" } : { status: 401, text: fault };
  const add = (kind: ShopEvent["kind"], look: ShopEvent["look"], facts: ShopEvent["facts"]): void =>
    tell(order, { atMs: clock.nowMs(), who: "biller", look, kind, facts });
  if (fault !== null) {
    add("callback-refused", "bad", [["reason", fault]]);
    return { status: 401, text: fault };
  }
  if (order.seen.has(proof.eventId)) {
    add("callback-repeated", "note", [["X-Event-Id", proof.eventId]]);
    return OK;
  }
  const status = BILL_STATUSES.find((each) => each === textAt(fields, "billing_status"));
  const wrong = wrongOf({
    service_id: [textAt(fields, "service_id"), settings.serviceId],
    billing_id: [textAt(fields, "billing_id"), order.bill?.billingId ?? ""],
    billing_total: [textAt(fields, "billing_total"), String(order.total)],
    signature: [textAt(fields, "signature"), publishedSignature(settings.userName, settings.password, order.number)],
  });
  if (wrong !== null || status === undefined) {
    const text = wrong ?? "billing_status is not known";
    add("callback-refused", "bad", [["reason", text]]);
    return { status: 409, text };
  }
  order.seen.add(proof.eventId);
  order.status = status;
  const paymentId = textAt(fields, "payment_id");
  add("called-back", status === "PAID" ? "ok" : "note", [
    ["billing_status", status],
    ...(paymentId === "" ? [] : [["payment_id", paymentId] as const]),
    ["X-Event-Id", proof.eventId],
  ]);
  return OK;
}

/** Finpay's notification. It tells of a payment; that the bill is paid is believed when the biller says so. */
export function takeNotification(deps: ShopDeps, desk: Desk, body: string): Taken {
  const { settings, clock } = deps;
  const json = parseStrictJson(body, JSON_LIMITS);
  if (!json.ok) return { status: 400, text: "no JSON object" };
  const data = json.value;
  const orderId = textAt(data, "order", "id");
  const order = desk.orders.byNumber(orderId.replace(/-[0-9]+$/, ""));
  const isProven = isFinpays(data, settings.finpayKey);
  if (order === undefined || !order.pages.some((page) => page.orderId === orderId)) {
    return isProven ? { status: 404, text: "no such order" } : { status: 401, text: "wrong signature" };
  }
  const add = (kind: ShopEvent["kind"], look: ShopEvent["look"], facts: ShopEvent["facts"]): void =>
    tell(order, { atMs: clock.nowMs(), who: "finpay", look, kind, facts });
  if (!isProven) {
    add("notification-refused", "bad", [["reason", "wrong signature"]]);
    return { status: 401, text: "wrong signature" };
  }
  const status = textAt(data, "result", "payment", "status");
  const seen = `${orderId} ${textAt(data, "signature")}`;
  if (order.seen.has(seen)) {
    add("notification-repeated", "note", [["order.id", orderId]]);
    return OK;
  }
  const flagging = (name: string): string => textAt(data, "result", "flagging", name);
  const wrong =
    status !== "PAID"
      ? null
      : wrongOf({
          "flagging.paymentCode": [flagging("paymentCode").replace(/^0+/, ""), order.bill?.billingId ?? ""],
          "flagging.productCode": [flagging("productCode"), settings.productCode],
          "flagging.amount": [flagging("amount"), String(order.total)],
        });
  if (wrong !== null) {
    add("notification-refused", "bad", [["reason", wrong]]);
    return { status: 409, text: wrong };
  }
  order.seen.add(seen);
  order.finpayStatus = status;
  add("notified", status === "PAID" ? "ok" : "bad", [
    ["status", status],
    ...(flagging("reffNo") === "" ? [] : [["flagging.reffNo", flagging("reffNo")] as const]),
    ["order.id", orderId],
  ]);
  return OK;
}

/** The first member that is not what the order has, or null. */
function wrongOf(members: Readonly<Record<string, readonly [given: string, wanted: string]>>): string | null {
  const found = Object.entries(members).find(([, [given, wanted]]) => given !== wanted);
  return found === undefined ? null : `${found[0]} is not this order's`;
}
