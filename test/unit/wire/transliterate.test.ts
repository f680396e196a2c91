import { firstNonPrintable, transliterate } from "../../../src/wire";

const ASCII = String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 0x20 + index));

describe("transliterating", () => {
  it.each<[string, string, string]>([
    ["nothing", "", ""],
    ["all printable ASCII", ASCII, ASCII],
    ["accents", "Café Ñoño Ğül", "Cafe Nono Gul"],
    ["accents as marks of their own", "e\u0301n\u0303", "en"],
    ["letters that do not decompose", "ß Æ æ Œ ø Þ ð Ł Đ ı ŋ", "ss AE ae OE o Th d L D i n"],
    ["curly quotes", "“Jum’at” ‘x’ «y»", '"Jum\'at" \'x\' "y"'],
    ["dashes", "a–b—c‑d−e", "a-b-c-d-e"],
    ["an ellipsis", "a…", "a..."],
    ["blanks of other widths", "a\u00a0b\u2003c\u3000d", "a b c d"],
    ["full-width letters and digits", "ＡＢ１２", "AB12"],
    ["ligatures", "ﬁ", "fi"],
    ["fractions", "½", "1/2"],
    ["signs", "€ © ® × ·", "EUR (c) (r) x ."],
    ["control characters", "a\tb\nc\0d\u007fe\u0085", "a?b?c?d?e?"],
    ["other scripts, one mark for each letter", "日本", "??"],
    ["Cyrillic", "Да", "??"],
    ["one mark for a character outside the basic plane", "a😀b", "a?b"],
    ["mathematical letters outside the basic plane", "𝐀𝟙", "A1"],
    ["a lone high surrogate", "a\ud83d", "a?"],
    ["a lone low surrogate", "\ude00b", "?b"],
    ["a byte order mark", "\ufeffa", "?a"],
    ["a ligature that spells out as a phrase of eighteen characters", "\ufdfa", "??? ???? ???? ????"],
  ])("writes %s", (_, text, expected) => {
    expect(transliterate(text)).toBe(expected);
  });

  it("changes nothing the second time", () => {
    for (const text of ["Ünïcödé ½ 日本 \ud83d", "“ﬁ”\t…"]) {
      expect(transliterate(transliterate(text))).toBe(transliterate(text));
    }
  });

  it("leaves nothing of text that is marks only, however many", () => {
    expect(transliterate("\u0301\u0316".repeat(200_000))).toBe("");
  });

  it("gives printable ASCII for every character of the basic plane", () => {
    const bad: string[] = [];
    for (let code = 0; code <= 0xffff; code++) {
      if (firstNonPrintable(transliterate(`a${String.fromCharCode(code)}`)) !== -1) bad.push(code.toString(16));
    }
    expect(bad).toEqual([]);
  });
});

describe("finding what is not printable ASCII", () => {
  it.each<[string, number]>([
    ["", -1],
    [ASCII, -1],
    ["\u001f", 0],
    ["a\u007f", 1],
    ["ab\u0080", 2],
    ["a\n", 1],
    ["😀", 0],
  ])("in %j gives %d", (text, offset) => {
    expect(firstNonPrintable(text)).toBe(offset);
  });
});
