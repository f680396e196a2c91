import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createLogger, systemClock } from "../../src/platform";
import { type Listening, type ShopSettings, shopSettingsFrom, startShop } from "../../src/simulator";
import { startBiller } from "../support/command-line";

jest.setTimeout(30_000);

type Fields = Record<string, unknown>;
interface Call {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const SECRETS = {
  password: "p-secret",
  hmacSecret: "h-secret",
  callbackSecret: "c-secret",
  finpayKey: "f-secret",
} as const;
/** SHA1(MD5("kopi" + "p-secret" + number)), written out apart from the shop's own code where it is checked. */
const BILL = "1234567890128";

let biller: Server;
let finpay: Server;
let shop: Listening;
let billerAnswer: (call: Call) => { status?: number; body: string };
let finpayAnswer: (call: Call) => { status?: number; body: string };
let billerCalls: Call[];

function stub(answer: (call: Call) => { status?: number; body: string }): Promise<Server> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const { status = 200, body: text } = answer({ path: request.url ?? "", headers: request.headers, body });
      response.writeHead(status, { "content-type": "application/json" }).end(text);
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}
const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const created = { response_code: "00", billing_id: Number(BILL), billing_url: "http://bills.test/b/x" };
const healthy = ({ path }: Call): { body: string } => ({
  body: JSON.stringify(path.includes("inquire") ? { response_code: "00", billing_status: "UNPAID" } : created),
});

beforeAll(async () => {
  biller = await stub((call) => {
    billerCalls.push(call);
    return billerAnswer(call);
  });
  finpay = await stub((call) => finpayAnswer(call));
  shop = await startShop(
    shopSettingsFrom({
      ...SECRETS,
      ...{ billerUrl: urlOf(biller), finpayUrl: urlOf(finpay), serviceId: "1041", userName: "kopi" },
      ...{ productCode: "900001", ordersMax: 20 },
    }),
    { host: "127.0.0.1", port: 0, publicUrl: null },
    { clock: systemClock, logger: createLogger({ level: "silent" }) },
  );
});
afterAll(async () => {
  await shop.stop();
  for (const server of [biller, finpay]) await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  billerCalls = [];
  billerAnswer = healthy;
  finpayAnswer = () => ({
    body: JSON.stringify({ responseCode: "2000000", redirecturl: `${urlOf(finpay)}/pay/x` }),
  });
});

const FORM = { "quantity-gayo": "2", name: "Budi", email: "budi@example.com", phone: "081200000000" };

const send = (path: string, fields: Record<string, string> = {}): Promise<Response> =>
  fetch(`${shop.url}${path}`, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });

async function place(): Promise<string> {
  const answer = await send("/orders?lang=en", FORM);
  expect(answer.status).toBe(303);
  return (answer.headers.get("location") ?? "").replace(/\?.*/, "");
}

interface State {
  readonly number: string;
  readonly status: string;
  readonly billingId: string | null;
  readonly events: readonly { kind: string; facts: Record<string, string> }[];
}
const stateOf = async (order: string): Promise<State> =>
  (await (await fetch(`${shop.url}${order}/status`)).json()) as State;
const lastOf = ({ events }: State): string => `${events.at(-1)?.kind} ${Object.values(events.at(-1)?.facts ?? {})[0]}`;

describe("the shop at the biller", () => {
  it("signs its calls by HMAC over the body, and as published", async () => {
    await place();
    const [call] = billerCalls;
    const { "x-timestamp": timestamp, "x-signature": signature } = call?.headers ?? {};
    const wanted = createHmac("sha256", SECRETS.hmacSecret)
      .update(`${String(timestamp)}.${call?.body}`)
      .digest("hex");
    expect([call?.path, signature]).toEqual(["/billing/create", wanted]);
    expect(JSON.parse(call?.body ?? "")).toMatchObject({
      ...{ service_id: "1041", billing_total: "170000", billing_language: "EN" },
      ...{ items: [{ item_name: "Kopi Gayo 250 g", qty: 2, item_amount: "85000" }] },
      signature: expect.stringMatching(/^[0-9a-f]{40}$/),
    });
  });

  it.each([
    ["is away", () => ({ status: 502, body: "<html>" }), "the answer is no JSON"],
    ["refuses", () => ({ body: '{"response_code":"01","response_message":"no"}' }), "no"],
    ["answers with something else", () => ({ body: "[1]" }), "HTTP 200, no JSON object"],
    ["names no bill", () => ({ body: '{"response_code":"00","billing_id":"x"}' }), "the answer has no billing_id"],
  ])("keeps the order when the biller %s, and asks again with the same content", async (_what, answer, problem) => {
    billerAnswer = answer;
    const order = await place();
    expect(lastOf(await stateOf(order))).toBe(`bill-refused ${problem}`);
    expect(await (await fetch(`${shop.url}${order}?lang=en`)).text()).toContain("No bill yet");
    billerAnswer = healthy;
    const answered = await send(`${order}/pay`);
    expect(answered.headers.get("location")).toBe(`${urlOf(finpay)}/pay/x`);
    expect(billerCalls[1]?.body).toBe(billerCalls[0]?.body);
  });

  it("starts no payment of a bill that the biller says is paid, or that Finpay gives no page of its own for", async () => {
    const order = await place();
    finpayAnswer = () => ({
      body: JSON.stringify({ responseCode: "2000000", redirecturl: "https://elsewhere.test/pay" }),
    });
    expect((await send(`${order}/pay`)).headers.get("location")).toContain(order);
    expect(lastOf(await stateOf(order))).toBe("payment-page-refused HTTP 200");
    billerAnswer = () => ({ body: '{"response_code":"00","billing_status":"PAID"}' });
    expect((await send(`${order}/pay`)).headers.get("location")).toContain(order);
    expect(lastOf(await stateOf(order))).toBe("payment-page-refused billing_status PAID");
  });

  it("does not take a status of Finpay that is not signed", async () => {
    const order = await place();
    await send(`${order}/pay`);
    const { number } = await stateOf(order);
    const data = { order: { id: `${number}-1` }, result: { payment: { status: "PAID" } }, signature: "00" };
    finpayAnswer = () => ({ body: JSON.stringify({ responseCode: "2000000", data }) });
    await send(`${order}/check`);
    expect((await stateOf(order)).events.at(-1)).toMatchObject({
      ...{ kind: "check-failed", facts: { billing_status: "UNPAID", status: "wrong signature" } },
    });
  });
});

describe("what comes to the shop", () => {
  /** A callback as the biller makes it; what a test breaks is handed in. */
  async function callBack(
    order: State,
    changes: { body?: Fields; id?: string; ageSeconds?: number; secret?: string; raw?: string } = {},
  ): Promise<number> {
    const sent = JSON.parse(billerCalls[0]?.body ?? "{}") as Fields;
    const fields = { service_id: "1041", billing_id: BILL, transaction_number: order.number, billing_total: "170000" };
    const body =
      changes.raw ??
      JSON.stringify({ ...fields, billing_status: "PAID", signature: sent["signature"], ...changes.body });
    const id = changes.id ?? "event-1";
    const timestamp = String(Math.floor(Date.now() / 1_000) - (changes.ageSeconds ?? 0));
    const text = `${id}.${timestamp}.${body}`;
    const signature = createHmac("sha256", changes.secret ?? SECRETS.callbackSecret)
      .update(text)
      .digest("hex");
    const headers = {
      "X-Event-Id": id,
      "X-Timestamp": timestamp,
      "X-Signature": `v1=${"0".repeat(64)},v1=${signature}`,
    };
    return (await fetch(`${shop.url}/callbacks/biller`, { method: "POST", body, headers })).status;
  }

  it("takes a callback once, under either of two keys", async () => {
    const order = await place();
    const state = await stateOf(order);
    expect([await callBack(state), await callBack(state)]).toEqual([200, 200]);
    const after = await stateOf(order);
    expect(after.status).toBe("PAID");
    expect(after.events.map(({ kind }) => kind)).toEqual([
      ...["ordered", "bill-created", "called-back", "callback-repeated"],
    ]);
  });

  it.each([
    ["another key", { secret: "other" }, 401],
    ["six minutes of age", { ageSeconds: 360 }, 401],
    ["six minutes of advance", { ageSeconds: -360 }, 401],
    ["another bill", { body: { billing_id: "9999999999994" } }, 409],
    ["another amount", { body: { billing_total: "170001" } }, 409],
    ["another merchant", { body: { service_id: "1042" } }, 409],
    ["a status that nobody knows", { body: { billing_status: "SOLD" } }, 409],
    ["a status that is no text", { body: { billing_status: ["PAID"] } }, 409],
    ["a wrong published signature", { body: { signature: "0".repeat(40) } }, 409],
    ["a body that is no JSON", { raw: "{" }, 400],
    ["a name twice", { raw: '{"transaction_number":"1","transaction_number":"2"}' }, 400],
  ])("refuses a callback with %s", async (_what, changes, status) => {
    const order = await place();
    expect(await callBack(await stateOf(order), changes)).toBe(status);
    expect((await stateOf(order)).status).toBe("UNPAID");
  });

  it("answers a proven callback about an order that it has forgotten with 404, an unproven one with 401", async () => {
    await place();
    const gone = { number: "KOPI-GONE", status: "", billingId: null, events: [] };
    expect(await callBack(gone)).toBe(404);
    expect(await callBack(gone, { secret: "other" })).toBe(401);
  });

  it.each([
    ["the right ones", {}, 200],
    ["another amount", { amount: "170001" }, 409],
    ["another bill", { paymentCode: "009999999999994" }, 409],
    ["another product", { productCode: "001001" }, 409],
  ])("holds a notification's flagging against the order: %s", async (_what, changes, status) => {
    const order = await place();
    await send(`${order}/pay`);
    const { number } = await stateOf(order);
    const flagging = { paymentCode: `00${BILL}`, productCode: "900001", amount: "170000", ...changes };
    const data = { order: { id: `${number}-1` }, result: { payment: { status: "PAID" }, flagging } };
    const signature = createHmac("sha512", SECRETS.finpayKey).update(JSON.stringify(data)).digest("hex");
    const post = async (body: unknown): Promise<number> =>
      (await fetch(`${shop.url}/callbacks/finpay`, { method: "POST", body: JSON.stringify(body) })).status;
    expect(await post({ ...data, signature: signature.replace(/^./, "g") })).toBe(401);
    expect(await post({ ...data, signature })).toBe(status);
    // What Finpay says is no proof that the biller has the money.
    expect((await stateOf(order)).status).toBe("UNPAID");
  });

  it.each([
    ["nothing chosen", { "quantity-gayo": "0" }, "at least one thing"],
    ["ten of one", { "quantity-gayo": "10" }, "nine of each"],
    ["less than none", { "quantity-gayo": "-1" }, "nine of each"],
    ["a quantity that is no number", { "quantity-gayo": "1e1" }, "nine of each"],
    ["no name", { name: " " }, "Give your name"],
    ["a name with control characters", { name: "a\u0000b" }, "Give your name"],
    ["a name too long", { name: "a".repeat(61) }, "Give your name"],
    ["no e-mail address", { email: "budi" }, "Give an e-mail"],
    ["a telephone number with letters", { phone: "0812-abc" }, "Give a mobile"],
  ])("refuses a form with %s, and shows what was typed harmlessly", async (_what, changes, told) => {
    const answer = await send("/orders?lang=en", { ...FORM, email: `"><script>x</script>`, ...changes });
    const text = await answer.text();
    expect([answer.status, billerCalls.length]).toEqual([422, 0]);
    expect(text).toContain(told);
    expect(text).not.toContain("<script>x");
  });

  it("stays up and labelled under hostile input at every address, and forgets the oldest order", async () => {
    const first = await place();
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const tries: [method: string, path: string, init: RequestInit][] = [
      ["POST", "/orders", { body: "{}", headers: { "content-type": "application/json" } }],
      ["POST", "/orders", { body: "x".repeat(40_000), headers: form }],
      ["POST", "/orders", { body: "quantity-gayo=%00%ff&name=%E0%A4%A", headers: form }],
      ["POST", "/orders/x/pay", { body: "", headers: form }],
      ["POST", `${first}/cancel`, { body: "{}", headers: { "content-type": "text/plain" } }],
      ...["/callbacks/biller", "/callbacks/finpay"].flatMap((path) =>
        ["", "x", "null", "{".repeat(50), '{"__proto__":{}}', "\u0000\ud800", "y".repeat(40_000)].map(
          (body) => ["POST", path, { body }] as [string, string, RequestInit],
        ),
      ),
      ...["/orders/__proto__", "/orders/%00", "/orders/%E0%A4%A/status", "/nowhere", "/?lang=%3Cscript%3E"].map(
        (path) => ["GET", path, {}] as [string, string, RequestInit],
      ),
      ["DELETE", "/orders", {}],
    ];
    for (const [method, path, init] of tries) {
      const answer = await fetch(`${shop.url}${path}`, { method, ...init });
      const text = await answer.text();
      expect([method, path, answer.status < 500, text.includes("SIMULATION")]).toEqual([method, path, true, true]);
      expect(text).not.toMatch(/\.ts:|node_modules|at Object/);
      expect(answer.headers.get("content-security-policy")).toContain("script-src 'self'");
    }
    for (let n = 0; n < 20; n += 1) await place();
    expect((await fetch(`${shop.url}${first}`)).status).toBe(404);
  });
});

describe("the settings of a shop", () => {
  const good: Record<keyof ShopSettings, unknown> = {
    ...SECRETS,
    ...{ billerUrl: "http://127.0.0.1:1/", finpayUrl: "https://finpay.test", serviceId: "1", userName: "u" },
    ...{ productCode: "900001", dueSeconds: 60, shortDueSeconds: 1, ordersMax: 1 },
  };

  it.each([
    ["billerUrl", "ftp://x"],
    ["finpayUrl", "http://user:word@x"],
    ["serviceId", "abc"],
    ["password", ""],
    ["callbackSecret", 5],
    ["productCode", "90000"],
    ["shortDueSeconds", 0],
    ["dueSeconds", 1.5],
    ["extra", "x"],
  ])("name a wrong %s, and never its value", (name, value) => {
    expect(shopSettingsFrom(good).billerUrl).toBe("http://127.0.0.1:1");
    const wrong = { ...good, [name]: value };
    expect(() => shopSettingsFrom(wrong)).toThrow(name === "extra" ? "extra" : `- ${name}: `);
    expect(() => shopSettingsFrom(wrong)).not.toThrow("secret");
  });

  it("are refused by the command with exit code 78, or 1 when the file is no JSON", async () => {
    const wrong = startBiller(["shop", "--port", "0", "--settings-file", "-"], {}, '{"password":"hidden-word"}');
    const { code, err } = await wrong.ended;
    expect([code, err.includes("hidden-word")]).toEqual([78, false]);
    expect(err).toContain("billerUrl: must be text");
    const broken = await startBiller(["shop", "--settings-file", "-"], {}, "{hidden-word").ended;
    expect([broken.code, broken.err]).toEqual([1, "biller: - is no JSON\n"]);
  });
});
