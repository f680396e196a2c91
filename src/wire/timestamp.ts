const WIB_OFFSET_MICROS = 7n * 3_600_000_000n;
const DAY_MICROS = 86_400_000_000n;

/** Day, month, year, time, up to six digits of fraction, an offset; blanks may stand after colons. */
const FORM =
  /^([0-9]{2})-([0-9]{2})-([0-9]{4}) {1,2}([0-9]{2}): {0,2}([0-9]{2}): {0,2}([0-9]{2})(?:: {0,2}([0-9]{1,6}))?(?::? {0,2}([+-])([0-9]{2}):([0-9]{2}))?$/;

/** Which of the forms that were seen a time stamp has; `other` for one that can be read all the same. */
export type SwitchTimestampForm = "seconds" | "spaced" | "milliseconds" | "offset" | "microseconds" | "other";

const FORMS: readonly (readonly [form: SwitchTimestampForm, pattern: RegExp])[] = [
  ["seconds", /^.{10} [0-9]{2}:[0-9]{2}:[0-9]{2}$/],
  ["spaced", /^.{10} [0-9]{2}: [0-9]{2}: [0-9]{2}$/],
  ["milliseconds", /^.{10} [0-9]{2}:[0-9]{2}:[0-9]{2}:[0-9]{3}$/],
  ["offset", /^.{10} [0-9]{2}:[0-9]{2}:[0-9]{2}:[+-][0-9]{2}:[0-9]{2}$/],
  ["microseconds", /^.{10} [0-9]{2}:[0-9]{2}:[0-9]{2}:[0-9]{6}$/],
];

/** The form of a text that `parseSwitchTimestamp` can read. */
export function formOfSwitchTimestamp(text: string): SwitchTimestampForm {
  return FORMS.find(([, pattern]) => pattern.test(text))?.[0] ?? "other";
}

/**
 * The instant of a switch time stamp in microseconds since the epoch, or null when it is none. Without an offset it is
 * Western Indonesian time, UTC+7, as everything the switch sends.
 *
 * Forms seen: `20-03-2023 10:40:40`, `20-03-2023 10: 40: 40`, `09-06-2017 09:05:32:340`, `11-06-2024 14:46:12:+07:00`,
 * `24-06-2023 13:05:36:396538`. The text itself is what is signed and echoed; nothing is written back from the instant.
 */
export function parseSwitchTimestamp(text: string): bigint | null {
  const found = FORM.exec(text);
  if (found === null) return null;
  const [day, month, year, hours, minutes, seconds] = found.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(month, year) || year < 1970) return null;
  if (hours > 23 || minutes > 59 || seconds > 59) return null;
  const offset = offsetMicros(found[8], found[9], found[10]);
  if (offset === null) return null;
  const fraction = BigInt((found[7] ?? "").padEnd(6, "0"));
  const ofDay = BigInt((hours * 60 + minutes) * 60 + seconds) * 1_000_000n + fraction;
  return BigInt(daysSinceEpoch(day, month, year)) * DAY_MICROS + ofDay - offset;
}

function offsetMicros(sign?: string, hours?: string, minutes?: string): bigint | null {
  if (sign === undefined) return WIB_OFFSET_MICROS;
  const [wholeHours, wholeMinutes] = [Number(hours), Number(minutes)];
  if (wholeHours > 14 || wholeMinutes > 59) return null;
  const size = BigInt(wholeHours * 60 + wholeMinutes) * 60_000_000n;
  return sign === "-" ? -size : size;
}

/** Forms that we write: without a fraction, or with three or six digits of it. */
export type EmittedTimestampForm = Extract<SwitchTimestampForm, "seconds" | "milliseconds" | "microseconds">;

const FRACTION_DIGITS: Readonly<Record<EmittedTimestampForm, number>> = {
  seconds: 0,
  milliseconds: 3,
  microseconds: 6,
};

/**
 * `DD-MM-YYYY HH:MI:SS:FFFFFF` in Western Indonesian time, 26 characters, from microseconds since the epoch; fewer with
 * another form.
 *
 * @throws RangeError when the year has not four digits
 */
export function formatSwitchTimestamp(epochMicros: bigint, form: EmittedTimestampForm = "microseconds"): string {
  const local = epochMicros + WIB_OFFSET_MICROS;
  // Never negative, also for instants before the epoch.
  const micros = ((local % 1_000_000n) + 1_000_000n) % 1_000_000n;
  // Shifted by the offset and read as UTC: Indonesia's west has no daylight saving time.
  const iso = new Date(Number((local - micros) / 1000n)).toISOString();
  if (!/^[0-9]{4}-/.test(iso)) throw new RangeError("a time stamp has a year of four digits");
  const date = `${iso.slice(8, 10)}-${iso.slice(5, 7)}-${iso.slice(0, 4)}`;
  const fraction = micros.toString().padStart(6, "0").slice(0, FRACTION_DIGITS[form]);
  return `${date} ${iso.slice(11, 19)}${fraction === "" ? "" : `:${fraction}`}`;
}

function daysIn(month: number, year: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** Day number counted from 1970-01-01, by integer arithmetic only (Howard Hinnant's days_from_civil). */
function daysSinceEpoch(day: number, month: number, year: number): number {
  const shiftedYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(shiftedYear / 400);
  const yearOfEra = shiftedYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
