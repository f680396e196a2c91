import type Router from "@koa/router";
import { proposeBankCredit, readMatchRules } from "../../../ops";
import { AuditRefusal } from "../../middleware/audit-door";
import { answerJson, bodyOf, questionOf, type ReconDoor, type ReconRouteDeps } from "../../middleware/recon-door";
import { answerPage, rowRoute } from "./lists";
import { answerOnce } from "./once";

/** Runs, what they would find under other rules, and the way of the money. */
export function runRoutes(router: Router, deps: ReconRouteDeps, door: ReconDoor): void {
  router.get(
    "/recon/v1/runs",
    door("recon:read", (ctx, asking) => answerPage(deps, "runs", ctx, asking)),
  );
  rowRoute(router, deps, door, { name: "runs", filter: "run", kind: "number" });
  router.post(
    "/recon/v1/runs",
    door("recon:maker", async (ctx, asking) => {
      const { profile: profileCode, date: settlementDate } = await bodyOf(ctx, asking, "run");
      const flags = { isDryRun: false, redecidesDeclared: false };
      const report = await deps.recon.run(asking.actor, { profileCode, settlementDate, ...flags });
      asking.rowCount = report.changes.length;
      answerJson(ctx, 200, report);
    }),
  );
  router.post(
    "/recon/v1/dry-runs",
    door("recon:maker", async (ctx, asking) => {
      const { profile: profileCode, date: settlementDate, to, rules: given } = await bodyOf(ctx, asking, "dryRun");
      const parsed = given === undefined ? null : readMatchRules(given);
      if (parsed?.ok === false) throw new AuditRefusal(422, "the rules are not valid", parsed.faults, "rules");
      const rules = parsed === null ? {} : { rules: parsed.rules };
      if (to !== undefined) {
        const data = await deps.recon.tryDates(asking.actor, { profileCode, from: settlementDate, to, ...rules });
        asking.rowCount = data.length;
        answerJson(ctx, 200, { data });
        return;
      }
      const flags = { isDryRun: true, redecidesDeclared: true };
      const { runId: _none, ...report } = await deps.recon.run(asking.actor, {
        profileCode,
        settlementDate,
        ...rules,
        ...flags,
      });
      asking.rowCount = report.changes.length;
      answerJson(ctx, 200, report);
    }),
  );

  router.post(
    "/recon/v1/settlements",
    door("recon:maker", async (ctx, asking) => {
      const { profile, date } = await bodyOf(ctx, asking, "settlement");
      const settled = await deps.recon.settle(asking.actor, profile, date);
      asking.rowCount = settled.length;
      answerJson(ctx, 200, { data: settled });
    }),
  );
  router.post(
    "/recon/v1/bank-credits",
    door("recon:maker", async (ctx, asking) => {
      const body = await bodyOf(ctx, asking, "bankCredit");
      const { partner = null, amount, date: creditedOn, reference, reason = "bank statement" } = body;
      const credit = { partner, amount: BigInt(amount), creditedOn, reference, reason };
      await answerOnce(deps, ctx, asking, body, async (tx) => [201, await proposeBankCredit(tx, asking.actor, credit)]);
    }),
  );
  router.get(
    "/recon/v1/ageing",
    door("recon:read", async (ctx, asking) => {
      const day = { date: { kind: "date", about: "counted from this day; today when left out" } } as const;
      const { filters } = questionOf(ctx, asking, day);
      const { date, rows } = await deps.recon.ageing(filters["date"] ?? null);
      asking.rowCount = rows.length;
      answerJson(ctx, 200, { date, data: rows });
    }),
  );
}
