import type { BesidePaid, FindingFacts, ItemClass, LineStatus, SettledPayment } from "../../domain";
import { Fault, type Statement, type Tx } from "../../platform";
import { lockProfileOfItem } from "./items";

/** A payment that an item is about, as it stands now. Whole rupiah. */
export interface ItemPayment extends SettledPayment {
  readonly entryId: string;
  readonly entryDate: string;
  readonly traxId: string;
  readonly productCode: string;
  readonly billNumber: string;
  readonly amount: bigint;
  readonly feeAmount: bigint;
}

/** A finding with everything that settling it is decided on; its row is locked. */
export interface FindingItem {
  /** The exception; it outlives the finding. */
  readonly itemId: string;
  readonly findingId: string;
  readonly runId: number;
  readonly profileCode: string;
  readonly businessDate: string;
  readonly class: ItemClass;
  readonly partnerId: number;
  readonly fileId: number | null;
  readonly lineNo: number | null;
  readonly status: LineStatus | null;
  readonly traxId: string | null;
  readonly productCode: string | null;
  readonly billNumber: string | null;
  readonly amount: bigint;
  readonly feeAmount: bigint | null;
  /** Lines that make up one payment with this one. */
  readonly memberLineNos: readonly number[];
  readonly lineSum: bigint;
  /** Null when a line does not tell it. */
  readonly feeSum: bigint | null;
  readonly isFeeOurs: boolean;
  readonly payments: readonly ItemPayment[];
  readonly besidePaid: (ItemPayment & BesidePaid) | null;
}

const paymentJson = (entry: string, day: string): string => `
  json_build_object('entryId', e.entry_id, 'entryDate', e.business_date, 'traxId', e.trax_id,
    'productCode', e.product_code, 'billNumber', e.bill_number, 'amount', e.amount::text, 'feeAmount', e.fee_amount::text,
    'due', (select coalesce(sum(case g.side when 'debit' then g.amount else -g.amount end), 0)::text from posting g
             where g.entry_id = ${entry} and g.business_date = ${day} and g.account_code = 'due-from-switch'),
    'isReversed', exists (select from journal_entry r where r.reverses_entry_id = ${entry}))`;

const READ_FINDING: Statement = {
  name: "ops_read_finding",
  isWrite: true,
  text: `
    select f.item_id as "itemId", f.finding_id as "findingId", f.run_id as "runId", f.profile_code as "profileCode",
           f.business_date as "businessDate", f.class, f.file_id as "fileId", f.line_no as "lineNo", l.status,
           f.amount, l.trax_id as "traxId", l.product_code as "productCode", l.bill_number as "billNumber",
           l.fee_amount as "feeAmount",
           coalesce((select s.partner_id from settlement_file s where s.file_id = f.file_id),
                    (select e.partner_id from journal_entry e
                      where e.entry_id = f.entry_id and e.business_date = f.entry_date)) as "partnerId",
           g.members as "memberLineNos", l.amount + g.amount as "lineSum", l.fee_amount + g.fees as "feeSum",
           coalesce((select q.definition #>> '{rules,feeBelongsTo}' from product q
                      where q.product_code = coalesce(l.product_code, pay.payments #>> '{0,productCode}')), 'biller')
             = 'biller' as "isFeeOurs",
           pay.payments, beside.payment as "besidePaid",
           case when beside.is_finding then beside.posted end as "besidePosted"
      from reconciliation_finding f
      left join settlement_line l on l.file_id = f.file_id and l.line_no = f.line_no
     cross join lateral (
       select coalesce(array_agg(k.line_no), '{}') as members, coalesce(sum(k.amount), 0)::bigint as amount,
              case when count(*) = count(k.fee_amount) then coalesce(sum(k.fee_amount), 0)::bigint end as fees
         from settlement_match m
         join settlement_line k on k.file_id = m.file_id and k.line_no = m.line_no and k.status = 'paid'
        where m.file_id = f.file_id and m.head_line_no = f.line_no and m.replaced_by_run is null) g
     cross join lateral (
       select coalesce(json_agg(${paymentJson("e.entry_id", "e.business_date")} order by e.entry_id), '[]') as payments
         from journal_entry e
        where (e.entry_id, e.business_date) in (
                select m.entry_id, m.entry_date from settlement_match m
                 where m.file_id = f.file_id and m.line_no = f.line_no and m.replaced_by_run is null
                   and m.entry_id is not null
                union select f.entry_id, f.entry_date where f.file_id is null)) pay
      left join lateral (
        select ${paymentJson("e.entry_id", "e.business_date")} as payment,
               (select coalesce(sum(s.due_amount), 0)::text
                  from reconciliation_finding g
                  join exception_proposal p on p.item_id = g.item_id and p.decision = 'approved'
                  join settlement_posting s on s.proposal_id = p.proposal_id
                 where g.file_id = k.file_id and g.line_no = k.line_no and g.replaced_by_run is null) as posted,
               exists (select from reconciliation_finding g
                        where g.file_id = k.file_id and g.line_no = k.line_no and g.replaced_by_run is null) as is_finding
          from settlement_match m
          join settlement_line k on k.file_id = m.file_id and k.line_no = m.line_no and k.status = 'paid'
          join journal_entry e on e.entry_id = m.entry_id and e.business_date = m.entry_date
         where f.class = 'reversed-there' and f.entry_id is null and m.entry_id = f.nearest_entry_id
           and m.replaced_by_run is null) beside on true
     where f.item_id = $1::uuid and f.resolved_at is null and f.replaced_by_run is null
       for update of f`,
};

type Written<T> = { readonly [K in keyof T]: T[K] extends bigint ? string : T[K] };

/** Reads the finding of an item for settling it, and locks it. @throws Fault `closed`: it is resolved, or no run finds it */
export async function lockFinding(tx: Tx, itemId: string): Promise<FindingItem> {
  await lockProfileOfItem(tx, itemId);
  const [row] = await tx.run<
    Omit<FindingItem, "payments" | "besidePaid"> & {
      readonly payments: readonly Written<ItemPayment>[];
      readonly besidePaid: Written<ItemPayment> | null;
      readonly besidePosted: string | null;
    }
  >(READ_FINDING, [itemId]);
  if (row === undefined) throw new Fault("closed", `exception ${itemId} is not open any more`);
  const { besidePaid, besidePosted, ...finding } = row;
  return {
    ...finding,
    payments: row.payments.map(paymentOf),
    besidePaid:
      besidePaid === null ? null : { ...paymentOf(besidePaid), taken: BigInt(besidePosted ?? besidePaid.due) },
  };
}

function paymentOf(row: Written<ItemPayment>): ItemPayment {
  const { amount, feeAmount, due } = row;
  return { ...row, amount: BigInt(amount), feeAmount: BigInt(feeAmount), due: BigInt(due) };
}

/** What the move of a finding is decided on, with these payments in place of those it is linked with. */
export function factsOfFinding(item: FindingItem, payments: readonly ItemPayment[] = item.payments): FindingFacts {
  const { status, besidePaid, lineSum, feeSum } = item;
  const told = besidePaid === null ? payments : [besidePaid];
  return { status, payments, besidePaid, there: status === null ? 0n : lineSum + feeOf(item, told, feeSum) };
}

/** The fee that is settled to us with a line: that of the line, else that of its payments; nothing where the switch keeps it. */
function feeOf({ isFeeOurs }: FindingItem, payments: readonly ItemPayment[], feeSum: bigint | null): bigint {
  const inBooks = payments.reduce((sum, { due, amount }) => sum + due - amount, 0n);
  const fees = payments.reduce((sum, { feeAmount }) => sum + feeAmount, 0n);
  const isOurs = fees > 0n ? inBooks > 0n : isFeeOurs;
  if (!isOurs) return 0n;
  return feeSum ?? inBooks;
}

const READ_PAYMENT: Statement = {
  name: "ops_read_payment",
  text: `
    select ${paymentJson("e.entry_id", "e.business_date")} as payment, e.partner_id,
           exists (select from settlement_match m where m.entry_id = e.entry_id and m.replaced_by_run is null) as is_held
      from journal_entry e where e.entry_id = $1::uuid and e.kind = 'payment'`,
};
const FIND_ENTRY: Statement = {
  name: "ops_find_entry_of_trax",
  text: `select entry_id from trax where partner_id = $1::int and trax_id = $2 and family = 'payment'`,
};

/** A payment that a line may be linked with. @throws Fault `no_payment`: there is none, or another line stands for it */
export async function readFreePayment(tx: Tx, partnerId: number, entryId: string): Promise<ItemPayment> {
  const [row] = await tx.run<{ payment: Written<ItemPayment>; partner_id: number; is_held: boolean }>(READ_PAYMENT, [
    entryId,
  ]);
  if (row === undefined || row.partner_id !== partnerId) {
    throw new Fault("no_payment", `entry ${entryId} is no payment of this partner`);
  }
  if (row.is_held) throw new Fault("no_payment", `another line stands for payment ${row.payment.traxId} already`);
  if (row.payment.isReversed) throw new Fault("no_payment", `payment ${row.payment.traxId} was reversed`);
  return paymentOf(row.payment);
}

/** The entry of an accepted payment. @throws Fault `no_payment` */
export async function entryOfTrax(tx: Tx, partnerId: number, traxId: string): Promise<string> {
  const [row] = await tx.run<{ entry_id: string | null }>(FIND_ENTRY, [partnerId, traxId]);
  if (!row?.entry_id) throw new Fault("no_payment", `no payment ${traxId} is accepted here`);
  return row.entry_id;
}

/** What payments or reversals opened, with its payment; its row is locked. */
export interface OpenedItem {
  readonly kind: ItemClass;
  readonly partnerId: number;
  readonly traxId: string;
  readonly productCode: string;
  readonly billNumber: string;
  readonly billKey: string;
  readonly amount: bigint;
  readonly feeAmount: bigint;
  /** What of the payment stands in suspense. Whole rupiah. */
  readonly suspended: bigint;
}

const READ_OPENED: Statement = {
  name: "ops_read_opened_exception",
  isWrite: true,
  text: `
    select x.kind, x.partner_id as "partnerId", x.trax_id as "traxId", t.product_code as "productCode",
           t.bill_number as "billNumber", t.bill_key as "billKey", t.amount, t.fee_amount as "feeAmount",
           (select coalesce(sum(g.amount), 0)::bigint from posting g
             where g.entry_id = t.entry_id and g.business_date = t.business_date and g.account_code = 'suspense'
               and not exists (select from journal_entry r where r.reverses_entry_id = t.entry_id)) as suspended
      from exception x
      join trax t on t.partner_id = x.partner_id and t.trax_id = x.trax_id and t.family = 'payment'
     where x.exception_id = $1::uuid and x.closed_at is null
       for update of x`,
};

/** @throws Fault `closed` */
export async function lockOpened(tx: Tx, exceptionId: string): Promise<OpenedItem> {
  const [row] = await tx.run<OpenedItem>(READ_OPENED, [exceptionId]);
  if (row === undefined) throw new Fault("closed", `exception ${exceptionId} is not open any more`);
  return row;
}
