import { createHash, createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { billingIdOf } from "../../src/domain";
import { createSecretBox, sleep } from "../../src/platform";
import { importBills, type ImportedBill, insertMerchant, insertMerchantBill } from "../../src/store";
import { TEST_KEYS, testDb, transact } from "../support/builders";
import { MERCHANT, SECRETS } from "../support/merchants";
import type { Query, Violation } from "./check";

/** One callback as the merchant got it. */
export interface Call {
  readonly eventId: string;
  readonly kind: string;
  readonly billNumber: string;
  readonly paymentId: string;
  readonly amount: string;
  readonly body: string;
  readonly isAuthentic: boolean;
  /** Whether it was answered with 200; otherwise it will have to come again. */
  isTaken: boolean;
}

/** A merchant with a server of its own, which keeps what it gets outside of everything that is tested. */
export interface Shop {
  readonly url: string;
  /** In order of arrival. */
  readonly calls: readonly Call[];
  /** Whether a call is taken; everything is, until told otherwise. */
  takes: (call: Call, isFirst: boolean) => boolean;
  close(): Promise<void>;
}

/** Opens the server on a free port of 127.0.0.1. */
export async function openShop(): Promise<Shop> {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("error", () => {});
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const call = callOf(request.headers, Buffer.concat(chunks).toString());
      const isFirst = !calls.some(({ eventId }) => eventId === call.eventId);
      call.isTaken = shop.takes(call, isFirst);
      calls.push(call);
      response.statusCode = call.isTaken ? 200 : 503;
      response.end();
    });
  });
  const shop: Shop = {
    url: "",
    calls,
    takes: () => true,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return Object.assign(shop, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/told` });
}

function callOf(headers: NodeJS.Dict<string | string[]>, body: string): Call {
  const header = (name: string): string => String(headers[name] ?? "");
  const fields = JSON.parse(body) as Record<string, unknown>;
  const text = (name: string): string => (typeof fields[name] === "string" ? fields[name] : "");
  const eventId = header("x-event-id");
  const mac = createHmac("sha256", SECRETS.callback).update(`${eventId}.${header("x-timestamp")}.${body}`);
  return {
    ...{ eventId, kind: header("x-event-kind"), body, isTaken: false },
    ...{ billNumber: text("billing_id"), paymentId: text("payment_id"), amount: text("payment_amount") },
    isAuthentic: header("x-signature") === `v1=${mac.digest("hex")}`,
  };
}

const PRODUCT_CODE = "900001";

/** Bills as the merchant makes them: of the merchants' product, without a fee, one item. */
export function shopBills(count: number): ImportedBill[] {
  return Array.from({ length: count }, (_, index) => {
    const billNumber = billingIdOf(`9${String(index).padStart(11, "0")}`);
    return {
      ...{ billKey: `${PRODUCT_CODE}:${billNumber}`, productCode: PRODUCT_CODE, billNumber, feeAmount: 0n },
      ...{ customerName: "SITI AMINAH", dueAtMs: null },
      details: { invoiceNumber: `INV${index}`, merchantName: "TOKO MAJU JAYA", description: "" },
      items: [{ reference: `INV${index}`, amount: 50_000n + BigInt(index) }],
    };
  });
}

/** Puts the merchant and its bills into the database. */
export async function fillShop(ownerUrl: string, shop: Shop, bills: readonly ImportedBill[]): Promise<void> {
  const db = testDb(ownerUrl, 1);
  try {
    await transact(db, async (tx) => {
      const merchant = { ...MERCHANT, name: "TOKO MAJU JAYA", callbackUrl: shop.url, requiresHmac: false };
      const merchantId = await insertMerchant(tx, { ...merchant, secrets: SECRETS }, createSecretBox(TEST_KEYS));
      if (merchantId === null) throw new Error("the merchant was there already");
      await importBills(
        tx,
        bills.map((bill) => ({ ...bill, merchantId })),
      );
      await Promise.all(
        bills.map(({ billKey, billNumber, details }) =>
          insertMerchantBill(tx, {
            ...{ billKey, merchantId, billingId: billNumber, transactionNumber: details["invoiceNumber"] ?? "" },
            ...{ linkCode: `link-${billNumber}`, digestHex: createHash("sha256").update(billNumber).digest("hex") },
            ...{ billingDateMs: Date.now(), language: "ID", notes: "", staticVaNo: null, itemLines: [] },
            ...{ customerEmail: "siti@example.com", customerPhone: "081234567890", customerAddress: "" },
          }),
        ),
      );
    });
  } finally {
    await db.close();
  }
}

/** Longer than a lease, a timeout of the database and a pause after a failure together. */
const DRAIN_MS = 25_000;

/** Waits until the outbox is empty; says what stays in it. */
async function stayed(query: Query): Promise<Violation[]> {
  for (const endMs = performance.now() + DRAIN_MS; ; await sleep(200)) {
    const rows = await query<{ what: string }>(
      `select kind || ' of ' || bill_key || ', ' || attempts || ' attempts' || case when dead_at is null then '' else ', dead' end as what
         from outbox where delivered_at is null`,
    );
    if (rows.length === 0) return [];
    if (performance.now() > endMs) {
      return rows.map(({ what }) => ({ kind: "unresolved", traxId: null, detail: `still in the outbox: ${what}` }));
    }
  }
}

interface Booked {
  readonly trax_id: string;
  readonly kind: "payment" | "reversal";
  readonly payment: string;
  readonly bill_number: string;
  readonly amount: string;
}

/** What the merchant is called: the published id of a payment. */
const paymentIdOf = (entryId: string): string =>
  String(createHash("sha256").update(entryId).digest().readBigUInt64BE() % 10n ** 16n).padStart(16, "0");

/** Compares what the merchant was told with what is in the books: everything, nothing else, under one id each, in order. */
export async function checkShop(query: Query, { calls }: Shop): Promise<Violation[]> {
  const found = await stayed(query);
  const booked = await query<Booked>(
    `select e.trax_id, e.kind, coalesce(e.reverses_entry_id, e.entry_id)::text as payment, e.bill_number, e.amount::text
       from journal_entry e join bill b on b.bill_key = e.bill_key where b.merchant_id is not null`,
  );
  const due = new Map(
    booked.map((each) => [
      `payment.${each.kind === "payment" ? "accepted" : "reversed"} ${paymentIdOf(each.payment)}`,
      each,
    ]),
  );
  const idsOf = new Map<string, Set<string>>();
  const contentsOf = new Map<string, Set<string>>();
  for (const call of calls) {
    const name = `${call.kind} ${call.paymentId}`;
    const entry = due.get(name);
    const say = (kind: Violation["kind"], detail: string): void =>
      void found.push({ kind, traxId: entry?.trax_id ?? null, detail });
    if (!call.isAuthentic) say("tampered", `the merchant got ${name} with a wrong signature`);
    if (entry === undefined) say("tampered", `the merchant was told of ${name}, which is not in the books`);
    else if (entry.bill_number !== call.billNumber || entry.amount !== call.amount)
      say("tampered", `the merchant was told another bill or amount of ${name}`);
    idsOf.set(name, (idsOf.get(name) ?? new Set()).add(call.eventId));
    contentsOf.set(call.eventId, (contentsOf.get(call.eventId) ?? new Set()).add(`${name} ${call.body}`));
  }
  for (const [name, ids] of idsOf) {
    if (ids.size > 1) found.push({ kind: "doubled", traxId: null, detail: `${name} came under ${ids.size} event ids` });
  }
  for (const [eventId, contents] of contentsOf) {
    if (contents.size > 1)
      found.push({ kind: "divergent", traxId: null, detail: `event ${eventId} came with different contents` });
  }
  for (const [name, { trax_id: traxId }] of due) {
    if (!calls.some((call) => call.isTaken && `${call.kind} ${call.paymentId}` === name)) {
      found.push({ kind: "lost", traxId, detail: `the merchant never got ${name}` });
    }
  }
  return [...found, ...disordered(calls)];
}

/** Accepted, reversed, accepted: and each event comes first when the one before was taken. Repeats may come at any time. */
function disordered(calls: readonly Call[]): Violation[] {
  const found: Violation[] = [];
  const say = (billNumber: string, detail: string): void =>
    void found.push({ kind: "disordered", traxId: null, detail: `bill ${billNumber}: ${detail}` });
  const last = new Map<string, Call>();
  const seen = new Set<string>();
  const taken = new Set<string>();
  for (const call of calls) {
    const before = last.get(call.billNumber);
    if (!seen.has(call.eventId)) {
      if (before !== undefined && !taken.has(before.eventId))
        say(call.billNumber, `${call.kind} came before ${before.kind} was taken`);
      const isNext =
        call.kind === "payment.accepted"
          ? before?.kind !== "payment.accepted"
          : before?.kind === "payment.accepted" && before.paymentId === call.paymentId;
      if (!isNext) say(call.billNumber, `${call.kind} came after ${before?.kind ?? "nothing"}`);
      last.set(call.billNumber, call);
    }
    seen.add(call.eventId);
    if (call.isTaken) taken.add(call.eventId);
  }
  return found;
}
