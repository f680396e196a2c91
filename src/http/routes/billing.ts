import Router from "@koa/router";
import type { Context, Middleware } from "koa";
import {
  authenticateMerchant,
  type BillingAnswer,
  billingFailure,
  cancelBilling,
  createBilling,
  inquireBilling,
  listBillings,
  type MerchantDirectory,
} from "../../flows";
import type { Clock } from "../../platform";
import { parseStrictJson } from "../../wire";
import { jsonBody, rawTextOf } from "../middleware/json-body";

type Billing = Parameters<typeof createBilling>[0];
type Merchant = Parameters<typeof createBilling>[1];
type Fields = Readonly<Record<string, unknown>>;

/** What merchants' addresses answer from. */
export interface BillingRouteDeps {
  readonly billing: Billing;
  readonly merchants: () => MerchantDirectory;
  readonly clock: Clock;
}

const JSON_LIMITS = { maxDepth: 8, maxBytes: 16_384 };

/** Our addresses, and those that Faspay's documents publish for the same calls. */
const PATHS = {
  create: ["/billing/create", "/billingbackendapi/web/api/create"],
  inquire: ["/billing/inquire", "/billingbackendapi/web/api/inquire"],
  cancel: ["/billing/cancel", "/billingbackendapi/web/api/cancel"],
  list: ["/billing/list", "/billingbackendapi/web/billing/get-all-billing"],
} as const;

/**
 * The merchant face, shaped like Faspay's billing API. Answers have status 200 and `response_code` 00 or 01; 400 when the
 * body is no JSON object, 401 when the request is not authentic.
 */
export function billingRoutes(deps: BillingRouteDeps): Router {
  const router = new Router();
  const body = jsonBody({ withGet: true });
  const serve = (answer: (merchant: Merchant, fields: Fields) => Promise<BillingAnswer>): Middleware =>
    async function billingMiddleware(ctx) {
      const fields = fieldsOf(ctx);
      if (typeof fields === "string") {
        ctx.status = 400;
        ctx.body = billingFailure(fields);
        return;
      }
      const merchant = authenticate(deps, ctx, fields);
      ctx.status = merchant === null ? 401 : 200;
      ctx.body = merchant === null ? billingFailure("Not authorised") : await answer(merchant, fields);
    };
  /** Serves a call about one bill, once both of its names are there. */
  const serveQuestion = (answer: typeof inquireBilling): Middleware =>
    serve((merchant, fields) => {
      const missing = ["billing_id", "transaction_number"].filter((name) => textOf(fields, name) === "");
      if (missing.length > 0) return Promise.resolve(billingFailure(`${missing.join(" and ")} must be given`));
      return answer(deps.billing, merchant, {
        billingId: textOf(fields, "billing_id"),
        transactionNumber: textOf(fields, "transaction_number"),
      });
    });

  for (const path of PATHS.create) {
    router.post(
      path,
      body,
      serve((merchant, fields) => createBilling(deps.billing, merchant, fields)),
    );
  }
  for (const path of PATHS.inquire) {
    const inquire = serveQuestion(inquireBilling);
    // Published as GET with a JSON body, which not every client can send: the query string and POST serve as well.
    router.get(path, body, inquire);
    router.post(path, body, inquire);
  }
  for (const path of PATHS.cancel) {
    router.post(path, body, serveQuestion(cancelBilling));
  }
  for (const path of PATHS.list) {
    router.get(
      path,
      body,
      serve((merchant, fields) => {
        const limit = Number(textOf(fields, "limit") || "20");
        const next = textOf(fields, "next");
        if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
          return Promise.resolve(billingFailure("limit must be 1 to 100"));
        }
        return listBillings(deps.billing, merchant, { limit, next: next === "" ? null : next });
      }),
    );
  }
  return router;
}

/** Fields of the body, or of the query string when there is no body; a text says what is wrong. */
function fieldsOf(ctx: Context): Fields | string {
  const raw = rawTextOf(ctx);
  if (raw === "" && ctx.method === "GET") return ctx.query;
  const json = parseStrictJson(raw, JSON_LIMITS);
  return json.ok ? json.value : `Format error: ${json.detail}`;
}

function authenticate({ merchants, clock }: BillingRouteDeps, ctx: Context, fields: Fields): Merchant | null {
  const raw = rawTextOf(ctx);
  const [timestamp, signature] = [ctx.get("X-Timestamp"), ctx.get("X-Signature")];
  const proof = {
    serviceId: textOf(fields, "service_id"),
    signature: textOf(fields, "signature"),
    number: textOf(fields, "transaction_number"),
    rawBody: raw === "" ? ctx.querystring : raw,
    strong: signature === "" ? null : { timestamp, signature },
  };
  return authenticateMerchant(merchants(), proof, clock);
}

/** A field as text: merchants send numbers as numbers or as text. Anything else is none. */
function textOf(fields: Fields, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : "";
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  return typeof value === "string" ? value : "";
}
