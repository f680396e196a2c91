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

/** What a part of a pattern stands for: signs that it may not hold, or only may, and how many there are. */
interface NamePart {
  readonly isAllowed: (sign: string) => boolean;
  readonly min: number;
  readonly max: number;
}

const isNoSlash = (sign: string): boolean => sign !== "/" && sign !== "\\";
const WORD: NamePart = { isAllowed: (sign) => sign !== "_" && isNoSlash(sign), min: 1, max: 40 };
const NAME_PARTS: Readonly<Record<string, NamePart>> = {
  ca: WORD,
  product: WORD,
  date: { isAllowed: (sign) => /^[0-9A-Za-z.-]$/.test(sign), min: 6, max: 20 },
  any: { isAllowed: isNoSlash, min: 0, max: 80 },
};
const NAME_MAX = 255;

/**
 * A reader of file names of a pattern with {ca}, {product}, {date} and {any}; null: the name does not follow it. Each part
 * takes as much as the rest leaves it. No expression is built of the pattern: with {any} ten times, one took for ever.
 */
export function fileNameReader(pattern: string): (name: string) => FileNameParts | null {
  const seen = new Set<string>();
  const pieces = pattern
    .split(/(\{\w+\})/)
    .flatMap((text): { readonly text: string; readonly part: NamePart | null; readonly name: string }[] => {
      if (text === "") return [];
      const name = /^\{(\w+)\}$/.exec(text)?.[1];
      if (name === undefined) return [{ text: text.toLowerCase(), part: null, name: "" }];
      // A part that is named again must only have the form.
      const isAgain = seen.has(name);
      seen.add(name);
      return [{ text, part: isAgain ? WORD : (NAME_PARTS[name] ?? WORD), name: isAgain ? "" : name }];
    });
  return (name) => {
    if (name.length > NAME_MAX) return null;
    const found: Record<string, string> = {};
    const isHopeless = new Set<number>();
    const follows = (index: number, at: number): boolean => {
      const piece = pieces[index];
      if (piece === undefined) return at === name.length;
      const key = index * (NAME_MAX + 1) + at;
      if (isHopeless.has(key)) return false;
      const { part, text } = piece;
      if (part === null) {
        if (name.slice(at, at + text.length).toLowerCase() === text && follows(index + 1, at + text.length))
          return true;
      } else {
        let length = 0;
        while (length < part.max && at + length < name.length && part.isAllowed(name[at + length] as string))
          length += 1;
        for (; length >= part.min; length -= 1) {
          if (!follows(index + 1, at + length)) continue;
          found[piece.name] = name.slice(at, at + length);
          return true;
        }
      }
      isHopeless.add(key);
      return false;
    };
    if (!follows(0, 0)) return null;
    return { ca: found["ca"] ?? null, product: found["product"] ?? null, date: found["date"] ?? "" };
  };
}
