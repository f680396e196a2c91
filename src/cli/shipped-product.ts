import { PRODUCTS } from "../flows";
import type { Tx } from "../platform";
import { readProducts, recordOperatorAction, saveProduct } from "../store";
import { operatorName } from "./operator-name";

/** Stores products that come with this host, but for codes that are stored: what is there is an operator's, and stays. */
export async function saveShippedProducts(tx: Tx, productCodes: readonly string[]): Promise<void> {
  const stored = new Set((await readProducts(tx)).map(({ productCode }) => productCode));
  const missing = PRODUCTS.filter(({ productCode }) => productCodes.includes(productCode) && !stored.has(productCode));
  for (const product of missing) {
    await saveProduct(tx, product);
    const { productCode, name, definition } = product;
    await recordOperatorAction(tx, {
      ...{ actor: operatorName(), action: "product.load", object: `product:${productCode}` },
      ...{ after: JSON.parse(JSON.stringify({ name, definition })) as unknown, detail: "as it comes with the host" },
    });
  }
}
