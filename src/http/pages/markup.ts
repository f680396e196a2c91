/** Text that is markup already. Everything else is escaped where it is put in. */
export class Markup {
  constructor(readonly text: string) {}
}

type Insert = string | number | Markup | readonly Markup[];

/** Nothing. */
export const NOTHING = new Markup("");

/** Markup from a template; what is put in is escaped unless it is markup. */
export function html(parts: TemplateStringsArray, ...inserts: readonly Insert[]): Markup {
  return new Markup(parts.reduce((text, part, at) => `${text}${textOf(inserts[at - 1] ?? "")}${part}`));
}

function textOf(insert: Insert): string {
  if (insert instanceof Markup) return insert.text;
  if (typeof insert === "object") return insert.map(({ text }) => text).join("");
  return escaped(String(insert));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Text that may stand anywhere in a page. Left out is what could turn a line around or is never seen: control characters,
 * direction marks, line and paragraph separators, lone surrogates. The joiners that emoji and scripts are made of stay;
 * marks piled on one character stop at four.
 */
export function escaped(text: string): string {
  return text
    .replaceAll(
      /[\p{Cc}\p{Cs}\u{61c}\u{200b}\u{200e}\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{feff}]/gu,
      (character) => (character === "\n" || character === "\t" ? character : ""),
    )
    .replaceAll(/(\p{M}{4})\p{M}+/gu, "$1")
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
