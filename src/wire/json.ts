/** Why a text is not taken as a message. `not-json`: the text as such; the others: JSON, but not one we accept. */
export type JsonRefusal = "not-json" | "too-long" | "too-deep" | "not-object" | "duplicate-key" | "forbidden-key";

/** What reading strictly gives. `detail` may repeat a key of the text, never a value. */
export type StrictJson =
  | { readonly ok: true; readonly value: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly reason: JsonRefusal; readonly detail: string };

/** Limits of a text: nesting of brackets, and length in UTF-8 bytes. */
export interface JsonLimits {
  readonly maxDepth: number;
  readonly maxBytes: number;
}

/** Keys that reach into the prototype of an object when somebody copies it carelessly. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Reads a JSON object as `JSON.parse` does, but refuses what that lets through: an object that names one key twice (two
 * readers may then see two different amounts), deep nesting (whoever walks it recursively runs out of stack), keys that
 * pollute prototypes, and anything that is no object. Total for any string.
 */
export function parseStrictJson(text: string, limits: JsonLimits): StrictJson {
  if (Buffer.byteLength(text) > limits.maxBytes) return refusal("too-long", `longer than ${limits.maxBytes} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refusal("not-json", "the body is not valid JSON");
  }
  const found = inspect(text, limits.maxDepth);
  if (found !== null) return found;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refusal("not-object", "the body must be one JSON object");
  }
  return { ok: true, value: value as Record<string, unknown> };
}

function refusal(reason: JsonRefusal, detail: string): Extract<StrictJson, { ok: false }> {
  return { ok: false, reason, detail };
}

/** Goes once through a text that is known to be JSON, watching brackets and keys. */
function inspect(text: string, maxDepth: number): Extract<StrictJson, { ok: false }> | null {
  /** Keys of each open object, null for an open array. */
  const open: (Set<string> | null)[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text[at];
    if (character === "{" || character === "[") {
      open.push(character === "{" ? new Set() : null);
      if (open.length > maxDepth) return refusal("too-deep", `nested deeper than ${maxDepth} levels`);
    } else if (character === "}" || character === "]") {
      open.pop();
    } else if (character === '"') {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (keys && isKey(text, end)) {
        const key = JSON.parse(text.slice(at, end)) as string;
        if (FORBIDDEN_KEYS.has(key)) return refusal("forbidden-key", `the key ${key} is not allowed`);
        if (keys.has(key)) return refusal("duplicate-key", `the key ${shown(key)} appears twice`);
        keys.add(key);
      }
      at = end;
      continue;
    }
    at += 1;
  }
  return null;
}

/** Offset behind the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** In valid JSON a string is a key exactly when a colon follows it. */
function isKey(text: string, end: number): boolean {
  let at = end;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at += 1;
  return text[at] === ":";
}

function shown(key: string): string {
  return JSON.stringify(key.slice(0, 40));
}
