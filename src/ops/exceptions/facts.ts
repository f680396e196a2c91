import { type FindingFacts, type ItemClass, type LineStatus, type Receivable, stateOfReceivable } from "../../domain";
import { isReversed, readReceivables } from "../../ledger";
import { Fault, type Statement, type Tx } from "../../platform";
import { lockProfileOfItem } from "./items";

/** A payment that an item is about, as it stands now. Whole rupiah. */
export interface ItemPayment {
  readonly entryId: string;
  readonly entryDate: string;
  readonly traxId: string;
  readonly productCode: string;
  readonly billNumber: string;
  readonly amount: bigint;
  readonly feeAmount: bigint;
  readonly receivable: Receivable;
}

/** The line that says "paid", beside one that says "reversed", and its payment. */
export interface BesideLine {
  readonly fileId: number;
  readonly lineNo: number;
  readonly payment: ItemPayment;
  /** `matched`: its money is still to be posted. `found`: a finding about it is open. `posted`: its money is in transit. */
  readonly state: "matched" | "found" | "posted";
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
  /** Money of the line was posted before: only what is left of the payments is still to be explained. */
  readonly isPosted: boolean;
  readonly payments: readonly ItemPayment[];
  readonly beside: BesideLine | null;
}

const paymentJson = `
  json_build_object('entryId', e.entry_id, 'entryDate', e.business_date, 'traxId', e.trax_id,
    'productCode', e.product_code, 'billNumber', e.bill_number, 'amount', e.amount::text, 'feeAmount', e.fee_amount::text)`;

const isLinePosted = (line: string): string => `
  exists (select from settlement_line_posting lp
           where lp.file_id = ${line}.file_id and lp.line_no = ${line}.line_no and lp.undone_by is null)`;

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
           ${isLinePosted("l")} as "isPosted", pay.payments, beside.payment as "besidePayment",
           beside.file_id as "besideFileId", beside.line_no as "besideLineNo",
           case when beside.is_posted then 'posted' when beside.is_found then 'found' else 'matched' end as "besideState"
      from reconciliation_finding f
      left join settlement_line l on l.file_id = f.file_id and l.line_no = f.line_no
     cross join lateral (
       select coalesce(array_agg(k.line_no), '{}') as members, coalesce(sum(k.amount), 0)::bigint as amount,
              case when count(*) = count(k.fee_amount) then coalesce(sum(k.fee_amount), 0)::bigint end as fees
         from settlement_match m
         join settlement_line k on k.file_id = m.file_id and k.line_no = m.line_no and k.status = 'paid'
        where m.file_id = f.file_id and m.head_line_no = f.line_no and m.replaced_by_run is null) g
     cross join lateral (
       select coalesce(json_agg(${paymentJson} order by e.entry_id), '[]') as payments
         from journal_entry e
        where (e.entry_id, e.business_date) in (
                select m.entry_id, m.entry_date from settlement_match m
                 where m.file_id = f.file_id and m.line_no = f.line_no and m.replaced_by_run is null
                   and m.entry_id is not null
                union select f.entry_id, f.entry_date where f.file_id is null
                -- A further line may bring what the line that holds the payment left due.
                union select c.entry_id, c.entry_date from receivable_clearing c
                       where f.class = 'duplicate-in-file' and c.entry_id = f.nearest_entry_id and c.version = 1)) pay
      left join lateral (
        select ${paymentJson} as payment, k.file_id, k.line_no, ${isLinePosted("k")} as is_posted,
               exists (select from reconciliation_finding g
                        where g.file_id = k.file_id and g.line_no = k.line_no and g.replaced_by_run is null) as is_found
          from settlement_match m
          join settlement_line k on k.file_id = m.file_id and k.line_no = m.line_no and k.status = 'paid'
          join journal_entry e on e.entry_id = m.entry_id and e.business_date = m.entry_date
         where f.class = 'reversed-there' and f.entry_id is null and m.entry_id = f.nearest_entry_id
           and m.replaced_by_run is null) beside on true
     where f.item_id = $1::uuid and f.resolved_at is null and f.replaced_by_run is null
       and not exists (select from settlement_file s where s.file_id = f.file_id and s.superseded_by is not null)
       for update of f`,
};

type Written<T> = { readonly [K in keyof T]: T[K] extends bigint ? string : T[K] };
type WrittenPayment = Written<Omit<ItemPayment, "receivable">>;

interface FindingRow extends Omit<FindingItem, "payments" | "beside"> {
  readonly payments: readonly WrittenPayment[];
  readonly besidePayment: WrittenPayment | null;
  readonly besideFileId: number | null;
  readonly besideLineNo: number | null;
  readonly besideState: BesideLine["state"];
}

/** Reads the finding of an item for settling it, and locks it. @throws Fault `closed`: it is resolved, a run or a file has replaced it */
export async function lockFinding(tx: Tx, itemId: string): Promise<FindingItem> {
  await lockProfileOfItem(tx, itemId);
  const [row] = await tx.run<FindingRow>(READ_FINDING, [itemId]);
  if (row === undefined)
    throw new Fault("closed", `exception ${itemId} is not open any more: resolved, or its file was replaced`);
  const { besidePayment, besideFileId, besideLineNo, besideState, payments, ...finding } = row;
  const written = besidePayment === null ? payments : [...payments, besidePayment];
  const receivables = await readReceivables(
    tx,
    written.map(({ entryId }) => entryId),
  );
  const isBeside = besidePayment !== null && besideFileId !== null && besideLineNo !== null;
  return {
    ...finding,
    payments: payments.map((each) => paymentOf(each, receivables)),
    beside: isBeside
      ? {
          fileId: besideFileId,
          lineNo: besideLineNo,
          payment: paymentOf(besidePayment, receivables),
          state: besideState,
        }
      : null,
  };
}

function paymentOf(row: WrittenPayment, receivables: ReadonlyMap<string, Receivable>): ItemPayment {
  const receivable = receivables.get(row.entryId);
  if (receivable === undefined) throw new Fault("no_payment", `entry ${row.entryId} opened no receivable`);
  return { ...row, amount: BigInt(row.amount), feeAmount: BigInt(row.feeAmount), receivable };
}

/** What the move of a finding is decided on, with these payments in place of those it is linked with. */
export function factsOfFinding(item: FindingItem, payments: readonly ItemPayment[] = item.payments): FindingFacts {
  const { status, beside, lineSum, feeSum, isPosted } = item;
  const told = beside === null ? payments : [beside.payment];
  const hasMoney = status !== null && !isPosted;
  return {
    status,
    receivables: payments.map(({ receivable }) => receivable),
    // It stands for no payment itself: it takes back a line that says "paid", of its file or an earlier one.
    isBeside: item.class === "reversed-there" && status === "reversed" && payments.length === 0,
    isFurther: item.class === "duplicate-in-file",
    there: hasMoney ? lineSum + feeOf(item, told, feeSum) : 0n,
  };
}

/** The fee that is settled to us with a line: that of the line, else that of its payments; nothing where the switch keeps it. */
function feeOf({ isFeeOurs }: FindingItem, payments: readonly ItemPayment[], feeSum: bigint | null): bigint {
  const inBooks = payments.reduce((sum, { receivable, amount }) => sum + receivable.opened - amount, 0n);
  const fees = payments.reduce((sum, { feeAmount }) => sum + feeAmount, 0n);
  const isOurs = fees > 0n ? inBooks > 0n : isFeeOurs;
  if (!isOurs) return 0n;
  return feeSum ?? inBooks;
}

const READ_PAYMENT: Statement = {
  name: "ops_read_payment",
  text: `
    select ${paymentJson} as payment, e.partner_id,
           exists (select from settlement_match m where m.entry_id = e.entry_id and m.replaced_by_run is null) as is_held
      from journal_entry e where e.entry_id = $1::uuid and e.kind = 'payment'`,
};
const FIND_ENTRY: Statement = {
  name: "ops_find_entry_of_trax",
  text: `
    select entry_id from trax t
     where t.partner_id = $1::int and t.trax_id = $2 and t.family in ('payment', 'manual-payment') and not t.answers_manual`,
};

/**
 * A payment that a line may be linked with: one that is due, or that was given up and is recovered now.
 *
 * @throws Fault `no_payment`: there is none, another line stands for it, or it was reversed
 */
export async function readFreePayment(tx: Tx, partnerId: number, entryId: string): Promise<ItemPayment> {
  const [row] = await tx.run<{ payment: WrittenPayment; partner_id: number; is_held: boolean }>(READ_PAYMENT, [
    entryId,
  ]);
  if (row === undefined || row.partner_id !== partnerId) {
    throw new Fault("no_payment", `entry ${entryId} is no payment of this partner`);
  }
  if (row.is_held) throw new Fault("no_payment", `another line stands for payment ${row.payment.traxId} already`);
  const payment = paymentOf(row.payment, await readReceivables(tx, [entryId]));
  const state = stateOfReceivable(payment.receivable);
  if (state === "reversed" || state === "settled") {
    throw new Fault("no_payment", `payment ${payment.traxId} is ${state}: the switch owes nothing for it`);
  }
  return payment;
}

/** The entry of an accepted payment, whoever posted it. @throws Fault `no_payment` */
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
  /** Entry of the payment; null when it was declined. */
  readonly entryId: string | null;
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
           t.bill_number as "billNumber", t.bill_key as "billKey", t.entry_id as "entryId", t.amount, t.fee_amount as "feeAmount",
           (select coalesce(sum(g.amount), 0)::bigint from posting g
             where g.entry_id = t.entry_id and g.business_date = t.business_date and g.account_code = 'suspense'
               and not ${isReversed("t.entry_id")}) as suspended
      from exception x
      join trax t on t.partner_id = x.partner_id and t.trax_id = x.trax_id
       and t.family in ('payment', 'manual-payment') and not t.answers_manual
     where x.exception_id = $1::uuid and x.closed_at is null
       for update of x`,
};

/** @throws Fault `closed` */
export async function lockOpened(tx: Tx, exceptionId: string): Promise<OpenedItem> {
  const [row] = await tx.run<OpenedItem>(READ_OPENED, [exceptionId]);
  if (row === undefined) throw new Fault("closed", `exception ${exceptionId} is not open any more`);
  return row;
}
