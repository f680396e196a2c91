import { createHash } from "node:crypto";
import { type Bill, billingStatusAt, isBillingId, isStaticBilling, jakartaTextOf } from "../domain";
import { enqueueEvents } from "../callbacks";
import { type Clock, type Db, deadlineIn, type IdSource, type Tx } from "../platform";
import {
  cancelBill,
  findMerchantBill,
  listMerchantBills,
  type MerchantBill,
  type MerchantPayment,
  readBills,
  readLiveQuotesOfBill,
  readMerchantPayments,
  type StoredMerchant,
} from "../store";
import type { Product } from "./product-definition";

/** What merchants' requests are answered with. */
export interface BillingDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Products by code, as they are now. */
  readonly products: () => ReadonlyMap<string, Product>;
  /** Product that merchants' bills are paid under at the switch. */
  readonly productCode: string;
  /** Product of the bills that have a static number. */
  readonly staticProductCode: string;
  /** Whether customers are sent their bills; false when no mail server is configured. */
  readonly sendsMail: boolean;
  /** Where customers reach this host: the address that links to bills begin with. */
  readonly publicUrl: string;
}

/** An answer in the field names of Faspay's billing API: `00` or `01` with a message. */
export type BillingAnswer = Readonly<Record<string, unknown>> & {
  readonly response_code: "00" | "01";
  readonly response_message: string;
};

const TIMEOUT_MS = 5_000;

/** A failure, as merchants are told it. */
export function billingFailure(message: string): BillingAnswer {
  return { response_code: "01", response_message: message };
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

/**
 * Cancels a bill on which nothing is paid and of which no amount was quoted lately. Doing it again succeeds. A static number
 * is never paid up, so it can be closed after payments too, and these stand.
 */
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
    if (!isStaticBilling(bill) && (bill.paidAmount > 0n || payments.length > 0))
      return billingFailure("Billing is paid and cannot be cancelled");
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

/** The address of a bill's page. */
export function linkOf({ publicUrl }: Pick<BillingDeps, "publicUrl">, { linkCode }: MerchantBill): string {
  return `${publicUrl}/b/${linkCode}`;
}

/** Runs one request's work in one transaction. */
export function transact<T>(deps: Pick<BillingDeps, "db" | "clock">, work: (tx: Tx) => Promise<T>): Promise<T> {
  return deps.db.withTransaction(deadlineIn(deps.clock, TIMEOUT_MS), work);
}
