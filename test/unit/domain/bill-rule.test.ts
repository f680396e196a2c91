import { type Bill, decideInquiry, decidePayment, dueOf, faultsOfLimits, withPayment } from "../../../src/domain";
import { bill, facts, HOUR, NOW, quote, request, rules } from "./samples";

type Rule = Record<string, unknown>;
const CLOSED: Rule = { kind: "closed" };
const MINMAX: Rule = { kind: "minmax", minAmount: "100", maxAmount: "250" };
const PART: Rule = { kind: "part", minAmount: "100" };
const OPEN: Rule = { kind: "open", minAmount: "50", maxAmount: "5000", shownAmount: "200" };
const STATIC: Rule = { ...OPEN, kind: "static" };
const NAMED: Rule = { kind: "minmax", minAmount: { detail: "least" }, maxAmount: { detail: "most" } };

/** Three items of 100, 200 and 300, of which some is paid; fee 5000. */
const owing = (paidAmount = 0n, changes: Partial<Bill> = {}): Bill =>
  bill({ paidAmount, ...changes }, [100n, 200n, 300n]);
const EMPTY = bill({}, []);

function pay(rule: Rule, given: Bill, amount: bigint, changes: Parameters<typeof facts>[0] = {}, nowMs = NOW) {
  const known = { bill: given, rules: rules({ rule }), quotes: [], ...changes };
  return decidePayment(request({ amount }), facts(known), nowMs);
}

const outcomeOf = (decision: ReturnType<typeof pay>): string =>
  decision.kind === "decline" ? decision.outcome : decision.kind;

describe("an amount is judged by the bill's rule", () => {
  it.each<[string, Rule, bigint, bigint, string]>([
    ["closed: all of it", CLOSED, 0n, 600n, "post"],
    ["closed: one rupiah less", CLOSED, 0n, 599n, "BAD_AMOUNT"],
    ["closed: one rupiah more", CLOSED, 0n, 601n, "BAD_AMOUNT"],
    ["minmax: nothing", MINMAX, 0n, 0n, "BAD_AMOUNT"],
    ["minmax: one rupiah below the least", MINMAX, 0n, 99n, "BAD_AMOUNT"],
    ["minmax: the least", MINMAX, 0n, 100n, "post"],
    ["minmax: the most", MINMAX, 0n, 250n, "post"],
    ["minmax: one rupiah above the most", MINMAX, 0n, 251n, "BAD_AMOUNT"],
    ["minmax: all that is owed, which is more than the most", MINMAX, 0n, 600n, "BAD_AMOUNT"],
    ["minmax: the rest, less than the most", MINMAX, 400n, 200n, "post"],
    ["minmax: more than the rest, less than the most", MINMAX, 400n, 201n, "BAD_AMOUNT"],
    ["minmax: the last rest, less than the least", MINMAX, 501n, 99n, "post"],
    ["minmax: less than the last rest", MINMAX, 501n, 98n, "BAD_AMOUNT"],
    ["minmax: on a paid bill", MINMAX, 600n, 100n, "ALREADY_PAID"],
    ["part: one rupiah below the least", PART, 0n, 99n, "BAD_AMOUNT"],
    ["part: the least", PART, 0n, 100n, "post"],
    ["part: in the middle of an item", PART, 0n, 333n, "post"],
    ["part: all of it", PART, 0n, 600n, "post"],
    ["part: one rupiah more than is owed", PART, 0n, 601n, "BAD_AMOUNT"],
    ["part: the last rest, less than the least", PART, 550n, 50n, "post"],
    ["part: less than the last rest", PART, 550n, 49n, "BAD_AMOUNT"],
    ["part: on a paid bill", PART, 600n, 100n, "ALREADY_PAID"],
    ["open: one rupiah below the least", OPEN, 0n, 49n, "BAD_AMOUNT"],
    ["open: the least", OPEN, 0n, 50n, "post"],
    ["open: more than is owed", OPEN, 0n, 5_000n, "post"],
    ["open: one rupiah above the most", OPEN, 0n, 5_001n, "BAD_AMOUNT"],
    ["open: what is owed, less than the least", OPEN, 570n, 30n, "post"],
    ["open: when nothing is owed", OPEN, 600n, 200n, "post"],
    ["open: nothing at all", OPEN, 600n, 0n, "BAD_AMOUNT"],
    ["static: when nothing is owed", STATIC, 600n, 5_000n, "post"],
    ["static: one rupiah below the least", STATIC, 600n, 49n, "BAD_AMOUNT"],
    ["static: nothing at all", STATIC, 0n, 0n, "BAD_AMOUNT"],
  ])("%s", (_, rule, paidAmount, amount, outcome) => {
    expect(outcomeOf(pay(rule, owing(paidAmount), amount))).toBe(outcome);
  });

  it.each<[string, Rule, bigint, string]>([
    ["minmax", MINMAX, 100n, "BAD_AMOUNT"],
    ["part", PART, 100n, "BAD_AMOUNT"],
    ["open", OPEN, 100n, "post"],
    ["static", STATIC, 100n, "post"],
  ])("%s, on a number without any item", (_, rule, amount, outcome) => {
    expect(outcomeOf(pay(rule, EMPTY, amount))).toBe(outcome);
  });

  it.each([MINMAX, PART, OPEN, STATIC])("%o: and the fee apart from it", (rule) => {
    const wrong = { ...request({ amount: 100n }), feeAmount: 4_999n };
    const given = facts({ bill: owing(), rules: rules({ rule }), quotes: [] });
    expect(decidePayment(wrong, given, NOW)).toEqual({ kind: "decline", outcome: "BAD_FEE" });
    const dearer = facts({ ...given, quotes: [quote({ amount: 600n, feeAmount: 4_999n })] });
    expect(decidePayment(wrong, dearer, NOW)).toMatchObject({ kind: "post", isQuoted: true });
  });

  it("by what is owed now, and not by an older quote, where the customer may choose", () => {
    const quotes = [quote({ amount: 600n })];
    expect(outcomeOf(pay(PART, owing(500n), 600n, { quotes }))).toBe("BAD_AMOUNT");
    expect(outcomeOf(pay(PART, owing(500n), 100n, { quotes }))).toBe("post");
    expect(outcomeOf(pay(CLOSED, owing(500n), 600n, { quotes }))).toBe("BAD_AMOUNT");
  });

  it.each([MINMAX, PART, OPEN, STATIC])("%o: but never on a cancelled or expired bill", (rule) => {
    expect(outcomeOf(pay(rule, owing(0n, { isCancelled: true }), 100n))).toBe("CANCELLED");
    const due = owing(0n, { dueAtMs: NOW });
    expect(outcomeOf(pay(rule, due, 100n))).toBe("EXPIRED");
    const honoured = { quotes: [quote({ honouredUntilMs: NOW + HOUR })] };
    expect(outcomeOf(pay(rule, due, 100n, honoured))).toBe("post");
  });
});

describe("an accepted amount is divided", () => {
  it.each<[string, Rule, bigint, bigint, bigint]>([
    ["part: all of it applied", PART, 0n, 150n, 150n],
    ["minmax: all of it applied", MINMAX, 0n, 250n, 250n],
    ["open: all of it, as long as it is owed", OPEN, 0n, 600n, 600n],
    ["open: what is owed, and no more", OPEN, 500n, 1_000n, 100n],
    ["static: nothing when nothing is owed", STATIC, 600n, 1_000n, 0n],
  ])("%s", (_, rule, paidAmount, amount, applied) => {
    const decision = pay(rule, owing(paidAmount), amount);
    if (decision.kind !== "post") throw new Error(outcomeOf(decision));
    expect(decision.applied).toBe(applied);
    const credits = (code: string): bigint =>
      decision.postings.find(({ accountCode, side }) => accountCode === code && side === "credit")?.amount ?? 0n;
    expect([credits("bill-collections"), credits("unapplied-credit")]).toEqual([applied, amount - applied]);
    expect(decision.postings[0]).toEqual({ accountCode: "due-from-switch", side: "debit", amount: amount + 5_000n });
  });

  it("to the accounts that the product names", () => {
    const accounts = { collections: "merchant-payable", fee: "fee-payable" };
    const decision = pay(OPEN, owing(500n), 150n, { rules: rules({ rule: OPEN, accounts }) });
    expect(decision).toMatchObject({
      postings: [
        { accountCode: "due-from-switch", amount: 5_150n },
        { accountCode: "merchant-payable", amount: 100n },
        { accountCode: "unapplied-credit", amount: 50n },
        { accountCode: "fee-payable", amount: 5_000n },
      ],
    });
  });

  it("over the oldest items first, payment after payment, until nothing is owed", () => {
    let given = owing();
    const lefts: bigint[][] = [];
    for (const amount of [150n, 150n, 299n, 1n]) {
      const decision = pay(PART, given, amount);
      if (decision.kind !== "post") throw new Error(`${amount}: ${outcomeOf(decision)}`);
      given = withPayment(decision.bill, decision.applied);
      lefts.push(dueOf(given, rules()).items.map(({ outstanding }) => outstanding));
    }
    expect(lefts).toEqual([[150n, 300n], [300n], [1n], []]);
    expect(outcomeOf(pay(PART, given, 1n))).toBe("ALREADY_PAID");
  });
});

describe("an inquiry shows what is owed now", () => {
  const shown = (rule: Rule, given: Bill, itemsMax = 3) => {
    const decision = decideInquiry({ rules: rules({ rule, itemsMax }), isProductAllowed: true, bill: given }, NOW);
    return decision.kind === "show" ? decision.amount : decision.outcome;
  };
  it.each<[string, Rule, Bill, bigint | string]>([
    ["minmax: not more than one payment may pay", MINMAX, owing(), 250n],
    ["minmax: the rest", MINMAX, owing(590n), 10n],
    ["minmax: paid", MINMAX, owing(600n), "ALREADY_PAID"],
    ["minmax: nothing known", MINMAX, EMPTY, "BILL_NOT_FOUND"],
    ["part: all of it", PART, owing(), 600n],
    ["part: the rest", PART, owing(150n), 450n],
    ["part: paid", PART, owing(600n), "ALREADY_PAID"],
    ["open: what is owed", OPEN, owing(1n), 599n],
    ["open: its own amount when nothing is owed", OPEN, owing(600n), 200n],
    ["open: its own amount when nothing was ever owed", OPEN, EMPTY, 200n],
    ["static: what is owed, even below the least", STATIC, owing(590n), 10n],
    ["static: its own amount when nothing is owed", STATIC, owing(600n), 200n],
    ["static: cancelled", STATIC, owing(600n, { isCancelled: true }), "CANCELLED"],
  ])("%s", (_, rule, given, amount) => {
    expect(shown(rule, given)).toBe(amount);
  });

  it("and at least what one payment must pay, where the message holds fewer items than that", () => {
    expect(shown({ kind: "part", minAmount: "250" }, owing(), 1)).toBe(250n);
    expect(shown(OPEN, owing(), 1)).toBe(100n);
  });
});

describe("limits that each bill names itself", () => {
  const named = (least: string, most: string, paidAmount = 0n): Bill => owing(paidAmount, { details: { least, most } });
  it.each<[bigint, bigint, string]>([
    [0n, 99n, "BAD_AMOUNT"],
    [0n, 100n, "post"],
    [0n, 400n, "post"],
    [0n, 401n, "BAD_AMOUNT"],
    [550n, 50n, "post"],
  ])("with %d paid, %d is answered %s", (paidAmount, amount, outcome) => {
    expect(outcomeOf(pay(NAMED, named("100", "400", paidAmount), amount))).toBe(outcome);
  });

  it.each(["", "0", "1e3", "-1", "0x10", "1000000000000", "١"])(
    "%j is none: only everything owed is right",
    (least) => {
      const given = named(least, least);
      expect(outcomeOf(pay(NAMED, given, 599n))).toBe("BAD_AMOUNT");
      expect(outcomeOf(pay(NAMED, given, 600n))).toBe("post");
      expect(faultsOfLimits(given, rules({ rule: NAMED }))).toHaveLength(2);
    },
  );

  it("are found wrong before the bill is taken", () => {
    const ruled = rules({ rule: NAMED });
    expect(faultsOfLimits(named("100", "400"), ruled)).toEqual([]);
    expect(faultsOfLimits(named("401", "400"), ruled)).toEqual([expect.stringContaining("more than the largest")]);
    expect(faultsOfLimits(owing(), ruled)).toEqual([expect.stringContaining("least"), expect.stringContaining("most")]);
    const inherited = rules({ rule: { kind: "part", minAmount: { detail: "constructor" } } });
    expect(faultsOfLimits(owing(), inherited)).toHaveLength(1);
    for (const rule of [CLOSED, MINMAX, PART, OPEN]) expect(faultsOfLimits(owing(), rules({ rule }))).toEqual([]);
  });
});

describe("a static number whose bill names what is shown while nothing is owed", () => {
  const rule = { ...STATIC, shownAmount: { detail: "shownAmount" } };
  it.each<[string, Record<string, string>, bigint]>([
    ["its own amount", { shownAmount: "750" }, 750n],
    ["no more than may be paid", { shownAmount: "6000" }, 5_000n],
    ["no less than may be paid", { shownAmount: "49" }, 50n],
    ["the least, when it names none", {}, 50n],
    ["the least, when it names nothing sensible", { shownAmount: "0x10" }, 50n],
    ["the least, when it names zero, which callers take for paid", { shownAmount: "0" }, 50n],
  ])("shows %s", (_, details, amount) => {
    expect(dueOf(owing(600n, { details }), rules({ rule })).amount).toBe(amount);
    expect(dueOf(owing(0n, { details }), rules({ rule })).amount).toBe(600n);
    expect(outcomeOf(pay(rule, owing(600n, { details }), amount))).toBe("post");
  });
  it("must name it to be imported", () => {
    expect(faultsOfLimits(owing(), rules({ rule }))).toEqual([expect.stringContaining("details.shownAmount")]);
    expect(faultsOfLimits(owing(0n, { details: { shownAmount: "1" } }), rules({ rule }))).toEqual([]);
  });
  it("has limits that can be met", () => {
    expect(() => rules({ rule: { ...rule, minAmount: "11", maxAmount: "10" } })).toThrow();
  });
});

describe("a rule is refused", () => {
  it.each<[string, Rule]>([
    ["minmax without limits", { kind: "minmax" }],
    ["minmax that can never be", { kind: "minmax", minAmount: "2", maxAmount: "1" }],
    ["minmax from nothing", { kind: "minmax", minAmount: "0", maxAmount: "1" }],
    ["minmax with a number for an amount", { kind: "minmax", minAmount: 1, maxAmount: "2" }],
    ["a detail with an odd name", { kind: "part", minAmount: { detail: "a.b" } }],
    ["part with a most", { kind: "part", minAmount: "1", maxAmount: "2" }],
    ["open without an amount to show", { kind: "open" }],
    ["open that shows nothing", { kind: "open", shownAmount: "0" }],
    ["open that shows less than it takes", { kind: "open", minAmount: "10", shownAmount: "9" }],
    ["static that shows more than it takes", { kind: "static", maxAmount: "10", shownAmount: "11" }],
    ["closed with a least", { kind: "closed", minAmount: "1" }],
  ])("%s", (_, rule) => {
    expect(() => rules({ rule })).toThrow();
  });

  it("with accounts that are none of ours, or mean something else", () => {
    for (const accounts of [
      { collections: "unapplied-credit" },
      { fee: "bank-in-transit" },
      { fee: "mine" },
      { more: 1 },
    ])
      expect(() => rules({ accounts })).toThrow();
  });
});
