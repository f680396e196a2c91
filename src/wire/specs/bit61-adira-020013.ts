import type { Layout } from "../layout";

/**
 * bit61 of Adira Roda Dua (020013): 267 columns, padded with spaces throughout; amounts and contract number stand on
 * the right. Where a width is marked inferred, the column's start is certain (a value stands there in the sample) and its
 * end is not, because blanks follow.
 * Source: read off the published inquiry sample, matched with its customerData.
 */
export const bit61Adira020013: Layout = {
  name: "bit61 Adira 020013",
  source: "docs.finpay.id, Developer Tools, Payload Example (Adira Roda Dua): the sample, byte for byte",
  width: 267,
  fields: [
    { kind: "text", name: "customerId", width: 20, align: "right", note: "contract number" },
    { kind: "text", name: "ptName", width: 25, overflow: "cut" },
    { kind: "text", name: "address", width: 40, overflow: "cut", inferred: true, note: "30 to 40 columns" },
    { kind: "text", name: "customerName", width: 30, overflow: "cut", inferred: true, note: "17 to 45 columns" },
    {
      kind: "text",
      name: "confirmationNo",
      width: 15,
      inferred: true,
      note: "blank in the sample; may as well stand before the name or beside the plate",
    },
    { kind: "text", name: "licensePlate", width: 14, inferred: true, note: "7 to 14 columns" },
    { kind: "text", name: "paymentNo", width: 3, note: "instalment number" },
    { kind: "text", name: "dueDate", width: 10, note: "as in 10 MAY 24" },
    { kind: "rupiah", name: "paymentAmount", width: 12 },
    { kind: "rupiah", name: "penaltyAmount", width: 12 },
    { kind: "rupiah", name: "paymentTotal", width: 12, note: "0 in the sample" },
    { kind: "text", name: "customerType", width: 2, note: "02 in the sample" },
    { kind: "rupiah", name: "adminFee", width: 12 },
    { kind: "rupiah", name: "minPayment", width: 12 },
    { kind: "rupiah", name: "maxPayment", width: 12 },
    { kind: "rupiah", name: "adminFeePart1", width: 12, inferred: true, note: "unnamed; the three add up to adminFee" },
    { kind: "rupiah", name: "adminFeePart2", width: 12, inferred: true, note: "unnamed" },
    { kind: "rupiah", name: "adminFeePart3", width: 12, inferred: true, note: "unnamed" },
  ],
};
