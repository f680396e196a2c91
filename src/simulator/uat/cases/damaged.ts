import type { MessageStep, RawStep, UatCase } from "../case";

/** HTTP status of what is not JSON, and of JSON that is refused. */
const REFUSED = [200, 400] as const;

const raw = (as: string, body: string): RawStep => ({ do: "raw", as, body, expect: ["BAD_FORMAT"], status: REFUSED });
const payment = (changes: Partial<MessageStep>): MessageStep => ({
  do: "pay",
  status: REFUSED,
  expect: ["BAD_FORMAT"],
  ...changes,
});

/** Cases of messages that are broken before anybody looks at a bill. */
export const DAMAGED_CASES: readonly UatCase[] = [
  {
    name: "malformed-json",
    purpose: "What is not one strict JSON object gets a reply of the protocol that says so, and nothing else.",
    bills: 0,
    steps: [
      raw("cut off", '{"userName":"a","traxId":"1'),
      raw("empty object", "{}"),
      raw("list", "[]"),
      raw("text", "hello"),
      raw("one key twice", '{"amount":"1","amount":"2"}'),
      raw("too deep", `${'{"a":'.repeat(40)}1${"}".repeat(40)}`),
      raw("prototype", '{"__proto__":{"amount":"1"}}'),
      raw("control characters", '{"userName":"a\\u0000b"}'),
    ],
  },
  {
    name: "missing-fields",
    purpose: "A payment without one of its fields is refused as malformed and moves nothing.",
    bills: 0,
    steps: [
      ...["traxId", "amount", "feeAmount", "bit61", "timeStamp", "terminal"].map((field) =>
        payment({ as: `without ${field}`, trax: field, leaveOut: [field] }),
      ),
      { do: "inquire", expect: ["APPROVED"] },
    ],
  },
  {
    name: "wrong-kinds",
    purpose: "Amounts that are no plain digits, numbers in place of text, and a traxId of 33 characters are refused.",
    bills: 0,
    steps: [
      ...["1.000", "-5000", "+5000", "1e3", " 5000", "0x10", "5000.00", "1234567890123"].map((text) =>
        payment({ as: `amount ${text}`, trax: `amount ${text}`, amount: { text } }),
      ),
      payment({ as: "amount as a number", trax: "number", set: { amount: 30_000 } }),
      payment({ as: "amount null", trax: "null", set: { amount: null } }),
      payment({ as: "traxId of 33", trax: "long", traxLength: 33 }),
      { do: "inquire", expect: ["APPROVED"] },
    ],
  },
];
