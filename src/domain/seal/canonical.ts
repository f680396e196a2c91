/** One line of a canonical text: a name and a value, or null where there is none. */
export type CanonicalField = readonly [name: string, value: string | null];

/**
 * The canonical form of what is sealed: a title, then one line for each field, `name length value`, where length counts
 * the bytes of the value in UTF-8; a field without a value is `name -`. Every line ends with one LF. Nothing is escaped: a
 * value may hold any character, line ends included, because its length says where it ends.
 */
export function canonicalText(title: string, fields: readonly CanonicalField[]): string {
  return `${title}\n${canonicalLines(fields)}`;
}

/** The lines alone, as they stand in a committed value of several fields. */
export function canonicalLines(fields: readonly CanonicalField[]): string {
  let text = "";
  for (const [name, value] of fields) {
    text += value === null ? `${name} -\n` : `${name} ${Buffer.byteLength(value)} ${value}\n`;
  }
  return text;
}

/** A canonical text, taken apart. */
export interface CanonicalRecord {
  readonly title: string;
  readonly fields: readonly CanonicalField[];
}

/** Takes a canonical text apart; null when it is not exactly one. */
export function parseCanonical(text: string): CanonicalRecord | null {
  const bytes = Buffer.from(text, "utf8");
  const end = bytes.indexOf(0x0a);
  if (end < 1) return null;
  const fields: CanonicalField[] = [];
  let at = end + 1;
  while (at < bytes.length) {
    const head = /^([A-Za-z0-9]+) (?:(-)\n|(0|[1-9][0-9]{0,8}) )/.exec(bytes.toString("latin1", at, at + 80));
    const [whole = "", name = "", none, length] = head ?? [];
    if (head === null) return null;
    at += whole.length;
    if (none !== undefined) {
      fields.push([name, null]);
      continue;
    }
    const stop = at + Number(length);
    if (bytes[stop] !== 0x0a) return null;
    fields.push([name, bytes.toString("utf8", at, stop)]);
    at = stop + 1;
  }
  const title = bytes.toString("utf8", 0, end);
  return canonicalText(title, fields) === text ? { title, fields } : null;
}

/** The value of the first field of that name; null when it has none or is not there. */
export function fieldOf(record: CanonicalRecord, name: string): string | null {
  return record.fields.find(([each]) => each === name)?.[1] ?? null;
}

/** JSON with the keys of every object sorted, so that equal values are equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each === "bigint") return each.toString();
    if (typeof each !== "object" || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
