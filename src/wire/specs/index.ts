import type { CustomerDataMapping } from "../customer-data";
import type { Layout } from "../layout";
import { bit48Adira020013, bit48Telkom001001 } from "./bit48";
import { bit61Adira020013 } from "./bit61-adira-020013";
import { bit61Telkom001001 } from "./bit61-telkom-001001";
import { customerDataAdira020013, customerDataTelkom001001 } from "./customer-data";

/** How one product looks on the wire: nothing but JSON values, ready to be stored or shipped as a file. */
export interface ProductWire {
  readonly productCode: string;
  readonly name: string;
  readonly bit61: Layout;
  readonly bit48: string;
  readonly customerData: CustomerDataMapping;
  /** The reply carries customerId beside customerData. */
  readonly isCustomerIdOutside: boolean;
}

/** Telkom, 001001. */
export const telkom001001: ProductWire = {
  productCode: "001001",
  name: "Telkom",
  bit61: bit61Telkom001001,
  bit48: bit48Telkom001001,
  customerData: customerDataTelkom001001,
  isCustomerIdOutside: false,
};

/** Adira Roda Dua, 020013. */
export const adira020013: ProductWire = {
  productCode: "020013",
  name: "Adira Roda Dua",
  bit61: bit61Adira020013,
  bit48: bit48Adira020013,
  customerData: customerDataAdira020013,
  isCustomerIdOutside: true,
};

/** Every product whose tables could be read off published samples. */
export const publishedProducts: readonly ProductWire[] = [telkom001001, adira020013];
