import { PassThrough } from "node:stream";
import Router from "@koa/router";
import type { Context, Middleware } from "koa";
import type { BillPage, BillPageDesk, BillWatch, PaymentPages } from "../../flows";
import { Fault, type Logger } from "../../platform";
import { pageHeaders } from "../middleware/page-headers";
import { ASSETS_BY_NAME } from "../pages/assets";
import { billPage } from "../pages/bill";
import { plainPage } from "../pages/frame";
import { type Language, languageOf, WORDS } from "../pages/words";

/** What customers' addresses answer from. */
export interface BillPageRouteDeps {
  readonly billPages: BillPageDesk;
  readonly billWatch: BillWatch;
  /** Null: payment pages cannot be asked for. */
  readonly paymentPages: PaymentPages | null;
  /** Where customers and Finpay reach this host. */
  readonly billing: { readonly publicUrl: string };
  readonly logger: Logger;
}

/** An open page is told to come again after this long, milliseconds: no connection lives for ever. */
const STREAM_MAX_MS = 600_000;
/** Proxies close what is silent; a comment every 20 seconds is not. */
const STREAM_BEAT_MS = 20_000;
const STREAM_RETRY_MS = 3_000;
/** A reader so slow that this many bytes wait for it is let go. */
const STREAM_BACKLOG_MAX = 4_096;
const IMMUTABLE = "public, max-age=31536000, immutable";

/**
 * The face for customers: the page of a bill, its changes, the way to a payment page. A link that leads nowhere and a text
 * that can be none are answered alike, status 404; 503 when it cannot be known.
 */
export function billPageRoutes(deps: BillPageRouteDeps): Router {
  const router = new Router({ strict: true, sensitive: true });
  router.use(pageHeaders({ mayLeadElsewhere: leadsTo(deps) }));
  router.get("/b/assets/:file", serveAsset);
  router.get("/b/:code", answering(deps, "page", showBill));
  router.get(
    "/b/:code/status",
    answering(deps, "json", (_deps, ctx, bill) => {
      ctx.body = { tag: bill.tag };
    }),
  );
  router.get("/b/:code/events", answering(deps, "json", stream));
  router.post("/b/:code/pay", answering(deps, "page", pay));
  // Finpay tells the outcome of a payment page here. It proves nothing: what counts is the switch's signed payment, for
  // which open pages now look sooner.
  router.post("/b/:code/notification", (ctx) => {
    deps.billWatch.hurry(codeOf(ctx));
    ctx.body = { responseCode: "2000000", responseMessage: "Success" };
  });
  return router;
}

function leadsTo(deps: BillPageRouteDeps | undefined): "no" | "https" | "http" {
  const pages = deps?.paymentPages ?? null;
  if (pages === null) return "no";
  return pages.isPlain ? "http" : "https";
}

function serveAsset(ctx: Context): void {
  const asset = ASSETS_BY_NAME.get(String((ctx["params"] as { file?: string }).file));
  if (asset === undefined) return;
  ctx.set("Cache-Control", IMMUTABLE);
  ctx.type = asset.type;
  ctx.body = asset.content;
}

type Show = (deps: BillPageRouteDeps, ctx: Context, bill: BillPage) => void | Promise<void>;

/** Reads the bill and shows it; says in the same form that there is none, or that it cannot be known now. */
function answering(deps: BillPageRouteDeps, form: "page" | "json", show: Show): Middleware {
  return async function answeringMiddleware(ctx) {
    try {
      const bill = await deps.billPages.read(codeOf(ctx));
      if (bill === null) refuse(ctx, form, 404);
      else await show(deps, ctx, bill);
    } catch (error) {
      // Without the address: it holds the link.
      deps.logger.error({ err: error, code: error instanceof Fault ? error.code : undefined }, "no bill page");
      ctx.set("Retry-After", "5");
      refuse(ctx, form, 503);
    }
  };
}

function refuse(ctx: Context, form: "page" | "json", status: 404 | 503): void {
  ctx.status = status;
  if (form === "json") {
    ctx.body = { error: status === 404 ? "no such bill" : "not known just now" };
    return;
  }
  const language = languageOf(ctx.query["lang"], null, ctx.get("Accept-Language"));
  const text = WORDS[language][status === 404 ? "missing" : "broken"];
  sendPage(ctx, plainPage({ language, text, up: ctx.method === "POST" ? "../" : "" }));
}

function codeOf(ctx: Context): string {
  return String((ctx["params"] as { code?: string }).code);
}

function sendPage(ctx: Context, text: string): void {
  ctx.set("Vary", "Accept-Language");
  ctx.type = "text/html; charset=utf-8";
  ctx.body = text;
}

function languageFor(ctx: Context, bill: BillPage): Language {
  return languageOf(ctx.query["lang"], bill.language, ctx.get("Accept-Language"));
}

function showBill(deps: BillPageRouteDeps, ctx: Context, bill: BillPage): void {
  sendPage(ctx, billPage(bill, { language: languageFor(ctx, bill), canPayHere: deps.paymentPages !== null, up: "" }));
}

/** Asks Finpay for a payment page and sends the browser there; 303, so that going back and reloading send no form again. */
async function pay(deps: BillPageRouteDeps, ctx: Context, bill: BillPage): Promise<void> {
  const language = languageFor(ctx, bill);
  if (deps.paymentPages === null || bill.payable === null) {
    goTo(ctx, `../${bill.linkCode}?lang=${language}`);
    return;
  }
  const callbackUrl = `${deps.billing.publicUrl}/b/${bill.linkCode}/notification`;
  const opened = await deps.paymentPages.open(bill, bill.payable, callbackUrl);
  if (opened.kind === "opened") {
    goTo(ctx, opened.url);
    return;
  }
  const words = WORDS[language];
  const problem = opened.kind === "busy" ? words.payBusy : words.payFailed;
  ctx.status = opened.kind === "busy" ? 503 : 502;
  sendPage(ctx, billPage(bill, { language, canPayHere: true, up: "../", problem }));
}

function goTo(ctx: Context, address: string): void {
  ctx.status = 303;
  ctx.set("Location", address);
  ctx.type = "text/plain; charset=utf-8";
  ctx.body = "See other";
}

/** The bill's tag, now and whenever it changes, as server-sent events. 503 when no more pages can be told. */
function stream(deps: BillPageRouteDeps, ctx: Context, bill: BillPage): void {
  ctx.type = "text/event-stream; charset=utf-8";
  ctx.set("X-Accel-Buffering", "no");
  if (ctx.method === "HEAD") {
    ctx.status = 200;
    return;
  }
  const events = new PassThrough();
  const send = (text: string): void => {
    if (events.writableLength > STREAM_BACKLOG_MAX) events.destroy();
    else events.write(text);
  };
  const end = (): void => void events.end();
  const stop = deps.billWatch.watch(bill.linkCode, {
    onTag: (tag) => send(`event: tag\ndata: ${tag}\n\n`),
    onEnd: end,
  });
  if (stop === null) {
    ctx.set("Retry-After", "30");
    refuse(ctx, "json", 503);
    return;
  }
  const beat = setInterval(() => send(":\n\n"), STREAM_BEAT_MS);
  const life = setTimeout(end, STREAM_MAX_MS);
  const cleanUp = (): void => {
    stop();
    clearInterval(beat);
    clearTimeout(life);
  };
  events.once("close", cleanUp);
  ctx.res.once("close", () => {
    cleanUp();
    events.destroy();
  });
  send(`retry: ${STREAM_RETRY_MS}\n\nevent: tag\ndata: ${bill.tag}\n\n`);
  ctx.body = events;
}
