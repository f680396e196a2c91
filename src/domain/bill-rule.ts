import { type Bill, type OutstandingItem, outstandingItemsOf, outstandingOf } from "./bill";
import { type BillRule, hasPaidState, type ProductRules, type RuleLimit } from "./product";
import { minRupiah, sumRupiah } from "./rupiah";

/** What of a bill can be paid now. Whole rupiah. */
export interface Due {
  /** The oldest items still owed, as many as one message shows. */
  readonly items: readonly OutstandingItem[];
  /** What an inquiry shows: the sum of these items, held within the limits, or the rule's own while nothing is owed. */
  readonly amount: bigint;
  readonly feeAmount: bigint;
  /** One payment pays at least this. */
  readonly minAmount: bigint;
  /** And at most this; 0 when nothing can be paid. */
  readonly maxAmount: bigint;
}

/**
 * What the rule of a product asks of a bill as it stands; who pays the amount shown always pays right. Says nothing about
 * cancelled or expired bills.
 */
export function dueOf(bill: Bill, rules: Pick<ProductRules, "rule" | "itemsMax">): Due {
  const items = outstandingItemsOf(bill).slice(0, rules.itemsMax);
  const shown = sumRupiah(items.map((item) => item.outstanding));
  const { minAmount, maxAmount } = rangeOf(bill, shown, rules.rule);
  const wished = shown === 0n && "shownAmount" in rules.rule ? shownOf(bill, rules.rule) : shown;
  const amount = minRupiah(wished < minAmount ? minAmount : wished, maxAmount);
  return { items, amount, feeAmount: bill.feeAmount, minAmount, maxAmount };
}

/** The least amount gives way where less is owed: the last rest of a bill could never be paid otherwise. */
function rangeOf(bill: Bill, shown: bigint, rule: BillRule): { minAmount: bigint; maxAmount: bigint } {
  const owed = outstandingOf(bill);
  switch (rule.kind) {
    case "closed":
      return { minAmount: shown, maxAmount: shown };
    case "minmax": {
      const maxAmount = minRupiah(limitOf(bill, rule.maxAmount), owed);
      return { minAmount: minRupiah(limitOf(bill, rule.minAmount), maxAmount), maxAmount };
    }
    case "part":
      return { minAmount: minRupiah(limitOf(bill, rule.minAmount), owed), maxAmount: owed };
    case "open":
    case "static": {
      const { minAmount, maxAmount } = rule;
      return { minAmount: owed > 0n ? minRupiah(minAmount, owed) : minAmount, maxAmount };
    }
  }
}

/** A limit that the bill should name and does not is everything owed: no less is ever accepted by mistake. */
function limitOf(bill: Bill, limit: RuleLimit): bigint {
  return typeof limit === "bigint" ? limit : (namedLimitOf(bill, limit.detail) ?? outstandingOf(bill));
}

/** What is shown while nothing is owed; the least amount where the bill should name one and does not. */
function shownOf(bill: Bill, { shownAmount, minAmount }: Extract<BillRule, { shownAmount: unknown }>): bigint {
  return typeof shownAmount === "bigint" ? shownAmount : (namedLimitOf(bill, shownAmount.detail) ?? minAmount);
}

function namedLimitOf({ details }: Pick<Bill, "details">, name: string): bigint | null {
  const text = Object.hasOwn(details, name) ? details[name] : undefined;
  if (text === undefined || !/^[0-9]{1,12}$/.test(text)) return null;
  const amount = BigInt(text);
  return amount > 0n ? amount : null;
}

/** What is wrong with the limits that a bill names for its product's rule; empty when they can be used. */
export function faultsOfLimits(bill: Pick<Bill, "details">, { rule }: Pick<ProductRules, "rule">): string[] {
  if (rule.kind === "closed") return [];
  const limits =
    rule.kind === "minmax"
      ? [rule.minAmount, rule.maxAmount]
      : [rule.kind === "part" ? rule.minAmount : rule.shownAmount];
  const faults: string[] = [];
  const [min, max] = limits.map((limit) => {
    if (typeof limit === "bigint") return limit;
    const amount = namedLimitOf(bill, limit.detail);
    if (amount === null) faults.push(`details.${limit.detail} must be whole rupiah above 0, one to twelve digits`);
    return amount;
  });
  if (typeof min === "bigint" && typeof max === "bigint" && min > max) {
    faults.push("the least amount of a payment is more than the largest");
  }
  return faults;
}

/** Divides an accepted amount: the oldest items first, and what exceeds all that is owed apart. */
export function divide(bill: Bill, amount: bigint): { readonly applied: bigint; readonly unapplied: bigint } {
  const applied = minRupiah(amount, outstandingOf(bill));
  return { applied, unapplied: amount - applied };
}

/**
 * Whether an amount is right. A closed bill is compared with the quote that the payment echoes, when there is one; but a
 * quote may be older than another payment on the same bill, so never more is accepted than is still owed.
 */
export function isRightAmount(
  amount: bigint,
  bill: Bill,
  rules: Pick<ProductRules, "rule" | "itemsMax">,
  quotedAmount: bigint | null,
): boolean {
  if (amount <= 0n) return false;
  const due = dueOf(bill, rules);
  if (rules.rule.kind === "closed") return amount === (quotedAmount ?? due.amount) && amount <= outstandingOf(bill);
  return amount >= due.minAmount && amount <= due.maxAmount;
}

/** Whether an inquiry has something to show: something owed, or a rule that takes money without. */
export function isPayable(bill: Bill, { rule }: Pick<ProductRules, "rule">): boolean {
  return !hasPaidState(rule) || outstandingOf(bill) > 0n;
}
