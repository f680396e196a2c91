import { quoteEchoedBy } from "../../../src/domain";
import { NOW, quote } from "./samples";

const paying = (bit61: string, amount = 30_000n, feeAmount = 5_000n) => ({ bit61, amount, feeAmount });

describe("the quote that a bit61 echoes", () => {
  it.each<[string, string, boolean]>([
    ["the whole text", "BODY0001TAIL", true],
    ["the text without its tail", "BODY0001", true],
    ["one column of the body cut as well", "BODY000", false],
    ["half of the tail", "BODY0001TA", false],
    ["another tail", "BODY0001LIAT", false],
    ["another body", "BODY0002TAIL", false],
    ["other case", "body0001TAIL", false],
    ["blanks behind it", "BODY0001TAIL  ", false],
    ["nothing", "", false],
  ])("is recognised by %s: %s", (_, bit61, isEcho) => {
    expect(quoteEchoedBy(paying(bit61), [quote()], NOW)).toEqual(isEcho ? quote() : null);
  });

  it("is dead at the instant it is honoured until", () => {
    const ending = [quote({ honouredUntilMs: NOW })];
    expect(quoteEchoedBy(paying("BODY0001TAIL"), ending, NOW - 1)).toEqual(ending[0]);
    expect(quoteEchoedBy(paying("BODY0001TAIL"), ending, NOW)).toBeNull();
  });

  it("is the one with the payment's own amount and fee when one text was quoted several times", () => {
    const other = quote({ amount: 10_000n, billVersion: 2 });
    const otherFee = quote({ feeAmount: 0n, billVersion: 3 });
    const dead = quote({ amount: 7n, honouredUntilMs: NOW });
    const all = [other, otherFee, dead, quote()];
    const meant = (amount: bigint, fee: bigint) => quoteEchoedBy(paying("BODY0001TAIL", amount, fee), all, NOW);
    expect(meant(30_000n, 5_000n)).toEqual(quote());
    expect(meant(30_000n, 0n)).toEqual(otherFee);
    expect(meant(10_000n, 5_000n)).toEqual(other);
    expect(meant(10_000n, 9n)).toEqual(other);
    expect(meant(7n, 5_000n)).not.toEqual(dead);
    expect(meant(7n, 5_000n)).not.toBeNull();
  });

  it("is none where there are no quotes", () => {
    expect(quoteEchoedBy(paying("BODY0001TAIL"), [], NOW)).toBeNull();
  });
});
