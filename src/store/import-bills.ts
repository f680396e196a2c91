import type { Statement, Tx } from "../platform";

/** A bill with its items as an import brings it. Amounts in whole rupiah; `dueAtMs` in epoch milliseconds. */
export interface ImportedBill {
  readonly billKey: string;
  readonly productCode: string;
  readonly billNumber: string;
  readonly feeAmount: bigint;
  readonly customerName: string;
  readonly details: Readonly<Record<string, string>>;
  readonly dueAtMs: number | null;
  /** Oldest first. */
  readonly items: readonly { readonly reference: string; readonly amount: bigint }[];
  /** The merchant who made it; left out when it is nobody's. Never changes afterwards. */
  readonly merchantId?: number;
}

/** What an import did. */
export interface ImportSummary {
  readonly billsCreated: number;
  readonly billsChanged: number;
  readonly itemsCreated: number;
}

/** An item that is already known with another amount: nothing of the batch may be written. */
export interface ItemConflict {
  readonly billKey: string;
  readonly reference: string;
  readonly knownAmount: bigint;
}

const FIND_CONFLICTS: Statement = {
  name: "store_find_item_conflicts",
  text: `
    select i.bill_key, i.reference, k.amount as known_amount
      from unnest($1::text[], $2::text[], $3::bigint[]) as i(bill_key, reference, amount)
      join bill_item k on k.bill_key = i.bill_key and k.reference = i.reference
     where k.amount <> i.amount`,
};

/** The items of these bills that are already known with another amount. */
export async function findItemConflicts(tx: Tx, bills: readonly ImportedBill[]): Promise<ItemConflict[]> {
  const lines = linesOf(bills);
  const rows = await tx.run<{ bill_key: string; reference: string; known_amount: bigint }>(FIND_CONFLICTS, [
    lines.map((line) => line.billKey),
    lines.map((line) => line.reference),
    lines.map((line) => line.amount),
  ]);
  return rows.map((row) => ({ billKey: row.bill_key, reference: row.reference, knownAmount: row.known_amount }));
}

/**
 * Bill rows are written first, in sorted order, and stay locked: a payment that is deciding on one of them loses its
 * claim, because the version moves, and decides again on the new items.
 */
const UPSERT_BILLS: Statement = {
  name: "store_upsert_bills",
  isWrite: true,
  text: `
    insert into bill (bill_key, product_code, bill_number, total_amount, fee_amount, customer_name, details, due_at,
                      merchant_id)
    select bill_key, product_code, bill_number, 0, fee_amount, customer_name, details,
           to_timestamp(due_at_ms / 1000.0), merchant_id
      from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::jsonb[], $7::bigint[], $8::int[])
           as i(bill_key, product_code, bill_number, fee_amount, customer_name, details, due_at_ms, merchant_id)
     order by bill_key
    on conflict (bill_key) do update
       set fee_amount = excluded.fee_amount, customer_name = excluded.customer_name, details = excluded.details,
           due_at = excluded.due_at, version = bill.version + 1, updated_at = clock_timestamp()
     where (bill.fee_amount, bill.customer_name, bill.details, bill.due_at)
           is distinct from (excluded.fee_amount, excluded.customer_name, excluded.details, excluded.due_at)
    returning bill_key, (xmax = 0) as is_new`,
};

const APPEND_ITEMS: Statement = {
  name: "store_append_items",
  isWrite: true,
  text: `
    with added as (
      insert into bill_item (bill_key, item_no, reference, amount)
      select i.bill_key,
             coalesce((select max(k.item_no) from bill_item k where k.bill_key = i.bill_key), 0)
               + row_number() over (partition by i.bill_key order by i.position),
             i.reference, i.amount
        from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality as i(bill_key, reference, amount, position)
       where not exists (
         select from bill_item k where k.bill_key = i.bill_key and k.reference = i.reference)
      returning bill_key, amount
    ), sums as (
      select bill_key, sum(amount)::bigint as amount, count(*)::int as items from added group by bill_key
    )
    update bill b
       set total_amount = b.total_amount + s.amount, version = b.version + 1, updated_at = clock_timestamp()
      from sums s
     where b.bill_key = s.bill_key
    returning b.bill_key, s.items`,
};

/**
 * Creates the bills that are new and adds the items that are new to the ones that are known; what is already there in
 * the same form is left alone, so the same import may be repeated. Call `findItemConflicts` first, in the same
 * transaction.
 */
export async function importBills(tx: Tx, bills: readonly ImportedBill[]): Promise<ImportSummary> {
  const touched = await tx.run<{ bill_key: string; is_new: boolean }>(UPSERT_BILLS, [
    bills.map((bill) => bill.billKey),
    bills.map((bill) => bill.productCode),
    bills.map((bill) => bill.billNumber),
    bills.map((bill) => bill.feeAmount),
    bills.map((bill) => bill.customerName),
    bills.map((bill) => JSON.stringify(bill.details)),
    bills.map((bill) => bill.dueAtMs),
    bills.map((bill) => bill.merchantId ?? null),
  ]);
  const lines = linesOf(bills);
  const grown = await tx.run<{ bill_key: string; items: number }>(APPEND_ITEMS, [
    lines.map((line) => line.billKey),
    lines.map((line) => line.reference),
    lines.map((line) => line.amount),
  ]);
  const created = new Set(touched.filter((row) => row.is_new).map((row) => row.bill_key));
  const changed = new Set([...touched, ...grown].map((row) => row.bill_key).filter((key) => !created.has(key)));
  return {
    billsCreated: created.size,
    billsChanged: changed.size,
    itemsCreated: grown.reduce((sum, row) => sum + row.items, 0),
  };
}

function linesOf(
  bills: readonly ImportedBill[],
): { readonly billKey: string; readonly reference: string; readonly amount: bigint }[] {
  return bills.flatMap(({ billKey, items }) => items.map((item) => ({ billKey, ...item })));
}
