import type { Context } from "koa";
import { type Question, RECON_LISTINGS, type Row } from "../../../ops";
import { AuditRefusal } from "../../middleware/audit-door";
import { answerJson, questionOf, type ReconAsking, type ReconRouteDeps } from "../../middleware/recon-door";

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
  if ("problem" in page) throw new AuditRefusal(400, "the question cannot be answered", [page.problem]);
  asking.rowCount = page.rows.length;
  answerJson(ctx, 200, { data: page.rows, next: page.next, scannedUntil: page.scannedUntil });
}

/** The one row of a list with this identifier. @throws AuditRefusal 404 */
export async function rowOf(deps: ReconRouteDeps, name: string, filters: Question["filters"]): Promise<Row> {
  const page = await deps.recon.page(listingNamed(name), { filters, limit: 1, order: "desc", cursor: null });
  const row = "problem" in page ? undefined : page.rows[0];
  if (row === undefined) throw new AuditRefusal(404, `there is none of this number or name among ${name}`);
  return row;
}
