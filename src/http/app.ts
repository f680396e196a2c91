import { createServer, type IncomingMessage, METHODS, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import Koa from "koa";
import type { Logger } from "../platform";
import { answerFaults } from "./middleware/answer-faults";
import { billPageRoutes, type BillPageRouteDeps } from "./routes/bill-page";
import { auditRoutes, type AuditRouteDeps } from "./routes/audit";
import { billingRoutes, type BillingRouteDeps } from "./routes/billing";
import { LONG_BODY, reconRoutes, UPLOAD_PATH } from "./routes/recon";
import type { ReconRouteDeps } from "./middleware/recon-door";
import { healthRoutes, type HealthRouteDeps } from "./routes/health";
import { openApiRoutes } from "./routes/openapi";
import { switchRoutes, type SwitchRouteDeps } from "./routes/switch";

export type AppDeps = SwitchRouteDeps &
  BillingRouteDeps &
  BillPageRouteDeps &
  AuditRouteDeps &
  ReconRouteDeps &
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
    reconRoutes(deps),
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

/** What Node itself answers to what never became a request. */
const refusalText = (status: string): string => `HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`;
const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: refusalText("431 Request Header Fields Too Large"),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: refusalText("413 Payload Too Large"),
  ERR_HTTP_REQUEST_TIMEOUT: refusalText("408 Request Timeout"),
};

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
  const longBodies = new WeakSet<Duplex>();
  app.on(LONG_BODY, (socket: Duplex, isLong: boolean) => {
    if (isLong) longBodies.add(socket);
    else longBodies.delete(socket);
  });
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    inProgress.add(response);
    if (isDraining) response.setHeader("Connection", "close");
    response.once("close", () => {
      inProgress.delete(response);
      if (inProgress.size === 0) whenIdle();
    });
    void handle(request, response);
  };
  const server = createServer(SERVER_LIMITS, serve);
  server.on("checkContinue", (request, response) => {
    // Whether a file may come is decided before it is sent.
    if (request.url?.startsWith(UPLOAD_PATH) !== true) response.writeContinue();
    serve(request, response);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    // A file has limits of its own: it may take longer than any message.
    if (error.code === "ERR_HTTP_REQUEST_TIMEOUT" && longBodies.has(socket)) return;
    const isAnswered = [...inProgress].some((response) => response.socket === socket && response.headersSent);
    if (socket.writable && !isAnswered) socket.write(REFUSALS[error.code ?? ""] ?? refusalText("400 Bad Request"));
    socket.destroy(error);
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
