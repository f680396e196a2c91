import { type JsonLimits, parseStrictJson } from "../../../src/wire";

const LIMITS: JsonLimits = { maxDepth: 4, maxBytes: 1_000 };
const WIDE: JsonLimits = { maxDepth: 4, maxBytes: 10_000_000 };

function outcomeOf(text: string, limits = LIMITS): string {
  const read = parseStrictJson(text, limits);
  return read.ok ? "taken" : `${read.reason}: ${read.detail}`;
}

describe("strict JSON", () => {
  it.each<[string, string, unknown]>([
    ["an empty object", "{}", {}],
    ["white space all around", ' \n\t\r{ "a" : 1 }\n', { a: 1 }],
    [
      "values of all kinds",
      '{"a":"x","b":1,"c":null,"d":[true,false],"e":{"f":""}}',
      { a: "x", b: 1, c: null, d: [true, false], e: { f: "" } },
    ],
    ["an empty key", '{"":1}', { "": 1 }],
    [
      "one key in two objects",
      '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
      { a: { a: { a: 1 } }, b: [{ a: 1 }, { a: 2 }] },
    ],
    ["keys that differ in case", '{"a":1,"A":2}', { a: 1, A: 2 }],
    ["a key that is another's value", '{"a":"b","b":"a"}', { a: "b", b: "a" }],
    ["a value written twice", '{"a":"x","b":"x","c":["x","x"]}', { a: "x", b: "x", c: ["x", "x"] }],
    ["brackets in strings", '{"a":"[[[[[[{{{{{{","]]]}}}":"}"}', { a: "[[[[[[{{{{{{", "]]]}}}": "}" }],
    [
      "quotes and backslashes in keys",
      String.raw`{"\"":1,"\\":2,"\\\"":3,"a\\":4}`,
      { '"': 1, "\\": 2, '\\"': 3, "a\\": 4 },
    ],
    ["what looks like a key in a string", String.raw`{"a":"\"a\":1,\"a\":2","b":"\\"}`, { a: '"a":1,"a":2', b: "\\" }],
    ["colons and commas in strings", '{"a:":",","b,":":"}', { "a:": ",", "b,": ":" }],
    [
      "forbidden words as values",
      '{"a":"__proto__","b":["constructor","prototype"]}',
      { a: "__proto__", b: ["constructor", "prototype"] },
    ],
    [
      "keys that are almost forbidden",
      '{"__proto":1,"proto__":2,"Constructor":3,"prototype ":4}',
      { __proto: 1, proto__: 2, Constructor: 3, "prototype ": 4 },
    ],
    [
      "a key that objects inherit but nobody is harmed by",
      '{"toString":1,"hasOwnProperty":2}',
      { toString: 1, hasOwnProperty: 2 },
    ],
    ["lone surrogates, which JSON allows", String.raw`{"a":"\ud800","\udc00":1}`, { a: "\ud800", "\udc00": 1 }],
    ["escapes", String.raw`{"\u0061":"\u0062\n"}`, { a: "b\n" }],
  ])("takes %s", (_, text, value) => {
    expect(parseStrictJson(text, LIMITS)).toEqual({ ok: true, value });
  });

  it.each([
    ["nothing", ""],
    ["a blank", " "],
    ["a byte order mark", '\ufeff{"a":1}'],
    ["two objects", "{}{}"],
    ["an open object", '{"a":1'],
    ["a comma at the end", '{"a":1,}'],
    ["single quotes", "{'a':1}"],
    ["a key without quotes", "{a:1}"],
    ["a comment", '{"a":1 /* one */}'],
    ["a control character in a string", '{"a":"\n"}'],
    ["a zero character", '{"a":1}\0'],
    ["NaN", '{"a":NaN}'],
    ["a number with a leading zero", '{"a":01}'],
    ["a form", "a=1&b=2"],
    ["an open string", '{"a'],
    ["a string that ends in a backslash", '{"a\\'],
    ["half an escape", String.raw`{"\u00":1}`],
  ])("does not read %s", (_, text) => {
    expect(outcomeOf(text)).toBe("not-json: the body is not valid JSON");
  });

  it.each(["[]", '[{"a":1}]', "null", "true", "1", '"{}"', '"a"', "1e400"])(
    "refuses %s, which is no object",
    (text) => {
      expect(outcomeOf(text)).toBe("not-object: the body must be one JSON object");
    },
  );

  it.each([
    ["plainly", '{"amount":"1","amount":"2"}'],
    ["with equal values", '{"amount":"1","amount":"1"}'],
    ["with others between", '{"amount":"1","a":{"b":[]},"c":[1],"amount":"2"}'],
    ["the second time escaped", String.raw`{"amount":"1","\u0061mount":"2"}`],
    ["the first time escaped", String.raw`{"a\u006Dount":"1","amount":"2"}`],
    ["with blanks before the colon", '{"amount":"1","amount" \t\r\n:"2"}'],
    ["in a nested object", '{"a":{"amount":"1","amount":"2"}}'],
    ["in an object of a list", '{"a":[1,{"amount":1,"b":[],"amount":2}]}'],
    ["in the outer object behind a nested one", '{"amount":{"amount":{}},"amount":1}'],
  ])("refuses a key given twice: %s", (_, text) => {
    expect(outcomeOf(text)).toBe('duplicate-key: the key "amount" appears twice');
  });

  it.each<[string, string, string]>([
    ["an empty key", '{"":1,"":2}', '""'],
    ["a quote", String.raw`{"\"":1,"\u0022":2}`, String.raw`"\""`],
    ["a backslash", String.raw`{"\\":1,"\u005c":2}`, String.raw`"\\"`],
    ["a brace", '{"}":1,"}":2}', '"}"'],
    ["a slash, which may be escaped", String.raw`{"/":1,"\/":2}`, '"/"'],
    ["a lone surrogate", String.raw`{"\ud800":1,"\uD800":2}`, String.raw`"\ud800"`],
    ["a key that objects inherit", '{"toString":1,"toString":2}', '"toString"'],
    ["a long key, shown in part", `{"${"k".repeat(60)}":1,"${"k".repeat(60)}":2}`, `"${"k".repeat(40)}"`],
  ])("refuses twice %s", (_, text, shown) => {
    expect(outcomeOf(text)).toBe(`duplicate-key: the key ${shown} appears twice`);
  });

  it.each<[string, string, string]>([
    ["__proto__", '{"__proto__":{"admin":true}}', "__proto__"],
    ["__proto__ with escapes", String.raw`{"\u005f_proto\u005F_":{"admin":true}}`, "__proto__"],
    ["__proto__ with a harmless value", '{"__proto__":1}', "__proto__"],
    ["__proto__ in a nested object", '{"a":{"b":{"__proto__":{"admin":true}}}}', "__proto__"],
    ["__proto__ in a list", '{"a":[[{"__proto__":{"admin":true}}]]}', "__proto__"],
    ["constructor", '{"constructor":{"prototype":{"admin":true}}}', "constructor"],
    ["constructor in a nested object", '{"a":{"constructor":1}}', "constructor"],
    ["prototype", '{"prototype":{"admin":true}}', "prototype"],
    ["prototype with escapes", String.raw`{"a":1,"proto\u0074ype":1}`, "prototype"],
    ["__proto__ in what is no object", '[{"__proto__":{"admin":true}}]', "__proto__"],
  ])("refuses the key %s and leaves all objects clean", (_, text, key) => {
    expect(outcomeOf(text)).toBe(`forbidden-key: the key ${key} is not allowed`);
    expect("admin" in {}).toBe(false);
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("admin");
  });
});

describe("the limits of strict JSON", () => {
  it.each<[string, string, string]>([
    ["objects to the limit", '{"a":{"a":{"a":{}}}}', "taken"],
    ["lists to the limit", '{"a":[[[]]]}', "taken"],
    ["many objects side by side", `{${Array.from({ length: 50 }, (_, n) => `"k${n}":[{}]`).join(",")}}`, "taken"],
    ["one object more", '{"a":{"a":{"a":{"a":{}}}}}', "too-deep: nested deeper than 4 levels"],
    ["one list more", '{"a":[[[[]]]]}', "too-deep: nested deeper than 4 levels"],
    ["a list that is no object anyway", "[[[[[]]]]]", "too-deep: nested deeper than 4 levels"],
  ])("on depth: %s", (_, text, outcome) => {
    expect(outcomeOf(text)).toBe(outcome);
  });

  it.each([
    ["200,000 open brackets", "[".repeat(200_000), "not-json: the body is not valid JSON"],
    [
      "100,000 lists in one another",
      "[".repeat(100_000) + "]".repeat(100_000),
      "too-deep: nested deeper than 4 levels",
    ],
    [
      "100,000 objects in one another",
      '{"a":'.repeat(100_000) + "1" + "}".repeat(100_000),
      "too-deep: nested deeper than 4 levels",
    ],
    [
      "a key of a million characters twice",
      `{"${"k".repeat(1e6)}":1,"${"k".repeat(1e6)}":2}`,
      `duplicate-key: the key "${"k".repeat(40)}" appears twice`,
    ],
  ])("outlast %s", (_, text, outcome) => {
    expect(outcomeOf(text, WIDE)).toBe(outcome);
  });

  it("on length count UTF-8 bytes, to the byte", () => {
    const limits = { maxDepth: 1, maxBytes: 10 };
    expect(outcomeOf('{"a":"12"}', limits)).toBe("taken");
    expect(outcomeOf('{"a":"123"}', limits)).toBe("too-long: longer than 10 bytes");
    expect(outcomeOf('{"a":"é"}', limits)).toBe("taken");
    expect(outcomeOf('{"a":"éx"}', limits)).toBe("too-long: longer than 10 bytes");
    expect(outcomeOf('{"a":"€"}', limits)).toBe("too-long: longer than 10 bytes");
  });

  it("on length come first, so that nothing long is ever parsed", () => {
    expect(outcomeOf("[".repeat(1_001))).toBe("too-long: longer than 1000 bytes");
  });

  it("never repeat a value in what they report", () => {
    const texts = [
      '{"a":"s3cret","a":"s3cret"}',
      '{"__proto__":"s3cret"}',
      '{"a":[[[["s3cret"]]]]}',
      '["s3cret"]',
      '"s3cret',
      '{"s":"s3cret',
    ];
    expect(texts.map((text) => outcomeOf(text)).filter((outcome) => /s3cret|taken/.test(outcome))).toEqual([]);
  });
});
