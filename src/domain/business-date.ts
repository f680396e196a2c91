/** Western Indonesian time is UTC+7 all year; Indonesia has no daylight saving time. */
const JAKARTA_OFFSET_MS = 7 * 3_600_000;
const DAY_MS = 86_400_000;

/**
 * The business date, `YYYY-MM-DD` in Jakarta, of an instant in milliseconds since the epoch.
 *
 * @param cutOff hh:mm from which the next date counts; `24:00` for plain midnight
 */
export function businessDateOf(epochMs: number, cutOff: string): string {
  const hours = Number(cutOff.slice(0, 2));
  const minutes = Number(cutOff.slice(3, 5));
  const shiftMs = DAY_MS - (hours * 60 + minutes) * 60_000;
  const days = Math.floor((epochMs + JAKARTA_OFFSET_MS + shiftMs) / DAY_MS);
  return dateFromDays(days);
}

/** Calendar date of a day number counted from 1970-01-01, by integer arithmetic only (Howard Hinnant's civil_from_days). */
function dateFromDays(daysSinceEpoch: number): string {
  const z = daysSinceEpoch + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** Whole days from one calendar date to another, both `YYYY-MM-DD`; negative when the second is the earlier one. */
export function daysBetween(from: string, to: string): number {
  return from === to ? 0 : daysFromDate(to) - daysFromDate(from);
}

/** The calendar date that many days after another; before it, with a negative number. */
export function dateAfter(date: string, days: number): string {
  return dateFromDays(daysFromDate(date) + days);
}

function daysFromDate(date: string): number {
  return Date.UTC(Number(date.slice(0, 4)), Number(date.slice(5, 7)) - 1, Number(date.slice(8, 10))) / DAY_MS;
}
