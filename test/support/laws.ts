import type { TestDatabase } from "./services";

/** The laws of the books, stated once and checked after whatever a test did. Empty when all of them hold. */
export async function brokenLaws(database: TestDatabase): Promise<string[]> {
  const broken: string[] = [];
  const law = async (text: string, name: string): Promise<void> => {
    for (const row of await database.query<Record<string, unknown>>(text))
      broken.push(`${name}: ${JSON.stringify(row)}`);
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
    `select t.trax_id from trax t full join journal_entry e on e.entry_id = t.entry_id
      where t.family is distinct from 'payment' and e.entry_id is not null
         or t.entry_id is not null and e.entry_id is null`,
    "registry and journal disagree",
  );
  await law(
    `select b.bill_key, b.paid_amount, coalesce(sum(e.amount), 0) as posted
       from bill b left join journal_entry e on e.bill_key = b.bill_key and e.kind = 'payment'
      group by b.bill_key, b.paid_amount having b.paid_amount <> coalesce(sum(e.amount), 0)`,
    "a bill's paid amount is not what was posted on it",
  );
  await law(
    `select b.bill_key from bill b left join bill_item i on i.bill_key = b.bill_key
      group by b.bill_key, b.total_amount having b.total_amount <> coalesce(sum(i.amount), 0)`,
    "a bill's total is not the sum of its items",
  );
  return broken;
}
