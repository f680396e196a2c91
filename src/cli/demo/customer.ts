import { Fault, sleep } from "../../platform";
import type { DemoUrls } from "./run";

/** An order as the shop tells it to programs. */
export interface OrderState {
  readonly number: string;
  readonly billingId: string | null;
  /** The host's page of the bill. */
  readonly billUrl: string | null;
  readonly total: string;
  readonly status: string;
  readonly finpayStatus: string | null;
  readonly events: readonly {
    readonly who: string;
    readonly kind: string;
    readonly facts: Readonly<Record<string, string>>;
  }[];
}

/** What the simulated switch sent for an order at Finpay. */
export interface Trace {
  readonly state: string;
  readonly sent: readonly {
    readonly function: string;
    readonly traxId: string;
    readonly exchange: { readonly failure: string | null; readonly isReplay: boolean; readonly request: string };
  }[];
}

/** A customer who reads pages and presses buttons, over HTTP and without a browser. */
export interface Customer {
  /** The shop's front page. */
  look(): Promise<string>;
  /** Orders two things. @returns the address of the order's page */
  order(due: "long" | "short"): Promise<string>;
  state(orderPage: string): Promise<OrderState>;
  /** Waits for an order to become as wanted. @throws Fault `demo_check` when it does not within 15 seconds */
  wait(orderPage: string, what: string, isSo: (state: OrderState) => boolean): Promise<OrderState>;
  /** Presses a button of the order's page. @returns where that leads */
  press(orderPage: string, button: "pay" | "check" | "cancel"): Promise<string>;
  read(page: string): Promise<string>;
  /** Chooses a source of funds on Finpay's page, a fault behind the scenes, and pays. @returns the page after it */
  pay(paymentPage: string, fault?: string): Promise<string>;
  trace(orderIdAtFinpay: string): Promise<Trace>;
}

const TIMEOUT_MS = 15_000;

/** A customer of the demo's shop. */
export function createCustomer({ shop, finpay }: DemoUrls): Customer {
  const state = async (orderPage: string): Promise<OrderState> =>
    (await get(`${orderPage.replace(/\?.*$/, "")}/status`)).json() as Promise<OrderState>;
  return {
    look: async () => (await get(`${shop}/?lang=en`)).text(),
    order: (due) =>
      post(`${shop}/orders?lang=en`, {
        ...{ "quantity-gayo": "1", "quantity-tubruk": "2", due },
        ...{ name: "Budi Santoso", email: "budi@example.com", phone: "081200000000" },
      }),
    state,
    async wait(orderPage, what, isSo) {
      const giveUpAtMs = performance.now() + TIMEOUT_MS;
      for (;;) {
        const now = await state(orderPage);
        if (isSo(now)) return now;
        if (performance.now() > giveUpAtMs) {
          const kinds = now.events.map(({ kind }) => kind).join(", ");
          throw new Fault("demo_check", `${what} did not come; the order is ${now.status}, and had: ${kinds}`);
        }
        await sleep(100);
      }
    },
    press: (orderPage, button) => post(orderPage.replace(/(\?|$)/, `/${button}$1`), {}),
    read: async (page) => (await get(page)).text(),
    pay: async (paymentPage, fault = "none") => {
      const result = await post(`${paymentPage}?lang=en`, { source: "qris", fault });
      return (await get(result)).text();
    },
    trace: async (id) => (await get(`${finpay}/simulation/orders/${id}`)).json() as Promise<Trace>,
  };
}

async function get(url: string): Promise<Response> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Fault("demo_check", `GET ${url} was answered with status ${answer.status}`);
  return answer;
}

/** Sends a form. @returns the address that it leads to */
async function post(url: string, fields: Readonly<Record<string, string>>): Promise<string> {
  const answer = await fetch(url, {
    ...{ method: "POST", redirect: "manual", body: new URLSearchParams(fields) },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const location = answer.headers.get("location");
  if (answer.status !== 303 || location === null) {
    throw new Fault("demo_check", `POST ${url} was answered with status ${answer.status}`);
  }
  return new URL(location, url).href;
}
