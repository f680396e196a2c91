import { createHash } from "node:crypto";
import type { Question } from "./filters";

/** A cursor that cannot be used, with the reason. */
export type CursorProblem = { readonly problem: string };

const CURSOR_MAX = 1_024;

/**
 * A cursor as text. It is bound to the listing, the filters and the order that it came from: under others it would skip
 * rows without a sign. It is no secret and needs no signature: its values are checked and bound like any parameter's.
 */
export function writeCursor(listing: string, question: Question, key: readonly string[]): string {
  const text = JSON.stringify([1, digestOf(listing, question), key]);
  return Buffer.from(text).toString("base64url");
}

/** Reads a cursor back; `patterns` has one pattern for each column of the listing's key. */
export function readCursor(
  listing: string,
  question: Question,
  patterns: readonly RegExp[],
): readonly string[] | null | CursorProblem {
  const { cursor } = question;
  if (cursor === null) return null;
  const unreadable = { problem: "cursor is not one of ours: hand back `next` unchanged" };
  if (cursor.length > CURSOR_MAX || !/^[A-Za-z0-9_-]+$/.test(cursor)) return unreadable;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    return unreadable;
  }
  if (!Array.isArray(parsed) || parsed.length !== 3 || parsed[0] !== 1) return unreadable;
  const [, digest, key] = parsed as unknown[];
  if (digest !== digestOf(listing, question)) {
    return { problem: "cursor belongs to another listing, other filters or another order: start without it" };
  }
  const isKey =
    Array.isArray(key) &&
    key.length === patterns.length &&
    key.every((each, index) => typeof each === "string" && patterns[index]?.test(each) === true);
  return isKey ? (key as string[]) : unreadable;
}

function digestOf(listing: string, { filters, order }: Question): string {
  const sorted = Object.entries(filters).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([listing, order, sorted]))
    .digest("base64url")
    .slice(0, 16);
}
