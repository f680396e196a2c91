import { adira020013 as wire } from "../../wire";
import type { ShippedProduct } from "../product-schema";

/**
 * Adira motorcycle loans: one instalment with its penalty, paid at once. The wire's part is read off the published sample,
 * where paymentTotal is 0 and both limits equal the amount; widths that were inferred are marked in the layout.
 */
export const adira020013: ShippedProduct = {
  productCode: wire.productCode,
  name: wire.name,
  definition: {
    rules: {
      billNumber: { minLength: 12, maxLength: 12 },
      rule: { kind: "closed" },
      feeAmount: "0",
      feeBelongsTo: "biller",
      itemsMax: 1,
    },
    bit61: wire.bit61,
    bit48: wire.bit48,
    customerData: wire.customerData,
    isCustomerIdOutside: wire.isCustomerIdOutside,
    values: {
      customerId: "billNumber",
      ptName: { text: "Adira Finance" },
      address: "details.address",
      customerName: "customerName",
      confirmationNo: "details.confirmationNo",
      licensePlate: "details.licensePlate",
      paymentNo: "details.paymentNo",
      dueDate: "details.dueDate",
      paymentAmount: "details.paymentAmount",
      penaltyAmount: "details.penaltyAmount",
      paymentTotal: "details.paymentTotal",
      customerType: "details.customerType",
      adminFee: "details.adminFee",
      minPayment: "amount",
      maxPayment: "amount",
      adminFeePart1: "details.adminFeePart1",
      adminFeePart2: "details.adminFeePart2",
      adminFeePart3: "details.adminFeePart3",
    },
  },
};
