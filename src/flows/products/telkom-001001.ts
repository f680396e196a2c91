import { bit48Telkom, bit61Telkom, customerDataTelkom } from "../../wire";
import type { ProductDefinition } from "../product-definition";

/**
 * Telkom fixed line and IndiHome, productCode 001001: everything owed is paid at once; the message holds nine items.
 * The wire's part is read off the published sample; fee and its owner are the demo's.
 */
export const telkom001001: ProductDefinition = {
  rules: {
    billNumber: { minLength: 13, maxLength: 13 },
    rule: { kind: "closed" },
    feeAmount: "5000",
    feeBelongsTo: "biller",
    itemsMax: 9,
  },
  bit61: bit61Telkom,
  bit48: bit48Telkom,
  customerData: customerDataTelkom,
  values: {
    customerId: "billNumber",
    kodeDivre: "details.kodeDivre",
    kodeDatel: "details.kodeDatel",
    jumlahBill: "itemCount",
    items: { each: "items", fields: { nomorReferensi: "reference", nilaiTagihan: "amount" } },
    customerName: "customerName",
    npwp: "details.npwp",
  },
};
