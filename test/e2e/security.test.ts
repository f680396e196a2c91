import { createSecretBox, type Metrics } from "../../src/platform";
import { createApp, createHttpServer } from "../../src/http";
import openapi from "../../src/http/openapi.json";
import { insertPartner } from "../../src/store";
import { decodeRequest, parseAmount, parseStrictJson, parseSwitchTimestamp, transliterate } from "../../src/wire";
import type { AddressInfo } from "node:net";
import {
  fill,
  inquiryMessage,
  newTraxId,
  paymentMessage,
  PARTNER,
  sign,
  telkomBill,
  TEST_KEYS,
  testDb,
  transact,
} from "../support/builders";
import { post, startTestHost, type TestHost } from "../support/host";
import { brokenLaws } from "../support/laws";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { RawConnection } from "../fuzz/http-client";

const OTHER = { userName: "otherbank", password: "another-demo-password" } as const;
const numbers = Array.from({ length: 40 }, (_, index) => `00210085${String(70_000 + index)}`);
/** Names that a biller's file may hold, and what none of them may do to a fixed-width record. */
const NAMES = [
  "Siti Nürhaliza Çelik",
  "😀 EMOJI 👩‍👩‍👧",
  "\u202eIDUB",
  "BUDI\r\nX-Injected: 1",
  "ZA͑ͫ̓ͪ̂ͫ̽͏̴̙̤LGO",
  "ﷺﷺﷺﷺ",
  "\ud7ff\uffff",
  "漢字".repeat(30),
  "X".repeat(200),
  "",
];
const nameNumbers = NAMES.map((_, index) => `00210086${String(70_000 + index)}`);

const SWITCH_PATHS = Object.keys(openapi.paths).filter((path) => path.startsWith("/finpay/"));
type Message = Record<string, string>;

describe("the checklist of attacks", () => {
  let database: TestDatabase;
  let host: TestHost;
  let unused = 0;
  const freshBill = (): string => numbers[unused++] as string;
  const url = (path = "/finpay/billing"): string => `${host.url}${path}`;
  const stored = async (traxId: unknown): Promise<unknown[]> =>
    database.query(`select outcome from trax where trax_id = $1`, [traxId]);
  const raw = async (bytes: string, count = 1) => {
    const connection = new RawConnection(host.port);
    const seen = await connection.exchange([Buffer.from(bytes, "latin1")], { count, timeoutMs: 4_000 });
    const isClosed = await connection.end(4_000);
    return { ...seen, isClosed };
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, [
      telkomBill(),
      ...numbers.map((billNumber) => telkomBill({ billNumber })),
      ...NAMES.map((customerName, index) => telkomBill({ billNumber: nameNumbers[index] as string, customerName })),
    ]);
    const db = testDb(database.ownerUrl, 2);
    await transact(db, (tx) =>
      insertPartner(
        tx,
        { ...OTHER, name: "another", productCodes: ["020013"], dialect: {} },
        createSecretBox(TEST_KEYS),
      ),
    );
    await db.close();
    host = await startTestHost(database);
  });
  afterAll(async () => {
    await host.stop();
    expect(await brokenLaws(database)).toEqual([]);
    await database.drop();
  });

  describe.each(SWITCH_PATHS)("S1: at %s a signature", (path) => {
    const transactionType = path.endsWith("inquiry") ? "38" : "50";
    const message = (): Message => paymentMessage({ transactionType, billNumber: numbers[39] as string });
    const joinedOtherwise = (): string => {
      const given = message();
      return sign(
        { ...given, userName: given["channel"] as string, channel: given["userName"] as string },
        PARTNER.password,
      );
    };
    it.each<[string, unknown, string]>([
      ["left out", undefined, "30"],
      ["that is empty", "", "30"],
      ["that is null", null, "30"],
      ["that is a list", ["x"], "30"],
      ["that is a number", 1, "30"],
      ["that is an object", { toString: "x" }, "30"],
      ["of one character", "a", "05"],
      ["of 63 digits", sign(message(), PARTNER.password).slice(1), "05"],
      ["of 65 digits", `${sign(message(), PARTNER.password)}0`, "05"],
      ["of ten kilobytes", "a".repeat(10_240), "30"],
      ["over the fields in another order", joinedOtherwise(), "05"],
      ["of zeros", "0".repeat(64), "05"],
      ["made with an empty password", sign(message(), ""), "05"],
    ])("%s opens nothing", async (_, signature, resultCode) => {
      const sent: Record<string, unknown> = { ...message(), signature };
      const reply = await host.send(sent, path);
      expect(reply.fields).toMatchObject({ resultCode, customerData: {}, bit48: "" });
      expect(await stored(sent["traxId"])).toEqual([]);
    });
  });

  it("S2: a known and an unknown userName are refused with the same status, headers and words", async () => {
    const shapes = [];
    for (const userName of [PARTNER.userName, "nobodyxx", OTHER.userName]) {
      const reply = await host.send(paymentMessage({ userName, traxId: "S2" }, "wrong"));
      const { sysCode: _code, timeStampServer: _stamp, ...said } = reply.fields;
      const headers = [...reply.headers].filter(([name]) => name !== "date");
      shapes.push({ status: reply.status, headers, said });
    }
    expect(shapes[0]?.said).toMatchObject({ resultCode: "05", resultDesc: "Not authorised" });
    expect(shapes[1]).toEqual(shapes[0]);
    expect(shapes[2]).toEqual(shapes[0]);
  });

  it.each([-3, -2, -1, 1, 2, 3])(
    "S3: characters moved over a border (%i) leave the signature whole and pay nothing",
    async (moved) => {
      const [billNumber, traxId] = [freshBill(), `123${newTraxId().slice(1)}`];
      const joined = billNumber + traxId;
      const at = billNumber.length + moved;
      const original = paymentMessage({ billNumber, traxId });
      const shifted = { ...original, billNumber: joined.slice(0, at), traxId: joined.slice(at) };
      expect(sign(shifted, PARTNER.password)).toBe(original["signature"]);
      const reply = await host.send(shifted);
      expect(["14", "30"]).toContain(reply.fields["resultCode"]);
      expect((await host.send(original)).fields["resultCode"]).toBe("00");
      const moves = await database.query(`select trax_id from journal_entry where bill_number = $1`, [billNumber]);
      expect(moves).toEqual([{ trax_id: traxId }]);
    },
  );

  it("S3: no border between fixed-width fields can be moved at all", async () => {
    const fields = [
      "userName",
      "productCode",
      "channel",
      "terminal",
      "transactionType",
      "billNumber",
      "traxId",
    ] as const;
    const original = inquiryMessage();
    for (let border = 0; border < fields.length - 2; border++) {
      const [left, right] = [fields[border] as string, fields[border + 1] as string];
      const joined = `${original[left]}${original[right]}`;
      for (const by of [-1, 1]) {
        const at = (original[left] as string).length + by;
        const reply = await host.send({ ...original, [left]: joined.slice(0, at), [right]: joined.slice(at) });
        expect({ left, by, code: reply.fields["resultCode"] }).toEqual({ left, by, code: "30" });
      }
    }
  });

  it("S4: every character of every signed field counts", async () => {
    const original = paymentMessage({ billNumber: numbers[38] as string, traxId: newTraxId() });
    const covered = [
      "userName",
      "productCode",
      "channel",
      "terminal",
      "transactionType",
      "billNumber",
      "traxId",
      "timeStamp",
    ];
    let tried = 0;
    for (const field of [...covered, "signature"]) {
      const text = original[field] as string;
      for (let at = 0; at < text.length; at++) {
        const other = text[at] === "1" ? "2" : "1";
        const changed = { ...original, [field]: text.slice(0, at) + other + text.slice(at + 1) };
        const reply = await host.send(changed);
        expect({ field, at, code: reply.fields["resultCode"] }).toEqual({ field, at, code: "05" });
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThan(130);
    expect((await host.send(original)).fields["resultCode"]).toBe("00");
  });

  it.each([
    ["amount", "000000030001", "13"],
    ["amount", "000000003000", "13"],
    ["feeAmount", "5001", "13"],
    ["feeAmount", "0", "13"],
    ["bit61", "another text", "00"],
    ["terminalName", "ELSEWHERE", "00"],
    ["terminalLocation", "ELSEWHERE", "00"],
    ["addInfo1", "changed", "00"],
    ["addInfo3", "changed", "00"],
  ])("S4: what no signature covers cannot change the money: %s", async (field, value, resultCode) => {
    const original = paymentMessage({ billNumber: freshBill() });
    const reply = await host.send({ ...original, [field]: value });
    expect(reply.fields["resultCode"]).toBe(resultCode);
    const moved = await database.query(`select amount::text, fee_amount::text from journal_entry where trax_id = $1`, [
      original["traxId"],
    ]);
    expect(moved).toEqual(resultCode === "00" ? [{ amount: "30000", fee_amount: "5000" }] : []);
  });

  it.each([
    "01-01-1971 00:00:00",
    "31-12-2999 23:59:59:999999",
    "31-02-2026 10:00:00",
    "20-03-2023 23: 59: 59",
    "20-03-2023 00:00:00:000",
    "   ",
    "not a time at all",
  ])("S5: a time stamp is text, signed and echoed as %j, and a replay gets the same bytes", async (timeStamp) => {
    const message = paymentMessage({ billNumber: freshBill(), timeStamp });
    const first = await host.send(message);
    expect(first.fields).toMatchObject({ resultCode: "00", timeStamp });
    const again = await host.send(message);
    expect([again.text, again.isReplay]).toEqual([first.text, true]);
  });

  it("S6: ten thousand wrong signatures lock nobody out", async () => {
    const guesses = Array.from({ length: 10_000 }, (_, n) =>
      paymentMessage({ signature: n.toString(16).padStart(64, "0") }),
    );
    const guessingMs = performance.now();
    for (let at = 0; at < guesses.length; at += 50) {
      const replies = await Promise.all(guesses.slice(at, at + 50).map((guess) => host.send(guess)));
      for (const reply of replies) expect(reply.fields["resultCode"]).toBe("05");
    }
    const startedMs = performance.now();
    expect((await host.send(inquiryMessage())).fields["resultCode"]).toBe("00");
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    // People are told, once for each minute, from where.
    const alarms = host.logs.filter(({ msg }) => String(msg).startsWith("alarm: many messages"));
    const alarm = { failures: 100, source: expect.stringContaining("127.0.0.1") as string };
    const minutes = Math.ceil((performance.now() - guessingMs) / 60_000);
    expect(alarms.length).toBeGreaterThan(0);
    expect(alarms.length).toBeLessThanOrEqual(minutes);
    expect(alarms).toMatchObject(alarms.map(() => alarm));
  }, 180_000);

  describe("S7: another partner", () => {
    const asOther = (changes: Message = {}): Message => {
      const message = inquiryMessage({ userName: OTHER.userName, ...changes });
      return { ...message, signature: sign(message, OTHER.password) };
    };

    it("cannot tell a bill that it may not see from one that is not there", async () => {
      const said = [];
      for (const billNumber of ["0021008457003", "9999999999999"]) {
        const { fields } = await host.send(asOther({ billNumber, traxId: "S7" }));
        const { sysCode: _code, timeStampServer: _stamp, ...rest } = fields;
        said.push(rest);
      }
      expect(said[0]).toMatchObject({ resultCode: "92", customerData: {} });
      expect(said[1]).toEqual(said[0]);
    });

    it("is not given the stored reply of a traxId that is not its own", async () => {
      const mine = paymentMessage({ billNumber: freshBill() });
      const paid = await host.send(mine);
      expect(paid.fields["resultCode"]).toBe("00");
      const theirs = await host.send(asOther({ ...mine, userName: OTHER.userName, signature: "" }));
      expect(theirs.isReplay).toBe(false);
      expect(theirs.fields).toMatchObject({ resultCode: "92", customerData: {}, bit48: "" });
      expect((await host.send(mine)).text).toBe(paid.text);
    });
  });

  it("S8: fields that nobody asked for change nothing and are kept nowhere", async () => {
    const extra = { paid_amount: "0", isPaid: "true", partnerId: "2", id: "9", resultCode: "00", outcome: "canary-8" };
    const message = paymentMessage({ billNumber: freshBill() });
    const reply = await host.send({ ...message, ...extra });
    expect(reply.fields["resultCode"]).toBe("00");
    const rows = await database.query(
      `select t.partner_id, t.amount::text, t.outcome, t.reply_body from trax t where trax_id = $1`,
      [message["traxId"]],
    );
    expect(rows).toMatchObject([{ partner_id: 1, amount: "30000", outcome: "APPROVED" }]);
    expect(JSON.stringify(rows)).not.toContain("canary-8");
    expect(reply.text).not.toContain("canary-8");
  });

  it("S10: one byte order mark is taken off, as decoders of UTF-8 do; two are no JSON", async () => {
    const mark = Buffer.from([0xef, 0xbb, 0xbf]);
    const bytes = Buffer.from(JSON.stringify(inquiryMessage()));
    const once = await post(url(), Buffer.concat([mark, bytes]));
    expect([once.status, once.fields["resultCode"]]).toEqual([200, "00"]);
    const twice = await post(url(), Buffer.concat([mark, mark, bytes]));
    expect([twice.status, twice.fields["resultCode"]]).toEqual([400, "30"]);
  });

  it.each([0, 1, 3, 6])("S11: a key that reaches into prototypes is refused at depth %i", async (depth) => {
    for (const key of ["__proto__", "\\u005f_proto__", "constructor", "prototype", "\\u0063onstructor"]) {
      const bad = `${'{"x":'.repeat(depth)}{"${key}":{"polluted":"yes"}}${"}".repeat(depth)}`;
      const reply = await post(url(), JSON.stringify(inquiryMessage()).replace(/^\{/, `{"addInfo9":${bad},`));
      expect(reply.fields["resultCode"]).toBe("30");
      expect(String(reply.fields["resultDesc"])).toContain("forbidden-key");
    }
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it.each(NAMES.map((name, index) => [JSON.stringify(name.slice(0, 20)), index] as const))(
    "S14: a customer called %s fills the columns of bit61 and no more",
    async (_, index) => {
      const billNumber = nameNumbers[index] as string;
      const inquiry = await host.send(inquiryMessage({ billNumber }));
      const { bit61, bit48, customerData } = inquiry.fields as Record<string, string>;
      expect(inquiry.fields["resultCode"]).toBe("00");
      expect(Buffer.byteLength(bit61 as string)).toBe(134);
      expect(`${bit61}${bit48}${JSON.stringify(customerData)}`).toMatch(/^[ -~]*$/);
      const reply = await host.send(paymentMessage({ billNumber, bit61: bit61 as string }));
      expect(reply.fields).toMatchObject({ resultCode: "00", bit61: bit61?.slice(0, 89) });
    },
  );

  const body = JSON.stringify(paymentMessage({ billNumber: numbers[37] as string, traxId: "SMUGGLED" }));
  const size = Buffer.byteLength(body);
  const inner = `POST /finpay/billing HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${size}\r\n\r\n${body}`;
  it.each([
    ["a signed length", `Host: x\r\nContent-Length: +${inner.length}\r\n\r\n${inner}`],
    ["two equal lengths in one line", `Host: x\r\nContent-Length: 2, 2\r\n\r\n{}${inner}`],
    ["a hexadecimal length", `Host: x\r\nContent-Length: 0x2\r\n\r\n{}${inner}`],
    ["a negative length", `Host: x\r\nContent-Length: -1\r\n\r\n${inner}`],
    ["a length beside chunks", `Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n${inner}`],
    ["chunks under a vertical tab", `Host: x\r\nTransfer-Encoding:\u000bchunked\r\n\r\n0\r\n\r\n${inner}`],
    ["a chunk size with a sign", `Host: x\r\nTransfer-Encoding: chunked\r\n\r\n-0\r\n\r\n${inner}`],
    [
      "a chunk extension without end",
      `Host: x\r\nTransfer-Encoding: chunked\r\n\r\n2;${"x".repeat(20_000)}\r\n{}\r\n0\r\n\r\n${inner}`,
    ],
    ["no Host", `Content-Length: 0\r\n\r\n${inner}`],
  ])("S15: what follows a request with %s is not taken for a request", async (_, rest) => {
    const head = "POST /finpay/billing HTTP/1.1\r\nContent-Type: application/json\r\n";
    const { answers, isClosed } = await raw(`${head}${rest}`, 2);
    expect(answers.map(({ status }) => status)).toEqual([expect.any(Number)]);
    expect([400, 413, 431]).toContain(answers[0]?.status);
    expect(isClosed).toBe(true);
    expect(await stored("SMUGGLED")).toEqual([]);
  });

  it("S16: no more than 64 headers of a request are kept", async () => {
    const send = (before: number): Promise<{ answers: readonly { status: number }[] }> => {
      const junk = Array.from({ length: before }, (_, n) => `X-${n}: 1\r\n`).join("");
      const text = JSON.stringify(inquiryMessage());
      const tail = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
      return raw(`POST /finpay/billing HTTP/1.1\r\nHost: x\r\n${junk}${tail}`);
    };
    expect((await send(40)).answers[0]?.status).toBe(200);
    // Its Content-Type is beyond the 64th and so was never seen.
    expect((await send(1_200)).answers[0]?.status).toBe(415);
  });

  it.each([
    ["TRACE", "/finpay/billing", 405],
    ["PROPFIND", "/finpay/billing", 405],
    ["PURGE", "/healthz", 405],
    ["PUT", "/finpay/payment", 405],
    ["SEARCH", "/nothing", 404],
    ["POST", "//finpay//billing", 404],
    ["POST", "/finpay/%2e%2e/finpay/nothing", 404],
    ["POST", "/finpay/billing%00", 404],
    ["POST", "/%", 404],
    ["GET", `/${"a".repeat(20_000)}`, 431],
  ])("S18: %s %s is refused as the caller's mistake", async (method, path, status) => {
    const { answers } = await raw(`${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`);
    expect(answers[0]?.status).toBe(status);
    expect(answers[0]?.body).not.toMatch(/node_modules|\bat \S+ \(/);
  });

  it("S22: 100 KB made to slow a pattern down slow nothing down", () => {
    const long = 100_000;
    const hostile: readonly (readonly [name: string, run: () => unknown])[] = [
      ["blanks in a time stamp", () => parseSwitchTimestamp(`20-03-2023 10:${" ".repeat(long)}40:40`)],
      ["digits in a time stamp", () => parseSwitchTimestamp(`20-03-2023 10:40:40:${"1".repeat(long)}`)],
      ["digits in an amount", () => parseAmount("1".repeat(long))],
      ["marks on one letter", () => transliterate(`a${"\u0301\u0316".repeat(long / 2)}`)],
      ["ligatures", () => transliterate("ﷺ".repeat(long / 3))],
      [
        "quotes and backslashes",
        () => parseStrictJson(`{"${'\\"'.repeat(long / 2)}":1}`, { maxDepth: 8, maxBytes: 1e6 }),
      ],
      [
        "many keys",
        () =>
          parseStrictJson(`{${Array.from({ length: 10_000 }, (_, n) => `"${n}":1`).join()}}`, {
            maxDepth: 8,
            maxBytes: 1e6,
          }),
      ],
      ["blanks before colons", () => parseStrictJson(`{"a"${" ".repeat(long)}:1}`, { maxDepth: 8, maxBytes: 1e6 })],
      [
        "long fields",
        () => decodeRequest(Object.fromEntries(Object.keys(inquiryMessage()).map((name) => [name, "1".repeat(long)]))),
      ],
    ];
    for (const [name, run] of hostile) {
      const times = [0, 1, 2].map(() => {
        // Processor time: other work on the machine is not to blame on the input.
        const before = process.cpuUsage();
        run();
        return process.cpuUsage(before).user / 1_000;
      });
      // Whatever grows with the square of the length would take seconds.
      expect({ name, isFast: Math.min(...times) < 100 }).toEqual({ name, isFast: true });
    }
  });

  it("S24: passwords, signatures, names and bill numbers come up in no log, metric, attempt or foreign reply", async () => {
    const message = paymentMessage({ billNumber: numbers[36] as string });
    await host.send(message);
    await host.send({ ...message, amount: "1" });
    await host.send({ ...message, signature: message["signature"]?.replace(/^./, "0") });
    await post(url(), JSON.stringify({ ...message, traxId: `${message["traxId"]}${PARTNER.password}`.repeat(3) }));
    await new Promise((resolve) => setTimeout(resolve, 600));
    const attempts = await database.query(`select * from attempt`);
    expect(attempts.length).toBeGreaterThan(10);
    const metrics = await (await fetch(`${host.url}/metrics`)).text();
    const ready = await (await fetch(`${host.url}/readyz`)).text();
    for (const text of [JSON.stringify(host.logs), metrics, ready, JSON.stringify(attempts)]) {
      for (const secret of [
        PARTNER.password,
        OTHER.password,
        message["signature"] as string,
        "BUDI SANTOSO",
        message["billNumber"] as string,
      ]) {
        expect(text).not.toContain(secret);
      }
      for (const [, key] of TEST_KEYS) expect(text).not.toContain(key.toString("base64"));
    }
  });
});

describe("S19: a fault inside", () => {
  const SECRET = "canary-19 in /src/secret.ts";
  const fault = (): never => {
    throw new Error(SECRET);
  };

  it.each([
    ["the flow", "POST", "/finpay/billing"],
    ["the readiness check", "GET", "/readyz"],
    ["the metrics", "GET", "/metrics"],
  ])("in %s is answered with a reference, and only the log knows more", async (_, method, path) => {
    const logs: unknown[][] = [];
    const note = (...line: unknown[]): void => void logs.push(line);
    const metrics = {
      countMessage: fault,
      countTamperAlarm: fault,
      countFault: fault,
      watch: fault,
    } as Partial<Metrics>;
    const { server } = createHttpServer(
      createApp({
        answer: () => Promise.reject(new Error(SECRET)),
        attempts: { record: () => {} } as never,
        authAlarm: { note: () => {} },
        audit: undefined as never,
        ...{ recon: undefined as never, uploadMaxBytes: 0, uploadDir: "" },
        ...{ recon: undefined as never, uploadMaxBytes: 0, uploadDir: "" },
        billing: undefined as never,
        billPages: undefined as never,
        billWatch: undefined as never,
        paymentPages: null,
        merchants: undefined as never,
        clock: { nowMs: () => 0, nowMicros: () => 0n, monotonicMs: () => 0 },
        logger: { debug: note, info: note, warn: note, error: note } as never,
        metrics: { ...metrics, contentType: "text/plain", text: () => Promise.reject(new Error(SECRET)) } as Metrics,
        readiness: () => Promise.reject(new Error(SECRET)),
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const response = await fetch(`${base}${path}`, {
        ...{ method, headers: { "content-type": "application/json" } },
        ...(method === "POST" ? { body: "{}" } : {}),
      });
      const reply = (await response.json()) as Record<string, unknown>;
      expect(response.status).toBe(500);
      expect(reply).toEqual({ error: "internal fault", reference: expect.stringMatching(/^[0-9a-f-]{36}$/) as string });
      const [logged] = logs as [{ err: Error; reference: string }][];
      expect(logged?.[0]).toMatchObject({ reference: reply["reference"] });
      expect(logged?.[0].err.message).toBe(SECRET);
    } finally {
      server.close();
    }
  });
});
