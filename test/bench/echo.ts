import Router from "@koa/router";
import Koa from "koa";
import bodyParser from "koa-bodyparser";
import type { AddressInfo } from "node:net";

/** The measure: the same body read and written back by the same framework, and nothing else. */
const router = new Router();
router.post("/finpay/billing", bodyParser({ enableTypes: ["json"] }), (ctx) => {
  ctx.body = ctx.request.body;
});
const server = new Koa()
  .use(router.routes())
  .use(router.allowedMethods())
  .listen(0, "127.0.0.1", 1024, () => {
    process.stderr.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
  });
process.on("SIGTERM", () => process.exit(0));
process.on("disconnect", () => process.exit(0));
