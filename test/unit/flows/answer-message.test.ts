import { checkContract, dialectSchema, type Outcome } from "../../../src/domain";
import { type Accepts, answerMessage, compileProduct, PRODUCTS } from "../../../src/flows";
import { randomIds, sleep, systemClock } from "../../../src/platform";
import { inquiryMessage, paymentMessage } from "../../support/builders";

type Deps = Parameters<typeof answerMessage>[0];
type Inquire = Deps["inquiries"]["submit"];
type Pay = Deps["payments"]["submit"];

/** Nothing here looks at the fields of a reply. */
const NO_FIELDS = {} as Awaited<ReturnType<Inquire>>["fields"];

const PRODUCTS_BY_CODE = new Map(
  PRODUCTS.map(({ productCode, name, definition }) => [productCode, compileProduct(productCode, name, definition)]),
);

function codesWith(dialect: Parameters<typeof checkContract>[0]) {
  const checked = checkContract(dialect);
  if (!checked.ok) throw new Error(checked.faults.join());
  return checked.codes;
}

/** A host whose desks answer as they are told, and which remembers what reached them. */
function host(
  given: {
    dialect?: unknown;
    passwords?: string[];
    inquire?: Inquire;
    pay?: Pay;
    mayComeFrom?: (address: string | null) => boolean;
  } = {},
) {
  const reached: { desk: string; traxId: string; hasProduct: boolean; passwords: readonly string[] }[] = [];
  const faults: string[] = [];
  const drift: string[] = [];
  const dialect = dialectSchema.parse(given.dialect ?? {});
  const partner = {
    ...{ partnerId: 1, userName: "bmandiri", name: "test", productCodes: ["001001"], dialect },
    ...{ passwords: given.passwords ?? ["demo-password"], mayComeFrom: given.mayComeFrom ?? (() => true) },
    codes: codesWith(dialect),
  };
  const note = (desk: string, item: Parameters<Inquire>[0]): void => {
    const { passwords } = item.partner;
    reached.push({ desk, traxId: item.message.traxId, hasProduct: item.product !== null, passwords });
  };
  const inquire: Inquire = given.inquire ?? (async () => ({ outcome: "APPROVED", body: "shown", fields: NO_FIELDS }));
  const approved = {
    kind: "answered",
    outcome: "APPROVED",
    body: "paid",
    fields: null,
    isReplay: false,
    differing: [],
    isQuoted: true,
    note: null,
  } as const;
  const pay: Pay = given.pay ?? (async () => approved);
  const deps: Deps = {
    clock: systemClock,
    ids: randomIds,
    catalog: {
      current: {
        partners: new Map([["bmandiri", partner]]),
        products: PRODUCTS_BY_CODE,
        merchants: { byServiceId: new Map(), byId: new Map() },
      },
    },
    inquiries: { submit: (item) => (note("inquiry", item), inquire(item)), idle: async () => {} },
    reversals: { submit: (item) => (note("reversal", item), pay(item)), waiting: 0, idle: async () => {} },
    payments: { submit: (item) => (note("payment", item), pay(item)), waiting: 0, idle: async () => {} },
    drift: { note: (_, deviations) => drift.push(...deviations.map(({ field, kind }) => `${field} ${kind}`)) },
    onFault: (_, where) => faults.push(where),
  };
  const ask = (message: unknown, accepts: Accepts = "any") =>
    answerMessage(deps, {
      rawBody: typeof message === "string" ? message : JSON.stringify(message),
      accepts,
      sourceAddress: "192.0.2.1",
    });
  return { ask, reached, faults, drift };
}

const bodyOf = (answer: { body: string }) => JSON.parse(answer.body) as Record<string, unknown>;

describe("a message that is refused at the door", () => {
  it.each<[string, unknown, Outcome]>([
    ["no JSON", "{", "BAD_FORMAT"],
    ["nothing", "", "BAD_FORMAT"],
    ["a list", "[]", "BAD_FORMAT"],
    ["a member twice", '{"traxId":"1","traxId":"2"}', "BAD_FORMAT"],
    ["no fields", {}, "BAD_FORMAT"],
    ["a wrong field and a wrong signature", paymentMessage({ amount: "-1", signature: "0".repeat(64) }), "BAD_FORMAT"],
    ["a payment without an amount", paymentMessage({ amount: "" }), "BAD_FORMAT"],
    ["a wrong signature", paymentMessage({ signature: "0".repeat(64) }), "BAD_AUTH"],
    ["another password", paymentMessage({}, "demo-passwore"), "BAD_AUTH"],
    ["an unknown user", paymentMessage({ userName: "nobody" }), "BAD_AUTH"],
    [
      "a wrong signature and an unknown function",
      paymentMessage({ transactionType: "77", signature: "0" }),
      "BAD_AUTH",
    ],
    ["an unknown function", paymentMessage({ transactionType: "77" }), "FUNCTION_NOT_SUPPORTED"],
    ["a reversal without an amount", paymentMessage({ transactionType: "51", amount: "" }), "BAD_FORMAT"],
  ])("reaches no desk: %s", async (_, message, outcome) => {
    const { ask, reached } = host();
    const answer = await ask(message);
    expect(answer).toMatchObject({ outcome, isReplay: false });
    expect(reached).toEqual([]);
    expect(bodyOf(answer)["resultCode"]).toBe(answer.resultCode);
    expect(answer.body).not.toContain("demo-password");
  });

  it("is told apart as no JSON at all, which alone is no 200", async () => {
    const { ask } = host();
    expect(await ask("{")).toMatchObject({ isJson: false });
    expect(await ask("[]")).toMatchObject({ isJson: true });
    expect(await ask({})).toMatchObject({ isJson: true });
  });

  it("cannot be signed with the empty password of a partner that has none", async () => {
    const { ask, reached } = host({ passwords: [] });
    expect(await ask(paymentMessage({}, ""))).toMatchObject({ outcome: "BAD_AUTH", partner: null });
    expect(reached).toEqual([]);
  });

  it("is refused when its address takes only the other function", async () => {
    const { ask } = host();
    expect(await ask(paymentMessage(), "inquiry")).toMatchObject({ outcome: "FUNCTION_NOT_SUPPORTED" });
    expect(await ask(inquiryMessage(), "payment")).toMatchObject({ outcome: "FUNCTION_NOT_SUPPORTED" });
    const reversal = paymentMessage({ transactionType: "51" });
    expect(await ask(reversal, "payment")).toMatchObject({ outcome: "FUNCTION_NOT_SUPPORTED" });
    expect(await ask(reversal, "inquiry")).toMatchObject({ outcome: "FUNCTION_NOT_SUPPORTED" });
    expect(await ask(paymentMessage(), "payment")).toMatchObject({ outcome: "APPROVED" });
    expect(await ask(inquiryMessage(), "inquiry")).toMatchObject({ outcome: "APPROVED" });
  });
});

describe("a message that passes", () => {
  it("goes to its desk and comes back as the desk answered", async () => {
    const { ask, reached } = host();
    expect(await ask(inquiryMessage({ traxId: "T1" }))).toMatchObject({
      body: "shown",
      outcome: "APPROVED",
      resultCode: "00",
    });
    expect(await ask(paymentMessage({ traxId: "T2" }))).toMatchObject({
      body: "paid",
      outcome: "APPROVED",
      note: null,
    });
    expect(reached).toMatchObject([
      { desk: "inquiry", traxId: "T1" },
      { desk: "payment", traxId: "T2" },
    ]);
  });

  it("may be signed with any password that is valid now", async () => {
    const { ask } = host({ passwords: ["new", "old"] });
    expect(await ask(paymentMessage({}, "new"))).toMatchObject({ outcome: "APPROVED" });
    expect(await ask(paymentMessage({}, "old"))).toMatchObject({ outcome: "APPROVED" });
    expect(await ask(paymentMessage({}, "older"))).toMatchObject({ outcome: "BAD_AUTH" });
  });

  it.each(["020013", "999999"])(
    "comes to its desk without a product that the partner may not sell: %s",
    async (productCode) => {
      const { ask, reached } = host();
      await ask(paymentMessage({ productCode }));
      await ask(inquiryMessage({ productCode }));
      expect(reached.map(({ hasProduct }) => hasProduct)).toEqual([false, false]);
    },
  );

  it("is judged by the transactionTypes and codes of its partner", async () => {
    const dialect = { transactionTypes: { inquiry: "01", payment: "02" }, codes: { FUNCTION_NOT_SUPPORTED: "77" } };
    const { ask, reached } = host({ dialect });
    await ask(paymentMessage({ transactionType: "02" }));
    await ask(inquiryMessage({ transactionType: "01" }));
    expect(reached.map(({ desk }) => desk)).toEqual(["payment", "inquiry"]);
    expect(await ask(paymentMessage())).toMatchObject({ resultCode: "77" });
  });
});

describe("what a desk cannot say", () => {
  it.each<[string, Awaited<ReturnType<Pay>>, Record<string, unknown>]>([
    ["in process", { kind: "in-process" }, { outcome: "IN_PROCESS", resultCode: "68", retryAfterS: null }],
    ["unknown", { kind: "unknown", isOverload: false }, { outcome: "UNKNOWN", resultCode: "68", retryAfterS: null }],
    ["overloaded", { kind: "unknown", isOverload: true }, { outcome: "UNKNOWN", resultCode: "68", retryAfterS: 1 }],
  ])("about a payment is answered without a decline: %s", async (_, answered, expected) => {
    const { ask } = host({ pay: async () => answered });
    const answer = await ask(paymentMessage({ traxId: "T9" }));
    expect(answer).toMatchObject(expected);
    expect(bodyOf(answer)).toMatchObject({ traxId: "T9", customerData: {}, bit48: "" });
  });

  it("about an inquiry is unknown, and the fault is noted", async () => {
    const { ask, faults } = host({ inquire: () => Promise.reject(new Error("gone")) });
    expect(await ask(inquiryMessage())).toMatchObject({ outcome: "UNKNOWN", resultCode: "68" });
    expect(faults).toEqual(["inquiry"]);
  });

  it("about an inquiry by the deadline is unknown, and no later", async () => {
    const inquire: Inquire = async () => (await sleep(1_500), { outcome: "APPROVED", body: "late", fields: NO_FIELDS });
    const from = performance.now();
    expect(await host({ dialect: { deadlineMs: 500 }, inquire }).ask(inquiryMessage())).toMatchObject({
      outcome: "UNKNOWN",
    });
    expect(performance.now() - from).toBeLessThan(1_200);
  });

  it("of a repeat that was changed goes on as the fields that differ, and an unquoted payment as a note", async () => {
    const nothing = { kind: "answered", body: "x", fields: null, isReplay: false, note: null } as const;
    const conflict = host({
      pay: async () => ({ ...nothing, outcome: "CONFLICT", differing: ["amount"], isQuoted: true }),
    });
    expect(await conflict.ask(paymentMessage())).toMatchObject({
      outcome: "CONFLICT",
      resultCode: "94",
      differing: ["amount"],
    });
    const unquoted = host({ pay: async () => ({ ...nothing, outcome: "APPROVED", differing: [], isQuoted: false }) });
    expect((await unquoted.ask(paymentMessage())).note).toMatch(/no live quote/);
  });
});
