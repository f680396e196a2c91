import * as fc from "fast-check";
import { amountBeforeCharge, chargeOf } from "../../src/domain";

const rate = fc.record({
  fixed: fc.integer({ min: 0, max: 5_000 }),
  percent: fc
    .tuple(fc.integer({ min: 0, max: 49 }), fc.integer({ min: 0, max: 999 }))
    .map(([whole, parts]) => `${whole}.${String(parts).padStart(3, "0")}`),
});
const rounding = fc.constantFrom("half-up" as const, "down" as const, "up" as const);

describe("amounts of the books out of net amounts", () => {
  it("are amounts whose charge leaves the net amount", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 999_999_999_999n }), rate, rounding, (amount, given, how) => {
        const net = amount - chargeOf(amount, given, how);
        fc.pre(net >= 0n);
        const found = amountBeforeCharge(net, given, how);
        expect(found - chargeOf(found, given, how)).toBe(net);
      }),
      { numRuns: 3_000 },
    );
  });

  it("are the ones that were meant, where their charge is exact", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 9_999_999n }), rate, rounding, (hundredThousandths, given, how) => {
        const amount = hundredThousandths * 100_000n;
        expect(amountBeforeCharge(amount - chargeOf(amount, given, how), given, how)).toBe(amount);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ["0.7", "down", 29_790n, 30_000n],
    ["0.7", "up", 29_790n, 30_000n],
    ["0.7", "half-up", 29_790n, 30_000n],
    ["0", "half-up", 0n, 0n],
  ] as const)("at %s per cent, rounded %s, %s is %s", (percent, how, net, expected) => {
    expect(amountBeforeCharge(net, { fixed: 0, percent }, how)).toBe(expected);
  });
});
