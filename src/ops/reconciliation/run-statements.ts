import { latestClearing } from "../../ledger";

/** Statements of a run. $1 is the run throughout, where a statement has one. */

/** Links and findings of files that a later version has replaced: they count no more. $2 profile. */
export const RELEASE_SUPERSEDED = (table: "settlement_match" | "reconciliation_finding"): string => `
  update ${table} as r set replaced_by_run = $1
    from settlement_file f
   where f.profile_code = $2 and f.superseded_by is not null and r.file_id = f.file_id and r.replaced_by_run is null`;

/**
 * Links of lines that did not agree and that nobody has dealt with: they are decided again. $2 files; with $3 the links
 * that declared rules have made, too.
 */
export const RELEASE_OPEN = `
  update settlement_match as m set replaced_by_run = $1
   where m.file_id = any($2::int[]) and m.replaced_by_run is null
     and (($3::boolean and m.rule is not null)
          or exists (select from reconciliation_finding f
                      where f.file_id = m.file_id and f.line_no = coalesce(m.head_line_no, m.line_no)
                        and f.replaced_by_run is null and f.resolved_at is null))
     and not exists (select from reconciliation_finding f
                      where f.file_id = m.file_id and f.line_no = coalesce(m.head_line_no, m.line_no)
                        and f.replaced_by_run is null and f.resolved_at is not null)`;

/**
 * Links of matched lines that are not posted and whose payment was reversed or given up since: they are decided again. A line
 * that the file itself takes back stays as it is, unless the reversal of its payment was undone. $2 files.
 */
export const RELEASE_NOT_DUE = `
  with unposted as (
    select m.file_id, m.line_no, m.head_line_no, m.entry_id, l.trax_id, l.status
      from settlement_match m
      join settlement_line l on l.file_id = m.file_id and l.line_no = m.line_no
     where m.file_id = any($2::int[]) and m.replaced_by_run is null and l.status in ('paid', 'reversed')
       and (l.status = 'reversed' or exists (select from receivable_clearing c where c.entry_id = m.entry_id))
       and not exists (select from settlement_line_posting p
                        where p.file_id = m.file_id and p.line_no = m.line_no and p.undone_by is null)
       and not exists (select from reconciliation_finding f
                        where f.file_id = m.file_id and f.line_no = m.line_no and f.replaced_by_run is null)
  ), reinstated as (
    select m.file_id, coalesce(m.head_line_no, m.line_no) as line_no, r.line_no as reversed_line_no
      from unposted r
      join unposted m on m.file_id = r.file_id and m.trax_id = r.trax_id and m.status = 'paid' and m.entry_id is not null
     where r.status = 'reversed' and r.entry_id is null
       and not exists (select from receivable_clearing c
                        where c.entry_id = m.entry_id
                          and c.settled + c.reversed + c.written_off + c.accepted + c.recovered + c.excess > 0
                          and not exists (select from receivable_clearing n
                                           where n.entry_id = c.entry_id and n.version > c.version))
  ), lines as (
    select file_id, line_no from reinstated
    union
    select file_id, reversed_line_no from reinstated
    union
    select m.file_id, coalesce(m.head_line_no, m.line_no) as line_no
      from settlement_match m
      join settlement_line l on l.file_id = m.file_id and l.line_no = m.line_no and l.status = 'paid'
      join receivable_clearing c on c.entry_id = m.entry_id and (c.reversed > 0 or c.written_off + c.accepted > 0)
       and not exists (select from receivable_clearing n where n.entry_id = c.entry_id and n.version > c.version)
     where m.file_id = any($2::int[]) and m.replaced_by_run is null
       and not exists (select from reconciliation_finding f
                        where f.file_id = m.file_id and f.line_no = m.line_no and f.replaced_by_run is null)
       and not exists (select from settlement_line_posting p
                        where p.file_id = m.file_id and p.line_no = m.line_no and p.undone_by is null)
       and not exists (
             select from settlement_match r
               join settlement_line k on k.file_id = r.file_id and k.line_no = r.line_no
              where r.file_id = m.file_id and r.replaced_by_run is null and r.entry_id is null and k.status = 'reversed'
                and k.trax_id = l.trax_id)
  )
  update settlement_match as m set replaced_by_run = $1
    from lines
   where m.file_id = lines.file_id and coalesce(m.head_line_no, m.line_no) = lines.line_no and m.replaced_by_run is null`;

/**
 * Lines of files that no run has seen yet, and that agree with a payment of the day in everything, are linked at once. Of
 * several such lines the first one is. What this links, \`decideByTraxId\` would call matched: tested against it.
 * $2 files, $3 partner, $4 day.
 */
export const LINK_EXACT = `
  insert into settlement_match (entry_id, file_id, line_no, run_id, entry_date)
  select entry_id, file_id, line_no, $1, $4::date
    from (select e.entry_id, l.file_id, l.line_no,
                 row_number() over (partition by e.entry_id order by l.file_id, l.line_no) as position
            from settlement_line l
            join journal_entry e
              on e.trax_id = l.trax_id and e.amount = l.amount
             and (l.fee_amount is null or l.fee_amount = e.fee_amount)
             and (l.bill_number is null or l.bill_number = e.bill_number)
             and (l.product_code is null or l.product_code = e.product_code)
           where l.file_id = any($2::int[]) and l.status = 'paid' and l.business_date = $4::date
             and e.business_date = $4::date and e.partner_id = $3 and e.kind = 'payment'
             and not exists (select from receivable_clearing c
                              where c.entry_id = e.entry_id and c.entry_date = $4::date)) as agreeing
   where position = 1`;

/** What is left to decide. $2 files. */
export const COLLECT_OPEN_LINES = `
  insert into reconciliation_work_line (run_id, file_id, line_no, trax_id, bill_number)
  select $1, l.file_id, l.line_no, l.trax_id, l.bill_number
    from settlement_line l
   where l.file_id = any($2::int[]) and l.fault is null
     and not exists (select from settlement_match m
                      where m.file_id = l.file_id and m.line_no = l.line_no and m.part_no = 0 and m.replaced_by_run is null)
     and not exists (select from reconciliation_finding f
                      where f.file_id = l.file_id and f.line_no = l.line_no and f.resolved_at is not null)`;

/** The lines that the first comparison has left. $2, $3 their files and numbers. */
export const COLLECT_UNLINKED_LINES = `
  insert into reconciliation_work_line (run_id, file_id, line_no, trax_id, bill_number)
  select $1, l.file_id, l.line_no, l.trax_id, l.bill_number
    from unnest($2::int[], $3::int[]) as u(file_id, line_no)
    join settlement_line l on l.file_id = u.file_id and l.line_no = u.line_no`;

const LINE_COLUMNS = `l.file_id, l.line_no, l.trax_id, l.product_code, l.bill_number, l.amount, l.fee_amount,
  l.business_date, (extract(epoch from l.paid_at) * 1000)::float8 as paid_at_ms, l.status`;

/** Open lines with the payment of their traxId, whoever posted it, by traxId. $2 partner. */
export const OPEN_LINES_BY_TRAX = `
  select ${LINE_COLUMNS}, t.entry_id, t.product_code as t_product_code, t.bill_number as t_bill_number,
         t.amount as t_amount, t.fee_amount as t_fee_amount, t.business_date as t_business_date,
         (extract(epoch from t.received_at) * 1000)::float8 as t_happened_at_ms, t.trax_id is not null as is_known,
         c.reversed > 0 as is_reversed, c.written_off + c.accepted > 0 as is_given_up,
         m.file_id as held_file_id, m.line_no as held_line_no
    from reconciliation_work_line w
    join settlement_line l on l.file_id = w.file_id and l.line_no = w.line_no
    left join trax t on t.partner_id = $2 and t.trax_id = w.trax_id
     and t.family in ('payment', 'manual-payment') and not t.answers_manual
    left join settlement_match m on m.entry_id = t.entry_id and m.replaced_by_run is null
    left join lateral ${latestClearing("t.entry_id")} c on true
   where w.run_id = $1 and w.trax_id is not null
   order by w.trax_id collate "C", w.file_id, w.line_no`;

/** Open lines by bill number; those without one are left out. */
export const OPEN_LINES_BY_BILL = `
  select ${LINE_COLUMNS}, w.tried
    from reconciliation_work_line w
    join settlement_line l on l.file_id = w.file_id and l.line_no = w.line_no
   where w.run_id = $1
   order by w.bill_number collate "C" nulls last, w.file_id, w.line_no`;

/** How many lines are open, and of which days. Null where there is none. */
export const OPEN_DAYS = `
  select count(*)::int as count, min(l.business_date) as first, max(l.business_date) as last
    from reconciliation_work_line w
    join settlement_line l on l.file_id = w.file_id and l.line_no = w.line_no
   where w.run_id = $1`;

/** Payments of the bills that open lines are about. $2 partner, $3 first day of these lines, $4 last, $5 days around them. */
export const COLLECT_PAYMENTS = `
  insert into reconciliation_work_payment (run_id, entry_id, entry_date, bill_key, trax_id, product_code, bill_number,
                                           amount, fee_amount, happened_at)
  select $1, e.entry_id, e.business_date, e.bill_key, e.trax_id, e.product_code, e.bill_number, e.amount, e.fee_amount,
         e.happened_at
    from journal_entry e
   where e.partner_id = $2 and e.kind = 'payment'
     and e.business_date between $3::date - $5::int and $4::date + $5::int
     and e.bill_number in (select w.bill_number from reconciliation_work_line w where w.run_id = $1)`;

/** Those payments by bill number. */
export const PAYMENTS_BY_BILL = `
  select p.entry_id, p.entry_date, p.trax_id, p.product_code, p.bill_number, p.amount, p.fee_amount,
         (extract(epoch from p.happened_at) * 1000)::float8 as happened_at_ms,
         c.reversed > 0 as is_reversed, c.written_off + c.accepted > 0 as is_given_up,
         m.file_id as held_file_id, m.line_no as held_line_no
    from reconciliation_work_payment p
    left join settlement_match m on m.entry_id = p.entry_id and m.replaced_by_run is null
    left join lateral ${latestClearing("p.entry_id")} c on true
   where p.run_id = $1
   order by p.bill_number collate "C", p.entry_id`;

/** Receivables of which nothing is due any more. */
const FULLY_CLEARED = `
  select c.entry_id from receivable_clearing c
   where c.settled + c.reversed + c.written_off + c.accepted + c.recovered = c.opened
     and not exists (select from receivable_clearing n where n.entry_id = c.entry_id and n.version > c.version)`;

/** Payments that were missed in the files and that a line speaks of by now, or that the switch owes nothing for. $2 profile. */
export const REPLACE_FOUND_PAYMENTS = `
  update reconciliation_finding as f set replaced_by_run = $1
   where f.profile_code = $2 and f.class = 'missing-in-file' and f.replaced_by_run is null and f.resolved_at is null
     and (exists (select from settlement_match m where m.entry_id = f.entry_id and m.replaced_by_run is null)
          or exists (select from (${FULLY_CLEARED}) c where c.entry_id = f.entry_id))`;

/**
 * Accepted payments of a day without a line; `once` ends each look-up. One that was found before, and then not any more, is
 * the same exception again.
 */
const missingInFile = (once: string): string => `
  insert into reconciliation_finding (finding_id, run_id, profile_code, business_date, entry_id, entry_date, class, amount,
                                      difference, fee_difference, nearest_trax_id, nearest_entry_id, differing_fields, tried,
                                      item_id)
  select gen_random_uuid(), $1, $2, $3::date, e.entry_id, e.business_date, 'missing-in-file', e.amount, -e.amount,
         -e.fee_amount, e.trax_id, e.entry_id, '{}', '[]',
         (select f.item_id from reconciliation_finding f
           where f.entry_id = e.entry_id and f.file_id is null and f.replaced_by_run is not null
           order by f.found_at desc limit 1)
    from journal_entry e
   where e.partner_id = $4 and e.kind = 'payment' and e.business_date = $3::date
     and (cardinality($5::text[]) = 0 or e.product_code = any($5::text[]))
     and not exists (select from settlement_match m
                      where m.entry_id = e.entry_id and m.replaced_by_run is null and m.entry_date = $3::date ${once})
     and not exists (select from (${FULLY_CLEARED} and c.entry_date = $3::date) c where c.entry_id = e.entry_id ${once})
     and not exists (select from reconciliation_finding f
                      where f.entry_id = e.entry_id and f.file_id is null and f.replaced_by_run is null ${once})`;

/** Accepted payments of the day that no line speaks of. $2 profile, $3 day, $4 partner, $5 products; none: all. */
export const FIND_MISSING_IN_FILE = missingInFile("");

/**
 * The same of payments that the first comparison has left; a line may have been found for them since. $6 entries. `offset 0`
 * keeps each look-up one by its key: the planner takes links that were written a moment ago for a few, and would read all
 * of them for each payment.
 */
export const FIND_MISSING_OF_UNLINKED = `${missingInFile("offset 0")} and e.entry_id = any($6::uuid[])`;

/** What a run has changed of what was found before; lines that are seen for the first time are not listed. $2 at most. */
export const CHANGES = `
  with touched as (
    select file_id, line_no from reconciliation_finding where replaced_by_run = $1 and file_id is not null
    union
    select file_id, line_no from settlement_match where replaced_by_run = $1
  ), lines as (
    select r.file_id, r.line_no, r.trax_id, r.amount,
           coalesce(f.class, case when r.finding_id is not null and r.run_id <> $1 then r.class end, 'matched') as class_before,
           coalesce(f.rule, m.rule, case when m.entry_id is not null then 'traxId' end) as rule_before,
           r.class as class_now, r.rule as rule_now
      from touched t
      join settlement_file s on s.file_id = t.file_id and s.superseded_by is null
      join settlement_line_result r on r.file_id = t.file_id and r.line_no = t.line_no
      left join reconciliation_finding f
        on f.file_id = t.file_id and f.line_no = t.line_no and f.replaced_by_run = $1
      left join settlement_match m
        on m.file_id = t.file_id and m.line_no = t.line_no and m.part_no = 0 and m.replaced_by_run = $1
    union all
    select null, null, f.nearest_trax_id, f.amount, 'missing-in-file', null, 'in a file, or reversed', null
      from reconciliation_finding f
     where f.replaced_by_run = $1 and f.file_id is null
    union all
    select null, null, f.nearest_trax_id, f.amount, 'in a file, or not yet looked for', null, 'missing-in-file', null
      from reconciliation_finding f
     where f.run_id = $1 and f.file_id is null and f.replaced_by_run is null
       and exists (select from reconciliation_run mine
                     join reconciliation_run earlier using (profile_code, settlement_date)
                    where mine.run_id = $1 and earlier.run_id < mine.run_id)
  )
  select file_id as "fileId", line_no as "lineNo", trax_id as "traxId", amount, class_before as "classBefore",
         rule_before as "ruleBefore", class_now as "classNow", rule_now as "ruleNow"
    from lines
   where (class_before, rule_before) is distinct from (class_now, rule_now)
   order by file_id, line_no, trax_id
   limit $2`;
