import type { Language } from "./words";

/** How each language writes numbers and times. English as it is written in Europe: the day before the month. */
const LOCALES: Readonly<Record<Language, string>> = { id: "id-ID", en: "en-GB" };

/** `Rp 50.000`, `Rp 50,000`; the blank does not break. Whole rupiah. */
export function rupiahText(amount: bigint, language: Language): string {
  const locale = language === "id" ? "id-ID" : "en-US";
  return `Rp\u00a0${new Intl.NumberFormat(locale).format(amount)}`;
}

/** A day and a time of day in Jakarta, with its name for the time zone. */
export function timeText(epochMs: number, language: Language): string {
  const form = new Intl.DateTimeFormat(LOCALES[language], {
    ...{ weekday: "long", day: "numeric", month: "long", year: "numeric" },
    ...{ hour: "2-digit", minute: "2-digit", timeZone: "Asia/Jakarta" },
  });
  return `${form.format(epochMs).replace(/\s+(?:at|pukul)\s+/, ", ")} WIB`;
}

const MINUTE_MS = 60_000;

/** How long something still takes: days and hours, hours and minutes, or minutes; null below one minute. */
export function spanText(leftMs: number, language: Language): string | null {
  const minutes = Math.floor(leftMs / MINUTE_MS);
  const parts: readonly [number, string][] = [
    [Math.floor(minutes / 1_440), "day"],
    [Math.floor(minutes / 60) % 24, "hour"],
    [minutes % 60, "minute"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return null;
  const shown = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown
    .map(([count, unit]) =>
      new Intl.NumberFormat(LOCALES[language], { style: "unit", unit, unitDisplay: "long" }).format(count),
    )
    .join(" ");
}
