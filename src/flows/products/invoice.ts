import type { ShippedProduct } from "../product-schema";

/**
 * Bills that merchants make: everything owed is paid at once. The code and the layout are ours, an example to start from;
 * nothing of it is published by the switch.
 */
export const invoice: ShippedProduct = {
  productCode: "900001",
  name: "Invoice",
  definition: {
    rules: {
      billNumber: { minLength: 13, maxLength: 13 },
      rule: { kind: "closed" },
      feeAmount: "0",
      feeBelongsTo: "biller",
      accounts: { collections: "merchant-payable", fee: "fee-earned" },
      itemsMax: 20,
    },
    bit61: {
      name: "bit61 invoice",
      source: "our own: no published product",
      fields: [
        { kind: "digits", name: "billNumber", width: 13 },
        { kind: "text", name: "invoiceNumber", width: 20, note: "the merchant's own number" },
        { kind: "text", name: "merchantName", width: 30, overflow: "cut" },
        { kind: "text", name: "customerName", width: 30, overflow: "cut" },
        { kind: "text", name: "description", width: 50, overflow: "cut" },
        { kind: "rupiah", name: "totalAmount", width: 12 },
        { kind: "digits", name: "itemCount", width: 2 },
        {
          kind: "group",
          name: "items",
          count: "itemCount",
          max: 20,
          order: "as-listed",
          fields: [
            { kind: "text", name: "reference", width: 20, overflow: "cut" },
            { kind: "rupiah", name: "amount", width: 12 },
          ],
        },
      ],
    },
    bit48: "Invoice:{invoiceNumber};To:{merchantName};Name:{customerName};Amount:Rp.{totalAmount|grouped}",
    customerData: [
      { name: "customerId", from: "billNumber" },
      { name: "customerName", from: "customerName" },
      { name: "invoiceNumber", from: "invoiceNumber" },
      { name: "merchantName", from: "merchantName" },
      { name: "description", from: "description", whenBlank: "absent" },
      { name: "totalAmount", from: "totalAmount" },
      {
        each: "items",
        name: "item{n}",
        order: "as-listed",
        fields: [
          { name: "name", from: "reference" },
          { name: "amount", from: "amount" },
        ],
      },
    ],
    isCustomerIdOutside: false,
    values: {
      billNumber: "billNumber",
      invoiceNumber: "details.invoiceNumber",
      merchantName: "details.merchantName",
      customerName: "customerName",
      description: "details.description",
      totalAmount: "amount",
      itemCount: "itemCount",
      items: { each: "items", fields: { reference: "reference", amount: "amount" } },
    },
  },
};
