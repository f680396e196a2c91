import { Readable } from "node:stream";
import Router from "@koa/router";
import type { Context } from "koa";
import {
  AUDIT_LISTINGS,
  BALANCE_FILTERS,
  dossierText,
  FORMAT_NAMES,
  type FilterSpecs,
  type Freshness,
  type Listing,
  type Question,
  readParameters,
  readQuestion,
  trialBalanceOf,
} from "../../ops";
import { Fault } from "../../platform";
import { type AuditAsking, type AuditDoorDeps, AuditRefusal, createAuditDoor } from "../middleware/audit-door";

/** What the audit API answers from. */
export type AuditRouteDeps = AuditDoorDeps;

/** Exports of one token at the same time, in one process. */
const EXPORTS_AT_ONCE = 2;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * `/audit/v1`: the books, read-only, for auditors and their scripts. Every answer says how old it is; lists come in pages
 * that lead to one another by `next`; refusals name every parameter that is wrong. See docs/AUDIT.md.
 */
export function auditRoutes(deps: AuditRouteDeps): Router {
  const router = new Router();
  const door = createAuditDoor(deps);
  const running = new Map<string, number>();

  router.get(
    "/audit/v1",
    door([], async (ctx, asking) => {
      noParameters(ctx);
      const { name, scopes, expiresAt } = asking.token;
      ctx.body = {
        token: { name, scopes, expiresAt: expiresAt.toISOString() },
        listings: AUDIT_LISTINGS.map((each) => ({
          path: `/audit/v1/${each.name}`,
          scope: each.scope,
          about: each.about,
        })),
        ...(await deps.audit.freshness()),
      };
    }),
  );

  for (const listing of AUDIT_LISTINGS) {
    router.get(
      `/audit/v1/${listing.name}`,
      door([listing.scope], async (ctx, asking) => {
        const question = questionOf(ctx, asking, listing.filters);
        const page = await deps.audit.page(listing, question, asking.signal);
        if ("problem" in page) throw new AuditRefusal(400, "the question cannot be answered", [page.problem]);
        asking.rowCount = page.rows.length;
        const { rows: data, next, scannedUntil, freshness } = page;
        ctx.body = { data, next, scannedUntil, ...freshness };
      }),
    );
    router.get(
      `/audit/v1/${listing.name}/export`,
      door([listing.scope, "export"], (ctx, asking) => answerExport(deps, listing, running, ctx, asking)),
    );
  }

  router.get(
    "/audit/v1/balances",
    door(["ledger"], async (ctx, asking) => {
      const { accounts, freshness } = await balancesOf(deps, ctx, asking);
      ctx.body = { data: accounts, ...freshness };
    }),
  );
  router.get(
    "/audit/v1/trial-balance",
    door(["ledger"], async (ctx, asking) => {
      const { account: _one, ...specs } = BALANCE_FILTERS;
      const { accounts, freshness } = await balancesOf(deps, ctx, asking, specs);
      ctx.body = { ...trialBalanceOf(accounts), ...freshness };
    }),
  );
  router.get(
    "/audit/v1/payments/:traxId/dossier",
    door(["payments", "ledger"], (ctx, asking) => answerDossier(deps, ctx, asking)),
  );
  router.get(
    "/audit/v1/payments/:traxId/proof",
    door(["payments", "ledger"], (ctx, asking) => answerProof(deps, ctx, asking)),
  );
  router.get(
    "/audit/v1/exports/:exportId",
    door(["export"], async (ctx, asking) => {
      noParameters(ctx);
      const { exportId = "" } = ctx["params"] as { exportId?: string };
      if (!UUID.test(exportId)) throw new AuditRefusal(400, "the export's id must be a UUID");
      asking.filter = { exportId };
      const found = await deps.audit.manifest(exportId);
      const isTheirs = found?.tokenId === asking.token.tokenId || asking.token.scopes.includes("operations");
      if (found === null || !isTheirs) throw new AuditRefusal(404, "no export of this id has ended");
      ctx.body = found.manifest;
    }),
  );
  return router;
}

function questionOf(ctx: Context, asking: AuditAsking, specs: FilterSpecs): Question {
  const read = readQuestion(ctx.querystring, specs);
  if (!read.ok) throw new AuditRefusal(400, "the question cannot be answered", read.problems);
  const { filters, limit, order } = read.value;
  asking.filter = { ...filters, limit, order };
  return read.value;
}

function noParameters(ctx: Context): void {
  const read = readParameters(ctx.querystring, []);
  if (!read.ok) throw new AuditRefusal(400, "the question cannot be answered", read.problems);
}

async function balancesOf(
  { audit }: AuditRouteDeps,
  ctx: Context,
  asking: AuditAsking,
  specs: FilterSpecs = BALANCE_FILTERS,
): ReturnType<AuditRouteDeps["audit"]["balances"]> {
  const read = readQuestion(ctx.querystring, specs, { isList: false });
  if (!read.ok) throw new AuditRefusal(400, "the question cannot be answered", read.problems);
  asking.filter = read.value.filters;
  const found: { accounts: Awaited<ReturnType<typeof audit.balances>>["accounts"]; freshness: Freshness } =
    await audit.balances(read.value, asking.signal);
  asking.rowCount = found.accounts.length;
  return found;
}

function traxIdOf(ctx: Context): string {
  const { traxId = "" } = ctx["params"] as { traxId?: string };
  if (!/^[ -~]{1,32}$/.test(traxId)) throw new AuditRefusal(400, "traxId must be 1 to 32 printable characters");
  return traxId;
}

/** Faults of `buildProof` that tell whoever asks what to do. Anything else is ours to mend. */
const PROOF_REFUSALS: Readonly<Record<string, readonly [status: number, message: string]>> = {
  not_found: [404, "nothing is stored under this traxId"],
  ambiguous: [409, "several partners have used this traxId: name one with partner"],
  not_sealed: [409, "stored but not sealed yet: ask again in a few seconds"],
};

async function answerProof({ audit }: AuditRouteDeps, ctx: Context, asking: AuditAsking): Promise<void> {
  const traxId = traxIdOf(ctx);
  const specs: FilterSpecs = { partner: { kind: "text", about: "userName, when several have used the traxId" } };
  const read = readQuestion(ctx.querystring, specs, { isList: false });
  if (!read.ok) throw new AuditRefusal(400, "the question cannot be answered", read.problems);
  asking.filter = { traxId, ...read.value.filters };
  const withPersonal = asking.token.scopes.includes("personal");
  try {
    ctx.body = await audit.proof(traxId, read.value.filters["partner"] ?? null, withPersonal, asking.signal);
  } catch (error) {
    // It names the row that is not as it was sealed: nobody has a better right to know.
    if (error instanceof Fault && error.code === "broken_seal") throw new AuditRefusal(409, error.message);
    const [status, message] = PROOF_REFUSALS[String((error as { code?: unknown }).code)] ?? [];
    if (status === undefined) throw error;
    if ((error as { code?: unknown }).code === "not_sealed") ctx.set("Retry-After", "5");
    throw new AuditRefusal(status, message ?? "");
  }
  asking.rowCount = 1;
}

async function answerDossier({ audit }: AuditRouteDeps, ctx: Context, asking: AuditAsking): Promise<void> {
  const traxId = traxIdOf(ctx);
  const read = readQuestion(
    ctx.querystring,
    { format: { kind: "choice", choices: ["json", "text"], about: "json when left out" } },
    { isList: false },
  );
  if (!read.ok) throw new AuditRefusal(400, "the question cannot be answered", read.problems);
  asking.filter = { traxId, ...read.value.filters };
  const withPersonal = asking.token.scopes.includes("personal");
  const { dossier, freshness } = await audit.dossier(traxId, withPersonal, asking.signal);
  if (dossier === null) throw new AuditRefusal(404, "nothing is known of this traxId");
  asking.rowCount = 1;
  if (read.value.filters["format"] === "text") {
    ctx.type = "text/plain; charset=utf-8";
    ctx.body = `${dossierText(dossier)}\n\nas of ${freshness.asOf} (${freshness.source})\n`;
  } else {
    const proof = dossier.keys.length === 0 ? null : `/audit/v1/payments/${encodeURIComponent(traxId)}/proof`;
    ctx.body = { ...dossier, proof, ...freshness };
  }
}

async function answerExport(
  { audit }: AuditRouteDeps,
  listing: Listing,
  running: Map<string, number>,
  ctx: Context,
  asking: AuditAsking,
): Promise<void> {
  const format = { kind: "choice", choices: FORMAT_NAMES, about: "what the file is to be; csv when left out" } as const;
  const read = readQuestion(ctx.querystring, { ...listing.filters, format }, { isList: false });
  if (!read.ok) throw new AuditRefusal(400, "the question cannot be answered", read.problems);
  const { format: formatName = "csv", ...filters } = read.value.filters;
  asking.filter = { ...filters, format: formatName };
  const { tokenId } = asking.token;
  const atWork = running.get(tokenId) ?? 0;
  if (atWork >= EXPORTS_AT_ONCE) {
    ctx.set("Retry-After", "10");
    throw new AuditRefusal(429, `${EXPORTS_AT_ONCE} exports of this token are running: wait for one to end`);
  }
  running.set(tokenId, atWork + 1);
  const done = (): void => void running.set(tokenId, (running.get(tokenId) ?? 1) - 1);
  try {
    const question = { ...read.value, filters };
    const started = await audit.export(listing, {
      question,
      format: formatName as (typeof FORMAT_NAMES)[number],
      signal: asking.signal,
      exportId: asking.readId,
    });
    ctx.type = started.contentType;
    ctx.set("Content-Disposition", `attachment; filename="${started.fileName}"`);
    ctx.set("X-Export-Id", started.exportId);
    const body = Readable.from(started.pieces, { objectMode: false, highWaterMark: 65_536 });
    ctx.body = body;
    asking.finish = (record) => {
      // Once: when the file has been handed over, or when whoever asked has gone.
      ctx.res.once("close", () => {
        done();
        const manifest = started.manifest();
        const note = manifest.isComplete ? null : "ended before it was complete";
        record({ rowCount: manifest.rows, export: { ...manifest }, note });
      });
    };
  } catch (error) {
    done();
    throw error;
  }
}
