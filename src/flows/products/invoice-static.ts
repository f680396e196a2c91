import { type ShippedProduct } from "../product-schema";
import { invoice } from "./invoice";

const { definition } = invoice;

/**
 * Static numbers that merchants give their customers: paid again and again, each payment under a traxId of its own. The
 * message is the invoice's, with sixteen digits for the number and no item once nothing is owed. What an inquiry shows
 * then is the bill's own total. The code and the layout are ours, as the invoice's are.
 */
export const invoiceStatic: ShippedProduct = {
  productCode: "900003",
  name: "Invoice on a static number",
  definition: {
    ...definition,
    rules: {
      ...definition.rules,
      billNumber: { minLength: 16, maxLength: 16 },
      rule: { kind: "static", minAmount: "1", maxAmount: "999999999999", shownAmount: { detail: "shownAmount" } },
    },
    bit61: {
      name: "bit61 invoice on a static number",
      source: "our own: no published product",
      fields: [
        { kind: "digits", name: "billNumber", width: 16 },
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
          min: 0,
          max: 20,
          order: "as-listed",
          fields: [
            { kind: "text", name: "reference", width: 20, overflow: "cut" },
            { kind: "rupiah", name: "amount", width: 12 },
          ],
        },
      ],
    },
  },
};
