import pg from "pg";

/** Statements that the database itself must refuse, whoever sends them; each is rolled back. */
const MUST_BE_REFUSED: readonly (readonly [what: string, text: string])[] = [
  ["a stored reply was changed", `update trax set reply_body = 'x'`],
  ["a stored traxId was deleted", `delete from trax`],
  ["an entry was changed", `update journal_entry set amount = amount + 1`],
  ["a posting was deleted", `delete from posting`],
  [
    "an entry that does not balance was written",
    `insert into posting (entry_id, line_no, bill_key, business_date, account_code, side, amount)
     values (gen_random_uuid(), 1, 'probe', current_date, 'suspense', 'debit', 1)`,
  ],
  ["a traxId was stored twice", `insert into trax select * from trax limit 1`],
];

/** Tries, as the owner of the tables, what nobody may do; names what was possible. Needs rows in all tables to tell. */
export async function probeSafeguards(ownerUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: ownerUrl });
  client.on("error", () => {});
  await client.connect();
  const possible: string[] = [];
  try {
    for (const [what, text] of MUST_BE_REFUSED) {
      await client.query("begin");
      try {
        const { rowCount } = await client.query(text);
        if ((rowCount ?? 0) > 0) possible.push(`not refused by the database: ${what}`);
      } catch {
        // As it should be.
      }
      await client.query("rollback");
    }
    const { rows } = await client.query<{ name: string }>(
      `select 'synchronous_commit' as name where current_setting('synchronous_commit') = 'off'
       union all select 'fsync' where current_setting('fsync') = 'off'
       union all select 'the primary key of trax' where not exists (
         select from pg_index i join pg_class c on c.oid = i.indrelid
          where c.relname = 'trax' and i.indisunique and i.indisvalid)`,
    );
    for (const { name } of rows) possible.push(`${name} is missing or off`);
  } finally {
    await client.end();
  }
  return possible;
}
