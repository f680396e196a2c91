import { rupiahText, spanText, timeText } from "../../../src/http/pages/format";
import { escaped, escapedVisibly, html } from "../../../src/platform";
import { languageOf, WORDS } from "../../../src/http/pages/words";

describe("text in a page", () => {
  it.each([
    [
      "markup",
      `<script>alert("1")</script> & 'x'`,
      "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;",
    ],
    ["what is escaped already", "&lt;", "&amp;lt;"],
    ["direction marks", "a\u202Eb\u2066c\u200Fd\u061Ce", "abcde"],
    ["control characters and separators", "a\u0000b\u001Bc\u0085d\u2028e\u2029f\uFEFFg\u200Bh", "abcdefgh"],
    ["lone surrogates", "a\uD83Db\uDE00c", "abc"],
    ["marks piled on a letter", `Z${"\u0300".repeat(50)}a`, `Z${"\u0300".repeat(4)}a`],
    ["line ends", "a\nb\tc", "a\nb\tc"],
    ["emoji with joiners, and letters of other scripts", "👨‍👩‍👧 🎉 नमस्ते ชื่อ", "👨‍👩‍👧 🎉 नमस्ते ชื่อ"],
  ])("has %s made harmless or kept", (_, given, shown) => {
    expect(escaped(given)).toBe(shown);
  });

  it("shows what cannot be seen to those who look for it, and leaves emoji whole", () => {
    expect(escapedVisibly(`<a href="x">'&`)).toBe("&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
    expect(escapedVisibly("\u0000\u202e\ud800\u200b\n\tz👨‍👩‍👧")).toBe("\\u{0}\\u{202e}\\u{d800}\\u{200b}\n\tz👨‍👩‍👧");
  });

  it("is escaped where it is put into a template, markup is not", () => {
    expect(html`<p title="${'"'}">${"<b>"}${html`<i>${1}</i>`}${[html`a`, html`b`]}</p>`.text).toBe(
      `<p title="&quot;">&lt;b&gt;<i>1</i>ab</p>`,
    );
  });
});

describe("the language of a page", () => {
  it.each<[unknown, "EN" | "ID" | null, string, string]>([
    ["en", "ID", "id", "en"],
    ["id", "EN", "en", "id"],
    ["xx", "EN", "id", "en"],
    [["en", "id"], "ID", "en", "id"],
    [undefined, "ID", "en", "id"],
    [undefined, null, "en-GB,en;q=0.9,id;q=0.8", "en"],
    [undefined, null, "fr, id;q=0.5, en;q=0.4", "id"],
    [undefined, null, "en;q=0, id;q=0.1", "id"],
    [undefined, null, "en;q=0.2, id-ID", "id"],
    [undefined, null, "", "id"],
    [undefined, null, `en;q=${"9".repeat(500)}.,;;;q=,\u0000`, "en"],
  ])("asked %p, bill %p, browser %p: %s", (asked, ofBill, accepted, language) => {
    expect(languageOf(asked, ofBill, accepted)).toBe(language);
  });

  it("has the same words as the other one", () => {
    const shapeOf = (value: unknown): unknown =>
      typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)]))
        : typeof value;
    expect(shapeOf(WORDS.id)).toEqual(shapeOf(WORDS.en));
    for (const words of [WORDS.id, WORDS.en]) {
      for (const text of [words.range, words.free]) expect(text).toMatch(/\{min\}.*\{max\}/);
    }
  });
});

describe("numbers and times", () => {
  it("are written as each language does", () => {
    expect(rupiahText(999_999_999_999n, "id")).toBe("Rp\u00a0999.999.999.999");
    expect(rupiahText(50_000n, "en")).toBe("Rp\u00a050,000");
    const instant = Date.UTC(2026, 10, 21, 17, 5);
    expect(timeText(instant, "id")).toBe("Minggu, 22 November 2026, 00.05 WIB");
    expect(timeText(instant, "en")).toBe("Sunday, 22 November 2026, 00:05 WIB");
  });

  it.each([
    [59_999, null, null],
    [0, null, null],
    [-1, null, null],
    [60_000, "1 menit", "1 minute"],
    [3_600_000, "1 jam", "1 hour"],
    [2 * 3_600_000 + 180_000, "2 jam 3 menit", "2 hours 3 minutes"],
    [86_400_000 + 59 * 60_000, "1 hari", "1 day"],
    [3 * 86_400_000 + 7_200_000 + 60_000, "3 hari 2 jam", "3 days 2 hours"],
  ])("%d milliseconds left", (leftMs, indonesian, english) => {
    expect(spanText(leftMs, "id")).toBe(indonesian);
    expect(spanText(leftMs, "en")).toBe(english);
  });
});
