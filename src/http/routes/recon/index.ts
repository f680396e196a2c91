import Router from "@koa/router";
import { answerJson, createReconDoor, questionOf, type ReconRouteDeps } from "../../middleware/recon-door";
import { dayRoutes } from "./days";
import { exceptionRoutes } from "./exceptions";
import { expectationRoutes } from "./expectations";
import { fileRoutes } from "./files";
import { runRoutes } from "./runs";

export { LONG_BODY, UPLOAD_PATH } from "./files";

/**
 * `/recon/v1`: people's work on settlement for programs: files, runs, exceptions, closed days. Who may do what, and under
 * whose name it is stored, follows from the token. See docs/RECONCILIATION.md.
 */
export function reconRoutes(deps: ReconRouteDeps): Router {
  const router = new Router();
  const door = createReconDoor(deps);
  router.get(
    "/recon/v1",
    door("recon:read", (ctx, asking) => {
      questionOf(ctx, asking, {});
      const { name, person, scopes, expiresAt } = asking.token;
      answerJson(ctx, 200, {
        token: { name, person, scopes, expiresAt: expiresAt.toISOString() },
        today: deps.recon.today(),
      });
      return Promise.resolve();
    }),
  );
  fileRoutes(router, deps, door);
  expectationRoutes(router, deps, door);
  runRoutes(router, deps, door);
  exceptionRoutes(router, deps, door);
  dayRoutes(router, deps, door);
  return router;
}
