import { type Product, compileProduct, type ProductDefinition, PRODUCTS } from "../../src/flows";
import type { ImportedBill } from "../../src/store";
import type { TestDatabase } from "./services";

type Rule = ProductDefinition["rules"]["rule"];

/** The shipped invoice's definition with another rule; the message has room for `itemsMax` items. */
export function definitionWith(rule: Rule, itemsMax = 20): ProductDefinition {
  const invoice = PRODUCTS.find(({ productCode }) => productCode === "900001");
  if (invoice === undefined) throw new Error("the invoice does not ship");
  const copy = JSON.parse(JSON.stringify(invoice.definition)) as ProductDefinition & {
    bit61: { fields: { kind: string; min?: number }[] };
  };
  // A bill of a rule without a paid state may owe nothing.
  for (const field of copy.bit61.fields) if (field.kind === "group") field.min = 0;
  return { ...copy, rules: { ...copy.rules, rule, itemsMax } };
}

/** The same, ready for use. */
export const productWith = (rule: Rule, itemsMax = 20): Product =>
  compileProduct("991000", rule.kind, definitionWith(rule, itemsMax));

/** Stores a product past all checks, and lets every partner use it. */
export async function storeProduct(database: TestDatabase, code: string, definition: unknown): Promise<void> {
  await database.query(
    `insert into product (product_code, name, definition) values ($1, $1, $2)
     on conflict (product_code) do update set definition = excluded.definition`,
    [code, JSON.stringify(definition)],
  );
  await database.query(`update partner set product_codes = array_append(product_codes, $1)`, [code]);
}

/** A bill of such a product with these item amounts, fee 0. */
export function invoiceBill(
  productCode: string,
  billNumber: string,
  amounts: readonly bigint[],
  changes: Partial<ImportedBill> = {},
): ImportedBill {
  return {
    billKey: `${productCode}:${billNumber}`,
    productCode,
    billNumber,
    feeAmount: 0n,
    customerName: "SITI RAHAYU",
    details: { invoiceNumber: "INV-1", merchantName: "TOKO BUNGA" },
    dueAtMs: null,
    items: amounts.map((amount, index) => ({ reference: `item ${index + 1}`, amount })),
    ...changes,
  };
}
