import type { BillPage, PageState, Payable } from "../../flows";
import { rupiahText, spanText, timeText } from "./format";
import { framed } from "./frame";
import { html, Markup, NOTHING } from "../../platform";
import { qrDrawing } from "./qr";
import { type Language, WORDS, type Words } from "./words";

/** How a bill's page is to be shown. */
export interface BillPageOptions {
  readonly language: Language;
  /** Whether payment pages can be asked for. */
  readonly canPayHere: boolean;
  /** From this address to the folder of bills' pages. */
  readonly up: "" | "../";
  /** What went wrong with what the customer just did. */
  readonly problem?: string;
}

interface Shown extends BillPageOptions {
  readonly bill: BillPage;
  readonly words: Words;
  readonly rupiah: (amount: bigint) => string;
}

/** The page of a bill. */
export function billPage(bill: BillPage, options: BillPageOptions): string {
  const { language, up } = options;
  const words = WORDS[language];
  const shown: Shown = { ...options, bill, words, rupiah: (amount) => rupiahText(amount, language) };
  const [state, explanation] = words.states[bill.state];
  return framed({
    ...{ language, up, isLive: true },
    title: `${state} - ${words.billFrom} ${bill.merchantName}`,
    otherLanguageHref: `${up}${bill.linkCode}?lang=${language === "id" ? "en" : "id"}`,
    brand: html`<span class="mark" aria-hidden="true">${initialsOf(bill.merchantName)}</span>
      <bdi>${bill.merchantName}</bdi>`,
    content: html`<main
        id="content"
        tabindex="-1"
        data-tag="${bill.tag}"
        data-follow="${isFinal(bill) ? "no" : "yes"}"
        data-page="${up}${bill.linkCode}"
        data-announce="${state}. ${explanation}"
      >
        ${problemOf(shown)}${heroOf(shown)}
        <div class="columns">
          <div>${payingOf(shown)}${paymentsOf(shown)}</div>
          <div>${detailsOf(shown)}</div>
        </div>
      </main>
      <footer><p>${words.safety}</p></footer>`,
  });
}

/** Whether nothing more is expected to happen. An expired bill may still be paid by whoever asked for it in time. */
function isFinal({ state }: BillPage): boolean {
  return state === "PAID" || state === "CANCELLED";
}

function problemOf({ problem }: Shown): Markup {
  return problem === undefined ? NOTHING : html`<p class="problem" role="alert">${problem}</p>`;
}

function heroOf(shown: Shown): Markup {
  const { bill, words, language, up } = shown;
  const [state, explanation] = words.states[bill.state];
  return html`<section class="card hero" aria-labelledby="title">
    <h1 id="title">${words.billFrom} <bdi>${bill.merchantName}</bdi></h1>
    <p class="state ${bill.state.toLowerCase()}">${iconOf(bill.state)}<strong>${state}</strong></p>
    ${headlineOf(shown)}
    <p>${explanation}</p>
    <dl>
      <div>
        <dt>${words.billedTo}</dt>
        <dd><bdi>${bill.customerName}</bdi></dd>
      </div>
      <div>
        <dt>${words.invoice}</dt>
        <dd>${bill.transactionNumber}</dd>
      </div>
      ${dueOf(shown)}
    </dl>
    <p class="tools">
      ${isFinal(bill) ? NOTHING : html`<a class="quiet" href="${up}${bill.linkCode}?lang=${language}">${words.check}</a>`}
      <button type="button" class="quiet" data-print hidden>${words.print}</button>
    </p>
  </section>`;
}

/** The one amount that matters now. */
function headlineOf({ bill, words, rupiah }: Shown): Markup {
  const owed = bill.totalAmount - bill.paidAmount;
  const line = (label: string, amount: bigint): Markup =>
    html`<p class="headline${lengthOf(amount)}"><span>${label}</span> <strong>${rupiah(amount)}</strong></p>`;
  if (bill.state === "UNPAID" || bill.state === "PARTIAL") {
    return line(words.toPay, bill.payable?.kind === "exact" ? bill.payable.amount : owed);
  }
  if (bill.state === "OPEN") return owed > 0n ? line(words.toPay, owed) : NOTHING;
  return line(words.total, bill.totalAmount);
}

/** Amounts that need smaller letters on a phone. */
function lengthOf(amount: bigint): string {
  return amount >= 100_000_000n ? " long" : "";
}

function dueOf({ bill, words, language }: Shown): Markup {
  const { dueAtMs, nowMs } = bill;
  if (dueAtMs === null || isFinal(bill)) return NOTHING;
  const isOver = bill.state === "EXPIRED";
  const time = html`<time datetime="${new Date(dueAtMs).toISOString()}">${timeText(dueAtMs, language)}</time>`;
  const left = html`<div class="left">
    <dt>${words.timeLeft}</dt>
    <dd data-due="${dueAtMs}" data-now="${Math.floor(nowMs)}" data-least="${words.lessThanAMinute}">
      ${spanText(dueAtMs - nowMs, language) ?? words.lessThanAMinute}
    </dd>
  </div>`;
  return html`<div>
      <dt>${isOver ? words.wasDue : words.due}</dt>
      <dd>${time}</dd>
    </div>
    ${isOver ? NOTHING : left}`;
}

function payingOf(shown: Shown): Markup {
  const { bill, words } = shown;
  if (isFinal(bill) || bill.state === "EXPIRED") return NOTHING;
  if (bill.payable === null) return html`<section class="card"><p>${words.notNow}</p></section>`;
  return html`<section class="card pay" aria-labelledby="paying">
    <h2 id="paying">${words.howToPay}</h2>
    ${limitsOf(shown, bill.payable)}${payNowOf(shown, bill.payable)}
    <div class="code">
      <p id="code-label">${words.paymentCode}</p>
      <p class="digits" aria-labelledby="code-label" id="code" role="group">${groupsOf(bill.paymentCode)}</p>
      <button
        type="button"
        data-copy="${bill.paymentCode}"
        data-copied="${words.copied}"
        data-failed="${words.copyFailed}"
        hidden
      >
        ${words.copy}
      </button>
      <p class="soft">${words.productCode}: ${bill.productCode}</p>
    </div>
    <ol>
      ${words.steps.map((step) => html`<li>${step}</li>`)}
    </ol>
    <figure>
      ${qrDrawing(bill.paymentCode, words.qr)}
      <figcaption class="soft">${words.qrHint}</figcaption>
    </figure>
  </section>`;
}

function limitsOf({ words, rupiah }: Shown, { kind, minAmount, maxAmount }: Payable): Markup {
  if (kind === "exact") return NOTHING;
  const text = words[kind].replace("{min}", rupiah(minAmount)).replace("{max}", rupiah(maxAmount));
  return html`<p class="limits">${text}</p>`;
}

function payNowOf({ bill, words, language, up, canPayHere, rupiah }: Shown, { amount }: Payable): Markup {
  if (!canPayHere) return NOTHING;
  return html`<form method="post" action="${up}${bill.linkCode}/pay?lang=${language}">
      <button type="submit" class="main" aria-describedby="pay-hint">${words.payNow} ${rupiah(amount)}</button>
      <p class="soft" id="pay-hint">${words.payNowHint}</p>
    </form>
    <p class="or">${words.orWithCode}</p>`;
}

/** Groups of four, the first one longer, for the eye; copied and read out, the digits stand together. */
function groupsOf(digits: string): Markup[] {
  const groups = digits.match(/.{4,7}?(?=(?:.{4})*$)/g) ?? [digits];
  return groups.map((group) => html`<span>${group}</span>`);
}

function detailsOf({ bill, words, rupiah }: Shown): Markup {
  const row = (label: string, amount: bigint, kind = ""): Markup =>
    html`<tr class="${kind}">
      <th scope="row" colspan="2">${label}</th>
      <td>${rupiah(amount)}</td>
    </tr>`;
  const lines = bill.lines.map(
    ({ name, qty, amount }) =>
      html`<tr>
        <th scope="row"><bdi>${name}</bdi></th>
        <td>${String(qty)}</td>
        <td>${rupiah(amount)}</td>
      </tr>`,
  );
  const isPart = bill.state === "PARTIAL";
  return html`<section class="card details" aria-labelledby="details">
    <h2 id="details">${words.details}</h2>
    <table class="lines${lengthOf(bill.totalAmount)}">
      <thead>
        <tr>
          <th scope="col">${words.item}</th>
          <th scope="col">${words.quantity}</th>
          <th scope="col">${words.amount}</th>
        </tr>
      </thead>
      <tbody>
        ${lines}
      </tbody>
      <tfoot>
        ${row(words.total, bill.totalAmount, "total")}${bill.feeAmount > 0n ? row(words.feeAdded, bill.feeAmount) : NOTHING}
        ${isPart ? row(words.paidSoFar, bill.paidAmount) : NOTHING}
        ${isPart ? row(words.toPay, bill.totalAmount - bill.paidAmount, "total") : NOTHING}
      </tfoot>
    </table>
    ${notesOf(bill.notes, words)}
  </section>`;
}

function notesOf(notes: string, words: Words): Markup {
  if (notes === "") return NOTHING;
  return html`<h3>${words.notes}</h3>
    <p class="notes"><bdi>${notes}</bdi></p>`;
}

function paymentsOf({ bill, words, rupiah, language }: Shown): Markup {
  if (bill.payments.length === 0) return NOTHING;
  const entries = bill.payments.map(
    ({ paymentId, amount, paidAtMs }) =>
      html`<li>
        <p class="amount">${rupiah(amount)}</p>
        <p class="soft">
          <time datetime="${new Date(paidAtMs).toISOString()}">${timeText(paidAtMs, language)}</time><br />
          ${words.reference} ${paymentId}
        </p>
      </li>`,
  );
  return html`<section class="card" aria-labelledby="payments">
    <h2 id="payments">${words.payments}</h2>
    <ul class="payments">
      ${entries}
    </ul>
  </section>`;
}

/** At most two letters for the merchant's badge. */
function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  return words
    .slice(0, 2)
    .map((word) => Array.from(word)[0] ?? "")
    .join("")
    .toUpperCase();
}

const ICONS: Readonly<Record<PageState, string>> = {
  UNPAID: "M12 7v5l3.5 2",
  PARTIAL: "M12 7v5l3.5 2",
  OPEN: "M12 7.5v9M7.5 12h9",
  PAID: "M7.5 12.5l3 3 6-6.5",
  EXPIRED: "M12 7v6M12 16v.5",
  CANCELLED: "M8.5 8.5l7 7M15.5 8.5l-7 7",
};

function iconOf(state: PageState): Markup {
  return html`<svg
    aria-hidden="true"
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="2.2"
    stroke-linecap="round"
    stroke-linejoin="round"
  >
    <circle cx="12" cy="12" r="10" />
    <path d="${new Markup(ICONS[state])}" />
  </svg>`;
}
