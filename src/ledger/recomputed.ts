import type { Statement, Tx } from "../platform";
import { CHART } from "./chart";

/** Something that is not what follows from what is sealed. */
export interface Recomputed {
  readonly row: string;
  readonly what: string;
}

/** What an entry of a payment credits to the bill, keeps for the customer, or holds in suspense. */
const CREDITED = `
      select e.entry_id, e.bill_key, e.business_date, e.amount, e.fee_amount,
             coalesce(sum(p.amount) filter (where p.account_code = 'unapplied-credit'), 0) as unapplied,
             coalesce(sum(p.amount) filter (where p.account_code in ('fee-earned', 'fee-payable')), 0) as fee,
             coalesce(sum(p.amount) filter (where p.account_code in ('bill-collections', 'merchant-payable')), 0) as applied,
             coalesce(sum(p.amount) filter (where p.account_code = 'suspense'), 0) as suspended
        from journal_entry e
        left join posting p
          on p.entry_id = e.entry_id and p.bill_key = e.bill_key and p.business_date = e.business_date and p.side = 'credit'
       where e.kind = 'payment'
       group by e.entry_id, e.bill_key, e.business_date, e.amount, e.fee_amount`;

/** Each gives `row` and `what`, $1 of them at most. No rows: all is well. */
const CHECKS: readonly Statement[] = [
  {
    name: "ledger_check_balance",
    text: `
    select 'journal_entry ' || p.entry_id as row,
           'its debits and credits differ by ' || abs(sum(case p.side when 'debit' then p.amount else -p.amount end)) as what
      from posting p
     group by p.entry_id having sum(case p.side when 'debit' then p.amount else -p.amount end) <> 0
     limit $1`,
  },
  {
    name: "ledger_check_credited",
    text: `
    select 'journal_entry ' || c.entry_id as row,
           'it is about ' || c.amount || ' with a fee of ' || c.fee_amount || ', and its lines say otherwise' as what
      from (${CREDITED}) c
     where not (c.suspended = 0 and c.amount = c.applied + c.unapplied)
       and not (c.suspended in (c.amount, c.amount + c.fee_amount) and c.applied + c.unapplied + c.fee = 0)
     limit $1`,
  },
  {
    name: "ledger_check_registry",
    text: `
    select coalesce('trax (' || t.partner_id || ', ' || t.trax_id || ', ' || t.family || ')', 'journal_entry ' || e.entry_id) as row,
           'registry and journal do not say the same about it' as what
      from (select * from trax where entry_id is not null) t
      full join (select * from journal_entry where kind in ('payment', 'reversal')) e on e.entry_id = t.entry_id
     where (t.partner_id, t.trax_id, t.family, t.amount, t.bill_key) is distinct from
           (e.partner_id, e.trax_id, e.kind, e.amount, e.bill_key)
     limit $1`,
  },
  {
    name: "ledger_check_once",
    text: `
    select 'trax (' || e.partner_id || ', ' || e.trax_id || ', ' || e.kind || ')' as row,
           'money moved ' || count(*) || ' times under it' as what
      from journal_entry e
     where e.kind = 'payment'
     group by e.partner_id, e.trax_id, e.kind having count(*) > 1
     limit $1`,
  },
  {
    name: "ledger_check_bills",
    text: `
    select 'bill ' || b.bill_key as row,
           'it says that ' || b.paid_amount || ' was paid, and the books ' || coalesce(j.applied, 0) as what
      from bill b
      left join (select c.bill_key, sum(c.applied) as applied
                   from (${CREDITED}) c
                  where not exists (select from journal_entry r where r.reverses_entry_id = c.entry_id)
                  group by c.bill_key) j on j.bill_key = b.bill_key
     where b.paid_amount <> coalesce(j.applied, 0)
     order by b.bill_key
     limit $1`,
  },
  {
    name: "ledger_check_bill_totals",
    text: `
    select 'bill ' || b.bill_key as row,
           'it says that ' || b.total_amount || ' is owed, and its items ' || coalesce(sum(i.amount), 0) as what
      from bill b
      left join bill_item i on i.bill_key = b.bill_key
     group by b.bill_key, b.total_amount having b.total_amount <> coalesce(sum(i.amount), 0)
     order by b.bill_key
     limit $1`,
  },
  {
    name: "ledger_check_handling",
    text: `
    select 'exception_handling ' || coalesce(h.item_id, v.item_id) as row,
           'its owner or the day that it was carried to is not what its history says' as what
      from exception_handling h
      full join (select item_id, (array_agg(substr(detail, 4) order by event_id desc) filter (where kind = 'assigned'))[1] as owner,
                        (array_agg(substr(detail, 4, 10) order by event_id desc) filter (where kind = 'carried'))[1] as carried_to
                   from exception_event where kind in ('assigned', 'carried') group by item_id) v on v.item_id = h.item_id
     where (h.owner, to_char(h.carried_to, 'YYYY-MM-DD')) is distinct from (v.owner, v.carried_to)
     limit $1`,
  },
  {
    name: "ledger_check_lines",
    text: `
    select 'settlement_line (file ' || l.file_id || ', line ' || l.line_no || ')' as row, 'its file is not there' as what
      from settlement_line l
     where not exists (select from settlement_file f where f.file_id = l.file_id)
     limit $1`,
  },
  {
    name: "ledger_check_posted_lines",
    text: `
    select 'settlement_line_posting (file ' || l.file_id || ', line ' || l.line_no || ')' as row,
           'its posting is not there' as what
      from settlement_line_posting l
     where not exists (select from settlement_posting p where p.posting_no = l.posting_no)
     limit $1`,
  },
  {
    name: "ledger_check_undone_postings",
    text: `
    select 'settlement_posting ' || p.posting_no as row, 'what it says of its undoing is not what was approved' as what
      from settlement_posting p
      left join exception_proposal o on o.proposal_id = p.proposal_id
      left join settlement_posting u on u.proposal_id = (select q.proposal_id from exception_proposal q
                                                          where q.undoes = o.proposal_id and q.decision = 'approved')
     where p.undone_by is distinct from u.posting_no
     limit $1`,
  },
  {
    name: "ledger_check_undone_lines",
    text: `
    select 'settlement_line_posting (file ' || l.file_id || ', line ' || l.line_no || ')' as row,
           'it is undone and its posting is not, or the other way round' as what
      from settlement_line_posting l join settlement_posting p on p.posting_no = l.posting_no
     where l.undone_by is distinct from p.undone_by
     limit $1`,
  },
  {
    name: "ledger_check_matches",
    text: `
    select 'settlement_match (file ' || m.file_id || ', line ' || m.line_no || ')' as row,
           'it joins a line and a payment that do not agree, and names no rule by which they do' as what
      from settlement_match m
      join settlement_line l on l.file_id = m.file_id and l.line_no = m.line_no
      left join journal_entry e on e.entry_id = m.entry_id and e.business_date = m.entry_date
     where m.replaced_by_run is null and m.rule is null and m.entry_id is not null and m.part_no = 0
       and (e.entry_id is null or l.trax_id is distinct from e.trax_id and l.trax_id is not null)
     limit $1`,
  },
  {
    name: "ledger_check_origins",
    text: `
    select 'settlement_posting ' || p.posting_no as row, 'it is not what its journal entry moved' as what
      from settlement_posting p
     where p.due_amount <> coalesce((select sum(case g.side when 'credit' then g.amount else -g.amount end) from posting g
                                      where g.entry_id = p.entry_id and g.account_code = 'due-from-switch'), 0)
     limit $1`,
  },
];

const READ_CHART: Statement = {
  name: "ledger_read_chart",
  text: `select account_code, name, normal_side from account order by account_code`,
};

async function findWrongAccounts(tx: Tx): Promise<Recomputed[]> {
  const rows = await tx.run<{ account_code: string; name: string; normal_side: string }>(READ_CHART, []);
  const stored = new Map(rows.map((row) => [row.account_code, row]));
  const known = new Map(CHART.map((each) => [each.accountCode, each]));
  return [
    ...CHART.flatMap(({ accountCode, name, normalSide }) => {
      const found = stored.get(accountCode);
      if (found?.name === name && found.normal_side === normalSide) return [];
      const what = found === undefined ? "is gone" : `it is "${found.name}", ${found.normal_side}`;
      return [{ row: `account ${accountCode}`, what: `${what}; the chart says "${name}", ${normalSide}` }];
    }),
    ...rows.flatMap(({ account_code }) =>
      known.has(account_code) ? [] : [{ row: `account ${account_code}`, what: "it is in no chart of ours" }],
    ),
  ];
}

/**
 * What is not sealed row by row, computed from what is: bills against the books, registry against journal, who has an
 * exception, lines and postings without what they hang on, and the chart of accounts. Reads everything.
 *
 * @returns names of rows that are not what they should be, `limit` of each sort at most
 */
export async function findContradictions(tx: Tx, limit: number): Promise<Recomputed[]> {
  const found: Recomputed[] = await findWrongAccounts(tx);
  for (const check of CHECKS) found.push(...(await tx.run<Recomputed>(check, [limit])));
  return found;
}
