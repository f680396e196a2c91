import type Router from "@koa/router";
import type { Context } from "koa";
import { type Question, RECON_LISTINGS, type Row } from "../../../ops";
import { AuditRefusal } from "../../middleware/audit-door";
import {
  answerJson,
  parameterOf,
  questionOf,
  type ReconAsking,
  type ReconDoor,
  type ReconRouteDeps,
} from "../../middleware/recon-door";

/** Lists by name. */
export function listingNamed(name: string) {
  const listing = RECON_LISTINGS.find((each) => each.name === name);
  if (listing === undefined) throw new Error(`there is no listing ${name}`);
  return listing;
}

/** Answers one page of a list; `fixed` are filters that the address has said already. */
export async function answerPage(
  deps: ReconRouteDeps,
  name: string,
  ctx: Context,
  asking: ReconAsking,
  fixed: Question["filters"] = {},
): Promise<void> {
  const listing = listingNamed(name);
  const free = Object.fromEntries(Object.entries(listing.filters).filter(([filter]) => !Object.hasOwn(fixed, filter)));
  const asked = questionOf(ctx, asking, free, true);
  const page = await deps.recon.page(listing, { ...asked, filters: { ...asked.filters, ...fixed } });
  if ("problem" in page) throw new AuditRefusal(400, "the question cannot be answered", [page.problem], "question");
  asking.rowCount = page.rows.length;
  answerJson(ctx, 200, { data: page.rows, next: page.next, scannedUntil: page.scannedUntil });
}

/** The one row of a list with this identifier. @throws AuditRefusal 404 */
export async function rowOf(deps: ReconRouteDeps, name: string, filters: Question["filters"]): Promise<Row> {
  const page = await deps.recon.page(listingNamed(name), { filters, limit: 1, order: "desc", cursor: null });
  const row = "problem" in page ? undefined : page.rows[0];
  if (row === undefined)
    throw new AuditRefusal(404, `there is none of this number or name among ${name}`, [], "not_found");
  return row;
}

/** The address of one row of a list: `/recon/v1/<list>/<its number or name>`, which is also a filter of the list. */
export function rowRoute(
  router: Router,
  deps: ReconRouteDeps,
  door: ReconDoor,
  { name, filter, kind }: { readonly name: string; readonly filter: string; readonly kind: "uuid" | "number" },
): void {
  const parameter = `${filter}Id`;
  router.get(
    `/recon/v1/${name}/:${parameter}`,
    door("recon:read", async (ctx, asking) => {
      questionOf(ctx, asking, {});
      asking.filter = { [filter]: parameterOf(ctx, parameter, kind) };
      answerJson(ctx, 200, await rowOf(deps, name, asking.filter as Question["filters"]));
    }),
  );
}
