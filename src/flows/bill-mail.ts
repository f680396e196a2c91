import type { ClaimedEvent, Composed, Mail } from "../callbacks";
import {
  type Bill,
  billingStatusAt,
  isStaticBilling,
  jakartaTextOf,
  outstandingOf,
  rupiahText,
  sumRupiah,
} from "../domain";
import { escaped, Fault } from "../platform";
import {
  findMerchantBillByKey,
  type MerchantBill,
  type MerchantPayment,
  readBills,
  readMerchantPayments,
} from "../store";
import { MAIL_WORDS } from "./bill-mail-words";
import { type BillingDeps, linkOf, paymentIdOf, transact } from "./merchant-billing";

/** What mails are composed from. */
export type BillMailDeps = Pick<BillingDeps, "db" | "clock" | "publicUrl">;

/** What one mail shows. */
interface Shown {
  readonly own: MerchantBill;
  readonly bill: Bill;
  readonly url: string;
}

/**
 * The mail about an event, from the bill as it stands when it is sent: a mail that was held up asks nobody to pay what is
 * paid or cancelled by then, and confirms no payment that was taken back.
 *
 * @throws Fault `no_bill`
 */
export async function composeBillMail(deps: BillMailDeps, event: ClaimedEvent): Promise<Composed> {
  const { billKey, payload } = event;
  const { own, bill, payments } = await transact(deps, async (tx) => ({
    own: await findMerchantBillByKey(tx, billKey),
    bill: (await readBills(tx, [billKey])).get(billKey),
    payments: await readMerchantPayments(tx, [billKey]),
  }));
  if (own === null || bill === undefined) throw new Fault("no_bill", "the bill of this mail is not there");
  const shown = { own, bill, url: linkOf(deps, own) };
  if (event.kind === "email.receipt") {
    const payment = payments.find(({ entryId }) => paymentIdOf(entryId) === payload["payment_id"]);
    return payment === undefined ? { outdated: "the payment was taken back" } : { mail: receiptOf(shown, payment) };
  }
  const status = billingStatusAt(bill, deps.clock.nowMs());
  return status === "UNPAID" ? { mail: billMailOf(shown) } : { outdated: `the bill is ${status} by now` };
}

function billMailOf(shown: Shown): Mail {
  const { own, bill } = shown;
  const words = MAIL_WORDS[own.language];
  const merchant = merchantOf(shown);
  return mailOf(shown, {
    subject: words.billSubject(merchant, own.transactionNumber),
    introduction: words.billIntroduction(merchant),
    facts: [
      [words.number, own.transactionNumber],
      [words.amount, rupiahText(isStaticBilling(bill) ? bill.totalAmount : outstandingOf(bill))],
      ...(bill.dueAtMs === null ? [] : [[words.due, timeText(bill.dueAtMs, words.tag)] as const]),
      [isStaticBilling(bill) ? words.staticCode : words.paymentCode, bill.billNumber],
    ],
    instructions: words.how,
  });
}

function receiptOf(shown: Shown, { entryId, amount, paidAtMs }: MerchantPayment): Mail {
  const { own, bill } = shown;
  const words = MAIL_WORDS[own.language];
  const merchant = merchantOf(shown);
  const left = isStaticBilling(bill) ? 0n : outstandingOf(bill);
  return mailOf(shown, {
    subject: words.receiptSubject(merchant, own.transactionNumber),
    introduction: words.receiptIntroduction(merchant),
    facts: [
      [words.number, own.transactionNumber],
      [words.paid, rupiahText(amount)],
      [words.paidAt, timeText(paidAtMs, words.tag)],
      [words.reference, paymentIdOf(entryId)],
      ...(left === 0n ? [] : [[words.left, rupiahText(left)] as const]),
    ],
    instructions: null,
  });
}

interface Content {
  readonly subject: string;
  readonly introduction: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly instructions: string | null;
}

function mailOf(shown: Shown, { subject, introduction, facts, instructions }: Content): Mail {
  const { own, bill, url } = shown;
  const words = MAIL_WORDS[own.language];
  const items = own.itemLines.map(({ name, qty, amount }) => ({
    what: qty === "1" ? name : `${name}, ${qty} x ${rupiahText(BigInt(amount))}`,
    sum: BigInt(qty) * BigInt(amount),
  }));
  const notesTitle = words.notes(merchantOf(shown));
  const text = [
    words.dear(bill.customerName),
    introduction,
    facts.map(([name, value]) => `${name}: ${value}`).join("\n"),
    ...(items.length === 0
      ? []
      : [
          [
            `${words.items}:`,
            ...items.map(({ what, sum }) => `- ${what}: ${rupiahText(sum)}`),
            `${words.total}: ${rupiahText(sumRupiah(items.map(({ sum }) => sum)))}`,
          ].join("\n"),
        ]),
    ...(own.notes === "" ? [] : [`${notesTitle}:\n${own.notes}`]),
    ...(instructions === null ? [] : [instructions]),
    `${words.open}: ${url}`,
    `-- \n${words.footer}`,
  ].join("\n\n");
  const html = [
    `<!doctype html><html lang="${words.tag.slice(0, 2)}"><head><meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width"><title>${escaped(subject)}</title></head>`,
    `<body style="margin:0 auto;padding:16px;max-width:560px;font:16px/1.5 sans-serif;color:#1a1a1a">`,
    `<p>${escaped(words.dear(bill.customerName))}</p><p>${escaped(introduction)}</p>`,
    tableOf(facts),
    ...(items.length === 0
      ? []
      : [
          `<h2 style="font-size:16px">${escaped(words.items)}</h2>`,
          tableOf([
            ...items.map(({ what, sum }) => [what, rupiahText(sum)] as const),
            [words.total, rupiahText(sumRupiah(items.map(({ sum }) => sum)))],
          ]),
        ]),
    ...(own.notes === "" ? [] : [`<p><strong>${escaped(notesTitle)}</strong><br>${escaped(own.notes)}</p>`]),
    ...(instructions === null ? [] : [`<p>${escaped(instructions)}</p>`]),
    `<p><a href="${escaped(url)}" style="color:#0b5394">${escaped(words.open)}</a><br>${escaped(url)}</p>`,
    `<p style="font-size:13px;color:#555">${escaped(words.footer)}</p></body></html>`,
  ].join("\n");
  return { to: { name: bill.customerName, address: own.customerEmail }, subject, text, html };
}

function tableOf(rows: readonly (readonly [name: string, value: string])[]): string {
  const lines = rows.map(
    ([name, value]) =>
      `<tr><th scope="row" style="text-align:left;padding:4px 16px 4px 0;font-weight:normal;color:#555">${escaped(name)}</th>` +
      `<td style="padding:4px 0"><strong>${escaped(value)}</strong></td></tr>`,
  );
  return `<table style="border-collapse:collapse">\n${lines.join("\n")}\n</table>`;
}

function merchantOf({ bill }: Shown): string {
  return bill.details["merchantName"] ?? "";
}

/** `22 November 2026, 17:41 WIB`: Jakarta's, whatever clock the customer's phone shows. */
function timeText(epochMs: number, languageTag: string): string {
  const day = new Intl.DateTimeFormat(languageTag, { timeZone: "Asia/Jakarta", dateStyle: "long" }).format(epochMs);
  return `${day}, ${jakartaTextOf(epochMs).slice(11, 16)} WIB`;
}
