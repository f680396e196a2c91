import * as fc from "fast-check";
import { fileNameReader } from "../../src/wire";

const PARTS: Readonly<Record<string, string>> = {
  ca: "[^_/\\\\]{1,40}",
  product: "[^_/\\\\]{1,40}",
  date: "[0-9A-Za-z.-]{6,20}",
  any: "[^/\\\\]{0,80}",
};

/** The same by a regular expression, whose time is not bounded. */
function expressionOf(pattern: string): (name: string) => Record<string, string> | null {
  const seen = new Set<string>();
  const source = pattern.replaceAll(/\{(\w+)\}|([^{}]+)/g, (_all, part?: string, text?: string) => {
    if (part === undefined) return (text ?? "").replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    if (seen.has(part)) return "[^_/\\\\]{1,40}";
    seen.add(part);
    return `(?<${part}>${PARTS[part]})`;
  });
  const expression = new RegExp(`^${source}$`, "i");
  return (name) => expression.exec(name)?.groups ?? null;
}

describe("names of settlement files", () => {
  it("are read as a regular expression would, which may take for ever", () => {
    const literal = fc.constantFrom("_", ".", "-", "a", "B", "x.", "_A", "+");
    const others = fc.array(fc.oneof(literal, fc.constantFrom("{ca}", "{product}", "{any}")), { maxLength: 3 });
    const pattern = fc.tuple(others, others).map(([before, behind]) => [...before, "{date}", ...behind].join(""));
    const name = fc.string({ unit: fc.constantFrom(..."ab_.-AB19x+/".split("")), maxLength: 24 });
    let read = 0;
    fc.assert(
      fc.property(pattern, fc.array(name, { minLength: 10, maxLength: 20 }), (given, names) => {
        const reader = fileNameReader(given);
        const expression = expressionOf(given);
        for (const each of names) {
          const expected = expression(each);
          if (expected !== null) read += 1;
          expect(reader(each)).toEqual(
            expected === null
              ? null
              : { ca: expected["ca"] ?? null, product: expected["product"] ?? null, date: expected["date"] },
          );
        }
      }),
      { numRuns: 1_500 },
    );
    expect(read).toBeGreaterThan(200);
  });
});
