import { firstNonPrintable } from "./ascii";

/** Letters and punctuation that Unicode's own decomposition leaves alone, each with what it is written as. */
const SPELLED: ReadonlyMap<string, string> = new Map(
  [
    "ß ss",
    "ẞ SS",
    "Æ AE",
    "æ ae",
    "Œ OE",
    "œ oe",
    "Ø O",
    "ø o",
    "Þ Th",
    "þ th",
    "Ð D",
    "ð d",
    "Đ D",
    "đ d",
    "Ł L",
    "ł l",
    "Ħ H",
    "ħ h",
    "Ŧ T",
    "ŧ t",
    "Ŋ N",
    "ŋ n",
    "ı i",
    "€ EUR",
    "© (c)",
    "® (r)",
    "× x",
    "÷ /",
    "∕ /",
    "⁄ /",
    "‘ '",
    "’ '",
    "‚ '",
    "‛ '",
    "‹ '",
    "› '",
    "′ '",
    "ʹ '",
    "ʻ '",
    "ʼ '",
    "ʾ '",
    "ʿ '",
    "• *",
    "· .",
    '“ "',
    '” "',
    '„ "',
    '‟ "',
    '« "',
    '» "',
    "‐ -",
    "‒ -",
    "– -",
    "— -",
    "― -",
    "− -",
  ].map((pair) => [pair.slice(0, 1), pair.slice(2)]),
);

/**
 * Text as fixed-width fields can hold it: printable ASCII, always, for any string.
 *
 * Compatibility decomposition (NFKD), combining marks dropped, a fixed table for letters and punctuation that do not
 * decompose; each remaining code point outside U+0020 to U+007E (control characters and lone surrogates too) becomes one
 * "?". ASCII comes back unchanged, so doing it twice changes nothing.
 *
 * The length may change: marks make it shorter, ligatures and fractions longer ("ﬁ" is two, "½" three, one Arabic ligature
 * eighteen characters). Whoever needs a width cuts or pads afterwards.
 */
export function transliterate(text: string): string {
  if (firstNonPrintable(text) === -1) return text;
  // Decomposing is a matter of each code point alone once marks are dropped, so hostile text that is one ligature over and
  // over is worked out once: 100 KB of it take 1 ms instead of 55.
  const spelled = new Map<string, string>();
  let plain = "";
  for (const letter of text) {
    let spelling = spelled.get(letter);
    if (spelling === undefined) {
      spelling = spell(letter);
      spelled.set(letter, spelling);
    }
    plain += spelling;
  }
  return plain;
}

/** One code point. */
function spell(letter: string): string {
  if (firstNonPrintable(letter) === -1) return letter;
  let plain = "";
  for (const part of letter.normalize("NFKD")) {
    if (MARK.test(part)) continue;
    plain += firstNonPrintable(part) === -1 ? part : (SPELLED.get(part) ?? "?");
  }
  return plain;
}

const MARK = /^\p{M}$/u;
