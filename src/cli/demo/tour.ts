import { relative } from "node:path";
import type { DemoUrls } from "./run";

/** What to open, and what will be seen at each step. */
export function tour({ shop, finpay, host }: DemoUrls, dir: string): string {
  const logs = relative(process.cwd(), dir) || ".";
  return `
A customer pays a merchant's bill. SIMULATION: Finpay and the shop are played, no money moves; the host is the real one.

  Open  ${shop}

  1. Shop: choose something, press "Pesan" (Order).
       The shop has the host make a bill: POST /billing/create, signed with HMAC.
  2. Order page: press "Bayar dengan Finpay" (Pay with Finpay).
       The shop asks Finpay for a payment page: POST /sof/bp/paymentCard.
  3. Finpay's page shows what the host says is owed.
       That was an inquiry of the switch (transactionType 38).
  4. Choose a source of funds, press "Bayar" (Pay).
       A payment (50) to the host becomes one posting. "Di balik layar" (Behind the scenes) lists the messages, and lets
       you lose an answer, send a payment eight times, or fall silent until it is reversed.
  5. "Kembali ke toko" (Back to the shop): the order is paid.
       Finpay's notification with flagging and the host's own callback have arrived; the shop has checked both
       signatures. "Periksa status" (Check the status) asks both again.
  6. Press back and try to pay twice, cancel an order, or let one expire.

  shop    ${shop}   log ${logs}/shop.log
  Finpay  ${finpay}   log ${logs}/finpay.log   what it sent: ${finpay}/simulation/orders/{order.id}
  host    ${host}   log ${logs}/host.log

The same without a browser: biller demo --check. Ctrl-C stops everything.
`;
}
