import { createServer, get, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createPagedBill, fillForPages, type PagedBill, payBill } from "../support/bill-pages";
import { startTestHost, type TestHost } from "../support/host";
import { startHostProcess } from "../support/host-process";
import { createTestDatabase, type TestDatabase } from "../support/services";

const FOREVER = "public, max-age=31536000, immutable";
const WATCHERS_MAX = 30;

/** A stream of events, with what came so far. */
interface Stream {
  readonly status: number;
  readonly text: () => string;
  readonly ended: Promise<void>;
  readonly close: () => void;
}

function open(url: string): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const request = get(url, (incoming: IncomingMessage) => {
      let text = "";
      incoming.on("data", (chunk: Buffer) => (text += chunk.toString()));
      incoming.on("error", () => {});
      const ended = new Promise<void>((end) => incoming.once("close", end));
      resolve({ status: incoming.statusCode ?? 0, text: () => text, ended, close: () => request.destroy() });
    });
    request.on("error", reject);
  });
}

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = Date.now() + 8_000;
  while (!(await isSo())) {
    if (Date.now() > endMs) throw new Error(`not within 8 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe("the page of a bill", () => {
  let database: TestDatabase;
  let host: TestHost;
  let finpay: Server;
  let asked: { headers: IncomingMessage["headers"]; body: Record<string, unknown> }[] = [];
  let finpayAnswers: { status: number; body: string };

  const pageOf = (bill: PagedBill | string, path = "", init: RequestInit = {}) =>
    fetch(`${host.url}/b/${typeof bill === "string" ? bill : bill.linkCode}${path}`, { redirect: "manual", ...init });
  const textOf = async (bill: PagedBill, path = "") => (await pageOf(bill, path)).text();

  beforeAll(async () => {
    finpay = createServer((incoming, outgoing) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
        asked.push({ headers: incoming.headers, body });
        outgoing.writeHead(finpayAnswers.status, { Location: "/elsewhere" }).end(finpayAnswers.body);
      });
    });
    await new Promise<void>((resolve) => finpay.listen(0, "127.0.0.1", resolve));
    database = await createTestDatabase();
    await fillForPages(database);
    host = await startTestHost(database, {
      settings: {
        PUBLIC_URL: "https://bills.example.com/",
        PAYMENT_PAGE_URL: `http://127.0.0.1:${(finpay.address() as AddressInfo).port}/sof/bp/paymentCard`,
        PAYMENT_PAGE_MERCHANT: "MERCHANT1:very-secret",
        BILL_PAGE_WATCHERS: String(WATCHERS_MAX),
      },
    });
  });
  beforeEach(() => {
    asked = [];
    finpayAnswers = { status: 200, body: "{}" };
  });
  afterAll(async () => {
    await host.stop();
    finpay.closeAllConnections();
    finpay.close();
    await database.drop();
  });

  it("is kept from caches, indexes, frames and referrers, and takes nothing from elsewhere and nothing inline", async () => {
    const bill = await createPagedBill(database);
    const response = await pageOf(bill);
    const page = await response.text();
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "x-robots-tag": "noindex, nofollow",
      "cross-origin-opener-policy": "same-origin",
    });
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("base-uri 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(page).not.toMatch(/<style|\sstyle=|\son[a-z]+=|javascript:|<script(?! src="assets\/)/);
    expect(page).toContain('<meta name="robots" content="noindex, nofollow"');
    expect(page).not.toContain("siti@example.com");
    expect(page).not.toContain("081234567890");
  });

  it("has its style, script and icon under names that change with them, to be kept for ever", async () => {
    const page = await textOf(await createPagedBill(database));
    const names = [...page.matchAll(/(?:href|src)="(assets\/[^"]+)"/g)].map(([, name]) => name);
    expect(names.map((name) => name?.replace(/\.[0-9a-f]{12}\./, "."))).toEqual([
      "assets/icon.svg",
      "assets/bill.css",
      "assets/bill.js",
    ]);
    for (const name of names) {
      const response = await fetch(`${host.url}/b/${name}`);
      expect([response.status, response.headers.get("cache-control")]).toEqual([200, FOREVER]);
      expect(response.headers.get("content-type")).toMatch(/^(text\/(css|javascript); charset=utf-8|image\/svg\+xml)$/);
    }
    for (const wrong of ["bill.css", "bill.000000000000.css", "..%2f..%2fapp.ts", "%2e%2e%2fbill.ts", "events"]) {
      const response = await fetch(`${host.url}/b/assets/${wrong}`);
      expect([wrong, response.status, response.headers.get("cache-control")]).toEqual([wrong, 404, "no-store"]);
    }
  });

  it("shows names as text, whatever they hold", async () => {
    const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`;
    const bill = await createPagedBill(database, {
      customer_name: `${hostile}\u202Eevil 👨‍👩‍👧`,
      billing_notes: `</bdi></main>${hostile} ${"W".repeat(300)}`,
      items: [{ item_name: `<td colspan=9>${hostile}`, qty: 1, item_amount: 50_000 }],
    });
    const page = await textOf(bill);
    expect(page).not.toMatch(/<img|<script>|<td colspan=9|<\/bdi><\/main>|\u202E/);
    expect(page).toContain(
      "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;&lt;img src=x onerror=alert(2)&gt;evil 👨‍👩‍👧",
    );
    expect(page.match(/<main/g)).toHaveLength(1);
  });

  it("answers a link that leads nowhere, and texts that can be none, alike", async () => {
    const shapeOf = async (code: string) => {
      const response = await pageOf(code);
      const headers = [...response.headers].filter(([name]) => name !== "date");
      return { status: response.status, headers, text: await response.text() };
    };
    const missing = await shapeOf(`${"x".repeat(21)}A`);
    expect(missing.status).toBe(404);
    expect(missing.text).toContain("Tagihan tidak ditemukan");
    const bill = await createPagedBill(database);
    for (const code of [
      ..."_____________________- a %00 %22 %3Cscript%3E ' --; %F0%9F%8E%89 undefined".split(" "),
      `${bill.linkCode}A`,
      bill.linkCode.slice(0, 21),
      bill.linkCode.toLowerCase() === bill.linkCode ? bill.linkCode.toUpperCase() : bill.linkCode.toLowerCase(),
      "A".repeat(4_000),
    ]) {
      expect([code, await shapeOf(code)]).toEqual([code, missing]);
    }
    for (const path of ["/status", "/events"]) expect((await pageOf("a", path)).status).toBe(404);
    expect((await pageOf("a", "/pay", { method: "POST" })).status).toBe(404);
    expect((await fetch(`${host.url}/b/%E0%A4%A`)).status).toBeLessThan(500);
    const english = await pageOf("a", "?lang=en");
    expect(await english.text()).toContain("Bill not found");
  });

  it("shows what can be paid as the product's rule has it", async () => {
    const [closed, part, free, minmax] = [
      await createPagedBill(database),
      await createPagedBill(database, {}, "900012"),
      await createPagedBill(database, {}, "900013"),
      await createPagedBill(database, {}, "900014"),
    ];
    const plain = async (bill: PagedBill) => (await textOf(bill)).replaceAll("\u00a0", " ");
    expect(await plain(closed)).not.toContain("at a time");
    expect(await plain(part)).toContain("You can pay from Rp 10,000 to Rp 50,000 at a time.");
    expect(await plain(minmax)).toContain("You can pay from Rp 20,000 to Rp 40,000 at a time.");
    expect(await plain(free)).toContain("You choose the amount, from Rp 5,000 to Rp 2,000,000.");
    expect(await plain(free)).toContain("Ready for payments");
    for (const [bill, code] of [[closed, "900001"] as const, [part, "900012"] as const]) {
      expect(await plain(bill)).toContain(`Product code: ${code}`);
    }

    expect((await payBill(host, part, "45000")).fields["resultCode"]).toBe("00");
    const rest = await plain(part);
    for (const text of ["Partly paid", "Paid so far", "Rp 45,000", "Rp 5,000"]) expect(rest).toContain(text);
    expect(rest).not.toContain("at a time");
    expect((await payBill(host, free)).fields["resultCode"]).toBe("00");
    const open = await plain(free);
    expect(open).toContain("Payments received");
    expect(open).toContain("Ready for payments");
  });

  it("shows a static number as one that is paid again and again", async () => {
    const bill = await createPagedBill(database, { static_va_no: "8808123456789012" });
    for (const amount of ["50000", "12345"]) {
      expect((await payBill(host, bill, amount)).fields["resultCode"]).toBe("00");
    }
    const page = await textOf(bill);
    for (const text of ["Ready for payments", `data-copy="8808123456789012"`, "Product code: 900003"]) {
      expect(page).toContain(text);
    }
    expect(page.match(/Rp\u00a0(50,000|12,345)<\/p>/g)).toEqual(["Rp\u00a012,345</p>", "Rp\u00a050,000</p>"]);
    expect(page).not.toContain("Time left");
    await database.query(`update bill set is_cancelled = true, version = version + 1 where bill_key = $1`, [
      bill.billKey,
    ]);
    expect(await textOf(bill)).toContain("Do not pay it");
  });

  it("offers no way to pay what is paid, cancelled or expired", async () => {
    const paid = await createPagedBill(database);
    await payBill(host, paid);
    const cancelled = await createPagedBill(database);
    await database.query(`update bill set is_cancelled = true, version = version + 1 where bill_key = $1`, [
      cancelled.billKey,
    ]);
    const expired = await createPagedBill(database, { billing_due_date: "2025-01-31 12:00:00" });
    const states = { "Thank you": paid, "Do not pay it": cancelled, "can no longer be paid": expired };
    for (const [text, bill] of Object.entries(states)) {
      const page = await textOf(bill);
      expect(page).toContain(text);
      expect(page).not.toMatch(/<form|data-copy|class="qr"/);
      const response = await pageOf(bill, "/pay?lang=en", { method: "POST" });
      expect([response.status, response.headers.get("location")]).toEqual([303, `../${bill.linkCode}?lang=en`]);
    }
    expect(asked).toEqual([]);
    expect(await textOf(expired)).toContain("Friday, 31 January 2025, 12:00 WIB");
  });

  it("is in the bill's language unless its address asks for the other", async () => {
    const indonesian = await createPagedBill(database, { billing_language: "ID" });
    const init = { headers: { "Accept-Language": "en" } };
    expect(await (await pageOf(indonesian, "", init)).text()).toContain('<html lang="id">');
    expect(await (await pageOf(indonesian, "?lang=en", init)).text()).toContain('<html lang="en">');
    expect(await textOf(await createPagedBill(database), "?lang=%22%3E%3Cscript%3E&lang=id")).toContain('lang="en">');
  });

  describe("Pay now", () => {
    const pay = (bill: PagedBill) => pageOf(bill, "/pay?lang=en", { method: "POST" });

    it("asks Finpay for a payment page, once for two presses, and leads there", async () => {
      const bill = await createPagedBill(database, { customer_name: "Sîti 🎉 Aminah", customer_phone: "081234567890" });
      finpayAnswers.body = JSON.stringify({ responseCode: "2000000", redirecturl: "https://pay.example.com/x?y=1" });
      const answers = await Promise.all([pay(bill), pay(bill)]);
      for (const { status, headers } of answers) {
        expect([status, headers.get("location")]).toEqual([303, "https://pay.example.com/x?y=1"]);
      }
      expect(asked).toHaveLength(1);
      const [{ headers, body } = { headers: {}, body: {} }] = asked;
      expect(headers).toMatchObject({
        "content-type": "application/json",
        authorization: `Basic ${Buffer.from("MERCHANT1:very-secret").toString("base64")}`,
      });
      expect(body).toMatchObject({
        order: {
          amount: "50000",
          id: expect.stringMatching(new RegExp(`^${bill.paymentCode}-[0-9a-f]{10}$`)) as string,
        },
        customer: { email: "siti@example.com", mobilePhone: "+6281234567890" },
        url: { callbackUrl: `https://bills.example.com/b/${bill.linkCode}/notification` },
        billing: { billerServiceProvider: { customerId: bill.paymentCode, id: "900001", subId: "", type: "post" } },
        sourceOfFunds: { type: "cc" },
      });
      expect((body["customer"] as { firstName: string }).firstName).toMatch(/^S[ -~]*Aminah$/);
    });

    it.each<[string, { status: number; body: string }]>([
      ["refuses", { status: 400, body: JSON.stringify({ responseCode: "4000000" }) }],
      ["fails", { status: 500, body: "" }],
      ["redirects", { status: 302, body: "" }],
      ["answers with no JSON", { status: 200, body: "<html>" }],
      ["answers without an address", { status: 200, body: "{}" }],
      ["answers null", { status: 200, body: "null" }],
      ["answers with a script", { status: 200, body: `{"redirecturl":"javascript:alert(1)"}` }],
      ["answers with a password", { status: 200, body: `{"redirecturl":"https://a:b@example.com/"}` }],
      ["answers with a path", { status: 200, body: `{"redirecturl":"/b/x"}` }],
      ["answers with a mega-byte", { status: 200, body: JSON.stringify({ redirecturl: "x".repeat(1_000_000) }) }],
    ])("says what happened and keeps the code at hand when Finpay %s", async (_, answer) => {
      finpayAnswers = answer;
      const bill = await createPagedBill(database);
      const response = await pay(bill);
      const page = await response.text();
      expect(response.status).toBe(502);
      expect(response.headers.get("location")).toBeNull();
      expect(page).toContain("No money has been taken");
      expect(page).toContain(`data-copy="${bill.paymentCode}"`);
      expect(page).toContain('href="../assets/bill.');
      expect(page).toContain(`action="../${bill.linkCode}/pay?lang=en"`);
      // Not kept: the next press asks again.
      await pay(bill);
      expect(asked).toHaveLength(2);
      expect(JSON.stringify(host.logs)).not.toMatch(/very-secret|SITI/);
    });
  });

  it("tells open pages of a payment, all with one statement, and holds no connection for them", async () => {
    const bills = await Promise.all(Array.from({ length: 6 }, () => createPagedBill(database)));
    const streams = await Promise.all(
      bills.flatMap(({ linkCode }) => [1, 2, 3].map(() => open(`${host.url}/b/${linkCode}/events`))),
    );
    expect(streams.map(({ status }) => status)).toEqual(Array.from({ length: 18 }, () => 200));
    await until(() => streams.every(({ text }) => /data: \d+\.UNPAID/.test(text())), "first tags");
    const busy = `select count(*)::int as busy from pg_stat_activity
                   where datname = $1 and application_name = 'biller-host' and state <> 'idle'`;
    const [row] = await database.query<{ busy: number }>(busy, [database.name]);
    expect(row?.busy).toBeLessThanOrEqual(1);
    const [first] = bills;
    if (first === undefined) throw new Error("no bill");
    expect((await payBill(host, first)).fields["resultCode"]).toBe("00");
    await until(() => streams.slice(0, 3).every(({ text }) => /data: \d+\.PAID/.test(text())), "paid");
    expect(streams.slice(3).some(({ text }) => /\.PAID/.test(text()))).toBe(false);
    const { tag } = (await (await pageOf(first, "/status")).json()) as { tag: string };
    expect(tag).toMatch(/^\d+\.PAID$/);
    for (const { close } of streams) close();
    await until(
      async () => (await (await fetch(`${host.url}/metrics`)).text()).includes("biller_bill_pages_open 0"),
      "none left",
    );
  });

  it("looks at once when a payment is announced, and believes no announcement", async () => {
    const bill = await createPagedBill(database);
    const stream = await open(`${host.url}/b/${bill.linkCode}/events`);
    const announced = await pageOf(bill, "/notification", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ order: { amount: 50_000 }, result: { payment: { status: "PAID" } } }),
    });
    expect(await announced.json()).toEqual({ responseCode: "2000000", responseMessage: "Success" });
    expect(await (await pageOf(bill, "/status")).json()).toMatchObject({
      tag: expect.stringMatching(/UNPAID/) as string,
    });
    expect(stream.text()).not.toMatch(/\.PAID/);
    stream.close();
    expect((await pageOf("nothing", "/notification", { method: "POST" })).status).toBe(200);
  });

  it("bounds the pages that are told, of one bill and of all; the others may ask", async () => {
    const [one, two] = [await createPagedBill(database), await createPagedBill(database)];
    const openMany = (bill: PagedBill, count: number) =>
      Promise.all(Array.from({ length: count }, () => open(`${host.url}/b/${bill.linkCode}/events`)));
    const ofOne = await openMany(one, 25);
    expect(ofOne.filter(({ status }) => status === 503)).toHaveLength(5);
    const ofTwo = await openMany(two, 15);
    expect(ofTwo.filter(({ status }) => status === 503)).toHaveLength(15 - (WATCHERS_MAX - 20));
    expect((await pageOf(two, "/status")).status).toBe(200);
    for (const { close } of [...ofOne, ...ofTwo]) close();
    await until(async () => (await openMany(two, 1))[0]?.status === 200, "places are free again");
  });

  it("is not asked for at the cost of payments: many readers share statements, and too many are told so", async () => {
    const bill = await createPagedBill(database);
    const statuses = await Promise.all(
      Array.from({ length: 1_200 }, async () => (await pageOf(bill, "/status")).status),
    );
    expect(new Set(statuses)).toContain(200);
    expect(statuses.every((status) => status === 200 || status === 503)).toBe(true);
    expect((await payBill(host, bill)).fields["resultCode"]).toBe("00");
  });

  it("ends open pages when the process stops, and over several processes each tells its own", async () => {
    const bill = await createPagedBill(database);
    const other = await startHostProcess(database);
    const streams = [
      await open(`${other.url}/b/${bill.linkCode}/events`),
      await open(`${host.url}/b/${bill.linkCode}/events`),
    ];
    expect((await payBill(other, bill)).fields["resultCode"]).toBe("00");
    await until(() => streams.every(({ text }) => /data: \d+\.PAID/.test(text())), "told by both");
    const page = await (await fetch(`${other.url}/b/${bill.linkCode}`)).text();
    expect(page).toContain("Thank you");
    const startedMs = Date.now();
    other.child.kill("SIGTERM");
    expect(await other.ended).toEqual({ code: 0, signal: null });
    await streams[0]?.ended;
    expect(Date.now() - startedMs).toBeLessThan(5_000);
    streams[1]?.close();
  });

  it("hides the button where payment pages cannot be asked for", async () => {
    const bill = await createPagedBill(database);
    const other = await startTestHost(database);
    const response = await fetch(`${other.url}/b/${bill.linkCode}`);
    const page = await response.text();
    expect(page).not.toContain("<form");
    expect(page).toContain(`data-copy="${bill.paymentCode}"`);
    expect(response.headers.get("content-security-policy")).toContain("form-action 'self';");
    const pressed = await fetch(`${other.url}/b/${bill.linkCode}/pay`, { method: "POST", redirect: "manual" });
    expect([pressed.status, pressed.headers.get("location")]).toEqual([303, `../${bill.linkCode}?lang=en`]);
    await other.stop();
  });

  it("says that it cannot be shown while the database is away", async () => {
    const own = await createTestDatabase();
    await fillForPages(own);
    const bill = await createPagedBill(own);
    const other = await startTestHost(own);
    await own.drop();
    const response = await fetch(`${other.url}/b/${bill.linkCode}?lang=en`);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await response.text()).toContain("This page cannot be shown right now");
    expect((await fetch(`${other.url}/b/${bill.linkCode}/status`)).status).toBe(503);
    expect(JSON.stringify(other.logs)).not.toContain(bill.linkCode);
    await other.stop();
  });
});
