import type Router from "@koa/router";
import type { Context } from "koa";
import {
  CSV_SEPARATORS,
  type CsvSeparator,
  parseBody,
  proposeReopening,
  proposeWithoutFiles,
  type Question,
  REPORT_FORMATS,
  REPORT_LANGUAGES,
  type DayClose,
  type ReportFormat,
  type ReportLanguage,
} from "../../../ops";
import { canonicalDate } from "../../../ops";
import { Fault } from "../../../platform";
import { AuditRefusal } from "../../middleware/audit-door";
import {
  answerJson,
  bodyOf,
  questionOf,
  type ReconAsking,
  type ReconDoor,
  type ReconRouteDeps,
} from "../../middleware/recon-door";
import { answerPage } from "./lists";
import { answerOnce } from "./once";

const TYPES: Readonly<Record<ReportFormat, string>> = {
  csv: "text/csv; charset=utf-8",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  pdf: "application/pdf",
  json: "application/json; charset=utf-8",
};

/** A version that counts no more stays to be read. */
export const VERSION_FILTER = {
  version: { kind: "number", about: "which close of this date; the one that counts when left out" },
} as const;

/** Parameters of a report. */
export const REPORT_FILTERS = {
  ...VERSION_FILTER,
  format: { kind: "choice", choices: REPORT_FORMATS, about: "pdf when left out; json is the bytes that were hashed" },
  lang: { kind: "choice", choices: REPORT_LANGUAGES, about: "Indonesian or English; id when left out" },
  separator: {
    kind: "choice",
    choices: CSV_SEPARATORS,
    about: "between columns of csv; when left out semicolon in Indonesian, comma in English",
  },
} as const;

/** Closed days: closing, what they say, and reports. */
export function dayRoutes(router: Router, deps: ReconRouteDeps, door: ReconDoor): void {
  router.get(
    "/recon/v1/days",
    door("recon:read", (ctx, asking) => answerPage(deps, "days", ctx, asking)),
  );
  router.post(
    "/recon/v1/days/:date/close",
    door("recon:checker", async (ctx, asking) => {
      const { first = false } = await bodyOf(ctx, asking, "closeDay");
      const date = dateOf(ctx, asking);
      const outcome = await deps.recon.closeDay(asking.actor, date, first);
      if (outcome.kind === "known" && !outcome.isIdentical) {
        throw new Fault("close_changed", `the books say something else about ${date} now than when it was closed`);
      }
      answerJson(ctx, outcome.kind === "closed" ? 201 : 200, { outcome: outcome.kind, ...facts(outcome.close) });
    }),
  );
  router.post(
    "/recon/v1/days/:date/reopenings",
    door("recon:maker", async (ctx, asking) => {
      const date = dateOf(ctx, asking);
      const body = await bodyOf(ctx, asking, "reason");
      asking.filter = { date };
      await answerOnce(deps, ctx, asking, body, async (tx) => [
        201,
        await proposeReopening(tx, asking.actor, date, body.reason),
      ]);
    }),
  );
  router.post(
    "/recon/v1/days/:date/without-files",
    door("recon:maker", async (ctx, asking) => {
      const date = dateOf(ctx, asking);
      const body = await bodyOf(ctx, asking, "reason");
      asking.filter = { date };
      const request = { businessDate: date, reason: body.reason, nowMs: deps.recon.nowMs() };
      await answerOnce(deps, ctx, asking, body, async (tx) => [
        201,
        await proposeWithoutFiles(tx, asking.actor, request),
      ]);
    }),
  );
  router.get(
    "/recon/v1/days/:date",
    door("recon:read", async (ctx, asking) => {
      const { filters } = questionOf(ctx, asking, VERSION_FILTER);
      answerJson(ctx, 200, facts(await closedDay(deps, ctx, asking, filters)));
    }),
  );
  router.get(
    "/recon/v1/days/:date/body",
    door("recon:read", async (ctx, asking) => {
      const { filters } = questionOf(ctx, asking, VERSION_FILTER);
      const close = await closedDay(deps, ctx, asking, filters);
      answerBytes(ctx, close, Buffer.from(close.body, "utf8"), "json", close.sha256);
    }),
  );
  router.get(
    "/recon/v1/days/:date/report",
    door("recon:read", async (ctx, asking) => {
      const { filters } = questionOf(ctx, asking, REPORT_FILTERS);
      const asked = filters as { format?: ReportFormat; lang?: ReportLanguage; separator?: CsvSeparator };
      const { format = "pdf", lang = "id", separator = null } = asked;
      const close = await closedDay(deps, ctx, asking, filters);
      const parameters = { format, lang, ...(separator === null ? {} : { separator }) };
      asking.filter = { date: close.businessDate, version: close.version, ...parameters };
      const bytes = await deps.recon.report(close, format, lang, separator);
      answerBytes(ctx, close, bytes, format, format === "json" ? close.sha256 : null);
    }),
  );
}

function dateOf(ctx: Context, asking: ReconAsking): string {
  const { date = "" } = ctx["params"] as { date?: string };
  if (canonicalDate(date) === null) {
    const problem = "date in the address must be a day such as 2026-11-21, from 2000 to 2099";
    throw new AuditRefusal(400, problem, [], "address");
  }
  asking.filter = { date };
  return date;
}

async function closedDay(
  deps: ReconRouteDeps,
  ctx: Context,
  asking: ReconAsking,
  filters: Question["filters"],
): Promise<DayClose> {
  const date = dateOf(ctx, asking);
  const version = filters["version"] === undefined ? null : Number(filters["version"]);
  const close = await deps.recon.dayClose(date, version);
  if (close === null && version !== null) {
    throw new AuditRefusal(404, `business date ${date} has no version ${version}`, [], "day_open");
  }
  if (close === null) throw new AuditRefusal(404, `business date ${date} is not closed`, [], "day_open");
  asking.rowCount = 1;
  return close;
}

/** What a closed day says, beside its hash. */
function facts({ body, ...close }: DayClose): object {
  return { ...close, day: parseBody({ body }) };
}

/** Bytes as a file; with the hash that they were closed with where they are those very bytes. */
function answerBytes(ctx: Context, close: DayClose, bytes: Buffer, format: ReportFormat, sha256: string | null): void {
  ctx.type = TYPES[format];
  ctx.set("Content-Disposition", `attachment; filename="day-${close.businessDate}.${format}"`);
  ctx.set("X-Close-Sha256", close.sha256);
  if (sha256 !== null) ctx.set("Content-Digest", `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`);
  ctx.body = bytes;
}
