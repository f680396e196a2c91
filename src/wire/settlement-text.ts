/** Values of settlement files: characters <-> values. Every reader returns a value, or a text that says what is wrong. */

/** What is wrong with a value or a line, for people. */
export class Unreadable {
  constructor(readonly reason: string) {}
}

/**
 * The values of a line of delimited text. A quoted value may hold the delimiter, and the quote doubled; it never holds the
 * end of a line, so that one lost quote costs one line and not the rest of the file.
 */
export function splitDelimited(line: string, delimiter: string, isQuoted: boolean): string[] | Unreadable {
  if (!isQuoted || !line.includes('"')) return line.split(delimiter);
  const values: string[] = [];
  let at = 0;
  for (;;) {
    if (line[at] === '"') {
      let value = "";
      for (at += 1; ; at += 1) {
        const quote = line.indexOf('"', at);
        if (quote < 0) return new Unreadable(`the quote of column ${values.length + 1} is never closed`);
        value += line.slice(at, quote);
        at = quote + 1;
        if (line[at] !== '"') break;
        value += '"';
      }
      if (at < line.length && line[at] !== delimiter) {
        return new Unreadable(`column ${values.length + 1} goes on behind its closing quote`);
      }
      values.push(value);
    } else {
      const end = line.indexOf(delimiter, at);
      const value = line.slice(at, end < 0 ? line.length : end);
      if (value.includes('"')) return new Unreadable(`column ${values.length + 1} has a quote inside`);
      values.push(value);
      at += value.length;
    }
    if (at >= line.length) return values;
    at += 1;
  }
}

/** What a file's name tells by its pattern. */
export interface FileNameParts {
  readonly ca: string | null;
  readonly product: string | null;
  /** As it stands in the name. */
  readonly date: string;
}

const NAME_PARTS: Readonly<Record<string, string>> = {
  ca: "(?<ca>[^_/\\\\]{1,40})",
  product: "(?<product>[^_/\\\\]{1,40})",
  date: "(?<date>[0-9A-Za-z.-]{6,20})",
  any: "[^/\\\\]{0,80}",
};

/** A reader of file names of a pattern with {ca}, {product}, {date} and {any}; null: the name does not follow it. */
export function fileNameReader(pattern: string): (name: string) => FileNameParts | null {
  const seen = new Set<string>();
  const source = pattern.replaceAll(
    /\{(\w+)\}|([^{}]+)/g,
    (_all, part: string | undefined, text: string | undefined) => {
      if (part === undefined) return (text ?? "").replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
      // A part that is named again must only have the form.
      const isAgain = seen.has(part);
      seen.add(part);
      return isAgain ? "[^_/\\\\]{1,40}" : (NAME_PARTS[part] ?? "");
    },
  );
  const expression = new RegExp(`^${source}$`, "i");
  return (name) => {
    const found = name.length <= 255 ? expression.exec(name)?.groups : undefined;
    return found === undefined
      ? null
      : { ca: found["ca"] ?? null, product: found["product"] ?? null, date: found["date"] ?? "" };
  };
}
