import { faultChoice, sentSection } from "./backstage";
import type { Markup } from "../platform";
import { html, page, rupiahText } from "./html";
import type { Inquired, Order, ShownBill } from "./order";
import { linesOf } from "./shown-lines";
import { type Language, SOURCES, type Words, WORDS } from "./words";

/** Address of the style sheet. */
export const STYLE_ADDRESS = "/simulation/style.css";

/** What a page is made for. */
export interface View {
  readonly order: Order;
  readonly language: Language;
}

/** The payment page: the bill as the biller answered it, and how to pay; or why it cannot be paid. */
export function paymentPage(view: View, inquired: Inquired, hint: boolean): string {
  const words = WORDS[view.language];
  if (inquired.kind !== "shown") return whole(view, refusal(view, inquired));
  const sources = SOURCES.map(
    (source) =>
      html`<label><input type="radio" name="source" value="${source}" required />${words.sources[source]}</label>`,
  );
  const total = rupiahText(totalOf(inquired.bill));
  return whole(
    view,
    html`${billSection(view, inquired.bill)}
      <form method="post" action="/pay/${view.order.token}?lang=${view.language}">
        <fieldset>
          <legend>${words.source}</legend>
          ${sources}
        </fieldset>
        ${hint ? html`<p role="alert">${words.choose}</p>` : html``}
        <button type="submit">${words.pay} ${total}</button>
        ${faultChoice(words)}
      </form>`,
  );
}

/** The page after paying; it asks for itself again while the payment is on its way. */
export function resultPage(view: View): string {
  const { order, language } = view;
  const words = WORDS[language];
  if (order.state === "open") return noPage(language);
  const [head, text] = words.states[order.state];
  const look = { paying: "wait", paid: "ok", declined: "bad", reversed: "bad", unclear: "wait" }[order.state];
  const reply = order.paymentReply ?? {};
  const rows = [
    [words.code, [reply["resultCode"], reply["resultDesc"]].filter((each) => typeof each === "string").join(" ")],
    [words.reference, reply["sysCode"]],
  ].flatMap(([name, value]) => (typeof value === "string" && value !== "" ? [row(String(name), value)] : []));
  const receipt = typeof reply["bit48"] === "string" ? reply["bit48"] : "";
  const isWaiting = order.state === "paying";
  const again = html`<a class="button" href="/pay/${order.token}/result?lang=${language}">${words.refresh}</a>`;
  return whole(
    view,
    html`<section class="state ${look}" role="status">
        <h2>${head}</h2>
        <p>${text}</p>
        ${
          rows.length > 0 ? html`<dl>${rows}</dl>` : html``
        }${receipt === "" || receipt === "null" ? html`` : html`<p class="receipt">${receipt}</p>`}
        ${isWaiting ? again : backLink(view)}
      </section>
      ${order.inquired?.kind === "shown" ? billSection(view, order.inquired.bill) : html``} ${sentSection(order, words)}`,
    isWaiting ? html`<meta http-equiv="refresh" content="2" />` : html``,
  );
}

/** The page for an address that is no payment page. */
export function noPage(language: Language): string {
  const words = WORDS[language];
  return page({
    title: words.title,
    language,
    style: { href: STYLE_ADDRESS },
    body: html`<main>
      <section class="state bad"><p>${words.noSuchPage}</p></section>
    </main>`,
  });
}

/** The front page: what this is, for whoever finds the port. */
export function frontPage(billerUrl: string, orders: number): string {
  return page({
    title: "Finpay simulator",
    language: "en",
    style: { href: STYLE_ADDRESS },
    body: html`<main>
      <header><h1>Finpay simulator</h1></header>
      <section>
        <p>This process plays Finpay's side for a biller under test. Nobody at Finpay has anything to do with it.</p>
        <dl>
          ${row("biller", billerUrl)}${row("orders", String(orders))}
          ${row("create", "POST /sof/bp/paymentCard")}${row("status", "GET /sof/bp/checkCard/{orderId}")}
          ${row("messages", "GET /simulation/orders/{orderId}")}
        </dl>
      </section>
    </main>`,
  });
}

function whole(view: View, body: Markup, head?: Markup): string {
  const { order, language } = view;
  const words = WORDS[language];
  const other = language === "id" ? "en" : "id";
  const path = order.state === "open" ? "" : "/result";
  return page({
    title: words.title,
    language,
    style: { href: STYLE_ADDRESS },
    ...(head === undefined ? {} : { head }),
    body: html`<main>
      <header>
        <h1>${words.title}</h1>
        <a href="/pay/${order.token}${path}?lang=${other}" lang="${other}" hreflang="${other}"
          >${words.otherLanguage}</a
        >
      </header>
      ${body}
      <p class="soft">${words.order}: <code>${order.id}</code></p>
    </main>`,
  });
}

function billSection({ order, language }: View, bill: ShownBill): Markup {
  const words = WORDS[language];
  const { id, customerId } = order.request.billing.billerServiceProvider;
  // Said once already, above these lines or below them.
  const said = [customerId, String(bill.amount)];
  const shown = linesOf(bill.customerData).filter(({ value }) => !said.includes(value));
  const rows = shown.map(({ name, value }) => row(labelOf(name, words), amountsIn(name, value)));
  return html`<section>
    <h2>${words.bill}</h2>
    <dl>${row(words.product, id)}${row(words.billNumber, customerId)}${rows}</dl>
    <dl class="total">
      ${row(words.amount, rupiahText(bill.amount))}${row(words.fee, rupiahText(bill.feeAmount))}
      ${row(words.total, rupiahText(totalOf(bill)))}
    </dl>
  </section>`;
}

function refusal(view: View, inquired: Exclude<Inquired, { kind: "shown" }>): Markup {
  const words = WORDS[view.language];
  const why =
    inquired.kind === "unanswered"
      ? html`<p>${words.unanswered}</p>`
      : html`<p>${words.refused}</p>
          <p class="soft">${words.code} ${inquired.code}: ${inquired.description}</p>`;
  return html`<section class="state bad" role="alert">
    ${why}<a class="button" href="/pay/${view.order.token}?lang=${view.language}">${words.tryAgain}</a>
    ${backLink(view)}
  </section>`;
}

function backLink({ order, language }: View): Markup {
  const { backUrl } = order.request.url;
  return backUrl === undefined ? html`` : html`<a class="button quiet" href="${backUrl}">${WORDS[language].back}</a>`;
}

function row(name: string, value: string): Markup {
  return html`<dt>${name}</dt>
    <dd>${value}</dd>`;
}

function labelOf(name: string, words: Words): string {
  const number = /(?<![0-9])[0-9]+$/.exec(name)?.[0] ?? "";
  const stem = name.slice(0, name.length - number.length);
  const known = Object.hasOwn(words.names, stem) ? words.names[stem] : undefined;
  return known === undefined ? name : `${known} ${number}`.trim();
}

/** A name and an amount (`304A 10000`, `Kopi Gayo 250 g 85000`) read better with the amount in groups. */
function amountsIn(name: string, value: string): string {
  const [, what = "", amount = ""] = /^(.{1,60}) ([0-9]{1,12})$/.exec(value) ?? [];
  // An address may end with a number too.
  const isPriced = amount !== "" && (/^item[0-9]+$/.test(name) || /^\S{1,11}$/.test(what));
  return isPriced ? `${what}: ${rupiahText(BigInt(amount)).replace(" ", "\u00a0")}` : value;
}

function totalOf({ amount, feeAmount }: ShownBill): bigint {
  return amount + feeAmount;
}
