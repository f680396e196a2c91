import type { Markup } from "../../platform";
import { html, page, rupiahText } from "../html";
import type { Language } from "../words";
import { jakartaText } from "./biller";
import type { FormProblem, Typed } from "./form";
import { GOODS, type Product, QUANTITY_MAX } from "./goods";
import { type ShopEvent, type ShopOrder, shownStatus } from "./order";
import { SHOP_WORDS, type ShopWords } from "./words";

/** Address of the style sheet. */
export const SHOP_STYLE_ADDRESS = "/shop/style.css";
/** Address of the script that keeps an order's page up to date. */
export const SHOP_SCRIPT_ADDRESS = "/shop/live.js";

const SHOP_NAME = "Kopi Nusantara";
const MARKS = { ok: "✓", bad: "✗", note: "•" } as const;

/** The goods and the order form; problems are told where they are. */
export function goodsPage(view: {
  readonly language: Language;
  readonly typed: Typed;
  readonly problems: readonly FormProblem[];
  readonly shortDueSeconds: number;
}): string {
  const { language, typed, problems, shortDueSeconds } = view;
  const words = SHOP_WORDS[language];
  const problem = (name: FormProblem): Markup =>
    problems.includes(name) ? html`<p class="problem" id="problem-${name}">${words.problems[name]}</p>` : html``;
  const input = (name: "name" | "email" | "phone", type: string, complete: string): Markup =>
    html`<div class="field">
      <label for="${name}">${words[name]}</label>
      <input
        id="${name}"
        name="${name}"
        type="${type}"
        autocomplete="${complete}"
        value="${typed[name]}"
        maxlength="100"
        required
        ${problems.includes(name) ? html`aria-invalid="true" aria-describedby="problem-${name}"` : html``}
      />
      ${problem(name)}
    </div>`;
  return whole({
    language,
    path: "/",
    body: html`<p class="lead">${words.welcome}</p>
      <form method="post" action="/orders?lang=${language}" novalidate>
        <ul class="goods">
          ${GOODS.map((product) => goodsItem(product, typed.quantities[product.code] ?? "", language))}
        </ul>
        ${problem("lines")}
        <section>
          <h2>${words.yourData}</h2>
          ${input("name", "text", "name")}${input("email", "email", "email")}${input("phone", "tel", "tel")}
        </section>
        <button type="submit">${words.order}</button>
        <details class="backstage">
          <summary>${words.controls}</summary>
          <label class="plain" for="due">${words.due}</label>
          <select id="due" name="due">
            <option value="long">${words.dueLong}</option>
            <option value="short">${words.dueShort} (${shortDueSeconds} ${words.seconds})</option>
          </select>
        </details>
      </form>`,
  });
}

function goodsItem({ code, name, about, price, picture }: Product, typed: string, language: Language): Markup {
  const words = SHOP_WORDS[language];
  const steps = Array.from({ length: QUANTITY_MAX + 1 }, (_, count) => String(count));
  const options = steps.map(
    (count) => html`<option value="${count}" ${count === (typed || "0") ? html`selected` : html``}>${count}</option>`,
  );
  return html`<li>
    ${picture}
    <div class="about">
      <strong>${name}</strong>
      <span class="soft">${about[language]}</span>
      <span class="price">${rupiahText(price)}</span>
    </div>
    <select name="quantity-${code}" aria-label="${words.quantity}: ${name}">
      ${options}
    </select>
  </li>`;
}

/** When an order is due, for people. */
function dueText(dueAtMs: number, language: Language): string {
  const form = new Intl.DateTimeFormat(language === "id" ? "id-ID" : "en-GB", {
    dateStyle: "medium",
    timeStyle: "medium",
    timeZone: "Asia/Jakarta",
  });
  return `${form.format(dueAtMs)} WIB`;
}

/** One order: where it stands, what can be done, and what has happened. */
export function orderPage(order: ShopOrder, language: Language, nowMs: number): string {
  const words = SHOP_WORDS[language];
  const isOver = shownStatus(order, nowMs) !== "UNPAID";
  return whole({
    language,
    path: `/orders/${order.token}`,
    live: `/orders/${order.token}/status`,
    version: versionOf(order, nowMs),
    // The script does it better; without one the page asks for itself again while something may still come.
    head: html`<noscript>${isOver ? html`` : html`<meta http-equiv="refresh" content="4" />`}</noscript>
      <script src="${SHOP_SCRIPT_ADDRESS}" defer></script>`,
    body: html`${statusSection(order, language, nowMs)}
      <section>
        <h2>${words.yourOrder}</h2>
        <dl>
          ${order.lines.map(({ product, quantity }) =>
            row(`${quantity} × ${product.name}`, rupiahText(product.price * BigInt(quantity))),
          )}
        </dl>
        <dl class="total">${row(words.total, rupiahText(order.total))}</dl>
      </section>
      <section>
        <h2>${words.happened}</h2>
        <p class="soft">${words.happenedNote}</p>
        <ol class="events">
          ${order.events.map((event) => eventItem(event, words))}
        </ol>
      </section>
      <p class="soft"><a href="/?lang=${language}">${words.backToShop}</a></p>`,
  });
}

/** Changes whenever the page of an order would look different. */
export function versionOf(order: ShopOrder, nowMs: number): string {
  return `${order.version}-${shownStatus(order, nowMs)}`;
}

function statusSection(order: ShopOrder, language: Language, nowMs: number): Markup {
  const words = SHOP_WORDS[language];
  const status = shownStatus(order, nowMs);
  const isChecking = status === "UNPAID" && order.finpayStatus === "PAID";
  const [head, text] = order.bill === null ? words.noBill : isChecking ? words.checking : words.statuses[status];
  const look = { UNPAID: "wait", PAID: "ok", EXPIRED: "bad", CANCELLED: "bad" }[status];
  const act = (what: string, label: string, kind: string): Markup =>
    html`<form class="act" method="post" action="/orders/${order.token}/${what}?lang=${language}">
      <button type="submit" id="act-${what}" class="${kind}">${label}</button>
    </form>`;
  const { bill } = order;
  return html`<section class="state ${look}" role="status">
      <h2>${head}</h2>
      <p>${text}</p>
      <dl>
        ${row(words.total, rupiahText(order.total))} ${bill === null ? html`` : row(words.billNumber, bill.billingId)}
        ${status === "UNPAID" ? row(words.dueAt, dueText(order.dueAtMs, language)) : html``}
      </dl>
    </section>
    <div class="acts">
      ${status === "UNPAID" ? act("pay", bill === null ? words.again : words.pay, "") : html``}
      ${
        bill === null || bill.url === ""
          ? html``
          : html`<a class="button quiet" href="${bill.url}">${words.seeBill}</a>`
      }
      ${bill === null ? html`` : act("check", words.check, "quiet")}
      ${status === "UNPAID" && bill !== null ? act("cancel", words.cancel, "quiet danger") : html``}
    </div>`;
}

function eventItem({ atMs, who, look, kind, facts }: ShopEvent, words: ShopWords): Markup {
  return html`<li class="${look}">
    <span class="mark" aria-hidden="true">${MARKS[look]}</span>
    <div>
      <span class="who ${who}">${words.who[who]}</span> <time>${jakartaText(atMs).slice(11)}</time><br />
      <strong>${words.events[kind]}</strong>
      ${facts.map(([name, value]) => html`<span class="fact">${name} <code>${value}</code></span>`)}
    </div>
  </li>`;
}

/** A page that says one thing: no such page, or a fault. */
export function notePage(language: Language, text?: string): string {
  const words = SHOP_WORDS[language];
  return whole({
    language,
    path: "/",
    body: html`<section class="state bad" role="alert"><p>${text ?? words.noSuchPage}</p></section>
      <p><a class="button" href="/?lang=${language}">${words.backToShop}</a></p>`,
  });
}

function whole(parts: {
  readonly language: Language;
  /** Address of this page, for the link to the other language. */
  readonly path: string;
  readonly body: Markup;
  readonly head?: Markup;
  readonly live?: string;
  readonly version?: string;
}): string {
  const { language, path, body, head, live, version } = parts;
  const words = SHOP_WORDS[language];
  const other = language === "id" ? "en" : "id";
  return page({
    title: SHOP_NAME,
    language,
    banner: words.banner,
    style: { href: SHOP_STYLE_ADDRESS },
    ...(head === undefined ? {} : { head }),
    body: html`<main ${live === undefined ? html`` : html`data-live="${live}" data-version="${version ?? ""}"`}>
      <header>
        <h1><a href="/?lang=${language}">${SHOP_NAME}</a></h1>
        <a href="${path}?lang=${other}" lang="${other}" hreflang="${other}">${words.otherLanguage}</a>
      </header>
      ${body}
    </main>`,
  });
}

function row(name: string, value: string): Markup {
  return html`<dt>${name}</dt>
    <dd>${value}</dd>`;
}
