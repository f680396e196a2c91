import { createHash, createHmac } from "node:crypto";
import { fill, inquiryMessage, paymentMessage, TEST_KEYS } from "../support/builders";
import { startBiller } from "../support/command-line";
import { startTestHost, type TestHost } from "../support/host";
import { addMerchant, billingRequest, callBilling, legacySignature, MERCHANT, SECRETS } from "../support/merchants";
import { openReceiver, type Receiver } from "../support/receiver";
import { createTestDatabase, type TestDatabase } from "../support/services";

jest.setTimeout(60_000);

let database: TestDatabase;
let host: TestHost;
let receiver: Receiver;

beforeEach(async () => {
  database = await createTestDatabase();
  receiver = await openReceiver();
  await fill(database, []);
  await addMerchant(database, { callbackUrl: `http://127.0.0.1:${receiver.port}/told?shop=1` });
  host = await startTestHost(database, { settings: { CALLBACK_ALLOWED_HOSTS: "127.0.0.1" } });
});
afterEach(async () => {
  await host.stop();
  await receiver.close();
  await database.drop();
});

async function create(changes: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  return (await callBilling(`${host.url}/billing/create`, { body: billingRequest(changes) })).fields;
}
async function pay(created: Record<string, unknown>): Promise<Record<string, string>> {
  const common = { productCode: "900001", billNumber: String(created["billing_id"]) };
  const { fields } = await host.send(inquiryMessage({ ...common, bit61: common.billNumber }));
  const { amount, feeAmount, bit61 } = fields as { amount: string; feeAmount: string; bit61: string };
  const message = paymentMessage({ ...common, amount, feeAmount, bit61 });
  expect((await host.send(message)).fields["resultCode"]).toBe("00");
  return message;
}
const makeDue = () =>
  database.query(`update outbox set next_attempt_at = now() where delivered_at is null and dead_at is null`);
const outbox = () =>
  database.query<{ attempts: number; delivered: boolean; dead: boolean; wait_s: number }>(
    `select attempts, delivered_at is not null as delivered, dead_at is not null as dead,
            extract(epoch from next_attempt_at - clock_timestamp())::float8 as wait_s
       from outbox order by created_at, bill_version`,
  );
async function until(isSo: () => Promise<boolean>, withinMs = 8_000): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > giveUpAt) throw new Error("it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe("callbacks", () => {
  it("tell a merchant of a payment, in the published shape, signed in both ways", async () => {
    const created = await create();
    await pay(created);
    const [call] = await receiver.wait(1);
    expect(call?.path).toBe("/told?shop=1");
    expect(call?.fields).toEqual({
      service_id: MERCHANT.serviceId,
      billing_id: String(created["billing_id"]),
      transaction_number: created["transaction_number"],
      billing_total: "50000",
      billing_status: "PAID",
      payment_id: expect.stringMatching(/^[0-9]{16}$/) as string,
      payment_amount: "50000",
      payment_method: "FINPAY-6017",
      payment_date: expect.stringMatching(/^[0-9]{4}-/) as string,
      signature: legacySignature(String(created["transaction_number"])),
    });
    const { "x-event-id": id, "x-timestamp": time, "x-signature": signature } = call?.headers ?? {};
    const expected = createHmac("sha256", SECRETS.callback)
      .update(`${String(id)}.${String(time)}.${call?.body}`)
      .digest("hex");
    expect(signature).toBe(`v1=${expected}`);
    expect(createHash("sha256").update(String(id)).digest("hex")).toHaveLength(64);
    await until(async () => (await outbox())[0]?.delivered === true);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(receiver.received).toHaveLength(1);
  });

  it("tell of a reversal and of a cancellation, after what came before", async () => {
    const created = await create();
    const payment = await pay(created);
    const { signature: _, ...rest } = payment;
    await host.send(paymentMessage({ ...rest, transactionType: "51", timeStamp: "20-03-2023 10:42:00" }));
    const calls = await receiver.wait(2);
    expect(
      calls.map(({ headers, fields }) => `${String(headers["x-event-kind"])} ${String(fields["billing_status"])}`),
    ).toEqual(["payment.accepted PAID", "payment.reversed UNPAID"]);
    expect(calls[0]?.fields["payment_id"]).toBe(calls[1]?.fields["payment_id"]);
    const other = await create();
    const question = {
      ...{
        service_id: MERCHANT.serviceId,
        billing_id: other["billing_id"],
        transaction_number: other["transaction_number"],
      },
      signature: legacySignature(String(other["transaction_number"])),
    };
    await callBilling(`${host.url}/billing/cancel`, { body: question });
    await receiver.wait(3);
    expect(receiver.received[2]?.fields).toMatchObject({ billing_status: "CANCELLED" });
  });

  it("are tried again with growing pauses under the same id, until a 2xx comes; then never again", async () => {
    const answers = [500, 302, 404, 204];
    receiver.answer = (_call, response) => {
      response.statusCode = answers[receiver.received.length - 1] ?? 200;
      response.setHeader("Location", `http://127.0.0.1:${receiver.port}/elsewhere`);
      response.end();
    };
    await pay(await create());
    const pauses = [5, 300, 1_800];
    for (const [index, pause] of pauses.entries()) {
      await receiver.wait(index + 1);
      await until(async () => ((await outbox())[0]?.wait_s ?? 0) > 1);
      const [row] = await outbox();
      expect(row?.attempts).toBe(index + 1);
      expect(row?.wait_s).toBeGreaterThan(pause * 0.89 - 2);
      expect(row?.wait_s).toBeLessThan(pause * 1.1 + 1);
      await makeDue();
    }
    await receiver.wait(4);
    await until(async () => (await outbox())[0]?.delivered === true);
    expect(new Set(receiver.received.map(({ headers }) => headers["x-event-id"])).size).toBe(1);
    // The redirect was not followed.
    expect(receiver.received.map(({ path }) => path)).toEqual(Array(4).fill("/told?shop=1"));
    const attempts = await database.query(`select attempt_no, http_status, fault from callback_attempt order by 1`);
    expect(attempts).toMatchObject([
      { http_status: 500, fault: "answered with status 500" },
      { http_status: 302, fault: "answered with status 302" },
      { http_status: 404 },
      { http_status: 204, fault: null },
    ]);
  });

  it("become dead letters in the end, and hold nothing up afterwards; a replay sends them under their old id", async () => {
    receiver.answer = (_call, response) => {
      response.statusCode = 500;
      response.end();
    };
    const payment = await pay(await create());
    await receiver.wait(1);
    await until(async () => ((await outbox())[0]?.wait_s ?? 0) > 1);
    await database.query(`update outbox set attempts = 9, next_attempt_at = now()`);
    await until(async () => (await outbox())[0]?.dead === true);
    expect(host.logs.some(({ msg }) => msg === "callback is a dead letter")).toBe(true);

    receiver.answer = (_call, response) => void response.end();
    const { signature: _, ...rest } = payment;
    await host.send(paymentMessage({ ...rest, transactionType: "51", timeStamp: "20-03-2023 10:42:00" }));
    await until(async () => (await outbox())[1]?.delivered === true);
    const deadId = receiver.received[0]?.headers["x-event-id"];
    await database.query(`update outbox set dead_at = null, next_attempt_at = now() where event_id = $1`, [deadId]);
    await until(async () => (await outbox())[0]?.delivered === true);
    expect(receiver.received.at(-1)?.headers["x-event-id"]).toBe(deadId);
  });

  it("do not wait for a merchant who never answers, or answers without end", async () => {
    const slow = await openReceiver();
    let [open, most] = [0, 0];
    slow.answer = (_call, response) => {
      open += 1;
      most = Math.max(most, open);
      response.on("close", () => {
        open -= 1;
      });
    };
    const endless = await openReceiver();
    endless.answer = (_call, response) => {
      const flood = setInterval(() => response.write("x".repeat(50_000)), 1);
      response.on("close", () => clearInterval(flood));
    };
    await addMerchant(database, { serviceId: "500", callbackUrl: `http://127.0.0.1:${slow.port}/` });
    await addMerchant(database, { serviceId: "501", callbackUrl: `http://127.0.0.1:${endless.port}/` });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    for (const service_id of ["500", "501"]) {
      for (let n = 0; n < 8; n++) await pay(await create({ service_id }));
    }
    const startedMs = Date.now();
    await pay(await create());
    await receiver.wait(1);
    expect(Date.now() - startedMs).toBeLessThan(2_000);
    // No more than four of one merchant at a time.
    expect(most).toBeLessThanOrEqual(4);
    await until(async () => {
      const rows = await database.query(`select 1 from callback_attempt where fault like 'no answer within%'`);
      return rows.length >= 4;
    }, 12_000);
    await slow.close();
    await endless.close();
  });

  it("survive a process that is killed while sending: the claim runs out and they are sent again", async () => {
    receiver.answer = (_call, response) => void response.end();
    await host.stop();
    host = await startTestHost(database, { settings: { CALLBACK_ALLOWED_HOSTS: "127.0.0.1" } });
    const created = await create();
    await database.query(`alter table outbox alter column claimed_until set default now() + interval '2 seconds'`);
    await pay(created);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(receiver.received).toEqual([]);
    await receiver.wait(1, 5_000);
    expect(receiver.received).toHaveLength(1);
  });

  it("are signed with both keys while one is being replaced, and with the new one afterwards", async () => {
    const settings = {
      ...{ DATABASE_URL: database.appUrl, MIGRATION_DATABASE_URL: database.ownerUrl },
      CREDENTIAL_KEYS: TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join(),
    };
    const biller = (...args: string[]) => startBiller(args, settings).ended;
    const rotated = await biller("merchant", "rotate", MERCHANT.serviceId, "callback");
    const secret = rotated.out.trim().split(/\s/).at(-1) ?? "";
    expect(secret).toHaveLength(32);
    const signaturesOf = async (count: number): Promise<string[]> => {
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      await pay(await create());
      const call = (await receiver.wait(count))[count - 1];
      const { "x-event-id": id, "x-timestamp": time, "x-signature": signature } = call?.headers ?? {};
      const text = `${String(id)}.${String(time)}.${call?.body}`;
      const names = new Map(
        [SECRETS.callback, secret].map((key) => [`v1=${createHmac("sha256", key).update(text).digest("hex")}`, key]),
      );
      return String(signature)
        .split(",")
        .map((each) => names.get(each) ?? "unknown");
    };
    expect(await signaturesOf(1)).toEqual([secret, SECRETS.callback]);
    expect((await biller("merchant", "retire", MERCHANT.serviceId, "callback")).out).toMatch(/^1 retired/);
    expect(await signaturesOf(2)).toEqual([secret]);
    expect((await biller("merchant", "retire", MERCHANT.serviceId, "callback")).out).toMatch(/^0 retired/);
    const unknown = await biller("merchant", "rotate", "999", "hmac");
    expect([unknown.code === 0, unknown.err]).toEqual([false, expect.stringContaining("no active merchant 999")]);
    expect((await biller("merchant", "rotate", MERCHANT.serviceId, "pin")).code).not.toBe(0);
  });

  it("to a private address are refused each time, and nothing is sent", async () => {
    await host.stop();
    host = await startTestHost(database);
    await pay(await create());
    await until(async () => (await database.query(`select 1 from callback_attempt`)).length === 1);
    const [attempt] = await database.query<{ fault: string }>(`select fault from callback_attempt`);
    expect(attempt?.fault).toMatch(/the callback address must begin with https/);
    expect(receiver.received).toEqual([]);
  });
});
