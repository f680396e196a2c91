import { randomUUID } from "node:crypto";
import { addTotals, verifySeals } from "../../src/ledger";
import { openReader, readBalances } from "../../src/ops/audit";
import { type Db, systemClock } from "../../src/platform";
import { fill, testDb, transact } from "../support/builders";
import { newSealKey, testSealer } from "../support/seal";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";
import { drawsOf } from "../tamper/stage";

const ACCOUNTS = ["bank", "bill-collections", "fee-earned", "suspense"] as const;
const HOUR_MS = 3_600_000;
/** Few, so that there are more blocks than are added to the totals at once. */
const LEAVES_MAX = 2;

describe("balances by totals", () => {
  const draw = drawsOf(20_261_121);
  const from = Date.now() - 5 * 24 * HOUR_MS;
  let database: TestDatabase;
  let db: Db;
  let reader: ReturnType<typeof openReader>;
  const seal = (): Promise<unknown> => testSealer(db, { leavesMax: LEAVES_MAX }).drain();

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, []);
    db = testDb(database.appUrl, 3);
    const onFault = (fault: unknown): void => {
      throw fault;
    };
    reader = openReader({ url: database.auditorUrl, poolMax: 2, clock: systemClock, onFault });
    await newSealKey(database);
    await database.query(`select ensure_month_partitions(0, (now() - interval '40 days')::date)`);
  });
  afterAll(async () => {
    await reader.close();
    await db.close();
    await database.drop();
  });

  /** Entries of random amounts and times; half of them on full hours, where a boundary could be got wrong. */
  async function book(count: number, isOld: boolean): Promise<void> {
    for (let entry = 0; entry < count; entry += 1) {
      const onHour = draw(2) === 0;
      const hours = draw(5 * 24 - 3);
      const happened = onHour
        ? Math.ceil(from / HOUR_MS) * HOUR_MS + hours * HOUR_MS
        : from + hours * HOUR_MS + draw(HOUR_MS);
      const late = [0, 0, 1, 400, 30 * 60_000, HOUR_MS, 26 * HOUR_MS][draw(7)] ?? 0;
      const recorded = isOld ? new Date(Math.min(happened + late, Date.now() - 60_000)).toISOString() : null;
      const [debit, credit] = [draw(4), draw(4)];
      await database.query(
        `with e as (
           insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code, bill_number,
                                      amount, fee_amount, channel, happened_at, recorded_at)
           values ($1::uuid, '001001:1', ($2::timestamptz)::date + $3::int, 'correction', 1, left($1::text, 32), '001001', '1', $4, 0, '1',
                   $2::timestamptz, coalesce($5::timestamptz, clock_timestamp()))
           returning entry_id, bill_key, business_date, amount)
         insert into posting (entry_id, line_no, bill_key, business_date, account_code, side, amount)
         select entry_id, l.no, bill_key, business_date, l.account, l.side, amount
           from e, (values (1, $6, 'debit'), (2, $7, 'credit')) l(no, account, side)`,
        [
          ...[randomUUID(), new Date(happened).toISOString(), draw(3) - 1, draw(1_000_000) + 1, recorded],
          ...[ACCOUNTS[debit], ACCOUNTS[credit]],
        ],
      );
    }
  }

  /** Both ways at many moments: any, full hours, and the very instants of entries. @returns the sum of all that was seen */
  async function compare(): Promise<bigint> {
    const own = await database.query<{ at: string }>(
      `select to_char(t at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
         from (select happened_at t, entry_id from journal_entry union select recorded_at, entry_id from journal_entry) r
        order by md5(entry_id::text || t::text) limit 12`,
    );
    const moments = [
      undefined,
      "2001-01-01T00:00:00.000000Z",
      new Date(Date.now() + HOUR_MS).toISOString(),
      ...own.map(({ at }) => at),
      ...Array.from({ length: 6 }, () => new Date(from + draw(5 * 24 * HOUR_MS)).toISOString()),
      ...Array.from({ length: 4 }, () =>
        new Date(Math.ceil(from / HOUR_MS) * HOUR_MS + draw(120) * HOUR_MS).toISOString(),
      ),
    ];
    let seen = 0n;
    for (const at of moments) {
      for (const time of at === undefined ? ["happened"] : ["happened", "recorded"]) {
        for (const businessTo of [undefined, new Date(from + draw(5) * 24 * HOUR_MS).toISOString().slice(0, 10)]) {
          const filters = {
            ...(at === undefined ? {} : { at, time }),
            ...(businessTo === undefined ? {} : { businessTo }),
          };
          const [totals, postings] = await reader.ask({ timeoutMs: 20_000 }, async (tx) => [
            await readBalances(tx, { filters: { ...filters, method: "totals" } }),
            await readBalances(tx, { filters: { ...filters, method: "postings" } }),
          ]);
          expect({ filters, accounts: totals }).toEqual({ filters, accounts: postings });
          seen += (postings ?? []).reduce((sum, { debits }) => sum + BigInt(debits), 0n);
        }
      }
    }
    return seen;
  }

  it("are the plain sums before anything is sealed", async () => {
    await book(60, true);
    expect(await compare()).toBeGreaterThan(0n);
  });

  it("are the plain sums when everything is sealed, and when more was recorded late", async () => {
    await seal();
    expect(await compare()).toBeGreaterThan(0n);
    await book(25, false);
    expect(await compare()).toBeGreaterThan(0n);
    await seal();
    await book(10, false);
    expect(await compare()).toBeGreaterThan(0n);
    const verdict = await transact(db, (tx) => verifySeals(tx));
    expect(verdict.findings).toEqual([]);
  });

  it("are the plain sums while a transaction is open beside them, and after it", async () => {
    await database.query("begin");
    await book(5, false);
    await seal();
    await database.query("commit");
    expect(await compare()).toBeGreaterThan(0n);
    await seal();
    expect(await compare()).toBeGreaterThan(0n);
  });

  it("are the plain sums on the way through a ledger that was sealed before there were totals", async () => {
    await onServer(
      database.superuserUrl,
      `begin; set local session_replication_role = replica; delete from posting_total;
       update posting_total_state set block_no = 0; commit`,
    );
    expect(await compare()).toBeGreaterThan(0n);
    expect(await transact(db, addTotals)).toBe(true);
    expect(await compare()).toBeGreaterThan(0n);
    expect(await transact(db, addTotals)).toBe(true);
    expect(await compare()).toBeGreaterThan(0n);
    await seal();
    expect(await compare()).toBeGreaterThan(0n);
    expect((await transact(db, (tx) => verifySeals(tx))).findings).toEqual([]);
  });

  it.each([
    [
      "a sum is edited",
      "update posting_total set debits = debits + 1 where ctid = (select min(ctid) from posting_total)",
    ],
    ["a count is edited", "update posting_total set postings = 999 where ctid = (select max(ctid) from posting_total)"],
    ["a row is taken out", "delete from posting_total where ctid = (select min(ctid) from posting_total)"],
    [
      "a row is put in",
      `insert into posting_total values ('2026-01-01', '2026-01-01', '2026-01-01', 'suspense', 5, 0, 1)`,
    ],
    ["the mark is moved back", "update posting_total_state set block_no = block_no - 1"],
    ["the mark is moved on", "update posting_total_state set block_no = block_no + 1"],
    ["the mark is gone", "delete from posting_total_state"],
  ])("are found to be wrong when %s", async (_name, change) => {
    const superuser = testDb(database.superuserUrl, 1);
    try {
      const found = await transact(superuser, async (tx) => {
        await tx.run({ name: "bare", text: "set local session_replication_role = replica", isWrite: true }, []);
        await tx.run({ name: "change", text: change, isWrite: true }, []);
        const { findings } = await verifySeals(tx);
        throw Object.assign(new Error("taken back"), { findings });
      }).catch((error: unknown) => (error as { findings?: { row: string; what: string }[] }).findings);
      expect(found?.length).toBeGreaterThan(0);
      expect(found?.[0]?.row).toMatch(/^posting_total/);
    } finally {
      await superuser.close();
    }
  });

  it("may be changed neither by the auditor nor, but for sums, by the service", async () => {
    for (const [url, change] of [
      [database.auditorUrl, "update posting_total set debits = 1"],
      [database.auditorUrl, "update posting_total_state set block_no = 1"],
      [database.appUrl, "delete from posting_total"],
      [database.appUrl, "truncate posting_total"],
      [database.appUrl, "update posting_total set account_code = 'suspense'"],
      [database.appUrl, "insert into posting_total_state values (true, 1)"],
    ] as const) {
      await expect(onServer(url, change)).rejects.toThrow(/permission denied|read-only/);
    }
    await expect(onServer(database.ownerUrl, "delete from posting_total")).rejects.toThrow(/append-only/);
  });
});
