import { Fault, messageOf } from "../../platform";
import { createCustomer, type Customer, type OrderState, type Trace } from "./customer";
import type { DemoUrls } from "./run";

/**
 * Goes the whole way of a payment without a browser, then the ways that must not lead to a second payment, and tells each
 * step. The first step that fails is the last.
 *
 * @returns the exit code: 0 when every step succeeded, 1 otherwise
 */
export async function checkDemo(urls: DemoUrls, print: (line: string) => void): Promise<number> {
  const customer = createCustomer(urls);
  let done = 0;
  try {
    for (const way of [paysOnce, faultsBetween, reversed, notPayable, forged]) {
      await way(customer, urls, (line) => {
        done += 1;
        print(`  ✓ ${line}`);
      });
    }
  } catch (error) {
    print(`  ✗ ${messageOf(error)}`);
    print(`${done} steps succeeded, then one failed`);
    return 1;
  }
  print(`all ${done} steps succeeded`);
  return 0;
}

type Way = (customer: Customer, urls: DemoUrls, tick: (line: string) => void) => Promise<void>;

const paysOnce: Way = async (customer, urls, tick) => {
  const goods = await customer.look();
  demand(goods.includes("Kopi Gayo") && goods.includes("SIMULATION"), "the shop shows its goods, labelled SIMULATION");
  tick("the shop shows its goods");
  const order = await customer.order("long");
  const made = await customer.state(order);
  demand(has(made, "bill-created"), "the host makes a bill");
  tick(`the customer orders, and the host makes bill ${made.billingId} of Rp ${made.total} (POST /billing/create)`);
  const page = await customer.press(order, "pay");
  demand(page.startsWith(`${urls.finpay}/pay/`), "Finpay gives out a payment page");
  tick("the shop asks Finpay for a payment page, and gets its address (POST /sof/bp/paymentCard)");
  const shown = await customer.read(`${page}?lang=en`);
  demand(
    shown.includes("Rp 121.000") && shown.includes("SIMULATION"),
    "Finpay's page shows what the host says is owed",
  );
  tick("Finpay's page shows what the host says is owed: Rp 121.000 (inquiry)");
  demand((await customer.pay(page)).includes("Payment successful"), "Finpay's page says that the payment succeeded");
  tick("the customer chooses QRIS and pays; the host takes the payment");
  const paid = await customer.wait(order, "the notification and the callback", (now) => arrived(now));
  const notified = eventOf(paid, "notified");
  demand(notified["status"] === "PAID" && notified["flagging.reffNo"] !== undefined, "the notification says PAID");
  tick(`Finpay's notification reaches the shop, signature right, flagging.reffNo ${notified["flagging.reffNo"]}`);
  const called = eventOf(paid, "called-back");
  demand(called["billing_status"] === "PAID" && paid.status === "PAID", "the callback says PAID");
  tick(`the host's callback reaches the shop, signature right, payment_id ${called["payment_id"]}`);
  await customer.press(order, "check");
  const checked = eventOf(await customer.state(order), "checked");
  demand(checked["billing_status"] === "PAID" && checked["status"] === "PAID", "host and Finpay both say PAID");
  tick("asked again, host and Finpay both say PAID (GET /billing/inquire, GET /sof/bp/checkCard)");
  const billPage = await customer.read(`${made.billUrl}?lang=en`);
  demand(billPage.includes("The payment has arrived"), "the host's page of the bill says that it is paid");
  tick(`the host's own page of the bill says that it is paid (${made.billUrl})`);
  const again = await customer.press(order, "pay");
  demand(!again.startsWith(urls.finpay), "the shop offers no second payment of a paid order");
  await customer.pay(page);
  const trace = await customer.trace(`${made.number}-1`);
  demand(paymentsOf(trace).length === 1, "the payment page, sent again, pays nothing");
  tick("the customer goes back and tries to pay twice: nothing is sent to the host");
};

const faultsBetween: Way = async (customer, _urls, tick) => {
  for (const [fault, count, line] of [
    ["answer-lost", 2, "an answer is lost and the payment repeated: one payment, the repeat gets the stored answer"],
    ["storm", 8, "the same payment arrives eight times at once: one payment"],
  ] as const) {
    const order = await customer.order("long");
    const page = await customer.press(order, "pay");
    await customer.read(page);
    await customer.pay(page, fault);
    const paid = await customer.wait(order, "the notification and the callback", arrived);
    const sent = paymentsOf(await customer.trace(`${paid.number}-1`));
    demand(sent.length === count && new Set(sent.map(({ traxId }) => traxId)).size === 1, `${fault}: ${count} copies`);
    demand(paid.events.filter(({ kind }) => kind === "called-back").length === 1, `${fault}: one callback`);
    demand(paid.status === "PAID" && sent.some(({ exchange }) => exchange.isReplay), `${fault}: a stored answer`);
    tick(line);
  }
};

const reversed: Way = async (customer, _urls, tick) => {
  const order = await customer.order("long");
  const first = await customer.press(order, "pay");
  await customer.read(first);
  await customer.pay(first, "silence");
  const taken = await customer.wait(
    order,
    "the reversal",
    (now) => now.finpayStatus === "REVERSED" && now.events.filter(({ kind }) => kind === "called-back").length === 2,
  );
  demand(taken.status === "UNPAID", "a reversed payment leaves the bill unpaid");
  tick("no answer comes at all: Finpay reverses, host and Finpay both tell the shop, the bill is unpaid again");
  const second = await customer.press(order, "pay");
  await customer.read(second);
  await customer.pay(second);
  await customer.wait(order, "the second payment", (now) => now.status === "PAID" && now.finpayStatus === "PAID");
  tick("the customer pays again, on a new payment page, and this time it stays");
};

const notPayable: Way = async (customer, urls, tick) => {
  const cancelled = await customer.order("long");
  const page = await customer.press(cancelled, "pay");
  await customer.press(cancelled, "cancel");
  await customer.wait(cancelled, "the callback of the cancelling", (now) => has(now, "called-back"));
  demand((await customer.read(`${page}?lang=en`)).includes("cannot be paid now"), "a cancelled order is not payable");
  demand(!(await customer.press(cancelled, "pay")).startsWith(urls.finpay), "the shop offers no payment of it either");
  tick("a cancelled order cannot be paid, at the shop or on a page given out before");
  const expired = await customer.order("short");
  const late = await customer.press(expired, "pay");
  await customer.wait(expired, "the end of the time to pay", ({ status }) => status === "EXPIRED");
  demand((await customer.read(`${late}?lang=en`)).includes("cannot be paid now"), "an expired order is not payable");
  tick("an order whose time is up cannot be paid either");
};

const forged: Way = async (customer, urls, tick) => {
  const order = await customer.order("long");
  await customer.press(order, "pay");
  const { number, billingId, total } = await customer.state(order);
  const told = { transaction_number: number, billing_id: billingId, billing_total: total, billing_status: "PAID" };
  const callback = await statusOf(`${urls.shop}/callbacks/biller`, told, {
    ...{ "X-Event-Id": "forged", "X-Timestamp": String(Math.floor(Date.now() / 1_000)) },
    "X-Signature": `v1=${"0".repeat(64)}`,
  });
  const notification = { order: { id: `${number}-1` }, result: { payment: { status: "PAID" } }, signature: "0" };
  const answers = [callback, await statusOf(`${urls.shop}/callbacks/finpay`, notification, {})];
  const now = await customer.state(order);
  demand(answers.every((status) => status === 401) && now.status === "UNPAID", "forged messages are refused");
  tick("a forged callback and a forged notification are refused, and the order stays unpaid");
};

function demand(isSo: boolean, what: string): void {
  if (!isSo) throw new Fault("demo_check", `not so: ${what}`);
}

function has({ events }: OrderState, kind: string): boolean {
  return events.some((event) => event.kind === kind);
}

/** Facts of the last event of a kind. */
function eventOf({ events }: OrderState, kind: string): Readonly<Record<string, string>> {
  return events.findLast((event) => event.kind === kind)?.facts ?? {};
}

function arrived(now: OrderState): boolean {
  return has(now, "notified") && has(now, "called-back");
}

function paymentsOf({ sent }: Trace): Trace["sent"] {
  return sent.filter((message) => message.function === "payment");
}

async function statusOf(url: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<number> {
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(body), headers });
  await answer.arrayBuffer();
  return answer.status;
}
