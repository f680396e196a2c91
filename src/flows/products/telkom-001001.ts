import { telkom001001 as wire } from "../../wire";
import type { ShippedProduct } from "../product-schema";

/**
 * Telkom fixed line and IndiHome: everything owed is paid at once; a message holds nine items. The wire's part is read
 * off the published sample; the fee and whose it is are the demo's.
 */
export const telkom001001: ShippedProduct = {
  productCode: wire.productCode,
  name: wire.name,
  definition: {
    rules: {
      billNumber: { minLength: 13, maxLength: 13 },
      rule: { kind: "closed" },
      feeAmount: "5000",
      feeBelongsTo: "biller",
      itemsMax: 9,
    },
    bit61: wire.bit61,
    bit48: wire.bit48,
    customerData: wire.customerData,
    isCustomerIdOutside: wire.isCustomerIdOutside,
    values: {
      customerId: "billNumber",
      kodeDivre: "details.kodeDivre",
      kodeDatel: "details.kodeDatel",
      jumlahBill: "itemCount",
      items: { each: "items", fields: { nomorReferensi: "reference", nilaiTagihan: "amount" } },
      customerName: "customerName",
      npwp: "details.npwp",
    },
  },
};
