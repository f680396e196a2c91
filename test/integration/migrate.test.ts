import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrateToLatest, migratorConfig, pendingMigrations, shippedMigrations } from "../../src/platform/migrate";
import { verifySeals } from "../../src/ledger";
import { testDb, transact } from "../support/builders";
import { fillWithBills, newSealKey, payBills, testSealer } from "../support/seal";
import { createTestDatabase, type TestDatabase } from "../support/services";

const quiet = { log: () => {} };

describe("migrations", () => {
  let empty: TestDatabase;
  beforeEach(async () => {
    empty = await createTestDatabase("template1");
  });
  afterEach(() => empty.drop());

  it("are applied once, however many processes start at the same time", async () => {
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrateToLatest(empty.ownerUrl, quiet)));
    expect(applied.toSorted((a, b) => b.length - a.length)).toEqual([shippedMigrations(), [], [], []]);
  });

  it("tell what is pending, also to the service's role", async () => {
    const owner = testDb(empty.ownerUrl);
    expect(await pendingMigrations(owner.knex)).toEqual(shippedMigrations());
    await owner.close();
    await migrateToLatest(empty.ownerUrl, quiet);
    const app = testDb(empty.appUrl);
    expect(await pendingMigrations(app.knex)).toEqual([]);
    await app.close();
  });

  it("go on after a killed run left knex's own lock behind", async () => {
    await migrateToLatest(empty.ownerUrl, quiet);
    await empty.query("update schema_migration_lock set is_locked = 1");
    await expect(migrateToLatest(empty.ownerUrl, quiet)).resolves.toEqual([]);
  });

  it("name the one that fails, and leave nothing of the whole run behind", async () => {
    const dir = mkdtempSync(join(tmpdir(), "biller-migrations-"));
    const migration = (sql: string): string =>
      `exports.up = async (knex) => { ${sql} }; exports.down = async () => {};`;
    writeFileSync(join(dir, "001-good.js"), migration(`await knex.raw("create table good (n int)");`));
    writeFileSync(
      join(dir, "002-bad.js"),
      migration(`await knex.raw("create table half (n int)"); await knex.raw("select 1/0");`),
    );
    await expect(migrateToLatest(empty.ownerUrl, { ...quiet, dir })).rejects.toThrow(
      /002-bad failed.*division by zero/,
    );
    const tables = await empty.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public' and table_name in ('good', 'half')`,
    );
    expect(tables).toEqual([]);
    const db = testDb(empty.ownerUrl);
    expect(await pendingMigrations(db.knex, dir)).toEqual(["001-good", "002-bad"]);
    await db.close();
    rmSync(dir, { recursive: true });
  });

  it("can be undone completely", async () => {
    await migrateToLatest(empty.ownerUrl, quiet);
    const db = testDb(empty.ownerUrl);
    await db.knex.migrate.rollback(migratorConfig(), true);
    await db.close();
    const left = await empty.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
    );
    expect(left.map((row) => row.name)).toEqual(["schema_migration", "schema_migration_lock"]);
  });

  it("seal what was evidence before there were seals for it, and keep older seals true", async () => {
    await migrateToLatest(empty.ownerUrl, quiet);
    const owner = testDb(empty.ownerUrl);
    await owner.knex.migrate.down({ ...migratorConfig(), name: "021-evidence" });
    const bills = await fillWithBills(empty, 3);
    await newSealKey(empty);
    const app = testDb(empty.appUrl, 2);
    await payBills(app, bills);
    await testSealer(app).drain();
    await empty.query(`
      insert into attempt (attempt_id, received_at, outcome, result_code, http_status, is_replay, is_delivered, duration_ms)
      values (gen_random_uuid(), now(), 'APPROVED', '00', 200, false, true, 1);
      insert into exception (exception_id, kind, bill_key, partner_id, trax_id, amount, detail, opened_at)
      values (gen_random_uuid(), 'refund', '001001:1', 1, 'T', 1, 'x', now() - interval '40 days');
      update seal_state set sealed_until = scanned_until`);

    await migrateToLatest(empty.ownerUrl, quiet);
    await testSealer(app).drain();
    const verdict = await transact(app, (tx) => verifySeals(tx));
    expect(verdict).toMatchObject({ findings: [], late: 0, blocks: 2n });
    expect(
      await empty.query("select item_key like 'exception:%' as is_sealed from seal_item where block_no = 2"),
    ).toContainEqual({
      is_sealed: true,
    });
    // What was seen before stays as it is, and has no time of recording.
    expect(await empty.query("select count(*)::int as n from attempt where recorded_at is null")).toEqual([{ n: 1 }]);
    await Promise.all([app.close(), owner.close()]);
  });
});
