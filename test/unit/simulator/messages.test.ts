import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseSwitchTimestamp } from "../../../src/wire";
import { DEFAULT_CODES } from "../../../src/simulator/codes";
import { exchange, isCallable, type Exchange } from "../../../src/simulator/exchange";
import { timeStampText } from "../../../src/simulator/message";
import { columnsOf, layoutOf, withoutTail } from "../../../src/simulator/uat/bit61";
import { buildBody, type BuildContext } from "../../../src/simulator/uat/build";
import { drawFrom } from "../../../src/simulator/uat/draw";
import { judge, type JudgedBy } from "../../../src/simulator/uat/judge";

const BIT61 = "00210084570030200011304A              10000BUDI SANTOSO                  8825220158     ";

const context: BuildContext = {
  caseName: "a case",
  productCode: "001001",
  billNumbers: ["0021008457003"],
  quotes: new Map([["0021008457003", { amount: 10_000n, feeAmount: 5_000n, bit61: BIT61 }]]),
  credentials: { userName: "bmandiri", password: "demo-password", scheme: { outer: "sha256", joiner: "" } },
  previousPassword: "old-password",
  layout: layoutOf("001001"),
  draw: drawFrom("7"),
};
const build = (spec: object, kind: "inquire" | "pay" | "reverse" = "pay"): Record<string, string> =>
  JSON.parse(buildBody(spec, kind, context, 1_700_000_000_123_456n)) as Record<string, string>;

/** The published formula, written out again. */
function signedBy(message: Readonly<Record<string, string>>, password: string): string {
  const hex = (text: string): string => createHash("sha256").update(text).digest("hex");
  const {
    userName,
    productCode,
    channel,
    terminal = "SIMULATE",
    transactionType,
    billNumber,
    traxId,
    timeStamp,
  } = message;
  const inner = hex(`${timeStamp}${password}`);
  return hex(`${userName}${productCode}${channel}${terminal}${transactionType}${billNumber}${traxId}${inner}`);
}

describe("messages of a UAT run", () => {
  it("are what a plain payment is, unless a step says otherwise", () => {
    const message = build({});
    expect(message).toMatchObject({
      transactionType: "50",
      billNumber: "0021008457003",
      amount: "000000010000",
      feeAmount: "5000",
      bit61: BIT61,
    });
    expect(message["signature"]).toBe(signedBy(message, "demo-password"));
    expect(build({}, "inquire")).toMatchObject({ amount: "0", feeAmount: "0", bit61: "0021008457003" });
  });

  it("are the same for one seed, and have the payment's traxId in its reversal", () => {
    expect(build({})).toEqual(build({}));
    expect(build({}, "reverse")["traxId"]).toBe(build({})["traxId"]);
    expect(build({}, "inquire")["traxId"]).not.toBe(build({})["traxId"]);
    const other = buildBody({}, "pay", { ...context, draw: drawFrom("8") }, 0n);
    expect((JSON.parse(other) as { traxId: string }).traxId).not.toBe(build({})["traxId"]);
  });

  it("carry what a step changes", () => {
    expect(build({ traxLength: 32 })["traxId"]).toMatch(/^U[0-9]{31}$/);
    expect(build({ amount: "bare", fee: { plus: 1n } })).toMatchObject({ amount: "10000", feeAmount: "5001" });
    expect(build({ bit61: "without-tail" })["bit61"]).toBe(BIT61.slice(0, -45));
    expect(build({ bill: "unknown" })["billNumber"]).toMatch(/^9[0-9]{12}$/);
    expect(build({ leaveOut: ["amount"] })["amount"]).toBeUndefined();
    const renamed = build({ terminalAs: "bit41" });
    expect([renamed["terminal"], renamed["bit41"]]).toEqual([undefined, "SIMULATE"]);
    const old = build({ key: "previous" });
    expect(old["signature"]).toBe(signedBy(old, "old-password"));
    const wrong = build({ key: "wrong" });
    expect(wrong["signature"]).not.toBe(signedBy(wrong, "demo-password"));
  });

  it("have time stamps of every published form, which name the same second", () => {
    const micros = 1_700_000_000_123_456n;
    const texts = (["seconds", "spaced", "milliseconds", "offset", "microseconds"] as const).map((form) =>
      timeStampText(micros, form),
    );
    expect(texts).toEqual([
      "15-11-2023 05:13:20",
      "15-11-2023 05: 13: 20",
      "15-11-2023 05:13:20:123",
      "15-11-2023 05:13:20:+07:00",
      "15-11-2023 05:13:20:123456",
    ]);
    for (const text of texts) expect((parseSwitchTimestamp(text) ?? 0n) / 1_000_000n).toBe(1_700_000_000n);
  });
});

describe("bit61 in a report", () => {
  it("is taken apart, however broken it is", () => {
    const layout = layoutOf("001001");
    expect(layout).not.toBeNull();
    const columns = columnsOf(layout as NonNullable<typeof layout>, BIT61);
    expect(columns.map(({ raw }) => raw).join("")).toBe(BIT61);
    expect(columns.every(({ problem }) => problem === null)).toBe(true);
    const broken = columnsOf(layout as NonNullable<typeof layout>, "x");
    expect(broken.some(({ problem }) => problem !== null)).toBe(true);
    expect([withoutTail(layout, "x"), withoutTail(null, BIT61), layoutOf("999999")]).toEqual([null, null, null]);
  });
});

describe("the judge", () => {
  const sent = build({});
  const by: JudgedBy = {
    codes: DEFAULT_CODES,
    sent,
    kind: "payment",
    layout: null,
    same: undefined,
    mayBeStored: false,
  };
  const answered = (fields: object | null, changes: Partial<Exchange> = {}): Exchange => ({
    request: "",
    status: 200,
    reply: JSON.stringify(fields),
    replyBytes: 1,
    fields: fields as Exchange["fields"],
    isReplay: false,
    durationMs: 1,
    failure: null,
    ...changes,
  });
  const good = { resultCode: "00", resultDesc: "Approve", traxId: sent["traxId"], timeStamp: sent["timeStamp"] };

  it("finds nothing wrong with what is expected", () => {
    expect(judge({ expect: ["APPROVED"] }, answered(good), by)).toEqual([]);
    expect(judge({ expect: ["ok"] }, answered(good), by)).toEqual([]);
    expect(judge({ expect: ["no-answer"] }, answered(null, { failure: "gone", status: null }), by)).toEqual([]);
  });

  it.each([
    ["another code", { ...good, resultCode: "94" }, {}, /resultCode 94, expected 00 \(APPROVED\)/],
    ["a code of no class", { ...good, resultCode: "77" }, {}, /not in the map/],
    ["another traxId", { ...good, traxId: "1" }, {}, /traxId does not come back/],
    ["another time stamp", { ...good, timeStamp: "1" }, {}, /timeStamp does not come back/],
    ["no JSON", null, {}, /no JSON object/],
    ["another status", good, { status: 500 }, /HTTP status 500/],
    ["no answer", null, { failure: "nothing came within 5 ms" }, /nothing came within 5 ms/],
    ["the signature", { ...good, resultDesc: sent["signature"] }, {}, /repeats the signature/],
  ] as const)("names %s", (_what, fields, changes, problem) => {
    const problems = judge({ expect: ["APPROVED"] }, answered(fields, changes), by);
    expect(problems.join("\n")).toMatch(problem);
  });

  it("compares bytes with those of the step that is named", () => {
    const first = answered(good);
    const wanted = { expect: ["APPROVED"], sameAs: "first" } as const;
    expect(judge(wanted, first, { ...by, same: first })).toEqual([]);
    const other = answered({ ...good, sysCode: "1" });
    expect(judge(wanted, other, { ...by, same: first })).toEqual(['the reply has other bytes than that of "first"']);
    expect(judge(wanted, other, by)).toHaveLength(1);
  });

  it("reads the bill that an inquiry shows", () => {
    const inquiry = { ...by, kind: "inquiry", layout: layoutOf("001001") } as const;
    const shown = { ...good, amount: "000000010000", feeAmount: "5000", bit61: BIT61 };
    expect(judge({ expect: ["APPROVED"] }, answered(shown), inquiry)).toEqual([]);
    const odd = judge({ expect: ["APPROVED"] }, answered({ ...shown, amount: "1.0", bit61: "x" }), inquiry);
    expect(odd).toEqual(["amount is not one to 12 digits", expect.stringMatching(/^bit61: /)]);
  });
});

describe("addresses given by callers", () => {
  it("are called only over http and https, without a password in them; loopback may be", () => {
    expect(["http://127.0.0.1:1/x", "https://example.com", "http://[::1]/"].map(isCallable)).toEqual([
      true,
      true,
      true,
    ]);
    const refused = [
      "file:///etc/passwd",
      "ftp://x/",
      "http://a:b@x/",
      "javascript:1",
      "",
      `http://x/${"a".repeat(600)}`,
    ];
    expect(refused.map(isCallable)).toEqual(refused.map(() => false));
  });
});

describe("a caller who hangs up", () => {
  it("has no answer, however quick the biller was", async () => {
    const server = createServer((request, response) => {
      request.resume();
      response.end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const manner = { kind: "hang-up", afterMs: 100 } as const;
    const answers = await Promise.all([1, 2, 3].map(() => exchange(url, "{}", { timeoutMs: 5_000, manner })));
    expect(answers.map(({ status, reply, failure }) => [status, reply, failure])).toEqual(
      answers.map(() => [null, null, "we hung up, on purpose"]),
    );
    await new Promise((resolve) => server.close(resolve));
  });
});
