import { messageOf } from "../../platform";

/** What another party answered: a JSON object, or why there is none. */
export type Answer =
  | { readonly ok: true; readonly status: number; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly problem: string };

/** Longest wait for an answer, milliseconds, and longest answer, characters. */
const TIMEOUT_MS = 10_000;
const ANSWER_MAX = 262_144;

/** Calls an address, with a JSON body or without. Never throws; follows no redirect. */
export async function call(
  method: "GET" | "POST",
  url: string,
  body?: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method,
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { ...headers, Accept: "application/json", ...(body && { "Content-Type": "application/json" }) },
      ...(body && { body }),
    });
    const text = await response.text();
    const fields: unknown = text.length > ANSWER_MAX ? null : JSON.parse(text);
    if (!isObject(fields)) return { ok: false, problem: `HTTP ${response.status}, no JSON object` };
    return { ok: true, status: response.status, fields };
  } catch (error) {
    return { ok: false, problem: error instanceof SyntaxError ? "the answer is no JSON" : messageOf(error) };
  }
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member as text, found along a path of names; empty when there is none. Whole numbers become text. */
export function textAt(value: unknown, ...path: readonly string[]): string {
  let at = value;
  for (const name of path) at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  if (typeof at === "number" && Number.isSafeInteger(at)) return String(at);
  return typeof at === "string" ? at.slice(0, 200) : "";
}
