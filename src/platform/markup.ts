/** Text that is markup already. Everything else is escaped where it is put in. */
export class Markup {
  constructor(readonly text: string) {}
}

type Insert = string | number | Markup | readonly Markup[];

/** Nothing. */
export const NOTHING = new Markup("");

/** A template's tag; what is put in goes through `escape` unless it is markup. */
export function markupTag(
  escape: (text: string) => string,
): (parts: TemplateStringsArray, ...inserts: readonly Insert[]) => Markup {
  const textOf = (insert: Insert): string => {
    if (insert instanceof Markup) return insert.text;
    if (typeof insert === "object") return insert.map(({ text }) => text).join("");
    return escape(String(insert));
  };
  return (parts, ...inserts) =>
    new Markup(parts.reduce((text, part, at) => `${text}${textOf(inserts[at - 1] ?? "")}${part}`));
}

/** Markup from a template, for customers and merchants. */
export const html = markupTag(escaped);

const SPECIAL = /[&<>"']/g;
const UNSEEN = /[\p{Cc}\p{Cs}\u{61c}\u{200b}\u{200e}\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{feff}]/gu;
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const entityOf = (character: string): string => ENTITIES[character] ?? "";
const isBlank = (character: string): boolean => character === "\n" || character === "\t";

/**
 * Text that may stand anywhere in a page. Left out is what could turn a line around or is never seen: control characters,
 * direction marks, line and paragraph separators, lone surrogates. The joiners that emoji and scripts are made of stay;
 * marks piled on one character stop at four.
 */
export function escaped(text: string): string {
  return text
    .replaceAll(UNSEEN, (character) => (isBlank(character) ? character : ""))
    .replaceAll(/(\p{M}{4})\p{M}+/gu, "$1")
    .replaceAll(SPECIAL, entityOf);
}

/**
 * Text that may stand anywhere in a page for people who look for what is wrong with it: what `escaped` leaves out is shown
 * (`\u{202e}`).
 */
export function escapedVisibly(text: string): string {
  return text
    .replaceAll(UNSEEN, (character) =>
      isBlank(character) ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    )
    .replaceAll(SPECIAL, entityOf);
}
