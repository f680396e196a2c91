import * as fc from "fast-check";
import {
  type Bill,
  decideInquiry,
  decidePayment,
  dueOf,
  hasPaidState,
  isBalanced,
  type KnownTrax,
  outstandingItemsOf,
  outstandingOf,
  type Posting,
  type ProductRules,
  withPayment,
} from "../../src/domain";
import { bill, facts, NOW, request, rules } from "../unit/domain/samples";

// Few values, close together: what collides and what is off by one happens all the time.
const money = fc.bigInt({ min: 1n, max: 12n });
const wide = fc.oneof(
  { weight: 6, arbitrary: money },
  { weight: 1, arbitrary: fc.bigInt({ min: 1n, max: 999_999_999_999n }) },
);
const ordered = fc.tuple(money, money, money).map((all) => all.toSorted((a, b) => Number(a - b)).map(String));
const kinds = ["closed", "minmax", "part", "open", "static"] as const;
const someRule = fc.tuple(fc.constantFrom(...kinds), ordered).map(([kind, [minAmount, shownAmount, maxAmount]]) => {
  if (kind === "closed") return { kind };
  if (kind === "part") return { kind, minAmount };
  if (kind === "minmax") return { kind, minAmount, maxAmount };
  return { kind, minAmount, maxAmount, shownAmount };
});
const someRules = fc
  .record({
    rule: someRule,
    itemsMax: fc.integer({ min: 1, max: 4 }),
    feeBelongsTo: fc.constantFrom("biller", "switch"),
    accounts: fc.record({
      collections: fc.constantFrom("bill-collections", "merchant-payable"),
      fee: fc.constantFrom("fee-earned", "fee-payable"),
    }),
  })
  .map(rules);
const amounts = fc.array(wide, { maxLength: 6 });
/** A payment under one of a few traxIds, of what is shown or of anything; or another item is announced. */
const someEvent = fc.oneof(
  { weight: 8, arbitrary: fc.record({ trax: fc.integer({ min: 0, max: 9 }), amount: fc.option(wide) }) },
  { weight: 1, arbitrary: fc.record({ item: money }) },
);

interface World {
  bill: Bill;
  readonly keys: Map<number, KnownTrax>;
  readonly entries: { readonly amount: bigint; readonly applied: bigint; readonly postings: readonly Posting[] }[];
}

function withItem(given: Bill, amount: bigint): Bill {
  const itemNo = given.items.length + 1;
  const items = [...given.items, { itemNo, reference: `R${itemNo}`, amount }];
  return { ...given, items, totalAmount: given.totalAmount + amount, version: given.version + 1 };
}

const credited = (postings: readonly Posting[], ...accounts: string[]): bigint =>
  postings
    .filter(({ side, accountCode }) => side === "credit" && accounts.includes(accountCode))
    .reduce((sum, { amount }) => sum + amount, 0n);

/** What is owed of each item, from the amounts alone: an oracle beside the code that is tested. */
function owedAfter(given: Bill, paid: bigint): [number, bigint][] {
  let left = paid;
  return given.items.flatMap(({ itemNo, amount }): [number, bigint][] => {
    const taken = left > amount ? amount : left;
    left -= taken;
    return taken === amount ? [] : [[itemNo, amount - taken]];
  });
}

/** What may be paid, said once more: the rule's limits beside what is owed, without the code that is tested. */
function mayPay({ rule, itemsMax }: ProductRules, given: Bill, amount: bigint): boolean {
  const owed = given.totalAmount - given.paidAmount;
  if (amount === 0n) return false;
  if (rule.kind === "closed") {
    const shown = owedAfter(given, given.paidAmount).slice(0, itemsMax);
    return amount === shown.reduce((sum, [, left]) => sum + left, 0n);
  }
  if (rule.kind === "open" || rule.kind === "static") {
    return amount <= rule.maxAmount && (amount >= rule.minAmount || (owed > 0n && amount >= owed));
  }
  const most = rule.kind === "minmax" ? (rule.maxAmount as bigint) : owed;
  return amount <= owed && amount <= most && (amount >= (rule.minAmount as bigint) || amount === owed);
}

type Event = typeof someEvent extends fc.Arbitrary<infer T> ? T : never;

/** Lets one thing happen; answers every law that it broke. */
function happen(world: World, event: Event, given: ProductRules): string[] {
  if ("item" in event) {
    world.bill = withItem(world.bill, event.item);
    return [];
  }
  const broken: string[] = [];
  const law = (holds: boolean, name: string): void => void (holds || broken.push(name));
  const amount = event.amount ?? dueOf(world.bill, given).amount;
  const known = world.keys.get(event.trax) ?? null;
  const asked = request({ amount, feeAmount: 5_000n, bit61: "" });
  const decision = decidePayment(asked, facts({ known, rules: given, bill: world.bill, quotes: [] }), NOW);
  if (known !== null) {
    law(decision.kind === (known.amount === amount ? "replay" : "conflict"), "a consumed key never moves money again");
    return broken;
  }
  law((decision.kind === "post") === mayPay(given, world.bill, amount), "what the rule allows is taken, nothing else");
  if (decision.kind === "post") {
    const { applied, postings } = decision;
    const owed = outstandingOf(world.bill);
    law(isBalanced(postings), "every entry balances");
    law(applied === (amount < owed ? amount : owed), "as much as is owed is applied");
    law(hasPaidState(given.rule) ? applied === amount : true, "only where customers choose does anything stay over");
    law(credited(postings, given.accounts.collections) === applied, "collections are what is applied");
    law(credited(postings, "unapplied-credit") === amount - applied, "the rest is the customer's");
    const fee = given.feeBelongsTo === "biller" ? 5_000n : 0n;
    law(credited(postings, given.accounts.fee) === fee, "the fee is apart");
    world.entries.push({ amount, applied, postings });
    world.bill = withPayment(decision.bill, applied);
  }
  const outcome = decision.kind === "decline" ? decision.outcome : "APPROVED";
  world.keys.set(event.trax, { ...asked, outcome });
  return broken;
}

describe("any sequence of payments", () => {
  const approved = new Map<string, number>();

  it("keeps every law of the books, whatever the rule", () => {
    fc.assert(
      fc.property(amounts, someRules, fc.array(someEvent, { maxLength: 20 }), (start, given, events) => {
        const world: World = { bill: bill({}, start), keys: new Map(), entries: [] };
        expect(events.flatMap((event) => happen(world, event, given))).toEqual([]);
        const applied = world.entries.reduce((sum, entry) => sum + entry.applied, 0n);
        const total = world.entries.reduce((sum, entry) => sum + entry.amount, 0n);
        const unapplied = world.entries.reduce((sum, { postings }) => sum + credited(postings, "unapplied-credit"), 0n);
        expect(world.bill.paidAmount).toBe(applied);
        expect(applied <= world.bill.totalAmount).toBe(true);
        expect(applied + unapplied).toBe(total);
        const owed = outstandingItemsOf(world.bill).map(({ itemNo, outstanding }): [number, bigint] => [
          itemNo,
          outstanding,
        ]);
        expect(owed).toEqual(owedAfter(world.bill, applied));
        const { kind } = given.rule;
        approved.set(kind, (approved.get(kind) ?? 0) + world.entries.length);
      }),
      { numRuns: 3_000 },
    );
    // Laws about payments say nothing where none is ever accepted.
    for (const kind of kinds) expect([kind, (approved.get(kind) ?? 0) > 200]).toEqual([kind, true]);
  });

  it("shows an amount that can be paid as shown, never nothing, and never more than is owed without a reason", () => {
    fc.assert(
      fc.property(amounts, someRules, fc.nat(1_000), (start, given, share) => {
        const fresh = bill({}, start);
        const known = { ...fresh, paidAmount: (fresh.totalAmount * BigInt(share)) / 1_000n };
        const shown = decideInquiry({ rules: given, isProductAllowed: true, bill: known }, NOW);
        fc.pre(shown.kind === "show");
        expect(shown.amount > 0n).toBe(true);
        const asked = request({ amount: shown.amount, feeAmount: shown.feeAmount, bit61: "" });
        const decision = decidePayment(asked, facts({ rules: given, bill: known, quotes: [] }), NOW);
        expect(decision.kind).toBe("post");
        expect(!hasPaidState(given.rule) || shown.amount <= outstandingOf(known)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("pays any part bill up in the end, the last rest included", () => {
    fc.assert(
      fc.property(fc.array(money, { minLength: 1, maxLength: 6 }), someRules, (start, given) => {
        fc.pre(given.rule.kind === "part" || given.rule.kind === "minmax");
        let owing = bill({}, start);
        for (let n = 0; n < 100 && outstandingOf(owing) > 0n; n++) {
          const { minAmount } = dueOf(owing, given);
          const asked = request({ amount: minAmount, bit61: "" });
          const decision = decidePayment(asked, facts({ rules: given, bill: owing, quotes: [] }), NOW);
          if (decision.kind !== "post") throw new Error(`${minAmount} is refused`);
          owing = withPayment(decision.bill, decision.applied);
        }
        expect(outstandingOf(owing)).toBe(0n);
      }),
    );
  });
});
