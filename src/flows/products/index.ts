import type { ShippedProduct } from "../product-schema";
import { adira020013 } from "./adira-020013";
import { invoice } from "./invoice";
import { invoiceStatic } from "./invoice-static";
import { prepaidTelcoShape } from "./prepaid-telco-shape";
import { telkom001001 } from "./telkom-001001";

/** The products that ship with the host, ready to be stored and served. */
export const PRODUCTS: readonly ShippedProduct[] = [
  telkom001001,
  adira020013,
  invoice,
  prepaidTelcoShape,
  invoiceStatic,
];
