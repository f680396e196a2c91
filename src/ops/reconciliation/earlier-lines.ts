import type { SettlementLine } from "../../domain";
import { type LineColumns, lineOf } from "./run-streams";
import type { Session } from "./session";

/**
 * Lines that say "paid", that are decided, and that an open line of a traxId unknown here repeats in everything: of such
 * lines only the first may be tried by other rules. The first run of a file sees all of them together; a later one sees
 * only those that are open. $1 run, $2 files, $3 partner.
 */
const EARLIER_LINES = `
  select distinct on (k.file_id, k.line_no) k.file_id, k.line_no, k.trax_id, k.product_code, k.bill_number, k.amount,
         k.fee_amount, k.business_date, (extract(epoch from k.paid_at) * 1000)::float8 as paid_at_ms, k.status
    from reconciliation_work_line w
    join settlement_line l on l.file_id = w.file_id and l.line_no = w.line_no
    join settlement_line k
      on k.trax_id = l.trax_id and k.amount = l.amount and coalesce(k.bill_number, '') = coalesce(l.bill_number, '')
     and coalesce(k.product_code, '') = coalesce(l.product_code, '')
   where w.run_id = $1 and k.file_id = any($2::int[]) and k.status = 'paid' and l.status = 'paid'
     and not exists (select from reconciliation_work_line o
                      where o.run_id = $1 and o.file_id = k.file_id and o.line_no = k.line_no)
     and not exists (select from trax t where t.partner_id = $3 and t.trax_id = l.trax_id and t.family = 'payment')
   order by k.file_id, k.line_no`;

/** Those lines by traxId. */
export async function earlierLines(
  { run }: Session,
  about: { readonly runId: number; readonly fileIds: readonly number[]; readonly partnerId: number },
): Promise<ReadonlyMap<string, readonly SettlementLine[]>> {
  const rows = await run<LineColumns>(EARLIER_LINES, [about.runId, about.fileIds, about.partnerId]);
  const byTraxId = new Map<string, SettlementLine[]>();
  for (const line of rows.map(lineOf)) {
    const traxId = line.traxId ?? "";
    byTraxId.set(traxId, [...(byTraxId.get(traxId) ?? []), line]);
  }
  return byTraxId;
}
