import Router from "@koa/router";
import document from "../openapi.json";

/** The machine-readable description of every route. */
export function openApiRoutes(): Router {
  const router = new Router();
  router.get("/openapi.json", (ctx) => {
    ctx.body = document;
  });
  return router;
}
