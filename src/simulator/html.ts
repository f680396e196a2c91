import { escapedVisibly, Markup, markupTag } from "../platform";

const BANNER: Readonly<Record<string, string>> & { readonly en: string } = {
  en: "This is not Finpay, and no money moves.",
  id: "Ini bukan Finpay, dan tidak ada uang yang berpindah.",
};

/** Markup from a template; what hostile bytes put in is escaped, and shown. */
export const html = markupTag(escapedVisibly);

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
