import {
  type Bill,
  type BillState,
  billStateAt,
  outstandingItemsOf,
  outstandingOf,
  withPayment,
} from "../../../src/domain";
import { bill, NOW } from "./samples";

describe("the state of a bill", () => {
  const paid = { paidAmount: 30_000n };
  const cancelled = { isCancelled: true };
  const overdue = { dueAtMs: NOW - 1 };
  it.each<[string, Partial<Bill>, BillState]>([
    ["untouched", {}, "UNPAID"],
    ["part-paid", { paidAmount: 29_999n }, "UNPAID"],
    ["paid to the rupiah", paid, "PAID"],
    ["cancelled", cancelled, "CANCELLED"],
    ["overdue", overdue, "EXPIRED"],
    ["paid and cancelled", { ...paid, ...cancelled }, "PAID"],
    ["paid and overdue", { ...paid, ...overdue }, "PAID"],
    ["cancelled and overdue", { ...cancelled, ...overdue }, "CANCELLED"],
    ["paid, cancelled and overdue", { ...paid, ...cancelled, ...overdue }, "PAID"],
    ["part-paid and overdue", { paidAmount: 1n, ...overdue }, "EXPIRED"],
    ["part-paid and cancelled", { paidAmount: 1n, ...cancelled }, "CANCELLED"],
  ])("%s", (_, changes, state) => {
    expect(billStateAt(bill(changes), NOW)).toBe(state);
  });

  it.each<[number, BillState]>([
    [NOW - 1, "UNPAID"],
    [NOW, "EXPIRED"],
    [NOW + 1, "EXPIRED"],
  ])("turns expired at the due instant itself (%d)", (nowMs, state) => {
    expect(billStateAt(bill({ dueAtMs: NOW }), nowMs)).toBe(state);
  });

  it("is never paid while no item is known", () => {
    expect(billStateAt(bill({}, []), NOW)).toBe("UNPAID");
  });
});

describe("what is owed", () => {
  it.each<[bigint, bigint[]]>([
    [0n, [100n, 200n, 300n]],
    [1n, [99n, 200n, 300n]],
    [100n, [200n, 300n]],
    [101n, [199n, 300n]],
    [300n, [300n]],
    [599n, [1n]],
    [600n, []],
  ])("after %d was paid, the oldest items are covered first", (paidAmount, owed) => {
    const some = bill({ paidAmount }, [100n, 200n, 300n]);
    expect(outstandingItemsOf(some).map((item) => item.outstanding)).toEqual(owed);
    expect(outstandingOf(some)).toBe(600n - paidAmount);
  });

  it("keeps an item's own number, reference and amount beside what is left of it", () => {
    const [first] = outstandingItemsOf(bill({ paidAmount: 10_001n }));
    expect(first).toEqual({ itemNo: 2, reference: "R2", amount: 20_000n, outstanding: 19_999n });
  });
});

describe("a payment on a bill", () => {
  it("adds to what was paid, moves the version on by one, and leaves the original alone", () => {
    const before = Object.freeze(bill({ paidAmount: 1_000n, version: 4 }));
    const after = withPayment(before, 9_000n);
    expect(after).toEqual({ ...before, paidAmount: 10_000n, version: 5, lastPayment: null });
    expect(before.paidAmount).toBe(1_000n);
  });
});
