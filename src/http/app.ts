import { createServer, type Server } from "node:http";
import Koa from "koa";
import type { Logger } from "../platform";
import { answerFaults } from "./middleware/answer-faults";
import { healthRoutes, type HealthRouteDeps } from "./routes/health";
import { openApiRoutes } from "./routes/openapi";
import { switchRoutes, type SwitchRouteDeps } from "./routes/switch";

export type AppDeps = SwitchRouteDeps & HealthRouteDeps & { readonly logger: Logger };

/** The Koa application with every route. */
export function createApp(deps: AppDeps): Koa {
  const app = new Koa();
  app.proxy = false;
  app.silent = true;
  app.on("error", (error: unknown) => deps.logger.debug({ err: error }, "connection fault"));
  app.use(answerFaults(deps.logger));
  for (const router of [switchRoutes(deps), healthRoutes(deps), openApiRoutes()]) {
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

/** An HTTP server over the application that slow or half-open clients cannot exhaust. Not yet listening. */
export function createHttpServer(app: Koa): Server {
  const handle = app.callback();
  const server = createServer(SERVER_LIMITS, (request, response) => void handle(request, response));
  server.maxHeadersCount = 64;
  return server;
}

/**
 * Stops a server without cutting off what it has accepted: answers in progress are finished and say
 * `Connection: close`, idle connections are closed, and what is left after `timeoutMs` is cut.
 */
export function drainServer(server: Server, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), timeoutMs);
    server.prependListener("request", (_request, response) => response.setHeader("Connection", "close"));
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
