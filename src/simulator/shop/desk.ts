import type { Clock, Logger } from "../../platform";
import { type BillerClient, createBillerClient } from "./biller";
import { createFinpayClient, type FinpayClient } from "./finpay";
import type { Line } from "./goods";
import type { Language } from "../words";
import { type Customer, Orders, type ShopEvent, type ShopOrder, shownStatus, tell } from "./order";
import type { ShopSettings } from "./settings";

/** What a shop runs on. */
export interface ShopDeps {
  readonly settings: ShopSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where browsers, the biller and Finpay reach this shop, without a slash at its end. */
  readonly publicUrl: () => string;
}

/** Where orders are dealt with. */
export interface Desk {
  readonly orders: Orders;
  /** Takes an order and has a bill made for it. The order is there even when that failed. */
  place(wish: {
    readonly lines: readonly Line[];
    readonly customer: Customer;
    readonly language: Language;
    readonly isShort: boolean;
  }): Promise<ShopOrder>;
  /** Asks for a payment page. @returns its address; null when there is none, and the order's events say why */
  startPayment(order: ShopOrder): Promise<string | null>;
  /** Asks the biller and Finpay how things stand. */
  check(order: ShopOrder): Promise<void>;
  cancel(order: ShopOrder): Promise<void>;
}

/** A desk with its clients. */
export function createDesk(deps: ShopDeps): Desk {
  const { settings, clock } = deps;
  const orders = new Orders(settings.ordersMax);
  const biller = createBillerClient(settings);
  const finpay = createFinpayClient(settings, deps.publicUrl);
  return {
    orders,
    async place({ lines, customer, language, isShort }) {
      const nowMs = clock.nowMs();
      const dueAtMs = nowMs + (isShort ? settings.shortDueSeconds : settings.dueSeconds) * 1_000;
      const order = orders.add({ lines, customer, language, dueAtMs, nowMs });
      tell(order, { atMs: nowMs, who: "shop", look: "note", kind: "ordered", facts: [["order", order.number]] });
      await makeBill(deps, biller, order);
      return order;
    },
    startPayment: (order) => startPayment(deps, { biller, finpay }, order),
    check: (order) => check(deps, { biller, finpay }, order),
    async cancel(order) {
      const problem = await biller.cancel(order, clock.nowMs());
      if (problem === null) order.status = "CANCELLED";
      tell(order, {
        ...{ atMs: clock.nowMs(), who: "biller" },
        ...(problem === null
          ? { look: "note", kind: "cancelled", facts: [] }
          : { look: "bad", kind: "cancel-refused", facts: [["reason", problem]] }),
      });
    },
  };
}

interface Clients {
  readonly biller: BillerClient;
  readonly finpay: FinpayClient;
}

async function makeBill({ clock, logger }: ShopDeps, biller: BillerClient, order: ShopOrder): Promise<void> {
  const made = await biller.create(order, clock.nowMs());
  const atMs = clock.nowMs();
  if ("problem" in made) {
    logger.warn({ order: order.number, problem: made.problem }, "the biller made no bill");
    tell(order, { atMs, who: "biller", look: "bad", kind: "bill-refused", facts: [["reason", made.problem]] });
    return;
  }
  order.bill = made;
  const facts: ShopEvent["facts"] = [["billing_id", made.billingId]];
  tell(order, { atMs, who: "biller", look: "ok", kind: "bill-created", facts });
}

/** Before anything is asked of Finpay the biller is asked, and so a bill that is paid is not offered again. */
async function startPayment(deps: ShopDeps, clients: Clients, order: ShopOrder): Promise<string | null> {
  const { clock } = deps;
  // The bill may have been made although its answer was lost: creating it again gives the same one.
  if (order.bill === null) await makeBill(deps, clients.biller, order);
  if (order.bill === null) return null;
  await askBiller(deps, clients.biller, order);
  const refuse = (reason: string): null => {
    const facts: ShopEvent["facts"] = [["reason", reason]];
    tell(order, { atMs: clock.nowMs(), who: "shop", look: "bad", kind: "payment-page-refused", facts });
    return null;
  };
  const status = shownStatus(order, clock.nowMs());
  if (status !== "UNPAID") return refuse(`billing_status ${status}`);
  const orderId = `${order.number}-${order.pages.length + 1}`;
  const given = await clients.finpay.paymentPage(order, orderId);
  if ("problem" in given) return refuse(given.problem);
  order.pages.push({ orderId, address: given.address });
  const facts: ShopEvent["facts"] = [["order.id", orderId]];
  tell(order, { atMs: clock.nowMs(), who: "finpay", look: "note", kind: "payment-page", facts });
  return given.address;
}

/** @returns what the biller said, as text for people */
async function askBiller({ clock }: ShopDeps, biller: BillerClient, order: ShopOrder): Promise<string> {
  const before = order.version;
  const answer = await biller.inquire(order, clock.nowMs());
  if ("problem" in answer) return answer.problem;
  // Whatever was told meanwhile is newer than this answer may be.
  if (order.version === before) order.status = answer.status;
  return answer.status;
}

async function check(deps: ShopDeps, { biller, finpay }: Clients, order: ShopOrder): Promise<void> {
  const { clock } = deps;
  if (order.bill === null) return;
  const billing = await askBiller(deps, biller, order);
  const page = order.pages.at(-1);
  const answer = page === undefined ? null : await finpay.check(page.orderId);
  if (answer !== null && "status" in answer) order.finpayStatus = answer.status;
  const said = answer === null ? [] : [["status", "status" in answer ? answer.status : answer.problem] as const];
  const isKnown = billing === order.status && (answer === null || "status" in answer);
  const facts = [["billing_status", billing] as const, ...said];
  tell(order, {
    ...{ atMs: clock.nowMs(), who: "shop", look: isKnown ? "ok" : "bad" },
    ...{ kind: isKnown ? "checked" : "check-failed", facts },
  });
}
