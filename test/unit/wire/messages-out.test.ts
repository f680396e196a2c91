import { decodeRequest, encodeReply, type SwitchReply } from "../../../src/wire";
import adira from "../../vectors/adira-020013-inquiry.json";
import telkom from "../../vectors/telkom-001001-payment.json";

const PAYMENT: Readonly<Record<string, unknown>> = telkom.paymentRequest;
const PAYMENT_ECHO = {
  productCode: "001001",
  terminal: "T0800004",
  transactionType: "50",
  amountText: "000000030000",
  feeAmountText: "5000",
  bit61: telkom.paymentRequest.bit61,
  traxId: "64569131293",
  timeStamp: "20-03-2023 10: 40: 40",
};

describe("the echo of a request that cannot be understood", () => {
  const ECHOED = [
    ["productCode", "productCode"],
    ["terminal", "terminal"],
    ["transactionType", "transactionType"],
    ["amount", "amountText"],
    ["feeAmount", "feeAmountText"],
    ["bit61", "bit61"],
    ["traxId", "traxId"],
    ["timeStamp", "timeStamp"],
  ] as const;

  it("holds the fields that are well-formed", () => {
    const decoded = decodeRequest({ ...PAYMENT, billNumber: "%" });
    expect(decoded.ok ? null : decoded.echo).toEqual(PAYMENT_ECHO);
  });

  it.each(ECHOED)("leaves out %s when that is not well-formed", (name, echoed) => {
    for (const value of ["<script>\n", 5, null, undefined, "x".repeat(2_000)]) {
      const decoded = decodeRequest({ ...PAYMENT, [name]: value });
      expect(decoded.ok ? null : decoded.echo).toEqual({ ...PAYMENT_ECHO, [echoed]: "" });
    }
  });

  it("is empty for an empty message", () => {
    const decoded = decodeRequest({});
    expect(decoded.ok ? null : decoded.echo).toEqual(Object.fromEntries(ECHOED.map(([, echoed]) => [echoed, ""])));
  });
});

describe("a reply", () => {
  const { customerId, ...ADIRA } = { ...adira.inquiryResponse } satisfies SwitchReply;

  it("has its keys in the order of the published payment sample, whatever order it is given in", () => {
    const given = Object.fromEntries(Object.entries(telkom.paymentResponse).toReversed()) as unknown as SwitchReply;
    expect(encodeReply(given)).toBe(JSON.stringify(telkom.paymentResponse));
  });

  it("has customerId behind customerData, and no such key when there is none", () => {
    const [withId, withoutId] = [encodeReply({ ...ADIRA, customerId }), encodeReply(ADIRA)];
    expect(JSON.parse(withId)).toEqual(adira.inquiryResponse);
    expect(Object.keys(JSON.parse(withId) as object).slice(0, 4)).toEqual([
      "bit61",
      "customerData",
      "customerId",
      "resultCode",
    ]);
    expect(Object.keys(JSON.parse(withoutId) as object)).toEqual(Object.keys(telkom.paymentResponse));
  });

  it("has nothing that a reply does not have", () => {
    const reply = { ...ADIRA, password: "s3cret" } as SwitchReply;
    expect(encodeReply(reply)).toBe(encodeReply(ADIRA));
  });
});
