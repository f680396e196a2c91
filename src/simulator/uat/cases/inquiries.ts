import type { TimeStampForm } from "../../message";
import type { MessageStep, UatCase } from "../case";

const FORMS: readonly TimeStampForm[] = ["seconds", "spaced", "milliseconds", "offset", "microseconds"];
const LENGTHS = Array.from({ length: 14 }, (_, index) => 19 + index);

/** Cases that ask and move nothing. */
export const INQUIRY_CASES: readonly UatCase[] = [
  {
    name: "inquiry",
    purpose: "An inquiry shows an unpaid bill: amount, fee, and a bit61 that can be read.",
    bills: 0,
    steps: [{ do: "inquire", expect: ["APPROVED"] }],
  },
  {
    name: "inquiry-repeat",
    purpose: "An inquiry may come again under its traxId, and moves nothing.",
    bills: 0,
    steps: [
      { do: "inquire", as: "first", expect: ["APPROVED"] },
      { do: "repeat", of: "first", expect: ["APPROVED"] },
      { do: "repeat", of: "first", expect: ["APPROVED"] },
    ],
  },
  {
    name: "inquiry-time-stamp-forms",
    purpose: "Each published form of a time stamp is understood, signed as it stands and echoed as it stands.",
    bills: 0,
    steps: FORMS.map((timeStamp): MessageStep => ({ do: "inquire", trax: timeStamp, timeStamp, expect: ["APPROVED"] })),
  },
  {
    name: "inquiry-traxid-lengths",
    purpose: "A traxId of 19 to 32 characters comes back whole, although the response table has room for 18.",
    bills: 0,
    steps: LENGTHS.map((traxLength): MessageStep => ({
      do: "inquire",
      trax: `of ${traxLength}`,
      traxLength,
      expect: ["APPROVED"],
    })),
  },
  {
    name: "inquiry-bit41",
    purpose: "The terminal may go by its ISO 8583 number, as one published page has it.",
    bills: 0,
    steps: [{ do: "inquire", terminalAs: "bit41", expect: ["APPROVED"] }],
  },
  {
    name: "inquiry-unknown-fields",
    purpose: "Fields that no table knows are ignored.",
    bills: 0,
    steps: [{ do: "inquire", set: { newField: "1", "addInfo 9": "x", resultCode: "00" }, expect: ["APPROVED"] }],
  },
  {
    name: "inquiry-unknown-bill",
    purpose: "A bill number that nobody has is not found.",
    bills: 0,
    steps: [{ do: "inquire", bill: "unknown", expect: ["BILL_NOT_FOUND"] }],
  },
  {
    name: "inquiry-ignores-amount",
    purpose: "What an inquiry says about amounts is ignored: the biller says what is owed.",
    bills: 0,
    steps: [{ do: "inquire", amount: { text: "2500" }, fee: { text: "000000002500" }, expect: ["APPROVED"] }],
  },
  {
    name: "skewed-clock",
    purpose:
      "A switch whose clock is two days off is served, or refused as not authentic; the right clock is served after it.",
    bills: 0,
    steps: [
      { do: "inquire", trax: "late", skewMinutes: -2_880, expect: ["APPROVED", "BAD_AUTH"] },
      { do: "inquire", trax: "early", skewMinutes: 2_880, expect: ["APPROVED", "BAD_AUTH"] },
      { do: "inquire", trax: "now", expect: ["APPROVED"] },
    ],
  },
  {
    name: "wrong-key",
    purpose: "A message signed with a wrong password is refused, and does not use up its traxId.",
    bills: 0,
    steps: [
      { do: "inquire", key: "wrong", expect: ["BAD_AUTH"] },
      { do: "inquire", expect: ["APPROVED"] },
      { do: "pay", key: "wrong", bill: "unknown", expect: ["BAD_AUTH"] },
      { do: "pay", bill: "unknown", expect: ["BILL_NOT_FOUND"] },
    ],
  },
  {
    name: "changed-after-signing",
    purpose: "A signature does not fit another bill or traxId.",
    bills: 0,
    steps: [
      { do: "inquire", set: { billNumber: "9" }, expect: ["BAD_AUTH"] },
      { do: "inquire", set: { traxId: "X1" }, expect: ["BAD_AUTH"] },
      { do: "inquire", set: { userName: "nobody" }, expect: ["BAD_AUTH"] },
    ],
  },
  {
    name: "rotated-key",
    purpose: "While a password is being replaced, messages signed with the one before it are served as well.",
    bills: 0,
    needs: ["previous-password"],
    steps: [
      { do: "inquire", key: "previous", trax: "old", expect: ["APPROVED"] },
      { do: "inquire", trax: "new", expect: ["APPROVED"] },
    ],
  },
  {
    name: "unknown-type",
    purpose: "A transactionType that nobody has agreed on is refused, and moves nothing.",
    bills: 0,
    steps: [
      { do: "pay", transactionType: "99", expect: ["FUNCTION_NOT_SUPPORTED"] },
      { do: "inquire", expect: ["APPROVED"] },
    ],
  },
  {
    name: "unknown-product",
    purpose: "A product code that nobody has agreed on is refused.",
    bills: 0,
    steps: [{ do: "inquire", productCode: "unknown", expect: ["PRODUCT_NOT_ALLOWED"] }],
  },
];
