import { createHmac } from "node:crypto";
import { faultFrom } from "../../../src/simulator/faults";
import { notificationOf, signatureOf } from "../../../src/simulator/notification";
import { OrderBook, type Order } from "../../../src/simulator/order";
import { paymentPage, resultPage } from "../../../src/simulator/pages";
import { parsePaymentCard, type PaymentCardRequest } from "../../../src/simulator/payment-card";
import { reportJson, type UatReport, withoutSecrets } from "../../../src/simulator/uat/report";
import { reportHtml } from "../../../src/simulator/uat/report-html";

const HOSTILE = `</pre><script>alert(1)</script><img src=x onerror=alert(2)>'"&\u0000\u001b[31m\u202e\ud800`;

function requestFor(id: string, url: { backUrl?: string } = {}): PaymentCardRequest {
  const parsed = parsePaymentCard({
    order: { id, amount: 30_000 },
    customer: { email: "budi@example.com", firstName: "Budi", mobilePhone: "+6281200000000" },
    url: { callbackUrl: "http://127.0.0.1:9/callback", ...url },
    billing: { billerServiceProvider: { customerId: "0021008457003", id: "001001", type: "post" } },
    sourceOfFunds: { type: "va" },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.request;
}

function orderFor(id: string, url: { backUrl?: string } = {}): Order {
  const added = new OrderBook(10).add(requestFor(id, url), 0);
  if (added.kind !== "added") throw new Error(added.kind);
  return added.order;
}

const shown = (text: string) => ({
  kind: "shown" as const,
  bill: { amount: 30_000n, feeAmount: 5_000n, bit61: "1", customerData: { customerName: text, [text]: "x" } },
});

/** Tags of a page that is harmless: nothing that runs, and nothing from outside. */
function expectHarmless(page: string): void {
  expect(page).not.toMatch(/<(script|img|iframe|object|embed)|<[^>]*\son[a-z]+=|javascript:/i);
  for (const unseen of ["\u0000", "\u001b", "\u202e", "\ud800"]) expect(page).not.toContain(unseen);
  expect(page).toContain("SIMULATION");
}

describe("what hostile texts become", () => {
  it("in a report is shown, and never run", () => {
    const answer = {
      request: HOSTILE,
      manner: null,
      status: 200,
      reply: HOSTILE,
      replyBytes: 9,
      isReplay: false,
      failure: null,
      durationMs: 1,
      bit61: [{ of: "reply", columns: [{ name: HOSTILE, offset: 0, width: 1, raw: HOSTILE, problem: HOSTILE }] }],
    } as const;
    const report: UatReport = {
      simulation: "SIMULATION",
      verdict: "fail",
      startedAt: "2026-01-01T00:00:00.000Z",
      durationMs: 1,
      billerUrl: HOSTILE,
      userName: HOSTILE,
      productCode: HOSTILE,
      signature: HOSTILE,
      seed: HOSTILE,
      totals: { pass: 0, fail: 1, skipped: 0, requests: 1 },
      cases: [
        {
          name: "a-case",
          purpose: HOSTILE,
          verdict: "fail",
          reason: HOSTILE,
          billNumbers: [HOSTILE],
          durationMs: 1,
          steps: [{ step: HOSTILE, expected: HOSTILE, got: HOSTILE, problems: [HOSTILE], answers: [answer] }],
        },
      ],
    };
    const page = reportHtml(report);
    expectHarmless(page);
    expect(page).toContain("&lt;/pre&gt;&lt;script&gt;");
    expect(page).toContain("What failed");
    expect(page).not.toMatch(/(?:src|href)="(?!#)/);
  });

  it("takes a bit61 apart once in a case, and points there when it comes again", () => {
    const columns = [{ name: "billNumber", offset: 0, width: 1, raw: "1", problem: null }];
    const answer = (traxId: string, raw: string) => ({
      ...{ request: traxId, manner: null, status: 200, reply: "{}", replyBytes: 2, isReplay: false, failure: null },
      ...{ durationMs: 1, bit61: [{ of: "reply" as const, columns: columns.map((each) => ({ ...each, raw })) }] },
    });
    const step = (traxId: string, raw: string) => ({
      ...{ step: "inquiry", expected: "", got: "", problems: [], answers: [answer(traxId, raw)] },
    });
    const page = reportHtml({
      ...{ simulation: "SIMULATION", verdict: "pass", startedAt: "2026-01-01T20:00:00.000Z", durationMs: 1 },
      ...{ billerUrl: "u", userName: "n", productCode: "p", signature: "s", seed: "1" },
      totals: { pass: 1, fail: 0, skipped: 0, requests: 3 },
      cases: [
        {
          ...{ name: "a-case", purpose: "It shows.", verdict: "pass", reason: null, billNumbers: [], durationMs: 1 },
          steps: [step("1", "x"), step("2", "x"), step("3", "y")],
        },
      ],
    });
    expect(page.match(/<table class="columns">/g)).toHaveLength(2);
    expect(page.match(/the same characters as in the reply of step 1/g)).toHaveLength(1);
    expect(page).toContain("2026-01-02 03:00:00 WIB (20:00:00 UTC)");
    expect(page.match(/It shows\./g)).toHaveLength(2);
  });

  it("on the payment page is text as well", () => {
    const order = orderFor("INV-1");
    expectHarmless(paymentPage({ order, language: "id" }, shown(HOSTILE), true));
    expectHarmless(
      paymentPage({ order, language: "en" }, { kind: "declined", code: HOSTILE, description: HOSTILE }, false),
    );
    order.state = "paid";
    order.inquired = shown(HOSTILE);
    order.paymentReply = { resultCode: HOSTILE, sysCode: HOSTILE, bit48: HOSTILE };
    expectHarmless(resultPage({ order, language: "en" }));
  });
});

describe("the payment page", () => {
  it("shows bill and total in both languages, and asks for itself again while it waits", () => {
    const order = orderFor("INV-2");
    const [indonesian, english] = (["id", "en"] as const).map((language) =>
      paymentPage({ order, language }, shown("BUDI"), false),
    );
    expect(indonesian).toContain("Nama pelanggan");
    expect(english).toContain("Customer name");
    for (const page of [indonesian, english]) expect(page).toContain("Rp 35.000");
    order.state = "paying";
    expect(resultPage({ order, language: "id" })).toContain('http-equiv="refresh"');
    order.state = "unclear";
    expect(resultPage({ order, language: "en" })).not.toContain('http-equiv="refresh"');
  });
});

describe("what goes on behind the scenes of a payment", () => {
  it("is chosen among known faults only", () => {
    expect(["answer-lost", "storm", "silence", "", "__proto__", "Storm"].map(faultFrom)).toEqual([
      ...["answer-lost", "storm", "silence", "none", "none", "none"],
    ]);
  });

  it("leads back to the merchant's own address, and shows what was sent", () => {
    const order = orderFor("INV-5", { backUrl: `http://shop.test/?a="><b>` });
    order.state = "reversed";
    const exchange = {
      ...{ request: "{}", status: null, reply: null, replyBytes: 0, fields: null, isReplay: false, durationMs: 7 },
      failure: HOSTILE,
    };
    order.sent.push({ function: "payment", traxId: HOSTILE, sentAtMs: 0, exchange });
    order.sent.push({
      ...{ function: "reversal", traxId: "T2", sentAtMs: 0 },
      exchange: { ...exchange, failure: null, status: 200, fields: { resultCode: "00" }, isReplay: true },
    });
    const page = resultPage({ order, language: "en" });
    expectHarmless(page);
    expect(page).toContain('href="http://shop.test/?a=&quot;&gt;&lt;b&gt;"');
    expect(page).toMatch(/Reversal<\/strong>[\s\S]*resultCode 00, stored answer/);
  });

  it("shows a line's price in groups, and leaves an address alone", () => {
    const bill = {
      ...shown("BUDI").bill,
      customerData: { item1: { name: "Kopi Gayo 250 g", amount: "85000" }, address: "JL MELATI RAYA NO 12" },
    };
    const page = paymentPage({ order: orderFor("INV-6"), language: "en" }, { kind: "shown", bill }, false);
    expect(page).toContain("Kopi Gayo 250 g: Rp\u00a085.000");
    expect(page).toContain("JL MELATI RAYA NO 12<");
  });
});

describe("a report without secrets", () => {
  it("holds no password, plain or as JSON has it, wherever it came from", () => {
    const secret = 'a"b\\c';
    const nested = { deep: [{ text: `x${secret}y${JSON.stringify({ secret })}` }] };
    expect(JSON.stringify(withoutSecrets(nested, [secret, ""]))).not.toMatch(/a\\+"b/);
    expect(withoutSecrets({ n: 1, none: null }, ["1"])).toEqual({ n: 1, none: null });
    expect(reportJson({ seed: secret } as unknown as UatReport, [secret])).toContain("(password)");
  });
});

describe("the signature of a status answer", () => {
  it("is HMAC-SHA512 over the data without it, in the order sent", () => {
    const order = orderFor("INV-3");
    order.state = "paid";
    order.decidedAtMs = Date.UTC(2026, 0, 31, 20);
    order.inquired = shown("BUDI");
    order.paymentReply = {
      sysCode: "000000000003",
      customerData: { jumlahBill: "3", customerName: "", a: { b: "1", c: "2" } },
    };
    const data = notificationOf(order, { merchantId: "M1", merchantKey: "key" });
    const { signature, ...signed } = data;
    expect(signature).toBe(createHmac("sha512", "key").update(JSON.stringify(signed)).digest("hex"));
    expect(signatureOf(data, "other")).not.toBe(signature);
    expect(data["result"]).toMatchObject({
      payment: { status: "PAID", datetime: "2026-02-01 03:00:00" },
      flagging: {
        paymentCode: "000021008457003",
        productCode: "001001",
        bill: "3",
        reffNo: "000000000003",
        amount: "30000",
        customerName: "BUDI",
        billingInfo1: "3",
        billingInfo2: "1 2",
        billingInfo10: "",
        paymentDateTime: "2026-02-01 03:00:00",
        gmt: "2026-01-31 20:00:00",
        settlementDate: "0202",
      },
    });
  });

  it("of an order that is not paid flags nothing", () => {
    const data = notificationOf(orderFor("INV-4"), { merchantId: "M1", merchantKey: "key" });
    expect(data["result"]).toMatchObject({ payment: { status: "PENDING" }, flagging: null });
  });
});

describe("requests for a payment page", () => {
  const whole = {
    order: { id: "A1", amount: "1" },
    customer: { email: "a@example.com", firstName: "A", mobilePhone: "081200000000" },
    url: { callbackUrl: "http://localhost/x" },
    billing: { billerServiceProvider: { customerId: "1", id: "001001", subId: "", type: "post" } },
    meta: { data: null },
    sourceOfFunds: { type: "cc" },
  };

  it("are taken as published", () => {
    expect(parsePaymentCard(whole).ok).toBe(true);
    const { meta: _, ...sample } = whole;
    expect(parsePaymentCard({ ...sample, card: {}, device: {} }).ok).toBe(true);
    for (const backUrl of ["javascript:alert(1)", "data:text/html,x", "http://a:b@c", "", 1]) {
      const parsed = parsePaymentCard({ ...whole, url: { ...whole.url, backUrl } });
      expect(parsed.ok ? backUrl : parsed.faults.map(({ field }) => field)).toEqual(["url.backUrl"]);
    }
  });

  it("are refused with every fault, and no value in it", () => {
    const parsed = parsePaymentCard({
      ...whole,
      order: { id: "a secret", amount: 1.5 },
      url: { callbackUrl: "file:///etc/passwd" },
      billing: { billerServiceProvider: { customerId: "1", id: "1", type: "pre", more: 1 } },
      extra: 1,
      customer: undefined,
    });
    expect(parsed.ok).toBe(false);
    const faults = parsed.ok ? [] : parsed.faults;
    expect(faults.map(({ field }) => field)).toEqual([
      "order.id",
      "order.amount",
      "customer",
      "url.callbackUrl",
      "billing.billerServiceProvider.id",
      "billing.billerServiceProvider.type",
      "billing.billerServiceProvider",
      "(body)",
    ]);
    expect(JSON.stringify(faults)).not.toMatch(/secret|passwd/);
    expect(faults.find(({ field }) => field === "customer")?.problem).toBe("is missing");
  });

  it.each([[null], [[]], ["x"], [{}], [{ order: [] }], [JSON.parse('{"__proto__":{"order":1}}')]])(
    "are refused when they are %j",
    (given) => {
      expect(parsePaymentCard(given).ok).toBe(false);
    },
  );
});

describe("the book of orders", () => {
  it("is bounded: the oldest that is not being paid makes room", () => {
    const book = new OrderBook(2);
    for (const id of ["1", "2"]) book.add(requestFor(id), 0);
    const first = book.byId("1") as Order;
    first.state = "paying";
    expect(book.add(requestFor("1"), 0).kind).toBe("exists");
    expect(book.add(requestFor("3"), 0).kind).toBe("added");
    expect([book.size, book.byId("1")?.id, book.byId("2")]).toEqual([2, "1", undefined]);
    (book.byId("3") as Order).state = "paying";
    expect(book.add(requestFor("4"), 0).kind).toBe("full");
  });
});
