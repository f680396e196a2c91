import type { SettlementProfile } from "../../domain";
import { Fault } from "../../platform";
import { amountReader, dateReader, splitDelimited, Unreadable } from "../../wire";
import type { FileLine } from "./file-lines";
import { cutAt, dayText, type FileContext, lineReader, type LineValues } from "./line-reader";

/** One line of payments: what it says, or why it cannot be read, and then what was there. */
export type ReadLine =
  | { readonly lineNo: number; readonly values: LineValues }
  | { readonly lineNo: number; readonly fault: string; readonly raw: string };

/** What was counted on the way through a file. Whole rupiah. */
export interface FileCounts {
  readonly lines: number;
  readonly badLines: number;
  readonly amount: bigint;
  readonly fee: bigint;
}

/** Reads a file line by line by its profile: header, control records, lines of payments. */
export interface FileReader {
  /** What a line says; null: it is none of payments. @throws Fault when the file as a whole is not what the profile says */
  readonly read: (line: FileLine) => ReadLine | null;
  /** Lines of payments that were read without this reader. */
  readonly count: (plain: { readonly lines: number; readonly amount: bigint; readonly fee: bigint }) => void;
  /** Whether the next line can be one of payments only, or the trailer; and the header before it. */
  readonly body: () => { readonly header: FileHeader | null } | null;
  /** What was read, what is worth knowing, and what the control records say against it. @throws Fault likewise */
  finish(): { readonly counts: FileCounts; readonly remarks: readonly string[]; readonly totalsFault: string | null };
}

/** The line that names the columns. */
export interface FileHeader {
  readonly text: string;
  readonly names: readonly string[];
}

type Control = NonNullable<SettlementProfile["trailer"]>;

interface ControlValues {
  readonly lineNo: number;
  readonly count: bigint | null;
  readonly amount: bigint | null;
  readonly fee: bigint | null;
  readonly date: string | null;
}

const RAW_MAX = 500;

/** A reader of one file. */
export function fileReader(profile: SettlementProfile, context: Omit<FileContext, "header">): FileReader {
  const counts = { lines: 0, badLines: 0, amount: 0n, fee: 0n };
  const controls: ControlValues[] = [];
  let readLine: ((line: string) => LineValues | Unreadable) | null = null;
  let header: FileHeader | null = null;
  let isOpened = profile.opening === null;
  let trailerAt = 0;
  let blanks = 0;

  const control = (record: Control, name: string, { lineNo, text }: FileLine): void => {
    const values = controlReader(profile, record)(text, name, lineNo);
    if (values.date !== null && values.date !== context.settlementDate) {
      fail(`${name} in line ${lineNo} is of ${values.date}, the file is taken for ${context.settlementDate}`);
    }
    controls.push(values);
  };

  const readOne = (line: FileLine): ReadLine | null => {
    const { lineNo, text } = line;
    if (line.fault === null && text.trim() === "") {
      blanks += 1;
      return null;
    }
    if (trailerAt > 0) fail(`line ${lineNo} comes after the trailer in line ${trailerAt}: are these two files in one?`);
    const { opening, trailer } = profile;
    if (!isOpened && opening !== null) {
      if (!text.startsWith(opening.startsWith)) fail(`line ${lineNo} must begin with ${opening.startsWith}`);
      control(opening, "the opening record", line);
      isOpened = true;
      return null;
    }
    if (profile.header === "columns" && header === null) {
      header = { text, names: headerOf(profile, line) };
      readLine = lineReader(profile, { ...context, header: header.names });
      return null;
    }
    if (trailer !== null && text.startsWith(trailer.startsWith)) {
      control(trailer, "the trailer", line);
      trailerAt = lineNo;
      return null;
    }
    readLine ??= lineReader(profile, { ...context, header: null });
    const found = line.fault ?? (text === header?.text ? "is the header again" : readLine(text));
    counts.lines += 1;
    if (typeof found === "object" && !(found instanceof Unreadable)) {
      counts.amount += found.toldAmount;
      counts.fee += found.feeAmount ?? 0n;
      return { lineNo, values: found };
    }
    counts.badLines += 1;
    return { lineNo, fault: typeof found === "string" ? found : found.reason, raw: rawOf(text) };
  };

  return {
    read: readOne,
    count(plain) {
      counts.lines += plain.lines;
      counts.amount += plain.amount;
      counts.fee += plain.fee;
    },
    body: () => (readLine === null || trailerAt > 0 ? null : { header }),
    finish() {
      if (!isOpened || (profile.header === "columns" && header === null))
        fail("the file holds nothing but blank lines");
      if (header === null && controls.length === 0 && counts.lines === 0)
        fail("the file holds nothing but blank lines");
      if (profile.trailer !== null && trailerAt === 0) {
        fail(
          `the trailer is missing (a last line that begins with ${profile.trailer.startsWith}): the file is cut off`,
        );
      }
      if (counts.lines > 0 && counts.badLines === counts.lines) {
        fail(`none of its ${counts.lines} lines can be read: is this the right profile?`);
      }
      const remarks = blanks === 0 ? [] : [`${blanks} blank lines left out`];
      const faults = controls.flatMap((values) => totalsFaults(values, counts));
      return { counts, remarks, totalsFault: faults.length === 0 ? null : faults.join("; ") };
    },
  };
}

function fail(problem: string): never {
  throw new Fault("settlement_file", problem);
}

function headerOf(profile: SettlementProfile, { lineNo, text, fault }: FileLine): string[] {
  if (fault !== null) fail(`the header in line ${lineNo} ${fault}`);
  if (profile.format.kind === "fixed") return [];
  const { delimiter, quoted, columnCount } = profile.format;
  const names = splitDelimited(text, delimiter, quoted);
  if (names instanceof Unreadable) fail(`the header in line ${lineNo}: ${names.reason}`);
  if (columnCount !== null && names.length !== columnCount) {
    fail(
      `the header in line ${lineNo} has ${names.length} columns, expected ${columnCount}: ${rawOf(text).slice(0, 200)}`,
    );
  }
  return names.map((name) => name.trim());
}

function controlReader(
  profile: SettlementProfile,
  record: Control,
): (text: string, name: string, lineNo: number) => ControlValues {
  const readAmount = amountReader(profile.amounts);
  const readCount = amountReader({ thousands: "", decimals: "", decimalPlaces: 0, prefix: "" });
  return (text, name, lineNo) => {
    const { format } = profile;
    const split = format.kind === "fixed" ? [] : splitDelimited(text, format.delimiter, format.quoted);
    if (split instanceof Unreadable) fail(`${name} in line ${lineNo}: ${split.reason}`);
    const value = <T>(at: Control["count"], what: string, read: (cell: string) => T | Unreadable): T | null => {
      if (at === null) return null;
      const found = read(cutAt(at, null)(text, split));
      if (found instanceof Unreadable) fail(`${name} in line ${lineNo}: its ${what} ${found.reason}`);
      return found;
    };
    const { date } = record;
    const day = date === null ? null : value(date.at, "date", dateReader(date.form));
    return {
      lineNo,
      count: value(record.count, "count", readCount),
      amount: value(record.amount, "sum of amounts", readAmount),
      fee: value(record.fee, "sum of fees", readAmount),
      date: day === null ? null : dayText(day),
    };
  };
}

function totalsFaults({ lineNo, count, amount, fee }: ControlValues, found: FileCounts): string[] {
  const told: readonly (readonly [what: string, told: bigint | null, found: bigint])[] = [
    ["lines", count, BigInt(found.lines)],
    ["as the sum of amounts", amount, found.amount],
    ["as the sum of fees", fee, found.fee],
  ];
  const bad = found.badLines === 0 ? "" : ` (without ${found.badLines} bad lines)`;
  return told.flatMap(([what, said, is]) =>
    said === null || said === is
      ? []
      : [`line ${lineNo} says ${said} ${what}, the file has ${is}${what === "lines" ? "" : bad}`],
  );
}

/** What is kept of a bad line: its beginning, with everything that is not to be seen written out. */
export function rawOf(text: string): string {
  // Control characters, signs that turn the direction of writing, and halves of characters.
  const shown = text.slice(0, RAW_MAX).replaceAll(/\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}/gu, (sign) => {
    return `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return text.length > RAW_MAX ? `${shown}…` : shown;
}
