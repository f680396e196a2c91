import type { Layout } from "../layout";

/**
 * bit61 of Telkom (001001): 20 columns, then 23 for each bill, then 45 that some messages leave off; 134 for three bills.
 * Bills stand on the wire with the oldest first, one to nine of them; customerData counts them the other way round.
 * Source: read off the published payment sample, every column padded again and compared.
 */
export const bit61Telkom001001: Layout = {
  name: "bit61 Telkom 001001",
  source: "docs.finpay.id, Finpay Billing, Core API, Billing Payment: the sample, byte for byte",
  fields: [
    { kind: "digits", name: "customerId", width: 13, note: "area code 4, telephone number 9" },
    { kind: "digits", name: "kodeDivre", width: 2 },
    { kind: "digits", name: "kodeDatel", width: 4 },
    { kind: "digits", name: "jumlahBill", width: 1, note: "number of bills" },
    {
      kind: "group",
      name: "items",
      count: "jumlahBill",
      max: 9,
      order: "as-listed",
      note: "slot 1 is the oldest bill; values list the oldest first as well",
      fields: [
        { kind: "text", name: "nomorReferensi", width: 11, note: "year digit, month, letter: 304A is April 2023" },
        { kind: "rupiah", name: "nilaiTagihan", width: 12 },
      ],
    },
  ],
  tail: [
    { kind: "text", name: "customerName", width: 30, overflow: "cut" },
    { kind: "text", name: "npwp", width: 15, note: "tax number" },
  ],
};
