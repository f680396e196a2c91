import {
  type Bill,
  type KnownTrax,
  type PaymentFacts,
  type PaymentRequest,
  type ProductRules,
  productRulesSchema,
  type Quote,
} from "../../../src/domain";

/** An instant that the samples are built around. */
export const NOW = Date.UTC(2026, 4, 20, 3, 0, 0);
export const HOUR = 3_600_000;
export const BILL_NUMBER = "0021008457003";

/** Rules of a closed product with 13-digit numbers that shows three items. */
export function rules(changes: Record<string, unknown> = {}): ProductRules {
  return productRulesSchema.parse({
    billNumber: { minLength: 13, maxLength: 13 },
    rule: { kind: "closed" },
    itemsMax: 3,
    ...changes,
  });
}

/** An open bill of these item amounts, fee 5000. The total is the items' sum unless it is given. */
export function bill(changes: Partial<Bill> = {}, amounts: readonly bigint[] = [10_000n, 20_000n]): Bill {
  return {
    billKey: `001001:${BILL_NUMBER}`,
    productCode: "001001",
    billNumber: BILL_NUMBER,
    version: 1,
    isCancelled: false,
    totalAmount: amounts.reduce((sum, amount) => sum + amount, 0n),
    paidAmount: 0n,
    feeAmount: 5_000n,
    customerName: "BUDI SANTOSO",
    details: {},
    dueAtMs: null,
    items: amounts.map((amount, index) => ({ itemNo: index + 1, reference: `R${index + 1}`, amount })),
    ...changes,
  };
}

/** A live quote of the whole sample bill: 8 columns of body, 4 of tail. */
export function quote(changes: Partial<Quote> = {}): Quote {
  return {
    billVersion: 1,
    amount: 30_000n,
    feeAmount: 5_000n,
    bit61: "BODY0001TAIL",
    bodyWidth: 8,
    honouredUntilMs: NOW + HOUR,
    ...changes,
  };
}

/** A payment of the whole sample bill that echoes `quote()`. */
export function request(changes: Partial<PaymentRequest> = {}): PaymentRequest {
  return {
    productCode: "001001",
    billNumber: BILL_NUMBER,
    amount: 30_000n,
    feeAmount: 5_000n,
    bit61: "BODY0001TAIL",
    ...changes,
  };
}

/** What is known when the sample payment arrives for the first time and all is well. */
export function facts(changes: Partial<PaymentFacts> = {}): PaymentFacts {
  return {
    known: null,
    isProductAllowed: true,
    rules: rules(),
    bill: bill(),
    quotes: [quote()],
    bit61Check: "warn",
    isFresh: true,
    mustAccept: false,
    ...changes,
  };
}

/** The key of the sample payment, consumed with this outcome. */
export function known(changes: Partial<KnownTrax> = {}): KnownTrax {
  const { productCode, billNumber, amount, feeAmount } = request();
  return { productCode, billNumber, amount, feeAmount, outcome: "APPROVED", ...changes };
}
