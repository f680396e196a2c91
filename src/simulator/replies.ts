import type { Context } from "koa";
import { SIMULATION } from "./settings";

/** Headers of every answer beside its Content-Security-Policy. */
export const COMMON_HEADERS = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
  "X-Simulation": "true",
} as const;

/** Answers with a page. */
export function showPage(ctx: Context, text: string, status = 200): void {
  ctx.status = status;
  ctx.type = "text/html; charset=utf-8";
  ctx.body = text;
}

/** 303: the browser asks for the next page with GET, and a reload sends no form again. */
export function goTo(ctx: Context, address: string): void {
  ctx.status = 303;
  ctx.set("Location", address);
  ctx.type = "text/plain; charset=utf-8";
  ctx.body = SIMULATION;
}

/** The status of what was thrown while answering: a caller's fault as it is, 500 for anything else. */
export function statusOfFault(error: unknown): number {
  const { status } = error as { status?: unknown };
  return typeof status === "number" && status >= 400 && status <= 499 ? status : 500;
}
