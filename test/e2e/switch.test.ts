import vector from "../vectors/telkom-001001-payment.json";
import openapi from "../../src/http/openapi.json";
import { auditRoutes } from "../../src/http/routes/audit";
import { reconRoutes } from "../../src/http/routes/recon";
import { billingRoutes } from "../../src/http/routes/billing";
import { healthRoutes } from "../../src/http/routes/health";
import { billPageRoutes } from "../../src/http/routes/bill-page";
import { openApiRoutes } from "../../src/http/routes/openapi";
import { switchRoutes } from "../../src/http/routes/switch";
import {
  catalogOf,
  fill,
  inquiryMessage,
  newTraxId,
  paymentMessage,
  sign,
  telkomBill,
  testDb,
} from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { brokenLaws } from "../support/laws";
import { createTestDatabase, type TestDatabase } from "../support/services";

const numbers = Array.from({ length: 30 }, (_, index) => `00210084${String(60_000 + index)}`);
const EXPIRED = "0021008469001";
const CANCELLED = "0021008469002";
const FRESH_AND_OLD = "0021008469003";

describe("a host that the switch talks to", () => {
  let database: TestDatabase;
  let host: TestHost;
  let unused = 0;
  const freshBill = (): string => numbers[unused++] as string;

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, [
      // The published customer in place of the demo's.
      telkomBill({ customerName: "IDHAM DHIYAULHAQ HABIBI" }),
      ...numbers.map((billNumber) => telkomBill({ billNumber })),
      telkomBill({ billNumber: EXPIRED, dueAtMs: Date.UTC(2026, 0, 1) }),
      telkomBill({ billNumber: CANCELLED }),
      telkomBill({
        billNumber: FRESH_AND_OLD,
        items: Array.from({ length: 11 }, (_, index) => ({ reference: `M${index + 1}`, amount: 1_000n })),
      }),
    ]);
    await database.query(`update bill set is_cancelled = true where bill_number = $1`, [CANCELLED]);
    host = await startTestHost(database);
  });
  afterAll(async () => {
    await host.stop();
    expect(await brokenLaws(database)).toEqual([]);
    await database.drop();
  });

  describe("an inquiry", () => {
    it("shows what is owed with the full bit61, customer's name and tax number included", async () => {
      const reply = await host.send(inquiryMessage({ traxId: "64560312893" }), "/finpay/inquiry");
      expect(reply.status).toBe(200);
      expect(reply.fields).toMatchObject({
        resultCode: "00",
        resultDesc: "Approve",
        bit61: vector.paymentRequest.bit61,
        amount: "000000030000",
        feeAmount: "5000",
        transactionType: "38",
        traxId: "64560312893",
        timeStamp: "20-03-2023 10: 40: 40",
        customerData: { customerName: "IDHAM DHIYAULHAQ HABIBI", npwp: "8825220158", jumlahBill: "3" },
      });
      expect(reply.fields["sysCode"]).toMatch(/^[0-9]{12}$/);
      expect(reply.fields["timeStampServer"]).toMatch(/^[0-9]{2}-[0-9]{2}-[0-9]{4} [0-9:]{8}:[0-9]{6}$/);
    });

    it("may be repeated without limit, moves no money and takes no key", async () => {
      const billNumber = freshBill();
      const message = inquiryMessage({ billNumber });
      for (let n = 0; n < 3; n++) expect((await host.send(message)).fields["resultCode"]).toBe("00");
      const payment = paymentMessage({ billNumber, traxId: message["traxId"] as string });
      expect((await host.send(payment)).fields["resultCode"]).toBe("00");
      const quotes = await database.query(`select 1 from quote where bill_key = $1`, [`001001:${billNumber}`]);
      expect(quotes).toHaveLength(1);
    });

    it("shows at most as many items as the message holds, the oldest, and their sum", async () => {
      const reply = await host.send(inquiryMessage({ billNumber: FRESH_AND_OLD }));
      expect(reply.fields).toMatchObject({ amount: "000000009000", customerData: { jumlahBill: "9" } });
      expect(reply.fields["customerData"]).toMatchObject({ billInfo9: { nomorReferensi: "M1" } });
      const { bit61 } = reply.fields as { bit61: string };
      const first = await host.send(paymentMessage({ billNumber: FRESH_AND_OLD, amount: "9000", bit61 }));
      expect(first.fields["resultCode"]).toBe("00");
      const rest = await host.send(inquiryMessage({ billNumber: FRESH_AND_OLD }));
      expect(rest.fields).toMatchObject({ amount: "000000002000", customerData: { jumlahBill: "2" } });
    });

    it.each([
      ["a bill that nobody knows", { billNumber: "9999999999999" }, "14"],
      ["a number that has not the product's length", { billNumber: "123" }, "14"],
      ["an expired bill", { billNumber: EXPIRED }, "80"],
      ["a cancelled bill", { billNumber: CANCELLED }, "80"],
      ["a product that nobody knows", { productCode: "999999" }, "92"],
    ])("declines %s", async (_name, changes, resultCode) => {
      const reply = await host.send(inquiryMessage(changes));
      expect(reply.status).toBe(200);
      expect(reply.fields).toMatchObject({ resultCode, customerData: {}, bit48: "" });
    });
  });

  describe("a payment", () => {
    it("is answered byte for byte as in the published sample", async () => {
      const { signature: _placeholder, ...unsigned } = vector.paymentRequest;
      const message = { ...unsigned, signature: sign(unsigned, "demo-password") };
      const reply = await host.send(message, "/finpay/payment");
      const { sysCode, timeStampServer } = reply.fields as { sysCode: string; timeStampServer: string };
      expect(sysCode).toMatch(/^[0-9]{12}$/);
      const expected = {
        ...vector.paymentResponse,
        sysCode,
        timeStampServer,
        // The sample has columns of the bill here; we write the real name.
        bit48: "No.Telkom:0218457003;Nama:IDHAM DHIYAULHAQ HABIBI;Jumlah:Rp.30000",
      };
      expect(reply.text).toBe(JSON.stringify(expected));

      const again = await host.send(message);
      expect(again.text).toBe(reply.text);
      expect([reply.isReplay, again.isReplay]).toEqual([false, true]);
      expect((await host.send(inquiryMessage())).fields["resultCode"]).toBe("88");
    });

    it("echoes a traxId of 32 characters whole", async () => {
      const traxId = "A1234567890.1234567890-123456789";
      expect(traxId).toHaveLength(32);
      const reply = await host.send(paymentMessage({ billNumber: freshBill(), traxId }));
      expect(reply.fields).toMatchObject({ resultCode: "00", traxId });
    });

    it("under a used traxId with other money is refused, and raises an alarm", async () => {
      const original = paymentMessage({ billNumber: freshBill() });
      await host.send(original);
      const reply = await host.send({ ...original, amount: "000000010000" });
      expect(reply.fields).toMatchObject({ resultCode: "94", customerData: {} });
      expect(reply.isReplay).toBe(false);
      const traxId = original["traxId"];
      const alarm = host.logs.find((line) => line["traxId"] === traxId && String(line["msg"]).includes("tamper alarm"));
      expect(alarm).toMatchObject({ differing: ["amount"], outcome: "CONFLICT" });
      const metrics = await (await fetch(`${host.url}/metrics`)).text();
      expect(metrics).toMatch(/biller_tamper_alarms_total [1-9]/);
      expect((await host.send(original)).isReplay).toBe(true);
    });

    it.each([
      ["of another amount", { amount: "29999" }, "13"],
      ["of another fee", { feeAmount: "4999" }, "13"],
      ["of nothing", { amount: "0" }, "13"],
    ])("%s is declined, and stays declined", async (_name, changes, resultCode) => {
      const message = paymentMessage({ billNumber: freshBill(), ...changes });
      const first = await host.send(message);
      expect(first.fields["resultCode"]).toBe(resultCode);
      const again = await host.send(message);
      expect([again.text, again.isReplay]).toEqual([first.text, true]);
    });

    it.each([
      ["an unknown bill", { billNumber: "9999999999999" }, "14"],
      ["an expired bill", { billNumber: EXPIRED }, "80"],
      ["a cancelled bill", { billNumber: CANCELLED }, "80"],
      ["an unknown product", { productCode: "999999" }, "92"],
    ])("of %s is declined, and stays declined", async (_name, changes, resultCode) => {
      const message = paymentMessage(changes);
      const first = await host.send(message);
      expect(first.fields["resultCode"]).toBe(resultCode);
      expect((await host.send(message)).text).toBe(first.text);
    });

    it("keeps an answer although the bill is gone from reach by then", async () => {
      const message = paymentMessage({ billNumber: freshBill() });
      const first = await host.send(message);
      await database.query(`update bill set is_cancelled = true where bill_number = $1`, [message["billNumber"]]);
      expect((await host.send(message)).text).toBe(first.text);
    });
  });

  describe("the door", () => {
    it.each([
      ["another password", () => paymentMessage({}, "another-password")],
      ["an unknown userName", () => paymentMessage({ userName: "nobody" })],
      ["an empty-looking signature", () => paymentMessage({ signature: "0".repeat(64) })],
      ["the signature of another message", () => ({ ...paymentMessage(), traxId: newTraxId() })],
    ])("gives the same answer to %s", async (_name, make) => {
      const message = make() as Record<string, string>;
      const reply = await host.send(message);
      expect(reply.status).toBe(200);
      expect(reply.fields).toMatchObject({ resultCode: "05", resultDesc: "Not authorised", customerData: {} });
      const consumed = await database.query(`select 1 from trax where trax_id = $1`, [message["traxId"]]);
      expect(consumed).toEqual([]);
    });

    it("accepts a signature in capital letters", async () => {
      const message = paymentMessage({ billNumber: freshBill() });
      const reply = await host.send({ ...message, signature: message["signature"]?.toUpperCase() });
      expect(reply.fields["resultCode"]).toBe("00");
    });

    it.each([
      ["/finpay/inquiry", () => paymentMessage(), "40"],
      ["/finpay/payment", () => inquiryMessage(), "40"],
      ["/finpay/payment", () => paymentMessage({ transactionType: "51" }), "40"],
      ["/finpay/billing", () => paymentMessage({ transactionType: "99" }), "40"],
    ])("at %s refuses what is not for it", async (path, make, resultCode) => {
      expect((await host.send(make(), path)).fields["resultCode"]).toBe(resultCode);
    });

    it("looks at the signature before it says anything about a bill or product", async () => {
      const reply = await host.send(paymentMessage({ billNumber: "9999999999999", productCode: "999999" }, "wrong"));
      expect(reply.fields["resultCode"]).toBe("05");
    });
  });

  it("writes down every attempt, masked, with its outcome", async () => {
    const message = paymentMessage({ billNumber: freshBill() });
    await host.send(message);
    await host.send(message);
    await host.send({ ...message, amount: "1" });
    const rows = async () =>
      database.query<Record<string, unknown>>(
        `select outcome, result_code, is_replay, is_delivered, http_status, note, request::text as request
           from attempt where trax_id = $1 order by received_at`,
        [message["traxId"]],
      );
    let attempts = await rows();
    for (let n = 0; n < 50 && attempts.length < 3; n++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      attempts = await rows();
    }
    expect(attempts).toMatchObject([
      { outcome: "APPROVED", result_code: "00", is_replay: false, is_delivered: true, http_status: 200 },
      { outcome: "APPROVED", is_replay: true },
      { outcome: "CONFLICT", note: "tamper alarm: amount differ" },
    ]);
    const written = JSON.stringify(attempts);
    expect(written).not.toContain(message["signature"]);
    expect(written).not.toContain(message["billNumber"]);
    expect(written).not.toContain("BUDI");
  });

  it("keeps secrets, names and whole bill numbers out of its log", () => {
    const text = JSON.stringify(host.logs);
    expect(host.logs.length).toBeGreaterThan(20);
    for (const secret of ["demo-password", "BUDI", "IDHAM", "8825220158", ...numbers])
      expect(text).not.toContain(secret);
    expect(text).not.toMatch(/[0-9a-f]{64}/);
  });

  it("serves exactly the routes that its description names", async () => {
    const routers = [
      switchRoutes(undefined as never),
      billingRoutes(undefined as never),
      billPageRoutes(undefined as never),
      auditRoutes(undefined as never),
      reconRoutes(undefined as never),
      healthRoutes(undefined as never),
      openApiRoutes(),
    ];
    const routes = routers.flatMap((router) =>
      router.stack.flatMap(({ path, methods }) =>
        methods
          .filter((method) => method !== "HEAD")
          .map((method) => `${method.toLowerCase()} ${String(path).replaceAll(/:(\w+)/g, "{$1}")}`),
      ),
    );
    const described = Object.entries(openapi.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    expect(routes.toSorted()).toEqual(described.toSorted());
    for (const [path, operations] of Object.entries(openapi.paths)) {
      for (const method of Object.keys(operations)) {
        const response = await fetch(`${host.url}${path}`, { method: method.toUpperCase() });
        // Nothing has the name that an address with a name in it is asked for here.
        const found = path.includes("{") || response.status !== 404;
        expect({ path, found: found && ![405, 501].includes(response.status) }).toEqual({ path, found: true });
      }
    }
    const served: unknown = await (await fetch(`${host.url}/openapi.json`)).json();
    expect(served).toEqual(openapi);
  });

  it("is ready, and says what its readiness is made of", async () => {
    const ready = await fetch(`${host.url}/readyz`);
    expect(ready.status).toBe(200);
    const { checks } = (await ready.json()) as { checks: { name: string; isOk: boolean }[] };
    expect(checks.map(({ name, isOk }) => `${name} ${isOk}`)).toEqual([
      "accepting true",
      "database true",
      "migrations true",
      "clock true",
      "chain true",
      "seal true",
      "redis true",
    ]);
    expect((await fetch(`${host.url}/healthz`)).status).toBe(200);
  });

  it("keeps the customer's name in the payment's bit61 when the dialect says so", async () => {
    const [partner] = await database.query<{ partner_id: number }>(
      `update partner set dialect = '{"reply":{"paymentBit61":"full"}}' where user_name = 'bmandiri' returning partner_id`,
    );
    expect(partner).toBeDefined();
    const db = testDb(database.appUrl);
    expect((await catalogOf(db)).partners.get("bmandiri")?.dialect.reply.paymentBit61).toBe("full");
    await db.close();
    // A running host reads its partners again every two seconds.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const billNumber = freshBill();
    const { bit61 } = (await host.send(inquiryMessage({ billNumber }))).fields as { bit61: string };
    const reply = await host.send(paymentMessage({ billNumber, bit61 }));
    expect(reply.fields).toMatchObject({ bit61, customerData: { customerName: "BUDI SANTOSO" } });
  });
});
