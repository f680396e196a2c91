import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { CHART, type ChartAccount, EVIDENCE_KINDS, exportSealed, verifySeals, type Verdict } from "../../src/ledger";
import { type Db } from "../../src/platform";
import { readSafeguards, recordOperatorAction, RESERVED_COLUMNS } from "../../src/store";
import { testDb, transact } from "../support/builders";
import { EVIDENCE_EDITS, fillEvidence } from "../support/evidence";
import { fillWithBills, newSealKey, payBills, testSealer } from "../support/seal";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";

/** A payment that never was, in every table of the books, as somebody with SQL would write it. */
const forgedPayment = (traxId: string, recordedAt: string): string => `
  insert into trax (partner_id, trax_id, family, fingerprint, product_code, bill_number, bill_key, amount, fee_amount, channel,
                    outcome, result_code, sys_code, reply_body, entry_id, business_date, received_at, recorded_at)
  select partner_id, '${traxId}', family, fingerprint, product_code, bill_number, bill_key, amount, fee_amount, channel,
         outcome, result_code, sys_code, reply_body, gen_random_uuid(), business_date, received_at, ${recordedAt}
    from trax where entry_id is not null limit 1;
  with forged as (
    insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code, bill_number, amount,
                               fee_amount, channel, happened_at, recorded_at)
    select t.entry_id, t.bill_key, t.business_date, 'payment', t.partner_id, t.trax_id, t.product_code, t.bill_number,
           t.amount, t.fee_amount, t.channel, t.received_at, t.recorded_at
      from trax t where t.trax_id = '${traxId}'
    returning entry_id, bill_key, business_date, amount
  )
  insert into posting (entry_id, line_no, bill_key, business_date, account_code, side, amount)
  select f.entry_id, p.line_no, f.bill_key, f.business_date, p.account_code, p.side, f.amount
    from forged f, (values (1, 'due-from-switch', 'debit'), (2, 'bill-collections', 'credit')) p(line_no, account_code, side);`;

/** Past every trigger, as only a superuser can. */
const pastTriggers = (sql: string): string => `begin; set local session_replication_role = replica; ${sql}; commit`;

describe("a row that is in no seal", () => {
  let database: TestDatabase;
  let db: Db;
  beforeEach(async () => {
    database = await createTestDatabase();
    const bills = await fillWithBills(database, 4);
    db = testDb(database.appUrl, 2);
    await newSealKey(database);
    await payBills(db, bills);
    await transact(db, (tx) => recordOperatorAction(tx, { actor: "test (test)", action: "test", object: "test" }));
    await testSealer(db).drain();
    // As if an hour had passed since everything that is here was written and sealed.
    await onServer(database.superuserUrl, `update seal_state set sealed_until = scanned_until`);
  });
  afterEach(async () => {
    await db.close();
    await database.drop();
  });
  const verify = (): Promise<Verdict> => transact(db, (tx) => verifySeals(tx));
  const entryOf = async (traxId: string): Promise<string> => {
    const [row] = await database.query<{ entry_id: string }>("select entry_id from trax where trax_id = $1", [traxId]);
    return row?.entry_id ?? "";
  };

  it.each(RESERVED_COLUMNS)("cannot be made with a %s of its own by the service's role", async (name) => {
    const [table, column] = name.split(".");
    await expect(onServer(database.appUrl, `insert into ${table} (${column}) values (now())`)).rejects.toThrow(
      `permission denied for table ${table}`,
    );
    expect((await transact(db, readSafeguards)).forgeableColumns).toEqual([]);
  });

  it.each([
    ["in the future", "now() + interval '1 year'"],
    ["never", "'infinity'"],
    ["before everything", "'-infinity'"],
    ["long ago", "now() - interval '400 days'"],
    ["just behind the mark", "(select sealed_until from seal_state) - interval '1 microsecond'"],
  ])("is named when it says that it was recorded %s", async (_when, recordedAt) => {
    expect((await verify()).findings).toEqual([]);
    await onServer(database.superuserUrl, pastTriggers(forgedPayment("FORGED", recordedAt)));
    const rows = (await verify()).findings.map(({ row }) => row);
    expect(rows).toContain(`trax (1, FORGED, payment)`);
    expect(rows).toContain(`journal_entry ${await entryOf("FORGED")} or its postings`);
  });

  it("is refused to the service whatever time it names", async () => {
    for (const at of ["now()", "now() + interval '1 year'", "now() - interval '1 year'"]) {
      await expect(onServer(database.appUrl, forgedPayment("FORGED", at))).rejects.toThrow(/permission denied/);
    }
  });

  it("does not pass for sealed by a place in a block that is not there", async () => {
    await onServer(database.superuserUrl, pastTriggers(forgedPayment("FORGED", "now() + interval '1 year'")));
    const keys = ["reply:1:payment:FORGED", `entry:${await entryOf("FORGED")}`];
    for (const [at, key] of keys.entries()) {
      // The service's own right is enough for this.
      await onServer(
        database.appUrl,
        `insert into seal_item (block_no, leaf_no, item_key, salt)
         values (900000000, ${at}, '${key}', decode(repeat('00', 32), 'hex'))`,
      );
    }
    const rows = (await verify()).findings.map(({ row }) => row);
    expect(rows).toEqual(expect.arrayContaining(["trax (1, FORGED, payment)"]));
    expect(rows).toEqual(expect.arrayContaining([`journal_entry ${await entryOf("FORGED")} or its postings`]));
  });

  it("is counted where no sealer has looked for more than a minute", async () => {
    await onServer(
      database.superuserUrl,
      `${pastTriggers(forgedPayment("WAITING", "now() - interval '2 minutes'"))};
       update seal_state set sealed_until = now() - interval '1 hour', scanned_until = now() - interval '1 hour'`,
    );
    const [finding, ...others] = (await verify()).findings;
    // The bill knows nothing of it either.
    expect(others.map(({ row }) => row)).toEqual([expect.stringMatching(/^bill /)]);
    expect(finding?.what).toMatch(/^2 rows, this one among them, wait to be sealed.*does one run\?$/s);
  });

  it("is named when the sealer was made to look so far back again", async () => {
    const id = randomUUID();
    await onServer(
      database.superuserUrl,
      `${pastTriggers(`insert into operator_action (action_id, actor, action, object, recorded_at)
                       values ('${id}', 'nobody', 'partner.add', 'partner:x', now() - interval '3 hours')`)};
       update seal_state set sealed_until = now() - interval '4 hours', scanned_until = now() - interval '4 hours'`,
    );
    await testSealer(db).drain();
    const verdict = await verify();
    expect(verdict.lateRows).toEqual([`operator_action ${id}`]);
  });
});

describe("what is evidence beside the books", () => {
  let database: TestDatabase;
  let db: Db;
  let client: pg.Client;
  const verify = async (): Promise<Verdict> =>
    verifySeals({
      run: async <Row extends object>(statement: { readonly text: string }, values: readonly unknown[]) =>
        (await client.query(statement.text, [...values])).rows as Row[],
    });
  beforeAll(async () => {
    database = await createTestDatabase();
    const bills = await fillWithBills(database, 2);
    db = testDb(database.appUrl, 2);
    await newSealKey(database);
    await payBills(db, bills);
    await fillEvidence(database);
    await testSealer(db).drain();
    await onServer(database.superuserUrl, `update seal_state set sealed_until = scanned_until`);
    await testSealer(db).drain();
    client = new pg.Client({ connectionString: database.superuserUrl });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await db.close();
    await database.drop();
  });

  it("is sealed, every kind of it, and found as it was", async () => {
    expect((await verify()).findings).toEqual([]);
    const rows = await database.query<{ kind: string }>(
      "select distinct split_part(item_key, ':', 1) as kind from seal_item",
    );
    expect(rows.map(({ kind }) => kind).toSorted()).toEqual(
      ["action", "entry", "reply", ...EVIDENCE_KINDS.keys()].filter((kind) => kind !== "action").toSorted(),
    );
    expect((await database.query("select kind from seal_evidence")).length).toBe(EVIDENCE_KINDS.size);
  });

  it.each(EVIDENCE_EDITS.map((each) => [each.name, each] as const))(
    "is named when it is edited: %s",
    async (_name, each) => {
      await client.query("begin");
      try {
        await client.query("set local session_replication_role = replica");
        const { rowCount } = await client.query(each.sql);
        expect(rowCount).toBeGreaterThan(0);
        const rows = (await verify()).findings.map(({ row }) => row);
        expect(rows).toContainEqual(expect.stringMatching(each.row));
      } finally {
        await client.query("rollback");
      }
    },
  );

  it("can be exported, and the export is checked by the verifier alone", async () => {
    const directory = mkdtempSync(join(tmpdir(), "evidence-"));
    const file = join(directory, "ledger.ndjson");
    const lines: string[] = [];
    await transact(db, async (tx) => {
      for await (const line of exportSealed(tx, { from: 1n, to: null })) lines.push(line);
    });
    writeFileSync(file, lines.join(""));
    const told = execFileSync(process.execPath, [join(__dirname, "../../verify/verify.mjs"), file], {
      encoding: "utf8",
    });
    rmSync(directory, { recursive: true });
    expect(told).toMatch(/ \d\d other rows\n/);
    expect(told).toContain("OK: everything agrees.");
  });

  it("keeps a chain that holds months of attempts which have expired", async () => {
    await client.query("begin");
    try {
      await client.query("set local session_replication_role = replica");
      await client.query("update attempt set recorded_at = recorded_at");
      // As if they were of a month that was dropped long ago.
      await client.query(
        "update seal_item set item_key = replace(item_key, substr(item_key, 10, 7), '2020-01') where item_key like 'attempts:%'",
      );
      await client.query("delete from attempt");
      const verdict = await verify();
      expect(verdict.findings).toEqual([]);
      expect(verdict.expired).toBeGreaterThan(0);
    } finally {
      await client.query("rollback");
    }
  });

  it("has a chart of accounts that is the one of the migrations", async () => {
    const rows = await database.query<ChartAccount>(
      `select account_code as "accountCode", name, normal_side as "normalSide" from account order by 1`,
    );
    expect(rows).toEqual(CHART.toSorted((a, b) => (a.accountCode < b.accountCode ? -1 : 1)));
  });
});
