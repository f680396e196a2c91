import { createHash } from "node:crypto";
import { createSecretBox } from "../../src/platform";
import { insertPartner } from "../../src/store";
import {
  fill,
  inquiryMessage,
  newTraxId,
  paymentMessage,
  telkomBill,
  testDb,
  TEST_KEYS,
  transact,
} from "../support/builders";
import { type Reply, startTestHost, type TestHost } from "../support/host";
import { brokenLaws } from "../support/laws";
import { createTestDatabase, type TestDatabase } from "../support/services";

type Message = Record<string, string>;

const numbers = Array.from({ length: 60 }, (_, index) => `00210084${String(80_000 + index)}`);
const PASSWORD = "another-password";

/** Signs with any hash and joiner, written out apart from the product's own code. */
function signed(message: Message, outer: string, joiner = ""): Message {
  const inner = createHash("sha256").update(`${message["timeStamp"]}${PASSWORD}`).digest("hex");
  const names = ["userName", "productCode", "channel", "terminal", "transactionType", "billNumber", "traxId"];
  const text = [...names.map((name) => message[name] ?? message["bit41"]), inner].join(joiner);
  return { ...message, signature: createHash(outer).update(text).digest("hex") };
}

/** `12-03-2024 10:40:40:+07:00` and the like, of now, in Jakarta. */
function stampOf(instantMs: number, ending: string): string {
  const iso = new Date(instantMs + 7 * 3_600_000).toISOString();
  return `${iso.slice(8, 10)}-${iso.slice(5, 7)}-${iso.slice(0, 4)} ${iso.slice(11, 19)}${ending}`;
}

/** Everything that a real link may do differently, at once, as data. */
const OTHER = {
  preset: "four-digit",
  signature: { outer: "md5", joiner: ".", hexCase: "upper" },
  timestamp: { accepted: ["offset"], emitted: "seconds", windowMs: 600_000 },
  request: { amount: "bare", feeAmount: "bare", terminalField: "bit41" },
  reply: {
    ...{ amount: "bare", feeAmount: "lpz12", paymentAmounts: "form", customerId: "outside", bit48: "null" },
    ...{ paymentBit61: "full", echo: ["productCode", "terminal", "transactionType", "amount", "feeAmount"] },
  },
  transactionTypes: { inquiry: "30", payment: "55", reversal: null },
  codes: { ALREADY_PAID: "0089" },
};

describe("partners of different dialects in one process", () => {
  let database: TestDatabase;
  let host: TestHost;
  let unused = 0;
  const freshBill = (): string => numbers[unused++] as string;

  async function addPartner(userName: string, dialect: Record<string, unknown>): Promise<void> {
    const db = testDb(database.ownerUrl, 1);
    const partner = { userName, name: userName, productCodes: ["001001"], dialect, password: PASSWORD };
    await transact(db, (tx) => insertPartner(tx, partner, createSecretBox(TEST_KEYS)));
    await db.close();
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(
      database,
      numbers.map((billNumber) => telkomBill({ billNumber })),
    );
    await addPartner("other", OTHER);
    await addPartner("cutter", { signature: { lengths: [40, 64] }, journal: { billNumber: "drop", bit61: "keep" } });
    await addPartner("fenced", { sources: ["10.0.0.0/8", "2001:db8::/32"] });
    await addPartner("local", { sources: ["127.0.0.0/8", "::1"] });
    await addPartner("charger", { mustAccept: true });
    await addPartner("strict", { timestamp: { accepted: ["microseconds"], others: "refuse" }, bit61Check: "enforce" });
    host = await startTestHost(database);
  });
  afterAll(async () => {
    await host.stop();
    expect(await brokenLaws(database)).toEqual([]);
    await database.drop();
  });

  const ofOther = (changes: Message, timeStamp = stampOf(Date.now(), ":+07:00")): Message => {
    const { terminal, signature: _, timeStamp: __, ...rest } = paymentMessage({ userName: "other", ...changes });
    const message = signed({ ...rest, bit41: terminal as string, timeStamp }, "md5", ".");
    return { ...message, signature: (message["signature"] as string).toUpperCase() };
  };

  it("are each answered in their own: md5 with a dot, four digits, bare amounts, other types, names and times", async () => {
    const billNumber = freshBill();
    const { amount: _a, feeAmount: _f, bit61: _b, ...question } = ofOther({ billNumber, transactionType: "30" });
    const shown = await host.send(question);
    expect(Object.keys(shown.fields)).toEqual([
      ...["bit61", "customerData", "customerId", "resultCode", "resultDesc", "sysCode", "productCode", "bit41"],
      ...["transactionType", "amount", "feeAmount", "bit48", "traxId", "timeStampServer"],
    ]);
    expect(shown.fields).toMatchObject({
      ...{ resultCode: "0000", amount: "30000", feeAmount: "000000005000", bit48: "null", customerId: billNumber },
      ...{ bit41: "T0800004", transactionType: "30" },
    });
    expect(shown.fields["timeStampServer"]).toMatch(/^[0-9]{2}-[0-9]{2}-[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}$/);

    const bit61 = String(shown.fields["bit61"]);
    const payment = ofOther({ billNumber, transactionType: "55", amount: "30000", bit61 });
    const paid = await host.send(payment);
    expect(paid.fields).toMatchObject({
      ...{ resultCode: "0000", amount: "30000", feeAmount: "000000005000", bit61 },
      customerData: { customerName: "BUDI SANTOSO" },
    });
    expect((await host.send(payment)).text).toBe(paid.text);
    const twice = ofOther({ billNumber, transactionType: "55", amount: "30000", bit61 });
    expect((await host.send(twice)).fields).toMatchObject({ resultCode: "0089" });

    const usual = await host.send(paymentMessage({ billNumber: freshBill() }));
    expect(usual.fields).toMatchObject({ resultCode: "00", terminal: "T0800004", amount: "000000030000" });
    expect(usual.fields["bit41"]).toBeUndefined();
  });

  it("do not understand each other's hashes and types", async () => {
    const asSha = signed(ofOther({ billNumber: freshBill(), transactionType: "55" }), "sha256", ".");
    expect((await host.send(asSha)).fields["resultCode"]).toBe("05");
    const usualType = ofOther({ billNumber: freshBill(), transactionType: "50", amount: "30000" });
    expect((await host.send(usualType)).fields["resultCode"]).toBe("0040");
  });

  it("with a clock window refuse what is stale, but repeat what they have answered, however late", async () => {
    const stale = stampOf(Date.now() - 3_600_000, ":+07:00");
    const message = ofOther({ billNumber: freshBill(), transactionType: "55", amount: "30000" }, stale);
    const refused = await host.send(message);
    expect(refused.fields).toMatchObject({ resultCode: "0005" });
    const consumed = await database.query(`select 1 from trax where trax_id = $1`, [message["traxId"]]);
    expect(consumed).toEqual([]);

    const traxId = newTraxId();
    const billNumber = freshBill();
    const fresh = ofOther({ billNumber, traxId, transactionType: "55", amount: "30000" });
    const first = await host.send(fresh);
    const late = ofOther({ billNumber, traxId, transactionType: "55", amount: "30000" }, stale);
    expect(await host.send(late)).toMatchObject({ isReplay: true, text: first.text });
    const inquiry = ofOther({ billNumber: freshBill(), transactionType: "30" }, stale);
    expect((await host.send(inquiry)).fields["resultCode"]).toBe("0005");
  });

  it("may cut their signatures off, but not shorter than agreed", async () => {
    const whole = signed(paymentMessage({ userName: "cutter", billNumber: freshBill() }), "sha256");
    for (const [length, resultCode] of [
      [39, "05"],
      [63, "05"],
      [40, "00"],
    ] as const) {
      const cut = { ...whole, signature: (whole["signature"] as string).slice(0, length) };
      expect((await host.send(cut)).fields["resultCode"]).toBe(resultCode);
    }
    const wrong = { ...whole, traxId: newTraxId(), signature: (whole["signature"] as string).slice(0, 40) };
    expect((await host.send(wrong)).fields["resultCode"]).toBe("05");
  });

  it("are only heard from the addresses they have agreed on, and are told no more than strangers", async () => {
    const send = (userName: string): Promise<Reply> =>
      host.send(signed(paymentMessage({ userName, billNumber: freshBill() }), "sha256"));
    const [fenced, local, stranger] = [await send("fenced"), await send("local"), await send("nobody")];
    expect(local.fields["resultCode"]).toBe("00");
    expect(fenced.fields["resultCode"]).toBe("05");
    expect(fenced.fields["resultDesc"]).toBe(stranger.fields["resultDesc"]);
  });

  it("that charge first have everything accepted: what would be declined goes to suspense, once", async () => {
    const paidBill = freshBill();
    await host.send(paymentMessage({ billNumber: paidBill }));
    const suspended = [
      { billNumber: "9999999999999" },
      { billNumber: paidBill },
      { billNumber: freshBill(), amount: "12345" },
      { productCode: "999999", billNumber: "1" },
    ].map((changes) => signed(paymentMessage({ userName: "charger", ...changes }), "sha256"));
    for (const message of suspended) {
      const reply = await host.send(message);
      expect(reply.fields).toMatchObject({ resultCode: "00", customerData: {}, bit61: message["bit61"] });
      expect((await host.send(message)).text).toBe(reply.text);
      const lines = await database.query(
        `select p.account_code, p.side, p.amount::text from posting p join journal_entry e using (entry_id)
          where e.trax_id = $1 order by p.line_no`,
        [message["traxId"]],
      );
      const fee = message["productCode"] === "999999" ? 0n : 5_000n;
      const amount = String(BigInt(message["amount"] as string) + fee);
      expect(lines).toEqual([
        { account_code: "due-from-switch", side: "debit", amount },
        { account_code: "suspense", side: "credit", amount },
      ]);
    }
    const rightful = await host.send(
      signed(paymentMessage({ userName: "charger", billNumber: freshBill() }), "sha256"),
    );
    expect(rightful.fields).toMatchObject({ resultCode: "00", customerData: { jumlahBill: "3" } });
    const changed = { ...(suspended[0] as Message), amount: "1" };
    expect((await host.send(changed)).fields["resultCode"]).toBe("94");
    const nothing = signed(paymentMessage({ userName: "charger", billNumber: freshBill(), amount: "0" }), "sha256");
    expect((await host.send(nothing)).fields["resultCode"]).toBe("13");
  });

  it("may be strict about times and quotes", async () => {
    const strict = (changes: Message): Message =>
      signed(paymentMessage({ userName: "strict", billNumber: freshBill(), ...changes }), "sha256");
    expect((await host.send(strict({}))).fields["resultCode"]).toBe("30");
    const timeStamp = stampOf(Date.now(), ":123456");
    expect((await host.send(strict({ timeStamp }))).fields["resultCode"]).toBe("80");
    const question = strict({ timeStamp, transactionType: "38" });
    const { bit61 } = (await host.send(question)).fields as { bit61: string };
    const echo = strict({ timeStamp, bit61, billNumber: question["billNumber"] as string });
    expect((await host.send(echo)).fields["resultCode"]).toBe("00");
  });

  it("have every deviation counted by field and kind, and told once", async () => {
    const odd = (timeStamp: string): Message => {
      const { terminal, ...rest } = paymentMessage({ userName: "local", billNumber: freshBill(), amount: "30000" });
      return signed({ ...rest, feeAmount: "0005000", timeStamp, bit41: terminal as string, extra: "x" }, "sha256");
    };
    for (const timeStamp of ["now", "20-03-2023 10:40: 40", "now"]) {
      expect((await host.send(odd(timeStamp))).fields["resultCode"]).toBe("00");
    }
    const rows = () =>
      database.query<{ field: string; kind: string; n: string }>(
        `select field, kind, seen_count::text as n from drift join partner using (partner_id)
          where user_name = 'local' order by field, kind`,
      );
    let seen = await rows();
    for (let n = 0; n < 60 && !seen.some(({ field, n: count }) => field === "extra" && count === "3"); n++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      seen = await rows();
    }
    expect(seen).toEqual([
      { field: "amount", kind: "not padded to twelve digits", n: "3" },
      { field: "bit61", kind: "echoes no live quote", n: "4" },
      { field: "extra", kind: "not in the tables", n: "3" },
      { field: "feeAmount", kind: "padded with zeros", n: "3" },
      { field: "terminal", kind: "named bit41", n: "3" },
      { field: "timeStamp", kind: "form other", n: "1" },
      { field: "timeStamp", kind: "no time", n: "2" },
    ]);
    const told = host.logs.filter(({ msg, partner }) => partner === "local" && String(msg).startsWith("drift"));
    expect(told).toHaveLength(7);
    const metrics = await (await fetch(`${host.url}/metrics`)).text();
    expect(metrics).toContain('biller_deviations_total{partner="local",field="timeStamp",kind="no time"} 2');
  });

  it("have their attempts kept with request and reply, masked by their own rules, never a signature", async () => {
    const message = signed(paymentMessage({ userName: "cutter", billNumber: freshBill() }), "sha256");
    await host.send(message);
    const usual = paymentMessage({ billNumber: freshBill() });
    await host.send(usual);
    const find = async (traxId: string | undefined) =>
      (
        await database.query<{ request: Record<string, unknown>; reply: Record<string, unknown>; duration_ms: number }>(
          `select request, reply, duration_ms from attempt where trax_id = $1`,
          [traxId],
        )
      )[0];
    for (let n = 0; n < 50 && (await find(usual["traxId"])) === undefined; n++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const [own, other] = [await find(message["traxId"]), await find(usual["traxId"])];
    expect(own?.request).toMatchObject({ bit61: "0021008457003", traxId: message["traxId"], userName: "cutter" });
    expect(own?.request["billNumber"]).toBeUndefined();
    expect(other?.request).toMatchObject({ bit61: "13 characters", amount: "000000030000", terminal: "T0800004" });
    expect(other?.request["billNumber"]).toMatch(/^00\*{9}[0-9]{2}$/);
    expect(other?.reply).toMatchObject({
      resultCode: "00",
      bit61: "89 characters",
      bit48: expect.stringMatching(/^[0-9]+ characters$/),
    });
    expect(other?.reply["customerData"]).toBeUndefined();
    const text = JSON.stringify([own, other]);
    expect(text).not.toContain("BUDI");
    expect(text).not.toContain(usual["signature"]);
    expect(text).not.toMatch(/signature/);
  });

  it("are told from inquiries by the same type at another partner", async () => {
    const reply = await host.send(inquiryMessage({ billNumber: freshBill() }));
    expect(reply.fields["resultCode"]).toBe("00");
  });
});
