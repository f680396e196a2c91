/**
 * Columns of a batch, written as PostgreSQL reads arrays. The driver's own way looks at every character of every value;
 * this joins what needs no quoting, and quotes only what must be. How a parameter is written follows from its cast in the
 * statement:
 *
 * - `$1::int[]`, and the other types whose texts need no quotes: joined;
 * - `$1::text[]`: quoted;
 * - `string_to_array($1::text, chr(30))`: joined by that character, for texts of JSON, whose many quotes need no escaping
 *   then. JSON never holds a control character as such. Null is written as an empty text.
 *
 * Arrays of other types are left to the driver.
 */
export function encodeValues(statement: string, values: readonly unknown[]): unknown[] {
  const encoders = encodersOf(statement);
  return values.map((value, index) => (Array.isArray(value) ? (encoders[index]?.(value as Column) ?? value) : value));
}

type Column = readonly (string | number | bigint | boolean | null)[];
type Encode = (values: Column) => string;

const PLAIN_TYPES: ReadonlySet<string> = new Set(["int", "bigint", "smallint", "uuid", "date", "boolean"]);
const SEPARATOR = "\u001e";
const known = new Map<string, readonly Encode[]>();

function encodersOf(statement: string): readonly Encode[] {
  let encoders = known.get(statement);
  if (encoders === undefined) {
    const found: Encode[] = [];
    for (const [, number, type] of statement.matchAll(/\$([0-9]+)::([a-z]+)\[\]/g)) {
      const encode = PLAIN_TYPES.has(type ?? "") ? plain : type === "text" ? quoted : undefined;
      if (encode !== undefined) found[Number(number) - 1] = encode;
    }
    for (const [, number] of statement.matchAll(/string_to_array\(\$([0-9]+)::text, chr\(30\)\)/g)) {
      found[Number(number) - 1] = separated;
    }
    encoders = found;
    known.set(statement, encoders);
  }
  return encoders;
}

function plain(values: Column): string {
  let literal = "{";
  for (const value of values) literal += literal === "{" ? `${value ?? "NULL"}` : `,${value ?? "NULL"}`;
  return `${literal}}`;
}

function quoted(values: Column): string {
  let literal = "{";
  for (const value of values) literal += literal === "{" ? element(value) : `,${element(value)}`;
  return `${literal}}`;
}

function element(value: Column[number]): string {
  if (value === null) return "NULL";
  const text = `${value}`;
  return `"${/["\\]/.test(text) ? text.replace(/["\\]/g, "\\$&") : text}"`;
}

function separated(values: Column): string {
  return values.map((value) => value ?? "").join(SEPARATOR);
}
