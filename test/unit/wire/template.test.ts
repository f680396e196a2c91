import { compileTemplate, LayoutFault, type LayoutValues, WireError } from "../../../src/wire";

const NAMES = ["a", "amount", "items"];

function render(template: string, values: LayoutValues): string {
  return compileTemplate(template, NAMES).render(values);
}

function problemsOf(template: string): readonly string[] {
  try {
    compileTemplate(template, NAMES);
    return [];
  } catch (error) {
    return error instanceof LayoutFault ? error.problems : [`not a LayoutFault: ${String(error)}`];
  }
}

describe("a template", () => {
  it.each<[string, string, LayoutValues, string]>([
    ["text alone", "null", {}, "null"],
    ["nothing", "", {}, ""],
    ["a value as it is", "<{a}>", { a: " x " }, "< x >"],
    ["an amount as plain digits", "Rp.{amount}", { amount: 30_000n }, "Rp.30000"],
    ["the same value twice", "{a}{a}", { a: "x" }, "xx"],
    ["an empty value", "<{a}>", { a: "" }, "<>"],
    ["a value that is missing as nothing", "<{a}>", {}, "<>"],
    ["a missing value through every filter but padStart", "<{a|trim|int|plain|grouped|upper|slice:0:3}>", {}, "<>"],
    ["a missing value padded", "<{a|padStart:3}>", {}, "<000>"],
    ["braces written twice", "{{{a}}}", { a: "x" }, "{x}"],
    ["braces around no placeholder", "{{a}}", { a: "x" }, "{a}"],
    ["braces of a value as they are", "{a}", { a: "{amount}" }, "{amount}"],
    ["dollar signs of a value as they are", "{a}", { a: "$&$1" }, "$&$1"],
    ["text beyond ASCII of its own", "“{a}”", { a: "x" }, "“x”"],
  ])("shows %s", (_, template, values, expected) => {
    expect(render(template, values)).toBe(expected);
  });

  it.each<[string, string | bigint, string]>([
    ["slice:0:4", "0021008457003", "0021"],
    ["slice:4:13", "0021008457003", "008457003"],
    ["slice:2:99", "abc", "c"],
    ["slice:9:9", "abc", ""],
    ["slice:0:3", 1_234n, "123"],
    ["int", "0021", "21"],
    ["int", "000", "0"],
    ["int", "0", "0"],
    ["int", "00000000000000000000123", "123"],
    ["plain", "000000030000", "30000"],
    ["plain", 0n, "0"],
    ["plain", 9_007_199_254_740_993n, "9007199254740993"],
    ["grouped", 0n, "0"],
    ["grouped", 999n, "999"],
    ["grouped", 1_000n, "1.000"],
    ["grouped", "0012345678", "12.345.678"],
    ["grouped", 123_456n, "123.456"],
    ["trim", "  a b  ", "a b"],
    ["trim", "    ", ""],
    ["trim", "\ta\n", "\ta\n"],
    ["upper", "Siti Rahayu", "SITI RAHAYU"],
    ["padStart:12", "5000", "000000005000"],
    ["padStart:12", 5_000n, "000000005000"],
    ["padStart:2", "12345", "12345"],
    ["padStart:0", "1", "1"],
    ["slice:0:4|int|padStart:6", "0021008457003", "000021"],
    ["padStart:6|slice:0:4|int", "42", "0"],
  ])("changes by %s the value %p to %p", (filters, value, expected) => {
    expect(render(`{a|${filters}}`, { a: value })).toBe(expected);
  });

  it.each<[string, string]>([
    ["int", "12a"],
    ["int", "-1"],
    ["int", " 1"],
    ["int", "１２"],
    ["plain", "1.5"],
    ["grouped", "1.000"],
  ])("does not show by %s what is no digits: %j", (filter, value) => {
    expect(() => render(`{a|${filter}}`, { a: value })).toThrow(
      new WireError(
        { record: "template", field: "a", offset: null, width: null },
        `cannot be shown with ${filter}: it is not digits`,
      ),
    );
  });

  it("does not show a group", () => {
    expect(() => render("{items}", { items: [] })).toThrow(
      "template, field items: is a group, which cannot be shown as text",
    );
  });

  it("tells the names it shows, each once, in order", () => {
    expect(compileTemplate("{amount}{a|int}{amount|plain}{{items}}", NAMES).names).toEqual(["amount", "a"]);
  });
});

describe("a template with faults", () => {
  const FILTERS = "slice, int, trim, upper, plain, grouped, padStart";
  it.each<[string, string, string[]]>([
    ["an unknown name", "{b}", ['{b}: there is no value named "b"']],
    ["no name", "{}", ['{}: there is no value named ""']],
    ["a name with blanks around it", "{ a }", ['{ a }: there is no value named " a "']],
    ["a name that every object carries", "{constructor}", ['{constructor}: there is no value named "constructor"']],
    ["an unknown filter", "{a|lower}", [`{a|lower}: there is no filter "lower", only ${FILTERS}`]],
    [
      "a filter that every object carries",
      "{a|toString}",
      [`{a|toString}: there is no filter "toString", only ${FILTERS}`],
    ],
    ["an empty filter", "{a|}", [`{a|}: there is no filter "", only ${FILTERS}`]],
    ["an argument too many", "{a|int:1}", ['{a|int:1}: "int:1" must be written int, numbers up to 999']],
    ["an argument too few", "{a|slice:1}", ['{a|slice:1}: "slice:1" must be written slice:from:to, numbers up to 999']],
    [
      "three bounds",
      "{a|slice:1:2:3}",
      ['{a|slice:1:2:3}: "slice:1:2:3" must be written slice:from:to, numbers up to 999'],
    ],
    [
      "bounds the wrong way round",
      "{a|slice:4:0}",
      ['{a|slice:4:0}: "slice:4:0" must be written slice:from:to, numbers up to 999'],
    ],
    [
      "a negative bound",
      "{a|slice:-1:2}",
      ['{a|slice:-1:2}: "slice:-1:2" must be written slice:from:to, numbers up to 999'],
    ],
    [
      "no width",
      "{a|padStart}",
      ['{a|padStart}: "padStart" must be written padStart:width (with zeros), numbers up to 999'],
    ],
    [
      "an empty width",
      "{a|padStart:}",
      ['{a|padStart:}: "padStart:" must be written padStart:width (with zeros), numbers up to 999'],
    ],
    [
      "a huge width",
      "{a|padStart:1000}",
      ['{a|padStart:1000}: "padStart:1000" must be written padStart:width (with zeros), numbers up to 999'],
    ],
    [
      "a width in hexadecimal",
      "{a|padStart:0x9}",
      ['{a|padStart:0x9}: "padStart:0x9" must be written padStart:width (with zeros), numbers up to 999'],
    ],
    ["an open brace", "a{", ['a "{" has no partner; write it twice to show it']],
    ["a closing brace", "a}", ['a "}" has no partner; write it twice to show it']],
    ["a brace too many", "{{a}", ['a "}" has no partner; write it twice to show it']],
    [
      "several faults",
      "{b}{a|x}}",
      [
        '{b}: there is no value named "b"',
        `{a|x}: there is no filter "x", only ${FILTERS}`,
        'a "}" has no partner; write it twice to show it',
      ],
    ],
  ])("is refused for %s", (_, template, problems) => {
    expect(problemsOf(template)).toEqual(problems);
  });

  it("is refused in reasonable time when it is nothing but braces", () => {
    expect(problemsOf(`${"{".repeat(99_999)}a`)).toHaveLength(1);
  });
});
