import type { UatCase } from "../case";

/** Cases of reversals (type 51), which come with the payment's own body and traxId. */
export const REVERSAL_CASES: readonly UatCase[] = [
  {
    name: "reversal-after-payment",
    purpose: "A payment is taken back once, however often the reversal comes, and the bill can be paid again.",
    bills: 1,
    needs: ["reversals"],
    steps: [
      { do: "pay", expect: ["APPROVED"] },
      { do: "reverse", as: "reversal", expect: ["APPROVED"] },
      { do: "repeat", of: "reversal", expect: ["APPROVED"], sameAs: "reversal" },
      { do: "inquire", expect: ["APPROVED"] },
      { do: "pay", trax: "again", expect: ["APPROVED"] },
    ],
  },
  {
    name: "reversal-before-payment",
    purpose: "A reversal that overtakes its payment finds nothing, and the payment is declined when it comes.",
    bills: 0,
    borrows: 1,
    needs: ["reversals"],
    steps: [
      { do: "reverse", as: "reversal", expect: ["NOT_FOUND"] },
      { do: "pay", as: "late", expect: ["REVERSED"] },
      { do: "repeat", of: "late", expect: ["REVERSED"], sameAs: "late" },
      { do: "repeat", of: "reversal", expect: ["NOT_FOUND"], sameAs: "reversal" },
      { do: "inquire", expect: ["APPROVED"] },
    ],
  },
  {
    name: "payment-after-reversal",
    purpose: "A payment that is repeated after its reversal is told so, and not that it succeeded.",
    bills: 0,
    borrows: 1,
    needs: ["reversals"],
    steps: [
      { do: "pay", as: "first", expect: ["APPROVED"] },
      { do: "reverse", expect: ["APPROVED"] },
      { do: "repeat", of: "first", expect: ["REVERSED"] },
      { do: "inquire", expect: ["APPROVED"] },
    ],
  },
  {
    name: "reversal-of-another-amount",
    purpose: "A reversal of another amount is refused; the payment stands.",
    bills: 1,
    needs: ["reversals"],
    steps: [
      { do: "pay", as: "first", expect: ["APPROVED"] },
      { do: "reverse", amount: { plus: -1n }, expect: ["declined"] },
      { do: "repeat", of: "first", expect: ["APPROVED"], sameAs: "first" },
      { do: "inquire", expect: ["ALREADY_PAID"] },
    ],
  },
  {
    name: "reversal-of-a-declined-payment",
    purpose: "Taking back what was declined is well, and moves nothing.",
    bills: 0,
    borrows: 1,
    needs: ["reversals"],
    steps: [
      { do: "pay", amount: { plus: 1n }, expect: ["BAD_AMOUNT"] },
      { do: "reverse", amount: { plus: 1n }, expect: ["APPROVED"] },
      { do: "inquire", expect: ["APPROVED"] },
    ],
  },
  {
    name: "reversal-of-a-payment-under-way",
    purpose: "A reversal that arrives with its payment wins, whichever is first: the bill is unpaid at the end.",
    bills: 0,
    borrows: 1,
    needs: ["reversals"],
    steps: [
      {
        do: "together",
        messages: [
          { do: "reverse", as: "reversal", expect: ["APPROVED", "NOT_FOUND"] },
          { do: "pay", as: "payment", expect: ["APPROVED", "REVERSED"] },
        ],
      },
      { do: "repeat", of: "payment", expect: ["REVERSED"] },
      { do: "inquire", expect: ["APPROVED"] },
    ],
  },
  {
    name: "timeout-then-reversal",
    purpose: "The switch gives up on a payment and reverses it: the bill is unpaid, whatever became of the payment.",
    bills: 0,
    borrows: 1,
    needs: ["reversals"],
    steps: [
      { do: "pay", as: "payment", timeoutMs: 2, expect: ["APPROVED", "no-answer"] },
      { do: "reverse", expect: ["APPROVED", "NOT_FOUND"] },
      { do: "repeat", of: "payment", expect: ["REVERSED"] },
      { do: "inquire", expect: ["APPROVED"] },
    ],
  },
];
