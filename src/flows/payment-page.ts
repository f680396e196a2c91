import { randomBytes } from "node:crypto";
import { type Clock, messageOf } from "../platform";
import { transliterate } from "../wire";
import type { BillPage } from "./bill-page";

/** Where payment pages are asked for: Finpay's `/sof/bp/paymentCard`, which merchants of its payment gateway may call. */
export interface PaymentPageSettings {
  readonly url: string;
  /** `merchantId:merchantKey`, sent as HTTP Basic; null: without. */
  readonly merchant: string | null;
  /** `sourceOfFunds.type` of the request. */
  readonly source: string;
}

/** What opens payment pages. */
export interface PaymentPageDeps {
  readonly settings: PaymentPageSettings;
  readonly clock: Clock;
  /** Why a page could not be had, for the log: never holds names or keys. */
  readonly onFault: (fault: unknown) => void;
}

/** Where the customer's browser goes, or that it cannot. */
export type OpenedPaymentPage =
  { readonly kind: "opened"; readonly url: string } | { readonly kind: "failed" } | { readonly kind: "busy" };

/** Asks Finpay for payment pages. */
export interface PaymentPages {
  /** Whether pages may be reached without TLS: they are asked for without it, as in tests and demos. */
  readonly isPlain: boolean;
  /** Never throws. Asked again within seconds for the same bill as it stands, it gives the same page. */
  open(bill: BillPage, payable: NonNullable<BillPage["payable"]>, callbackUrl: string): Promise<OpenedPaymentPage>;
}

const TIMEOUT_MS = 10_000;
const ANSWER_MAX_BYTES = 65_536;
const ADDRESS_MAX = 2_048;
/** A second press of the button, and a reload. */
const KEPT_MS = 10_000;
const ASKING_MAX = 32;

/** Opens the desk that asks. */
export function openPaymentPages({ settings, clock, onFault }: PaymentPageDeps): PaymentPages {
  const asked = new Map<string, { readonly page: Promise<OpenedPaymentPage>; readonly untilMs: number }>();
  let asking = 0;

  async function ask(bill: BillPage, amount: bigint, callbackUrl: string): Promise<OpenedPaymentPage> {
    asking += 1;
    try {
      const answer = await post(settings, requestFor(bill, amount, callbackUrl, settings.source));
      return { kind: "opened", url: addressIn(answer, settings) };
    } catch (error) {
      onFault(new Error(`no payment page: ${messageOf(error)}`));
      return { kind: "failed" };
    } finally {
      asking -= 1;
    }
  }

  return {
    isPlain: isPlainHttp(settings),
    async open(bill, { amount }, callbackUrl) {
      const nowMs = clock.monotonicMs();
      for (const [key, { untilMs }] of asked) if (untilMs <= nowMs) asked.delete(key);
      const key = `${bill.linkCode} ${bill.tag}`;
      const known = asked.get(key);
      if (known !== undefined) return known.page;
      if (asking >= ASKING_MAX) return { kind: "busy" };
      const page = ask(bill, amount, callbackUrl);
      asked.set(key, { page, untilMs: nowMs + KEPT_MS });
      const opened = await page;
      if (opened.kind !== "opened") asked.delete(key);
      return opened;
    },
  };
}

function isPlainHttp({ url }: PaymentPageSettings): boolean {
  return new URL(url).protocol === "http:";
}

/** The published request (PROTOCOL, "Finpay PG x Finpay Billing"). The payment page asks us for the amount again. */
function requestFor(bill: BillPage, amount: bigint, callbackUrl: string, source: string): Record<string, unknown> {
  const name = transliterate(bill.customerName)
    .replaceAll(/[^ -~]/g, "")
    .trim();
  return {
    order: {
      // Used once at Finpay: a customer may come more than once for one bill.
      id: `${bill.paymentCode}-${randomBytes(5).toString("hex")}`,
      amount: String(amount),
      description: `Bill ${bill.transactionNumber}`,
    },
    customer: {
      email: bill.contact.email,
      firstName: name.slice(0, 100) || "Customer",
      mobilePhone: bill.contact.phone.replace(/^0/, "+62"),
    },
    url: { callbackUrl },
    billing: {
      billerServiceProvider: { customerId: bill.paymentCode, id: bill.productCode, subId: "", type: "post" },
    },
    meta: {},
    sourceOfFunds: { type: source },
  };
}

async function post({ url, merchant }: PaymentPageSettings, body: Record<string, unknown>): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json",
      "User-Agent": "finpay-biller-host",
      ...(merchant === null ? {} : { Authorization: `Basic ${Buffer.from(merchant).toString("base64")}` }),
    },
    body: JSON.stringify(body),
  });
  const text = await textOf(response);
  if (!response.ok) throw new Error(`answered with status ${response.status}`);
  return JSON.parse(text);
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > ANSWER_MAX_BYTES) throw new Error(`the answer is larger than ${ANSWER_MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** The published table names it `redirectUrl`, the published sample `redirecturl`. Only what a browser may be sent to. */
function addressIn(answer: unknown, settings: PaymentPageSettings): string {
  const fields = typeof answer === "object" && answer !== null ? (answer as Record<string, unknown>) : {};
  const given = fields["redirecturl"] ?? fields["redirectUrl"];
  if (typeof given !== "string" || given.length > ADDRESS_MAX || !URL.canParse(given)) {
    const { responseCode } = fields;
    const code = typeof responseCode === "string" ? responseCode.slice(0, 10) : "none";
    throw new Error(`the answer has no address (responseCode ${code})`);
  }
  const address = new URL(given);
  const isAllowed = address.protocol === "https:" || (address.protocol === "http:" && isPlainHttp(settings));
  if (!isAllowed || address.username !== "" || address.password !== "") {
    throw new Error("the answer's address is none that a browser may be sent to");
  }
  return address.href;
}
