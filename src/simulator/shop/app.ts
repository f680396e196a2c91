import Router from "@koa/router";
import { METHODS } from "node:http";
import Koa, { type Context, type Middleware } from "koa";
import { messageOf } from "../../platform";
import { readBody } from "../read-body";
import { COMMON_HEADERS, goTo, showPage, statusOfFault } from "../replies";
import { SIMULATION } from "../settings";
import { type Language, languageOf } from "../words";
import { createDesk, type Desk, type ShopDeps } from "./desk";
import { EMPTY_FORM, readForm } from "./form";
import { takeCallback, takeNotification } from "./incoming";
import { type ShopOrder, shownStatus } from "./order";
import { goodsPage, notePage, orderPage, SHOP_SCRIPT_ADDRESS, SHOP_STYLE_ADDRESS, versionOf } from "./pages";
import { SHOP_SCRIPT, SHOP_STYLE } from "./style";

const languageFor = (ctx: Context): Language => languageOf(ctx.query["lang"], ctx.get("Accept-Language"));

/** The Koa application of the shop: pages for customers, and addresses that the biller and Finpay call. */
export function createShopApp(deps: ShopDeps): Koa {
  const desk = createDesk(deps);
  const { settings, clock, logger } = deps;
  const router = new Router();
  router.methods = METHODS;
  const { shortDueSeconds } = settings;
  router.get("/", (ctx) => {
    showPage(ctx, goodsPage({ language: languageFor(ctx), typed: EMPTY_FORM, problems: [], shortDueSeconds }));
  });
  asset(router, SHOP_STYLE_ADDRESS, "text/css", SHOP_STYLE);
  asset(router, SHOP_SCRIPT_ADDRESS, "text/javascript", SHOP_SCRIPT);
  router.post("/orders", async (ctx) => {
    const language = languageFor(ctx);
    const { typed, problems, wish } = readForm(await formOf(ctx));
    if (problems.length > 0) {
      showPage(ctx, goodsPage({ language, typed, problems, shortDueSeconds }), 422);
      return;
    }
    const order = await desk.place({ ...wish, language });
    goTo(ctx, addressOf(order, language));
  });
  router.get("/orders/:token", (ctx) => {
    const order = orderOf(desk, ctx);
    if (order === undefined) showPage(ctx, notePage(languageFor(ctx)), 404);
    else showPage(ctx, orderPage(order, languageFor(ctx), clock.nowMs()));
  });
  router.get("/orders/:token/status", (ctx) => {
    const order = orderOf(desk, ctx);
    ctx.status = order === undefined ? 404 : 200;
    ctx.body = order === undefined ? { simulation: SIMULATION } : stateOf(order, clock.nowMs());
  });
  const acts: Readonly<Record<string, (order: ShopOrder) => Promise<string | null>>> = {
    pay: (order) => desk.startPayment(order),
    check: (order) => desk.check(order).then(() => null),
    cancel: (order) => desk.cancel(order).then(() => null),
  };
  for (const [name, act] of Object.entries(acts)) {
    router.post(`/orders/:token/${name}`, async (ctx) => {
      await formOf(ctx);
      const order = orderOf(desk, ctx);
      if (order === undefined) showPage(ctx, notePage(languageFor(ctx)), 404);
      else goTo(ctx, (await act(order)) ?? addressOf(order, languageFor(ctx)));
    });
  }
  router.post("/callbacks/biller", async (ctx) => {
    const proof = {
      eventId: ctx.get("X-Event-Id"),
      timestamp: ctx.get("X-Timestamp"),
      signature: ctx.get("X-Signature"),
    };
    const { status, text } = takeCallback(deps, desk, await readBody(ctx), proof);
    logger.info({ status, kind: ctx.get("X-Event-Kind").slice(0, 40), answer: text }, "the biller called back");
    ctx.status = status;
    ctx.body = { simulation: SIMULATION, message: text };
  });
  router.post("/callbacks/finpay", async (ctx) => {
    const { status, text } = takeNotification(deps, desk, await readBody(ctx));
    logger.info({ status, answer: text }, "Finpay (simulated) notified");
    ctx.status = status;
    ctx.body = { simulation: SIMULATION, message: text };
  });

  const app = new Koa();
  app.silent = true;
  app.on("error", (error: unknown) => logger.debug({ err: error }, "connection fault"));
  app.use(answerFaults(deps));
  app.use(router.routes());
  app.use(router.allowedMethods());
  return app;
}

/** An order for programs: what the page shows. */
function stateOf(order: ShopOrder, nowMs: number): Readonly<Record<string, unknown>> {
  const { number, bill, finpayStatus, total, events } = order;
  return {
    simulation: SIMULATION,
    number,
    billingId: bill?.billingId ?? null,
    billUrl: bill?.url ?? null,
    total: String(total),
    status: shownStatus(order, nowMs),
    finpayStatus,
    version: versionOf(order, nowMs),
    events: events.map(({ who, kind, facts }) => ({ who, kind, facts: Object.fromEntries(facts) })),
  };
}

function orderOf({ orders }: Desk, ctx: Context): ShopOrder | undefined {
  return orders.byToken(ctx["params"].token as string);
}

function addressOf({ token }: ShopOrder, language: Language): string {
  return `/orders/${token}?lang=${language}`;
}

async function formOf(ctx: Context): Promise<string> {
  if (!ctx.is("application/x-www-form-urlencoded")) ctx.throw(415, "this address takes the form of its page");
  return readBody(ctx);
}

function asset(router: Router, address: string, type: string, text: string): void {
  router.get(address, (ctx) => {
    ctx.type = `${type}; charset=utf-8`;
    ctx.body = text;
  });
}

/** Headers for every answer, and a page for whatever was thrown or not answered. */
function answerFaults({ settings, logger }: ShopDeps): Middleware {
  // A form's answer may lead to the payment page: browsers hold form-action against that too.
  const headers = {
    "Content-Security-Policy":
      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; " +
      `form-action 'self' ${new URL(settings.finpayUrl).origin}; frame-ancestors 'none'; base-uri 'none'`,
    ...COMMON_HEADERS,
  };
  return async function answerFaultsMiddleware(ctx, next) {
    ctx.set(headers);
    try {
      await next();
    } catch (error) {
      const known = statusOfFault(error);
      if (known === 500) logger.error({ err: error }, "fault while answering");
      showPage(ctx, notePage(languageFor(ctx), known === 500 ? "internal fault of the shop" : messageOf(error)), known);
    }
    ctx.set(headers);
    if (ctx.body === undefined || ctx.body === null) showPage(ctx, notePage(languageFor(ctx)), ctx.status);
  };
}
