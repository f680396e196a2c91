import { checkProductFile, productFileJsonSchema, PRODUCTS } from "../../../src/flows";
import adira from "../../vectors/adira-020013-inquiry.json";
import widest from "../../vectors/product-990999.json";
import telkom from "../../vectors/telkom-001001-payment.json";

const shipped = (code: string) => {
  const found = PRODUCTS.find(({ productCode }) => productCode === code);
  if (found === undefined) throw new Error(`no product ${code}`);
  return JSON.parse(JSON.stringify(found)) as Record<string, unknown>;
};
const faultsOf = (content: unknown): readonly string[] => {
  const checked = checkProductFile(content);
  return checked.ok ? [] : checked.faults;
};
const withSample = (code: string, sample: unknown): unknown => ({ ...shipped(code), samples: [sample] });
const [SEVEN] = widest.samples;

describe("a product's file", () => {
  it("of the widest product is taken with its samples, and comes out as it will be stored", () => {
    const checked = checkProductFile(widest);
    expect(checked).toMatchObject({ ok: true, samples: 4, shipped: { productCode: "990999" } });
    expect(checked.ok && checked.product.layout.widest).toBe(999);
    expect(checked.ok && Object.keys(checked.shipped)).toEqual(["productCode", "name", "definition"]);
  });

  it.each<[string, unknown, string[]]>([
    ["null", null, ["(file)", "definition"]],
    ["a list", [], ["(file)", "definition"]],
    ["an empty object", {}, ["productCode", "name", "definition"]],
    ["a code too short", { ...shipped("001001"), productCode: "1001" }, ["productCode: must be six"]],
    ["a code of other signs", { ...shipped("001001"), productCode: "00100١" }, ["productCode: must be six"]],
    ["no name", { ...shipped("001001"), name: "" }, ["name"]],
    ["something more", { ...shipped("001001"), code: 1 }, ["(file)"]],
    ["samples that are none", { ...shipped("001001"), samples: {} }, ["samples"]],
    ["a sample of nothing", withSample("001001", {}), ["samples[0]: gives none of"]],
    ["a sample of more", withSample("001001", { bit61: "", bit60: "" }), ["samples[0]"]],
    [
      "a sample that asks with a bill",
      withSample("001001", { message: "paymentRequest", bill: { billNumber: "1" } }),
      ["samples[0]: a bill makes"],
    ],
    [
      "a sample with a number for an amount",
      withSample("001001", { bill: { billNumber: "1", items: [{ reference: "a", amount: 1 }] } }),
      ["samples[0].bill.items[0].amount"],
    ],
  ])("that is %s is refused", (_, content, named) => {
    const faults = faultsOf(content);
    for (const [index, name] of named.entries()) expect(faults[index]).toContain(name);
    expect(faults).toHaveLength(named.length);
  });
});

describe("samples", () => {
  it("agree where they were published", () => {
    const { bit61, customerData } = telkom.paymentResponse;
    const whole = { message: "paymentRequest", bit61: telkom.paymentRequest.bit61, values: { jumlahBill: "3" } };
    expect(faultsOf({ ...shipped("001001"), samples: [whole, { bit61, customerData }] })).toEqual([]);
    const asked = adira.inquiryResponse;
    expect(
      faultsOf(withSample("020013", { bit61: asked.bit61, bit48: asked.bit48, customerData: asked.customerData })),
    ).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ["a record that is too short", { bit61: "123" }, "samples[0]: bit61: "],
    ["a record that is one too long", { bit61: `${telkom.paymentRequest.bit61} ` }, "the record has 135 characters"],
    [
      "a sign that no record holds",
      { bit61: telkom.paymentRequest.bit61.replace("IDHAM", "IDHÁM") },
      "bit61: the character at 92",
    ],
    [
      "a record that would be written otherwise",
      { bit61: telkom.paymentRequest.bit61.replace("       10000305A", "000000010000305A").slice(0, 134) },
      "must be padding and then digits",
    ],
    [
      "another value",
      { bit61: telkom.paymentRequest.bit61, values: { kodeDivre: "03" } },
      'values.kodeDivre: expected "03", bit61 says "02"',
    ],
    [
      "another member",
      { bit61: telkom.paymentRequest.bit61, values: { items: [{ nomorReferensi: "304A", nilaiTagihan: "1" }] } },
      "values.items: expected",
    ],
    [
      "a value of no field",
      { bit61: telkom.paymentRequest.bit61, values: { kodePos: "1" } },
      "values.kodePos: there is no field",
    ],
    [
      "a member of no field",
      { bit61: telkom.paymentRequest.bit61, values: { items: [{ kodePos: "1" }] } },
      "values.items[0]: there is no field kodePos",
    ],
    ["a list for a text", { bit61: telkom.paymentRequest.bit61, values: { npwp: [] } }, "values.npwp: must be text"],
    [
      "a text for a group",
      { bit61: telkom.paymentRequest.bit61, values: { items: "" } },
      "values.items: must be a list",
    ],
    ["an amount that is none", { values: { amount: "1e3" } }, "values.amount: must be whole rupiah"],
    [
      "another bit48",
      { bit61: telkom.paymentRequest.bit61, bit48: "No.Telkom:1" },
      'bit48: differs from column 10 on: expected "1", made "0218457003;',
    ],
    [
      "other customerData",
      { bit61: telkom.paymentRequest.bit61, customerData: {} },
      'customerData.kodeDivre: expected nothing, made "02"',
    ],
    [
      "a bill that does not fit",
      {
        bill: {
          billNumber: "1".repeat(14),
          details: { kodeDivre: "02", kodeDatel: "0001" },
          items: [{ reference: "1", amount: "1" }],
        },
        bit61: telkom.paymentRequest.bit61,
      },
      "does not fit",
    ],
    [
      "a bill of nothing owed",
      {
        bill: { billNumber: "0021008457003", details: { kodeDivre: "02", kodeDatel: "0001" } },
        bit61: telkom.paymentRequest.bit61,
      },
      "must have 1 to 9 members",
    ],
    [
      "a bill that makes another text",
      {
        bill: {
          billNumber: "0021008457003",
          details: { kodeDivre: "02", kodeDatel: "0001" },
          items: [{ reference: "304A", amount: "10000" }],
        },
        bit61: telkom.paymentRequest.bit61,
      },
      "bit61: differs from column 19 on",
    ],
  ])("that have %s are reported", (_, sample, fault) => {
    const faults = faultsOf(withSample("001001", sample));
    expect(faults.join("\n")).toContain(fault);
    for (const each of faults) expect(each).toMatch(/^samples\[0\]/);
  });

  it("show a payment's own reply where the product has one", () => {
    const bill = { billNumber: "081234567890", details: { voucherSerial: "0123456789" }, paidAmount: "0" };
    const bit61 = `0081234567890${" ".repeat(18)}${"10000".padStart(12)}`;
    const samples = [
      { bill, bit61, values: { nominal: "10000" } },
      { message: "paymentReply", bill, bit61: `${bit61}0123456789      `, values: { voucherSerial: "0123456789" } },
      { message: "paymentRequest", bit61, values: { phoneNumber: "0081234567890" } },
    ];
    expect(faultsOf({ ...shipped("900002"), samples })).toEqual([]);
  });

  it("of the invoice read in English", () => {
    const bill = {
      billNumber: "9000000000017",
      customerName: "Sári Dewi",
      details: { invoiceNumber: "INV/2026/17", merchantName: "Toko Bunga Melati" },
      items: [
        { reference: "Roses", amount: "150000" },
        { reference: "Delivery", amount: "25000" },
      ],
    };
    const bit48 = "Invoice:INV/2026/17;To:Toko Bunga Melati;Name:Sari Dewi;Amount:Rp.175.000";
    const customerData = {
      customerId: "9000000000017",
      customerName: "Sari Dewi",
      invoiceNumber: "INV/2026/17",
      merchantName: "Toko Bunga Melati",
      totalAmount: "175000",
      item1: { name: "Roses", amount: "150000" },
      item2: { name: "Delivery", amount: "25000" },
    };
    expect(faultsOf(withSample("900001", { bill, bit48, customerData }))).toEqual([]);
  });

  it("are refused with signs that the product does not want transliterated", () => {
    const strict = JSON.parse(JSON.stringify(widest)) as unknown as Record<string, unknown> & {
      definition: Record<string, unknown>;
    };
    strict.definition["nonAscii"] = "refuse";
    expect(faultsOf(strict)).toEqual([]);
    const bill = { ...SEVEN?.bill, customerName: "Šárka" };
    expect(faultsOf({ ...strict, samples: [{ bill }] })).toEqual([expect.stringContaining("not printable ASCII")]);
  });
});

describe("the published JSON Schema", () => {
  it("is JSON, and knows the file's own parts", () => {
    const schema = JSON.parse(JSON.stringify(productFileJsonSchema())) as Record<string, unknown>;
    expect(schema).toMatchObject({ $schema: "https://json-schema.org/draft/2020-12/schema", type: "object" });
    expect(Object.keys(schema["properties"] as object)).toEqual([
      "$schema",
      "productCode",
      "name",
      "definition",
      "samples",
    ]);
    expect(schema["required"]).toEqual(["productCode", "name", "definition"]);
  });
});
