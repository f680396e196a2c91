import type { ReportLanguage } from "./words";

/** Written out here and not taken from the machine, whose tables differ: the same bytes everywhere. */
const MONTHS: Readonly<Record<ReportLanguage, readonly string[]>> = {
  id: [
    ...["Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September"],
    ...["Oktober", "November", "Desember"],
  ],
  en: [
    ...["January", "February", "March", "April", "May", "June", "July", "August", "September"],
    ...["October", "November", "December"],
  ],
};

const JAKARTA_MS = 7 * 3_600_000;
const DAY_MS = 86_400_000;

/** `2026-11-20` as `20 November 2026`; what is no date stays as it is. */
export function dateText(date: string, language: ReportLanguage): string {
  const [, year = "", month = "", day = ""] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date) ?? [];
  const name = MONTHS[language][Number(month) - 1];
  return name === undefined ? date : `${Number(day)} ${name} ${year}`;
}

/** An instant (UTC) as Jakarta's clock shows it, with its zone: `20 November 2026 17.05.33 WIB`, with colons in English. */
export function jakartaText(instant: string, language: ReportLanguage): string {
  const ms = Date.parse(instant);
  if (Number.isNaN(ms)) return instant;
  const [date = "", time = ""] = new Date(ms + JAKARTA_MS).toISOString().slice(0, 19).split("T");
  return `${dateText(date, language)} ${language === "id" ? time.replaceAll(":", ".") : time} WIB`;
}

/** Whole digits in groups of three: `1.234.567` in Indonesian, `1,234,567` in English. */
export function grouped(digits: string, language: ReportLanguage): string {
  return digits.replaceAll(/\B(?=(\d{3})+$)/g, language === "id" ? "." : ",");
}

/** The number that a spreadsheet counts a date by: days since 30 December 1899; null for what is no date. */
export function spreadsheetDay(date: string): number | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return null;
  const ms = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(ms) ? null : Math.round((ms - Date.UTC(1899, 11, 30)) / DAY_MS);
}

/** Code page 1252, which the fonts of every PDF reader have. */
const IN_FONT = /^[\u0020-\u007e\u00a1-\u00ac\u00ae-\u00ff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]$/u;

/** Letters that do not come apart into a letter and an accent. */
const LETTERS: Readonly<Record<string, string>> = Object.fromEntries([
  ...pairs("ĐĦŁŊŦıđħłŋŧĸə", "D H L N T i d h l n t k e"),
  ...pairs("−‐‑‒―′″\u00a0\u202f\u2009", "- - - - - ' \"    "),
  ...pairs(
    "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ",
    "A B V G D E Zh Z I Y K L M N O P R S T U F Kh Ts Ch Sh Shch ' Y ' E Yu Ya",
  ),
  ...pairs(
    "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch ' y ' e yu ya",
  ),
  ...pairs("ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ", "A V G D E Z I Th I K L M N X O P R S T Y F Ch Ps O"),
  ...pairs("αβγδεζηθικλμνξοπρστυφχψως", "a v g d e z i th i k l m n x o p r s t y f ch ps o s"),
]);

function pairs(letters: string, latin: string): (readonly [string, string])[] {
  const parts = latin.split(" ");
  return Array.from(letters, (letter, at) => [letter, parts[at] || " "] as const);
}

/**
 * Text in letters that the fonts have. Others are written in Latin letters; what has none, for instance Chinese, as its number:
 * `[U+4F60]`, so that two names stay two.
 */
export function printable(text: string): string {
  return Array.from(text.normalize("NFC"), (letter) => {
    const known = IN_FONT.test(letter) ? letter : LETTERS[letter];
    if (known !== undefined) return known;
    const plain = Array.from(letter.normalize("NFKD").replaceAll(/\p{M}/gu, ""), (part) =>
      IN_FONT.test(part) ? part : LETTERS[part],
    );
    if (plain.length > 0 && plain.every((part) => part !== undefined)) return plain.join("");
    if (/^[\p{Cc}\p{Zs}\p{Zl}\p{Zp}]$/u.test(letter)) return " ";
    if (/^[\p{M}\p{Cf}]$/u.test(letter)) return "";
    return `[U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`;
  }).join("");
}
