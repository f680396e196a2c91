import Router from "@koa/router";
import { METHODS } from "node:http";
import Koa, { type Context, type Middleware } from "koa";
import { type Clock, type Logger, messageOf } from "../platform";
import { parseStrictJson } from "../wire";
import { faultFrom } from "./faults";
import { notificationOf, notify } from "./notification";
import { type Order, OrderBook } from "./order";
import { frontPage, noPage, paymentPage, resultPage, STYLE_ADDRESS } from "./pages";
import { parsePaymentCard } from "./payment-card";
import { BODY_MAX_BYTES, readBody } from "./read-body";
import { COMMON_HEADERS, goTo, showPage, statusOfFault } from "./replies";
import { SIMULATION, type SimulatorSettings } from "./settings";
import { PAGE_STYLE } from "./style";
import { createSwitch, type Switch } from "./switch";
import { languageOf, SOURCES, type SourceOfFunds } from "./words";

/** What the simulator's addresses answer from. */
export interface SimulatorDeps {
  readonly settings: SimulatorSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Address under which browsers reach this process, without a slash at its end. */
  readonly publicUrl: () => string;
}

/** How long the Pay button waits before the customer is shown that it takes longer, milliseconds. */
const PATIENCE_MS = 2_000;
const JSON_LIMITS = { maxDepth: 10, maxBytes: BODY_MAX_BYTES } as const;
const HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  ...COMMON_HEADERS,
} as const;

/** The Koa application of the simulator: payment pages, status, and what it sent to the biller. */
export function createSimulatorApp(deps: SimulatorDeps): Koa {
  const orders = new OrderBook(deps.settings.ordersMax);
  const theSwitch = createSwitch(deps);
  const router = new Router();
  router.methods = METHODS;
  router.get("/", (ctx) => showPage(ctx, frontPage(deps.settings.billerUrl, orders.size)));
  router.get(STYLE_ADDRESS, (ctx) => {
    ctx.type = "text/css; charset=utf-8";
    ctx.body = PAGE_STYLE;
  });
  router.post("/sof/bp/paymentCard", (ctx) => createPaymentPage(deps, orders, ctx));
  router.get("/sof/bp/checkCard/:orderId", (ctx) => {
    const order = orders.byId(ctx["params"].orderId as string);
    if (order === undefined) answer(ctx, 404, { responseCode: "4040000", responseMessage: "There is no such order" });
    else answer(ctx, 200, { ...SUCCESS, data: notificationOf(order, deps.settings) });
  });
  router.get("/simulation/orders/:orderId", (ctx) => {
    const order = orders.byId(ctx["params"].orderId as string);
    if (order === undefined) answer(ctx, 404, { responseCode: "4040000", responseMessage: "There is no such order" });
    else {
      // A signature that was seen can be sent again with another amount: it is not shown.
      const sent = order.sent.map(({ exchange, ...message }) => {
        const request = exchange.request.replace(/"signature":"[^"]*"/, '"signature":"(left out)"');
        return { ...message, exchange: { ...exchange, request } };
      });
      answer(ctx, 200, { state: order.state, sent, notifications: order.notifications });
    }
  });
  router.get("/pay/:token", (ctx) => showPayment(theSwitch, orders, ctx));
  router.post("/pay/:token", (ctx) => pay(deps, theSwitch, orders, ctx));
  router.get("/pay/:token/result", (ctx) => {
    const language = languageOf(ctx.query["lang"], ctx.get("Accept-Language"));
    const order = orders.byToken(ctx["params"].token as string);
    if (order?.state === "open") goTo(ctx, `/pay/${order.token}?lang=${language}`);
    else if (order === undefined) showPage(ctx, noPage(language), 404);
    else showPage(ctx, resultPage({ order, language }));
  });

  const app = new Koa();
  app.silent = true;
  app.on("error", (error: unknown) => deps.logger.debug({ err: error }, "connection fault"));
  app.use(answerFaults(deps.logger));
  app.use(router.routes());
  app.use(router.allowedMethods());
  return app;
}

const SUCCESS = { responseCode: "2000000", responseMessage: "Success" } as const;

function answer(ctx: Context, status: number, body: Readonly<Record<string, unknown>>): void {
  ctx.status = status;
  ctx.body = { simulation: SIMULATION, ...body };
}

/** Whatever was thrown or not answered, as labelled JSON. */
function answerFaults(logger: Logger): Middleware {
  return async function answerFaultsMiddleware(ctx, next) {
    ctx.set(HEADERS);
    try {
      await next();
    } catch (error) {
      const known = statusOfFault(error);
      if (known === 500) logger.error({ err: error }, "fault while answering");
      const text = known === 500 ? "internal fault of the simulator" : messageOf(error);
      answer(ctx, known, { responseCode: `${known}0000`, responseMessage: text });
    }
    ctx.set(HEADERS);
    if (ctx.body === undefined || ctx.body === null) {
      const { status } = ctx;
      const text = status === 404 ? "no such address" : "method not allowed at this address";
      answer(ctx, status, { responseCode: `${status}0000`, responseMessage: text });
    }
  };
}

async function createPaymentPage(deps: SimulatorDeps, orders: OrderBook, ctx: Context): Promise<void> {
  const bad = (faults: readonly { field: string; problem: string }[]): void =>
    answer(ctx, 400, { responseCode: "4000000", responseMessage: "The request is not valid", faults });
  if (!ctx.is("application/json")) ctx.throw(415, "Content-Type must be application/json");
  const json = parseStrictJson(await readBody(ctx), JSON_LIMITS);
  if (!json.ok) {
    bad([{ field: "(body)", problem: `cannot be taken: ${json.reason}` }]);
    return;
  }
  const parsed = parsePaymentCard(json.value);
  if (!parsed.ok) {
    bad(parsed.faults);
    return;
  }
  const added = orders.add(parsed.request, deps.clock.nowMs());
  if (added.kind === "exists") {
    bad([{ field: "order.id", problem: "was used before" }]);
  } else if (added.kind === "full") {
    answer(ctx, 503, { responseCode: "5030000", responseMessage: "Too many orders are being paid" });
  } else {
    const address = `${deps.publicUrl()}/pay/${added.order.token}`;
    // The published table and the published sample name the address differently: it has both names.
    answer(ctx, 200, { ...SUCCESS, redirecturl: address, redirectUrl: address });
  }
}

async function showPayment(theSwitch: Switch, orders: OrderBook, ctx: Context, hint = false): Promise<void> {
  const language = languageOf(ctx.query["lang"], ctx.get("Accept-Language"));
  const order = orders.byToken(ctx["params"].token as string);
  if (order === undefined) {
    showPage(ctx, noPage(language), 404);
    return;
  }
  const inquired = order.state === "open" ? await theSwitch.inquire(order) : null;
  if (inquired === null || order.state !== "open") goTo(ctx, `/pay/${order.token}/result?lang=${language}`);
  else showPage(ctx, paymentPage({ order, language }, inquired, hint), hint ? 422 : 200);
}

async function pay(deps: SimulatorDeps, theSwitch: Switch, orders: OrderBook, ctx: Context): Promise<void> {
  const language = languageOf(ctx.query["lang"], ctx.get("Accept-Language"));
  const order = orders.byToken(ctx["params"].token as string);
  if (order === undefined) {
    showPage(ctx, noPage(language), 404);
    return;
  }
  if (!ctx.is("application/x-www-form-urlencoded")) ctx.throw(415, "this address takes the payment page's form");
  const form = new URLSearchParams(await readBody(ctx));
  const source = form.get("source") ?? "";
  if (order.state === "open") {
    const shown = order.inquired;
    if (!SOURCES.includes(source as SourceOfFunds) || shown?.kind !== "shown") {
      await showPayment(theSwitch, orders, ctx, true);
      return;
    }
    // Before anything is awaited: a second press of the button finds the order being paid.
    order.state = "paying";
    order.source = source;
    order.fault = faultFrom(form.get("fault") ?? "");
    const done = settle(deps, theSwitch, order, shown.bill);
    await Promise.race([done, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  }
  goTo(ctx, `/pay/${order.token}/result?lang=${language}`);
}

/** Pays and tells the merchant; goes on after the customer's browser was answered. Never throws. */
async function settle(
  deps: SimulatorDeps,
  theSwitch: Switch,
  order: Order,
  bill: Parameters<Switch["pay"]>[1],
): Promise<void> {
  try {
    await theSwitch.pay(order, bill);
  } catch (error) {
    order.state = "unclear";
    deps.logger.error({ err: error, orderId: order.id }, "fault while paying");
  }
  // Whoever is told PAID by the page may ask for the status at once; the notification is on its way meanwhile.
  if (order.state !== "unclear") void notify(order, deps);
}
