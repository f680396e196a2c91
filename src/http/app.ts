import { createServer, METHODS, type Server, type ServerResponse } from "node:http";
import Koa from "koa";
import type { Logger } from "../platform";
import { answerFaults } from "./middleware/answer-faults";
import { billPageRoutes, type BillPageRouteDeps } from "./routes/bill-page";
import { auditRoutes, type AuditRouteDeps } from "./routes/audit";
import { billingRoutes, type BillingRouteDeps } from "./routes/billing";
import { healthRoutes, type HealthRouteDeps } from "./routes/health";
import { openApiRoutes } from "./routes/openapi";
import { switchRoutes, type SwitchRouteDeps } from "./routes/switch";

export type AppDeps = SwitchRouteDeps &
  BillingRouteDeps &
  BillPageRouteDeps &
  AuditRouteDeps &
  HealthRouteDeps & { readonly logger: Logger };

/** The Koa application with every route. */
export function createApp(deps: AppDeps): Koa {
  const app = new Koa();
  app.proxy = false;
  app.silent = true;
  app.on("error", (error: unknown) => deps.logger.debug({ err: error }, "connection fault"));
  app.use(answerFaults(deps.logger));
  const routers = [
    switchRoutes(deps),
    billingRoutes(deps),
    billPageRoutes(deps),
    auditRoutes(deps),
    healthRoutes(deps),
    openApiRoutes(),
  ];
  for (const router of routers) {
    // Every method that Node can read: one that the router does not know would be answered 501, as if we had failed.
    router.methods = METHODS;
    app.use(router.routes());
    app.use(router.allowedMethods());
  }
  return app;
}

/** Times in milliseconds. Keep-alive outlives that of usual reverse proxies (60 s), which would otherwise see resets. */
const SERVER_LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
  insecureHTTPParser: false,
} as const;

/** A server, and the way to stop it without cutting off what it has accepted. */
export interface HttpServer {
  readonly server: Server;
  /**
   * Takes no new connections, finishes the answers in progress, then closes every connection: also those that never sent
   * a whole request, which would otherwise hold the process up. What is left after `timeoutMs` milliseconds is cut.
   */
  readonly drain: (timeoutMs: number) => Promise<void>;
}

/** An HTTP server over the application that slow or half-open clients cannot exhaust. Not yet listening. */
export function createHttpServer(app: Koa): HttpServer {
  const handle = app.callback();
  const inProgress = new Set<ServerResponse>();
  let isDraining = false;
  let whenIdle = (): void => {};
  const server = createServer(SERVER_LIMITS, (request, response) => {
    inProgress.add(response);
    if (isDraining) response.setHeader("Connection", "close");
    response.once("close", () => {
      inProgress.delete(response);
      if (inProgress.size === 0) whenIdle();
    });
    void handle(request, response);
  });
  server.maxHeadersCount = 64;
  return {
    server,
    async drain(timeoutMs) {
      isDraining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const response of inProgress) {
        if (!response.headersSent) response.setHeader("Connection", "close");
      }
      const cut = setTimeout(() => server.closeAllConnections(), timeoutMs);
      whenIdle = () => server.closeAllConnections();
      if (inProgress.size === 0) whenIdle();
      await closed;
      clearTimeout(cut);
    },
  };
}
