import { FAULTS } from "./faults";
import type { Markup } from "../platform";
import { html } from "./html";
import type { Order, SentMessage } from "./order";
import type { Words } from "./words";

/** What a real payment page would not have: faults to choose, folded away under the form's button. */
export function faultChoice(words: Words): Markup {
  const options = FAULTS.map((fault) => html`<option value="${fault}">${words.faults[fault]}</option>`);
  return html`<details class="backstage">
    <summary>${words.backstage}</summary>
    <label class="plain" for="fault">${words.fault}</label>
    <select id="fault" name="fault">
      ${options}
    </select>
  </details>`;
}

/** What the switch sent to the biller for an order, and what came back. Nothing when nothing was sent. */
export function sentSection(order: Order, words: Words): Markup {
  if (order.sent.length === 0) return html``;
  const items = order.sent.map((message) => sentItem(message, words));
  return html`<section class="backstage">
    <h2>${words.backstage}</h2>
    <p class="soft">${words.sent}</p>
    <ol class="sent">
      ${items}
    </ol>
  </section>`;
}

function sentItem({ function: kind, traxId, exchange }: SentMessage, words: Words): Markup {
  const { fields, failure, durationMs, isReplay } = exchange;
  const code = fields?.["resultCode"];
  const outcome = failure ?? (typeof code === "string" ? `resultCode ${code.slice(0, 8)}` : `HTTP ${exchange.status}`);
  return html`<li>
    <strong>${words.functions[kind]}</strong> <code>${traxId}</code><br />
    ${failure === null ? html`` : html`<span class="lost">✗</span> `}${outcome}${
      isReplay ? html`, ${words.replayed}` : html``
    }
    <span class="soft">· ${Math.round(durationMs)} ms</span>
  </li>`;
}
