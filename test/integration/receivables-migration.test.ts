import { readBrokenReceivables } from "../../src/ledger";
import type { Db } from "../../src/platform";
import { migrateToLatest, migratorConfig, shippedMigrations } from "../../src/platform/migrate";
import { fill, testDb } from "../support/builders";
import { createTestDatabase, type TestDatabase } from "../support/services";

jest.setTimeout(120_000);

const DAY = "2026-11-20";
const FIRST = "018-receivables";
const id = (n: number): string => `01980000-0000-7000-8000-${String(n).padStart(12, "0")}`;

describe("the migration of receivables with rows in place", () => {
  let database: TestDatabase;
  let owner: Db;
  beforeAll(async () => {
    database = await createTestDatabase();
    owner = testDb(database.ownerUrl, 2);
    await fill(database, []);
    const later = shippedMigrations().filter((name) => name >= FIRST);
    for (let step = 0; step < later.length; step += 1) await owner.knex.migrate.down(migratorConfig());
    await database.query("set session_replication_role = replica");
    await database.query(`insert into settlement_profile (profile_code, version, definition) values ('p', 1, '{}')`);
    await database.query(
      `insert into settlement_file (file_id, profile_code, profile_version, partner_id, file_name, version, content_sha256,
         byte_count, settlement_date, product_codes, line_count, bad_line_count, amount_total, fee_total, imported_by)
       values (1, 'p', 1, 1, 'day', 1, sha256('1'), 1, '${DAY}', '{}', 9, 0, 0, 0, 'x')`,
    );
  });
  afterAll(async () => {
    await owner.close();
    await database.drop();
  });

  const entry = (n: number, kind: string, lines: string, reverses = "null"): Promise<unknown> =>
    database.query(
      `with e as (
         insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code, bill_number,
                                    amount, fee_amount, channel, happened_at, reverses_entry_id)
         values ('${id(n)}', 'b', '${DAY}', '${kind}', 1, 'T${n}', '001001', 'b', 100, 0, 'x', now(), ${reverses})
         returning *)
       insert into posting (entry_id, line_no, bill_key, business_date, account_code, side, amount)
       select e.entry_id, l.n, 'b', '${DAY}', l.account, l.side, l.amount from e, (values ${lines}) l(n, account, side, amount)`,
    );
  const pay = (n: number) =>
    entry(n, "payment", "(1, 'due-from-switch', 'debit', 100), (2, 'bill-collections', 'credit', 100)");
  const reverse = (n: number, of: number) =>
    entry(n, "reversal", "(1, 'due-from-switch', 'credit', 100), (2, 'bill-collections', 'debit', 100)", `'${id(of)}'`);

  it("clears what was settled, reversed and written off, and keeps what was cleared twice as excess", async () => {
    for (const n of [1, 2, 3, 4, 5]) await pay(n);
    await reverse(12, 2);
    // The file settles payments 1 and 4; payment 4 was reversed as well. Payment 3 was written off, 5 is due.
    await entry(20, "settlement", "(1, 'bank-in-transit', 'debit', 200), (2, 'due-from-switch', 'credit', 200)");
    await reverse(14, 4);
    await entry(21, "settlement", "(1, 'written-off', 'debit', 100), (2, 'due-from-switch', 'credit', 100)");
    await database.query(
      `insert into settlement_line (file_id, line_no, trax_id, amount, business_date, status)
       values (1, 1, 'T1', 100, '${DAY}', 'paid'), (1, 2, 'T4', 100, '${DAY}', 'paid');
       insert into settlement_match (entry_id, file_id, line_no, run_id, entry_date)
       values ('${id(1)}', 1, 1, 1, '${DAY}'), ('${id(4)}', 1, 2, 1, '${DAY}');
       insert into reconciliation_finding (finding_id, run_id, profile_code, business_date, entry_id, entry_date, class, amount,
                                           difference, fee_difference, differing_fields, tried, resolved_at)
       values ('${id(30)}', 1, 'p', '${DAY}', '${id(3)}', '${DAY}', 'missing-in-file', 100, -100, 0, '{}', '[]', now());
       insert into exception_proposal (proposal_id, batch_id, item_kind, item_id, action, account_code, amount, reason, proposed_by,
                                       proposed_via, decision, decided_by, decided_via, decided_at)
       values ('${id(40)}', '${id(40)}', 'finding', '${id(30)}', 'write-off', 'written-off', 100, 'lost', 'ani', 'x', 'approved',
               'budi', 'x', now());
       insert into settlement_posting (posting_no, kind, entry_id, business_date, profile_code, partner_id, settlement_date, file_id,
                                       proposal_id, line_count, due_amount, transit_amount, account_code, account_amount, posted_by,
                                       posted_at)
       values (1, 'file', '${id(20)}', '${DAY}', 'p', 1, '${DAY}', 1, null, 2, 200, 200, null, 0, 'ani', now() - interval '1 hour'),
              (2, 'resolution', '${id(21)}', '${DAY}', 'p', 1, '${DAY}', null, '${id(40)}', 0, 100, 0, 'written-off', -100, 'budi', now());
       insert into settlement_line_posting (file_id, line_no, posting_no) values (1, 1, 1), (1, 2, 1)`,
    );
    await database.query("set session_replication_role = origin");
    await migrateToLatest(database.ownerUrl, { log: () => {} });
    expect(
      await database.query(
        `select trax_id, state, due, settled, reversed, written_off, excess from receivable order by trax_id`,
      ),
    ).toEqual([
      { trax_id: "T1", state: "settled", due: 0n, settled: 100n, reversed: 0n, written_off: 0n, excess: 0n },
      { trax_id: "T2", state: "reversed", due: 0n, settled: 0n, reversed: 100n, written_off: 0n, excess: 0n },
      { trax_id: "T3", state: "written-off", due: 0n, settled: 0n, reversed: 0n, written_off: 100n, excess: 0n },
      { trax_id: "T4", state: "settled", due: 0n, settled: 100n, reversed: 0n, written_off: 0n, excess: 100n },
      { trax_id: "T5", state: "due", due: 100n, settled: 0n, reversed: 0n, written_off: 0n, excess: 0n },
    ]);
    const broken = await readBrokenReceivables(
      { run: (statement, values) => database.query(statement.text, values) },
      10,
    );
    expect(broken).toEqual([
      { entryId: id(4), what: "100 was cleared twice before the database refused that: correct it" },
    ]);
  });
});
