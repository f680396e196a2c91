import fc from "fast-check";
import { dateAfter, type LedgerPayment, type MatchRule, type SettlementLine } from "../../src/domain";

/** What can happen to the report of a payment, under the names of what must be found. */
export const DAMAGES = [
  "none",
  "amount-differs",
  "fee-differs",
  "missing-here",
  "missing-in-file",
  "duplicate-in-file",
  "status-differs",
  "declined-here",
  "wrong-business-date",
  "reversed-here",
  "reversed-there",
  "reversed-both",
  "paid-then-reversed",
  "failed-then-paid",
  "other-trax-id",
  "no-trax-id",
  "split-lines",
  "other-bill-number",
  // Several at once, on one payment.
  "amount-differs+fee",
  "amount-differs+date",
  "amount-differs+fee+date",
  "fee-differs+date",
  "status-differs+amount",
  "declined-here+amount",
  "reversed-here+amount",
  "reversed-here+twice",
  "reversed-there+amount",
  "paid-then-reversed+amount",
  "missing-here+twice",
  "amount-differs+twice",
  "amount-differs+then-right",
  "other-trax-id+amount",
  "other-trax-id+fee",
  "other-trax-id+date",
  "split-lines+fee",
  "split-lines+date",
  "split-lines+reversed-here",
  // What a spreadsheet makes of traxIds: lines of different bills share one.
  "placeholder-trax-id",
  "shared-trax-id",
  "shared-trax-id+twice",
  "missing-here+placeholder",
  "missing-here+shared",
  "missing-here+shared+twice",
] as const;
export type Damage = (typeof DAMAGES)[number];

/** One payment as it truly was, and what was done to its report. Amounts in whole rupiah. */
export interface Truth {
  readonly damage: Damage;
  readonly amount: bigint;
  readonly feeAmount: bigint;
  readonly minute: number;
}

/** A day as both sides tell it. */
export interface Day {
  readonly lines: readonly SettlementLine[];
  readonly payments: readonly LedgerPayment[];
  /** What must be found for each payment: `class` of its lines in their order, `missing-in-file` for one without. */
  readonly expected: readonly (readonly string[])[];
}

export const DAY = "2026-11-20";
export const PRODUCT = "001001";
export const RULES: readonly MatchRule[] = [
  { kind: "bill", name: "bill-amount-day", fields: ["productCode", "amount"], daysApart: 1, minutesApart: null },
  { kind: "lines-to-payment", name: "lines-of-a-payment", daysApart: 1 },
  { kind: "payments-to-line", name: "payments-of-a-line", daysApart: 1 },
];

export const truthArbitrary = fc.record<Truth>({
  damage: fc.constantFrom(...DAMAGES),
  amount: fc.bigInt({ min: 2n, max: 999_999_999n }),
  feeAmount: fc.bigInt({ min: 0n, max: 9_999n }),
  minute: fc.integer({ min: 0, max: 1_439 }),
});

const EXPECTED: Readonly<Record<Damage, readonly string[]>> = {
  none: ["matched"],
  "amount-differs": ["amount-differs"],
  "fee-differs": ["fee-differs"],
  "missing-here": ["missing-here"],
  "missing-in-file": ["missing-in-file"],
  "duplicate-in-file": ["matched", "duplicate-in-file"],
  "status-differs": ["status-differs"],
  "declined-here": ["status-differs"],
  "wrong-business-date": ["wrong-business-date"],
  "reversed-here": ["reversed-here"],
  "reversed-there": ["reversed-there"],
  "reversed-both": ["matched"],
  "paid-then-reversed": ["matched", "reversed-there"],
  "failed-then-paid": ["matched", "matched"],
  "other-trax-id": ["matched"],
  "no-trax-id": ["matched"],
  "split-lines": ["matched", "matched"],
  "other-bill-number": ["missing-here", "missing-in-file"],
  "amount-differs+fee": ["amount-differs"],
  "amount-differs+date": ["amount-differs"],
  "amount-differs+fee+date": ["amount-differs"],
  "fee-differs+date": ["fee-differs"],
  "status-differs+amount": ["status-differs"],
  "declined-here+amount": ["status-differs"],
  "reversed-here+amount": ["reversed-here"],
  "reversed-here+twice": ["reversed-here", "duplicate-in-file"],
  "reversed-there+amount": ["reversed-there"],
  "paid-then-reversed+amount": ["amount-differs", "reversed-there"],
  "missing-here+twice": ["missing-here", "duplicate-in-file"],
  "amount-differs+twice": ["amount-differs", "duplicate-in-file"],
  "amount-differs+then-right": ["duplicate-in-file", "matched"],
  "other-trax-id+amount": ["missing-here", "missing-in-file"],
  "other-trax-id+fee": ["fee-differs"],
  "other-trax-id+date": ["wrong-business-date"],
  "split-lines+fee": ["fee-differs", "matched"],
  "split-lines+date": ["wrong-business-date", "matched"],
  "split-lines+reversed-here": ["reversed-here", "matched"],
  "placeholder-trax-id": ["matched"],
  "shared-trax-id": ["matched"],
  "shared-trax-id+twice": ["matched", "duplicate-in-file"],
  "missing-here+placeholder": ["missing-here"],
  "missing-here+shared": ["missing-here"],
  "missing-here+shared+twice": ["missing-here", "duplicate-in-file"],
};

/** Everything in which the first line of a payment that was damaged in several ways differs. */
export const DIFFERING: Readonly<Partial<Record<Damage, readonly string[]>>> = {
  "amount-differs+fee": ["amount", "feeAmount"],
  "amount-differs+date": ["amount", "businessDate"],
  "amount-differs+fee+date": ["amount", "feeAmount", "businessDate"],
  "fee-differs+date": ["feeAmount", "businessDate"],
  "status-differs+amount": ["status", "amount"],
  "declined-here+amount": ["status", "amount"],
  "reversed-here+amount": ["status", "amount"],
  "reversed-there+amount": ["status", "amount"],
  "split-lines+fee": ["feeAmount"],
  "split-lines+date": ["businessDate"],
  "split-lines+reversed-here": ["status"],
};

/**
 * Both sides of a day, derived from one truth and then damaged; lines in the file's order.
 *
 * @param at which day, and how many payments there were on the days before
 */
export function dayOf(truths: readonly Truth[], fileId = 1, at = { date: DAY, from: 0 }): Day {
  const payments: LedgerPayment[] = [];
  const lines: SettlementLine[] = [];
  for (const [position, truth] of truths.entries()) {
    const index = at.from + position;
    const payment = paymentOf(truth, index, at.date);
    if (!truth.damage.startsWith("missing-here")) payments.push(payment);
    for (const changes of reportOf(truth, index, at.date)) {
      lines.push({ ...lineOf(payment, fileId, lines.length + 1), ...changes });
    }
  }
  return { lines, payments, expected: truths.map(({ damage }) => EXPECTED[damage]) };
}

const PLACEHOLDERS = ["4.41E+06", "0"] as const;
const SHARED_TRAX_ID = "4410000";

export const traxIdOf = (index: number): string => `T${String(index).padStart(9, "0")}`;
export const billNumberOf = (index: number): string => String(index + 1).padStart(13, "0");

function paymentOf({ damage, amount, feeAmount, minute }: Truth, index: number, date: string): LedgerPayment {
  const isReversed = damage.includes("reversed-here") || damage === "reversed-both";
  const state = damage.startsWith("declined-here") ? "declined" : isReversed ? "reversed" : "accepted";
  return {
    entryId: state === "declined" ? null : `01980000-0000-7000-8000-${String(index).padStart(12, "0")}`,
    ...{ traxId: traxIdOf(index), productCode: PRODUCT, billNumber: billNumberOf(index), amount, feeAmount },
    ...{ businessDate: date, happenedAtMs: Date.parse(`${date}T00:00:00+07:00`) + minute * 60_000 },
    ...{ state, heldBy: null },
  };
}

function lineOf(payment: LedgerPayment, fileId: number, lineNo: number): SettlementLine {
  const { traxId, productCode, billNumber, amount, feeAmount, businessDate, happenedAtMs } = payment;
  return {
    ...{ fileId, lineNo, traxId, productCode, billNumber, amount, feeAmount, businessDate },
    ...{ paidAtMs: happenedAtMs, status: "paid" },
  };
}

/** What the file says of a payment: for each of its lines, what is not as it truly was. */
function reportOf({ damage, amount, feeAmount }: Truth, index: number, date: string): Partial<SettlementLine>[] {
  switch (damage) {
    case "amount-differs":
      return [{ amount: amount + 1n }];
    case "fee-differs":
      return [{ feeAmount: feeAmount + 1n }];
    case "missing-in-file":
      return [];
    case "duplicate-in-file":
      return [{}, {}];
    case "status-differs":
      return [{ status: "failed" }];
    case "wrong-business-date":
      return [{ businessDate: dateAfter(date, 1) }];
    case "reversed-there":
    case "reversed-both":
      return [{ status: "reversed" }];
    case "paid-then-reversed":
      return [{}, { status: "reversed" }];
    case "failed-then-paid":
      return [{ status: "failed" }, {}];
    case "other-trax-id":
      return [{ traxId: `X${index}` }];
    case "no-trax-id":
      return [{ traxId: null }];
    case "split-lines":
      return splitLines(amount, [0n, feeAmount], date);
    case "other-bill-number":
      return [{ billNumber: `9${billNumberOf(index).slice(1)}` }];
    case "amount-differs+fee":
      return [{ amount: amount + 1n, feeAmount: feeAmount + 1n }];
    case "amount-differs+date":
      return [{ amount: amount + 1n, businessDate: dateAfter(date, 1) }];
    case "amount-differs+fee+date":
      return [{ amount: amount + 1n, feeAmount: feeAmount + 1n, businessDate: dateAfter(date, 1) }];
    case "fee-differs+date":
      return [{ feeAmount: feeAmount + 1n, businessDate: dateAfter(date, 1) }];
    case "status-differs+amount":
      return [{ status: "failed", amount: amount + 1n }];
    case "declined-here+amount":
    case "reversed-here+amount":
      return [{ amount: amount + 1n }];
    case "reversed-there+amount":
      return [{ status: "reversed", amount: amount + 1n }];
    case "paid-then-reversed+amount":
      return [{ amount: amount + 1n }, { status: "reversed", amount: amount + 1n }];
    case "reversed-here+twice":
    case "missing-here+twice":
      return [{}, {}];
    case "amount-differs+twice":
      return [{ amount: amount + 1n }, { amount: amount + 1n }];
    case "amount-differs+then-right":
      return [{ amount: amount + 1n }, {}];
    case "other-trax-id+amount":
      return [{ traxId: `X${index}`, amount: amount + 1n }];
    case "other-trax-id+fee":
      return [{ traxId: `X${index}`, feeAmount: feeAmount + 1n }];
    case "other-trax-id+date":
      return [{ traxId: `X${index}`, businessDate: dateAfter(date, 1) }];
    case "placeholder-trax-id":
    case "missing-here+placeholder":
      return [{ traxId: PLACEHOLDERS[amount % 2n === 0n ? 0 : 1] }];
    case "shared-trax-id":
    case "missing-here+shared":
      return [{ traxId: SHARED_TRAX_ID }];
    case "shared-trax-id+twice":
    case "missing-here+shared+twice":
      return [{ traxId: SHARED_TRAX_ID }, { traxId: SHARED_TRAX_ID }];
    case "split-lines+fee":
      return splitLines(amount, [0n, feeAmount + 1n], date);
    case "split-lines+date":
      return splitLines(amount, [0n, feeAmount], dateAfter(date, 1));
    case "split-lines+reversed-here":
      return splitLines(amount, [0n, feeAmount], date);
    case "none":
    case "missing-here":
    case "declined-here":
    case "reversed-here":
      return [{}];
  }
}

/** Two lines without a traxId that make up one payment. */
function splitLines(amount: bigint, fees: readonly [bigint, bigint], businessDate: string): Partial<SettlementLine>[] {
  const half = amount / 2n;
  return [
    { traxId: null, amount: half, feeAmount: fees[0], businessDate },
    { traxId: null, amount: amount - half, feeAmount: fees[1], businessDate },
  ];
}

/** What the switch pays for the lines of a day: a reversal beside a paid line takes its money back. Whole rupiah. */
export function paidFor(lines: readonly SettlementLine[]): bigint {
  const worth = ({ amount, feeAmount }: SettlementLine): bigint => amount + (feeAmount ?? 0n);
  const paid = new Set(lines.filter(({ status }) => status === "paid").map(({ traxId }) => traxId));
  return lines.reduce((sum, line) => {
    if (line.status === "paid") return sum + worth(line);
    return line.status === "reversed" && line.traxId !== null && paid.has(line.traxId) ? sum - worth(line) : sum;
  }, 0n);
}
