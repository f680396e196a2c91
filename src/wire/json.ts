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

const BRACE = 0x7b;
const END_BRACE = 0x7d;
const BRACKET = 0x5b;
const END_BRACKET = 0x5d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** Goes once through a text that is known to be JSON, watching brackets and keys. */
function inspect(text: string, maxDepth: number): Extract<StrictJson, { ok: false }> | null {
  /** Keys of each open object, null for an open array. */
  const open: (Set<string> | null)[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text.charCodeAt(at);
    if (character === BRACE || character === BRACKET) {
      open.push(character === BRACE ? new Set() : null);
      if (open.length > maxDepth) return refusal("too-deep", `nested deeper than ${maxDepth} levels`);
    } else if (character === END_BRACE || character === END_BRACKET) {
      open.pop();
    } else if (character === QUOTE) {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (keys && isKey(text, end)) {
        const key = keyOf(text, at, end);
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
  const end = text.indexOf('"', start + 1);
  if (text.charCodeAt(end - 1) !== BACKSLASH) return end + 1;
  let at = start + 1;
  while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** The key between these quotes; two spellings of one key, escaped and plain, are the same key. */
function keyOf(text: string, start: number, end: number): string {
  const plain = text.slice(start + 1, end - 1);
  return plain.includes("\\") ? (JSON.parse(text.slice(start, end)) as string) : plain;
}

/** In valid JSON a string is a key exactly when a colon follows it. */
function isKey(text: string, end: number): boolean {
  let at = end;
  while (isBlank(text.charCodeAt(at))) at += 1;
  return text.charCodeAt(at) === COLON;
}

/** What JSON calls white space. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function shown(key: string): string {
  return JSON.stringify(key.slice(0, 40));
}
