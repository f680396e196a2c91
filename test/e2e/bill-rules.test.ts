import { importBills } from "../../src/store";
import { fill, inquiryMessage, paymentMessage, testDb, transact } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { brokenLaws } from "../support/laws";
import { definitionWith, invoiceBill, storeProduct } from "../support/products";
import { createTestDatabase, type TestDatabase } from "../support/services";

const PART = "991002";
const STATIC = "991004";
const PREPAID = "900002";
const NUMBER = "9000000000001";

describe("bills of other rules, as the switch sees them", () => {
  let database: TestDatabase;
  let host: TestHost;

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, []);
    const chosen = { minAmount: "50", maxAmount: "5000", shownAmount: "200" };
    await storeProduct(database, PART, definitionWith({ kind: "part", minAmount: "10" }));
    await storeProduct(database, STATIC, definitionWith({ kind: "static", ...chosen }));
    const db = testDb(database.ownerUrl, 2);
    await transact(db, (tx) =>
      importBills(tx, [
        invoiceBill(PART, NUMBER, [100n, 200n]),
        invoiceBill(STATIC, NUMBER, []),
        invoiceBill(PREPAID, "081234567890", [], { details: { voucherSerial: "0123456789" } }),
      ]),
    );
    await db.close();
    host = await startTestHost(database);
  });
  afterAll(async () => {
    await host.stop();
    expect(await brokenLaws(database)).toEqual([]);
    await database.drop();
  });

  const inquire = async (productCode: string, billNumber = NUMBER) =>
    (await host.send(inquiryMessage({ productCode, billNumber, bit61: billNumber }))).fields;
  const pay = async (productCode: string, amount: number, bit61: unknown, billNumber = NUMBER) =>
    (
      await host.send(
        paymentMessage({ productCode, billNumber, amount: String(amount), feeAmount: "0", bit61: String(bit61) }),
      )
    ).fields;

  it("show what is left of a bill that is paid in parts, until it is paid", async () => {
    const first = await inquire(PART);
    expect(first).toMatchObject({
      resultCode: "00",
      amount: "000000000300",
      customerData: { item2: { amount: "200" } },
    });
    expect(await pay(PART, 130, first["bit61"])).toMatchObject({ resultCode: "00", bit61: first["bit61"] });
    const second = await inquire(PART);
    expect(second).toMatchObject({
      amount: "000000000170",
      customerData: { item1: { name: "item 2", amount: "170" } },
    });
    expect(await pay(PART, 300, first["bit61"])).toMatchObject({ resultCode: "13" });
    expect(await pay(PART, 170, second["bit61"])).toMatchObject({ resultCode: "00" });
    expect(await inquire(PART)).toMatchObject({ resultCode: "88" });
    expect(await pay(PART, 10, second["bit61"])).toMatchObject({ resultCode: "88" });
  });

  it("show the rule's own amount on a number that owes nothing, and never call it paid", async () => {
    for (const amount of [200, 1_234, 200]) {
      const shown = await inquire(STATIC);
      expect(shown).toMatchObject({ resultCode: "00", amount: "000000000200", customerData: { totalAmount: "200" } });
      expect(await pay(STATIC, amount, shown["bit61"])).toMatchObject({ resultCode: "00", amount: String(amount) });
    }
    const [credit] = await database.query(
      `select sum(amount)::text as amount from posting where account_code = 'unapplied-credit' and bill_key = $1`,
      [`${STATIC}:${NUMBER}`],
    );
    expect(credit).toEqual({ amount: "1634" });
  });

  it("answer a payment by the layout that the product has for it", async () => {
    const number = "081234567890";
    const shown = await inquire(PREPAID, number);
    expect(shown["bit61"]).toBe(`0081234567890${" ".repeat(18)}${"10000".padStart(12)}`);
    const paid = await pay(PREPAID, 25_000, shown["bit61"], number);
    expect(paid).toMatchObject({
      resultCode: "00",
      bit61: `0081234567890${" ".repeat(18)}${"25000".padStart(12)}0123456789      `,
      customerData: { phoneNumber: "0081234567890", nominal: "25000", voucherSerial: "0123456789" },
    });
  });
});
