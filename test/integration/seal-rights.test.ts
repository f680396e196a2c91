import { verifySeals } from "../../src/ledger";
import { type Db, deadlineIn, systemClock } from "../../src/platform";
import { recordOperatorAction } from "../../src/store";
import { testDb, transact } from "../support/builders";
import { fillWithBills, newSealKey, payBills, testSealer } from "../support/seal";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";

const APPEND_ONLY = ["operator_action", "seal_key", "seal_block", "seal_item", "seal_checkpoint"];
const BOOKS = ["trax", "journal_entry", "posting", "attempt", "bill_item"];
const SEALS = [...APPEND_ONLY, "seal_state", "seal_delivery"];

describe("rights on the sealed ledger", () => {
  let database: TestDatabase;
  let db: Db;
  beforeAll(async () => {
    database = await createTestDatabase();
    const bills = await fillWithBills(database, 3);
    db = testDb(database.appUrl, 2);
    await newSealKey(database);
    await payBills(db, bills);
    await transact(db, (tx) => recordOperatorAction(tx, { actor: "test (test)", action: "test", object: "test" }));
    const sealer = testSealer(db, { targets: ["s3"] });
    await sealer.drain();
    await sealer.checkpoint();
  });
  afterAll(async () => {
    await db.close();
    await database.drop();
  });
  const columnOf = async (table: string): Promise<string> => {
    const rows = await database.query<{ name: string }>(
      `select column_name as name from information_schema.columns where table_name = $1 order by ordinal_position limit 1`,
      [table],
    );
    return rows[0]?.name ?? "";
  };

  it.each(APPEND_ONLY)("refuse to change %s, whoever asks", async (table) => {
    const column = await columnOf(table);
    for (const url of [database.ownerUrl, database.superuserUrl]) {
      for (const change of [`update ${table} set ${column} = ${column}`, `delete from ${table}`, `truncate ${table}`]) {
        await expect(onServer(url, change)).rejects.toThrow(/append-only: .* refused/);
      }
    }
  });

  it("let the owner mask a sealed row, and nothing else about it", async () => {
    const mask = `set salt = null, kept = '{}', masked_by = gen_random_uuid()`;
    for (const change of [
      "update seal_item set salt = decode(repeat('00', 32), 'hex')",
      "update seal_item set leaf_no = leaf_no + 1000",
      `update seal_item ${mask}, item_key = 'action:x' where leaf_no = 0`,
      "update seal_item set salt = null where leaf_no = 0",
    ]) {
      await expect(onServer(database.ownerUrl, change)).rejects.toThrow(/append-only|seal_item_salt_or_mask/);
    }
    await onServer(database.ownerUrl, `begin; update seal_item ${mask} where leaf_no = 0; rollback`);
  });

  it.each([...BOOKS, ...SEALS])("do not let the service's role change %s or take its guards away", async (table) => {
    const column = await columnOf(table);
    const refused = /permission denied|must be owner|must be superuser/;
    const isState = table === "seal_state";
    const isDelivery = table === "seal_delivery";
    for (const change of [
      ...(isDelivery ? [] : [`update ${table} set ${column} = ${column}`]),
      `delete from ${table}`,
      `truncate ${table}`,
      `truncate ${table} cascade`,
      `alter table ${table} disable trigger all`,
      `alter table ${table} disable trigger user`,
      `alter table ${table} add column mine int`,
      `alter table ${table} owner to biller_app`,
      `create trigger mine before insert on ${table} for each row execute function refuse_change()`,
      `create rule mine as on delete to ${table} do instead nothing`,
      `create index mine on ${table} (${column})`,
      `drop table ${table}`,
      `copy ${table} to program 'cat'`,
      ...(isState ? ["insert into seal_state default values"] : []),
    ]) {
      await expect(onServer(database.appUrl, change)).rejects.toThrow(refused);
    }
    // A GRANT by someone who may give nothing is no error everywhere; that it gave nothing is what counts.
    await onServer(database.appUrl, `grant delete on ${table} to biller_app`).catch(() => {});
    await expect(onServer(database.appUrl, `delete from ${table}`)).rejects.toThrow(refused);
  });

  it("do not let the service's role make or replace a signing key, or escape its role", async () => {
    for (const statement of [
      "insert into seal_key select * from seal_key",
      "begin; lock table seal_key in share row exclusive mode",
      "update seal_key set public_key = public_key",
      "set role biller_owner",
      "set session authorization biller_owner",
      "set session_replication_role = replica",
      "alter role biller_app superuser",
      "create or replace function refuse_unmasking() returns trigger language plpgsql as 'begin return new; end'",
      "drop function refuse_change() cascade",
      "alter system set fsync = off",
      "select lo_import('/etc/passwd')",
      "select pg_read_file('/etc/passwd')",
      "alter event trigger x disable",
      "create extension dblink",
    ]) {
      await expect(onServer(database.appUrl, statement)).rejects.toThrow(
        /permission denied|must be owner|must be superuser|must be member|does not exist|not available/,
      );
    }
  });

  it("let the auditor read all of it but the private keys", async () => {
    for (const table of SEALS.filter((name) => name !== "seal_key")) {
      await expect(onServer(database.auditorUrl, `select * from ${table}`)).resolves.toBeDefined();
    }
    await expect(
      onServer(database.auditorUrl, "select key_id, public_key, statement from seal_key"),
    ).resolves.toBeDefined();
    for (const column of ["ciphertext", "nonce", "secret_key_id", "*"]) {
      await expect(onServer(database.auditorUrl, `select ${column} from seal_key`)).rejects.toThrow(
        /permission denied/,
      );
    }
  });

  it.each([...BOOKS, ...SEALS])("do not let the auditor write to %s", async (table) => {
    const column = await columnOf(table);
    for (const change of [
      `insert into ${table} default values`,
      `update ${table} set ${column} = ${column}`,
      `delete from ${table}`,
      `truncate ${table}`,
      `alter table ${table} disable trigger all`,
      `begin; lock table ${table} in access exclusive mode`,
      `select * from ${table} for update`,
    ]) {
      await expect(onServer(database.auditorUrl, change)).rejects.toThrow(/permission denied|must be owner/);
    }
  });

  it("do not let the auditor call a function of ours or of the server's that has effects", async () => {
    const ours = await database.query<{ call: string }>(
      `select p.oid::regprocedure::text as call from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.prorettype <> 'trigger'::regtype
          and has_function_privilege('biller_auditor', p.oid, 'execute')
          -- PostgreSQL itself refuses to let these change anything, and they run with the caller's rights
          and not (p.provolatile in ('i', 's') and not p.prosecdef)`,
    );
    expect(ours).toEqual([]);
    for (const statement of [
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'",
      "select pg_switch_wal()",
      "select pg_reload_conf()",
      "select lo_import('/etc/passwd')",
      "select pg_read_file('/etc/passwd')",
      "copy trax to program 'cat'",
      "create table mine (n int)",
      "create function mine() returns int language sql as 'select 1'",
      "create schema mine",
      "set session_replication_role = replica",
      "set role biller_owner",
      "set role biller_app",
      "select ensure_month_partitions(1)",
      "select drop_expired_attempts(3)",
    ]) {
      await expect(onServer(database.auditorUrl, statement)).rejects.toThrow(/permission denied|must be|Only roles/);
    }
  });

  it("leave the books as they were after all this", async () => {
    const verdict = await db.withTransaction(deadlineIn(systemClock, 10_000), (tx) => verifySeals(tx));
    expect(verdict.findings).toEqual([]);
    expect(verdict.leaves).toBe(7);
  });
});
