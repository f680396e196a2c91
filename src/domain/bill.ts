import { minRupiah } from "./rupiah";

/** One thing owed on a bill, for instance a month. Immutable; `itemNo` counts from 1, oldest first. */
export interface BillItem {
  readonly itemNo: number;
  readonly reference: string;
  readonly amount: bigint;
}

/** What a customer owes for one product. Amounts in whole rupiah, instants in milliseconds since the epoch. */
export interface Bill {
  readonly billKey: string;
  readonly productCode: string;
  readonly billNumber: string;
  /** Grows by one with every change; a payment claims the bill at the version it was decided on. */
  readonly version: number;
  readonly isCancelled: boolean;
  readonly totalAmount: bigint;
  readonly paidAmount: bigint;
  readonly feeAmount: bigint;
  readonly customerName: string;
  /** Further values that the product's layouts name, for instance `kodeDivre`. */
  readonly details: Readonly<Record<string, string>>;
  readonly dueAtMs: number | null;
  readonly items: readonly BillItem[];
  /** The latest payment that was applied to it and not taken back; null or left out when there is none. */
  readonly lastPayment?: LastPayment | null;
  /** The merchant who made it and is told about its payments; null or left out when it is nobody's. */
  readonly merchantId?: number | null;
}

/** What a bill remembers of its latest payment. */
export interface LastPayment {
  readonly partnerId: number;
  readonly traxId: string;
  readonly amount: bigint;
  readonly paidAtMs: number;
}

/** An item with what is still owed on it. */
export interface OutstandingItem extends BillItem {
  readonly outstanding: bigint;
}

/** Of a bill, what its state follows from. */
export type BillStanding = Pick<Bill, "totalAmount" | "paidAmount" | "isCancelled" | "dueAtMs">;

export type BillState = "UNPAID" | "PAID" | "EXPIRED" | "CANCELLED";

/** What is still owed on the whole bill. */
export function outstandingOf(bill: Pick<Bill, "totalAmount" | "paidAmount">): bigint {
  return bill.totalAmount - bill.paidAmount;
}

/** The items still owed, oldest first: what was paid covers the oldest items first. */
export function outstandingItemsOf(bill: Bill): OutstandingItem[] {
  let paidLeft = bill.paidAmount;
  const owed: OutstandingItem[] = [];
  for (const item of bill.items) {
    const covered = minRupiah(paidLeft, item.amount);
    paidLeft -= covered;
    if (covered < item.amount) owed.push({ ...item, outstanding: item.amount - covered });
  }
  return owed;
}

/**
 * The state of a bill at an instant. Paid goes before cancelled, and cancelled before expired.
 *
 * @param isEverPaid false for bills whose rule knows no paid state
 */
export function billStateAt(bill: BillStanding, nowMs: number, isEverPaid = true): BillState {
  if (isEverPaid && bill.totalAmount > 0n && outstandingOf(bill) === 0n) return "PAID";
  if (bill.isCancelled) return "CANCELLED";
  if (bill.dueAtMs !== null && nowMs >= bill.dueAtMs) return "EXPIRED";
  return "UNPAID";
}

/**
 * The bill after `applied` was paid on its items. The caller has made sure that it is not more than is owed.
 *
 * @param lastPayment what it remembers of this payment; left out: what it remembered before
 */
export function withPayment(bill: Bill, applied: bigint, lastPayment = bill.lastPayment ?? null): Bill {
  return { ...bill, paidAmount: bill.paidAmount + applied, version: bill.version + 1, lastPayment };
}
