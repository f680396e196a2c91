import type { Statement, Tx } from "../../platform";
import { BY_ITSELF, closeFileExceptions } from "./file-exceptions";
import type { Session } from "./session";

/** The files that are expected on the days of a relation `d(day)`, by the versions that were set until a moment. */
const expectedOn = (days: string, asOf: string): string => `
  select d.day, e.profile_code, e.partner_id, e.product_code,
         (d.day + e.due_days + e.due_time) at time zone 'Asia/Jakarta' as due_at,
         concat_ws(':', 'expected', e.profile_code, e.partner_id, e.product_code, d.day) as subject
    from (${days}) d
   cross join lateral (
     select distinct on (v.profile_code, v.partner_id, v.product_code) v.*
       from settlement_expectation v
      where v.valid_from <= d.day and v.set_at <= ${asOf}
      order by v.profile_code, v.partner_id, v.product_code, v.version desc) e
   where e.is_expected and not d.day = any(e.except_dates)
     and (e.days = 'every-day' or extract(isodow from d.day) < 6 or d.day = any(e.also_dates))`;

/** Files of a subject `s(profile_code, partner_id, product_code, day)` that had come until a moment. */
const filesOf = (subject: string, asOf: string): string => `
  from settlement_file f
 where f.profile_code = ${subject}.profile_code and f.partner_id = ${subject}.partner_id
   and f.settlement_date = ${subject}.day and f.imported_at <= ${asOf} and f.supplement_of is null
   and (${subject}.product_code = '' or f.product_codes = '{}' or ${subject}.product_code = any(f.product_codes))`;

/** Proposals by which two people agreed until a moment to close the day of a subject without its file. */
const agreementsOn = (subject: string, asOf: string): string => `
  from exception m
  join exception_proposal p on p.item_id = m.exception_id
 where m.business_date = ${subject}.day and m.kind = 'missing-file' and m.bill_key = ${subject}.subject
   and p.action = 'close-without-file' and p.decision = 'approved' and p.decided_at <= ${asOf}
   and not exists (select from day_reopening r
                    where r.business_date = ${subject}.day and r.reopened_at > p.decided_at and r.reopened_at <= ${asOf})`;

/** Longest time, in days, that a missing file is looked for. */
const DAYS_BACK = 400;
const OPEN_DAYS = `
  select g::date as day
    from generate_series(
           greatest((select min(v.valid_from) from settlement_expectation v),
                    (select max(c.business_date) + 1 from closed_day c),
                    ($1::timestamptz at time zone 'Asia/Jakarta')::date - ${DAYS_BACK}),
           ($1::timestamptz at time zone 'Asia/Jakarta')::date, interval '1 day') g`;

/** $1 the time; $2 a day of which every missing file counts, due or not; null: those that are due. */
const OPEN_MISSING: Statement = {
  name: "ops_open_missing_files",
  isWrite: true,
  text: `
    insert into exception (exception_id, kind, bill_key, partner_id, trax_id, amount, detail, profile_code, business_date)
    select gen_random_uuid(), 'missing-file', s.subject, s.partner_id, '',
           (select coalesce(sum(e.amount), 0)::bigint from journal_entry e
             where e.business_date = s.day and e.partner_id = s.partner_id and e.kind = 'payment'
               and (s.product_code = '' or e.product_code = s.product_code)),
           'no file of ' || s.profile_code || case s.product_code when '' then '' else ', product ' || s.product_code end
             || ' for ' || s.day || ' has come; it is due ' || to_char(s.due_at at time zone 'Asia/Jakarta',
             'YYYY-MM-DD HH24:MI') || ' WIB',
           s.profile_code, s.day
      from (${expectedOn(OPEN_DAYS, "'infinity'")}) s
     where case when $2::date is null then s.due_at <= $1::timestamptz else s.day = $2::date end
       and not exists (select from exception x where x.bill_key = s.subject and x.kind = 'missing-file'
                          and x.business_date = s.day and x.closed_at is null)
       and not exists (select ${filesOf("s", "'infinity'")})
       and not exists (select ${agreementsOn("s", "'infinity'")})
        on conflict (bill_key, partner_id, trax_id, kind) where closed_at is null do nothing
    returning exception_id as "itemId"`,
};

/** An open missing file as the subject of a file; the product is the fourth part of its key. */
const AS_SUBJECT = `(select x.profile_code, x.partner_id, x.business_date as day, split_part(x.bill_key, ':', 4) as product_code) s`;
const FIRST_FILE = `select f.file_id, f.file_name ${filesOf("s", "'infinity'")} order by f.file_id limit 1`;
const CLOSE_ARRIVED = closeFileExceptions(
  "files_that_arrived",
  `(select 'the file has come: file ' || a.file_id || ', ' || a.file_name
      from ${AS_SUBJECT} cross join lateral (${FIRST_FILE}) a)`,
  `x.kind = 'missing-file' and exists (select from ${AS_SUBJECT} cross join lateral (${FIRST_FILE}) a)`,
);
const CLOSE_UNEXPECTED = closeFileExceptions(
  "files_not_expected",
  "'no file is expected any more'",
  `x.kind = 'missing-file' and not exists (
     select from (${expectedOn("select x.business_date as day", "'infinity'")}) s where s.subject = x.bill_key)`,
);

/** Closes what is open about files that have come. */
export async function closeArrived(tx: Tx): Promise<readonly string[]> {
  return (await tx.run<{ itemId: string }>(CLOSE_ARRIVED, [BY_ITSELF])).map(({ itemId }) => itemId);
}

/**
 * Opens an exception for every expected file that has not come by its due time, and closes those of files that have come or
 * are not expected any more. May be done at any time, by several processes at once.
 *
 * @param day also what is not due yet, of this business date alone
 */
export async function trackMissingFiles(
  tx: Tx,
  nowMs: number,
  day: string | null = null,
): Promise<{ readonly opened: number; readonly closed: number }> {
  const arrived = await closeArrived(tx);
  const unexpected = await tx.run<{ itemId: string }>(CLOSE_UNEXPECTED, [BY_ITSELF]);
  const opened = await tx.run<{ itemId: string }>(OPEN_MISSING, [new Date(nowMs), day]);
  return { opened: opened.length, closed: arrived.length + unexpected.length };
}

/** A file that is expected for a day, and what has become of it. */
export interface ExpectedFile {
  readonly profile: string;
  readonly partner: string;
  /** Null: of whatever products. */
  readonly product: string | null;
  /** UTC, seconds. */
  readonly dueAt: string;
  readonly state: "arrived" | "without-file" | "missing";
  /** Names of the files that have come. */
  readonly files: readonly string[];
  /** Why two people close the day without it. */
  readonly reason: string | null;
  readonly proposedBy: string | null;
  readonly approvedBy: string | null;
}

const UTC_SECONDS = `'YYYY-MM-DD"T"HH24:MI:SS"Z"'`;
const EXPECTED = `
  select s.profile_code as profile, (select q.user_name from partner q where q.partner_id = s.partner_id) as partner,
         nullif(s.product_code, '') as product, to_char(s.due_at at time zone 'UTC', ${UTC_SECONDS}) as "dueAt",
         case when cardinality(c.files) > 0 then 'arrived' when a.reason is not null then 'without-file' else 'missing' end
           as state,
         c.files, case when cardinality(c.files) = 0 then a.reason end as reason,
         case when cardinality(c.files) = 0 then a.proposed_by end as "proposedBy",
         case when cardinality(c.files) = 0 then a.decided_by end as "approvedBy"
    from (${expectedOn("select $1::date as day", "$2::timestamptz")}) s
   cross join lateral (select array(select distinct f.file_name ${filesOf("s", "$2::timestamptz")} order by 1) as files) c
    left join lateral (select p.reason, p.proposed_by, p.decided_by ${agreementsOn("s", "$2::timestamptz")}
                        order by p.decided_at desc limit 1) a on true
   order by 1, 2, 3 nulls first`;

/** The files that are expected for a business date, as things were at a moment (UTC). */
export function readExpectedFiles({ run }: Session, day: string, asOf: string): Promise<ExpectedFile[]> {
  return run<ExpectedFile>(EXPECTED, [day, asOf]);
}

/** Accepted payments of a day and product that no file speaks of and that none is expected for. Whole rupiah as digits. */
export interface UnexpectedPayments {
  readonly partner: string;
  readonly product: string;
  readonly count: number;
  readonly amount: string;
}

const WITHOUT_FILE = `
  with expected as materialized (${expectedOn("select $1::date as day", "$2::timestamptz")}),
  paid as (
    select e.partner_id, e.product_code, count(*)::int as count, sum(e.amount)::text as amount
      from journal_entry e
     where e.business_date = $1::date and e.kind = 'payment' and e.recorded_at <= $2::timestamptz group by 1, 2)
  select (select q.user_name from partner q where q.partner_id = p.partner_id) as partner, p.product_code as product,
         p.count, p.amount
    from paid p
   where not exists (select from expected s
                      where s.partner_id = p.partner_id and s.product_code in ('', p.product_code))
     and not exists (select from settlement_file f
                      where f.partner_id = p.partner_id and f.settlement_date = $1::date
                        and f.imported_at <= $2::timestamptz
                        and (f.product_codes = '{}' or p.product_code = any(f.product_codes)))
   order by 1, 2`;

/** The payments of a day that nobody expects a file for, as things were at a moment (UTC). */
export function readPaymentsWithoutFile({ run }: Session, day: string, asOf: string): Promise<UnexpectedPayments[]> {
  return run<UnexpectedPayments>(WITHOUT_FILE, [day, asOf]);
}
