import { readFileSync } from "node:fs";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { freePort } from "../../src/platform/embedded";
import { createPagedBill, fillForPages, type PagedBill, payBill } from "../support/bill-pages";
import { describeInBrowser } from "../support/browser";
import { startBiller } from "../support/command-line";
import { type HostProcess, startHostProcess } from "../support/host-process";
import { createTestDatabase, type TestDatabase } from "../support/services";

jest.setTimeout(120_000);

const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const PHONE = { viewport: { width: 390, height: 844 } } as const;
const ITEMS = {
  items: [
    { item_name: "Kemeja batik", qty: 2, item_amount: 20_000 },
    { item_name: "Ongkos kirim", qty: 1, item_amount: 10_000 },
  ],
  billing_notes: "Terima kasih",
};
const HOSTILE = {
  customer_name: `<script>document.title="owned"</script>${"W".repeat(50)}\u202E👨‍👩‍👧`,
  items: [
    { item_name: `<img src=x onerror="document.title='owned'">${"M".repeat(50)}`, qty: 999_999, item_amount: 999 },
  ],
  billing_total: 999_999 * 999,
  billing_notes: "x".repeat(500),
};

/** What a page said and did wrong in the browser's own eyes: faults of scripts, refusals of the policy. */
const complaints: string[] = [];

describeInBrowser("the page of a bill in a browser", (browser) => {
  let database: TestDatabase;
  let host: HostProcess;
  const address = ({ linkCode }: PagedBill, query = ""): string => `${host.url}/b/${linkCode}${query}`;
  const visit = async (bill: PagedBill, options: BrowserContextOptions = PHONE, query = ""): Promise<Page> => {
    const page = await newPage(browser(), options);
    expect((await page.goto(address(bill, query)))?.status()).toBe(200);
    return page;
  };
  const create = (changes: Record<string, unknown> = ITEMS, productCode?: string) =>
    createPagedBill(database, changes, productCode);

  beforeAll(async () => {
    database = await createTestDatabase();
    await fillForPages(database);
    host = await startHostProcess(database, {
      // Nobody listens there: what the button does is checked by its failure.
      settings: { PAYMENT_PAGE_URL: "http://127.0.0.1:9/sof/bp/paymentCard", BILL_PAGE_WATCHERS: "3" },
    });
  });
  afterEach(async () => {
    await Promise.all(
      browser()
        .contexts()
        .map((context) => context.close()),
    );
    expect(complaints.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    host.child.kill("SIGTERM");
    expect(await host.ended).toEqual({ code: 0, signal: null });
    await database.drop();
  });

  /** One bill of each state, and one with hostile texts. */
  async function oneOfEach(): Promise<Record<string, PagedBill>> {
    const bills = {
      "Waiting for payment": await create(),
      "Partly paid": await create(ITEMS, "900012"),
      "Ready for payments": await create({}, "900013"),
      Paid: await create(),
      Cancelled: await create(),
      Expired: await create({ ...ITEMS, billing_due_date: "2025-01-31 12:00:00" }),
    };
    for (const [bill, amount] of [
      [bills["Partly paid"], "15000"],
      [bills["Ready for payments"], "60000"],
      [bills.Paid, "50000"],
    ] as const) {
      expect((await payBill(host, bill, amount)).fields["resultCode"]).toBe("00");
    }
    const cancel = `update bill set is_cancelled = true, version = version + 1 where bill_key = $1`;
    await database.query(cancel, [bills.Cancelled.billKey]);
    return bills;
  }

  it("shows everything without scripts, in every state", async () => {
    for (const [state, bill] of Object.entries(await oneOfEach())) {
      const page = await visit(bill, { ...PHONE, javaScriptEnabled: false });
      expect(await page.innerText(".state")).toBe(state);
      expect(await page.innerText("h1")).toBe("Bill from TOKO MAJU JAYA");
      expect(await page.innerText("dl")).toContain("SITI AMINAH");
      const canPay = ["Waiting for payment", "Partly paid", "Ready for payments"].includes(state);
      const codes = await page.locator("#code").allTextContents();
      expect(codes.map((text) => text.trim())).toEqual(canPay ? [bill.paymentCode] : []);
      // What needs scripts is not offered without.
      expect(await page.locator("button[data-copy]:visible, button[data-print]:visible").count()).toBe(0);
      await page.close();
    }
    const bill = await create();
    const page = await visit(bill, { ...PHONE, javaScriptEnabled: false });
    await payBill(host, bill);
    await page.getByRole("link", { name: "Check status" }).click();
    expect(await page.innerText(".state")).toBe("Paid");
  });

  it("turns paid by itself, says so, and keeps the place of the keyboard", async () => {
    const bill = await create();
    const page = await visit(bill);
    await page.getByRole("button", { name: "Copy code" }).focus();
    expect((await payBill(host, bill)).fields["resultCode"]).toBe("00");
    await page.locator(".state.paid").waitFor({ timeout: 30_000 });
    expect(await page.innerText("main")).toContain("Payments received");
    expect(await page.title()).toContain("Paid");
    await announced(page, /^Paid\./);
    expect(await page.evaluate("document.activeElement?.id")).toBe("content");
    expect(await page.locator("form, #code").count()).toBe(0);
  });

  it("turns paid also where it cannot be told and has to ask", async () => {
    const bill = await create();
    const taken = await Promise.all([1, 2, 3].map(async () => fetch(`${address(await create())}/events`)));
    expect(taken.map(({ status }) => status)).toEqual([200, 200, 200]);
    const page = await newPage(browser(), PHONE);
    const refused = page.waitForResponse((response) => response.url().endsWith("/events"));
    await page.goto(address(bill));
    expect((await refused).status()).toBe(503);
    expect((await payBill(host, bill)).fields["resultCode"]).toBe("00");
    await page.locator(".state.paid").waitFor({ timeout: 30_000 });
    // The refusal is in the browser's console, as it should be.
    expect(complaints.splice(0).every((line) => line.includes("503"))).toBe(true);
    await Promise.all(taken.map(async ({ body }) => body?.cancel()));
  });

  it("expires before the customer's eyes, by the server's clock", async () => {
    const bill = await create();
    await database.query(`update bill set due_at = now() + interval '3 seconds' where bill_key = $1`, [bill.billKey]);
    const page = await visit(bill);
    expect(await page.innerText("dl")).toContain("less than a minute");
    await page.locator(".state.expired").waitFor({ timeout: 30_000 });
    expect(await page.locator("form, #code").count()).toBe(0);
  });

  it("changes its language and keeps it", async () => {
    const bill = await create({ ...ITEMS, billing_language: "ID" });
    const page = await visit(bill);
    expect(await page.locator("html").getAttribute("lang")).toBe("id");
    expect((await page.innerText("main")).replaceAll("\u00a0", " ")).toContain("Rp 50.000");
    await page.getByRole("link", { name: "English" }).click();
    expect(await page.locator("html").getAttribute("lang")).toBe("en");
    expect((await page.innerText("main")).replaceAll("\u00a0", " ")).toContain("Rp 50,000");
    await payBill(host, bill);
    await page.locator(".state.paid").waitFor({ timeout: 30_000 });
    expect(await page.innerText(".state")).toBe("Paid");
  });

  it("copies the payment code, with the clipboard's permission and without", async () => {
    const bill = await create();
    const page = await visit(bill, { ...PHONE, permissions: ["clipboard-read", "clipboard-write"] });
    const button = page.locator("[data-copy]");
    const readBack = () => page.evaluate<string>("navigator.clipboard.readText()");
    await button.click();
    expect(await button.innerText()).toBe("Copied");
    expect(await readBack()).toBe(bill.paymentCode);
    await announced(page, /^Copied$/);
    await page.locator("[data-copy]", { hasText: "Copy code" }).waitFor();

    await page.evaluate(`navigator.clipboard.writeText("something else").then(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed"));
    })`);
    await button.click();
    expect(await button.innerText()).toBe("Copied");
    expect((await readBack()).replaceAll(/\s/g, "")).toBe(bill.paymentCode);
  });

  it("says that the payment page cannot be opened, and leads back", async () => {
    const bill = await create();
    const page = await visit(bill);
    await page.getByRole("button", { name: /^Pay now Rp.50,000$/ }).click();
    expect(await page.getByRole("alert").innerText()).toContain("No money has been taken");
    expect((await page.textContent("#code"))?.trim()).toBe(bill.paymentCode);
    complaints.splice(0).forEach((line) => expect(line).toContain("502"));
    await payBill(host, bill);
    await page.locator(".state.paid").waitFor({ timeout: 30_000 });
    expect(page.url()).toBe(`${address(bill)}?lang=en`);
    complaints.splice(0).forEach((line) => expect(line).toContain("502"));
  });

  it("leads to Finpay's payment page, and is paid when the customer comes back", async () => {
    const port = await freePort();
    const simulator = startBiller(
      ["simulate", "--port", "0", "--biller", `http://127.0.0.1:${port}/finpay/billing`, "--password-file", "-"],
      {},
      "demo-password\n",
    );
    const finpayUrl = /listening on (\S+),/.exec(await simulator.says(/listening on \S+,/))?.[1] ?? "";
    const settings = { PORT: String(port), PAYMENT_PAGE_URL: `${finpayUrl}/sof/bp/paymentCard` };
    const other = await startHostProcess(database, { settings });
    const bill = await create();
    const page = await newPage(browser(), PHONE);
    await page.goto(`${other.url}/b/${bill.linkCode}`);
    const kept = await page.context().newPage();
    await kept.goto(`${other.url}/b/${bill.linkCode}`);

    await page.getByRole("button", { name: /^Pay now/ }).click();
    await page.waitForURL(`${finpayUrl}/pay/**`);
    expect(await page.innerText("main")).toContain(bill.paymentCode);
    await page.getByLabel("Virtual account").check();
    await page.getByRole("button", { name: /^(Pay|Bayar)/ }).click();
    await page.waitForURL(/\/result/);
    await kept.locator(".state.paid").waitFor({ timeout: 30_000 });
    await page.goto(`${other.url}/b/${bill.linkCode}`);
    expect(await page.innerText(".state")).toBe("Paid");

    other.child.kill("SIGTERM");
    simulator.child.kill("SIGTERM");
    await Promise.all([other.ended, simulator.ended]);
  });

  it("fits 320 pixels without scrolling sideways, with texts of any length and the largest amounts", async () => {
    const page = await newPage(browser(), { viewport: { width: 320, height: 640 } });
    for (const bill of [await create(HOSTILE), ...Object.values(await oneOfEach())]) {
      for (const query of ["?lang=en", "?lang=id"]) {
        await page.goto(address(bill, query));
        const widths = await page.evaluate(
          "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
        );
        expect({ bill: bill.productCode, query, widths }).toEqual({
          bill: bill.productCode,
          query,
          widths: [320, 320],
        });
        expect(await page.title()).not.toBe("owned");
      }
    }
  });

  it("prints what is worth paper, in black on white", async () => {
    const page = await visit(await create());
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    for (const selector of ["nav", "form", ".tools", "[data-copy]", ".skip"]) {
      expect([selector, await page.locator(selector).isVisible()]).toEqual([selector, false]);
    }
    for (const selector of ["h1", "#code", ".qr", "table", ".headline"]) {
      expect([selector, await page.locator(selector).isVisible()]).toEqual([selector, true]);
    }
    const colors = await page.evaluate(
      "(({ backgroundColor, color }) => ({ backgroundColor, color }))(getComputedStyle(document.body))",
    );
    expect(colors).toEqual({ backgroundColor: "rgb(255, 255, 255)", color: "rgb(0, 0, 0)" });
    expect((await page.pdf({ format: "A4" })).length).toBeGreaterThan(5_000);
  });

  it("has no fault that axe finds, in every state, both languages, light and dark", async () => {
    const bills = [...Object.values(await oneOfEach()), await create(HOSTILE)];
    for (const [query, colorScheme] of [["?lang=en", "light"] as const, ["?lang=id", "dark"] as const]) {
      const page = await newPage(browser(), { ...PHONE, colorScheme });
      for (const bill of bills) {
        await page.goto(address(bill, query));
        expect(await faultsIn(page)).toEqual([]);
      }
    }
    const page = await newPage(browser(), { viewport: { width: 1280, height: 900 } });
    await page.goto(`${host.url}/b/nothing`);
    expect(await faultsIn(page)).toEqual([]);
    expect(complaints.splice(0).every((line) => line.includes("404"))).toBe(true);
  });

  it("is gone through by keyboard in the order that it is read, each stop visibly marked", async () => {
    const page = await visit(await create());
    const stops: string[] = [];
    for (let count = 0; count < 8; count += 1) {
      await page.keyboard.press("Tab");
      const stop = await page.evaluate<string>(`(() => {
        const at = document.activeElement;
        if (at === null || at === document.body) return "";
        const { outlineStyle, outlineWidth } = getComputedStyle(at);
        return [at.textContent.replaceAll(/\\s+/g, " ").trim(), outlineStyle, outlineWidth].join(" ");
      })()`);
      stops.push(stop);
    }
    expect(stops).toEqual([
      "Skip to content solid 3px",
      "Bahasa Indonesia solid 3px",
      "Check status solid 3px",
      "Print solid 3px",
      "Pay now Rp 50,000 solid 3px",
      "Copy code solid 3px",
      "",
      "Skip to content solid 3px",
    ]);
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement?.id")).toBe("content");
  });

  it("has large enough targets, and moves nothing for those who asked for less motion", async () => {
    const page = await visit(await create(), { ...PHONE, reducedMotion: "reduce" });
    for (const target of await page.locator("a:visible:not(.skip), button:visible").all()) {
      const box = await target.boundingBox();
      expect([await target.innerText(), (box?.height ?? 0) >= 40]).toEqual([await target.innerText(), true]);
    }
    const moving = await page.evaluate(`[...document.querySelectorAll("*")].filter((element) => {
      const { transitionDuration, animationName } = getComputedStyle(element);
      return transitionDuration !== "0s" || animationName !== "none";
    }).length`);
    expect(moving).toBe(0);
  });
});

async function newPage(browser: Browser, options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return page;
}

/** Waits until those who do not see the page are told this. */
function announced(page: Page, text: RegExp): Promise<void> {
  return page.locator("#announcement", { hasText: text }).waitFor({ state: "attached" });
}

/** Faults that axe finds, WCAG 2.2 AA and good practice. Put in past the page's policy, which would refuse it. */
async function faultsIn(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<{
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
  }>(`axe.run(document, { runOnly: ${JSON.stringify(WCAG)}, resultTypes: ["violations"] })`);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}
