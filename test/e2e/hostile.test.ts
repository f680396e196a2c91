import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { fill, inquiryMessage, newTraxId, paymentMessage, telkomBill } from "../support/builders";
import { post, startTestHost, type TestHost } from "../support/host";
import { brokenLaws } from "../support/laws";
import { createTestDatabase, type TestDatabase } from "../support/services";

describe("a host under hostile input", () => {
  let database: TestDatabase;
  let host: TestHost;
  const url = (): string => `${host.url}/finpay/billing`;

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, [telkomBill()]);
    host = await startTestHost(database);
  });
  afterAll(async () => {
    await host.stop();
    await database.drop();
  });
  /** Nothing may be left of any of it but attempts, and the host must still do its work. */
  afterEach(async () => {
    const [{ n } = { n: -1 }] = await database.query<{ n: number }>(
      `select (select count(*) from trax)::int + (select count(*) from journal_entry)::int
              + (select count(*) from bill where paid_amount > 0)::int as n`,
    );
    expect(n).toBe(0);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect((await host.send(inquiryMessage())).fields["resultCode"]).toBe("00");
    expect(await brokenLaws(database)).toEqual([]);
  });

  const text = (changes: Record<string, unknown> = {}): string => JSON.stringify({ ...paymentMessage(), ...changes });

  it.each([
    ["nothing", ""],
    ["a blank", " "],
    ["half a message", text().slice(0, 200)],
    ["two messages", text() + text()],
    ["words", "hello"],
    ["XML", "<amount>1</amount>"],
    ["200,000 brackets, cut to what is read", "[".repeat(15_000)],
    ["bytes that are no UTF-8", Buffer.from([0xff, 0xfe, 0x7b, 0x7d])],
    ["UTF-16", Buffer.from(text(), "utf16le")],
    ["a comment", `/* */ ${text()}`],
    ["a single quote", "{'userName':'bmandiri'}"],
    ["a number with a plus", '{"amount":+1}'],
  ])("answers %s with 400 and a well-formed reply", async (_name, body) => {
    const reply = await post(url(), body);
    expect(reply.status).toBe(400);
    expect(reply.fields).toMatchObject({ resultCode: "30", customerData: {} });
    expect(String(reply.fields["resultDesc"])).toMatch(/^Format error/);
  });

  it.each([
    ["an array", `[${text()}]`],
    ["a number", "1"],
    ["null", "null"],
    ["a string", '"hello"'],
    ["a duplicated key", text().replace(/^\{/, '{"amount":"000000000001",')],
    ["a key duplicated by an escape", text().replace(/^\{/, '{"\\u0061mount":"000000000001",')],
    ["a polluting key", text().replace(/^\{/, '{"__proto__":{"polluted":"yes"},')],
    ["an escaped polluting key", text().replace(/^\{/, '{"\\u005f_proto__":{"polluted":"yes"},')],
    ["a constructor", text().replace(/^\{/, '{"constructor":{"prototype":{"polluted":"yes"}},')],
    ["nesting nine levels deep", text().replace(/^\{/, `{"x":${"[".repeat(9)}${"]".repeat(9)},`)],
    ["7,000 levels", `{"x":${"[".repeat(7_000)}${"]".repeat(7_000)}}`],
  ])("answers %s with a format error", async (_name, body) => {
    const reply = await post(url(), body);
    expect([200, 400]).toContain(reply.status);
    expect(reply.fields["resultCode"]).toBe("30");
  });

  const SAMPLE = paymentMessage();
  const TYPES = [1, true, null, ["x"], { x: "y" }, 1.5];
  it.each(Object.keys(SAMPLE).flatMap((field) => TYPES.map((value) => [field, value] as const)))(
    "answers %s of the wrong type (%j) with a format error",
    async (field, value) => {
      const reply = await post(url(), JSON.stringify({ ...SAMPLE, [field]: value }));
      expect(reply.fields["resultCode"]).toBe("30");
      expect(String(reply.fields["resultDesc"])).toContain(field);
    },
  );

  const optional = ["terminalName", "terminalLocation", "addInfo1", "addInfo2", "addInfo3"];
  it.each(Object.keys(SAMPLE).filter((field) => !optional.includes(field)))(
    "answers a message without %s with a format error",
    async (field) => {
      const { [field]: _left, ...rest } = SAMPLE;
      const reply = await post(url(), JSON.stringify(rest));
      expect(reply.fields["resultCode"]).toBe("30");
      expect(String(reply.fields["resultDesc"])).toContain(field);
    },
  );

  it.each(Object.keys(SAMPLE))("answers a %s that is too long, not ASCII or has control characters", async (field) => {
    for (const value of [
      "x".repeat(1_000),
      "9".repeat(1_000),
      "１２３",
      "Ω",
      "😀",
      "a\r\nb",
      "\u0000",
      "\u202e",
      "\ud800",
    ]) {
      const reply = await post(url(), JSON.stringify({ ...SAMPLE, [field]: value }));
      expect(reply.fields["resultCode"]).toBe("30");
      expect(reply.text).not.toContain("\\u0000");
    }
  });

  it.each(["1e3", "0x10", " 12 ", "-1", "+1", "１２", "1.0", "1,000", "0000000000001", "9007199254740993", "NaN"])(
    "does not take %j for an amount or a fee",
    async (value) => {
      for (const field of ["amount", "feeAmount"]) {
        const reply = await host.send(paymentMessage({ [field]: value }));
        expect(reply.fields["resultCode"]).toBe("30");
      }
    },
  );

  it("tells a format error from a wrong signature first, so that strangers learn nothing about partners", async () => {
    const known = await host.send(paymentMessage({ amount: "1e3" }, "wrong"));
    const unknown = await host.send(paymentMessage({ amount: "1e3", userName: "nobody" }, "wrong"));
    expect(known.fields["resultDesc"]).toBe(unknown.fields["resultDesc"]);
  });

  it("keeps SQL, templates and log tricks that are validly signed as plain text", async () => {
    for (const traxId of ["x'--", 'x"', "x;drop table trax", "${1}", "{{7*7}}", "../../etc"]) {
      const reply = await host.send(paymentMessage({ traxId }));
      expect(reply.fields["resultCode"]).toBe("30");
    }
    const bit61 = "'; drop table trax; -- {customerName|trim} \\";
    const quoted = await host.send(inquiryMessage({ bit61, addInfo3: "${jndi:ldap://x}" }));
    expect(quoted.fields["resultCode"]).toBe("00");
  });

  it.each([
    ["a body of 1 MB", () => post(url(), text({ addInfo3: "x".repeat(1_000_000) })), 413],
    ["200,000 brackets", () => post(url(), "[".repeat(200_000)), 413],
    ["plain text", () => post(url(), text(), { "content-type": "text/plain" }), 415],
    ["a form", () => post(url(), "a=b", { "content-type": "application/x-www-form-urlencoded" }), 415],
    ["another character set", () => post(url(), text(), { "content-type": "application/json; charset=utf-16" }), 415],
    ["a compressed body", () => post(url(), gzipSync(text()), { "content-encoding": "gzip" }), 415],
    ["another address", () => post(`${host.url}/finpay/nothing`, text()), 404],
    ["a path that climbs", () => post(`${host.url}/finpay/%2e%2e/%2e%2e/etc/passwd`, text()), 404],
    [
      "GET",
      () => fetch(url()).then(async (r) => ({ status: r.status, fields: await r.json(), headers: r.headers })),
      405,
    ],
    [
      "DELETE",
      () =>
        fetch(url(), { method: "DELETE" }).then(async (r) => ({
          status: r.status,
          fields: await r.json(),
          headers: r.headers,
        })),
      405,
    ],
  ])("refuses %s with its own status and a JSON body", async (_name, send, status) => {
    const reply = await send();
    expect(reply.status).toBe(status);
    expect(reply.fields).toMatchObject({ error: expect.any(String) as string });
    expect(JSON.stringify(reply.fields)).not.toMatch(/\/src\/|node_modules|at .*\(/);
    expect(reply.headers.get("cache-control")).toBe("no-store");
    expect(reply.headers.get("x-powered-by")).toBeNull();
  });

  it.each([
    [
      "both lengths",
      "POST /finpay/billing HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["two lengths", "POST /finpay/billing HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"],
    ["a blank before the colon", "POST /finpay/billing HTTP/1.1\r\nHost : x\r\nContent-Length: 2\r\n\r\n{}"],
    ["bare line feeds", "POST /finpay/billing HTTP/1.1\nHost: x\nContent-Length: 2\n\n{}"],
    ["an odd coding", "POST /finpay/billing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"],
    ["20 KB of headers", `GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ${"a".repeat(20_000)}\r\n\r\n`],
  ])("cuts off a request with %s", async (_name, raw) => {
    const answer = await new Promise<string>((resolve) => {
      let received = "";
      const socket = connect(host.port, "127.0.0.1", () => socket.write(raw));
      socket.on("data", (chunk) => {
        received += chunk.toString();
      });
      socket.on("close", () => resolve(received));
      socket.on("error", () => resolve(received));
      setTimeout(() => socket.destroy(), 4_000);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 4[0-9]{2}/);
    expect(answer.toLowerCase()).toContain("connection: close");
  });

  it("keeps an attempt of what was refused before it was a message", async () => {
    await post(url(), text({ addInfo3: "x".repeat(100_000) }));
    await post(url(), text(), { "content-type": "text/plain" });
    const find = () =>
      database.query<{ http_status: number; note: string }>(
        `select distinct http_status, note from attempt where http_status > 400 order by 1`,
      );
    let rows = await find();
    for (let n = 0; n < 50 && rows.length < 2; n++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      rows = await find();
    }
    expect(rows).toMatchObject([
      { http_status: 413, note: expect.stringMatching(/^refused as a request/) as string },
      { http_status: 415 },
    ]);
  });

  it("does not trust a forwarded address", async () => {
    const traxId = newTraxId();
    await post(url(), JSON.stringify(paymentMessage({ traxId, amount: "1e3" })), { "x-forwarded-for": "203.0.113.9" });
    let rows: { source_address: string }[] = [];
    for (let n = 0; n < 50 && rows.length === 0; n++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      rows = await database.query(`select source_address from attempt where trax_id = $1`, [traxId]);
    }
    expect(rows[0]?.source_address).toMatch(/127\.0\.0\.1$/);
  });
});
