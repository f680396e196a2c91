import { isReversed, readBrokenReceivables } from "../../src/ledger";
import type { Tx } from "../../src/platform";
import type { TestDatabase } from "./services";

/** The laws of the books, stated once and checked after whatever a test did. Empty when all of them hold. */
export async function brokenLaws(database: TestDatabase): Promise<string[]> {
  const broken: string[] = [];
  const law = async (text: string, name: string): Promise<void> => {
    for (const row of await database.query<Record<string, unknown>>(text)) {
      broken.push(`${name}: ${Object.entries(row).join("; ")}`);
    }
  };
  await law(
    `select entry_id from posting group by entry_id having sum(case side when 'debit' then amount else -amount end) <> 0`,
    "an entry does not balance",
  );
  await law(
    `select e.entry_id from journal_entry e where not exists (select from posting p where p.entry_id = e.entry_id)`,
    "an entry has no postings",
  );
  await law(
    `select p.entry_id from posting p where not exists (select from journal_entry e where e.entry_id = p.entry_id)`,
    "a posting has no entry",
  );
  await law(
    `select partner_id, trax_id from journal_entry where kind = 'payment' group by 1, 2 having count(*) > 1`,
    "a traxId moved money twice",
  );
  await law(
    `select t.trax_id, t.family, e.kind from trax t full join journal_entry e on e.entry_id = t.entry_id
      where replace(t.family, 'manual-', '') is distinct from e.kind and e.kind in ('payment', 'reversal')
         or t.entry_id is not null and e.entry_id is null`,
    "registry and journal disagree",
  );
  await law(
    `select partner_id, trax_id from trax where family in ('payment', 'manual-payment') group by 1, 2
      having count(distinct entry_id) > 1 or count(*) filter (where not answers_manual) <> 1`,
    "two families carry a payment of one traxId",
  );
  await law(
    `select r.entry_id from journal_entry r left join journal_entry o on o.entry_id = r.reverses_entry_id
      where case when r.kind = 'reversal' then r.reverses_entry_id is null
                 else r.kind <> 'correction' and r.reverses_entry_id is not null end
         or r.reverses_entry_id is not null and (o.entry_id is null or o.amount <> r.amount
            or r.kind = 'reversal' and o.kind <> 'payment' or o.kind in ('payment', 'reversal') and o.bill_key <> r.bill_key)`,
    "an entry that takes back another one is not of the same bill and amount",
  );
  await law(
    `select r.reverses_entry_id from journal_entry r
      where r.reverses_entry_id is not null and not exists (select from journal_entry c where c.reverses_entry_id = r.entry_id)
      group by 1 having count(*) > 1`,
    "a payment was reversed twice",
  );
  await law(
    `select coalesce(r.reverses_entry_id, r.entry_id) as original, p.account_code
       from journal_entry r join journal_entry o on o.entry_id = r.reverses_entry_id
       join posting p on p.entry_id in (r.entry_id, o.entry_id)
      group by 1, 2 having sum(case side when 'debit' then p.amount else -p.amount end) <> 0`,
    "a reversal does not mirror its payment",
  );
  await law(
    `select r.trax_id from trax r join trax t using (partner_id, trax_id)
      where r.family = 'reversal' and r.outcome = 'NOT_FOUND' and t.family in ('payment', 'manual-payment')
        and t.outcome <> 'REVERSED'`,
    "a payment was posted although its reversal was told that there is none",
  );
  // What an entry credits, divided as the rules divide it: applied to the bill, beyond it, suspended, and the fee.
  const credited = `
    select e.entry_id, e.bill_key, e.amount, e.fee_amount,
           coalesce(sum(p.amount) filter (where p.account_code = 'unapplied-credit'), 0) as unapplied,
           coalesce(sum(p.amount) filter (where p.account_code in ('fee-earned', 'fee-payable')), 0) as fee,
           coalesce(sum(p.amount) filter (
             where p.account_code in ('bill-collections', 'merchant-payable')), 0) as applied,
           coalesce(sum(p.amount) filter (where p.account_code = 'suspense'), 0) as suspended
      from journal_entry e left join posting p on p.entry_id = e.entry_id and p.side = 'credit'
     where e.kind = 'payment' group by e.entry_id, e.bill_key, e.amount, e.fee_amount`;
  await law(
    `select * from (${credited}) c
      where not (suspended = 0 and amount = applied + unapplied)
        and not (suspended in (amount, amount + fee_amount) and applied + unapplied + fee = 0)`,
    "an entry's amount is not what it applied to the bill and kept for the customer, or suspended as a whole",
  );
  await law(
    `select entry_id, fee, fee_amount from (${credited}) c where fee not in (0, fee_amount)`,
    "an entry credits another fee than the one that was paid",
  );
  await law(
    `select b.bill_key, b.paid_amount, coalesce(sum(c.applied), 0) as applied
       from bill b left join (
              select * from (${credited}) all_entries
               where not ${isReversed("all_entries.entry_id")}) c
         on c.bill_key = b.bill_key
      group by b.bill_key, b.paid_amount having b.paid_amount <> coalesce(sum(c.applied), 0)`,
    "a bill's paid amount is not what was posted as applied to it",
  );
  await law(
    `select b.bill_key from bill b left join bill_item i on i.bill_key = b.bill_key
      group by b.bill_key, b.total_amount having b.total_amount <> coalesce(sum(i.amount), 0)`,
    "a bill's total is not the sum of its items",
  );
  await law(
    `select p.posting_no from settlement_posting p
      where p.transit_amount - coalesce((select sum(case side when 'debit' then amount else -amount end) from posting g
              where g.entry_id = p.entry_id and g.account_code = 'bank-in-transit'), 0) <> 0
         or p.due_amount <> coalesce((select sum(case side when 'credit' then amount else -amount end) from posting g
              where g.entry_id = p.entry_id and g.account_code = 'due-from-switch'), 0)
         or p.due_amount <> coalesce((select sum(c.amount) from receivable_clearing c where c.by_entry_id = p.entry_id), 0)`,
    "a settlement posting is not what its entry moved",
  );
  const tx: Tx = { run: (statement, values) => database.query(statement.text, values) };
  for (const { entryId, what } of await readBrokenReceivables(tx, 20)) broken.push(`receivable ${entryId}: ${what}`);
  await law(
    `select proposal_id from exception_proposal
      where decision = 'approved' and lower(btrim(decided_by)) = lower(btrim(proposed_by))`,
    "one person made and approved a proposal",
  );
  await law(
    `select i.item_id, i.closed_because from exception_item i
      where (i.closed_at is null) <> (
              exists (select from reconciliation_finding f
                       where f.item_id = i.item_id and f.replaced_by_run is null and f.resolved_at is null)
              or exists (select from exception x where x.exception_id = i.item_id and x.closed_at is null))`,
    "an item of the queue is open without anything to look at, or closed although there is",
  );
  await law(
    `select p.proposal_id from exception_proposal p join exception_item i on i.item_id = p.item_id
      where p.decision is null and (i.closed_at is not null or i.proposal_id is distinct from p.proposal_id)`,
    "a proposal waits about something that is closed",
  );
  return broken;
}
