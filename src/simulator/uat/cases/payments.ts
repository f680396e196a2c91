import type { UatCase } from "../case";

/** Cases of payments. */
export const PAYMENT_CASES: readonly UatCase[] = [
  {
    name: "payment",
    purpose: "A bill is shown, paid and then known as paid: to an inquiry, and to a payment under another traxId.",
    bills: 1,
    steps: [
      { do: "inquire", expect: ["APPROVED"] },
      { do: "pay", expect: ["APPROVED"] },
      { do: "inquire", trax: "later", expect: ["ALREADY_PAID"] },
      { do: "pay", trax: "second", expect: ["ALREADY_PAID"] },
    ],
  },
  {
    name: "payment-repeat",
    purpose: "A repeat gets the stored reply byte for byte, also when its time stamp and signature are new.",
    bills: 1,
    steps: [
      { do: "inquire", expect: ["APPROVED"] },
      { do: "pay", as: "first", expect: ["APPROVED"] },
      { do: "repeat", of: "first", expect: ["APPROVED"], sameAs: "first" },
      { do: "wait", ms: 300 },
      { do: "pay", timeStamp: "seconds", expect: ["APPROVED"], sameAs: "first" },
    ],
  },
  {
    name: "repeat-storm",
    purpose: "Eight copies of one payment at the same time pay once, and all get the same reply.",
    bills: 1,
    steps: [
      { do: "storm", as: "storm", times: 8, traxes: "one", expect: ["APPROVED"], ok: 8 },
      { do: "pay", expect: ["APPROVED"], sameAs: "storm" },
      { do: "inquire", expect: ["ALREADY_PAID"] },
    ],
  },
  {
    name: "race-for-one-bill",
    purpose: "Of eight payments with traxIds of their own, exactly one pays the bill.",
    bills: 1,
    steps: [
      { do: "storm", times: 8, traxes: "each", expect: ["APPROVED", "ALREADY_PAID"], ok: 1 },
      { do: "inquire", expect: ["ALREADY_PAID"] },
    ],
  },
  {
    name: "timeout-then-repeat",
    purpose:
      "The switch gives up waiting after two milliseconds; its repeats learn the truth, and the bill is paid once.",
    bills: 1,
    steps: [
      { do: "pay", as: "first", timeoutMs: 2, expect: ["APPROVED", "no-answer"] },
      { do: "repeat", as: "second", of: "first", expect: ["APPROVED"] },
      { do: "repeat", of: "first", expect: ["APPROVED"], sameAs: "second" },
      { do: "inquire", expect: ["ALREADY_PAID"] },
    ],
  },
  {
    name: "hang-up-then-repeat",
    purpose: "The connection is cut as soon as the payment is out; the repeat is answered, and the bill is paid once.",
    bills: 1,
    steps: [
      { do: "pay", as: "first", manner: "hang-up", expect: ["APPROVED", "no-answer"] },
      { do: "repeat", as: "second", of: "first", expect: ["APPROVED"] },
      { do: "repeat", of: "first", expect: ["APPROVED"], sameAs: "second" },
      { do: "inquire", expect: ["ALREADY_PAID"] },
    ],
  },
  {
    name: "half-closed-socket",
    purpose: "A caller that closes its sending side is answered or not; its repeat is, and the bill is paid once.",
    bills: 1,
    steps: [
      { do: "pay", as: "first", manner: "half-close", expect: ["APPROVED", "no-answer"] },
      { do: "repeat", as: "second", of: "first", expect: ["APPROVED"] },
      { do: "repeat", of: "first", expect: ["APPROVED"], sameAs: "second" },
      { do: "inquire", expect: ["ALREADY_PAID"] },
    ],
  },
  {
    name: "repeat-overtakes-payment",
    purpose: "A repeat that arrives before its payment pays; the payment itself gets the same reply.",
    bills: 1,
    steps: [
      {
        do: "together",
        messages: [
          { do: "pay", as: "payment", timeStamp: "seconds", expect: ["APPROVED"] },
          { do: "pay", as: "repeat", timeStamp: "milliseconds", expect: ["APPROVED"] },
        ],
      },
      { do: "repeat", of: "payment", expect: ["APPROVED"], sameAs: "repeat" },
      { do: "repeat", of: "repeat", expect: ["APPROVED"], sameAs: "payment" },
    ],
  },
  {
    name: "changed-amount",
    purpose:
      "Another amount, fee or bill under a traxId that was answered is refused; the first reply stays what it was.",
    bills: 1,
    borrows: 1,
    steps: [
      { do: "pay", as: "first", expect: ["APPROVED"] },
      { do: "pay", amount: { plus: 1n }, expect: ["CONFLICT"] },
      { do: "pay", fee: { plus: 1n }, expect: ["CONFLICT"] },
      { do: "pay", bill: 1, expect: ["CONFLICT"] },
      { do: "repeat", of: "first", expect: ["APPROVED"], sameAs: "first" },
      { do: "inquire", bill: 1, expect: ["APPROVED"] },
    ],
  },
  {
    name: "wrong-amount",
    purpose: "One rupiah too much or too little is refused for good under that traxId; the bill stays unpaid.",
    bills: 0,
    borrows: 1,
    steps: [
      { do: "pay", as: "more", trax: "more", amount: { plus: 1n }, expect: ["BAD_AMOUNT"] },
      { do: "repeat", of: "more", expect: ["BAD_AMOUNT"], sameAs: "more" },
      { do: "pay", trax: "less", amount: { plus: -1n }, expect: ["BAD_AMOUNT"] },
      { do: "pay", trax: "more", expect: ["CONFLICT"] },
      { do: "inquire", expect: ["APPROVED"] },
    ],
  },
  {
    name: "wrong-fee",
    purpose: "A fee that is not the quoted one is refused; the bill stays unpaid.",
    bills: 0,
    borrows: 1,
    steps: [
      { do: "pay", trax: "more", fee: { plus: 1n }, expect: ["BAD_FEE"] },
      { do: "inquire", expect: ["APPROVED"] },
    ],
  },
  {
    name: "unknown-bill",
    purpose: "A payment of a bill that nobody has is declined, and stays declined.",
    bills: 0,
    steps: [
      { do: "pay", as: "first", bill: "unknown", expect: ["BILL_NOT_FOUND"] },
      { do: "repeat", of: "first", expect: ["BILL_NOT_FOUND"], sameAs: "first" },
    ],
  },
  {
    name: "amounts-bare-and-padded",
    purpose: "Amounts are values: bare and padded to twelve digits are the same money, also in a repeat.",
    bills: 1,
    steps: [
      { do: "pay", as: "bare", amount: "bare", fee: "bare", expect: ["APPROVED"] },
      { do: "pay", amount: "padded", fee: "padded", expect: ["APPROVED"], sameAs: "bare" },
    ],
  },
  {
    name: "bit61-without-tail",
    purpose: "A payment's bit61 may come without the columns at its end (name and tax number).",
    bills: 1,
    needs: ["tail"],
    steps: [
      { do: "inquire", expect: ["APPROVED"] },
      { do: "pay", as: "first", bit61: "without-tail", expect: ["APPROVED"] },
      { do: "pay", bit61: "quoted", expect: ["APPROVED"], sameAs: "first" },
    ],
  },
  {
    name: "payment-without-inquiry",
    purpose: "A payment whose bit61 no inquiry answered is taken on its amount, or refused for that reason.",
    bills: 1,
    steps: [{ do: "pay", bit61: "bill-number", expect: ["APPROVED", "NO_INQUIRY"] }],
  },
  {
    name: "payment-odd-forms",
    purpose:
      "A payment with a traxId of 32 characters, the terminal as bit41, an unknown field and the spaced time stamp.",
    bills: 1,
    steps: [
      {
        do: "pay",
        as: "first",
        traxLength: 32,
        terminalAs: "bit41",
        timeStamp: "spaced",
        set: { newField: "1" },
        expect: ["APPROVED"],
      },
      { do: "repeat", of: "first", expect: ["APPROVED"], sameAs: "first" },
    ],
  },
];
