import { adira020013, compileCustomerData, compileLayout, compileTemplate, telkom001001 } from "../../../src/wire";
import adira from "../../vectors/adira-020013-inquiry.json";
import telkom from "../../vectors/telkom-001001-payment.json";

const telkomRecord = compileLayout(telkom001001.bit61);
const telkomData = compileCustomerData(telkom001001.customerData, telkom001001.bit61);
const adiraRecord = compileLayout(adira020013.bit61);
const adiraData = compileCustomerData(adira020013.customerData, adira020013.bit61);

const TELKOM_BODY = {
  customerId: "0021008457003",
  kodeDivre: "02",
  kodeDatel: "0001",
  jumlahBill: "3",
  items: [
    { nomorReferensi: "304A", nilaiTagihan: 10_000n },
    { nomorReferensi: "305A", nilaiTagihan: 10_000n },
    { nomorReferensi: "306A", nilaiTagihan: 10_000n },
  ],
};
const TELKOM_FULL = { ...TELKOM_BODY, customerName: "IDHAM DHIYAULHAQ HABIBI", npwp: "8825220158" };
const ADIRA_VALUES = {
  customerId: "034023110950",
  ptName: "Adira Finance",
  address: "JL MERANTI III BLOK C NO 187 0",
  customerName: "ROBI ADI SASONGKO",
  confirmationNo: "",
  licensePlate: "L5837KD",
  paymentNo: "14",
  dueDate: "10 MAY 24",
  paymentAmount: 597_000n,
  penaltyAmount: 50_000n,
  paymentTotal: 0n,
  customerType: "02",
  adminFee: 7_500n,
  minPayment: 647_000n,
  maxPayment: 647_000n,
  adminFeePart1: 3_000n,
  adminFeePart2: 1_000n,
  adminFeePart3: 3_500n,
};

describe("the published Telkom payment", () => {
  it("has a request bit61 of 134 characters that reads as the sample's values", () => {
    expect(telkom.paymentRequest.bit61).toHaveLength(134);
    expect(telkomRecord.decode(telkom.paymentRequest.bit61)).toEqual({ ok: true, values: TELKOM_FULL, hasTail: true });
  });

  it("is written back byte for byte", () => {
    expect(telkomRecord.encode(TELKOM_FULL)).toBe(telkom.paymentRequest.bit61);
  });

  it("has a response bit61 without name and tax number, which are then missing and not blank", () => {
    expect(telkom.paymentResponse.bit61).toHaveLength(89);
    expect(telkomRecord.decode(telkom.paymentResponse.bit61)).toEqual({
      ok: true,
      values: TELKOM_BODY,
      hasTail: false,
    });
  });

  it("is cut to the response's bytes, with or without values for the tail", () => {
    expect(telkomRecord.encode(TELKOM_FULL, { cut: true })).toBe(telkom.paymentResponse.bit61);
    expect(telkomRecord.encode(TELKOM_BODY, { cut: true })).toBe(telkom.paymentResponse.bit61);
  });

  it("gives the response's customerData from the response's bit61, key by key in the sample's order", () => {
    const decoded = telkomRecord.decode(telkom.paymentResponse.bit61);
    const data = decoded.ok ? telkomData(decoded.values) : null;
    expect(JSON.stringify(data)).toBe(JSON.stringify(telkom.paymentResponse.customerData));
  });

  it("fills name and tax number in customerData when bit61 carries them", () => {
    expect(telkomData(TELKOM_FULL)).toEqual({
      ...telkom.paymentResponse.customerData,
      customerName: "IDHAM DHIYAULHAQ HABIBI",
      npwp: "8825220158",
    });
  });

  it("counts bills in customerData from the newest, which stands last in bit61", () => {
    const bills = ["101A", "102A", "103A", "104A"].map((nomorReferensi, index) => ({
      nomorReferensi,
      nilaiTagihan: BigInt(index + 1),
    }));
    const values = { ...TELKOM_FULL, jumlahBill: "4", items: bills };
    const wire = telkomRecord.encode(values);
    expect(wire.indexOf("101A")).toBeLessThan(wire.indexOf("104A"));
    expect(telkomData(values)).toMatchObject({
      billInfo1: { nomorReferensi: "104A", nilaiTagihan: "4" },
      billInfo2: { nomorReferensi: "103A", nilaiTagihan: "3" },
      billInfo3: { nomorReferensi: "102A", nilaiTagihan: "2" },
      billInfo4: { nomorReferensi: "101A", nilaiTagihan: "1" },
    });
  });

  it("gets a bit48 that differs from the sample's in the name alone, where we write the customer's real one", () => {
    const template = compileTemplate(telkom001001.bit48, [...telkomRecord.scalarNames, "amount"]);
    const sample = telkom.paymentResponse.bit48;
    const nameInSample = telkom.paymentRequest.bit61.slice(43, 73).trim();
    expect(sample).toBe(`No.Telkom:0218457003;Nama:${nameInSample};Jumlah:Rp.30000`);
    expect(template.render({ ...TELKOM_FULL, amount: 30_000n })).toBe(
      "No.Telkom:0218457003;Nama:IDHAM DHIYAULHAQ HABIBI;Jumlah:Rp.30000",
    );
  });

  it("has a record of 88 characters for one bill and 272 for nine", () => {
    const bill = { nomorReferensi: "304A", nilaiTagihan: 1n };
    const widths = [1, 9].map(
      (count) =>
        telkomRecord.encode({
          ...TELKOM_FULL,
          jumlahBill: String(count),
          items: Array.from({ length: count }, () => bill),
        }).length,
    );
    expect(widths).toEqual([88, 272]);
    expect(telkomRecord.widest).toBe(272);
  });
});

describe("the published Adira inquiry", () => {
  const { bit61 } = adira.inquiryResponse;

  it("has a bit61 of 267 characters that reads as the sample's values", () => {
    expect(bit61).toHaveLength(267);
    expect(adiraRecord.decode(bit61)).toEqual({ ok: true, values: ADIRA_VALUES, hasTail: false });
  });

  it("is written back byte for byte, and cutting takes nothing off where there is no tail", () => {
    expect(adiraRecord.encode(ADIRA_VALUES)).toBe(bit61);
    expect(adiraRecord.encode(ADIRA_VALUES, { cut: true })).toBe(bit61);
  });

  it("comes back unchanged in the payment request", () => {
    expect(adiraRecord.decode(adira.paymentRequest.bit61)).toEqual({ ok: true, values: ADIRA_VALUES, hasTail: false });
  });

  it("gives the sample's customerData, key by key in the sample's order", () => {
    expect(JSON.stringify(adiraData(ADIRA_VALUES))).toBe(JSON.stringify(adira.inquiryResponse.customerData));
  });

  it("carries customerId beside customerData, as Telkom does not", () => {
    expect(adira.inquiryResponse.customerId).toBe(ADIRA_VALUES.customerId);
    expect(adira020013.isCustomerIdOutside).toBe(true);
    expect(telkom001001.isCustomerIdOutside).toBe(false);
  });

  it("has the four letters null as bit48", () => {
    const template = compileTemplate(adira020013.bit48, adiraRecord.scalarNames);
    expect(template.names).toEqual([]);
    expect(template.render(ADIRA_VALUES)).toBe(adira.inquiryResponse.bit48);
  });
});
