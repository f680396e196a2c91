const BANNER: Readonly<Record<string, string>> & { readonly en: string } = {
  en: "This is not Finpay, and no money moves.",
  id: "Ini bukan Finpay, dan tidak ada uang yang berpindah.",
};

/** Text that is markup already. Everything else is escaped where it is put in. */
export class Markup {
  constructor(readonly text: string) {}
}

type Insert = string | number | Markup | readonly Markup[];

/** Markup from a template; what is put in is escaped unless it is markup. */
export function html(parts: TemplateStringsArray, ...inserts: readonly Insert[]): Markup {
  return new Markup(
    parts.map((part, at) => part + (at < inserts.length ? insertText(inserts[at] ?? "") : "")).join(""),
  );
}

function insertText(insert: Insert): string {
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
 * Text that may stand anywhere in a page. Control characters, direction marks and lone surrogates become visible
 * (`\u{202e}`): hostile bytes must neither end an element nor turn a line around. Tabs and line ends stay.
 */
export function escaped(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "")
    .replaceAll(/[^\P{C}\n\t]|[\u2028\u2029]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Whole rupiah for people: `Rp 1.250.000`. */
export function rupiahText(amount: bigint): string {
  return `Rp ${amount.toString().replaceAll(/\B(?=(\d{3})+$)/g, ".")}`;
}

/** A whole page. Without scripts in it; the style sheet stands in the page or at an address. */
export function page(options: {
  readonly title: string;
  readonly language: string;
  readonly body: Markup;
  readonly head?: Markup;
  /** What is not real about it; by default Finpay and the money. */
  readonly banner?: string;
  readonly style: { readonly href: string } | { readonly text: string };
}): string {
  const { title, language, body, style, head = html``, banner = BANNER[language] ?? BANNER.en } = options;
  const sheet =
    "href" in style
      ? html`<link rel="stylesheet" href="${style.href}" />`
      : html`<style>
          ${new Markup(style.text)}
        </style>`;
  return `<!doctype html>
${
  html`<html lang="${language}">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="robots" content="noindex" />
      <title>${title} - SIMULATION</title>
      ${sheet}${head}
    </head>
    <body>
      <div class="simulation" role="note"><strong>SIMULATION</strong> ${banner}</div>
      ${body}
    </body>
  </html>`.text
}
`;
}
