import type { Browser, BrowserContext, Page } from "playwright-core";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describeInBrowser } from "../support/browser";
import { type Demo, startDemo } from "../support/demo";
import { brokenLaws } from "../support/laws";
import { createTestDatabase, type TestDatabase } from "../support/services";

jest.setTimeout(120_000);

/** Screenshots for people, where this names a directory. */
const SHOTS = process.env["BROWSER_SHOTS"] ?? "";
const PHONE = { width: 390, height: 844 };

describeInBrowser("a customer with a phone", (browser: () => Browser) => {
  let database: TestDatabase;
  let demo: Demo;
  let context: BrowserContext;
  let page: Page;
  /** What the browser complained about: a script or style that the page's own policy forbids, for instance. */
  let complaints: string[];

  beforeAll(async () => {
    database = await createTestDatabase();
    demo = await startDemo(database, "--short-due", "4");
    if (SHOTS !== "") mkdirSync(SHOTS, { recursive: true });
  });
  afterAll(async () => {
    // At the end, whatever went on before: as many payments as bills that are paid.
    const broken = await brokenLaws(database);
    const code = await demo.stop();
    await database.drop();
    expect([broken, code]).toEqual([[], 0]);
  });
  beforeEach(async () => {
    complaints = [];
    context = await browser().newContext({ viewport: PHONE, locale: "en-GB" });
    page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
  });
  afterEach(() => context.close());

  /** Every page says that it is a simulation, and fits a phone. */
  async function look(name: string, at = page): Promise<void> {
    if (SHOTS !== "") await at.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
    expect([name, await at.getByRole("note").innerText()]).toEqual([name, expect.stringContaining("SIMULATION")]);
    expect([name, await at.evaluate("document.documentElement.scrollWidth")]).toEqual([name, PHONE.width]);
  }

  async function order(due: "long" | "short" = "long"): Promise<void> {
    await page.goto(demo.shop);
    await page.getByLabel("Quantity: Kopi Tubruk").selectOption("2");
    if (due === "short") {
      await page.getByText("Behind the scenes").click();
      await page.getByLabel("Time to pay").selectOption("short");
    }
    await page.getByRole("button", { name: "Order", exact: true }).click();
    await status("Waiting for payment");
  }

  const status = (head: string, at = page): Promise<void> =>
    at.locator('[role="status"]').getByRole("heading", { name: head, exact: true }).waitFor();
  const happened = (what: string): Promise<void> => page.locator(".events").getByText(what).last().waitFor();
  const toFinpay = (): Promise<void> => page.getByRole("button", { name: "Pay with Finpay" }).click();

  async function pay(fault = "none", at = page): Promise<void> {
    await at.getByLabel("E-wallet").check();
    if (fault !== "none") {
      await at.getByText("Behind the scenes").click();
      await at.getByLabel("Fault on the way to the biller").selectOption(fault);
    }
    await at.getByRole("button", { name: "Pay Rp 121.000" }).click();
  }

  const bills = (): Promise<{ paid: bigint; payments: bigint }[]> =>
    database.query(
      `select count(*) filter (where paid_amount = total_amount) as paid,
              (select count(*) from merchant_payment where reversed_at is null) as payments
         from bill`,
    );

  it("orders, pays on Finpay's page, comes back to a paid order, and cannot pay it twice", async () => {
    await page.goto(demo.shop);
    await look("1-shop");
    await order();
    await look("2-order");
    await happened("Bill made");
    await toFinpay();
    await page.getByText("Kopi Gayo 250 g: Rp 85.000").waitFor();
    expect(page.url()).toContain(`${demo.finpay}/pay/`);
    await look("3-finpay");
    const paymentPage = page.url();
    await pay();
    await status("Payment successful");
    await look("4-result");
    await page.getByRole("link", { name: "Back to the shop" }).click();
    await status("Paid");
    // They arrive by themselves, on a page that is already open.
    await happened("Notification arrived, its signature is right");
    await happened("Callback arrived, its signature is right");
    await page.getByRole("button", { name: "Check the status" }).click();
    await happened("Status checked");
    expect(await page.locator(".events li").last().innerText()).toMatch(/billing_status PAID\s+status PAID/);
    await look("5-paid");

    expect(await page.getByRole("button", { name: "Pay with Finpay" }).count()).toBe(0);
    await page.goto(paymentPage);
    await status("Payment successful");
    expect(await page.getByRole("button").count()).toBe(0);
    expect(await bills()).toEqual([{ paid: 1n, payments: 1n }]);
    expect(complaints).toEqual([]);
  });

  it("finds its open order turn to paid by itself, paid from a second page, and the first page refuses", async () => {
    await order();
    const orderPage = page.url();
    await toFinpay();
    const first = page.url();
    await page.goto(orderPage);
    const second = await context.newPage();
    await second.goto(orderPage);
    await second.getByRole("button", { name: "Pay with Finpay" }).click();
    expect(second.url()).not.toBe(first);
    const third = await context.newPage();
    await third.goto(first);
    await pay("none", second);
    await status("Payment successful", second);
    // Nobody touches this one.
    await status("Paid");
    // Shown before it was paid: the button is there, and the biller says no.
    await pay("none", third);
    await status("Payment declined", third);
    await look("6-paid-twice", third);
    expect(await bills()).toEqual([{ paid: 2n, payments: 2n }]);
    expect(complaints).toEqual([]);
  });

  it("pays from the host's own page of the bill, and the shop hears of it from the host", async () => {
    await order();
    const orderPage = page.url();
    await page.getByRole("link", { name: "See the bill" }).click();
    expect(page.url()).toContain(`${demo.host}/b/`);
    const billPage = page.url();
    await page.getByRole("button", { name: "Pay now" }).click();
    await pay();
    await status("Payment successful");
    await page.goto(billPage);
    await page.getByText("The payment has arrived").waitFor();
    await page.goto(orderPage);
    await status("Paid");
    await happened("Callback arrived, its signature is right");
    expect(complaints).toEqual([]);
  });

  for (const [fault, sent] of [
    ["answer-lost", ["Inquiry", "Payment", "Payment"]],
    ["storm", ["Inquiry", ...Array.from({ length: 8 }, () => "Payment")]],
  ] as const) {
    it(`sees one payment under the fault ${fault}`, async () => {
      const [before] = await bills();
      await order();
      await toFinpay();
      await pay(fault);
      await status("Payment successful");
      expect(await page.locator(".sent strong").allInnerTexts()).toEqual([...sent]);
      await look(`7-${fault}`);
      await page.getByRole("link", { name: "Back to the shop" }).click();
      await status("Paid");
      await happened("Callback arrived");
      await happened("Notification arrived");
      expect(await page.locator(".events").getByText("Callback arrived").count()).toBe(1);
      expect(await bills()).toEqual([{ paid: (before?.paid ?? 0n) + 1n, payments: (before?.payments ?? 0n) + 1n }]);
      expect(complaints).toEqual([]);
    });
  }

  it("gets the money back when no answer comes, and pays again", async () => {
    await order();
    await toFinpay();
    await pay("silence");
    await status("Payment reversed");
    await look("8-reversed");
    await page.getByRole("link", { name: "Back to the shop" }).click();
    await happened("billing_status UNPAID");
    await status("Waiting for payment");
    await look("9-unpaid-again");
    await toFinpay();
    await pay();
    await status("Payment successful");
    await page.getByRole("link", { name: "Back to the shop" }).click();
    await status("Paid");
    expect(complaints).toEqual([]);
  });

  it("cannot pay an order that was cancelled, or whose time is up", async () => {
    await order();
    const orderPage = page.url();
    await toFinpay();
    await page.goto(orderPage);
    await page.getByRole("button", { name: "Cancel the order" }).click();
    await happened("Cancelling was refused");
    // Its amount was shown on Finpay's page a moment ago: somebody may be paying. Another one, not shown to anybody, can be.
    await order();
    await page.getByRole("button", { name: "Cancel the order" }).click();
    await status("Cancelled");
    await happened("Callback arrived");
    await look("10-cancelled");
    expect(await page.getByRole("button", { name: "Pay with Finpay" }).count()).toBe(0);

    // Its payment page is asked for in time, and opened too late.
    await order("short");
    const expired = page.url();
    const form = page.locator('form[action*="/pay"]');
    const address = new URL((await form.getAttribute("action")) ?? "", page.url()).href;
    const given = await context.request.post(address, { form: {}, maxRedirects: 0 });
    await status("Expired");
    await look("11-expired");
    const before = await bills();
    await page.goto(`${given.headers()["location"]}?lang=en`);
    await page.getByText("This bill cannot be paid now.").waitFor();
    await look("12-expired-payment");
    await page.getByRole("link", { name: "Back to the shop" }).click();
    await status("Expired");
    expect(page.url()).toBe(expired);
    expect(await bills()).toEqual(before);
    expect(complaints).toEqual([]);
  });

  it("is served when the time ran out while Finpay's page was open: that amount was promised", async () => {
    await order("short");
    await toFinpay();
    const late = page.url();
    await page.goBack();
    await status("Expired");
    await page.goto(late);
    await pay();
    await status("Payment successful");
    await page.getByRole("link", { name: "Back to the shop" }).click();
    await status("Paid");
    expect(complaints).toEqual([]);
  });

  it("reads both languages, is told what is wrong in the form, and needs no script", async () => {
    const plain = await browser().newContext({ viewport: PHONE, locale: "id-ID", javaScriptEnabled: false });
    const at = await plain.newPage();
    await at.goto(demo.shop);
    await at.getByLabel("Nama").fill("");
    await at.getByLabel("E-mail").fill("x");
    await at.getByRole("button", { name: "Pesan" }).click();
    await at.getByText("Isi nama Anda").waitFor();
    await at.getByText("Isi alamat e-mail").waitFor();
    await look("13-form-id", at);
    await at.getByLabel("Nama").fill(`<b onclick="x">'"&`);
    await at.getByLabel("E-mail").fill("budi@example.com");
    await at.getByRole("button", { name: "Pesan" }).click();
    await status("Menunggu pembayaran", at);
    await at.getByRole("button", { name: "Bayar dengan Finpay" }).click();
    await at.getByLabel("QRIS").check();
    await at.getByRole("button", { name: "Bayar Rp 85.000" }).click();
    await status("Pembayaran berhasil", at);
    await at.getByRole("link", { name: "Kembali ke toko" }).click();
    await status("Lunas", at);
    await look("14-paid-id", at);
    // The name went to the biller and back as the text that it is.
    const [bill] = await database.query<{ customer_name: string }>(
      `select customer_name from bill order by created_at desc limit 1`,
    );
    expect(bill?.customer_name).toBe(`<b onclick="x">'"&`);
    await plain.close();
  });
});
