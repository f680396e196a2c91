import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fill, telkomBill } from "../support/builders";
import { type Running, startBiller } from "../support/command-line";
import { post, startTestHost, type TestHost } from "../support/host";
import { brokenLaws } from "../support/laws";
import { createTestDatabase, type TestDatabase } from "../support/services";

jest.setTimeout(120_000);

const numbers = Array.from({ length: 60 }, (_, index) => `00210085${String(10_000 + index)}`);
let unused = 0;
const freshBill = (): string => numbers[unused++] as string;

interface Place {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Any server on a free port of the loopback interface. */
async function listening(server: Server): Promise<Place> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

interface Simulator {
  readonly url: string;
  readonly running: Running;
  stop(): Promise<void>;
}

async function startSimulator(billerUrl: string, ...args: readonly string[]): Promise<Simulator> {
  const running = startBiller(
    ["simulate", "--port", "0", "--biller", billerUrl, "--password-file", "-", ...args],
    {},
    "demo-password\n",
  );
  const said = await running.says(/listening on \S+,/);
  const url = /listening on (\S+),/.exec(said)?.[1] ?? "";
  return {
    url,
    running,
    async stop() {
      running.child.kill("SIGTERM");
      await running.ended;
    },
  };
}

let orders = 0;
function orderFor(
  billNumber: string,
  callbackUrl: string,
): Record<string, unknown> & { order: { id: string; amount: string; description: string } } {
  orders += 1;
  return {
    order: { id: `INV-${process.pid}-${orders}`, amount: "30000", description: "a bill" },
    customer: { email: "budi@example.com", firstName: "Budi", lastName: "Santoso", mobilePhone: "+6281200000000" },
    url: { callbackUrl },
    billing: { billerServiceProvider: { customerId: billNumber, id: "001001", subId: "", type: "post" } },
    meta: { data: null },
    sourceOfFunds: { type: "va" },
  };
}

const pay = (page: string, source = "qris"): Promise<Response> =>
  fetch(page, { method: "POST", body: new URLSearchParams({ source }), redirect: "manual" });

async function until<T>(look: () => Promise<T | null> | T | null): Promise<T> {
  for (let n = 0; n < 200; n++) {
    const found = await look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it did not come to pass");
}

interface Trace {
  readonly state: string;
  readonly sent: readonly { function: string; traxId: string; exchange: { request: string; failure: string | null } }[];
  readonly notifications: readonly { status: number | null }[];
}
const traceOf = async (url: string, id: string): Promise<Trace> =>
  (await (await fetch(`${url}/simulation/orders/${id}`)).json()) as Trace;

let database: TestDatabase;
let host: TestHost;
beforeAll(async () => {
  database = await createTestDatabase();
  await fill(
    database,
    numbers.map((billNumber) => telkomBill({ billNumber })),
  );
  host = await startTestHost(database);
});
afterAll(async () => {
  await host.stop();
  await database.drop();
});

describe("the simulator of Finpay's side", () => {
  let simulator: Simulator;
  let receiver: Place;
  const received: { body: string; status: number }[] = [];
  let answers: number[] = [];

  beforeAll(async () => {
    receiver = await listening(
      createHttpServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          const status = answers.shift() ?? 200;
          received.push({ body: Buffer.concat(chunks).toString(), status });
          response.writeHead(status).end("{}");
        });
      }),
    );
    simulator = await startSimulator(`${host.url}/finpay/billing`);
  });
  afterAll(async () => {
    await simulator.stop();
    await receiver.close();
  });

  it("takes an order from its payment page to a paid bill, a notification and a status", async () => {
    const billNumber = freshBill();
    const order = orderFor(billNumber, `${receiver.url}/callback`);
    answers = [500];
    const created = await post(`${simulator.url}/sof/bp/paymentCard`, JSON.stringify(order));
    expect(created.fields).toMatchObject({
      responseCode: "2000000",
      simulation: expect.stringContaining("SIMULATION"),
    });
    const page = created.fields["redirecturl"] as string;

    const shown = await fetch(page);
    const text = await shown.text();
    expect(shown.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(text).toContain("BUDI SANTOSO");
    expect(text).toContain("Rp 35.000");
    expect(text).toContain("SIMULATION");
    expect(text).not.toContain("<script");

    const paid = await pay(page);
    expect(paid.status).toBe(303);
    const result = await (await fetch(new URL(paid.headers.get("location") ?? "", page))).text();
    expect(result).toContain("Pembayaran berhasil");

    const trace = await until(async () => {
      const now = await traceOf(simulator.url, order.order.id);
      return now.notifications.length >= 2 ? now : null;
    });
    expect(trace.state).toBe("paid");
    expect(trace.sent.map((message) => message.function)).toEqual(["inquiry", "payment"]);
    expect(JSON.stringify(trace)).not.toMatch(/demo-password|"signature\\":\\"[0-9a-f]/);
    const rows = await database.query<{ outcome: string }>(`select outcome from trax where trax_id = $1`, [
      trace.sent[1]?.traxId,
    ]);
    expect(rows).toEqual([{ outcome: "APPROVED" }]);

    // Refused once, told again with the very same bytes.
    expect(received.map(({ status }) => status)).toEqual([500, 200]);
    expect(received[1]?.body).toBe(received[0]?.body);
    const notification = JSON.parse(received[1]?.body ?? "") as Record<string, unknown>;
    expect(notification["result"]).toMatchObject({
      payment: { status: "PAID" },
      flagging: { productCode: "001001", amount: "30000", bill: "3", customerName: "BUDI SANTOSO" },
    });
    const status = (await (await fetch(`${simulator.url}/sof/bp/checkCard/${order.order.id}`)).json()) as {
      responseCode: string;
      data: Record<string, unknown>;
    };
    expect(status.responseCode).toBe("2000000");
    expect(status.data).toEqual(notification);
    const { signature, ...signed } = status.data;
    const hmac = createHmac("sha512", "simulation-merchant-key").update(JSON.stringify(signed)).digest("hex");
    expect(signature).toBe(hmac);

    // The button pressed again, and the page opened again, pay nothing.
    expect((await pay(page)).status).toBe(303);
    expect((await fetch(page, { redirect: "manual" })).headers.get("location")).toContain("/result");
    expect((await traceOf(simulator.url, order.order.id)).sent).toHaveLength(2);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it("says on the page that a bill is paid already, and takes no payment for it", async () => {
    const order = orderFor(numbers[0] as string, receiver.url);
    const created = await post(`${simulator.url}/sof/bp/paymentCard`, JSON.stringify(order));
    const page = created.fields["redirecturl"] as string;
    expect(await (await fetch(`${page}?lang=en`)).text()).toContain("cannot be paid now");
    expect((await pay(page)).status).toBe(422);
    expect((await traceOf(simulator.url, order.order.id)).sent.every((message) => message.function === "inquiry")).toBe(
      true,
    );
  });

  it("asks for a source of funds when none was chosen", async () => {
    const order = orderFor(freshBill(), receiver.url);
    const created = await post(`${simulator.url}/sof/bp/paymentCard`, JSON.stringify(order));
    const page = created.fields["redirecturl"] as string;
    await fetch(page);
    const hint = await pay(page, "gold");
    expect([hint.status, await hint.text()]).toEqual([422, expect.stringContaining('role="alert"')]);
  });

  it("stays up, labelled and silent about its insides under hostile input at every address", async () => {
    const order = orderFor(freshBill(), receiver.url);
    const created = await post(`${simulator.url}/sof/bp/paymentCard`, JSON.stringify(order));
    const token = (created.fields["redirecturl"] as string).split("/").at(-1) ?? "";
    const bodies = [
      "",
      "x",
      "[]",
      "null",
      '{"a":1,"a":2}',
      '{"__proto__":{}}',
      "{".repeat(50),
      "\u0000\ud800",
      "y".repeat(40_000),
    ];
    const json = { "content-type": "application/json" };
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const tries: [method: string, path: string, init: RequestInit][] = [
      ...bodies.map(
        (body) => ["POST", "/sof/bp/paymentCard", { body, headers: json }] as [string, string, RequestInit],
      ),
      ["POST", "/sof/bp/paymentCard", { body: "{}", headers: form }],
      ["POST", "/sof/bp/paymentCard", { body: "{}", headers: { ...json, "content-encoding": "gzip" } }],
      ["POST", "/sof/bp/paymentCard", { body: JSON.stringify(order), headers: json }],
      ["POST", `/pay/${token}`, { body: "{}", headers: json }],
      ["POST", `/pay/${token}`, { body: `source=${"a".repeat(40_000)}`, headers: form }],
      ["POST", `/pay/${"0".repeat(32)}`, { body: "source=va", headers: form }],
      ...[
        "/pay/..%2f..",
        "/pay/%00",
        "/pay/%E0%A4%A",
        "/sof/bp/checkCard/__proto__",
        "/sof/bp/checkCard/%3Cscript%3E",
      ].map((path) => ["GET", path, {}] as [string, string, RequestInit]),
      ["GET", "/simulation/orders/constructor", {}],
      ["GET", `/pay/${token}?lang=%3Cscript%3E&lang=x`, {}],
      ["PUT", `/pay/${token}`, { body: "x" }],
      ["DELETE", "/", {}],
      ["OPTIONS", "/nowhere", {}],
    ];
    for (const [method, path, init] of tries) {
      const answer = await fetch(`${simulator.url}${path}`, { method, ...init, signal: AbortSignal.timeout(10_000) });
      const text = await answer.text();
      expect([method, path, answer.status < 500, text.includes("SIMULATION") || text === ""]).toEqual([
        method,
        path,
        true,
        true,
      ]);
      expect(text).not.toMatch(/<script|\.ts:|node_modules|at Object/);
    }
    const socket = connect(Number(new URL(simulator.url).port), "127.0.0.1");
    socket.on("error", () => {});
    socket.resume();
    socket.end("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n\u0000\u0001garbage");
    await new Promise((resolve) => socket.once("close", resolve));
    expect((await fetch(simulator.url)).status).toBe(200);
  });
});

describe("the simulator before a biller that does not answer", () => {
  const short = ["--inquiry-timeout", "150", "--payment-timeout", "150", "--tries", "2", "--retry-delay", "20"];

  it("asks twice, and tells the customer that no money was taken", async () => {
    const silent = await listening(createServer(() => {}));
    const simulator = await startSimulator(silent.url, ...short);
    const order = orderFor(freshBill(), "http://127.0.0.1:9/");
    const created = await post(`${simulator.url}/sof/bp/paymentCard`, JSON.stringify(order));
    const page = await fetch(`${created.fields["redirecturl"] as string}?lang=en`);
    expect(await page.text()).toContain("No money has been taken");
    const { sent, state } = await traceOf(simulator.url, order.order.id);
    expect([state, sent.length, new Set(sent.map(({ traxId }) => traxId)).size]).toEqual(["open", 2, 1]);
    expect(sent[1]?.exchange.request).toBe(sent[0]?.exchange.request);
    await simulator.stop();
    await silent.close();
  });

  it("repeats a payment with its traxId, then reverses it, and tells the merchant how it ended", async () => {
    const seen: Record<string, string>[] = [];
    const notified: string[] = [];
    const receiver = await listening(
      createHttpServer((request, response) => {
        request.on("data", (chunk: Buffer) => notified.push(chunk.toString()));
        request.on("end", () => response.end());
      }),
    );
    // Answers inquiries and reversals; a payment is taken and never answered.
    const stub = await listening(
      createHttpServer((request, response) => {
        let body = "";
        request.on("data", (chunk: Buffer) => (body += chunk.toString()));
        request.on("end", () => {
          const message = JSON.parse(body) as Record<string, string>;
          seen.push(message);
          if (message["transactionType"] === "50") return;
          const reply = { amount: "000000030000", feeAmount: "5000", bit61: "x", customerData: {}, resultCode: "00" };
          response.end(JSON.stringify({ ...reply, traxId: message["traxId"] }));
        });
      }),
    );
    const simulator = await startSimulator(stub.url, ...short);
    const order = orderFor(freshBill(), receiver.url);
    const created = await post(`${simulator.url}/sof/bp/paymentCard`, JSON.stringify(order));
    const page = created.fields["redirecturl"] as string;
    await fetch(page);
    await pay(page);
    await until(() => notified[0] ?? null);
    expect(seen.map(({ transactionType }) => transactionType)).toEqual(["38", "50", "50", "51"]);
    const [, first, second, reversal] = seen;
    expect(second).toEqual(first);
    expect(reversal).toMatchObject({ traxId: first?.["traxId"], amount: first?.["amount"], bit61: first?.["bit61"] });
    expect(JSON.parse(notified[0] ?? "")).toMatchObject({
      result: { payment: { status: "REVERSED" }, flagging: null },
    });
    expect(await (await fetch(`${page}/result?lang=en`)).text()).toContain("Payment reversed");
    await simulator.stop();
    await stub.close();
    await receiver.close();
  });
});

describe("a UAT run", () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "biller-uat-"));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const uat = (url: string, input: string, ...args: readonly string[]) =>
    startBiller(
      ["uat", "--biller", url, "--user", "bmandiri", "--password-file", "-", "--out", dir, ...args],
      {},
      input,
    ).ended;
  const bills = (count: number): string[] => Array.from({ length: count }, () => ["--bill", freshBill()]).flat();
  const report = (name = "uat-report.json"): string => readFileSync(join(dir, name), "utf8");

  it("passes every case at this host, and leaves the books in order", async () => {
    const ended = await uat(`${host.url}/finpay/billing`, "demo-password\n", ...bills(15), "--seed", "42");
    expect(ended.out).not.toMatch(/^FAIL/m);
    expect([ended.code, ended.out]).toEqual([0, expect.stringMatching(/\n39 passed, 0 failed, 1 skipped; seed 42\n$/)]);
    const json = JSON.parse(report()) as { verdict: string; totals: Record<string, number>; seed: string };
    expect(json).toMatchObject({ verdict: "pass", seed: "42", totals: { fail: 0, skipped: 1 } });
    const html = report("uat-report.html");
    expect(html).toContain("nomorReferensi");
    expect(html).not.toContain("What failed");
    expect(report() + html + ended.out + ended.err).not.toContain("demo-password");
    expect(await brokenLaws(database)).toEqual([]);
  });

  it("says how many unpaid bills are missing, before it uses any up", async () => {
    const ended = await uat(`${host.url}/finpay/billing`, "demo-password", "--bill", numbers[0] as string, ...bills(2));
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(/need 15 unpaid bills; of those given, 2 are unpaid: 13 missing/);
    expect(ended.err).toContain(`${numbers[0] as string}: HTTP 200, 88`);
    expect((await uat("http://127.0.0.1:9/", "x", "--bill", "1")).err).toContain("does not answer");
    expect((await uat(host.url, "x", "--case", "no-such")).err).toContain("no such case");
  });

  it("tells a password that is being replaced from a wrong one", async () => {
    const old = join(dir, "old");
    writeFileSync(old, "demo-password\n");
    const args = ["--case", "rotated-key", "--case", "inquiry", ...bills(1), "--previous-password-file"];
    expect((await uat(`${host.url}/finpay/billing`, "demo-password", ...args, old)).code).toBe(0);
    writeFileSync(old, "never-was-one");
    const ended = await uat(`${host.url}/finpay/billing`, "demo-password", ...args, old);
    expect([ended.code, ended.out]).toEqual([1, expect.stringMatching(/FAIL {4}rotated-key\n.*resultCode 05/)]);
  });

  it("fails a biller that approves whatever it is sent, and shows its bytes harmlessly and without the password", async () => {
    const secret = "stub-password";
    const stub = await listening(
      createHttpServer((request, response) => {
        request.resume();
        request.on("end", () => {
          const resultDesc = `<script>alert('${secret}')</script>\u001b[31m`;
          const reply = { resultCode: "00", resultDesc, amount: "1", feeAmount: "0", bit61: "1", traxId: "1" };
          response.end(JSON.stringify(reply));
        });
      }),
    );
    const ended = await uat(stub.url, secret, ...bills(15), "--timeout", "2000");
    await stub.close();
    expect(ended.code).toBe(1);
    expect(ended.out).toMatch(/^FAIL +wrong-key$/m);
    expect(ended.out).toMatch(/^0 passed, 39 failed, 1 skipped/m);
    expect(ended.out).not.toContain("\u001b");
    const html = report("uat-report.html");
    expect(html).toContain("What failed");
    expect(html).not.toContain("<script");
    expect(report() + html + ended.out + ended.err).not.toContain(secret);
  });

  it("finds a biller that makes every reply anew, where a repeat must get the stored one", async () => {
    let made = 0;
    const proxy = await listening(
      createHttpServer((request, response) => {
        let body = "";
        request.on("data", (chunk: Buffer) => (body += chunk.toString()));
        request.on("end", () => {
          void post(`${host.url}/finpay/billing`, body).then(({ fields }) => {
            made += 1;
            response.end(JSON.stringify({ ...fields, sysCode: String(made).padStart(12, "0") }));
          });
        });
      }),
    );
    const names = ["inquiry", "payment", "payment-repeat", "repeat-storm", "race-for-one-bill"];
    const ended = await uat(proxy.url, "demo-password", ...names.flatMap((name) => ["--case", name]), ...bills(4));
    await proxy.close();
    const verdicts = [...ended.out.matchAll(/^(PASS|FAIL) +(\S+)$/gm)].map(([, verdict, name]) => `${verdict} ${name}`);
    expect(verdicts).toEqual([
      "PASS inquiry",
      "PASS payment",
      "FAIL payment-repeat",
      "FAIL repeat-storm",
      "PASS race-for-one-bill",
    ]);
    expect(ended.out).toContain("different replies to one traxId");
  });
});
