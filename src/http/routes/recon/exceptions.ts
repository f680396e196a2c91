import type Router from "@koa/router";
import {
  BULK_MAX,
  filterOf,
  handleItem,
  type PlainAction,
  proposeForEach,
  proposeForItem,
  proposeUndo,
  QUEUE_FILTERS,
  type Question,
  type QueueItem,
  readItem,
  saveDueRule,
} from "../../../ops";
import type { Fault } from "../../../platform";
import { AuditRefusal } from "../../middleware/audit-door";
import {
  answerJson,
  bodyOf,
  jsonObjectOf,
  parameterOf,
  questionOf,
  type ReconAsking,
  type ReconDoor,
  type ReconRouteDeps,
} from "../../middleware/recon-door";
import { adviceOf } from "../../middleware/remedies";
import { answerPage, rowRoute } from "./lists";
import { answerOnce } from "./once";

/** The queue of exceptions, and what one proposes and another decides. */
export function exceptionRoutes(router: Router, deps: ReconRouteDeps, door: ReconDoor): void {
  router.get(
    "/recon/v1/exceptions",
    door("recon:read", async (ctx, asking) => {
      const question = questionOf(ctx, asking, QUEUE_FILTERS, true);
      if (ctx.query["order"] !== undefined) {
        const problem = "order: what is due first stands first, always";
        throw new AuditRefusal(400, "the question cannot be answered", [problem], "question");
      }
      const page = await deps.recon.queue({ ...question, order: "asc" });
      if ("problem" in page) throw new AuditRefusal(400, "the question cannot be answered", [page.problem], "question");
      asking.rowCount = page.items.length;
      answerJson(ctx, 200, { data: page.items.map(shown), next: page.next });
    }),
  );
  router.get(
    "/recon/v1/exceptions/:itemId",
    door("recon:read", async (ctx, asking) => {
      questionOf(ctx, asking, {});
      const item = itemOf(parameterOf(ctx, "itemId", "uuid"), asking);
      answerJson(ctx, 200, shown(await deps.recon.item(item)));
    }),
  );

  router.put(
    "/recon/v1/exceptions/:itemId/owner",
    door("recon:maker", async (ctx, asking) => {
      const itemId = parameterOf(ctx, "itemId", "uuid");
      const body = await bodyOf(ctx, asking, "owner");
      const owner = body.owner ?? asking.actor.name;
      await answerOnce(deps, ctx, asking, body, async (tx) => {
        const item = await readItem(tx, itemId);
        // It is theirs already: a repeat leaves no second step in the history.
        if (item.owner === owner && item.closedAt === null) return [200, shown(item)];
        return [200, shown(await handleItem(tx, asking.actor, itemId, { kind: "assign", owner }))];
      });
    }),
  );
  for (const [path, shape, actionOf] of PLAIN) {
    router.post(
      `/recon/v1/exceptions/:itemId/${path}`,
      door("recon:maker", async (ctx, asking) => {
        const itemId = parameterOf(ctx, "itemId", "uuid");
        const body = await bodyOf(ctx, asking, shape);
        const action = actionOf(body, deps.recon.today());
        await answerOnce(deps, ctx, asking, body, async (tx) => {
          await handleItem(tx, asking.actor, itemId, action);
          return [200, shown(await readItem(tx, itemId))];
        });
      }),
    );
  }
  router.post(
    "/recon/v1/exceptions/:itemId/proposals",
    door("recon:maker", async (ctx, asking) => {
      const itemId = parameterOf(ctx, "itemId", "uuid");
      const body = await bodyOf(ctx, asking, "proposal");
      const { action, account = null, payment: target = null, reason } = body;
      await answerOnce(deps, ctx, asking, body, async (tx) => {
        const made = await proposeForItem(tx, asking.actor, itemId, { action, account, target, reason });
        return [201, { proposalId: made.proposalId, batchId: made.batchId, itemId, action, account, reason }];
      });
    }),
  );

  router.post(
    "/recon/v1/proposals",
    door("recon:maker", async (ctx, asking) => {
      const body = await bodyOf(ctx, asking, "bulkProposal");
      const { items, filter = {}, action, account = null, reason } = body;
      const which = items ?? filterOf({ ...(filter as Question["filters"]), state: "free" }, BULK_MAX + 1);
      await answerOnce(deps, ctx, asking, body, async (tx) => {
        const made = await proposeForEach(tx, asking.actor, which, { action, account, target: null, reason });
        for (const { fault } of made.items) {
          if (fault?.code === "internal")
            deps.logger.error({ err: fault.cause, fault: fault.message }, "fault of one item");
        }
        const data = made.items.map(({ fault, ...item }) => ({ ...item, ...toldOf(fault) }));
        asking.rowCount = data.length;
        const proposed = data.filter(({ proposalId }) => proposalId !== null).length;
        const batchId = proposed === 0 ? null : made.batchId;
        return [200, { batchId, proposed, failed: data.length - proposed, hasMore: made.hasMore, data }];
      });
    }),
  );
  router.post(
    "/recon/v1/approvals",
    door("recon:checker", async (ctx, asking) => {
      const { note = null, proposals, batch, after = null } = await bodyOf(ctx, asking, "bulkApproval");
      const rest = batch !== undefined ? { batch, after } : { all: true as const, after };
      const which = proposals !== undefined ? { proposals } : rest;
      const { items, hasMore, next } = await deps.recon.approveEach(asking.actor, which, note);
      asking.rowCount = items.length;
      const data = items.map(({ proposalId, decided, fault }) => ({
        proposalId,
        itemId: decided?.proposal.itemId ?? null,
        done: decided?.done ?? null,
        entryId: decided?.entryId ?? null,
        isRepeated: decided?.isRepeated ?? false,
        ...toldOf(fault),
      }));
      const failed = items.filter(({ fault }) => fault !== null).length;
      answerJson(ctx, 200, { approved: items.length - failed, failed, hasMore, next, data });
    }),
  );
  router.get(
    "/recon/v1/due-rule",
    door("recon:read", async (ctx, asking) => {
      questionOf(ctx, asking, {});
      answerJson(ctx, 200, await deps.recon.dueRule());
    }),
  );
  router.put(
    "/recon/v1/due-rule",
    door("recon:maker", async (ctx, asking) => {
      questionOf(ctx, asking, {});
      const rule = await jsonObjectOf(ctx);
      asking.filter = { rule };
      await answerOnce(deps, ctx, asking, rule, async (tx) => [
        200,
        { version: await saveDueRule(tx, asking.actor, rule), rule },
      ]);
    }),
  );

  router.get(
    "/recon/v1/proposals",
    door("recon:read", (ctx, asking) => answerPage(deps, "proposals", ctx, asking)),
  );
  rowRoute(router, deps, door, { name: "proposals", filter: "proposal", kind: "uuid" });
  router.post(
    "/recon/v1/proposals/:proposalId/approve",
    door("recon:checker", async (ctx, asking) => {
      const proposalId = parameterOf(ctx, "proposalId", "uuid");
      const { note = null } = await bodyOf(ctx, asking, "decision");
      answerJson(ctx, 200, await deps.recon.approve(asking.actor, proposalId, note));
    }),
  );
  router.post(
    "/recon/v1/proposals/:proposalId/undo",
    door("recon:maker", async (ctx, asking) => {
      const proposalId = parameterOf(ctx, "proposalId", "uuid");
      const body = await bodyOf(ctx, asking, "undo");
      await answerOnce(deps, ctx, asking, body, async (tx) => [
        201,
        { ...(await proposeUndo(tx, asking.actor, proposalId, body.reason)), undoes: proposalId },
      ]);
    }),
  );
  for (const [path, decision, scope] of [
    ["refuse", "refused", "recon:checker"],
    ["withdraw", "withdrawn", "recon:maker"],
  ] as const) {
    router.post(
      `/recon/v1/proposals/:proposalId/${path}`,
      door(scope, async (ctx, asking) => {
        const proposalId = parameterOf(ctx, "proposalId", "uuid");
        const { note } = await bodyOf(ctx, asking, "refusal");
        answerJson(ctx, 200, await deps.recon.decide(asking.actor, proposalId, decision, note));
      }),
    );
  }
}

/** What one person may do alone: the address, the body, and the action. */
const PLAIN: readonly (readonly [
  path: string,
  shape: "note" | "carry" | "close",
  actionOf: (body: Readonly<Record<string, string | undefined>>, today: string) => PlainAction,
])[] = [
  ["notes", "note", ({ text = "" }) => ({ kind: "note", text })],
  ["carry", "carry", ({ until, reason = "" }, today) => ({ kind: "carry", today, to: until ?? null, text: reason })],
  ["close", "close", ({ reason = "" }) => ({ kind: "close", text: reason })],
];

/** Why something could not be done for one of several. */
function toldOf(fault: Fault | null): { readonly code: string | null; readonly error: string | null } {
  return { code: fault?.code ?? null, error: fault === null ? null : adviceOf(fault) };
}

function itemOf(itemId: string, asking: ReconAsking): string {
  asking.filter = { item: itemId };
  return itemId;
}

/** An item without what only pages need. */
function shown<Item extends QueueItem>({ dueKey: _inner, ...item }: Item): Omit<Item, "dueKey"> {
  return item;
}
