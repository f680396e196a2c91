import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import {
  type Bill,
  billStateAt,
  decideInquiry,
  decidePayment,
  isBalanced,
  type KnownTrax,
  outstandingItemsOf,
  outstandingOf,
  type PaymentFacts,
  type PaymentRequest,
  type Posting,
  type ProductRules,
  type Quote,
  withPayment,
} from "../../src/domain";
import { bill, BILL_NUMBER, NOW, rules } from "../unit/domain/samples";

const HORIZON = 10_000;
// Few values, close together: what collides and what is off by one happens all the time.
const money = fc.oneof(fc.bigInt({ min: 1n, max: 4n }), fc.bigInt({ min: 1n, max: 999_999_999_999n }));
const fee = fc.bigInt({ min: 0n, max: 2n });
const instant = fc.integer({ min: NOW - HORIZON, max: NOW + HORIZON });
const bit61 = fc.constantFrom("AB", "ABT", "CD", "CDT", "");
const rarely = <T, U>(what: fc.Arbitrary<T>, otherwise: U): fc.Arbitrary<T | U> =>
  fc.oneof({ weight: 1, arbitrary: what }, { weight: 4, arbitrary: fc.constant(otherwise) });

const someBill: fc.Arbitrary<Bill> = fc
  .record({
    amounts: fc.array(money, { maxLength: 6 }),
    feeAmount: fee,
    isCancelled: rarely(fc.constant(true), false),
    dueAtMs: rarely(instant, null),
  })
  .map(({ amounts, ...rest }) => bill(rest, amounts));
const someRules: fc.Arbitrary<ProductRules> = fc
  .record({ itemsMax: fc.integer({ min: 1, max: 4 }), feeBelongsTo: fc.constantFrom("biller", "switch") })
  .map((changes) => rules(changes));
const check = fc.constantFrom<PaymentFacts["bit61Check"]>("ignore", "warn", "warn", "enforce");

/** One thing that happens to a bill; amounts may be taken from what is due or be anything. */
const someEvent = fc.record({
  kind: rarely(fc.constantFrom("inquiry", "inquiry", "cancel"), "payment" as const),
  trax: fc.integer({ min: 0, max: 4 }),
  amount: rarely(fc.oneof(fc.constant("all" as const), money), "due" as const),
  fee: rarely(fee, "due" as const),
  bit61,
  afterMs: fc.integer({ min: 0, max: 2_000 }),
});
type Event = typeof someEvent extends fc.Arbitrary<infer T> ? T : never;

/** A bill with everything that was ever written about it. */
interface World {
  bill: Bill;
  nowMs: number;
  readonly quotes: Quote[];
  readonly keys: Map<number, KnownTrax>;
  readonly entries: { readonly amount: bigint; readonly postings: readonly Posting[] }[];
}

const USUAL = { isFresh: true, mustAccept: false } as const;

function factsIn(
  world: World,
  event: Event,
  given: ProductRules,
  bit61Check: PaymentFacts["bit61Check"],
): PaymentFacts {
  const known = world.keys.get(event.trax) ?? null;
  return { known, isProductAllowed: true, rules: given, bill: world.bill, quotes: world.quotes, bit61Check, ...USUAL };
}

function requestOf(world: World, event: Event, given: ProductRules): PaymentRequest {
  const due = outstandingItemsOf(world.bill)
    .slice(0, given.itemsMax)
    .reduce((sum, item) => sum + item.outstanding, 0n);
  return {
    productCode: "001001",
    billNumber: BILL_NUMBER,
    amount: event.amount === "due" ? due : event.amount === "all" ? outstandingOf(world.bill) : event.amount,
    feeAmount: event.fee === "due" ? world.bill.feeAmount : event.fee,
    bit61: event.bit61,
  };
}

function quoteIn(world: World, event: Event, given: ProductRules): void {
  const decision = decideInquiry({ rules: given, isProductAllowed: true, bill: world.bill }, world.nowMs);
  if (decision.kind !== "show") return;
  const { amount, feeAmount } = decision;
  const honouredUntilMs = world.nowMs + 3_000;
  const billVersion = world.bill.version;
  world.quotes.push({
    billVersion,
    amount,
    feeAmount,
    bit61: `${event.bit61}T`,
    bodyWidth: event.bit61.length,
    honouredUntilMs,
  });
}

/** Lets one thing happen; answers every law that it broke. */
function happen(world: World, event: Event, given: ProductRules, bit61Check: PaymentFacts["bit61Check"]): string[] {
  world.nowMs += event.afterMs;
  if (event.kind === "payment") return pay(world, event, given, bit61Check);
  if (event.kind === "inquiry") quoteIn(world, event, given);
  else world.bill = { ...world.bill, isCancelled: true, version: world.bill.version + 1 };
  return [];
}

function pay(world: World, event: Event, given: ProductRules, bit61Check: PaymentFacts["bit61Check"]): string[] {
  const broken: string[] = [];
  const law = (holds: boolean, name: string): void => void (holds || broken.push(name));
  const facts = factsIn(world, event, given, bit61Check);
  const request = requestOf(world, event, given);
  const decision = decidePayment(request, facts, world.nowMs);
  law(isDeepStrictEqual(decidePayment(request, facts, world.nowMs), decision), "the same facts give the same decision");
  const isOld = decision.kind === "replay" || decision.kind === "conflict";
  law(isOld === (facts.known !== null), "a consumed key never moves money again, and only such a key is not decided");
  if (decision.kind === "replay") law(decision.known === facts.known, "a replay is what was known");
  if (decision.kind === "post") {
    law(request.amount > 0n && request.amount <= outstandingOf(world.bill), "no more is accepted than is owed");
    law(isBalanced(decision.postings), "every entry balances");
    law(
      ["UNPAID", "EXPIRED"].includes(billStateAt(world.bill, world.nowMs)),
      "nothing is paid twice or when cancelled",
    );
    law(bit61Check !== "enforce" || decision.isQuoted, "nothing unquoted is accepted when quotes are enforced");
    world.entries.push({ amount: request.amount, postings: decision.postings });
    world.bill = withPayment(decision.bill, request.amount);
  }
  if (decision.kind === "post" || decision.kind === "decline") {
    const outcome = decision.kind === "post" ? "APPROVED" : decision.outcome;
    const { bit61: _, ...hard } = request;
    world.keys.set(event.trax, { ...hard, outcome });
  }
  return broken;
}

const creditedTo = (world: World, account: string): bigint =>
  world.entries
    .flatMap(({ postings }) => postings)
    .filter(({ accountCode, side }) => accountCode === account && side === "credit")
    .reduce((sum, { amount }) => sum + amount, 0n);

describe("whatever happens to a bill", () => {
  let approved = 0;

  it("is never paid beyond its total, and the books say exactly what was paid", () => {
    const events = fc.array(someEvent, { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(someBill, someRules, check, events, (start, given, bit61Check, all) => {
        const world: World = { bill: start, nowMs: NOW, quotes: [], keys: new Map(), entries: [] };
        expect(all.flatMap((event) => happen(world, event, given, bit61Check))).toEqual([]);
        const paid = world.entries.reduce((sum, { amount }) => sum + amount, 0n);
        expect(world.bill.paidAmount).toBe(paid);
        expect(paid <= start.totalAmount).toBe(true);
        expect(creditedTo(world, "bill-collections")).toBe(paid);
        expect(given.feeBelongsTo === "switch" && creditedTo(world, "fee-earned") > 0n).toBe(false);
        const owed = outstandingItemsOf(world.bill).reduce((sum, item) => sum + item.outstanding, 0n);
        expect(owed).toBe(start.totalAmount - paid);
        const successes = [...world.keys.values()].filter(({ outcome }) => outcome === "APPROVED");
        expect(successes).toHaveLength(world.entries.length);
        approved += successes.length;
      }),
      { numRuns: 2_000 },
    );
    // Laws about payments say nothing where none is ever accepted.
    expect(approved).toBeGreaterThan(500);
  });
});

describe("any bill", () => {
  it("that is shown can be paid as shown, and is then settled for those items", () => {
    fc.assert(
      fc.property(someBill, someRules, instant, (given, ruled, nowMs) => {
        const shown = decideInquiry({ rules: ruled, isProductAllowed: true, bill: given }, nowMs);
        fc.pre(shown.kind === "show");
        const { amount, feeAmount } = shown;
        const request = { productCode: "001001", billNumber: BILL_NUMBER, amount, feeAmount, bit61: "" };
        const facts = {
          known: null,
          isProductAllowed: true,
          rules: ruled,
          bill: given,
          quotes: [],
          bit61Check: "warn",
          ...USUAL,
        } as const;
        const decision = decidePayment(request, facts, nowMs);
        expect(decision).toMatchObject({ kind: "post", isQuoted: false });
        const left = outstandingItemsOf(withPayment(given, amount)).map(({ itemNo }) => itemNo);
        expect(left).toEqual(given.items.slice(ruled.itemsMax).map(({ itemNo }) => itemNo));
      }),
    );
  });

  it("covers its oldest items first, and owes exactly what is not paid", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(someBill, share, (given, part) => {
        const paidAmount = (given.totalAmount * BigInt(Math.floor(part * 1_000))) / 1_000n;
        const owed = outstandingItemsOf({ ...given, paidAmount });
        expect(owed.reduce((sum, item) => sum + item.outstanding, 0n)).toBe(given.totalAmount - paidAmount);
        // All that is owed stands at the end, and only the first of it may be part-paid.
        expect(owed.map(({ itemNo }) => itemNo)).toEqual(
          given.items.slice(given.items.length - owed.length).map(({ itemNo }) => itemNo),
        );
        expect(owed.slice(1).every((item) => item.outstanding === item.amount)).toBe(true);
        expect(owed.every((item) => item.outstanding > 0n)).toBe(true);
      }),
    );
  });
});
