import { decodeRequest, type DecodedRequest } from "../../../src/wire";
import adira from "../../vectors/adira-020013-inquiry.json";
import telkom from "../../vectors/telkom-001001-payment.json";

const PAYMENT: Readonly<Record<string, unknown>> = telkom.paymentRequest;
const INQUIRY: Readonly<Record<string, unknown>> = {
  ...adira.inquiryRequest,
  userName: "bank",
  signature: "0".repeat(64),
  traxId: "1718091972319",
  timeStamp: "11-06-2024 14:46:12:+07:00",
};

function without(message: Readonly<Record<string, unknown>>, ...names: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(message).filter(([name]) => !names.includes(name)));
}

function faultsOf(decoded: DecodedRequest): string[] {
  return decoded.ok ? [] : decoded.faults.map(({ field, problem }) => `${field} ${problem}`);
}

const ALWAYS = [
  "userName",
  "signature",
  "productCode",
  "channel",
  "terminal",
  "transactionType",
  "billNumber",
  "traxId",
  "timeStamp",
];
const MONEY = ["amount", "feeAmount", "bit61"];
const NEVER = ["terminalName", "terminalLocation", "addInfo1", "addInfo2", "addInfo3"];
const ALL = [...ALWAYS, ...MONEY, ...NEVER];

describe("a published request", () => {
  it("for a payment gives every text as received and amounts as whole rupiah", () => {
    const { amount: _amount, feeAmount: _fee, ...texts } = telkom.paymentRequest;
    expect(decodeRequest(PAYMENT)).toEqual({
      ok: true,
      message: {
        ...{ ...texts, amountText: "000000030000", feeAmountText: "5000", amount: 30_000n, feeAmount: 5_000n },
        ...{ terminalField: "terminal", unknownFields: [] },
      },
    });
  });

  it("for an inquiry gives zeros as amounts, and empty texts for what it leaves out", () => {
    expect(decodeRequest(INQUIRY)).toMatchObject({
      ok: true,
      message: { amount: 0n, feeAmount: 0n, bit61: "034023110950", addInfo1: "", addInfo2: "", addInfo3: "" },
    });
  });

  it("of Adira's payment is taken too", () => {
    const request = { ...INQUIRY, ...without(adira.paymentRequest, "userName", "signature", "traxId", "timeStamp") };
    expect(decodeRequest(request)).toMatchObject({
      ok: true,
      message: { amount: 647_000n, feeAmount: 0n, bit61: adira.inquiryResponse.bit61 },
    });
  });

  it("is not taken with its placeholders for traxId and signature", () => {
    expect(faultsOf(decodeRequest(adira.inquiryRequest))).toEqual([
      "signature must be letters and digits only",
      "traxId must be letters, digits, dots, dashes and underscores only",
    ]);
  });

  it("may carry fields that are not known, of any kind", () => {
    const decoded = decodeRequest({ ...PAYMENT, extra: { deep: [1] }, é: null });
    const plain = decodeRequest(PAYMENT);
    if (!plain.ok) throw new Error("the sample is not understood");
    expect(decoded).toEqual({ ok: true, message: { ...plain.message, unknownFields: ["extra", "é"] } });
  });

  it("names at most twenty fields that are not known, and no more of a name than forty characters", () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`${n}`.padStart(300, "x"), 1]));
    const decoded = decodeRequest({ ...PAYMENT, ...many });
    if (!decoded.ok) throw new Error("unknown fields are no reason to refuse");
    expect(decoded.message.unknownFields).toHaveLength(20);
    expect(new Set(decoded.message.unknownFields.map((name) => name.length))).toEqual(new Set([40]));
  });

  it("may call the terminal by its ISO 8583 number, but not by both names differently", () => {
    const { terminal, ...rest } = PAYMENT as Record<string, unknown>;
    expect(decodeRequest({ ...rest, bit41: terminal })).toMatchObject({
      ok: true,
      message: { terminal, terminalField: "bit41" },
    });
    expect(decodeRequest({ ...PAYMENT, bit41: terminal })).toMatchObject({
      ok: true,
      message: { terminalField: "terminal" },
    });
    expect(faultsOf(decodeRequest({ ...PAYMENT, bit41: "T0800005" }))).toEqual(["bit41 differs from terminal"]);
    expect(faultsOf(decodeRequest({ ...rest, bit41: 7 }))).toEqual(["terminal must be text"]);
  });

  it("leaves its money out when its transactionType is that of an inquiry, whichever that is", () => {
    const { amount: _a, feeAmount: _f, bit61: _b, ...rest } = PAYMENT as Record<string, unknown>;
    expect(decodeRequest({ ...rest, transactionType: "30" }, "30").ok).toBe(true);
    expect(faultsOf(decodeRequest({ ...rest, transactionType: "38" }, "30"))).toHaveLength(3);
  });
});

describe("a field of a request", () => {
  it.each(ALL)("%s must be text", (name) => {
    for (const value of [7, null, ["x"], { x: "x" }, true, 1n]) {
      expect(faultsOf(decodeRequest({ ...PAYMENT, [name]: value }))).toEqual([`${name} must be text`]);
    }
  });

  it.each([...ALWAYS, ...MONEY])("%s may not be missing from a payment", (name) => {
    expect(faultsOf(decodeRequest(without(PAYMENT, name)))).toEqual([`${name} is missing`]);
    expect(faultsOf(decodeRequest({ ...PAYMENT, [name]: undefined }))).toEqual([`${name} is missing`]);
  });

  it.each(ALWAYS.filter((name) => name !== "transactionType"))("%s may not be missing from an inquiry", (name) => {
    expect(faultsOf(decodeRequest(without(INQUIRY, name)))).toEqual([`${name} is missing`]);
  });

  it.each(NEVER)("%s may be missing or empty", (name) => {
    expect(decodeRequest(without(PAYMENT, name))).toMatchObject({ ok: true, message: { [name]: "" } });
    expect(decodeRequest({ ...PAYMENT, [name]: "" })).toMatchObject({ ok: true, message: { [name]: "" } });
  });

  it.each<[string, number, number]>([
    ["userName", 1, 100],
    ["signature", 1, 128],
    ["terminalName", 0, 20],
    ["terminalLocation", 0, 30],
    ["billNumber", 1, 20],
    ["bit61", 1, 999],
    ["traxId", 1, 32],
    ["timeStamp", 1, 32],
    ["addInfo1", 0, 50],
    ["addInfo2", 0, 100],
    ["addInfo3", 0, 999],
    ["amount", 1, 12],
    ["feeAmount", 1, 12],
  ])("%s has %d to %d characters", (name, min, max) => {
    const fault = `${name} must have ${min} to ${max} characters`;
    expect(faultsOf(decodeRequest({ ...PAYMENT, [name]: "1".repeat(max) }))).toEqual([]);
    expect(faultsOf(decodeRequest({ ...PAYMENT, [name]: "1".repeat(max + 1) }))).toEqual([fault]);
    expect(faultsOf(decodeRequest({ ...PAYMENT, [name]: "1".repeat(min) }))).toEqual([]);
    expect(faultsOf(decodeRequest({ ...PAYMENT, [name]: "" }))).toEqual(min === 0 ? [] : [fault]);
  });

  it.each<[string, number]>([
    ["productCode", 6],
    ["channel", 4],
    ["terminal", 8],
    ["transactionType", 2],
  ])("%s has exactly %d characters, neither more nor fewer", (name, width) => {
    for (const length of [0, width - 1, width + 1, 1000]) {
      expect(faultsOf(decodeRequest({ ...PAYMENT, [name]: "5".repeat(length) }))).toEqual([
        `${name} must have exactly ${width} characters`,
      ]);
    }
    expect(decodeRequest({ ...PAYMENT, [name]: "5".repeat(width) }).ok).toBe(true);
  });

  it.each(ALL)("%s may hold nothing but printable ASCII", (name) => {
    const given = PAYMENT[name] as string;
    const good = given === "" ? "x" : given;
    for (const bad of ["é", "\0", "\n", "\t", "\u007f", "\ud800", "１", "\u2028"]) {
      expect(faultsOf(decodeRequest({ ...PAYMENT, [name]: good.slice(0, -1) + bad }))).toEqual([
        `${name} must be printable ASCII`,
      ]);
    }
  });

  const DIGITS_ONLY = "must be digits only";
  const ALPHANUMERIC = "must be letters and digits only";
  const AMOUNT = "must be whole rupiah, one to twelve digits";
  it.each<[string, string, string]>([
    ["signature", "d51214350d06ab52-f94beabe75b3f6e", ALPHANUMERIC],
    ["productCode", "00 001", ALPHANUMERIC],
    ["channel", "60.7", ALPHANUMERIC],
    ["transactionType", "5x", DIGITS_ONLY],
    ["transactionType", " 5", DIGITS_ONLY],
    ["billNumber", "00210084570 3", ALPHANUMERIC],
    ["billNumber", "%", ALPHANUMERIC],
    ["amount", "30000.00", AMOUNT],
    ["amount", "-30000", AMOUNT],
    ["amount", "1e3", AMOUNT],
    ["amount", "0x10", AMOUNT],
    ["amount", " 30000", AMOUNT],
    ["feeAmount", "5.000", AMOUNT],
    ["feeAmount", " ", AMOUNT],
    ["traxId", "1 2", "must be letters, digits, dots, dashes and underscores only"],
    ["traxId", "1:2", "must be letters, digits, dots, dashes and underscores only"],
  ])("%s may not be %j", (name, value, problem) => {
    expect(faultsOf(decodeRequest({ ...PAYMENT, [name]: value }))).toEqual([`${name} ${problem}`]);
  });

  it.each<[string, string]>([
    ["userName", "a bank & co."],
    ["terminal", "T1      "],
    ["terminal", "        "],
    ["billNumber", "AB12"],
    ["traxId", "a.b-c_D9"],
    ["bit61", " "],
    ["timeStamp", "no time stamp at all"],
  ])("%s may be %j", (name, value) => {
    expect(decodeRequest({ ...PAYMENT, [name]: value })).toMatchObject({ ok: true, message: { [name]: value } });
  });

  it("counts only when it is the message's own", () => {
    const inherited = Object.assign(Object.create({ billNumber: "1" }) as object, without(PAYMENT, "billNumber"));
    expect(faultsOf(decodeRequest(inherited as Record<string, unknown>))).toEqual(["billNumber is missing"]);
  });
});

describe("the money of a request", () => {
  it.each(MONEY)("%s may be missing from an inquiry, or empty", (name) => {
    const textName = name === "bit61" ? "bit61" : `${name}Text`;
    const expected = { ok: true, message: { [textName]: "", ...(name === "bit61" ? {} : { [name]: null }) } };
    expect(decodeRequest(without(INQUIRY, name))).toMatchObject(expected);
    expect(decodeRequest({ ...INQUIRY, [name]: "" })).toMatchObject(expected);
  });

  it.each(["50", "51", "99"])("may not be missing from transactionType %s", (transactionType) => {
    const message = { ...without(PAYMENT, ...MONEY), transactionType };
    expect(faultsOf(decodeRequest(message))).toEqual(MONEY.map((name) => `${name} is missing`));
  });

  it("is checked in an inquiry that carries it", () => {
    expect(faultsOf(decodeRequest({ ...INQUIRY, amount: "1.5", bit61: 5 }))).toEqual([
      "amount must be whole rupiah, one to twelve digits",
      "bit61 must be text",
    ]);
  });
});

describe("a request with several faults", () => {
  it("has all of them reported at once, in the table's order", () => {
    expect(faultsOf(decodeRequest({}))).toEqual(
      [
        "userName",
        "signature",
        "productCode",
        "channel",
        "terminal",
        "transactionType",
        "billNumber",
        ...MONEY,
        "traxId",
        "timeStamp",
      ].map((name) => `${name} is missing`),
    );
    expect(
      faultsOf(decodeRequest({ ...without(PAYMENT, "userName"), amount: 1, terminal: "x", addInfo1: "é" })),
    ).toEqual([
      "userName is missing",
      "terminal must have exactly 8 characters",
      "amount must be text",
      "addInfo1 must be printable ASCII",
    ]);
  });

  it("does not report values", () => {
    const decoded = decodeRequest({ ...PAYMENT, billNumber: "s3cret!", traxId: "s3cret!" });
    expect(decoded.ok ? "" : JSON.stringify(decoded.faults)).toMatch(/^(?!.*s3cret)\[.+\]$/);
  });
});
