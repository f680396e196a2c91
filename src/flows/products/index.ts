import type { ShippedProduct } from "../product-definition";
import { adira020013 } from "./adira-020013";
import { telkom001001 } from "./telkom-001001";

/** The products that ship with the host, ready to be stored and served. */
export const PRODUCTS: readonly ShippedProduct[] = [telkom001001, adira020013];
