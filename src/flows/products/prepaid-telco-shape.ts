import type { Layout } from "../../wire";
import type { ShippedProduct } from "../product-schema";

/** Columns 0 to 42. Between the number and the amount stand 18 columns that nobody has described. */
const REQUEST: Layout["fields"] = [
  { kind: "digits", name: "phoneNumber", width: 13, inferred: true, note: "padded with zeros" },
  {
    kind: "text",
    name: "undescribed",
    width: 18,
    inferred: true,
    note: "columns 13 to 30: what they hold is not known",
  },
  { kind: "rupiah", name: "nominal", width: 12, inferred: true, note: "columns 31 to 42, padding not known" },
];
const SOURCE = "a shape seen in client code for several prepaid products; no published table";

/**
 * The shape that prepaid telephone credit has in client code: number, amount, voucher serial. It is no published product:
 * where columns stand is known, most of the rest is inferred and marked so. The code is an example, and a real product is
 * loaded under its own.
 */
export const prepaidTelcoShape: ShippedProduct = {
  productCode: "900002",
  name: "Prepaid telco shape (not a published product)",
  definition: {
    rules: {
      billNumber: { minLength: 10, maxLength: 13 },
      rule: { kind: "static", minAmount: "5000", maxAmount: "1000000", shownAmount: "10000" },
      feeAmount: "0",
      feeBelongsTo: "switch",
      itemsMax: 1,
    },
    bit61: {
      inquiryReply: { name: "bit61 prepaid telco shape", source: SOURCE, fields: REQUEST },
      paymentReply: {
        name: "bit61 prepaid telco shape, paid",
        source: SOURCE,
        fields: [
          ...REQUEST,
          {
            kind: "text",
            name: "voucherSerial",
            width: 16,
            inferred: true,
            note: "from column 43; its width is not known",
          },
        ],
      },
    },
    bit48: "",
    customerData: [
      { name: "phoneNumber", from: "phoneNumber" },
      { name: "nominal", from: "nominal" },
      { name: "voucherSerial", from: "voucherSerial", whenBlank: "absent" },
    ],
    isCustomerIdOutside: false,
    values: {
      phoneNumber: "billNumber",
      undescribed: { text: "" },
      nominal: "amount",
      voucherSerial: "details.voucherSerial",
    },
  },
};
