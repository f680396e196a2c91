import { type Bill, decideInquiry } from "../../../src/domain";
import { bill, NOW, rules } from "./samples";

function ask(given: Bill | null, changes: { isProductAllowed?: boolean; itemsMax?: number } = {}) {
  const { isProductAllowed = true, itemsMax = 3 } = changes;
  return decideInquiry({ rules: rules({ itemsMax }), isProductAllowed, bill: given }, NOW);
}

describe("an inquiry", () => {
  it.each<[string, Bill | null, string]>([
    ["an unknown bill", null, "BILL_NOT_FOUND"],
    ["a bill without items", bill({}, []), "BILL_NOT_FOUND"],
    ["a paid bill", bill({ paidAmount: 30_000n }), "ALREADY_PAID"],
    ["a paid bill that was cancelled", bill({ paidAmount: 30_000n, isCancelled: true }), "ALREADY_PAID"],
    ["a paid bill past its due time", bill({ paidAmount: 30_000n, dueAtMs: NOW - 1 }), "ALREADY_PAID"],
    ["a cancelled bill", bill({ isCancelled: true }), "CANCELLED"],
    ["a cancelled bill past its due time", bill({ isCancelled: true, dueAtMs: NOW - 1 }), "CANCELLED"],
    ["a bill at its due time", bill({ dueAtMs: NOW }), "EXPIRED"],
  ])("of %s is declined", (_, given, outcome) => {
    expect(ask(given)).toEqual({ kind: "decline", outcome });
  });

  it("of a product the partner may not sell is declined before the bill is looked at", () => {
    for (const given of [bill(), null, bill({ isCancelled: true })]) {
      const declined = { kind: "decline", outcome: "PRODUCT_NOT_ALLOWED" };
      expect(ask(given, { isProductAllowed: false })).toEqual(declined);
      expect(decideInquiry({ rules: null, isProductAllowed: true, bill: given }, NOW)).toEqual(declined);
    }
  });

  it("shows what is owed now, the fee apart from it", () => {
    const partPaid = bill({ paidAmount: 12_000n });
    expect(ask(partPaid)).toEqual({
      kind: "show",
      bill: partPaid,
      amount: 18_000n,
      feeAmount: 5_000n,
      items: [{ itemNo: 2, reference: "R2", amount: 20_000n, outstanding: 18_000n }],
    });
  });

  it("shows a bill in the last millisecond before it is due", () => {
    expect(ask(bill({ dueAtMs: NOW + 1 }))).toMatchObject({ kind: "show" });
  });

  it.each<[number, bigint, number[]]>([
    [1, 1n, [1]],
    [2, 3n, [1, 2]],
    [4, 15n, [1, 2, 3, 4]],
    [9, 15n, [1, 2, 3, 4]],
  ])("shows at most %d items, oldest first, and the sum of these only", (itemsMax, amount, itemNos) => {
    const decision = ask(bill({}, [1n, 2n, 4n, 8n]), { itemsMax });
    if (decision.kind !== "show") throw new Error("must be shown");
    expect(decision.amount).toBe(amount);
    expect(decision.items.map((item) => item.itemNo)).toEqual(itemNos);
  });
});
