import { fill, inquiryMessage, paymentMessage } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { brokenLaws } from "../support/laws";
import { addMerchant, billingRequest, callBilling, legacySignature, MERCHANT } from "../support/merchants";
import { openReceiver, type Receiver } from "../support/receiver";
import { createTestDatabase, type TestDatabase } from "../support/services";

jest.setTimeout(60_000);

const PRODUCT = "900003";
let counter = 0;
/** Sixteen digits that no other test uses. */
function newNumber(): string {
  counter += 1;
  return `8808${String(process.pid).padStart(8, "0")}${String(counter).padStart(4, "0")}`;
}

describe("static numbers", () => {
  let database: TestDatabase;
  let host: TestHost;
  let receiver: Receiver;

  beforeAll(async () => {
    database = await createTestDatabase();
    receiver = await openReceiver();
    await fill(database, []);
    await addMerchant(database, { callbackUrl: `http://127.0.0.1:${receiver.port}/told` });
    await addMerchant(database, { serviceId: "2082" });
    host = await startTestHost(database, { settings: { CALLBACK_ALLOWED_HOSTS: "127.0.0.1" } });
  });
  afterAll(async () => {
    await host.stop();
    await receiver.close();
    expect(await brokenLaws(database)).toEqual([]);
    await database.drop();
  });
  beforeEach(() => {
    receiver.received.length = 0;
  });

  const create = async (changes: Record<string, unknown> & { transaction_number?: string }) =>
    (await callBilling(`${host.url}/billing/create`, { body: billingRequest(changes) })).fields;
  const ask = async (what: "inquire" | "cancel", created: Record<string, unknown>, changes = {}) => {
    const { billing_id, transaction_number } = created;
    const signature = legacySignature(String(transaction_number));
    const body = { service_id: MERCHANT.serviceId, billing_id, transaction_number, signature, ...changes };
    return (await callBilling(`${host.url}/billing/${what}`, { body })).fields;
  };
  const show = async (billNumber: string, to = host) =>
    (await to.send(inquiryMessage({ productCode: PRODUCT, billNumber, bit61: billNumber }))).fields;
  const message = (billNumber: string, amount: bigint | number, bit61: unknown) =>
    paymentMessage({
      ...{ productCode: PRODUCT, billNumber, feeAmount: "0" },
      ...{ amount: String(amount), bit61: String(bit61) },
    });

  it("are inquired and paid by the switch again and again, and the merchant sees and is told every payment", async () => {
    const number = newNumber();
    const created = await create({ static_va_no: number, billing_notes: "SPP bulanan" });
    expect(created).toMatchObject({ response_code: "00", billing_total: 50_000 });
    expect(String(created["billing_id"])).toMatch(/^[1-9][0-9]{12}$/);
    expect(await ask("inquire", created)).toMatchObject({
      ...{ billing_status: "UNPAID", billing_total: "50000", payment_details: [] },
      billing_due_date: "",
    });

    const traxIds: string[] = [];
    for (const amount of [50_000, 50_000, 75_000]) {
      const shown = await show(number);
      // Owed or not, what is shown is the bill's total and never nothing.
      expect(shown).toMatchObject({
        ...{ resultCode: "00", amount: "000000050000" },
        customerData: { customerId: number, merchantName: "TOKO MAJU JAYA", description: "SPP bulanan" },
      });
      const payment = message(number, amount, shown["bit61"]);
      const first = await host.send(payment);
      expect(first.fields["resultCode"]).toBe("00");
      const repeat = await host.send(payment);
      expect([repeat.isReplay, repeat.text]).toEqual([true, first.text]);
      traxIds.push(payment["traxId"] ?? "");
    }

    const seen = await ask("inquire", created);
    expect(seen).toMatchObject({ billing_status: "UNPAID", billing_total: "50000", response_code: "00" });
    const details = seen["payment_details"] as { payment_id: string; payment_nominal: string }[];
    expect(details.map(({ payment_nominal }) => payment_nominal)).toEqual(["50000", "50000", "75000"]);
    expect(new Set(details.map(({ payment_id }) => payment_id)).size).toBe(3);

    const calls = await receiver.wait(3);
    expect(calls.map(({ fields }) => fields)).toEqual(
      details.map(({ payment_id, payment_nominal }) =>
        expect.objectContaining({
          ...{ billing_id: String(created["billing_id"]), transaction_number: created["transaction_number"] },
          ...{ billing_status: "UNPAID", billing_total: "50000", payment_id, payment_amount: payment_nominal },
        }),
      ),
    );
    const entries = await database.query(
      `select account_code, sum(amount)::text as amount from posting
        where bill_key = $1 and side = 'credit' group by 1 order by 1`,
      [`${PRODUCT}:${number}`],
    );
    expect(entries).toEqual([
      { account_code: "merchant-payable", amount: "50000" },
      { account_code: "unapplied-credit", amount: "125000" },
    ]);
    expect(await database.query(`select 1 from trax where trax_id = any($1)`, [traxIds])).toHaveLength(3);
  });

  it("take many payments at once, from two hosts, each posted once and listed once", async () => {
    const other = await startTestHost(database, { settings: { CALLBACK_ALLOWED_HOSTS: "127.0.0.1" } });
    try {
      const number = newNumber();
      const created = await create({ static_va_no: number });
      const { bit61 } = await show(number);
      const payments = Array.from({ length: 60 }, (_, index) => message(number, 1_000 + index, bit61));
      // Every payment is sent three times, spread over both hosts.
      const replies = await Promise.all(
        [...payments, ...payments, ...payments].map((each, index) => (index % 2 === 0 ? host : other).send(each)),
      );
      // A repeat in flight may be told to wait; nothing may be declined.
      expect(replies.filter(({ fields }) => !["00", "68"].includes(String(fields["resultCode"])))).toEqual([]);
      const settled = await Promise.all(payments.map((each) => host.send(each)));
      expect(settled.map(({ fields }) => fields["resultCode"])).toEqual(payments.map(() => "00"));

      const seen = await ask("inquire", created);
      const nominals = (seen["payment_details"] as { payment_nominal: string }[]).map((each) => each.payment_nominal);
      expect(nominals.map(Number).toSorted((a, b) => a - b)).toEqual(payments.map((_, index) => 1_000 + index));
      const [books] = await database.query(
        `select count(distinct entry_id)::int as entries, sum(amount)::int as amount
           from posting where bill_key = $1 and side = 'credit'`,
        [`${PRODUCT}:${number}`],
      );
      expect(books).toEqual({ entries: 60, amount: 60 * 1_000 + (60 * 59) / 2 });
      await receiver.wait(60, 20_000);
      expect(new Set(receiver.received.map(({ fields }) => fields["payment_id"])).size).toBe(60);
    } finally {
      await other.stop();
    }
  });

  it("lose a payment that is reversed, and keep the others", async () => {
    const number = newNumber();
    const created = await create({ static_va_no: number });
    const { bit61 } = await show(number);
    const payments = [30_000, 40_000, 20_000].map((amount) => message(number, amount, bit61));
    for (const each of payments) expect((await host.send(each)).fields["resultCode"]).toBe("00");
    const { signature: _, ...second } = payments[1] as Record<string, string>;
    const reversal = paymentMessage({ ...second, transactionType: "51", timeStamp: "20-03-2023 10:42:00" });
    expect((await host.send(reversal)).fields["resultCode"]).toBe("00");
    const seen = await ask("inquire", created);
    expect(seen).toMatchObject({ billing_status: "UNPAID" });
    expect((seen["payment_details"] as { payment_nominal: string }[]).map((each) => each.payment_nominal)).toEqual([
      "30000",
      "20000",
    ]);
    await receiver.wait(4);
    expect(receiver.received.at(-1)?.fields).toMatchObject({
      ...{ billing_id: String(created["billing_id"]), billing_status: "UNPAID", payment_amount: "40000" },
    });
  });

  it("belong to one bill: a repeat of its request finds it, every other request is refused", async () => {
    const number = newNumber();
    const request = billingRequest({ static_va_no: number });
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => callBilling(`${host.url}/billing/create`, { body: request })),
    );
    expect(new Set(replies.map(({ fields }) => JSON.stringify(fields))).size).toBe(1);
    expect(replies[0]?.fields["response_code"]).toBe("00");
    const asNumber = { ...request, static_va_no: Number(number) };
    expect((await callBilling(`${host.url}/billing/create`, { body: asNumber })).fields).toEqual(replies[0]?.fields);
    for (const service_id of [MERCHANT.serviceId, "2082"]) {
      expect(await create({ service_id, static_va_no: number })).toEqual({
        response_code: "01",
        response_message: `static_va_no ${number} belongs to another billing`,
      });
    }
    // Two requests at once for one new number: one of them gets it.
    const wanted = newNumber();
    const race = await Promise.all(Array.from({ length: 6 }, () => create({ static_va_no: wanted })));
    expect(race.filter((each) => each["response_code"] === "00")).toHaveLength(1);
  });

  it("can be closed by their merchant, also after payments; what was paid stands, nothing more is taken", async () => {
    const number = newNumber();
    const created = await create({ static_va_no: number });
    const { bit61 } = await show(number);
    expect((await host.send(message(number, 10_000, bit61))).fields["resultCode"]).toBe("00");
    expect((await ask("cancel", created))["response_message"]).toMatch(/is paying this billing just now/);
    await database.query(`update quote set honoured_until = quoted_at where bill_key = $1`, [`${PRODUCT}:${number}`]);
    expect(await ask("cancel", created)).toMatchObject({ response_code: "00", billing_status: "CANCELLED" });
    expect((await show(number))["resultCode"]).toBe("80");
    expect((await host.send(message(number, 10_000, bit61))).fields["resultCode"]).toBe("80");
    expect(await ask("inquire", created)).toMatchObject({
      ...{ billing_status: "CANCELLED", payment_details: [{ payment_nominal: "10000" }] },
    });
  });

  it("end when their merchant says, and not by themselves", async () => {
    const number = newNumber();
    const created = await create({ static_va_no: number, billing_due_date: "2024-01-01 00:00:00" });
    expect(await ask("inquire", created)).toMatchObject({ billing_status: "EXPIRED" });
    expect((await show(number))["resultCode"]).toBe("80");
  });

  it.each<[string, unknown]>([
    ["fifteen digits", "880812345678901"],
    ["seventeen digits", "88081234567890123"],
    ["letters", "8808abcd56789012"],
    ["digits of another script", "８８０８１２３４５６７８９０１２"],
    ["nothing", ""],
    ["a line feed", "8808123456789012\n"],
    ["a negative number", -8_808_123_456_789_012],
    ["a list", ["8808123456789012"]],
  ])("must have sixteen digits: %s", async (_name, static_va_no) => {
    const refused = await create({ static_va_no });
    expect(refused["response_code"]).toBe("01");
    expect(refused["response_message"]).toMatch(/^static_va_no /);
  });

  it("of another merchant are answered as bills that do not exist", async () => {
    const created = await create({ static_va_no: newNumber() });
    expect((await ask("inquire", created, { service_id: "2082" }))["response_message"]).toBe("Billing not found");
  });
});

it("static numbers are refused where their product is missing, and other bills are not", async () => {
  const database = await createTestDatabase();
  await fill(database, []);
  await addMerchant(database);
  await database.query(`delete from product where product_code = $1`, [PRODUCT]);
  const host = await startTestHost(database);
  try {
    const create = async (changes = {}) =>
      (await callBilling(`${host.url}/billing/create`, { body: billingRequest(changes) })).fields;
    expect(await create({ static_va_no: newNumber() })).toEqual({
      response_code: "01",
      response_message: "static numbers are not set up here: there is no product 900003",
    });
    expect((await create())["response_code"]).toBe("00");
  } finally {
    await host.stop();
    await database.drop();
  }
});
