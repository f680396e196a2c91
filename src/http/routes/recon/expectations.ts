import type Router from "@koa/router";
import { DEFAULT_DUE, listExpectations } from "../../../ops";
import { answerJson, bodyOf, questionOf, type ReconDoor, type ReconRouteDeps } from "../../middleware/recon-door";

/** Parameters of the list. */
export const EXPECTATION_FILTERS = {
  profile: { kind: "text", about: "only of this profile" },
  all: { kind: "choice", choices: ["true"], about: "also versions that a later one has overruled" },
} as const;

/** For which business dates settlement files are expected. */
export function expectationRoutes(router: Router, deps: ReconRouteDeps, door: ReconDoor): void {
  router.get(
    "/recon/v1/expectations",
    door("recon:read", async (ctx, asking) => {
      const { filters } = questionOf(ctx, asking, EXPECTATION_FILTERS);
      const filter = { profileCode: filters["profile"] ?? null, withAll: filters["all"] === "true" };
      const data = await deps.recon.look((session) => listExpectations(session, filter));
      asking.rowCount = data.length;
      answerJson(ctx, 200, { data });
    }),
  );
  router.put(
    "/recon/v1/expectations",
    door("recon:maker", async (ctx, asking) => {
      const body = await bodyOf(ctx, asking, "expectation");
      const { version, isNew, expectation } = await deps.recon.expect(asking.actor, {
        profileCode: body.profile,
        partner: body.partner ?? null,
        productCode: body.product ?? null,
        isExpected: body.expected ?? true,
        days: body.days ?? "every-day",
        exceptDates: body.except ?? [],
        alsoDates: body.also ?? [],
        dueDays: body.dueDays ?? DEFAULT_DUE.dueDays,
        dueTime: body.dueTime ?? DEFAULT_DUE.dueTime,
        validFrom: body.from ?? deps.recon.today(),
      });
      answerJson(ctx, isNew ? 201 : 200, { version, isNew, expectation });
    }),
  );
}
