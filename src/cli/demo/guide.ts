import { billStateAt, outstandingItemsOf } from "../../domain";
import { compileProduct, PRODUCTS } from "../../flows";
import { Fault, systemClock } from "../../platform";
import type { ImportedBill } from "../../store";
import { buildMessage, type OutgoingMessage } from "../switch-client";
import { DEMO_BILL_NUMBER, DEMO_PARTNER, demoBills } from "./data";

/** What to try first: a signed inquiry and a signed payment as commands that work when pasted. */
export function demoGuide(url: string): string {
  const nowMicros = systemClock.nowMicros();
  const { amount, feeAmount, bit61 } = quotedByDemo();
  const common = { ...DEMO_PARTNER, productCode: "001001", billNumber: DEMO_BILL_NUMBER };
  const inquiry = buildMessage(
    { ...common, transactionType: "38", amount: "0", feeAmount: "0", bit61: DEMO_BILL_NUMBER, traxId: "64560312893" },
    nowMicros,
  );
  const payment = buildMessage(
    {
      ...common,
      transactionType: "50",
      amount: amount.toString().padStart(12, "0"),
      feeAmount,
      bit61,
      traxId: "64569131293",
    },
    nowMicros,
  );
  const where = url === "http://127.0.0.1:8080" ? "" : ` --url ${url}/finpay/billing`;
  return [
    "",
    `Try it. The demo partner is ${DEMO_PARTNER.userName}, customer ${DEMO_BILL_NUMBER} owes three months.`,
    "",
    "1. What does the customer owe? (a signed inquiry)",
    curl(`${url}/finpay/billing`, inquiry),
    "",
    "2. The customer has paid. (a signed payment; paste it twice: the second answer is the same bytes, x-replayed: true)",
    curl(`${url}/finpay/billing`, payment),
    "",
    "The same with the command line, from another terminal:",
    `   npx biller inquire 001001 ${DEMO_BILL_NUMBER}${where}`,
    `   npx biller pay 001001 0021008457101${where}`,
    "",
    `Health: ${url}/readyz   Description: ${url}/openapi.json   Everything else: npx biller --help`,
    "",
  ].join("\n");
}

function quotedByDemo(): { amount: bigint; feeAmount: string; bit61: string } {
  const bill = demoBills().find(({ billNumber }) => billNumber === DEMO_BILL_NUMBER) as ImportedBill;
  const definition = PRODUCTS.find(({ productCode }) => productCode === "001001");
  if (definition === undefined) throw new Fault("demo", "product 001001 is not shipped");
  const product = compileProduct("001001", definition.name, definition.definition);
  const amount = bill.items.reduce((sum, item) => sum + item.amount, 0n);
  const open = {
    ...bill,
    version: 1,
    isCancelled: false,
    totalAmount: amount,
    paidAmount: 0n,
    items: bill.items.map((item, index) => ({ itemNo: index + 1, ...item })),
  };
  if (billStateAt(open, 0) !== "UNPAID") throw new Fault("demo", "the demo bill is not open");
  const shown = { items: outstandingItemsOf(open), amount, feeAmount: bill.feeAmount };
  return { amount, feeAmount: String(bill.feeAmount), bit61: product.layout.encode(product.valuesOf(open, shown)) };
}

function curl(url: string, message: OutgoingMessage): string {
  return `curl -si ${url} -H 'Content-Type: application/json' -d '${JSON.stringify(message)}'`;
}
