import { createHash, randomBytes, randomInt } from "node:crypto";
import {
  type Bill,
  billingIdOf,
  billingStatusAt,
  billKeyOf,
  differenceOfItems,
  isBillingId,
  jakartaTextOf,
  type NewBilling,
  newBillingSchema,
} from "../domain";
import { enqueueEvents } from "../callbacks";
import { type Clock, type Db, deadlineIn, Fault, type IdSource, type Tx } from "../platform";
import {
  cancelBill,
  findMerchantBill,
  importBills,
  insertMerchantBill,
  listMerchantBills,
  type MerchantBill,
  type MerchantPayment,
  readBills,
  readLiveQuotesOfBill,
  readMerchantPayments,
  type StoredMerchant,
} from "../store";
import { transliterate } from "../wire";

/** What merchants' requests are answered with. */
export interface BillingDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Product that merchants' bills are paid under at the switch. */
  readonly productCode: string;
  /** Where customers reach this host: the address that links to bills begin with. */
  readonly publicUrl: string;
}

/** An answer in the field names of Faspay's billing API: `00` or `01` with a message. */
export type BillingAnswer = Readonly<Record<string, unknown>> & {
  readonly response_code: "00" | "01";
  readonly response_message: string;
};

const TIMEOUT_MS = 5_000;
const DUE_AFTER_MS = 24 * 3_600_000;
const PLACES_MAX = 8;

/** A failure, as merchants are told it. */
export function billingFailure(message: string): BillingAnswer {
  return { response_code: "01", response_message: message };
}

/**
 * Creates a bill. The same content under the same transaction number gives the same bill again; other content is refused,
 * and nothing is changed.
 */
export async function createBilling(
  deps: BillingDeps,
  merchant: StoredMerchant,
  value: unknown,
): Promise<BillingAnswer> {
  const parsed = newBillingSchema.safeParse(value);
  if (!parsed.success) {
    return billingFailure(parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`).join("; "));
  }
  const request = parsed.data;
  const difference = differenceOfItems(request);
  if (difference !== 0n) {
    const size = difference < 0n ? -difference : difference;
    return billingFailure(`the items add up to Rp ${size} ${difference < 0n ? "less" : "more"} than billing_total`);
  }
  const digestHex = digestOf(request);
  for (let place = 0; place < PLACES_MAX; place += 1) {
    const made = await transact(deps, (tx) => createOrFind(deps, tx, merchant, request, digestHex));
    if (made === "taken") continue;
    if (made.digestHex !== digestHex) {
      return billingFailure(`transaction_number ${request.transaction_number} was used for another bill`);
    }
    return {
      response_code: "00",
      response_message: "Success Create Billing",
      billing_id: Number(made.billingId),
      transaction_number: made.transactionNumber,
      billing_total: Number(request.billing_total),
      billing_url: linkOf(deps, made),
    };
  }
  throw new Fault("no_billing_id", "no free billing id was found");
}

async function createOrFind(
  deps: BillingDeps,
  tx: Tx,
  merchant: StoredMerchant,
  request: NewBilling,
  digestHex: string,
): Promise<MerchantBill | "taken"> {
  const known = await findMerchantBill(tx, merchant.merchantId, request.transaction_number);
  if (known !== null) return known;
  const billingId = billingIdOf(`${randomInt(1, 10)}${String(randomInt(0, 100_000_000_000)).padStart(11, "0")}`);
  const bill = merchantBillOf(deps, merchant, request, billingId, digestHex);
  if (!(await insertMerchantBill(tx, bill))) return "taken";
  await importBills(tx, [
    {
      billKey: bill.billKey,
      productCode: deps.productCode,
      billNumber: billingId,
      feeAmount: 0n,
      customerName: request.customer_name,
      details: {
        invoiceNumber: request.transaction_number,
        merchantName: merchant.name,
        description: request.billing_notes,
      },
      dueAtMs: request.billing_due_date ?? deps.clock.nowMs() + DUE_AFTER_MS,
      items: itemsOf(request),
      merchantId: merchant.merchantId,
    },
  ]);
  return bill;
}

/** Items of the bill; names are made different where two are alike, since a bill's references are unique. */
function itemsOf({ items, billing_total, transaction_number }: NewBilling): { reference: string; amount: bigint }[] {
  const lines = (items ?? []).map(({ item_name, qty, item_amount }) => ({
    name: item_name,
    amount: qty * item_amount,
  }));
  const paid = lines.filter(({ amount }) => amount > 0n);
  if (paid.length === 0) return [{ reference: transaction_number, amount: billing_total }];
  return paid.map(({ name, amount }, index) => {
    const plain = transliterate(name).slice(0, 17).trim();
    const isAlone = paid.filter((other) => transliterate(other.name).slice(0, 17).trim() === plain).length === 1;
    return { reference: isAlone && plain !== "" ? plain : `${plain} ${index + 1}`.trim(), amount };
  });
}

function merchantBillOf(
  deps: BillingDeps,
  merchant: StoredMerchant,
  request: NewBilling,
  billingId: string,
  digestHex: string,
): MerchantBill {
  return {
    billKey: billKeyOf(deps.productCode, billingId),
    merchantId: merchant.merchantId,
    transactionNumber: request.transaction_number,
    billingId,
    linkCode: randomBytes(16).toString("base64url"),
    digestHex,
    billingDateMs: request.billing_date ?? deps.clock.nowMs(),
    language: request.billing_language,
    notes: request.billing_notes,
    staticVaNo: request.static_va_no ?? null,
    customerEmail: request.customer_email,
    customerPhone: request.customer_phone,
    customerAddress: request.customer_address,
    itemLines: (request.items ?? []).map(({ item_name, qty, item_amount }) => ({
      name: item_name,
      qty: String(qty),
      amount: String(item_amount),
    })),
  };
}

/** What makes two requests the same: everything in them but the signature, in a fixed order, values as they were meant. */
function digestOf({ signature: _signature, ...request }: NewBilling): string {
  const canonical = JSON.stringify(request, (_key, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
  return createHash("sha256").update(canonical).digest("hex");
}

/** Which bill a merchant asks about. */
export interface BillingQuestion {
  readonly billingId: string;
  readonly transactionNumber: string;
}

const NOT_FOUND = billingFailure("Billing not found");

/** Answers what became of a bill. Somebody else's bill is answered as one that does not exist. */
export async function inquireBilling(
  deps: BillingDeps,
  merchant: StoredMerchant,
  question: BillingQuestion,
): Promise<BillingAnswer> {
  return transact(deps, async (tx) => {
    const found = await find(tx, merchant, question);
    if (found === null) return NOT_FOUND;
    const payments = await readMerchantPayments(tx, [found.own.billKey]);
    return { ...viewOf(deps, found.own, found.bill, payments), ...success("Success Inquiry Billing") };
  });
}

/** Cancels a bill on which nothing is paid and of which no amount was quoted lately. Doing it again succeeds. */
export async function cancelBilling(
  deps: BillingDeps,
  merchant: StoredMerchant,
  question: BillingQuestion,
): Promise<BillingAnswer> {
  return transact(deps, async (tx) => {
    const found = await find(tx, merchant, question);
    if (found === null) return NOT_FOUND;
    const { own, bill } = found;
    const nowMs = deps.clock.nowMs();
    const payments = await readMerchantPayments(tx, [own.billKey]);
    const done = {
      ...viewOf(deps, own, { ...bill, isCancelled: true }, payments),
      ...success("Success Cancel Billing"),
    };
    if (bill.isCancelled) return done;
    if (bill.paidAmount > 0n || payments.length > 0) return billingFailure("Billing is paid and cannot be cancelled");
    if ((await readLiveQuotesOfBill(tx, own.billKey, nowMs)) > 0) {
      return billingFailure("The customer is paying this billing just now; try again later");
    }
    if (!(await cancelBill(tx, own.billKey, bill.version)))
      return billingFailure("Billing changed just now; try again");
    await enqueueEvents(tx, [
      {
        eventId: deps.ids.entryId(nowMs),
        billKey: own.billKey,
        billVersion: bill.version + 1,
        merchantId: merchant.merchantId,
        kind: "bill.cancelled",
        payload: {
          billing_id: own.billingId,
          transaction_number: own.transactionNumber,
          billing_total: String(bill.totalAmount),
          billing_status: "CANCELLED",
        },
      },
    ]);
    return done;
  });
}

const PAGE_MAX = 100;

/** One page of a merchant's bills, the latest first. `next` names the page after it. */
export async function listBillings(
  deps: BillingDeps,
  merchant: StoredMerchant,
  page: { readonly limit: number; readonly next: string | null },
): Promise<BillingAnswer> {
  const [micros, afterKey] =
    page.next === null ? [null, null] : Buffer.from(page.next, "base64url").toString().split("|");
  if (page.next !== null && (!/^[0-9]{1,17}$/.test(micros ?? "") || afterKey === undefined)) {
    return billingFailure("next is no page");
  }
  return transact(deps, async (tx) => {
    const limit = Math.min(page.limit, PAGE_MAX);
    const after = { afterMicros: micros ? BigInt(micros) : null, afterKey: afterKey ?? null, limit };
    const { bills: own, lastMicros } = await listMerchantBills(tx, merchant.merchantId, after);
    const keys = own.map(({ billKey }) => billKey);
    const [bills, payments] = await Promise.all([readBills(tx, keys), readMerchantPayments(tx, keys)]);
    const billings = own.flatMap((each) => {
      const bill = bills.get(each.billKey);
      const paid = payments.filter(({ billKey }) => billKey === each.billKey);
      return bill === undefined ? [] : [viewOf(deps, each, bill, paid)];
    });
    const last = own.at(-1);
    const isMore = own.length === limit && last !== undefined;
    const next = isMore ? Buffer.from(`${lastMicros}|${last.billKey}`).toString("base64url") : null;
    return { ...success("Success List Billing"), billings, next };
  });
}

function success(message: string): { readonly response_code: "00"; readonly response_message: string } {
  return { response_code: "00", response_message: message };
}

async function find(
  tx: Tx,
  merchant: StoredMerchant,
  { billingId, transactionNumber }: BillingQuestion,
): Promise<{ readonly own: MerchantBill; readonly bill: Bill } | null> {
  if (!isBillingId(billingId)) return null;
  const own = await findMerchantBill(tx, merchant.merchantId, transactionNumber);
  if (own === null || own.billingId !== billingId) return null;
  const bill = (await readBills(tx, [own.billKey])).get(own.billKey);
  return bill === undefined ? null : { own, bill };
}

function viewOf(
  deps: BillingDeps,
  own: MerchantBill,
  bill: Bill,
  payments: readonly MerchantPayment[],
): Readonly<Record<string, unknown>> {
  return {
    billing_id: own.billingId,
    transaction_number: own.transactionNumber,
    billing_total: String(bill.totalAmount),
    payment_details: payments.map(({ entryId, amount, paidAtMs }) => ({
      payment_id: paymentIdOf(entryId),
      payment_date: jakartaTextOf(paidAtMs),
      payment_nominal: String(amount),
    })),
    billing_due_date: bill.dueAtMs === null ? "" : jakartaTextOf(bill.dueAtMs),
    billing_url: linkOf(deps, own),
    billing_status: billingStatusAt(bill, deps.clock.nowMs()),
  };
}

/** Sixteen digits that follow from the entry's identifier: short enough for people, the same wherever it is shown. */
export function paymentIdOf(entryId: string): string {
  const hash = createHash("sha256").update(entryId).digest();
  return String(hash.readBigUInt64BE() % 10_000_000_000_000_000n).padStart(16, "0");
}

function linkOf({ publicUrl }: BillingDeps, { linkCode }: MerchantBill): string {
  return `${publicUrl}/b/${linkCode}`;
}

function transact<T>(deps: BillingDeps, work: (tx: Tx) => Promise<T>): Promise<T> {
  return deps.db.withTransaction(deadlineIn(deps.clock, TIMEOUT_MS), work);
}
