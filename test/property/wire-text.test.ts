import * as fc from "fast-check";
import {
  decodeRequest,
  firstNonPrintable,
  formatAmount,
  formatSwitchTimestamp,
  parseAmount,
  parseStrictJson,
  parseSwitchTimestamp,
  transliterate,
} from "../../src/wire";

const anyText = fc.string({ unit: "binary", maxLength: 300 });
const LIMITS = { maxDepth: 8, maxBytes: 100_000 };
const FORBIDDEN = ["__proto__", "constructor", "prototype"];

/** Nesting of brackets, and whether a forbidden key stands anywhere. */
function measure(value: unknown): { depth: number; isForbidden: boolean } {
  if (typeof value !== "object" || value === null) return { depth: 0, isForbidden: false };
  const inner = Object.values(value).map(measure);
  const names = Array.isArray(value) ? [] : Object.keys(value);
  return {
    depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)),
    isForbidden: names.some((name) => FORBIDDEN.includes(name)) || inner.some(({ isForbidden }) => isForbidden),
  };
}

/** JSON objects whose keys and texts are full of what a scanner stumbles over. */
const awkward = fc.oneof(
  fc.string({ unit: fc.constantFrom('"', "\\", "{", "}", "[", "]", ":", ",", "a", "\u00e9", "\ud800"), maxLength: 6 }),
  fc.constantFrom("a", "b", ...FORBIDDEN),
);
const { value: jsonValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 9, withCrossShrink: true },
    fc.oneof(awkward, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(null, true)),
    fc.array(tie("value"), { maxLength: 3 }),
    fc
      .array(fc.tuple(awkward, tie("value")), { maxLength: 3 })
      .map((entries) => Object.fromEntries(entries) as unknown),
  ),
}));
const jsonObject = fc
  .array(fc.tuple(awkward, jsonValue), { maxLength: 4 })
  .map((entries) => Object.fromEntries(entries) as Record<string, unknown>);

/** A key with every character written as an escape. */
function escaped(key: string): string {
  return Array.from({ length: key.length }, (_, at) => `\\u${key.charCodeAt(at).toString(16).padStart(4, "0")}`).join(
    "",
  );
}

describe("strict JSON", () => {
  it("takes every object as JSON.parse does, unless it is too deep or has a forbidden key", () => {
    fc.assert(
      fc.property(jsonObject, fc.constantFrom(0, 2), (object, indent) => {
        const text = JSON.stringify(object, null, indent);
        const { depth, isForbidden } = measure(object);
        const read = parseStrictJson(text, LIMITS);
        expect(read.ok).toBe(depth <= LIMITS.maxDepth && !isForbidden);
        expect(read.ok ? JSON.stringify(read.value, null, indent) : text).toBe(text);
      }),
      { numRuns: 3_000 },
    );
  });

  it("refuses every object into which a key is written a second time", () => {
    const clean = jsonObject.filter((object) => {
      const { depth, isForbidden } = measure(object);
      return Object.keys(object).length > 0 && depth <= LIMITS.maxDepth && !isForbidden;
    });
    fc.assert(
      fc.property(clean, fc.nat(), (object, pick) => {
        const keys = Object.keys(object);
        const key = keys[pick % keys.length] as string;
        const text = `${JSON.stringify(object).slice(0, -1)},"${escaped(key)}":1}`;
        expect(parseStrictJson(text, LIMITS)).toMatchObject({ ok: false, reason: "duplicate-key" });
      }),
      { numRuns: 1_000 },
    );
  });

  it("takes nothing that JSON.parse does not, and gives the same", () => {
    const pieces = fc.constantFrom(
      '{"a":',
      '"a"',
      '"',
      ":",
      ",",
      "{",
      "}",
      "[",
      "]",
      "1",
      "-",
      "null",
      " ",
      "\\",
      "\ufeff",
    );
    const texts = fc.oneof(
      anyText,
      fc.array(pieces, { maxLength: 12 }).map((list) => list.join("")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const read = parseStrictJson(text, LIMITS);
        const expected: unknown = read.ok ? JSON.parse(text) : null;
        expect(read.ok ? read.value : null).toEqual(expected);
      }),
      { numRuns: 5_000 },
    );
  });
});

const REQUEST_FIELDS = [
  [
    "userName",
    "signature",
    "productCode",
    "channel",
    "terminal",
    "terminalName",
    "terminalLocation",
    "transactionType",
  ],
  ["billNumber", "amount", "feeAmount", "bit61", "traxId", "timeStamp", "addInfo1", "addInfo2", "addInfo3"],
].flat();
const GOOD: Readonly<Record<string, unknown>> = {
  userName: "bank",
  signature: "00",
  productCode: "001001",
  channel: "6017",
  terminal: "T0800004",
  transactionType: "38",
  billNumber: "1",
  traxId: "1",
  timeStamp: "now",
};

describe("requests", () => {
  it("are given as received, or refused with their faults and an echo of printable text", () => {
    const value = fc.oneof(
      fc.anything(),
      anyText,
      fc.string({ unit: fc.constantFrom(...Array.from("0123456789ab ")), maxLength: 14 }),
    );
    const change = fc.dictionary(fc.constantFrom(...REQUEST_FIELDS), value, { maxKeys: 3 });
    fc.assert(
      fc.property(fc.boolean(), change, (isGood, change) => {
        const request: Record<string, unknown> = { ...(isGood ? GOOD : {}), ...change };
        const decoded = decodeRequest(request);
        const given = decoded.ok ? { ...decoded.message, terminalField: "", unknownFields: "" } : decoded.echo;
        const { amountText: amount, feeAmountText: feeAmount, ...others } = given;
        const texts = Object.entries({ ...others, amount, feeAmount });
        const mayBe = (name: string): unknown[] => [request[name] ?? "", ...(decoded.ok ? [] : [""])];
        expect(texts.filter(([, text]) => firstNonPrintable(text) !== -1)).toEqual([]);
        expect(texts.filter(([name, text]) => !mayBe(name).includes(text))).toEqual([]);
        expect(decoded.ok || decoded.faults.length > 0).toBe(true);
        expect(decoded.ok && REQUEST_FIELDS.some((name) => typeof (request[name] ?? "") !== "string")).toBe(false);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("amounts", () => {
  it("are read from one to twelve digits and nothing else, and written back as one of two forms", () => {
    const texts = fc.oneof(
      anyText,
      fc.string({ unit: fc.constantFrom(...Array.from("0123456789 -+e.x\u0661\uff11")), maxLength: 15 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const amount = parseAmount(text);
        expect(amount !== null).toBe(text.length <= 12 && /^\d+$/.test(text));
        const padded = text.padStart(12, "0");
        expect(amount === null ? padded : formatAmount(amount, "lpz12")).toBe(padded);
      }),
      { numRuns: 5_000 },
    );
  });

  it("come back from either form", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 999_999_999_999n }), fc.constantFrom("lpz12", "bare"), (amount, form) => {
        expect(parseAmount(formatAmount(amount, form))).toBe(amount);
      }),
    );
  });
});

/** A number from 0 in at least two digits. */
function part(max: number): fc.Arbitrary<string> {
  return fc.nat(max).map((n) => String(n).padStart(2, "0"));
}

describe("time stamps", () => {
  it("come back from the wire to the microsecond", () => {
    const last = BigInt(Date.parse("9999-12-31T16:59:59Z")) * 1_000n;
    fc.assert(
      fc.property(fc.bigInt({ min: -25_200_000_000n, max: last }), (instant) => {
        expect(parseSwitchTimestamp(formatSwitchTimestamp(instant))).toBe(instant);
      }),
      { numRuns: 3_000 },
    );
  });

  it("are read from digits as Date reads them, and not at all where the calendar has no such moment", () => {
    const times = fc.tuple(part(33), part(14), fc.integer({ min: 1968, max: 2104 }), part(26), part(62), part(62));
    fc.assert(
      fc.property(times, ([day, month, year, hours, minutes, seconds]) => {
        const date = new Date(
          Date.UTC(year, Number(month) - 1, Number(day), Number(hours), Number(minutes), Number(seconds)),
        );
        const isReal =
          year >= 1970 && date.toISOString() === `${year}-${month}-${day}T${hours}:${minutes}:${seconds}.000Z`;
        const expected = isReal ? BigInt(date.getTime() - 7 * 3_600_000) * 1_000n : null;
        expect(parseSwitchTimestamp(`${day}-${month}-${year} ${hours}:${minutes}:${seconds}`)).toBe(expected);
      }),
      { numRuns: 5_000 },
    );
  });

  it("are not found in other text", () => {
    const noDigits = anyText.filter((text) => !/^\d\d-\d\d-\d{4} /.test(text));
    fc.assert(fc.property(noDigits, (text) => expect(parseSwitchTimestamp(text)).toBeNull()));
  });
});

describe("transliteration", () => {
  it("gives printable ASCII for any text, and changes nothing the second time", () => {
    const texts = fc.oneof(anyText, fc.string({ unit: "grapheme", maxLength: 60 }));
    fc.assert(
      fc.property(texts, (text) => {
        const plain = transliterate(text);
        expect(plain).toMatch(/^[ -~]*$/);
        expect(transliterate(plain)).toBe(plain);
      }),
      { numRuns: 5_000 },
    );
  });
});
