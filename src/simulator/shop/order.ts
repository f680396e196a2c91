import { randomBytes } from "node:crypto";
import type { Language } from "../words";
import { type Line, totalOf } from "./goods";

/** Who orders. */
export interface Customer {
  readonly name: string;
  readonly email: string;
  readonly phone: string;
}

/** A bill's status in the biller's words; the shop believes nobody else about money. */
export const BILL_STATUSES = ["UNPAID", "PAID", "EXPIRED", "CANCELLED"] as const;
/** One of them. */
export type BillStatus = (typeof BILL_STATUSES)[number];

/** What happened to an order: `ok` good news, `bad` bad news or something refused, `note` neither. */
export interface ShopEvent {
  readonly atMs: number;
  readonly who: "shop" | "biller" | "finpay";
  readonly look: "ok" | "bad" | "note";
  readonly kind: EventKind;
  /** Name and value, shown as they are. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

/** All kinds of events. */
export type EventKind =
  | "ordered"
  | "bill-created"
  | "bill-refused"
  | "payment-page"
  | "payment-page-refused"
  | "notified"
  | "notification-repeated"
  | "notification-refused"
  | "called-back"
  | "callback-repeated"
  | "callback-refused"
  | "checked"
  | "check-failed"
  | "cancelled"
  | "cancel-refused";

/** One order of the shop, in memory only. */
export interface ShopOrder {
  /** Names the order's page; cannot be guessed. */
  readonly token: string;
  /** The shop's own number, at most 20 characters: the bill's transaction_number. */
  readonly number: string;
  readonly lines: readonly Line[];
  readonly total: bigint;
  readonly customer: Customer;
  readonly language: Language;
  readonly dueAtMs: number;
  /** Null until the biller has made the bill. */
  bill: { readonly billingId: string; readonly url: string } | null;
  status: BillStatus;
  /** What Finpay last said of a payment, verified; null when nothing. */
  finpayStatus: string | null;
  /** Payment pages asked for; each has an order id of its own at Finpay. */
  readonly pages: { readonly orderId: string; readonly address: string }[];
  readonly events: ShopEvent[];
  /** Events of the biller and bodies of Finpay that were taken: a repeat is confirmed, and changes nothing. */
  readonly seen: Set<string>;
  /** Counts what changed, so that a page knows when to show itself again. */
  version: number;
}

const EVENTS_MAX = 60;

/** Orders by token and by number; the oldest makes room. */
export class Orders {
  readonly #byToken = new Map<string, ShopOrder>();
  readonly #byNumber = new Map<string, ShopOrder>();

  constructor(readonly max: number) {}

  add(order: {
    readonly lines: readonly Line[];
    readonly customer: Customer;
    readonly language: Language;
    readonly dueAtMs: number;
    readonly nowMs: number;
  }): ShopOrder {
    const { lines, customer, language, dueAtMs, nowMs } = order;
    const unique = `${nowMs.toString(36)}${randomBytes(2).toString("hex")}`.toUpperCase();
    const added: ShopOrder = {
      ...{ token: randomBytes(16).toString("hex"), number: `KOPI-${unique}`, lines, customer, language, dueAtMs },
      ...{ total: totalOf(lines), bill: null, status: "UNPAID", finpayStatus: null, version: 0 },
      ...{ pages: [], events: [], seen: new Set() },
    };
    const [oldest] = this.#byToken.size >= this.max ? this.#byToken.values() : [];
    if (oldest !== undefined) {
      this.#byToken.delete(oldest.token);
      this.#byNumber.delete(oldest.number);
    }
    this.#byToken.set(added.token, added);
    this.#byNumber.set(added.number, added);
    return added;
  }

  byToken(token: string): ShopOrder | undefined {
    return this.#byToken.get(token);
  }

  byNumber(number: string): ShopOrder | undefined {
    return this.#byNumber.get(number);
  }
}

/** Adds an event; the newest 60 are kept. */
export function tell(order: ShopOrder, event: ShopEvent): void {
  order.events.push(event);
  if (order.events.length > EVENTS_MAX) order.events.shift();
  order.version += 1;
}

/** What the customer is shown: an unpaid order whose time is up has expired, whether the biller has said so or not. */
export function shownStatus({ status, dueAtMs }: ShopOrder, nowMs: number): BillStatus {
  return status === "UNPAID" && nowMs >= dueAtMs ? "EXPIRED" : status;
}
