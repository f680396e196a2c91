import Router from "@koa/router";
import type { Metrics } from "../../platform";

/** One thing that readiness depends on. `isRequired` false: it is reported, but requests are taken without it. */
export interface ReadinessCheck {
  readonly name: string;
  readonly isRequired: boolean;
  readonly isOk: boolean;
  readonly detail: string;
}

/** What the platform's addresses answer from. */
export interface HealthRouteDeps {
  readonly readiness: () => Promise<readonly ReadinessCheck[]>;
  readonly metrics: Metrics;
}

/** `/healthz`: the process lives. `/readyz`: it can do its work, with every check. `/metrics`: Prometheus text. */
export function healthRoutes(deps: HealthRouteDeps): Router {
  const router = new Router();
  router.get("/healthz", (ctx) => {
    ctx.body = { status: "ok" };
  });
  router.get("/readyz", async (ctx) => {
    const checks = await deps.readiness();
    const isReady = checks.every((check) => check.isOk || !check.isRequired);
    ctx.status = isReady ? 200 : 503;
    ctx.body = { status: isReady ? "ready" : "not ready", checks };
  });
  router.get("/metrics", async (ctx) => {
    ctx.type = deps.metrics.contentType;
    ctx.body = await deps.metrics.text();
  });
  return router;
}
