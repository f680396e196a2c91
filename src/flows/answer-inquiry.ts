import { type Bill, billKeyOf, decideInquiry, isBillNumberOf, type Outcome } from "../domain";
import { type Clock, createCollector, type Db, deadlineIn, type Deadline, type IdSource, type Tx } from "../platform";
import { readBills, saveQuotes, type StoredQuote } from "../store";
import { hexDigest, type SwitchMessage, type SwitchReply } from "../wire";
import type { ActivePartner } from "./catalog";
import type { Product } from "./product-definition";
import { replyToInquiry, replyWithout } from "./reply";

/** What inquiries are answered with. */
export interface InquiryDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly limits: { readonly batchMax: number; readonly batchesInFlight: number; readonly queueMax: number };
}

/** An inquiry that has passed the door. */
export interface InquiryItem {
  readonly partner: ActivePartner;
  readonly product: Product | null;
  readonly message: SwitchMessage;
  readonly receivedAtMs: number;
  readonly deadline: Deadline;
}

/** The outcome of an inquiry, and the bytes of its reply. */
export interface InquiryAnswer {
  readonly outcome: Outcome;
  readonly body: string;
  readonly fields: SwitchReply;
}

/** Answers inquiries; those that arrive together share their round trips. */
export interface InquiryDesk {
  /** @throws Overloaded, DatabaseUnavailable, DeadlinePassed: nothing can be said about the bill now */
  submit(item: InquiryItem): Promise<InquiryAnswer>;
  idle(): Promise<void>;
}

/** Opens the desk. Inquiries take no locks and may repeat without limit. */
export function openInquiryDesk(deps: InquiryDeps): InquiryDesk {
  const collector = createCollector<InquiryItem, InquiryAnswer>({ name: "inquiries", ...deps.limits }, (items) =>
    answerInquiries(deps, items),
  );
  return { submit: (item) => collector.submit(item), idle: () => collector.idle() };
}

/**
 * Reads the bills, decides, and stores the quotes before anything is shown: what was shown is honoured. A bill that
 * cannot be put into its product's layout fails alone.
 */
async function answerInquiries(
  deps: InquiryDeps,
  items: readonly InquiryItem[],
): Promise<PromiseSettledResult<InquiryAnswer>[]> {
  const deadline = deadlineIn(deps.clock, Math.max(...items.map((item) => item.deadline.leftMs())));
  const tx: Tx = { run: (statement, values) => deps.db.run(deadline, statement, values) };
  const bills = await readBills(tx, [...new Set(items.map(billKeyOfItem))]);
  const quotes: StoredQuote[] = [];
  const results = items.map((item): PromiseSettledResult<InquiryAnswer> => {
    try {
      const { answer, quote } = answerOne(deps, item, bills.get(billKeyOfItem(item)) ?? null);
      if (quote !== null) quotes.push(quote);
      return { status: "fulfilled", value: answer };
    } catch (reason) {
      return { status: "rejected", reason };
    }
  });
  await saveQuotes(tx, quotes);
  return results;
}

function answerOne(
  deps: InquiryDeps,
  item: InquiryItem,
  bill: Bill | null,
): { readonly answer: InquiryAnswer; readonly quote: StoredQuote | null } {
  const { partner, product, message, receivedAtMs } = item;
  const stamp = { sysCode: deps.ids.sysCode(), serverMicros: deps.clock.nowMicros() };
  const isNamed = product !== null && isBillNumberOf(product.rules, message.billNumber);
  const decision = decideInquiry(
    { rules: product?.rules ?? null, isProductAllowed: product !== null, bill: isNamed ? bill : null },
    receivedAtMs,
  );
  if (decision.kind === "decline" || product === null) {
    const outcome = decision.kind === "decline" ? decision.outcome : "PRODUCT_NOT_ALLOWED";
    return { answer: { outcome, ...replyWithout(message, partner, outcome, stamp) }, quote: null };
  }
  const reply = replyToInquiry(message, partner, product, decision.bill, decision, stamp);
  const quote: StoredQuote = {
    billKey: decision.bill.billKey,
    partnerId: partner.partnerId,
    digestHex: digestOf(reply.bit61, decision.amount, decision.feeAmount),
    billVersion: decision.bill.version,
    amount: decision.amount,
    feeAmount: decision.feeAmount,
    bit61: reply.bit61,
    bodyWidth: reply.bodyWidth,
    quotedAtMs: receivedAtMs,
    honouredUntilMs: receivedAtMs + product.rules.quoteHonouredMs,
  };
  return { answer: { outcome: "APPROVED", body: reply.body, fields: reply.fields }, quote };
}

function billKeyOfItem({ message }: InquiryItem): string {
  return billKeyOf(message.productCode, message.billNumber);
}

function digestOf(bit61: string, amount: bigint, feeAmount: bigint): string {
  return hexDigest("sha256", `${bit61}\n${amount}\n${feeAmount}`);
}
