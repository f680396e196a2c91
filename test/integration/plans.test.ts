import fc from "fast-check";
import { openInquiryDesk, postPayments } from "../../src/flows";
import { type Db, deadlineIn, openDb, randomIds, type Statement, systemClock, type Tx } from "../../src/platform";
import {
  catalogOf,
  fill,
  inquiryMessage,
  paymentItem,
  paymentMessage,
  telkomBill,
  testPosting,
} from "../support/builders";
import { createTestDatabase, type TestDatabase } from "../support/services";

const BILLS = ["0021008457003"];
const soon = () => deadlineIn(systemClock, 8_000);

/** The same database, keeping a list of the statements that are run. */
function listening(db: Db, seen: Map<string, Statement>): Db {
  const listen = (tx: Tx): Tx => ({
    run: (statement, values) => {
      seen.set(statement.name, statement);
      return tx.run(statement, values);
    },
  });
  return {
    ...db,
    withTransaction: (deadline, work) => db.withTransaction(deadline, (tx) => work(listen(tx))),
    run: (deadline, statement, values) => listen({ run: (s, v) => db.run(deadline, s, v) }).run(statement, values),
  };
}

function poolThatPlansOnce(url: string): Db {
  return openDb({
    ...{ url, poolMax: 2, applicationName: "test", planning: "once", clock: systemClock },
    ...{ statementTimeoutMs: 5_000, lockTimeoutMs: 3_000, connectTimeoutMs: 2_000 },
  });
}

/** Columns that few rows share; an index that is only searched by others is read whole. */
const SELECTIVE = /\b(bill_key|trax_id|entry_id|event_id)\b/;

/** Lines of plans that go through a table otherwise than by keys. */
async function plansWithoutKeys(db: Db, statements: Iterable<Statement>): Promise<string[]> {
  const wrong: string[] = [];
  for (const { name, text } of statements) {
    const plan = await db.knex.raw<{ rows: { "QUERY PLAN": string }[] }>(`explain (generic_plan) ${text}`);
    const lines = plan.rows.map((row) => row["QUERY PLAN"]);
    for (const [at, line] of lines.entries()) {
      const isWhole = /Seq Scan|Hash|Merge|Bitmap/.test(line);
      const isIndex = /Index (Only )?Scan/.test(line);
      const condition = lines[at + 1] ?? "";
      if (isWhole || (isIndex && !(condition.includes("Index Cond") && SELECTIVE.test(condition)))) {
        wrong.push(`${name}: ${line.trim()} ${condition.trim()}`);
      }
    }
  }
  return wrong;
}

describe("a pool that plans once", () => {
  let database: TestDatabase;
  let db: Db;

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(
      database,
      BILLS.map((billNumber) => telkomBill({ billNumber })),
    );
    db = poolThatPlansOnce(database.appUrl);
  });
  afterAll(async () => {
    await db.close();
    await database.drop();
  });

  it("finds every row of inquiries and payments by its key, on tables that are as good as empty", async () => {
    const seen = new Map<string, Statement>();
    const heard = listening(db, seen);
    const catalog = await catalogOf(db);
    const deps = { ...testPosting(heard), db: heard };
    const [billNumber = ""] = BILLS;
    const inquiries = openInquiryDesk({
      ...{ db: heard, clock: systemClock, ids: randomIds },
      limits: { batchMax: 8, batchesInFlight: 1, queueMax: 8 },
    });
    const inquiry = paymentItem(catalog, inquiryMessage({ billNumber }));
    expect((await inquiries.submit(inquiry)).outcome).toBe("APPROVED");
    const paying = paymentItem(catalog, paymentMessage({ billNumber }));
    expect((await postPayments(deps, [paying], soon())).map(({ outcome }) => outcome)).toEqual(["APPROVED"]);
    const twice = paymentItem(catalog, paymentMessage({ billNumber }));
    expect((await postPayments(deps, [twice, paying], soon())).map(({ outcome }) => outcome)).toEqual([
      "ALREADY_PAID",
      "APPROVED",
    ]);

    expect([...seen.keys()]).toEqual(
      expect.arrayContaining(["store_read_bills", "store_save_quotes", "ledger_read_trax", "ledger_append"]),
    );
    expect(await plansWithoutKeys(db, seen.values())).toEqual([]);
    // A table that was never analysed is taken for ten pages; one that was analysed while empty for none at all.
    const empty = await createTestDatabase();
    await empty.query("vacuum analyze");
    const onEmpty = poolThatPlansOnce(empty.appUrl);
    try {
      expect(await plansWithoutKeys(onEmpty, seen.values())).toEqual([]);
    } finally {
      await onEmpty.close();
      await empty.drop();
    }
  });

  it("is handed columns as they are, whatever texts are in them", async () => {
    const text: Statement = {
      name: "test_texts",
      text: `select to_jsonb($1::text[]) as texts, to_jsonb(string_to_array($2::text, chr(30))) as json,
                    to_jsonb($3::bigint[]::text[]) as numbers, to_jsonb($4::boolean[]) as truths,
                    to_jsonb($5::date[]) as days`,
    };
    const anyText = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: "binary-ascii" }),
      fc.constantFrom("NULL", "null", "", '"', "\\", '\\"', "{}", "{a,b}", ",", " a ", "é", "\u001e", "'"),
    );
    const stored = (value: string): boolean => !value.includes("\u0000") && Buffer.from(value).toString() === value;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(anyText.filter(stored)), { minLength: 1, maxLength: 12 }),
        fc.array(
          fc.dictionary(anyText.filter(stored), anyText.filter(stored)).map((value) => JSON.stringify(value)),
          {
            minLength: 1,
            maxLength: 5,
          },
        ),
        fc.array(fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), { minLength: 1 }),
        fc.array(fc.option(fc.boolean()), { minLength: 1 }),
        async (texts, json, numbers, truths) => {
          const days = ["2026-11-21", null];
          const [row] = await db.run<Record<string, unknown>>(soon(), text, [texts, json, numbers, truths, days]);
          expect(row).toEqual({
            ...{ texts, json, truths, days },
            numbers: numbers.map((each) => each?.toString() ?? null),
          });
        },
      ),
      { numRuns: 300 },
    );
    const none = await db.run<Record<string, unknown>>(soon(), text, [[], [], [], [], []]);
    expect(none).toEqual([{ texts: [], json: [], numbers: [], truths: [], days: [] }]);
  });
});
