import { ACCOUNTS } from "../../src/domain";
import {
  fill,
  paymentItem,
  paymentMessage,
  catalogOf,
  telkomBill,
  testDb,
  testPosting,
  transact,
} from "../support/builders";
import { postPayments } from "../../src/flows";
import { deadlineIn, systemClock } from "../../src/platform";
import { GUARDED_TABLES, readSafeguards } from "../../src/store";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";

const APPEND_ONLY = ["trax", "journal_entry", "posting", "attempt", "bill_item"];

describe("the schema", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, [telkomBill()]);
    const db = testDb(database.appUrl);
    const item = paymentItem(await catalogOf(db), paymentMessage());
    await postPayments(testPosting(db), [item], deadlineIn(systemClock, 5_000));
    await db.close();
    await database.query(
      `insert into attempt (attempt_id, received_at, outcome, result_code, http_status, is_replay, is_delivered, duration_ms)
       values (gen_random_uuid(), now(), 'APPROVED', '00', 200, false, true, 1)`,
    );
  });
  afterAll(() => database.drop());

  it.each(APPEND_ONLY)("refuses to change %s, whoever asks", async (table) => {
    const [column] = (
      await database.query<{ name: string }>(
        `select column_name as name from information_schema.columns where table_name = $1 order by ordinal_position`,
        [table],
      )
    ).map((row) => row.name);
    for (const url of [database.ownerUrl, database.superuserUrl]) {
      const changes = [
        `update ${table} set ${column} = ${column}`,
        `delete from ${table}`,
        `truncate ${table} cascade`,
      ];
      for (const change of changes) await expect(onServer(url, change)).rejects.toThrow(/append-only: .* refused/);
    }
    for (const change of [`update ${table} set ${column} = ${column}`, `delete from ${table}`, `truncate ${table}`]) {
      await expect(onServer(database.appUrl, change)).rejects.toThrow(/permission denied/);
    }
  });

  it("guards the partitions as it guards their parents", async () => {
    const partitions = await database.query<{ name: string }>(
      `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent in ('journal_entry'::regclass, 'posting'::regclass, 'attempt'::regclass) and c.relkind = 'r'`,
    );
    expect(partitions.length).toBeGreaterThanOrEqual(15);
    for (const { name } of partitions) {
      await expect(onServer(database.ownerUrl, `truncate ${name}`)).rejects.toThrow(/append-only: TRUNCATE refused/);
      for (const change of [
        `delete from ${name}`,
        `insert into ${name} select * from ${name}`,
        `select from ${name}`,
      ]) {
        await expect(onServer(database.appUrl, change)).rejects.toThrow(/permission denied/);
      }
    }
    const [current] = await database.query<{ name: string }>(
      `select tableoid::regclass::text as name from journal_entry limit 1`,
    );
    expect(current?.name).toMatch(/^journal_entry_y[0-9]{4}m[0-9]{2}$/);
    for (const change of [`delete from ${current?.name}`, `update ${current?.name} set amount = 1`]) {
      await expect(onServer(database.ownerUrl, change)).rejects.toThrow(/append-only/);
    }
  });

  it.each([
    "alter table trax disable trigger all",
    "drop trigger trax_append_only on trax",
    "alter table trax drop constraint trax_pkey",
    "drop table trax",
    "create table mine (n int)",
    "create or replace function refuse_change() returns trigger language plpgsql as 'begin return new; end'",
    "set session_replication_role = replica",
    "copy trax to program 'cat'",
    "update bill_item set amount = 1",
    "delete from bill",
    "insert into account values ('x', 'x', 'debit')",
  ])("does not let the service's role: %s", async (statement) => {
    await expect(onServer(database.appUrl, statement)).rejects.toThrow(/permission denied|must be owner/);
  });

  it("lets the auditor read the books and nothing else, least of all a credential", async () => {
    for (const table of [
      "trax",
      "journal_entry",
      "posting",
      "attempt",
      "account",
      "bill",
      "bill_item",
      "quote",
      "product",
    ]) {
      await expect(onServer(database.auditorUrl, `select count(*) from ${table}`)).resolves.toBeDefined();
      await expect(onServer(database.auditorUrl, `delete from ${table}`)).rejects.toThrow(/permission denied/);
    }
    await expect(
      onServer(database.auditorUrl, "select credential_id, key_id from partner_credential"),
    ).resolves.toBeDefined();
    for (const statement of [
      "select ciphertext from partner_credential",
      "select * from partner_credential",
      "select ensure_month_partitions(1)",
      "insert into attempt default values",
    ]) {
      await expect(onServer(database.auditorUrl, statement)).rejects.toThrow(/permission denied/);
    }
  });

  const entry = (amount: string): string =>
    `insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code, bill_number,
       amount, fee_amount, channel, happened_at)
     values ('00000000-0000-7000-8000-000000000001', '001001:1', current_date, 'payment', 1, 'x', '001001', '1', ${amount}, 0,
       '6017', now())`;
  const posting = (line: number, side: string, amount: string): string =>
    `('00000000-0000-7000-8000-000000000001', ${line}, '001001:1', current_date, 'due-from-switch', '${side}', ${amount})`;

  it("checks itself that debits equal credits", async () => {
    const insert = `insert into posting values ${posting(1, "debit", "100")}, ${posting(2, "credit", "99")}`;
    await expect(onServer(database.appUrl, insert)).rejects.toMatchObject({ constraint: "posting_balances" });
    await expect(onServer(database.appUrl, `insert into posting values ${posting(1, "debit", "100")}`)).rejects.toThrow(
      /does not balance: debits 100, credits 0/,
    );
    await expect(
      onServer(database.appUrl, `insert into posting values ${posting(1, "debit", "-5")}`),
    ).rejects.toMatchObject({
      constraint: "posting_amount_positive",
    });
  });

  it("refuses an entry without postings", async () => {
    await expect(onServer(database.appUrl, entry("100"))).rejects.toMatchObject({
      constraint: "journal_entry_has_postings",
    });
  });

  it("refuses amounts that the wire cannot carry and a bill that is paid beyond its total", async () => {
    const [{ n } = { n: 0 }] = await database.query<{ n: number }>(`select count(*)::int as n from bill`);
    expect(n).toBe(1);
    for (const [change, constraint] of [
      ["total_amount = 1000000000000", "bill_total_amount_range"],
      ["paid_amount = total_amount + 1", "bill_paid_amount_range"],
      ["paid_amount = -1", "bill_paid_amount_range"],
      ["version = 0", "bill_version_positive"],
    ] as const) {
      await expect(onServer(database.appUrl, `update bill set ${change}`)).rejects.toMatchObject({ constraint });
    }
  });

  describe("for the check of its safeguards", () => {
    const unguarded = async (): Promise<readonly string[]> => {
      const db = testDb(database.appUrl, 1);
      try {
        const found = await transact(db, readSafeguards);
        expect(found.changeableTables).toEqual([]);
        return found.unguardedTables;
      } finally {
        await db.close();
      }
    };

    it("has no guarded table that is not in the list, with all of its triggers", async () => {
      const found = await database.query<{ name: string; refusals: number }>(
        `select c.relname as name, count(*)::int as refusals
           from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
          where p.proname like 'refuse\\_%' and not c.relispartition group by 1`,
      );
      expect(Object.fromEntries(found.map(({ name, refusals }) => [name, refusals]))).toEqual(GUARDED_TABLES);
      expect(await unguarded()).toEqual([]);
    });

    it.each([
      ["settlement_match", "settlement_match_stays"],
      ["settlement_file", "settlement_file_posted_stays"],
      ["exception_proposal", "exception_proposal_decided_once"],
      ["day_close", "day_close_no_truncate"],
      ["seal_block", null],
      ["journal_entry", "journal_entry_append_only"],
    ])("notices a trigger of %s that is switched off: %s", async (table, trigger) => {
      const all = trigger ?? "all";
      await database.query(`alter table ${table} disable trigger ${all}`);
      try {
        expect(await unguarded()).toEqual([table]);
      } finally {
        await database.query(`alter table ${table} enable trigger ${all}`);
      }
      expect(await unguarded()).toEqual([]);
    });

    it("notices a right that the service's role should not have", async () => {
      const db = testDb(database.appUrl, 1);
      await database.query("grant delete on settlement_line, day_close to biller_app");
      try {
        expect((await transact(db, readSafeguards)).changeableTables).toEqual(["day_close", "settlement_line"]);
      } finally {
        await database.query("revoke delete on settlement_line, day_close from biller_app");
        await db.close();
      }
    });
  });

  it("creates months ahead, once, from any month on", async () => {
    const create = () => onServer(database.appUrl, "select ensure_month_partitions(5) as n");
    const first = (await create()).rows[0] as { n: number };
    expect(first.n).toBe(6);
    expect((await create()).rows[0]).toEqual({ n: 0 });
    await expect(onServer(database.appUrl, "select ensure_month_partitions(500)")).rejects.toThrow(/between 0 and 120/);
    const both = await Promise.all(
      [1, 2, 3].map(() => onServer(database.appUrl, "select ensure_month_partitions(12) as n")),
    );
    expect(both.map((result) => (result.rows[0] as { n: number }).n).toSorted((a, b) => a - b)).toEqual([0, 0, 21]);
  });

  it("holds the chart of accounts that the domain posts to", async () => {
    const accounts = await database.query<{ account_code: string }>(`select account_code from account order by 1`);
    expect(accounts.map((row) => row.account_code)).toEqual(Object.values(ACCOUNTS).toSorted());
  });
});
