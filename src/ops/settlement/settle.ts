import { actorText, postingsOfMove } from "../../domain";
import { ReceivableTaken } from "../../ledger";
import { type Clock, Fault, type IdSource, sqlStateOf } from "../../platform";
import { recordOperatorAction } from "../../store";
import type { Actor } from "../exceptions/history";
import { inSession, type Session, txOf } from "../reconciliation/session";
import { postSettlement } from "./post";

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
  /** Matched lines whose payment is not due any more: each has become a finding. */
  readonly findings: number;
}

/** A receivable that is cleared while a file is posted makes the work begin again. */
const ROUNDS_MAX = 5;

/**
 * Posts the matched lines of a business date: what they settle leaves *due from switch* and is *in transit* to the bank, one
 * journal entry for each file. Repeating it posts what was matched since, and no line twice. Lines with an open or resolved
 * finding are not among them: those are posted by what people decide.
 *
 * Whether the payment of a line is still due is asked again now: a line whose payment was reversed, written off or accepted
 * elsewhere since it was matched becomes a finding instead. Each posted line claims its receivables.
 *
 * @throws Fault `not_reconciled`: a file of the date was not compared with the books yet
 */
export async function settleMatched(request: SettleRequest): Promise<SettledFile[]> {
  const { databaseUrl: url, profileCode } = request;
  for (let round = 1; ; round += 1) {
    try {
      return await inSession({ url, isolation: "read committed", profileLock: profileCode }, (session) =>
        settleFiles(session, request),
      );
    } catch (fault) {
      if (!(fault instanceof ReceivableTaken) || round === ROUNDS_MAX) throw fault;
    }
  }
}

interface FileToSettle {
  readonly fileId: number;
  readonly fileName: string;
  readonly partnerId: number;
  readonly isOpen: boolean;
}

async function settleFiles(session: Session, request: SettleRequest): Promise<SettledFile[]> {
  const { profileCode, settlementDate } = request;
  const files = await session.run<FileToSettle>(FILES, [profileCode, settlementDate]);
  if (files.length === 0) throw new Fault("no_settlement_file", `${profileCode} has no file of ${settlementDate}`);
  const open = files.find(({ isOpen }) => isOpen);
  if (open !== undefined) {
    throw new Fault("not_reconciled", `${open.fileName} not compared with the books yet`, { remedy: "run-the-date" });
  }
  const settled: SettledFile[] = [];
  for (const file of files) settled.push(await settleFile(session, request, file));
  return settled;
}

async function settleFile(session: Session, request: SettleRequest, file: FileToSettle): Promise<SettledFile> {
  const { run } = session;
  const { actor, profileCode, settlementDate, today } = request;
  const { fileId, fileName, partnerId } = file;
  await run(`select set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true)`);
  const [found] = await run<{ count: number }>(FIND_NOT_DUE, [fileId]);
  const findings = found?.count ?? 0;
  const [next] = await run<{ posting_no: number }>(
    `select nextval('settlement_posting_posting_no_seq')::int as posting_no`,
  );
  const postingNo = next?.posting_no ?? 0;
  await run(`savepoint posting_lines`);
  const [posted] = await run<{ lines: number; amount: bigint }>(POST_LINES, [fileId, postingNo]);
  const { lines = 0, amount = 0n } = posted ?? {};
  if (lines === 0 || amount === 0n) {
    // What takes itself back within a file moves nothing, and waits for what else is matched.
    await run(`rollback to savepoint posting_lines`);
    await run(`select set_config('enable_nestloop', 'on', true), set_config('work_mem', '4MB', true)`);
    return { fileId, fileName, lines: 0, amount: 0n, entryId: null, findings };
  }
  const nowMs = request.clock.nowMs();
  const entryId = request.ids.entryId(nowMs);
  const tx = txOf(session);
  const move = { dueAmount: amount, transitAmount: amount };
  await postSettlement(tx, {
    kind: "file",
    entryId,
    businessDate: today,
    nowMs,
    partnerId,
    profileCode,
    settlementDate,
    fileId,
    proposalId: null,
    lineCount: lines,
    ...move,
    account: null,
    postings: postingsOfMove(move, null),
    reference: `file ${fileId}`,
    by: actor.name,
    postingNo,
  });
  await clearLines(session, [postingNo, entryId, today], amount);
  await run(`select set_config('enable_nestloop', 'on', true), set_config('work_mem', '4MB', true)`);
  await recordOperatorAction(tx, {
    actor: actorText(actor),
    action: "settlement.post",
    object: `file:${fileId}`,
    detail: `${fileName}: ${lines} lines`,
    after: { entryId, lines, amount: amount.toString() },
  });
  return { fileId, fileName, lines, amount, entryId, findings };
}

/**
 * Claims the receivables of the lines that were just posted.
 *
 * @throws ReceivableTaken one of them was cleared since the lines were read, or is being cleared at the same moment
 */
async function clearLines({ run }: Session, values: readonly unknown[], amount: bigint): Promise<void> {
  try {
    const [cleared] = await run<{ amount: bigint }>(CLEAR_LINES, values);
    if (cleared?.amount !== amount) throw new ReceivableTaken();
  } catch (error) {
    if (sqlStateOf(error) !== "23505") throw error;
    throw new ReceivableTaken(error);
  }
}

const FILES = `
  select f.file_id as "fileId", f.file_name as "fileName", f.partner_id as "partnerId",
         not exists (select from reconciliation_run r
                      where r.profile_code = f.profile_code and r.settlement_date = f.settlement_date
                        and r.finished_at is not null and r.finished_at > f.imported_at) as "isOpen"
    from settlement_file f
   where f.profile_code = $1 and f.settlement_date = $2::date and f.superseded_by is null
   order by f.file_id`;

/** Matched lines of file $1 that nobody has to look at and that are not posted. */
const MATCHED = `
    select m.line_no, m.entry_id, m.entry_date, m.head_line_no, m.run_id, m.rule, l.status, l.trax_id, l.amount
      from settlement_match m
      join settlement_line l on l.file_id = m.file_id and l.line_no = m.line_no
     where m.file_id = $1 and m.replaced_by_run is null
       and not exists (select from reconciliation_finding f
                        where f.file_id = m.file_id and f.line_no = m.line_no and f.replaced_by_run is null)
       and not exists (select from reconciliation_finding f
                        where f.file_id = m.file_id and f.line_no = m.head_line_no and f.replaced_by_run is null)
       and not exists (select from settlement_line_posting p
                        where p.file_id = m.file_id and p.line_no = m.line_no and p.undone_by is null)`;

/** Receivables of which anything is cleared, as they stand now. */
const CLEARED = `
    select c.entry_id, c.reversed, c.written_off, c.accepted
      from receivable_clearing c
     where c.settled + c.reversed + c.written_off + c.accepted + c.recovered + c.excess > 0
       and not exists (select from receivable_clearing n where n.entry_id = c.entry_id and n.version > c.version)`;

/**
 * Matched lines that say "paid" and whose payment is not due any more, as findings. Not among them is what the file takes back
 * itself: a line that says "reversed" beside it, for a payment that is not due here either. Where that payment is due again,
 * because its reversal was undone, the line that says "reversed" is a finding. $1 file.
 */
const FIND_NOT_DUE = `
  with matched as (${MATCHED}), not_due as (
    select m.line_no, min(m.run_id) as run_id, min(m.rule) as rule, min(m.amount) as amount,
           (array_agg(m.entry_id order by m.entry_id))[1] as entry_id,
           (array_agg(m.entry_date order by m.entry_id))[1] as entry_date,
           bool_or(c.reversed > 0) as is_reversed, bool_or(c.written_off + c.accepted > 0) as is_given_up
      from matched m join (${CLEARED}) c on c.entry_id = m.entry_id
     where m.status = 'paid'
       and not exists (
             select from matched r where r.status = 'reversed' and r.entry_id is null and r.trax_id = m.trax_id)
     group by m.line_no
  ), taken_back as (
    select r.line_no, min(r.run_id) as run_id, min(r.amount) as amount,
           (array_agg(m.entry_id order by m.line_no))[1] as entry_id,
           (array_agg(m.entry_date order by m.line_no))[1] as entry_date
      from matched r
      join matched m on m.status = 'paid' and m.entry_id is not null and m.trax_id = r.trax_id
     where r.status = 'reversed' and r.entry_id is null
       and not exists (select from (${CLEARED}) c where c.entry_id = m.entry_id)
     group by r.line_no
  ), beside as (
    insert into reconciliation_finding (finding_id, run_id, profile_code, business_date, file_id, line_no, class, amount,
                                        difference, fee_difference, nearest_trax_id, nearest_entry_id, blocked_by,
                                        differing_fields, tried)
    select gen_random_uuid(), t.run_id, f.profile_code, f.settlement_date, f.file_id, t.line_no, 'reversed-there', t.amount,
           -t.amount, -e.fee_amount, e.trax_id, t.entry_id, 'status', '{status}', '[]'
      from taken_back t
      join settlement_file f on f.file_id = $1
      join journal_entry e on e.entry_id = t.entry_id and e.business_date = t.entry_date
    returning 1
  ), found as (
    insert into reconciliation_finding (finding_id, run_id, profile_code, business_date, file_id, line_no, entry_id,
                                        entry_date, class, rule, amount, difference, fee_difference, nearest_trax_id,
                                        nearest_entry_id, blocked_by, differing_fields, tried)
    select gen_random_uuid(), d.run_id, f.profile_code, f.settlement_date, f.file_id, d.line_no, d.entry_id, d.entry_date,
           case when d.is_reversed then 'reversed-here' when d.is_given_up then 'recovered' else 'amount-differs' end,
           d.rule, d.amount, d.amount, coalesce(e.fee_amount, 0), e.trax_id, d.entry_id, 'status', '{status}', '[]'
      from not_due d
      join settlement_file f on f.file_id = $1
      join journal_entry e on e.entry_id = d.entry_id and e.business_date = d.entry_date
    returning 1)
  select (select count(*) from found)::int + (select count(*) from beside)::int as count`;

/**
 * Writes the matched lines under their posting and sums what they settle: the receivables of the lines that say "paid". A line
 * that says "reversed" beside one of them, both of this file and of a payment that is not due here either, is posted with it
 * and moves nothing. $1 file, $2 posting.
 */
const POST_LINES = `
  with matched as (${MATCHED}), cleared as (${CLEARED}), to_post as materialized (
    select m.line_no, m.entry_id, case when c.entry_id is null then g.amount else 0 end as due
      from matched m
      left join cleared c on c.entry_id = m.entry_id
      left join posting g
        on g.entry_id = m.entry_id and g.business_date = m.entry_date and g.account_code = 'due-from-switch'
     where m.status = 'paid'
       -- Reversed a moment ago, since the lines were looked at: the line waits, and is a finding the next time.
       and (not exists (select from matched w join cleared x on x.entry_id = w.entry_id where w.line_no = m.line_no)
            or exists (select from matched r
                        where r.status = 'reversed' and r.entry_id is null and r.trax_id = m.trax_id))
    union all
    select r.line_no, null, 0
      from matched r
     where r.status = 'reversed' and r.entry_id is null
       and exists (select from matched m join cleared c on c.entry_id = m.entry_id
                    where m.status = 'paid' and m.trax_id = r.trax_id)
  ), written as (
    insert into settlement_line_posting (file_id, line_no, posting_no)
    select distinct $1::int, line_no, $2::int from to_post
  )
  select count(distinct line_no)::int as lines, coalesce(sum(due), 0)::bigint as amount
    from to_post`;

/** $1 posting, $2 its entry, $3 the entry's business date. */
const CLEAR_LINES = `
  with cleared as (
  insert into receivable_clearing (entry_id, version, bill_key, entry_date, partner_id, kind, amount, opened, settled,
                                   reversed, written_off, accepted, recovered, excess, by_entry_id, by_entry_date)
  select e.entry_id, coalesce(c.version, 0) + 1, e.bill_key, e.business_date, e.partner_id, 'settled', g.amount, g.amount,
         g.amount, 0, 0, 0, 0, 0, $2::uuid, $3::date
    from settlement_line_posting p
    join settlement_line l on l.file_id = p.file_id and l.line_no = p.line_no and l.status = 'paid'
    join settlement_match m on m.file_id = p.file_id and m.line_no = p.line_no and m.replaced_by_run is null
    join journal_entry e on e.entry_id = m.entry_id and e.business_date = m.entry_date
    join posting g on g.entry_id = e.entry_id and g.bill_key = e.bill_key and g.business_date = e.business_date
     and g.account_code = 'due-from-switch' and g.side = 'debit'
    left join receivable_clearing c on c.entry_id = e.entry_id
     and not exists (select from receivable_clearing n where n.entry_id = c.entry_id and n.version > c.version)
   where p.posting_no = $1 and p.undone_by is null
     and coalesce(c.settled + c.reversed + c.written_off + c.accepted + c.recovered + c.excess, 0) = 0
   order by e.entry_id
  returning amount)
  select coalesce(sum(amount), 0)::bigint as amount from cleared`;
