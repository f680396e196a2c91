import { randomBytes } from "node:crypto";
import type { Exchange } from "./exchange";
import type { Fault } from "./faults";
import type { PaymentCardRequest } from "./payment-card";

/** The bill as the biller's inquiry answered it. Whole rupiah. */
export interface ShownBill {
  readonly amount: bigint;
  readonly feeAmount: bigint;
  /** As answered; a payment brings it back unchanged. */
  readonly bit61: string;
  readonly customerData: Readonly<Record<string, unknown>>;
}

/** What asking the biller for the bill gave: the bill, its refusal, or nothing that can be used. */
export type Inquired =
  | { readonly kind: "shown"; readonly bill: ShownBill }
  | { readonly kind: "declined"; readonly code: string; readonly description: string }
  | { readonly kind: "unanswered" };

/**
 * Where an order stands. `reversed`: the biller took the payment back or never had it, and says so. `unclear`: neither the
 * payment nor its reversal was answered with anything that can be concluded from; people have to look.
 */
export type OrderState = "open" | "paying" | "paid" | "declined" | "reversed" | "unclear";

/** One message to the biller, for people who look at what happened. */
export interface SentMessage {
  readonly function: "inquiry" | "payment" | "reversal";
  readonly traxId: string;
  readonly sentAtMs: number;
  readonly exchange: Exchange;
}

/** One try to tell the merchant. */
export interface NotificationTry {
  readonly atMs: number;
  readonly status: number | null;
  readonly failure: string | null;
}

/** One order of a merchant, in memory only. */
export interface Order {
  readonly id: string;
  /** Names the payment page; cannot be guessed. */
  readonly token: string;
  readonly createdAtMs: number;
  readonly request: PaymentCardRequest;
  state: OrderState;
  inquired: Inquired | null;
  inquiredAtMs: number;
  /** The inquiry that is on its way, so that two views of a page ask once. */
  asking: Promise<Inquired> | null;
  source: string | null;
  /** What is made to go wrong while it is paid. */
  fault: Fault;
  /** The biller's answer to the payment. */
  paymentReply: Readonly<Record<string, unknown>> | null;
  decidedAtMs: number | null;
  readonly sent: SentMessage[];
  readonly notifications: NotificationTry[];
}

/** What adding an order gives. */
export type Added =
  { readonly kind: "added"; readonly order: Order } | { readonly kind: "exists" } | { readonly kind: "full" };

const SENT_MAX = 50;

/** Orders by id and by token; when there are too many, the oldest that is not being paid makes room. */
export class OrderBook {
  readonly #byId = new Map<string, Order>();
  readonly #byToken = new Map<string, Order>();

  constructor(readonly max: number) {}

  get size(): number {
    return this.#byId.size;
  }

  /** An order id is used once, while it is remembered. */
  add(request: PaymentCardRequest, nowMs: number): Added {
    const { id } = request.order;
    if (this.#byId.has(id)) return { kind: "exists" };
    if (this.#byId.size >= this.max && !this.#makeRoom()) return { kind: "full" };
    const order: Order = {
      id,
      token: randomBytes(16).toString("hex"),
      createdAtMs: nowMs,
      request,
      state: "open",
      inquired: null,
      inquiredAtMs: 0,
      asking: null,
      source: null,
      fault: "none",
      paymentReply: null,
      decidedAtMs: null,
      sent: [],
      notifications: [],
    };
    this.#byId.set(id, order);
    this.#byToken.set(order.token, order);
    return { kind: "added", order };
  }

  byId(id: string): Order | undefined {
    return this.#byId.get(id);
  }

  byToken(token: string): Order | undefined {
    return this.#byToken.get(token);
  }

  #makeRoom(): boolean {
    for (const order of this.#byId.values()) {
      if (order.state === "paying") continue;
      this.#byId.delete(order.id);
      this.#byToken.delete(order.token);
      return true;
    }
    return false;
  }
}

/** Remembers a message, the newest 50 of an order. */
export function remember(order: Order, message: SentMessage): void {
  order.sent.push(message);
  if (order.sent.length > SENT_MAX) order.sent.shift();
}
