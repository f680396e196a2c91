import { compileLayout, type CompiledLayout, publishedProducts } from "../../wire";
import type { ColumnReport } from "./report";

/** The layout of a product's bit61, for the products whose tables are published; null for others. */
export function layoutOf(productCode: string): CompiledLayout | null {
  const product = publishedProducts.find((each) => each.productCode === productCode);
  return product === undefined ? null : compileLayout(product.bit61);
}

/** A bit61 column by column. */
export function columnsOf(layout: CompiledLayout, bit61: string): ColumnReport[] {
  return layout.trace(bit61).map(({ name, offset, width, raw, problem }) => ({ name, offset, width, raw, problem }));
}

/** A bit61 without the columns that may be absent; null when the layout has none, or they are not there. */
export function withoutTail(layout: CompiledLayout | null, bit61: string): string | null {
  if (layout === null || layout.tailWidth === 0) return null;
  const decoded = layout.decode(bit61);
  return decoded.ok && decoded.hasTail ? bit61.slice(0, -layout.tailWidth) : null;
}
