import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Catalog, type PaymentItem, postPayments, type PostedAnswer } from "../../src/flows";
import { type Db, deadlineIn, systemClock } from "../../src/platform";
import { importBills } from "../../src/store";
import { catalogOf, fill, paymentItem, paymentMessage, testDb, testPosting, transact } from "../support/builders";
import { brokenLaws } from "../support/laws";
import { definitionWith, invoiceBill, storeProduct } from "../support/products";
import { createTestDatabase, type TestDatabase } from "../support/services";

const MINMAX = "991001";
const PART = "991002";
const OPEN = "991003";
const STATIC = "991004";

describe("payments by the rule of their product", () => {
  let database: TestDatabase;
  let db: Db;
  let catalog: Catalog;
  let used = 0;

  const pay = (productCode: string, billNumber: string, amount: number, changes: Record<string, string> = {}) =>
    paymentItem(
      catalog,
      paymentMessage({
        productCode,
        billNumber,
        amount: String(amount),
        feeAmount: "0",
        bit61: billNumber,
        ...changes,
      }),
    );
  /** As the desk does: what lost its claims too often has written nothing and is judged again. */
  async function post(...items: PaymentItem[]): Promise<PostedAnswer[]> {
    for (;;) {
      try {
        return await postPayments(testPosting(db), items, deadlineIn(systemClock, 15_000));
      } catch (error) {
        if ((error as { code?: string }).code !== "claim_lost") throw error;
      }
    }
  }
  const outcome = async (item: PaymentItem): Promise<string | undefined> => (await post(item))[0]?.outcome;
  async function newBill(productCode: string, amounts: readonly bigint[], changes = {}): Promise<string> {
    used += 1;
    const billNumber = String(5_000_000_000_000 + used);
    await transact(db, (tx) => importBills(tx, [invoiceBill(productCode, billNumber, amounts, changes)]));
    return billNumber;
  }
  async function stateOf(productCode: string, billNumber: string) {
    const [row] = await database.query<{ paid: string; total: string; is_paid: boolean; unapplied: string }>(
      `select paid_amount::text as paid, total_amount::text as total, paid_at is not null as is_paid,
              (select coalesce(sum(p.amount), 0)::text from posting p
                where p.bill_key = b.bill_key and p.account_code = 'unapplied-credit') as unapplied
         from bill b where bill_key = $1`,
      [`${productCode}:${billNumber}`],
    );
    return row;
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, []);
    await storeProduct(database, MINMAX, definitionWith({ kind: "minmax", minAmount: "100", maxAmount: "250" }));
    await storeProduct(database, PART, definitionWith({ kind: "part", minAmount: "10" }));
    const chosen = { minAmount: "50", maxAmount: "5000", shownAmount: "200" };
    await storeProduct(database, OPEN, definitionWith({ kind: "open", ...chosen }));
    await storeProduct(database, STATIC, definitionWith({ kind: "static", ...chosen }));
    db = testDb(database.ownerUrl, 8);
    catalog = await catalogOf(db);
  });
  afterAll(async () => {
    await db.close();
    await database.drop();
  });
  afterEach(async () => {
    expect(await brokenLaws(database)).toEqual([]);
  });

  it("minmax: one traxId after the other, until nothing is owed", async () => {
    const number = await newBill(MINMAX, [100n, 200n, 300n]);
    const first = pay(MINMAX, number, 250);
    expect(await outcome(first)).toBe("APPROVED");
    expect(await stateOf(MINMAX, number)).toEqual({ paid: "250", total: "600", is_paid: false, unapplied: "0" });
    expect(await post(first)).toMatchObject([{ outcome: "APPROVED", isReplay: true }]);
    for (const [amount, expected] of [
      [99, "BAD_AMOUNT"],
      [251, "BAD_AMOUNT"],
      [250, "APPROVED"],
      [99, "BAD_AMOUNT"],
      [101, "BAD_AMOUNT"],
      [100, "APPROVED"],
      [100, "ALREADY_PAID"],
    ] as const) {
      expect([amount, await outcome(pay(MINMAX, number, amount))]).toEqual([amount, expected]);
    }
    expect(await stateOf(MINMAX, number)).toEqual({ paid: "600", total: "600", is_paid: true, unapplied: "0" });
  });

  it("part: two payments in one list are decided one after the other", async () => {
    const number = await newBill(PART, [100n, 200n]);
    const answers = await post(
      pay(PART, number, 180),
      pay(PART, number, 180),
      pay(PART, number, 120),
      pay(PART, number, 10),
    );
    expect(answers.map((each) => each.outcome)).toEqual(["APPROVED", "BAD_AMOUNT", "APPROVED", "ALREADY_PAID"]);
    expect(await stateOf(PART, number)).toMatchObject({ paid: "300", is_paid: true });
  });

  it("part: rivals at different transactions are each decided on what the others left", async () => {
    const number = await newBill(PART, [100n, 200n, 300n]);
    const rivals = Array.from({ length: 12 }, () => pay(PART, number, 110));
    const answers = (await Promise.all(rivals.map((rival) => post(rival)))).flat();
    const counted = answers.map((each) => each.outcome).toSorted();
    // Five times 110 fit into 600; what is left then, 50, is less than any of the others wants to pay.
    expect(counted).toEqual([...Array<string>(5).fill("APPROVED"), ...Array<string>(7).fill("BAD_AMOUNT")]);
    expect(await stateOf(PART, number)).toMatchObject({ paid: "550", is_paid: false });
    const [last] = await post(pay(PART, number, 50));
    expect(last?.outcome).toBe("APPROVED");
    const again = (await Promise.all(rivals.map((rival) => post(rival)))).flat();
    expect(again.every((each, index) => each.isReplay && each.body === answers[index]?.body)).toBe(true);
  });

  it("part: two rivals that both fit are both right", async () => {
    const number = await newBill(PART, [100n, 200n]);
    const answers = await Promise.all([post(pay(PART, number, 140)), post(pay(PART, number, 160))]);
    expect(answers.flat().map((each) => each.outcome)).toEqual(["APPROVED", "APPROVED"]);
    expect(await stateOf(PART, number)).toMatchObject({ paid: "300", is_paid: true });
  });

  it("open: what exceeds the debt is the customer's, and the number is never paid", async () => {
    const number = await newBill(OPEN, [100n, 200n]);
    expect(await outcome(pay(OPEN, number, 5_000))).toBe("APPROVED");
    expect(await stateOf(OPEN, number)).toEqual({ paid: "300", total: "300", is_paid: true, unapplied: "4700" });
    expect(await outcome(pay(OPEN, number, 5_001))).toBe("BAD_AMOUNT");
    expect(await outcome(pay(OPEN, number, 49))).toBe("BAD_AMOUNT");
    expect(await outcome(pay(OPEN, number, 50))).toBe("APPROVED");
    expect(await stateOf(OPEN, number)).toMatchObject({ paid: "300", unapplied: "4750" });
  });

  it("static: a number without any item takes money, once for each traxId", async () => {
    const number = await newBill(STATIC, []);
    const payment = pay(STATIC, number, 1_000);
    const [first] = await post(payment);
    const [again] = await post(payment);
    expect([first?.outcome, again?.isReplay, again?.body]).toEqual(["APPROVED", true, first?.body]);
    expect(await stateOf(STATIC, number)).toEqual({ paid: "0", total: "0", is_paid: false, unapplied: "1000" });
    const rows = await database.query(
      `select p.account_code, p.side, p.amount::text from posting p join journal_entry e using (entry_id)
        where e.trax_id = $1 order by p.line_no`,
      [payment.message.traxId],
    );
    expect(rows).toEqual([
      { account_code: "due-from-switch", side: "debit", amount: "1000" },
      { account_code: "unapplied-credit", side: "credit", amount: "1000" },
    ]);
  });

  it("static: items that come later are paid like any other, and credit from before stays credit", async () => {
    const number = await newBill(STATIC, []);
    await post(pay(STATIC, number, 700));
    const grown = invoiceBill(STATIC, number, [300n, 400n]);
    await transact(db, (tx) => importBills(tx, [grown]));
    expect(await outcome(pay(STATIC, number, 350))).toBe("APPROVED");
    expect(await stateOf(STATIC, number)).toMatchObject({ paid: "350", total: "700", unapplied: "700" });
    expect(await outcome(pay(STATIC, number, 500))).toBe("APPROVED");
    expect(await stateOf(STATIC, number)).toMatchObject({ paid: "700", total: "700", unapplied: "850" });
  });

  it("static: look-alikes under different traxIds are different payments, however they race", async () => {
    const number = await newBill(STATIC, [1_000n]);
    const rivals = Array.from({ length: 10 }, () => pay(STATIC, number, 150));
    const answers = (await Promise.all(rivals.map((rival) => post(rival)))).flat();
    expect(answers.map((each) => each.outcome)).toEqual(Array<string>(10).fill("APPROVED"));
    expect(await stateOf(STATIC, number)).toMatchObject({ paid: "1000", unapplied: "500" });
  });

  it("credits the accounts that the product names, and a fee apart from the amount", async () => {
    const definition = definitionWith({ kind: "open", minAmount: "1", maxAmount: "999999999999", shownAmount: "1" });
    const accounts = { collections: "bill-collections", fee: "fee-payable" } as const;
    await storeProduct(database, "991005", { ...definition, rules: { ...definition.rules, accounts } });
    catalog = await catalogOf(db);
    const number = await newBill("991005", [300n], { feeAmount: 2_500n });
    const most = pay("991005", number, 999_999_999_999, { feeAmount: "2500" });
    expect(await outcome(pay("991005", number, 300))).toBe("BAD_FEE");
    expect(await outcome(most)).toBe("APPROVED");
    const rows = await database.query(
      `select p.account_code, p.amount::text from posting p join journal_entry e using (entry_id)
        where e.trax_id = $1 order by p.line_no`,
      [most.message.traxId],
    );
    expect(rows).toEqual([
      { account_code: "due-from-switch", amount: "1000000002499" },
      { account_code: "bill-collections", amount: "300" },
      { account_code: "unapplied-credit", amount: "999999999699" },
      { account_code: "fee-payable", amount: "2500" },
    ]);
  });

  it("answers a payment of more items than one message holds, even when its bit61 says nothing", async () => {
    const definition = definitionWith({ kind: "part", minAmount: "1" }, 2);
    const narrow = JSON.parse(JSON.stringify(definition).replace('"max":20', '"max":2')) as unknown;
    await storeProduct(database, "991006", narrow);
    catalog = await catalogOf(db);
    const number = await newBill("991006", [100n, 200n, 300n, 400n]);
    const [answer] = await post(pay("991006", number, 1_000, { bit61: "nothing that can be read" }));
    expect(answer?.outcome).toBe("APPROVED");
    expect(JSON.parse(answer?.body ?? "")).toMatchObject({
      customerData: { totalAmount: "1000", item2: { amount: "200" } },
    });
  });

  it("refuses a bill that would be paid beyond its total, whoever tries", async () => {
    const number = await newBill(OPEN, [300n]);
    await expect(
      database.query(`update bill set paid_amount = 301 where bill_key = $1`, [`${OPEN}:${number}`]),
    ).rejects.toThrow(/bill_paid_amount_range/);
  });

  it("leaves the auditors' queries of the documentation without a row, and they find what is wrong", async () => {
    const text = readFileSync(join(__dirname, "..", "..", "docs", "LEDGER.md"), "utf8");
    const queries = [...text.matchAll(/No rows must come back\.\s+```sql\n([^`]+);\n```/g)].map(([, sql = ""]) => sql);
    expect(queries.length).toBeGreaterThanOrEqual(4);
    for (const sql of queries) expect([sql, await database.query(sql)]).toEqual([sql, []]);

    const number = await newBill(OPEN, [300n]);
    await post(pay(OPEN, number, 500));
    const key = `${OPEN}:${number}`;
    // As somebody with all rights might falsify the books, for the length of this test.
    await database.query(`update bill set paid_amount = 299 where bill_key = $1`, [key]);
    const found = (await Promise.all(queries.map((sql) => database.query<{ bill_key?: string }>(sql)))).flat();
    const broken = await brokenLaws(database);
    await database.query(`update bill set paid_amount = 300 where bill_key = $1`, [key]);
    expect(broken).toEqual([expect.stringContaining("paid amount is not what was posted as applied")]);
    expect(found.map((row) => row.bill_key)).toEqual([key]);
  });
});
