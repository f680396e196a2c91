import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fill, inquiryMessage, paymentMessage, TEST_KEYS } from "../support/builders";
import { startBiller } from "../support/command-line";
import { startTestHost, type TestHost } from "../support/host";
import { startHostProcess } from "../support/host-process";
import { type MailServer, openMailServer, refusal } from "../support/mail-server";
import { addMerchant, billingRequest, callBilling, legacySignature, MERCHANT } from "../support/merchants";
import { openReceiver } from "../support/receiver";
import { createTestDatabase, type TestDatabase } from "../support/services";

jest.setTimeout(90_000);

let database: TestDatabase;
let mails: MailServer;
let host: TestHost;
const hosts = new Set<TestHost>();

const settingsOf = (port = mails.port): Record<string, string> => ({
  SMTP_URL: `smtp://127.0.0.1:${port}`,
  SMTP_TLS: "off",
  MAIL_FROM: "Toko Maju <billing@toko.example>",
  PUBLIC_URL: "https://bills.example.com",
  CALLBACK_ALLOWED_HOSTS: "127.0.0.1",
});
async function start(settings: Record<string, string> = settingsOf()): Promise<TestHost> {
  const started = await startTestHost(database, { settings });
  hosts.add(started);
  return started;
}

beforeEach(async () => {
  database = await createTestDatabase();
  mails = await openMailServer();
  await fill(database, []);
  await addMerchant(database);
  host = await start();
});
afterEach(async () => {
  for (const each of hosts) await each.stop();
  hosts.clear();
  await mails.close();
  await database.drop();
});

async function create(changes: Record<string, unknown> = {}, at = host.url): Promise<Record<string, unknown>> {
  return (await callBilling(`${at}/billing/create`, { body: billingRequest(changes) })).fields;
}
async function pay(created: Record<string, unknown>): Promise<Record<string, string>> {
  const common = { productCode: "900001", billNumber: String(created["billing_id"]) };
  const { fields } = await host.send(inquiryMessage({ ...common, bit61: common.billNumber }));
  const { amount, feeAmount, bit61 } = fields as { amount: string; feeAmount: string; bit61: string };
  const message = paymentMessage({ ...common, amount, feeAmount, bit61 });
  expect((await host.send(message)).fields["resultCode"]).toBe("00");
  return message;
}
const outbox = () =>
  database.query<{
    event_id: string;
    kind: string;
    attempts: number;
    delivered: boolean;
    dead: boolean;
    wait_s: number;
    fault: string | null;
  }>(
    `select o.event_id, o.kind, o.attempts, o.delivered_at is not null as delivered, o.dead_at is not null as dead,
            extract(epoch from o.next_attempt_at - clock_timestamp())::float8 as wait_s,
            (select a.fault from callback_attempt a where a.event_id = o.event_id order by a.attempt_no desc limit 1) as fault
       from outbox o where o.kind like 'email.%' order by o.created_at, o.kind`,
  );
const makeDue = () =>
  database.query(
    `update outbox set next_attempt_at = now(), claimed_until = null where delivered_at is null and dead_at is null`,
  );
async function until(isSo: () => Promise<boolean>, withinMs = 8_000): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > giveUpAt) throw new Error("it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe("mail to customers", () => {
  it("brings the bill in its language, as text and as HTML", async () => {
    const created = await create({
      billing_due_date: "2031-03-05 17:41:00",
      billing_notes: "Terima kasih & sampai jumpa",
      items: [
        { item_name: "Kemeja <batik>", qty: 2, item_amount: "20000" },
        { item_name: "Ongkos kirim", qty: "1", item_amount: 10_000 },
      ],
    });
    const [mail] = await mails.wait(1);
    expect(mail).toMatchObject({ from: "billing@toko.example", recipients: ["siti@example.com"] });
    const eventId = (await outbox())[0]?.event_id;
    const header = (name: string) => mail?.headers.get(name);
    expect(header("from")).toEqual(["Toko Maju <billing@toko.example>"]);
    expect(header("to")).toEqual(["SITI AMINAH <siti@example.com>"]);
    expect(header("subject")).toEqual([`Bill from TOKO MAJU JAYA: ${String(created["transaction_number"])}`]);
    expect(header("message-id")).toEqual([`<${eventId}@toko.example>`]);
    expect(header("auto-submitted")).toEqual(["auto-generated"]);
    expect(mail?.text.split("\n\n")).toEqual([
      "Dear SITI AMINAH,",
      "TOKO MAJU JAYA has sent you a bill.",
      [
        `Invoice number: ${String(created["transaction_number"])}`,
        "Amount due: Rp 50.000",
        "Pay before: 5 March 2031, 17:41 WIB",
        `Payment code: ${String(created["billing_id"])}`,
      ].join("\n"),
      "Items:\n- Kemeja <batik>, 2 x Rp 20.000: Rp 40.000\n- Ongkos kirim: Rp 10.000\nTotal: Rp 50.000",
      "Note from TOKO MAJU JAYA:\nTerima kasih & sampai jumpa",
      "Open the bill to pay, or give the payment code at any channel that serves Finpay.",
      `Open the bill: ${String(created["billing_url"])}`,
      expect.stringMatching(/^-- \nThis message was sent automatically/) as string,
    ]);
    expect(mail?.html).toContain('<html lang="en">');
    expect(mail?.html).toContain("Kemeja &lt;batik&gt;, 2 x Rp 20.000");
    expect(mail?.html).toContain("Terima kasih &amp; sampai jumpa");
    expect(mail?.html).toContain(`<a href="${String(created["billing_url"])}"`);
    expect(mail?.html).toContain(String(created["billing_id"]));
    // The same request again is the same bill, and no second mail.
    const repeated = await outbox();
    expect(repeated).toHaveLength(1);
    await until(async () => (await outbox())[0]?.delivered === true);
  });

  it("is in Indonesian when the bill is, and confirms its payment; a repeat of the payment confirms nothing", async () => {
    const created = await create({ billing_language: "ID", billing_due_date: "2031-03-05 17:41:00" });
    await mails.wait(1);
    const payment = await pay(created);
    const [bill, receipt] = await mails.wait(2);
    expect(bill?.headers.get("subject")?.[0]).toMatch(/^Tagihan dari TOKO MAJU JAYA: /);
    expect(bill?.text).toContain("Bayar sebelum: 5 Maret 2031, 17:41 WIB");
    expect(bill?.html).toContain('<html lang="id">');
    expect(receipt?.headers.get("subject")?.[0]).toMatch(/^Pembayaran diterima untuk TOKO MAJU JAYA: /);
    expect(receipt?.text).toContain("Jumlah dibayar: Rp 50.000");
    expect(receipt?.text).toMatch(/Referensi pembayaran: [0-9]{16}/);
    expect(receipt?.text).not.toContain("Sisa tagihan");
    await host.send(payment);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(mails.received).toHaveLength(2);
  });

  it("says of a static number that it stays, and confirms every payment on it", async () => {
    const number = `8808${String(Date.now()).padStart(12, "0").slice(-12)}`;
    await create({ static_va_no: number });
    const [bill] = await mails.wait(1);
    expect(bill?.text).toContain(`Your payment number, for every payment: ${number}`);
    expect(bill?.text).not.toContain("Pay before");
    for (const amount of ["10000", "10000"]) {
      const common = { productCode: "900003", billNumber: number, feeAmount: "0", bit61: number };
      await host.send(inquiryMessage(common));
      expect((await host.send(paymentMessage({ ...common, amount }))).fields["resultCode"]).toBe("00");
    }
    await mails.wait(3);
    const references = mails.received.slice(1).map(({ text }) => /Payment reference: ([0-9]{16})/.exec(text)?.[1]);
    expect(new Set(references).size).toBe(2);
    expect(references).not.toContain(undefined);
  });

  it("is tried again after a temporary refusal, with the callbacks' pauses and the same Message-ID", async () => {
    const answers = [451, 421];
    mails.onMessage = () => {
      const code = answers.shift();
      return code === undefined
        ? Promise.resolve()
        : Promise.reject(refusal(code, "siti@example.com: come back later"));
    };
    await create();
    for (const [index, pause] of [5, 300].entries()) {
      await until(async () => ((await outbox())[0]?.wait_s ?? 0) > 1);
      const [row] = await outbox();
      expect(row).toMatchObject({ attempts: index + 1, dead: false });
      expect(row?.wait_s).toBeGreaterThan(pause * 0.89 - 2);
      expect(row?.wait_s).toBeLessThan(pause * 1.1 + 1);
      expect(row?.fault).toMatch(/^DATA refused: 4(51|21) \(address\): come back later$/);
      await makeDue();
    }
    await until(async () => (await outbox())[0]?.delivered === true);
    expect(new Set(mails.received.map(({ headers }) => headers.get("message-id")?.[0])).size).toBe(1);
    expect(mails.received).toHaveLength(3);
  });

  it("is a dead letter at once after a permanent refusal, shown and sent again by operators", async () => {
    mails.onRecipient = (address) => Promise.reject(refusal(550, `5.1.1 <${address}> unknown`));
    await create();
    await until(async () => (await outbox())[0]?.dead === true);
    const [row] = await outbox();
    expect(row).toMatchObject({ attempts: 1, fault: "RCPT TO refused: 550 5.1.1 <(address)> unknown" });
    const said = host.logs.find(({ msg }) => msg === "mail is a dead letter");
    expect(said).toMatchObject({ eventId: row?.event_id, kind: "email.bill" });
    expect(JSON.stringify(host.logs)).not.toContain("siti@example.com");

    const settings = {
      ...{ DATABASE_URL: database.appUrl, MIGRATION_DATABASE_URL: database.ownerUrl },
      CREDENTIAL_KEYS: TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join(),
    };
    const biller = async (...args: string[]) => startBiller(args, settings).ended;
    const listed = await biller("callback", "list", "--state", "dead", "--lane", "email", "--json");
    expect(JSON.parse(listed.out)).toMatchObject([{ eventId: row?.event_id, kind: "email.bill", state: "dead" }]);
    expect((await biller("callback", "list", "--lane", "callback")).out).toBe("none\n");
    const mailOfDoctor = async (port: number): Promise<unknown> => {
      const ended = await startBiller(["doctor", "--json"], { ...settings, ...settingsOf(port) }).ended;
      return (JSON.parse(ended.out) as { name: string }[]).find(({ name }) => name === "mail");
    };
    expect(await mailOfDoctor(mails.port)).toMatchObject({ verdict: "ok" });
    expect(await mailOfDoctor(1)).toMatchObject({
      verdict: "warning",
      detail: expect.stringContaining("ECONNREFUSED") as string,
    });
    mails.onRecipient = () => Promise.resolve();
    expect((await biller("callback", "replay", row?.event_id ?? "")).out).toContain("1 will be sent again");
    await mails.wait(1);
    await until(async () => (await outbox())[0]?.delivered === true);
    expect(mails.received[0]?.headers.get("message-id")).toEqual([`<${row?.event_id}@toko.example>`]);
  });

  it("asks nobody to pay what was cancelled meanwhile, and confirms no payment that was taken back", async () => {
    mails.onMessage = () => Promise.reject(refusal(450, "later"));
    const cancelled = await create();
    const paid = await create();
    await mails.wait(2);
    const payment = await pay(paid);
    await mails.wait(3);
    await until(async () => (await outbox()).every(({ wait_s }) => wait_s > 1));
    const transaction_number = String(cancelled["transaction_number"]);
    const question = { service_id: MERCHANT.serviceId, billing_id: cancelled["billing_id"], transaction_number };
    await callBilling(`${host.url}/billing/cancel`, {
      body: { ...question, signature: legacySignature(transaction_number) },
    });
    const { signature: _, ...rest } = payment;
    await host.send(paymentMessage({ ...rest, transactionType: "51", timeStamp: "20-03-2023 10:42:00" }));
    mails.onMessage = () => Promise.resolve();
    await makeDue();
    await until(async () => (await outbox()).every(({ delivered, dead }) => delivered || dead));
    const faults = (await outbox()).map(({ kind, fault }) => `${kind} ${fault}`);
    expect(faults).toEqual([
      "email.bill not sent: the bill is CANCELLED by now",
      // Unpaid again, so its mail is right again.
      "email.bill null",
      "email.receipt not sent: the payment was taken back",
    ]);
  });

  it("waits for a server that is down when the host starts", async () => {
    const free = await openMailServer();
    const { port } = free;
    await free.close();
    const early = await start(settingsOf(port));
    await host.stop();
    hosts.delete(host);
    await create({}, early.url);
    await until(async () => (await outbox())[0]?.fault !== undefined && (await outbox())[0]?.fault !== null);
    expect((await outbox())[0]?.fault).toMatch(/ECONNREFUSED/);
    const late = await openMailServer({}, port);
    await makeDue();
    await late.wait(1);
    expect(late.received).toHaveLength(1);
    await until(async () => (await outbox())[0]?.delivered === true);
    await late.close();
  });

  it("holds up no callback when its server hangs, and a merchant who hangs holds up no mail", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => {});
    });
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", () => resolve()));
    const hung = await openReceiver();
    hung.answer = () => {};
    const quick = await openReceiver();
    await addMerchant(database, { serviceId: "500", callbackUrl: `http://127.0.0.1:${hung.port}/` });
    await addMerchant(database, { serviceId: "501", callbackUrl: `http://127.0.0.1:${quick.port}/` });
    const first = host;
    try {
      // Merchants that hang: their customers' receipts come all the same, also of events that nobody could deliver yet.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      const unpaid = [];
      for (let n = 0; n < 7; n++) unpaid.push(await create({ service_id: "500" }));
      await mails.wait(7);
      const startedMs = Date.now();
      for (const each of unpaid) await pay(each);
      await mails.wait(14, 4_500);
      expect(mails.received).toHaveLength(14);
      expect(Date.now() - startedMs).toBeLessThan(4_500);
      await first.stop();
      hosts.delete(first);

      // A mail server that never says a word.
      host = await start(settingsOf((silent.address() as AddressInfo).port));
      const bills = [];
      for (let n = 0; n < 12; n++) bills.push(await create({ service_id: "501" }));
      await until(() => Promise.resolve(sockets.length >= 4));
      const paidMs = Date.now();
      await pay(bills[0] as Record<string, unknown>);
      await quick.wait(1, 2_000);
      expect(quick.received).toHaveLength(1);
      expect(Date.now() - paidMs).toBeLessThan(2_000);
      // Four of one merchant at a time, and each gives up.
      expect(sockets.length).toBeLessThanOrEqual(4);
      await until(
        async () => (await outbox()).some(({ fault }) => fault?.startsWith("Greeting never received") === true),
        15_000,
      );
    } finally {
      for (const socket of sockets) socket.destroy();
      for (const each of hosts) await each.stop();
      hosts.clear();
      await hung.close();
      await quick.close();
      await new Promise((resolve) => silent.close(resolve));
    }
  });

  it("is sent once by two hosts", async () => {
    const other = await start();
    mails.onMessage = () => new Promise((resolve) => setTimeout(resolve, 50));
    await Promise.all(Array.from({ length: 40 }, (_, index) => create({}, index % 2 === 0 ? host.url : other.url)));
    await mails.wait(40, 15_000);
    await until(async () => (await outbox()).every(({ delivered }) => delivered));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(mails.received).toHaveLength(40);
    expect(new Set(mails.received.map(({ headers }) => headers.get("message-id")?.[0])).size).toBe(40);
  });

  it("is not sent at all without a mail server in the settings", async () => {
    const without = await start({});
    for (const each of hosts) if (each !== without) await each.stop();
    hosts.clear();
    hosts.add(without);
    host = without;
    await pay(await create());
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await outbox()).toEqual([]);
    expect(mails.received).toEqual([]);
  });
});

describe("hostile values in mail", () => {
  it("are refused at the door, with what is wrong", async () => {
    const hostile: [Record<string, unknown>, RegExp][] = [
      [{ customer_name: "SITI\r\nBcc: evil@example.com" }, /customer_name/],
      [
        { customer_email: "siti@example.com\nBcc: evil@example.com" },
        /customer_email must be an e-mail address: it holds a blank/,
      ],
      [{ customer_email: "siti@example.com,evil@example.com" }, /more than one @/],
      [{ customer_email: 7 }, /customer_email/],
      [{ transaction_number: "A\nBcc:x" }, /transaction_number/],
      [{ billing_notes: "a\r\n.\r\nMAIL FROM:<evil@example.com>" }, /billing_notes/],
      [{ items: [{ item_name: "a\nb", qty: 1, item_amount: 50_000 }] }, /items\.0\.item_name/],
    ];
    for (const [changes, message] of hostile) {
      const refused = await create(changes);
      expect(refused["response_code"]).toBe("01");
      expect(refused["response_message"]).toMatch(message);
    }
    expect(await outbox()).toEqual([]);
  });

  it.each([
    ["an address", '"Siti" <evil@example.com>, other@example.com'],
    ["HTML", `<img src=x onerror="alert(1)">'&`],
    ["letters beyond ASCII", "Zoë 🎉 Ćirić"],
    ["a turned reading direction", "SITI \u202Emoc.live@live"],
    ["something encoded", "=?utf-8?q?=0D=0ABcc:_evil@example.com?="],
    ["a hundred letters", "Ы".repeat(100)],
    ["a line separator", "SITI\u2028Bcc: evil@example.com"],
  ])("in a name stays in the name: %s", async (_name, customer_name) => {
    await create({ customer_name, items: [{ item_name: customer_name, qty: 1, item_amount: 50_000 }] });
    const [mail] = await mails.wait(1);
    expect(mail?.recipients).toEqual(["siti@example.com"]);
    expect([...(mail?.headers.keys() ?? [])].filter((name) => ["bcc", "cc", "reply-to"].includes(name))).toEqual([]);
    expect(mail?.headers.get("to")).toHaveLength(1);
    expect(mail?.headers.get("to")?.[0]).toMatch(/<siti@example\.com>$/);
    expect(mail?.html).not.toContain("<img");
    // The text shows what was given, as it was given.
    expect(mail?.text).toContain(customer_name.replace("\u2028", "\u2028"));
    for (const line of mail?.raw.split("\r\n") ?? []) expect(line.length).toBeLessThanOrEqual(998);
  });

  it("in a merchant's name, past the command that refuses them, ends no header", async () => {
    await database.query(`update merchant set name = $1 where service_id = $2`, [
      "TOKO\r\nBcc: evil@example.com\r\n\r\n<b>x</b>",
      MERCHANT.serviceId,
    ]);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await create();
    const [mail] = await mails.wait(1);
    expect(mail?.recipients).toEqual(["siti@example.com"]);
    expect(mail?.headers.has("bcc")).toBe(false);
    expect(mail?.headers.get("subject")?.[0]).toMatch(/^Bill from TOKO Bcc: evil@example\.com <b>x<\/b>: /);
    expect(mail?.html).not.toContain("<b>x");
  });
});

describe("the way to the mail server", () => {
  const SECRET = "geheim-p%40ss/word";
  const signedIn = (port: number, tls: "on" | "off") => ({
    ...settingsOf(port),
    SMTP_URL: `smtp://toko%40example.com:${encodeURIComponent(SECRET)}@127.0.0.1:${port}`,
    SMTP_TLS: tls,
  });

  it("tries again when the password is refused, and tells neither it nor the server's words", async () => {
    const strict = await openMailServer({
      ...{ authOptional: false, disabledCommands: ["STARTTLS"], allowInsecureAuth: true },
      onAuth: ({ username, password }, _session, callback) => callback(refusal(535, `no: ${username} ${password}`)),
    });
    await host.stop();
    hosts.delete(host);
    host = await start(signedIn(strict.port, "off"));
    await create();
    await until(async () => (await outbox())[0]?.fault !== null && (await outbox()).length === 1);
    const [row] = await outbox();
    expect(row).toMatchObject({ dead: false, fault: "the mail server refuses our password (535)" });
    const said = JSON.stringify(host.logs);
    expect(said).toContain("mail failed, will be tried again");
    expect(said).not.toContain(SECRET);
    expect(said).not.toContain(Buffer.from(SECRET).toString("base64"));
    await strict.close();
  });

  it.each<[string, Parameters<typeof openMailServer>[0], RegExp]>([
    ["offers no TLS", { disabledCommands: ["STARTTLS"] }, /STARTTLS|TLS/],
    ["shows a certificate that nobody vouches for", { disabledCommands: [] }, /certificate/],
  ])("says nothing of a bill to a server that %s", async (_name, options, fault) => {
    const heard: string[] = [];
    const lax = await openMailServer({
      ...options,
      onAuth: ({ password }, _session, callback) => {
        heard.push(String(password));
        callback(null, { user: "x" });
      },
    });
    await host.stop();
    hosts.delete(host);
    host = await start(signedIn(lax.port, "on"));
    await create();
    await until(async () => ((await outbox())[0]?.fault ?? null) !== null);
    expect((await outbox())[0]?.fault).toMatch(fault);
    expect((await outbox())[0]?.dead).toBe(false);
    expect([heard, lax.received]).toEqual([[], []]);
    await lax.close();
  });

  it("is encrypted and signed in; a process killed between sending and marking sends again under the same Message-ID", async () => {
    await host.stop();
    hosts.delete(host);
    const dir = mkdtempSync(join(tmpdir(), "biller-mail-"));
    const [key, cert] = [join(dir, "key.pem"), join(dir, "cert.pem")];
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
        ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
      ],
      { stdio: "ignore" },
    );
    const secure = await openMailServer({
      ...{ key: readFileSync(key), cert: readFileSync(cert), authOptional: false, disabledCommands: [] },
      onAuth: ({ username, password }, _session, callback) =>
        username === "toko@example.com" && password === SECRET
          ? callback(null, { user: username })
          : callback(refusal(535, "no")),
    });
    try {
      const settings = { ...signedIn(secure.port, "on"), NODE_EXTRA_CA_CERTS: cert };
      const doomed = await startHostProcess(database, { settings });
      // The server has the whole message and is about to say so: for it, the mail is delivered.
      secure.onMessage = () => {
        doomed.child.kill("SIGKILL");
        return doomed.ended.then(() => {});
      };
      await create({}, doomed.url);
      await doomed.ended;
      expect(secure.received).toHaveLength(1);
      expect((await outbox())[0]).toMatchObject({ attempts: 1, delivered: false, dead: false, fault: null });

      secure.onMessage = () => Promise.resolve();
      const second = await startHostProcess(database, { settings });
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      // Its lease has not run out: nobody else touches it.
      expect(secure.received).toHaveLength(1);
      await database.query(`update outbox set claimed_until = now()`);
      await secure.wait(2);
      await until(async () => (await outbox())[0]?.delivered === true);
      second.child.kill("SIGTERM");
      await second.ended;
      const [first, again] = secure.received;
      expect(again?.headers.get("message-id")).toEqual(first?.headers.get("message-id"));
      expect(secure.received.map(({ isEncrypted, user }) => [isEncrypted, user])).toEqual([
        [true, "toko@example.com"],
        [true, "toko@example.com"],
      ]);
    } finally {
      await secure.close();
      rmSync(dir, { recursive: true });
    }
  });
});
