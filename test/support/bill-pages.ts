import { createBilling, PRODUCTS } from "../../src/flows";
import { createSecretBox, randomIds, systemClock } from "../../src/platform";
import { readMerchants, saveProduct } from "../../src/store";
import { catalogOf, fill, inquiryMessage, paymentMessage, TEST_KEYS, testDb, transact } from "./builders";
import type { Reply } from "./host";
import { addMerchant, billingRequest } from "./merchants";
import type { TestDatabase } from "./services";

/** Products of the rules that a bill's page shows, beside the shipped ones: paid at once, and a number that lives on. */
const RULES: Readonly<Record<string, unknown>> = {
  "900012": { kind: "part", minAmount: "10000" },
  "900013": { kind: "open", minAmount: "5000", maxAmount: "2000000", shownAmount: "50000" },
  "900014": { kind: "minmax", minAmount: "20000", maxAmount: "40000" },
};
export const INVOICE = "900001";
const STATIC = "900003";

/** A bill with a link, and what the switch needs to pay it. */
export interface PagedBill {
  readonly billKey: string;
  readonly productCode: string;
  readonly paymentCode: string;
  readonly linkCode: string;
}

/** The partner, a merchant and products of every rule. */
export async function fillForPages(database: TestDatabase, merchant: { name?: string } = {}): Promise<void> {
  await fill(database, []);
  const db = testDb(database.ownerUrl, 1);
  const invoice = PRODUCTS.find(({ productCode }) => productCode === INVOICE);
  if (invoice === undefined) throw new Error("no invoice among the shipped products");
  await transact(db, async (tx) => {
    for (const [productCode, rule] of Object.entries(RULES)) {
      const definition = definitionWith(invoice.definition, rule);
      await saveProduct(tx, { productCode, name: `Invoice ${productCode}`, definition });
    }
  });
  await db.close();
  await database.query(`update partner set product_codes = product_codes || $1::text[]`, [Object.keys(RULES)]);
  await addMerchant(database, merchant);
}

/** The invoice under another rule; its messages may also show no item, as numbers that live on have none at times. */
function definitionWith(given: unknown, rule: unknown): unknown {
  const invoice = given as { rules: object; bit61: { fields: { kind: string }[] } };
  const fields = invoice.bit61.fields.map((field) => (field.kind === "group" ? { ...field, min: 0 } : field));
  return { ...invoice, rules: { ...invoice.rules, rule }, bit61: { ...invoice.bit61, fields } };
}

/** Creates a bill the way merchants do, of any product. */
export async function createPagedBill(
  database: TestDatabase,
  changes: Record<string, unknown> = {},
  productCode = INVOICE,
): Promise<PagedBill> {
  const db = testDb(database.appUrl, 1);
  try {
    const [merchant] = await transact(db, (tx) => readMerchants(tx, createSecretBox(TEST_KEYS)));
    if (merchant === undefined) throw new Error("no merchant");
    const { products } = await catalogOf(db);
    const deps = {
      ...{ db, clock: systemClock, ids: randomIds, products: () => products, sendsMail: false },
      ...{ productCode, staticProductCode: STATIC, publicUrl: "https://bills.example.com" },
    };
    const created = await createBilling(deps, merchant, billingRequest(changes));
    if (created.response_code !== "00") throw new Error(created.response_message);
    const linkCode = String(created["billing_url"]).split("/").at(-1) ?? "";
    const staticNumber = changes["static_va_no"] as string | undefined;
    const code = staticNumber === undefined ? productCode : STATIC;
    const paymentCode = staticNumber ?? String(created["billing_id"]);
    return { billKey: `${code}:${paymentCode}`, productCode: code, paymentCode, linkCode };
  } finally {
    await db.close();
  }
}

/** Inquires and pays as the switch does, signed; all that is shown, or another amount. */
export async function payBill(
  host: { send(message: unknown): Promise<Reply> },
  { productCode, paymentCode }: PagedBill,
  otherAmount?: string,
): Promise<Reply> {
  const common = { productCode, billNumber: paymentCode };
  const { fields } = await host.send(inquiryMessage({ ...common, bit61: paymentCode }));
  const { amount, feeAmount, bit61 } = fields as { amount: string; feeAmount: string; bit61: string };
  return host.send(paymentMessage({ ...common, amount: otherAmount ?? amount, feeAmount, bit61 }));
}
