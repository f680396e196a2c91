import { placesOf, type SettlementProfile } from "../../domain";
import { Fault } from "../../platform";
import { splitDelimited, Unreadable } from "../../wire";
import { controlReader, ControlSums, type ControlValues } from "./control-records";
import type { FileLine } from "./file-lines";
import { namedColumns, UnreadableLine } from "./line-columns";
import { type FileContext, lineReader, type LineValues, type OthersLine } from "./line-reader";
import { LeftOut } from "./left-out";
import { rawOf } from "./shown-text";

/** One line of payments: what it says, or why it cannot be read, and then what was there. */
export type ReadLine =
  | { readonly lineNo: number; readonly values: LineValues }
  | { readonly lineNo: number; readonly fault: string; readonly raw: string; readonly why: UnreadableLine };

/** What was counted on the way through a file. Whole rupiah, as the lines have them in the books. */
export interface FileCounts {
  readonly lines: number;
  readonly badLines: number;
  readonly amount: bigint;
  readonly fee: bigint;
}

/** What is known of a file so far. */
export interface FileSummary {
  readonly counts: FileCounts;
  /** What is worth knowing, each in one sentence. */
  readonly remarks: readonly string[];
  /** What the control records say against the file. */
  readonly totalsFault: string | null;
  /** Control records that were read. */
  readonly controls: number;
  readonly header: FileHeader | null;
}

/** Reads a file line by line by its profile: title, header, control records, lines of payments, footer. */
export interface FileReader {
  /** What a line says; null: it is none of payments. @throws Fault when the file as a whole is not what the profile says */
  readonly read: (line: FileLine) => ReadLine | null;
  /** Lines of payments that were read without this reader. */
  readonly count: (plain: { readonly lines: number; readonly amount: bigint; readonly fee: bigint }) => void;
  /** Whether the next line can be one of payments only, or the trailer; and the header before it. */
  readonly body: () => { readonly header: FileHeader | null } | null;
  /** What is known so far, also where the file was refused. */
  readonly summary: () => FileSummary;
  /** What was read. @throws Fault likewise */
  finish(): FileSummary;
}

/** The line that names the columns. */
export interface FileHeader {
  readonly lineNo: number;
  readonly text: string;
  readonly names: readonly string[];
}

const TITLE_LINES_MAX = 100;
/** How many lines a refusal names. */
const NAMED_MAX = 3;

/** A reader of one file. */
export function fileReader(profile: SettlementProfile, context: Omit<FileContext, "header">): FileReader {
  const counts = { lines: 0, badLines: 0, amount: 0n, fee: 0n };
  const controls: ControlValues[] = [];
  const sums = new ControlSums();
  const leftOut = new LeftOut(profile.leaveOut);
  const named: string[] = [];
  const coversAll = profile.columns.owner?.totalsCover === "all";
  let readLine: ReturnType<typeof lineReader> | null = null;
  let header: FileHeader | null = null;
  let isOpened = profile.opening === null;
  let trailerAt = 0;

  const control = (name: "opening" | "trailer", { lineNo, text }: FileLine): void => {
    const words = name === "opening" ? "the opening record" : "the trailer";
    const record = profile[name];
    if (record === null) return;
    const values = controlReader(profile, record)(text, words, lineNo);
    const { settlementDate } = context;
    if (values.date !== null && settlementDate !== null && values.date !== settlementDate) {
      fail(`${words} in line ${lineNo} is of ${values.date}, the file is taken for ${settlementDate}`);
    }
    controls.push(values);
  };

  /** Whether a line stands before the header, by number or because it does not name the columns. */
  const isTitle = (line: FileLine): boolean => {
    const { title } = profile;
    if (title === null) return false;
    if ("lines" in title) return line.lineNo <= title.lines;
    if (header !== null || namesColumns(profile, line)) return false;
    if (leftOut.titles >= TITLE_LINES_MAX) fail(noHeader(profile));
    return true;
  };

  const others = (found: OthersLine): null => {
    leftOut.addOthers(found.owner);
    if (coversAll) {
      if (found.told === null) sums.addBad();
      else sums.add(found.told);
    }
    return null;
  };

  const payment = (line: FileLine): ReadLine | null => {
    const { lineNo, text } = line;
    readLine ??= lineReader(profile, { ...context, header: null });
    const fault = line.fault ?? (text === header?.text ? "is the header again" : null);
    const found = fault === null ? readLine(text) : new UnreadableLine(fault);
    if ("owner" in found) return others(found);
    counts.lines += 1;
    if (!(found instanceof UnreadableLine)) {
      counts.amount += found.amount;
      counts.fee += found.feeAmount ?? 0n;
      leftOut.charges += found.told.isTakenBack ? -found.charge : found.charge;
      sums.add(found.told);
      return { lineNo, values: found };
    }
    counts.badLines += 1;
    sums.addBad();
    const raw = rawOf(text);
    if (named.length < NAMED_MAX) named.push(`line ${lineNo}: ${found.text}: ${shownOf(found, text)}`);
    return { lineNo, fault: found.text, raw, why: found };
  };

  const footer = (line: FileLine): null => {
    const { lineNo, text } = line;
    const asWhat = `line ${lineNo} comes after the trailer in line ${trailerAt}`;
    leftOut.footers += 1;
    if (leftOut.footers > profile.footerLines) fail(`${asWhat}: are these two files in one?`);
    const found = line.fault === null ? readLine?.(text) : undefined;
    const isTrailer = profile.trailer !== null && text.startsWith(profile.trailer.startsWith);
    if (isTrailer || text === header?.text || (found !== undefined && !(found instanceof UnreadableLine)))
      fail(`${asWhat} and is no footer: are these two files in one?`);
    return null;
  };

  const readOne = (line: FileLine): ReadLine | null => {
    const { lineNo, text } = line;
    const isBlank = line.fault === null && text.trim() === "";
    if (profile.title !== null && "lines" in profile.title && isTitle(line)) {
      leftOut.titles += 1;
      return null;
    }
    if (isBlank) {
      leftOut.blanks += 1;
      return null;
    }
    if (trailerAt > 0) return footer(line);
    if (leftOut.takes(text)) return null;
    if (isTitle(line)) {
      leftOut.titles += 1;
      return null;
    }
    if (!isOpened && profile.opening !== null) {
      const { startsWith } = profile.opening;
      if (!text.startsWith(startsWith)) fail(`line ${lineNo} must begin with ${startsWith}: it is ${quoted(text)}`);
      control("opening", line);
      isOpened = true;
      return null;
    }
    if (profile.header === "columns" && header === null) {
      header = { lineNo, text, names: headerOf(profile, line) };
      readLine = lineReader(profile, { ...context, header: header.names });
      return null;
    }
    if (profile.trailer !== null && text.startsWith(profile.trailer.startsWith)) {
      control("trailer", line);
      trailerAt = lineNo;
      return null;
    }
    return payment(line);
  };

  const summary = (): FileSummary => {
    const otherLines = {
      title: leftOut.titles,
      opening: profile.opening !== null && isOpened ? 1 : 0,
      header: header === null ? 0 : 1,
      trailer: trailerAt > 0 ? 1 : 0,
      "left-out": leftOut.lines,
    };
    const faults = controls.flatMap((values) => sums.faultsOf(values, otherLines));
    const totalsFault = faults.length === 0 ? null : faults.join("; ");
    return { counts: { ...counts }, remarks: leftOut.remarks(), totalsFault, controls: controls.length, header };
  };

  return {
    read: readOne,
    count(plain) {
      counts.lines += plain.lines;
      counts.amount += plain.amount;
      counts.fee += plain.fee;
      sums.addPlain(plain);
    },
    body: () => (readLine === null || trailerAt > 0 ? null : { header }),
    summary,
    finish() {
      if (header === null && profile.title !== null && "untilHeader" in profile.title && leftOut.titles > 0)
        fail(noHeader(profile));
      if (!isOpened || (profile.header === "columns" && header === null))
        fail("the file holds nothing but blank lines");
      if (header === null && controls.length === 0 && counts.lines + leftOut.others === 0)
        fail("the file holds nothing but blank lines");
      if (profile.trailer !== null && trailerAt === 0) {
        const { startsWith } = profile.trailer;
        fail(`the trailer is missing (a last line that begins with ${startsWith}): the file is cut off`);
      }
      if (counts.lines > 0 && counts.badLines === counts.lines) {
        const examples = named.join("; ");
        fail(`none of its ${counts.lines} lines can be read: is this the right profile? ${examples}`);
      }
      return summary();
    },
  };
}

function fail(problem: string): never {
  throw new Fault("settlement_file", problem);
}

function quoted(text: string): string {
  return `"${rawOf(text, 60)}"`;
}

/** What stood in the column, or else the line. */
function shownOf(found: UnreadableLine, text: string): string {
  return found.value === null ? quoted(text) : `"${found.value}"`;
}

function noHeader(profile: SettlementProfile): string {
  const names = namedColumns(placesOf(profile)).join(", ");
  return `no line of the first ${TITLE_LINES_MAX} names the columns ${names}: is this the right profile?`;
}

/** Whether a line names all columns that the profile names. */
function namesColumns(profile: SettlementProfile, { text, fault }: FileLine): boolean {
  const { format } = profile;
  if (fault !== null || format.kind === "fixed") return false;
  const names = splitDelimited(text, format.delimiter, format.quoted);
  if (names instanceof Unreadable) return false;
  const found = new Set(names.map((name) => name.trim()));
  return namedColumns(placesOf(profile)).every((name) => found.has(name));
}

function headerOf(profile: SettlementProfile, { lineNo, text, fault }: FileLine): string[] {
  if (fault !== null) fail(`the header in line ${lineNo} ${fault}`);
  if (profile.format.kind === "fixed") return [];
  const { delimiter, quoted: isQuoted, columnCount } = profile.format;
  const names = splitDelimited(text, delimiter, isQuoted);
  if (names instanceof Unreadable) fail(`the header in line ${lineNo}: ${names.reason}`);
  if (columnCount !== null && names.length !== columnCount) {
    const shown = rawOf(text).slice(0, 200);
    fail(`the header in line ${lineNo} has ${names.length} columns, expected ${columnCount}: ${shown}`);
  }
  return names.map((name) => name.trim());
}
