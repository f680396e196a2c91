import Router from "@koa/router";
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import knexFactory from "knex";
import Koa from "koa";
import bodyParser from "koa-bodyparser";
import type { AddressInfo } from "node:net";
import pg from "pg";
import { loadCatalog } from "../../../src/flows";
import { createSecretBox } from "../../../src/platform";
import { TEST_KEYS, testDb, transact } from "../../support/builders";
import { answerPayment } from "./payment";
import { withRedisLock } from "./redis-lock";

/**
 * What one would write first, and not badly: one request, one Redis lock, one transaction of six round trips. The
 * message, its signature, the decision and the reply are the host's own code; what differs is how the database is used.
 */
async function main(): Promise<void> {
  const databaseUrl = setting("DATABASE_URL");
  pg.types.setTypeParser(pg.types.builtins.INT8, (text) => BigInt(text));
  const db = testDb(databaseUrl, 2);
  const catalog = await transact(db, (tx) => loadCatalog(tx, createSecretBox(TEST_KEYS)));
  await db.close();
  const knex = knexFactory({
    client: "pg",
    connection: databaseUrl,
    pool: { min: 0, max: Number(setting("DATABASE_POOL_MAX")) },
  });
  const redis = new Redis(setting("REDIS_URL"));

  const router = new Router();
  router.post("/finpay/billing", bodyParser({ enableTypes: ["json"], jsonLimit: "16kb" }), async (ctx) => {
    const { traxId } = ctx.request.body as { traxId?: unknown };
    const answer = await withRedisLock(redis, `plain:lock:${String(traxId)}`, randomUUID(), () =>
      answerPayment(knex, catalog, ctx.request.body),
    );
    ctx.status = answer.status;
    ctx.type = "application/json; charset=utf-8";
    if (answer.isReplay) ctx.set("x-replayed", "true");
    ctx.body = answer.body;
  });
  const app = new Koa().use(router.routes()).use(router.allowedMethods());
  const server = app.listen(0, "127.0.0.1", 1024, () => {
    process.stderr.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
  });
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

process.on("SIGTERM", () => process.exit(0));
process.on("disconnect", () => process.exit(0));
void main();
