import fc from "fast-check";
import {
  differenceOf,
  type LedgerPayment,
  type LineRef,
  type LineResult,
  reconcile,
  type Reconciled,
  type SettlementLine,
} from "../../src/domain";
import { DAMAGES, DAY, dayOf, DIFFERING, PRODUCT, RULES, truthArbitrary } from "../support/settlement-days";

const key = ({ fileId, lineNo }: LineRef): string => `${fileId}:${lineNo}`;

/** What must hold of whatever was compared. Empty when all of it does. */
function brokenLaws(
  lines: readonly SettlementLine[],
  payments: readonly LedgerPayment[],
  { lines: results, missingInFile }: Reconciled,
): string[] {
  const broken: string[] = [];
  const seen = new Set(results.map(({ line }) => key(line)));
  if (results.length !== lines.length || seen.size !== lines.length) broken.push("a line has not exactly one result");
  const held = [...results.flatMap((each) => each.payments), ...missingInFile].map(({ entryId }) => entryId);
  if (new Set(held).size !== held.length) broken.push("a payment belongs to two lines");
  for (const { line, class: found, tried, head } of results) {
    if (found === "missing-here" && tried.length === 0) broken.push(`${key(line)} is missing without a reason`);
    if (head !== null && !seen.has(key(head))) broken.push(`${key(line)} has no head`);
  }
  const spokenOf = new Set(held);
  const untold = payments.filter(
    (each) => each.state === "accepted" && each.businessDate === DAY && !spokenOf.has(each.entryId),
  );
  if (untold.length > 0) broken.push(`${untold[0]?.traxId} is not spoken of`);
  return broken;
}

describe("reconciliation", () => {
  it("finds exactly the damages that were made, in every day", () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(fc.array(truthArbitrary, { maxLength: 40 }), (truths) => {
        const day = dayOf(truths);
        const found = reconcile(day.lines, day.payments, RULES, DAY);
        for (const { damage } of truths) met.add(damage);
        const classes = new Map(found.lines.map(({ line, class: each }) => [key(line), each as string]));
        const inOrder = day.lines.map((line) => classes.get(key(line)));
        expect(inOrder).toEqual(day.expected.flat().filter((each) => each !== "missing-in-file"));
        expect(found.missingInFile).toHaveLength(
          day.expected.flat().filter((each) => each === "missing-in-file").length,
        );
        expect(brokenLaws(day.lines, day.payments, found)).toEqual([]);
        const byKey = new Map(found.lines.map((each) => [key(each.line), each]));
        let at = 0;
        for (const [index, { damage }] of truths.entries()) {
          const first = day.lines[at];
          at += day.expected[index]?.filter((each) => each !== "missing-in-file").length ?? 0;
          const differing = DIFFERING[damage];
          if (differing === undefined || first === undefined) continue;
          expect(byKey.get(key(first))?.differingFields).toEqual(differing);
        }
      }),
      { numRuns: 1_000 },
    );
    expect(met.size).toBe(DAMAGES.length);
  });

  it("explains the difference of the two sides to the last rupiah", () => {
    fc.assert(
      fc.property(fc.array(truthArbitrary, { maxLength: 40 }), (truths) => {
        const { lines, payments } = dayOf(truths);
        const found = reconcile(lines, payments, RULES, DAY);
        const byKey = new Map(lines.map((line) => [key(line), line]));
        let explained = -sum(found.missingInFile.map(({ amount }) => amount));
        for (const each of found.lines)
          explained += differenceOf(byKey.get(key(each.line)) as SettlementLine, each).amount;
        const signs = { paid: 1n, failed: 0n, reversed: 0n };
        const told = sum(lines.map((line) => signs[line.status] * line.amount));
        // A line that takes back another one of the file takes its amount back.
        const takenBack = sum(
          lines
            .filter(
              (line) =>
                line.status === "reversed" &&
                lines.some((each) => each.traxId === line.traxId && each.status === "paid"),
            )
            .map(({ amount }) => amount),
        );
        const booked = sum(payments.filter(({ state }) => state === "accepted").map(({ amount }) => amount));
        expect(explained).toBe(told - takenBack - booked);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["split-lines+fee", "fee-differs", { amount: 0n, feeAmount: 1n }],
    ["split-lines+date", "wrong-business-date", { amount: 0n, feeAmount: 0n }],
    ["split-lines+reversed-here", "reversed-here", { amount: 30_001n, feeAmount: 5_000n }],
  ] as const)("counts all lines of a payment, not the first alone: %s", (damage, expected, difference) => {
    const { lines, payments } = dayOf([{ damage, amount: 30_001n, feeAmount: 5_000n, minute: 600 }]);
    const [head, member] = reconcile(lines, payments, RULES, DAY).lines;
    expect(head).toMatchObject({ class: expected, whole: { amount: 30_001n } });
    expect(differenceOf(lines[0] as SettlementLine, head as LineResult)).toEqual(difference);
    expect(member).toMatchObject({ class: "matched", whole: null });
    expect(differenceOf(lines[1] as SettlementLine, member as LineResult)).toEqual({ amount: 0n, feeAmount: 0n });
  });

  const oneOf = <T>(...values: readonly T[]) => fc.constantFrom(...values);
  const lineArbitrary = fc.record({
    traxId: oneOf<string | null>("A", "B", "C", null),
    productCode: oneOf<string | null>(PRODUCT, "020013", null),
    billNumber: oneOf("1", "2"),
    amount: oneOf(1n, 2n, 3n),
    feeAmount: oneOf<bigint | null>(0n, 1n, null),
    businessDate: oneOf("2026-11-19", DAY, "2026-11-21"),
    paidAtMs: oneOf<number | null>(0, 60_000, null),
    status: oneOf<SettlementLine["status"]>("paid", "reversed", "failed"),
  });
  const paymentArbitrary = fc.record({
    ...{ traxId: oneOf("A", "B", "C", "D", "E"), productCode: oneOf(PRODUCT, "020013"), billNumber: oneOf("1", "2") },
    ...{ amount: oneOf(1n, 2n, 3n, 4n), feeAmount: oneOf(0n, 1n), businessDate: oneOf("2026-11-19", DAY) },
    ...{ happenedAtMs: oneOf(0, 60_000), state: oneOf<LedgerPayment["state"]>("accepted", "reversed", "declined") },
  });

  it("keeps its laws and its results whatever is compared, and in whatever order it comes", () => {
    fc.assert(
      fc.property(
        fc.array(lineArbitrary, { maxLength: 12 }),
        fc.uniqueArray(paymentArbitrary, { selector: ({ traxId }) => traxId }),
        fc.infiniteStream(fc.nat()),
        (given, made, chance) => {
          const lines = given.map((line, index) => ({ ...line, fileId: 1 + (index % 2), lineNo: index + 1 }));
          const payments = made.map((each) => ({
            ...each,
            entryId: each.state === "declined" ? null : `entry-${each.traxId}`,
            heldBy: null,
          }));
          const found = reconcile(lines, payments, RULES, DAY);
          expect(brokenLaws(lines, payments, found)).toEqual([]);
          const shuffled = lines
            .map((line) => ({ line, at: chance.next().value as number }))
            .toSorted((a, b) => a.at - b.at);
          const again = reconcile(
            shuffled.map(({ line }) => line),
            payments.toReversed(),
            RULES,
            DAY,
          );
          const sorted = ({ lines: results }: Reconciled) =>
            results.toSorted((a, b) => (key(a.line) < key(b.line) ? -1 : 1));
          expect(sorted(again)).toEqual(sorted(found));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}

describe("lines that share a traxId which is not known here", () => {
  const line = (changes: Partial<SettlementLine>, lineNo: number): SettlementLine => ({
    fileId: 1,
    lineNo,
    traxId: "4410000",
    productCode: PRODUCT,
    billNumber: String(lineNo),
    amount: 10_000n,
    feeAmount: 0n,
    businessDate: DAY,
    paidAtMs: null,
    status: "paid",
    ...changes,
  });
  const payment = (billNumber: string): LedgerPayment => ({
    entryId: `entry-${billNumber}`,
    traxId: `T${billNumber}`,
    productCode: PRODUCT,
    billNumber,
    amount: 10_000n,
    feeAmount: 0n,
    businessDate: DAY,
    happenedAtMs: 0,
    state: "accepted",
    heldBy: null,
  });
  const classesOf = (lines: readonly SettlementLine[], payments: readonly LedgerPayment[]): string[] =>
    reconcile(lines, payments, RULES, DAY)
      .lines.toSorted((a, b) => a.line.lineNo - b.line.lineNo)
      .map((each) => each.class);

  it.each(["4.41E+06", "4,41e+15", "0", "000000", "-", "--", "N/A", "0.00", "#"])(
    "are each tried by their bill: %s is no traxId",
    (traxId) => {
      const lines = [1, 2, 3].map((lineNo) => line({ traxId }, lineNo));
      expect(classesOf(lines, [payment("1"), payment("3")])).toEqual(["matched", "missing-here", "matched"]);
      // Twice the same payment and one of our payments: the second is missing, as without any traxId.
      expect(classesOf([line({ traxId }, 1), line({ traxId, billNumber: "1" }, 2)], [payment("1")])).toEqual([
        "matched",
        "missing-here",
      ]);
    },
  );

  it("are tried by their bill when it differs, or the amount, or the product", () => {
    for (const changes of [{ billNumber: "9" }, { amount: 9n }, { productCode: "020013" }]) {
      const lines = [line({ billNumber: "1" }, 1), line({ billNumber: "1", ...changes }, 2)];
      expect(classesOf(lines, [])).toEqual(["missing-here", "missing-here"]);
    }
  });

  it("are duplicates when they agree in bill, product and amount", () => {
    const twice = [line({ billNumber: "1" }, 1), line({ billNumber: "1" }, 2), line({}, 3)];
    expect(classesOf(twice, [payment("3")])).toEqual(["missing-here", "duplicate-in-file", "matched"]);
  });

  it("are taken back only by a reversal of the same bill and amount", () => {
    const lines = [line({}, 1), line({}, 2), line({ billNumber: "1", status: "reversed" }, 3)];
    expect(classesOf(lines, [])).toEqual(["matched", "missing-here", "matched"]);
  });

  it("are not taken back by a line of another file, which can be replaced", () => {
    const reversal = line({ billNumber: "1", status: "reversed" }, 3);
    expect(classesOf([line({}, 1), { ...reversal, fileId: 2 }], [])).toEqual(["missing-here", "matched"]);
    // Of two that are alike, the one in the file of the reversal is taken back, whichever file came first.
    for (const fileId of [1, 2]) {
      const paid = [line({}, 1), line({ billNumber: "1", fileId: 2 }, 2)];
      const classes = fileId === 1 ? ["matched", "missing-here", "matched"] : ["missing-here", "matched", "matched"];
      expect(classesOf([...paid, { ...reversal, fileId }], [])).toEqual(classes);
    }
  });

  it("keep a traxId of ours, whatever it looks like", () => {
    const known = { ...payment("1"), traxId: "4E10" };
    expect(classesOf([line({ traxId: "4E10", amount: 9n }, 1)], [known])).toEqual(["amount-differs"]);
  });
});
