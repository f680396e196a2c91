import { pipeline } from "node:stream/promises";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { sqlStateOf } from "../../platform";
import { linkedRows, type Unlinked } from "./linked-rows";
import { inSession, type Session } from "./session";

/** Which lines are compared with which payments for the first time. */
export interface FirstComparison {
  /** Of the service's own role. */
  readonly databaseUrl: string;
  readonly runId: number;
  readonly fileIds: readonly number[];
  readonly partnerId: number;
  readonly settlementDate: string;
  /** Products that the files cover; none: all. */
  readonly productCodes: readonly string[];
}

/**
 * Compares files that no run has seen with the payments of their day, in one pass, and links lines that agree in everything.
 *
 * A second connection compares, on the snapshot of the run, and what it finds flows into the run's transaction as COPY. An
 * `insert … select` would be slower: it may use no parallel workers, and writes row by row instead of page by page; a
 * million lines took 7 s, and two anti-joins of 0.9 s each to find what was not linked.
 *
 * @returns "held" when a payment is held by another line already, and nothing was written; else what was not linked, or
 *   "many" when that is more than should be held in memory
 */
export async function compareFirst(session: Session, comparison: FirstComparison): Promise<Unlinked | "many" | "held"> {
  const { databaseUrl: url } = comparison;
  const [exported] = await session.run<{ snapshot: string }>("select pg_export_snapshot() as snapshot");
  await session.run("savepoint comparing");
  const rows = linkedRows();
  try {
    await inSession({ url, isolation: "repeatable read", isDryRun: true }, async ({ client, run }) => {
      await run(`set transaction snapshot ${client.escapeLiteral(exported?.snapshot ?? "")}`);
      await run(FOR_WHOLE_DAYS);
      const compared = copyTo(`copy (${compareStatement(comparison, (text) => client.escapeLiteral(text))})
        to stdout (format binary)`);
      const links = copyFrom(`copy settlement_match (entry_id, file_id, line_no, run_id, entry_date)
        from stdin (format binary)`);
      await pipeline(client.query(compared), rows.split, session.client.query(links));
    });
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
    await session.run("rollback to savepoint comparing");
    return "held";
  }
  await session.run("release savepoint comparing");
  return rows.unlinked() ?? "many";
}

const UNIQUE_VIOLATION = "23505";

/**
 * A million lines are hashed and sorted in memory, by parallel workers: rows that they hand on cost less than the planner
 * believes. What must never happen is a look-up for each of them.
 */
const FOR_WHOLE_DAYS = `
  select set_config('enable_nestloop', 'off', true), set_config('work_mem', '96MB', true),
         set_config('parallel_setup_cost', '0', true), set_config('parallel_tuple_cost', '0', true)`;

/**
 * Every line with the payment of its traxId, and what is left on either side; only what is linked has every
 * column. What
 * this links, `decideByTraxId` would call matched: tested against it. In the order of entries, which is that of time and of
 * the links' index. A payment may be left with one line and linked with another.
 *
 * `offset 0` keeps what is only compared out of the sorting. COPY takes no parameters.
 */
function compareStatement(comparison: FirstComparison, literal: (text: string) => string): string {
  const { runId, fileIds, partnerId, settlementDate, productCodes } = comparison;
  const day = `${literal(settlementDate)}::date`;
  const isCovered = productCodes.length === 0 ? "true" : `e.product_code in (${productCodes.map(literal).join()})`;
  return `
    select case when is_linked or is_covered then entry_id end, file_id, line_no, ${runId}::int,
           case when is_linked then ${day} end
      from (select pairs.*, agrees and
                   1 = row_number() over (partition by entry_id, agrees order by file_id, line_no) as is_linked
              from (select e.entry_id, l.file_id, l.line_no,
                           ${isCovered} as is_covered,
                           coalesce(l.status = 'paid' and l.business_date = ${day} and l.amount = e.amount
                                    and (l.fee_amount is null or l.fee_amount = e.fee_amount)
                                    and (l.bill_number is null or l.bill_number = e.bill_number)
                                    and (l.product_code is null or l.product_code = e.product_code), false)
                             and r.entry_id is null as agrees
                      from (select * from settlement_line
                             where file_id in (${fileIds.map(Number).join()}) and fault is null) l
                      full join (select * from journal_entry
                                  where business_date = ${day} and partner_id = ${partnerId} and kind = 'payment') e
                        on e.trax_id = l.trax_id
                      left join (select distinct entry_id from receivable_clearing where entry_date = ${day}) r
                        on r.entry_id = e.entry_id
                    offset 0) as pairs) as compared
     where is_linked or line_no is not null or is_covered`;
}
