import { fill, inquiryMessage, paymentMessage, telkomBill } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { type HostProcess, startHostProcess } from "../support/host-process";
import { brokenLaws } from "../support/laws";
import { createTestDatabase, type TestDatabase } from "../support/services";

jest.setTimeout(60_000);

type Message = Record<string, string>;
const numbers = Array.from({ length: 60 }, (_, index) => `00210084${String(90_000 + index)}`);
let unused = 0;
const freshBill = (): string => numbers[unused++] as string;

/** The reversal of a payment: its own body and traxId, another transactionType, a time stamp and signature of its own. */
const reversalOf = (payment: Message, changes: Message = {}): Message => {
  const { signature: _, ...rest } = payment;
  return paymentMessage({ ...rest, transactionType: "51", timeStamp: "20-03-2023 10:41:00", ...changes });
};

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await fill(
    database,
    numbers.map((billNumber) => telkomBill({ billNumber })),
  );
});
afterAll(() => database.drop());
afterEach(async () => {
  expect(await brokenLaws(database)).toEqual([]);
});

const openExceptions = (traxId: string | undefined) =>
  database.query<{ kind: string; other_trax_id: string | null; detail: string }>(
    `select kind, other_trax_id, detail from exception where trax_id = $1 and closed_at is null`,
    [traxId],
  );
const balanceOf = async (traxId: string | undefined): Promise<Record<string, string>> => {
  const rows = await database.query<{ account_code: string; net: string }>(
    `select account_code, sum(case side when 'debit' then p.amount else -p.amount end)::text as net
       from posting p join journal_entry e using (entry_id) where e.trax_id = $1 group by 1`,
    [traxId],
  );
  return Object.fromEntries(rows.map((row) => [row.account_code, row.net]));
};

describe("a reversal by the switch", () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await startTestHost(database);
  });
  afterAll(() => host.stop());
  const codeOf = async (message: Message): Promise<unknown> => (await host.send(message)).fields["resultCode"];

  it("mirrors the entry, opens the bill again, and is answered the same however often it comes", async () => {
    const payment = paymentMessage({ billNumber: freshBill() });
    expect(await codeOf(payment)).toBe("00");
    const reversal = reversalOf(payment);
    const reply = await host.send(reversal);
    expect(reply.fields).toMatchObject({ resultCode: "00", transactionType: "51", traxId: payment["traxId"] });
    expect(await host.send(reversal)).toMatchObject({ isReplay: true, text: reply.text });
    expect(await balanceOf(payment["traxId"])).toEqual({
      "due-from-switch": "0",
      "bill-collections": "0",
      "fee-earned": "0",
    });
    const [entry] = await database.query(
      `select r.kind, o.trax_id as original from journal_entry r join journal_entry o on o.entry_id = r.reverses_entry_id
        where r.trax_id = $1`,
      [payment["traxId"]],
    );
    expect(entry).toEqual({ kind: "reversal", original: payment["traxId"] });
    expect((await host.send(inquiryMessage({ billNumber: payment["billNumber"] as string }))).fields).toMatchObject({
      resultCode: "00",
      amount: "000000030000",
    });
  });

  it("ends the payment's success: a repeat is told that it was reversed, and another traxId may pay", async () => {
    const payment = paymentMessage({ billNumber: freshBill() });
    await host.send(payment);
    await host.send(reversalOf(payment));
    const repeat = await host.send(payment);
    expect(repeat.fields).toMatchObject({ resultCode: "21", resultDesc: "Payment was reversed" });
    expect(repeat.isReplay).toBe(false);
    expect(await codeOf({ ...payment, amount: "1" })).toBe("94");
    const next = paymentMessage({ billNumber: payment["billNumber"] as string });
    expect(await codeOf(next)).toBe("00");
    expect(await codeOf(reversalOf(payment))).toBe("00");
    expect(await balanceOf(next["traxId"])).toMatchObject({ "due-from-switch": "35000" });
  });

  it("before its payment leaves a tombstone: the payment is declined when it comes, and stays so", async () => {
    const payment = paymentMessage({ billNumber: freshBill() });
    const reversal = reversalOf(payment);
    const first = await host.send(reversal);
    expect(first.fields).toMatchObject({ resultCode: "21", resultDesc: "Payment not found" });
    const late = await host.send(payment);
    expect(late.fields).toMatchObject({ resultCode: "21", resultDesc: "Payment was reversed", transactionType: "50" });
    expect((await host.send(payment)).text).toBe(late.text);
    expect(await host.send(reversal)).toMatchObject({ isReplay: true, text: first.text });
    expect(await balanceOf(payment["traxId"])).toEqual({});
    expect(await codeOf(paymentMessage({ billNumber: payment["billNumber"] as string }))).toBe("00");
  });

  it("of a declined payment is well, and moves nothing", async () => {
    const payment = paymentMessage({ billNumber: freshBill(), amount: "1" });
    expect(await codeOf(payment)).toBe("13");
    expect(await codeOf(reversalOf(payment))).toBe("00");
    expect(await balanceOf(payment["traxId"])).toEqual({});
    expect(await codeOf(payment)).toBe("13");
  });

  it("of another amount or bill is refused, with an alarm, and does not spoil the rightful one", async () => {
    const payment = paymentMessage({ billNumber: freshBill() });
    await host.send(payment);
    expect(await codeOf(reversalOf(payment, { amount: "000000010000" }))).toBe("13");
    expect(await codeOf(reversalOf(payment, { billNumber: freshBill() }))).toBe("94");
    expect(
      host.logs.filter(({ traxId, msg }) => traxId === payment["traxId"] && String(msg).includes("tamper")),
    ).toHaveLength(2);
    expect(await codeOf(reversalOf(payment))).toBe("00");
  });

  it("after the payment's business date is refused, and people decide on a refund", async () => {
    const payment = paymentMessage({ billNumber: freshBill() });
    await host.send(payment);
    const [{ cut } = { cut: "" }] = await database.query<{ cut: string }>(
      // The next business date has begun by this partner's cut-off a minute ago.
      `select to_char((now() at time zone 'Asia/Jakarta') - interval '1 minute', 'HH24:MI') as cut`,
    );
    await database.query(`update partner set dialect = jsonb_build_object('cutOff', $1::text)`, [cut]);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const reversal = reversalOf(payment);
    const reply = await host.send(reversal);
    expect(reply.fields).toMatchObject({ resultCode: "21", resultDesc: "Payment can no longer be reversed" });
    expect(await openExceptions(payment["traxId"])).toMatchObject([{ kind: "refund" }]);
    await database.query(`update partner set dialect = '{}'`);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    // Sticky, as every answer about money.
    expect((await host.send(reversal)).text).toBe(reply.text);
    expect(await host.send(payment)).toMatchObject({ isReplay: true });
  });

  it("closes what was open about its payment", async () => {
    const first = paymentMessage({ billNumber: freshBill() });
    const second = paymentMessage({ billNumber: first["billNumber"] as string });
    await host.send(first);
    expect(await codeOf(second)).toBe("88");
    expect(await openExceptions(second["traxId"])).toMatchObject([
      { kind: "double-collection", other_trax_id: first["traxId"] },
    ]);
    // The switch takes the first one back, which it had charged too; the second stays declined.
    expect(await codeOf(reversalOf(first))).toBe("00");
    expect(await codeOf(second)).toBe("88");
    await database.query(`update partner set dialect = '{"mustAccept":true}'`);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const suspended = paymentMessage({ billNumber: "9999999999999" });
    expect(await codeOf(suspended)).toBe("00");
    expect(await openExceptions(suspended["traxId"])).toMatchObject([{ kind: "suspense" }]);
    expect(await codeOf(reversalOf(suspended))).toBe("00");
    expect(await openExceptions(suspended["traxId"])).toEqual([]);
    expect(await balanceOf(suspended["traxId"])).toEqual({ "due-from-switch": "0", suspense: "0" });
    await database.query(`update partner set dialect = '{}'`);
  });

  it("is only taken where reversals are spoken of, and under its own signature", async () => {
    const payment = paymentMessage({ billNumber: freshBill() });
    await host.send(payment);
    const reversal = reversalOf(payment);
    expect((await host.send(reversal, "/finpay/payment")).fields["resultCode"]).toBe("40");
    expect(await codeOf({ ...payment, transactionType: "51" })).toBe("05");
    const { amount: _, ...withoutAmount } = reversal;
    expect(await codeOf(withoutAmount)).toBe("30");
  });
});

describe("a reversal and its payment at the same time, over two processes", () => {
  let hosts: HostProcess[];
  beforeAll(async () => {
    hosts = await Promise.all([startHostProcess(database), startHostProcess(database, { redisUrl: null })]);
  });
  afterAll(() => {
    for (const host of hosts) host.child.kill("SIGKILL");
  });

  it("never leave money posted that was said not to be found, nor the other way round", async () => {
    const orders = new Set<string>();
    for (let n = 0; n < 12; n++) {
      const payment = paymentMessage({ billNumber: freshBill() });
      const copies = Array.from({ length: 8 }, (_, copy) => {
        const host = hosts[copy % 2] as HostProcess;
        const message = copy < 4 ? payment : reversalOf(payment);
        const delayMs = n % 3 === 0 ? 0 : copy < 4 === (n % 3 === 1) ? 3 : 0;
        return new Promise<{ isPayment: boolean; code: string }>((resolve, reject) => {
          setTimeout(() => {
            host
              .send(message)
              .then(({ fields }) => resolve({ isPayment: copy < 4, code: String(fields["resultCode"]) }), reject);
          }, delayMs);
        });
      });
      const replies = await Promise.all(copies);
      const reversed = replies.filter(({ isPayment }) => !isPayment).map(({ code }) => code);
      expect([reversed, new Set(reversed).size]).toEqual([reversed, 1]);
      orders.add(reversed[0] as string);
      const balance = await balanceOf(payment["traxId"]);
      // Either it was posted and taken back, or it was never posted and never said to be.
      const isReversed = reversed[0] === "00";
      const wiped = { "due-from-switch": "0", "bill-collections": "0", "fee-earned": "0" };
      expect({ code: reversed[0], balance }).toEqual(
        isReversed ? { code: "00", balance: wiped } : { code: "21", balance: {} },
      );
      const approved = replies.filter(({ isPayment, code }) => isPayment && code === "00");
      expect(isReversed || approved.length === 0).toBe(true);
    }
    expect(orders.size).toBeGreaterThan(0);
  });
});
