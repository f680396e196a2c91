import { formatAmount, parseAmount } from "../../../src/wire";

describe("reading an amount", () => {
  it.each<[string, bigint]>([
    ["0", 0n],
    ["5000", 5_000n],
    ["647000", 647_000n],
    ["000000030000", 30_000n],
    ["000000000000", 0n],
    ["00", 0n],
    ["010", 10n],
    ["999999999999", 999_999_999_999n],
  ])("takes %j", (text, amount) => {
    expect(parseAmount(text)).toBe(amount);
  });

  it.each([
    "",
    " ",
    " 12 ",
    "12 ",
    " 12",
    "-1",
    "-0",
    "+1",
    "1e3",
    "1E3",
    "0x10",
    "0b1",
    "0o7",
    "1_000",
    "1.000",
    "1,000",
    "1.5",
    "12n",
    "１２",
    "٣",
    "²",
    "Infinity",
    "NaN",
    "null",
    "12\n",
    "\n12",
    "1\0",
    "1\u200b",
    "Rp12",
    "1000000000000",
    "0000000000000",
    "9007199254740993",
    "9".repeat(100_000),
  ])("refuses %j", (text) => {
    expect(parseAmount(text)).toBeNull();
  });
});

describe("writing an amount", () => {
  it.each<[bigint, string, string]>([
    [0n, "000000000000", "0"],
    [5_000n, "000000005000", "5000"],
    [30_000n, "000000030000", "30000"],
    [999_999_999_999n, "999999999999", "999999999999"],
  ])("%d is %s padded and %s bare", (amount, padded, bare) => {
    expect(formatAmount(amount, "lpz12")).toBe(padded);
    expect(formatAmount(amount, "bare")).toBe(bare);
  });

  it.each([-1n, -999_999_999_999n, 1_000_000_000_000n, 9_007_199_254_740_993n, 10n ** 40n])(
    "refuses %d, whose digits the wire has no room for",
    (amount) => {
      expect(() => formatAmount(amount, "lpz12")).toThrow(RangeError);
      expect(() => formatAmount(amount, "bare")).toThrow(RangeError);
    },
  );
});
