import type { CustomerDataMapping } from "../customer-data";

/** customerData of Telkom (001001), in the sample's order. billInfo1 is the newest bill, bit61's last. */
export const customerDataTelkom001001: CustomerDataMapping = [
  { name: "kodeDivre", from: "kodeDivre" },
  { name: "kodeDatel", from: "kodeDatel" },
  { name: "jumlahBill", from: "jumlahBill" },
  {
    each: "items",
    name: "billInfo{n}",
    order: "reversed",
    fields: [
      { name: "nomorReferensi", from: "nomorReferensi" },
      { name: "nilaiTagihan", from: "nilaiTagihan" },
    ],
  },
  { name: "customerId", from: "customerId" },
  { name: "customerName", from: "customerName" },
  { name: "npwp", from: "npwp" },
];

/** customerData of Adira (020013), in the sample's order; customerId stands outside it. */
export const customerDataAdira020013: CustomerDataMapping = [
  { name: "address", from: "address" },
  { name: "adminFee", from: "adminFee" },
  { name: "confirmationNo", from: "confirmationNo" },
  { name: "customerName", from: "customerName" },
  { name: "customerType", from: "customerType" },
  { name: "dueDate", from: "dueDate" },
  { name: "licensePlate", from: "licensePlate" },
  { name: "maxPayment", from: "maxPayment" },
  { name: "minPayment", from: "minPayment" },
  { name: "paymentAmount", from: "paymentAmount" },
  { name: "paymentNo", from: "paymentNo" },
  { name: "paymentTotal", from: "paymentTotal" },
  { name: "penaltyAmount", from: "penaltyAmount" },
  { name: "ptName", from: "ptName" },
];
