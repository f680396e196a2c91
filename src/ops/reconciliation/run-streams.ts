import type { Attempted, LedgerPayment, LineStatus, SettlementLine } from "../../domain";
import type { Session } from "./session";

/** Rows that are held in memory at a time. */
const FETCH_ROWS = 2_000;

/** A line as statements give it. */
export interface LineColumns {
  readonly file_id: number;
  readonly line_no: number;
  readonly trax_id: string | null;
  readonly product_code: string | null;
  readonly bill_number: string | null;
  readonly amount: bigint;
  readonly fee_amount: bigint | null;
  readonly business_date: string;
  readonly paid_at_ms: number | null;
  readonly status: LineStatus;
}

interface Standing {
  /** Null while nothing of its receivable is cleared. */
  readonly is_reversed: boolean | null;
  readonly is_given_up: boolean | null;
}

interface Holder extends Standing {
  readonly held_file_id: number | null;
  readonly held_line_no: number | null;
}

/** A line with the payment of its traxId. */
export interface TraxRow extends LineColumns, Holder {
  readonly is_known: boolean;
  readonly entry_id: string | null;
  readonly t_product_code: string;
  readonly t_bill_number: string;
  readonly t_amount: bigint;
  readonly t_fee_amount: bigint;
  readonly t_business_date: string;
  readonly t_happened_at_ms: number;
}

/** A line that the traxId did not decide. */
export interface OpenRow extends LineColumns {
  readonly tried: readonly Attempted[] | null;
}

/** A payment of a bill that open lines are about. */
export interface PaymentRow extends Holder {
  readonly entry_id: string;
  readonly entry_date: string;
  readonly trax_id: string;
  readonly product_code: string;
  readonly bill_number: string;
  readonly amount: bigint;
  readonly fee_amount: bigint;
  readonly happened_at_ms: number;
}

/** The line of a row. */
export function lineOf(row: LineColumns): SettlementLine {
  return {
    ...{ fileId: row.file_id, lineNo: row.line_no, traxId: row.trax_id, productCode: row.product_code },
    ...{ billNumber: row.bill_number, amount: row.amount, feeAmount: row.fee_amount, businessDate: row.business_date },
    ...{ paidAtMs: row.paid_at_ms, status: row.status },
  };
}

/** The payment of a line's traxId; null: we know none. */
export function paymentOfTrax(row: TraxRow): LedgerPayment | null {
  if (!row.is_known) return null;
  return {
    ...{ entryId: row.entry_id, traxId: row.trax_id ?? "", productCode: row.t_product_code },
    ...{ billNumber: row.t_bill_number, amount: row.t_amount, feeAmount: row.t_fee_amount },
    ...{ businessDate: row.t_business_date, happenedAtMs: row.t_happened_at_ms },
    state: row.entry_id === null ? "declined" : stateOf(row),
    heldBy: holderOf(row),
  };
}

/** The payment of a row. */
export function paymentOf(row: PaymentRow): LedgerPayment {
  return {
    ...{ entryId: row.entry_id, traxId: row.trax_id, productCode: row.product_code, billNumber: row.bill_number },
    ...{ amount: row.amount, feeAmount: row.fee_amount, businessDate: row.entry_date },
    ...{ happenedAtMs: row.happened_at_ms, state: stateOf(row), heldBy: holderOf(row) },
  };
}

function stateOf({ is_reversed: isReversed, is_given_up: isGivenUp }: Standing): LedgerPayment["state"] {
  if (isReversed === true) return "reversed";
  return isGivenUp === true ? "given-up" : "accepted";
}

function holderOf({ held_file_id: fileId, held_line_no: lineNo }: Holder): LedgerPayment["heldBy"] {
  return fileId === null || lineNo === null ? null : { fileId, lineNo };
}

/** The rows of an ordered statement, gathered by the key that neighbours share. One group is held at a time, and a fetch. */
export async function* groupedRows<Row extends object>(
  session: Session,
  cursor: string,
  statement: string,
  values: readonly unknown[],
  keyOf: (row: Row) => string | null,
): AsyncGenerator<{ readonly key: string | null; readonly rows: readonly Row[] }, void> {
  await session.run(`declare ${cursor} no scroll cursor for ${statement}`, values);
  let key: string | null = null;
  let group: Row[] = [];
  for (;;) {
    const rows = await session.run<Row>(`fetch ${FETCH_ROWS} from ${cursor}`);
    for (const row of rows) {
      const next = keyOf(row);
      if (group.length > 0 && next !== key) {
        yield { key, rows: group };
        group = [];
      }
      key = next;
      group.push(row);
    }
    if (rows.length < FETCH_ROWS) break;
  }
  if (group.length > 0) yield { key, rows: group };
  await session.run(`close ${cursor}`);
}
