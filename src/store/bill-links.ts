import type { Bill, BillStanding } from "../domain";
import type { Statement, Tx } from "../platform";
import { BILL_COLUMNS, billOf, type BillRow } from "./bills";
import { MERCHANT_BILL_COLUMNS, type MerchantBill, merchantBillOf, type MerchantBillRow } from "./merchant-bills";

/** What a link leads to: the bill, the merchant's side of it, and its latest payments that stand, the latest first. */
export interface LinkedBill {
  readonly bill: Bill;
  readonly own: MerchantBill;
  /** Whole rupiah; instants in epoch milliseconds. */
  readonly payments: readonly { readonly entryId: string; readonly amount: bigint; readonly paidAtMs: number }[];
}

/** Payments read with a bill at most: a number that lives on may have any. */
const PAYMENTS_MAX = 20;

const READ_LINKED: Statement = {
  name: "store_read_linked_bills",
  text: `
    select ${MERCHANT_BILL_COLUMNS}, ${BILL_COLUMNS},
           (select json_agg(json_build_array(p.entry_id, p.amount::text, (extract(epoch from p.paid_at) * 1000)::float8)
                            order by p.paid_at desc, p.entry_id)
              from (select * from merchant_payment where bill_key = m.bill_key and reversed_at is null
                     order by paid_at desc, entry_id limit ${PAYMENTS_MAX}) p) as payments
      from merchant_bill m
      join bill b on b.bill_key = m.bill_key
     where m.link_code = any($1::text[])`,
};

type LinkedRow = MerchantBillRow &
  BillRow & {
    readonly payments: readonly (readonly [entryId: string, amount: string, paidAtMs: number])[] | null;
  };

/** Everything that the pages of these links show, by link, in one statement; links that lead nowhere are left out. */
export async function readLinkedBills(tx: Tx, linkCodes: readonly string[]): Promise<Map<string, LinkedBill>> {
  const rows = await tx.run<LinkedRow>(READ_LINKED, [linkCodes]);
  return new Map(
    rows.map((row) => {
      const payments = (row.payments ?? []).map(([entryId, amount, paidAtMs]) => ({
        entryId,
        amount: BigInt(amount),
        paidAtMs,
      }));
      return [row.link_code, { bill: billOf(row), own: merchantBillOf(row), payments }];
    }),
  );
}

/** What tells whether a bill has changed since it was shown. */
export interface BillStandingOfLink extends BillStanding {
  readonly productCode: string;
  readonly version: number;
}

const READ_STANDINGS: Statement = {
  name: "store_read_linked_standings",
  text: `
    select m.link_code, b.product_code, b.version, b.is_cancelled, b.total_amount, b.paid_amount,
           (extract(epoch from b.due_at) * 1000)::float8 as due_at_ms
      from merchant_bill m
      join bill b on b.bill_key = m.bill_key
     where m.link_code = any($1::text[])`,
};

type StandingRow = Pick<MerchantBillRow, "link_code"> &
  Pick<BillRow, "product_code" | "version" | "is_cancelled" | "total_amount" | "paid_amount" | "due_at_ms">;

/** How the bills of these links stand, by link: the little that is read again and again while pages are open. */
export async function readLinkedStandings(
  tx: Tx,
  linkCodes: readonly string[],
): Promise<Map<string, BillStandingOfLink>> {
  const rows = await tx.run<StandingRow>(READ_STANDINGS, [linkCodes]);
  return new Map(
    rows.map((row) => [
      row.link_code,
      {
        productCode: row.product_code,
        version: row.version,
        isCancelled: row.is_cancelled,
        totalAmount: row.total_amount,
        paidAmount: row.paid_amount,
        dueAtMs: row.due_at_ms,
      },
    ]),
  );
}
