import { PAGE_STYLE } from "../style";

/** Style sheet of the shop: that of the simulation, in warmer colours, and what the shop has of its own. */
export const SHOP_STYLE = `${PAGE_STYLE}
:root { --accent: #7a3b1d; --ground: #faf5ee; --line: #e4d8c8; --soft: #6a5d51; --ink: #2b1d14; }
h1 a { color: inherit; text-decoration: none; }
.lead { margin-bottom: 1rem; }
form:has(.goods) { background: none; border: 0; padding: 0; }
.goods { list-style: none; margin: 0 0 1rem; padding: 0; display: grid; gap: .75rem; }
.goods li { display: flex; align-items: center; gap: .75rem; background: #fff; border: 1px solid var(--line); border-radius: .75rem; padding: .75rem; }
.picture { flex: none; }
.about { flex: 1; display: flex; flex-direction: column; min-width: 0; }
.price { font-weight: 700; }
.goods select { width: 4rem; flex: none; }
.field { margin-bottom: .75rem; }
.field label { display: block; border: 0; padding: 0; margin: 0 0 .25rem; min-height: 0; }
.field input { width: 100%; min-height: 2.75rem; font: inherit; padding: .25rem .75rem; border: 1px solid #a08f7d; border-radius: .5rem; }
.field input[aria-invalid] { border: 2px solid #b3261e; }
.problem { color: #b3261e; margin: .25rem 0 0; }
.acts { display: grid; gap: .5rem; margin-bottom: 1rem; }
.act { background: none; border: 0; padding: 0; margin: 0; }
button.quiet { background: #fff; color: var(--accent); border: 1px solid var(--accent); }
.button.quiet { margin: 0; }
button.danger { color: #b3261e; border-color: #b3261e; }
.events { list-style: none; margin: 0; padding: 0; }
.events li { display: flex; gap: .75rem; padding: .5rem 0; border-top: 1px solid var(--line); }
.events li > div { min-width: 0; }
.events strong { font-size: .9375rem; }
.mark { flex: none; width: 1.5rem; height: 1.5rem; border-radius: 50%; text-align: center; line-height: 1.5rem; font-weight: 700; background: var(--ground); color: var(--soft); }
.ok > .mark { background: #1b7f3b; color: #fff; }
.bad > .mark { background: #b3261e; color: #fff; }
.who { display: inline-block; font-size: .75rem; font-weight: 700; padding: 0 .5rem; border-radius: 1rem; background: #eee5d8; color: #4a3b2d; }
.who.biller { background: #dcefe1; color: #14532a; }
.who.finpay { background: #ffd54a; color: #3d2f00; }
time { font-size: .75rem; color: var(--soft); }
.fact { display: block; font-size: .8125rem; color: var(--soft); overflow-wrap: anywhere; }
`;

/** Asks once a second whether an order has changed, and puts its new page in place. The page works without. */
export const SHOP_SCRIPT = `"use strict";
const main = document.querySelector("main[data-live]");
let version = main.dataset.version;
async function look() {
  try {
    const answer = await fetch(main.dataset.live, { cache: "no-store" });
    if (!answer.ok) return;
    const now = await answer.json();
    if (now.version === version) return;
    const text = await (await fetch(location.href, { cache: "no-store" })).text();
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("main[data-live]");
    if (fresh === null) return;
    const focused = document.activeElement ? document.activeElement.id : "";
    main.replaceChildren(...fresh.childNodes);
    version = fresh.dataset.version;
    const again = focused === "" ? null : document.getElementById(focused);
    if (again !== null) again.focus({ preventScroll: true });
  } catch {
    // The shop is away for a moment: the next look may find it.
  }
}
setInterval(look, 1000);
`;
