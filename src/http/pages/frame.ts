import { BILL_ASSETS } from "./assets";
import { html, type Markup, NOTHING } from "../../platform";
import { type Language, WORDS } from "./words";

/** What every page for customers has around its content. Addresses in it are relative: a proxy may put a path before. */
export interface Frame {
  readonly language: Language;
  readonly title: string;
  /** From this page's address to the folder of bills' pages: empty, or `../` one level deeper. */
  readonly up: "" | "../";
  /** The page in the other language. */
  readonly otherLanguageHref: string;
  readonly brand: Markup;
  readonly content: Markup;
  readonly isLive: boolean;
}

/** A whole page. */
export function framed({ language, title, up, otherLanguageHref, brand, content, isLive }: Frame): string {
  const words = WORDS[language];
  const other: Language = language === "id" ? "en" : "id";
  const script = html`<script src="${up}assets/${BILL_ASSETS.script.name}" defer></script>`;
  const page = html`<html lang="${language}">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="robots" content="noindex, nofollow" />
      <meta name="color-scheme" content="light dark" />
      <meta name="format-detection" content="telephone=no" />
      <title>${title}</title>
      <link rel="icon" type="image/svg+xml" href="${up}assets/${BILL_ASSETS.icon.name}" />
      <link rel="stylesheet" href="${up}assets/${BILL_ASSETS.style.name}" />
      ${isLive ? script : NOTHING}
    </head>
    <body>
      <a class="skip" href="#content">${words.skip}</a>
      <header>
        <p class="brand">${brand}</p>
        <nav aria-label="${words.language}">
          <a href="${otherLanguageHref}" hreflang="${other}" lang="${other}">${words.otherLanguage}</a>
        </nav>
      </header>
      <div id="announcement" class="unseen" role="status" aria-live="polite"></div>
      ${content}
    </body>
  </html>`;
  return `<!doctype html>\n${page.text}\n`;
}

/** A page that has nothing to show but why. The same for every link that leads nowhere. */
export function plainPage(options: {
  readonly language: Language;
  readonly text: readonly [head: string, text: string];
  readonly up: "" | "../";
}): string {
  const { language, text, up } = options;
  const [head, explanation] = text;
  return framed({
    ...{ language, up, title: head, isLive: false },
    otherLanguageHref: `?lang=${language === "id" ? "en" : "id"}`,
    brand: html`${WORDS[language].bill}`,
    content: html`<main id="content" tabindex="-1">
      <section class="card plain">
        <h1>${head}</h1>
        <p>${explanation}</p>
      </section>
    </main>`,
  });
}
