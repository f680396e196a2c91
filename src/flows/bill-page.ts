import { type BillStanding, billStateAt, dueOf, hasPaidState, isPayable } from "../domain";
import { type Clock, createCollector, type Db, deadlineIn } from "../platform";
import { type LinkedBill, readLinkedBills } from "../store";
import type { Catalog, CatalogHolder } from "./catalog";
import { paymentIdOf } from "./merchant-billing";

/**
 * What customers are told of a bill. PARTIAL: paid in part, the rest is owed. OPEN: a number that takes money without ever
 * being paid up.
 */
export type PageState = "UNPAID" | "PARTIAL" | "OPEN" | "PAID" | "EXPIRED" | "CANCELLED";

/** What one payment may be now. Whole rupiah. */
export interface Payable {
  /** `exact`: this amount only. `range`: between the limits. `free`: between the limits, whatever is owed. */
  readonly kind: "exact" | "range" | "free";
  /** What the payment channel shows. */
  readonly amount: bigint;
  readonly minAmount: bigint;
  readonly maxAmount: bigint;
}

/** Everything that a bill's page shows. Amounts in whole rupiah, instants in epoch milliseconds. */
export interface BillPage {
  readonly linkCode: string;
  /** Another one means that the page would look different. */
  readonly tag: string;
  readonly state: PageState;
  readonly language: "EN" | "ID";
  readonly merchantName: string;
  readonly customerName: string;
  readonly transactionNumber: string;
  /** What the customer types at a payment channel. */
  readonly paymentCode: string;
  readonly productCode: string;
  readonly notes: string;
  readonly lines: readonly { readonly name: string; readonly qty: bigint; readonly amount: bigint }[];
  readonly totalAmount: bigint;
  readonly paidAmount: bigint;
  readonly feeAmount: bigint;
  /** Null: nothing can be paid now. */
  readonly payable: Payable | null;
  readonly dueAtMs: number | null;
  readonly nowMs: number;
  /** The latest first, at most twenty. */
  readonly payments: readonly { readonly paymentId: string; readonly amount: bigint; readonly paidAtMs: number }[];
  /** For the payment page; not shown. */
  readonly contact: { readonly email: string; readonly phone: string };
}

/** What bills' pages are answered from. */
export interface BillPageDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly catalog: CatalogHolder;
}

/** Reads what links lead to. Those asked for at once share one statement, and no more than one runs at a time. */
export interface BillPageDesk {
  /**
   * Null: the link leads nowhere. A text that can be no link costs the same as one that merely leads nowhere.
   * @throws Overloaded, DatabaseUnavailable, DeadlinePassed
   */
  read(linkCode: string): Promise<BillPage | null>;
  idle(): Promise<void>;
}

/** Bounds, so that pages take one of the pool's connections from payments, never more. */
const LIMITS = { batchMax: 64, batchesInFlight: 1, queueMax: 500 } as const;
const TIMEOUT_MS = 3_000;

/** Opens the desk. */
export function openBillPageDesk({ db, clock, catalog }: BillPageDeps): BillPageDesk {
  const collector = createCollector<string, BillPage | null>({ name: "bill pages", ...LIMITS }, async (codes) => {
    const deadline = deadlineIn(clock, TIMEOUT_MS);
    const found = await readLinkedBills({ run: (statement, values) => db.run(deadline, statement, values) }, [
      ...new Set(codes),
    ]);
    return codes.map((code) => {
      const linked = found.get(code);
      const value = linked === undefined ? null : billPageOf(linked, catalog.current, clock.nowMs());
      return { status: "fulfilled", value };
    });
  });
  return {
    read: (linkCode) => collector.submit(isLinkCode(linkCode) ? linkCode : NO_LINK),
    idle: () => collector.idle(),
  };
}

/** Has the length of a link and can be none: it ends in a character that sixteen bytes never end in. */
const NO_LINK = "_____________________-";

/** Sixteen bytes in base64url, as links are made. */
function isLinkCode(text: string): boolean {
  return /^[A-Za-z0-9_-]{21}[AQgw]$/.test(text);
}

/** The tag of a bill: its version and its state, which also time changes. */
export function tagOf(
  standing: BillStanding & { readonly version: number },
  isEverPaid: boolean,
  nowMs: number,
): string {
  return `${standing.version}.${stateOf(standing, isEverPaid, nowMs)}`;
}

/** Whether bills of a product are ever paid up; one that is not in the catalog is taken for one that is. */
export function isEverPaidIn({ products }: Catalog, productCode: string): boolean {
  const product = products.get(productCode);
  return product === undefined || hasPaidState(product.rules.rule);
}

function stateOf(standing: BillStanding, isEverPaid: boolean, nowMs: number): PageState {
  const state = billStateAt(standing, nowMs, isEverPaid);
  if (state !== "UNPAID") return state;
  if (!isEverPaid) return "OPEN";
  return standing.paidAmount > 0n ? "PARTIAL" : "UNPAID";
}

function billPageOf({ bill, own, payments }: LinkedBill, catalog: Catalog, nowMs: number): BillPage {
  const isEverPaid = isEverPaidIn(catalog, bill.productCode);
  return {
    linkCode: own.linkCode,
    tag: tagOf(bill, isEverPaid, nowMs),
    state: stateOf(bill, isEverPaid, nowMs),
    language: own.language,
    merchantName: catalog.merchants.byId.get(own.merchantId)?.name ?? bill.details["merchantName"] ?? "",
    customerName: bill.customerName,
    transactionNumber: own.transactionNumber,
    paymentCode: bill.billNumber,
    productCode: bill.productCode,
    notes: own.notes,
    lines: linesOf({ bill, own }),
    totalAmount: bill.totalAmount,
    paidAmount: bill.paidAmount,
    feeAmount: bill.feeAmount,
    payable: billStateAt(bill, nowMs, isEverPaid) === "UNPAID" ? payableOf(bill, catalog) : null,
    dueAtMs: bill.dueAtMs,
    nowMs,
    payments: payments.map(({ entryId, ...payment }) => ({ paymentId: paymentIdOf(entryId), ...payment })),
    contact: { email: own.customerEmail, phone: own.customerPhone },
  };
}

/** The merchant's own items, or what is owed where it named none. */
function linesOf({ bill, own }: Pick<LinkedBill, "bill" | "own">): BillPage["lines"] {
  if (own.itemLines.length === 0) {
    return bill.items.map(({ reference, amount }) => ({ name: reference, qty: 1n, amount }));
  }
  return own.itemLines.map(({ name, qty, amount }) => ({
    name,
    qty: BigInt(qty),
    amount: BigInt(qty) * BigInt(amount),
  }));
}

function payableOf(bill: LinkedBill["bill"], { products }: Catalog): Payable | null {
  const rules = products.get(bill.productCode)?.rules;
  if (rules === undefined || !isPayable(bill, rules)) return null;
  const { amount, minAmount, maxAmount } = dueOf(bill, rules);
  const limits = { amount, minAmount, maxAmount };
  if (minAmount === maxAmount) return { kind: "exact", ...limits };
  return { kind: hasPaidState(rules.rule) ? "range" : "free", ...limits };
}
