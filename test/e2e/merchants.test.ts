import { createHmac } from "node:crypto";
import { fill, inquiryMessage, paymentMessage } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { brokenLaws } from "../support/laws";
import { addMerchant, billingRequest, callBilling, legacySignature, MERCHANT, SECRETS } from "../support/merchants";
import { createTestDatabase, type TestDatabase } from "../support/services";

describe("the merchants' face", () => {
  let database: TestDatabase;
  let host: TestHost;
  const create = (changes: Record<string, unknown> = {}) =>
    callBilling(`${host.url}/billing/create`, { body: billingRequest(changes) });
  const question = (created: Record<string, unknown>) => ({
    service_id: MERCHANT.serviceId,
    billing_id: created["billing_id"],
    transaction_number: created["transaction_number"],
    signature: legacySignature(String(created["transaction_number"])),
  });
  const inquire = (created: Record<string, unknown>) =>
    callBilling(`${host.url}/billing/inquire`, { method: "GET", body: question(created) });
  const cancel = (created: Record<string, unknown>) =>
    callBilling(`${host.url}/billing/cancel`, { body: question(created) });
  const numberOf = (created: Record<string, unknown>): string => String(created["billing_id"]);
  /** What the switch asks and pays for a bill, with the bit61 that its inquiry showed. */
  async function pay(created: Record<string, unknown>, changes: Record<string, string> = {}) {
    const common = { productCode: "900001", billNumber: numberOf(created) };
    const { fields } = await host.send(inquiryMessage({ ...common, bit61: numberOf(created) }));
    const { amount, feeAmount, bit61 } = fields as { amount: string; feeAmount: string; bit61: string };
    return host.send(paymentMessage({ ...common, amount, feeAmount, bit61, ...changes }));
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, []);
    await addMerchant(database);
    await addMerchant(database, { serviceId: "2082", requiresHmac: true });
    host = await startTestHost(database, { settings: { PUBLIC_URL: "https://bills.example.com/" } });
  });
  afterAll(async () => {
    await host.stop();
    expect(await brokenLaws(database)).toEqual([]);
    await database.drop();
  });

  it("creates a bill that the switch can inquire and pay, and says so afterwards", async () => {
    const { status, fields: created } = await create({
      billing_notes: "Terima kasih",
      items: [
        { item_name: "Kemeja", qty: 2, item_amount: "20000" },
        { item_name: "Ongkos kirim", qty: "1", item_amount: 10_000 },
      ],
    });
    expect(status).toBe(200);
    expect(created).toMatchObject({
      response_code: "00",
      response_message: "Success Create Billing",
      billing_total: 50_000,
    });
    expect(String(created["billing_id"])).toMatch(/^[1-9][0-9]{12}$/);
    expect(created["billing_url"]).toMatch(/^https:\/\/bills\.example\.com\/b\/[A-Za-z0-9_-]{22}$/);

    const shown = await host.send(
      inquiryMessage({ productCode: "900001", billNumber: numberOf(created), bit61: numberOf(created) }),
    );
    expect(shown.fields).toMatchObject({
      resultCode: "00",
      amount: "000000050000",
      customerData: {
        merchantName: "TOKO MAJU JAYA",
        customerName: "SITI AMINAH",
        description: "Terima kasih",
        item1: { name: "Kemeja", amount: "40000" },
      },
    });
    expect((await inquire(created)).fields).toMatchObject({ billing_status: "UNPAID", payment_details: [] });
    expect((await pay(created)).fields["resultCode"]).toBe("00");
    const { fields } = await inquire(created);
    expect(fields).toMatchObject({
      billing_status: "PAID",
      billing_total: "50000",
      response_code: "00",
      response_message: "Success Inquiry Billing",
      transaction_number: created["transaction_number"],
    });
    expect(fields["payment_details"]).toEqual([
      {
        payment_id: expect.stringMatching(/^[0-9]{16}$/) as string,
        payment_date: expect.stringMatching(/^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}$/) as string,
        payment_nominal: "50000",
      },
    ]);
    const [lines] = await database.query(
      `select string_agg(account_code, ',' order by line_no) as accounts from posting where bill_key = $1`,
      [`900001:${numberOf(created)}`],
    );
    expect(lines).toEqual({ accounts: "due-from-switch,merchant-payable" });
  });

  it("gives the same bill for the same request, and refuses another one under the same number", async () => {
    const request = billingRequest({ billing_due_date: "2030-01-01 00:00:00" });
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => callBilling(`${host.url}/billing/create`, { body: request })),
    );
    expect(new Set(replies.map(({ fields }) => JSON.stringify(fields))).size).toBe(1);
    expect(replies[0]?.fields["response_code"]).toBe("00");
    const asText = { ...request, billing_total: "50000" };
    expect((await callBilling(`${host.url}/billing/create`, { body: asText })).fields).toEqual(replies[0]?.fields);
    const other = { ...request, billing_total: 50_001 };
    expect((await callBilling(`${host.url}/billing/create`, { body: other })).fields).toMatchObject({
      response_code: "01",
      response_message: expect.stringContaining("was used for another bill") as string,
    });
  });

  it("cancels what is not paid, as often as it is asked, and nothing else", async () => {
    const { fields: created } = await create();
    expect((await cancel(created)).fields).toMatchObject({ response_code: "00", billing_status: "CANCELLED" });
    expect((await cancel(created)).fields).toMatchObject({ response_code: "00", billing_status: "CANCELLED" });
    const payment = paymentMessage({
      ...{ productCode: "900001", billNumber: numberOf(created), amount: "50000", feeAmount: "0" },
      bit61: numberOf(created),
    });
    expect((await host.send(payment)).fields["resultCode"]).toBe("80");

    const { fields: paid } = await create();
    await pay(paid);
    expect((await cancel(paid)).fields).toMatchObject({ response_code: "01" });
    const { fields: quoted } = await create();
    await host.send(inquiryMessage({ productCode: "900001", billNumber: numberOf(quoted), bit61: numberOf(quoted) }));
    expect((await cancel(quoted)).fields["response_message"]).toMatch(/is paying this billing just now/);
  });

  it("expires a bill after a day, or when the merchant says", async () => {
    const { fields: past } = await create({ billing_due_date: "2024-01-01 00:00:00" });
    expect((await inquire(past)).fields).toMatchObject({
      billing_status: "EXPIRED",
      billing_due_date: "2024-01-01 00:00:00",
    });
    const { fields: usual } = await create();
    const due = Date.parse(`${String((await inquire(usual)).fields["billing_due_date"]).replace(" ", "T")}+07:00`);
    expect(Math.abs(due - Date.now() - 86_400_000)).toBeLessThan(60_000);
  });

  it("shows nobody else's bill, whatever is asked", async () => {
    const { fields: created } = await create();
    const stranger = { ...question(created), service_id: "2082" };
    const signed = (body: string, timestamp = String(Math.floor(Date.now() / 1_000))) => ({
      "x-timestamp": timestamp,
      "x-signature": createHmac("sha256", SECRETS.hmac).update(`${timestamp}.${body}`).digest("hex"),
    });
    const body = JSON.stringify(stranger);
    const theirs = await callBilling(`${host.url}/billing/inquire`, { body, headers: signed(body) });
    const missing = JSON.stringify({ ...stranger, transaction_number: "NOPE" });
    const nobodys = await callBilling(`${host.url}/billing/inquire`, { body: missing, headers: signed(missing) });
    expect(theirs.fields).toEqual({ response_code: "01", response_message: "Billing not found" });
    expect(nobodys).toEqual(theirs);
    const query = `service_id=2082&limit=5`;
    const listed = await callBilling(`${host.url}/billing/list?${query}`, { method: "GET", headers: signed(query) });
    expect(listed.fields).toMatchObject({ response_code: "00", billings: [], next: null });
  });

  it("refuses weak signatures of a merchant who must do better, stale ones, and changed bodies", async () => {
    const request = billingRequest({ service_id: "2082" });
    const body = JSON.stringify(request);
    const now = Math.floor(Date.now() / 1_000);
    const sign = (text: string, timestamp: number) => ({
      "x-timestamp": String(timestamp),
      "x-signature": createHmac("sha256", SECRETS.hmac).update(`${timestamp}.${text}`).digest("hex"),
    });
    const url = `${host.url}/billing/create`;
    expect((await callBilling(url, { body })).status).toBe(401);
    expect((await callBilling(url, { body, headers: sign(body, now - 600) })).status).toBe(401);
    expect((await callBilling(url, { body: body.replace("50000", "50001"), headers: sign(body, now) })).status).toBe(
      401,
    );
    expect((await callBilling(url, { body, headers: sign(body, now) })).fields["response_code"]).toBe("00");
    expect((await create({ signature: legacySignature("another") })).status).toBe(401);
    expect((await create({ service_id: "999" })).fields).toEqual({
      response_code: "01",
      response_message: "Not authorised",
    });
  });

  it("S9: takes no credential of the switch here, and none of a merchant there", async () => {
    const asSwitch = billingRequest({ service_id: "1041", signature: paymentMessage()["signature"] });
    const before = await database.query(`select 1 from merchant_bill`);
    expect((await callBilling(`${host.url}/billing/create`, { body: asSwitch })).status).toBe(401);
    const byUserName = billingRequest({ service_id: "bmandiri" });
    expect((await callBilling(`${host.url}/billing/create`, { body: byUserName })).status).toBe(401);
    expect(await database.query(`select 1 from merchant_bill`)).toHaveLength(before.length);
    for (const changes of [{ userName: MERCHANT.userName }, { userName: MERCHANT.serviceId }]) {
      const asMerchant = paymentMessage({ productCode: "900001", ...changes }, MERCHANT.password);
      expect((await host.send(asMerchant)).fields["resultCode"]).toBe("05");
      expect(await database.query(`select 1 from trax where trax_id = $1`, [asMerchant["traxId"]])).toEqual([]);
    }
  });

  it("is inquired by JSON body and by query string, with numbers as text and as numbers", async () => {
    const { fields: created } = await create({ transaction_number: "700123" });
    const asked = question(created);
    const expected = (await inquire(created)).fields;
    expect(expected).toMatchObject({ response_code: "00", billing_status: "UNPAID" });
    const asText = { ...asked, billing_id: String(created["billing_id"]) };
    const asNumbers = { ...asked, service_id: Number(MERCHANT.serviceId), transaction_number: 700_123 };
    for (const [method, body] of [
      ["GET", asText],
      ["POST", asText],
      ["GET", asNumbers],
      ["POST", asNumbers],
    ] as const) {
      expect((await callBilling(`${host.url}/billing/inquire`, { method, body })).fields).toEqual(expected);
    }
    const query = new URLSearchParams(asText as Record<string, string>).toString();
    expect((await callBilling(`${host.url}/billing/inquire?${query}`, { method: "GET" })).fields).toEqual(expected);
  });

  it("says which of the two names of a bill is missing, to those who have signed", async () => {
    const { fields: created } = await create();
    for (const what of ["inquire", "cancel"]) {
      const ask = async (changes: Record<string, unknown>) =>
        (await callBilling(`${host.url}/billing/${what}`, { body: { ...question(created), ...changes } })).fields;
      expect((await ask({ billing_id: undefined }))["response_message"]).toBe("billing_id must be given");
      expect((await ask({ billing_id: [1] }))["response_message"]).toBe("billing_id must be given");
      const without = { transaction_number: "", signature: legacySignature("") };
      expect((await ask(without))["response_message"]).toBe("transaction_number must be given");
      expect((await ask({ ...without, billing_id: "" }))["response_message"]).toMatch(/^billing_id and transaction/);
      expect((await ask({ billing_id: "", signature: "x" }))["response_message"]).toBe("Not authorised");
    }
  });

  it("lists bills page by page, each once, the latest first", async () => {
    const made: unknown[] = [];
    for (let n = 0; n < 7; n++) made.unshift((await create()).fields["transaction_number"]);
    const seen: unknown[] = [];
    let next: string | null = "";
    while (next !== null && seen.length < 7) {
      const url: string = `${host.url}/billing/list?service_id=1041&limit=3&signature=${legacySignature("")}${next ? `&next=${next}` : ""}`;
      const { fields } = await callBilling(url, { method: "GET" });
      seen.push(...(fields["billings"] as { transaction_number: string }[]).map((each) => each.transaction_number));
      next = fields["next"] as string | null;
    }
    expect(seen.slice(0, 7)).toEqual(made);
    const odd = `${host.url}/billing/list?service_id=1041&signature=${legacySignature("")}`;
    expect((await callBilling(`${odd}&limit=0`, { method: "GET" })).fields["response_code"]).toBe("01");
    expect((await callBilling(`${odd}&next=%00`, { method: "GET" })).fields["response_code"]).toBe("01");
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      "items that do not add up",
      { items: [{ item_name: "A", qty: 1, item_amount: 49_000 }] },
      /add up to Rp 1000 less than/,
    ],
    ["items that are too much", { items: [{ item_name: "A", qty: 3, item_amount: 20_000 }] }, /Rp 10000 more than/],
    ["a total of nothing", { billing_total: 0 }, /billing_total must be more than 0/],
    ["a total with a fraction", { billing_total: 1.5 }, /billing_total/],
    ["a total in scientific form", { billing_total: "1e3" }, /billing_total must be 1 to 12 digits/],
    ["a total of thirteen digits", { billing_total: "1000000000000" }, /billing_total/],
    ["a negative total", { billing_total: -5 }, /billing_total/],
    ["no e-mail address", { customer_email: "siti" }, /customer_email must be an e-mail address/],
    ["no name", { customer_name: "  " }, /customer_name must not be empty/],
    ["a name with control characters", { customer_name: "A\u0000B" }, /customer_name/],
    ["the 31st of April", { billing_due_date: "2026-04-31 00:00:00" }, /billing_due_date/],
    ["a date in another form", { billing_due_date: "2026-04-30" }, /billing_due_date/],
    ["another language", { billing_language: "FR" }, /billing_language/],
    ["a phone with letters", { customer_phone: "call me" }, /customer_phone/],
    ["21 items", { items: Array.from({ length: 21 }, () => ({ item_name: "A", qty: 1, item_amount: 1 })) }, /items/],
    ["an item that is a text", { items: ["A"] }, /items\.0/],
    ["several faults at once", { customer_name: 7, billing_total: "x" }, /billing_total.*customer_name/],
  ])("refuses %s, and says what is wrong", async (_name, changes, message) => {
    const { status, fields } = await create(changes);
    expect([status, fields["response_code"]]).toEqual([200, "01"]);
    expect(fields["response_message"]).toMatch(message);
  });

  it.each([
    ["no JSON", "{", 400],
    ["a list", "[]", 400],
    ["a key twice", '{"service_id":"1041","service_id":"1041"}', 400],
    ["a polluting key", '{"__proto__":{"x":1}}', 400],
    ["100 KB", JSON.stringify({ x: "x".repeat(100_000) }), 413],
  ])("answers %s with its status and JSON", async (_name, body, status) => {
    const reply = await callBilling(`${host.url}/billing/create`, { body });
    expect(reply.status).toBe(status);
  });

  it("writes names that no fixed column can hold so that the switch can read them", async () => {
    const { fields: created } = await create({ customer_name: "Zoë Ćirić 🎉", billing_notes: "Müller & Søn" });
    const reply = await pay(created);
    expect(reply.fields["resultCode"]).toBe("00");
    expect(String(reply.fields["bit61"])).toMatch(/^[ -~]+$/);
    expect(reply.fields["customerData"]).toMatchObject({ customerName: "Zoe Ciric ?", description: "Muller & Son" });
  });

  it("serves the addresses that are published as well", async () => {
    const base = `${host.url}/billingbackendapi/web`;
    const { fields: created } = await callBilling(`${base}/api/create`, { body: billingRequest() });
    expect(created["response_code"]).toBe("00");
    expect(
      (await callBilling(`${base}/api/inquire`, { method: "GET", body: question(created) })).fields["response_code"],
    ).toBe("00");
    expect((await callBilling(`${base}/api/cancel`, { body: question(created) })).fields["response_code"]).toBe("00");
    const list = `${base}/billing/get-all-billing?service_id=1041&signature=${legacySignature("")}`;
    expect((await callBilling(list, { method: "GET" })).fields["response_code"]).toBe("00");
  });
});
