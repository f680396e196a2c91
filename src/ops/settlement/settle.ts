import { actorText, postingsOfMove } from "../../domain";
import { type Clock, Fault, type IdSource } from "../../platform";
import { recordOperatorAction } from "../../store";
import type { Actor } from "../exceptions/history";
import { inSession, type Session, txOf } from "../reconciliation/session";
import { postSettlement, saveOrigins } from "./post";

/** Which lines are to be posted. */
export interface SettleRequest {
  /** Of the service's own role. */
  readonly databaseUrl: string;
  readonly profileCode: string;
  /** Business date of the files. */
  readonly settlementDate: string;
  readonly actor: Actor;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Business date that the entries are booked on. */
  readonly today: string;
}

/** What was posted for one file. Whole rupiah. */
export interface SettledFile {
  readonly fileId: number;
  readonly fileName: string;
  /** Lines posted now; 0 where everything was posted before. */
  readonly lines: number;
  readonly amount: bigint;
  readonly entryId: string | null;
}

/**
 * Posts the matched lines of a business date: what they settle leaves *due from switch* and is *in transit* to the bank, one
 * journal entry for each file. Repeating it posts what was matched since, and no line twice. Lines with an open or resolved
 * finding are not among them: those are posted by what people decide.
 *
 * @throws Fault `not_reconciled`: a file of the date was not compared with the books yet
 */
export function settleMatched(request: SettleRequest): Promise<SettledFile[]> {
  const { databaseUrl: url, profileCode, settlementDate } = request;
  return inSession({ url, isolation: "read committed", profileLock: profileCode }, async (session) => {
    const files = await session.run<{ fileId: number; fileName: string; partnerId: number; isOpen: boolean }>(FILES, [
      profileCode,
      settlementDate,
    ]);
    if (files.length === 0) throw new Fault("no_settlement_file", `${profileCode} has no file of ${settlementDate}`);
    const open = files.find(({ isOpen }) => isOpen);
    if (open !== undefined) {
      throw new Fault("not_reconciled", `${open.fileName} not compared with the books yet`, { remedy: "run-the-date" });
    }
    const settled: SettledFile[] = [];
    for (const file of files) settled.push({ ...file, ...(await settleFile(session, request, file)) });
    return settled.map(({ fileId, fileName, lines, amount, entryId }) => ({
      fileId,
      fileName,
      lines,
      amount,
      entryId,
    }));
  });
}

async function settleFile(
  session: Session,
  request: SettleRequest,
  { fileId, fileName, partnerId }: { readonly fileId: number; readonly fileName: string; readonly partnerId: number },
): Promise<Pick<SettledFile, "lines" | "amount" | "entryId">> {
  const { run } = session;
  const { actor, profileCode, settlementDate, today } = request;
  const [next] = await run<{ posting_no: number }>(
    `select nextval('settlement_posting_posting_no_seq')::int as posting_no`,
  );
  const postingNo = next?.posting_no ?? 0;
  await run(`savepoint posting_lines`);
  await run(`select set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true)`);
  const origins = await run<{ day: string; amount: bigint; lines: number }>(POST_LINES, [fileId, partnerId, postingNo]);
  await run(`select set_config('enable_nestloop', 'on', true), set_config('work_mem', '4MB', true)`);
  const lines = origins[0]?.lines ?? 0;
  const amount = origins.reduce((sum, each) => sum + each.amount, 0n);
  if (lines === 0 || amount === 0n) {
    // What takes itself back within a file moves nothing, and waits for what else is matched.
    await run(`rollback to savepoint posting_lines`);
    return { lines: 0, amount: 0n, entryId: null };
  }
  const nowMs = request.clock.nowMs();
  const entryId = request.ids.entryId(nowMs);
  const tx = txOf(session);
  const move = { dueAmount: amount, transitAmount: amount };
  await postSettlement(tx, {
    ...{ kind: "file", entryId, businessDate: today, nowMs, partnerId, profileCode, settlementDate, fileId },
    ...{ proposalId: null, lineCount: lines, ...move, account: null, postings: postingsOfMove(move, null) },
    ...{ reference: `file ${fileId}`, by: actor.name, postingNo },
  });
  await saveOrigins(tx, postingNo, origins);
  await recordOperatorAction(tx, {
    ...{ actor: actorText(actor), action: "settlement.post", object: `file:${fileId}` },
    ...{ detail: `${fileName}: ${lines} lines`, after: { entryId, lines, amount: amount.toString() } },
  });
  return { lines, amount, entryId };
}

const FILES = `
  select f.file_id as "fileId", f.file_name as "fileName", f.partner_id as "partnerId",
         not exists (select from reconciliation_run r
                      where r.profile_code = f.profile_code and r.settlement_date = f.settlement_date
                        and r.finished_at is not null and r.finished_at > f.imported_at) as "isOpen"
    from settlement_file f
   where f.profile_code = $1 and f.settlement_date = $2::date and f.superseded_by is null
   order by f.file_id`;

/**
 * Lines that nobody has to look at, with what their payments put on *due from switch*. A line that says "reversed" takes
 * back what the line that says "paid" and holds its payment has brought; that one may stand in an earlier file. They are
 * written under their posting, and summed by the business dates of their payments. $1 file, $2 partner, $3 posting.
 */
const POST_LINES = `
  with matched as (
    select m.line_no, m.entry_id, m.entry_date, m.head_line_no, l.status, l.trax_id
      from settlement_match m
      join settlement_line l on l.file_id = m.file_id and l.line_no = m.line_no
     where m.file_id = $1 and m.replaced_by_run is null
       and not exists (select from reconciliation_finding f
                        where f.file_id = m.file_id and f.line_no = m.line_no and f.replaced_by_run is null)
       and not exists (select from reconciliation_finding f
                        where f.file_id = m.file_id and f.line_no = m.head_line_no and f.replaced_by_run is null)
       and not exists (select from settlement_line_posting p where p.file_id = m.file_id and p.line_no = m.line_no)
  ), moved as (
    select line_no, entry_id, entry_date, 1 as sign from matched where status = 'paid'
    union all
    select r.line_no, h.entry_id, h.entry_date, -1
      from matched r
      join trax t on t.partner_id = $2 and t.trax_id = r.trax_id and t.family = 'payment'
      join settlement_match h on h.entry_id = t.entry_id and h.replaced_by_run is null
      join settlement_line k on k.file_id = h.file_id and k.line_no = h.line_no and k.status = 'paid'
     where r.status = 'reversed' and r.entry_id is null
  ), to_post as materialized (
    select v.line_no, v.entry_date, coalesce(v.sign * case g.side when 'debit' then g.amount else -g.amount end, 0) as due
      from moved v
      left join posting g
        on g.entry_id = v.entry_id and g.business_date = v.entry_date and g.account_code = 'due-from-switch'
  ), written as (
    insert into settlement_line_posting (file_id, line_no, posting_no)
    select distinct $1::int, line_no, $3::int from to_post
  )
  select entry_date as day, sum(due)::bigint as amount, (select count(distinct line_no) from to_post)::int as lines
    from to_post group by entry_date order by entry_date`;
