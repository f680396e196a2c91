import { type Place, placesOf, type SettlementProfile } from "../../domain";
import { isFixedDateForm } from "../../wire";
import { blockEncodingOf } from "./file-lines";
import type { LineValues } from "./line-reader";

/** Bytes that a row can have more than its line: numbers, dates, nulls, zeros before a bill number. */
export const ROW_EXTRA_BYTES = 256;

/**
 * Plain lines of one file, from bytes to rows of COPY without values in between: printable ASCII with neither quote nor
 * backslash, in a profile whose amounts are bare digits. What a text of product, dates or status means is never worked out
 * here: it is learned from lines that the general reader has read. Every line that is in any way unusual, or says something
 * for the first time, is left to that reader, so both give the same rows.
 */
export interface PlainLines {
  /**
   * Writes the row of `bytes[from, to)` at `out[at]`; the caller leaves room for the line and ROW_EXTRA_BYTES.
   *
   * @returns the end of the row, or -1: the general reader must see this line
   */
  write(line: Span, lineNo: number, out: Buffer, at: number): number;
  /** What the general reader made of a line. */
  learn(line: Span, values: LineValues): void;
  /** What was written since the last call. Whole rupiah. */
  takeCounts(): { readonly lines: number; readonly amount: bigint; readonly fee: bigint };
}

/** A line inside of a block of bytes, without its end. */
export interface Span {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

const LINE_MAX = 4_096;
const COLUMNS_MAX = 500;
const TEXTS_MAX = 5_000;
const TRAX_MAX = 32;
const BILL_MAX = 50;
const DIGITS_MAX = 12;
/** A number that one more amount of twelve digits leaves exact. */
const EXACT_MAX = 2 ** 52;
const [TAB, LF, BLANK, QUOTE, ZERO, NINE, BACKSLASH, TILDE] = [9, 10, 32, 34, 48, 57, 92, 126] as const;
const NULL = Buffer.from(String.raw`\N`);
const ENDING = Buffer.from("\t\\N\t\\N\n");
const NO_MILLISECONDS = Buffer.from(".000Z");

/** Plain lines of a profile; null: it has none. */
export function plainLines(
  profile: SettlementProfile,
  fileId: number,
  header: { readonly text: string; readonly names: readonly string[] } | null,
): PlainLines | null {
  const { format, columns, trailer, encoding } = profile;
  if (format.kind === "fixed" || !isPlainProfile(profile)) return null;
  const indexOf = (place: Place | null | undefined): number => {
    if (typeof place === "number") return place - 1;
    return typeof place === "string" ? (header?.names.indexOf(place) ?? -1) : -1;
  };
  const delimiter = format.delimiter.charCodeAt(0);
  const width = format.columnCount ?? header?.names.length ?? null;
  const padTo = columns.billNumber?.padTo ?? 0;
  const [trax, bill] = [indexOf(columns.traxId?.at), indexOf(columns.billNumber?.at)];
  const [amount, fee] = [indexOf(columns.amount), indexOf(columns.feeAmount)];
  const { paidAt } = columns;
  const [paidDay, paidTime] = [indexOf(paidAt?.at), indexOf(paidAt?.time?.at)];
  const products = new KnownTexts([indexOf(columns.productCode)], NO_SECONDS);
  const dates = new KnownTexts(
    [paidDay, paidTime, indexOf(columns.businessDate?.at)],
    secondsOf(paidAt?.form ?? "", paidAt?.time?.form ?? null),
  );
  const statuses = new KnownTexts([indexOf(columns.status?.at)], NO_SECONDS);
  const notPlain = [header?.text, trailer?.startsWith].map((text) =>
    Buffer.from(text ?? "", blockEncodingOf(encoding)),
  );
  const [headerBytes, trailerStart] = notPlain as [Buffer, Buffer];
  const rowStart = Buffer.from(`${fileId}\t`);
  const starts = new Int32Array(COLUMNS_MAX + 1);
  const ends = new Int32Array(COLUMNS_MAX + 1);
  let counts = { lines: 0, amount: 0, fee: 0 };
  let sums = { amount: 0n, fee: 0n };
  const carry = (): void => {
    sums = { amount: sums.amount + BigInt(counts.amount), fee: sums.fee + BigInt(counts.fee) };
    counts = { lines: counts.lines, amount: 0, fee: 0 };
  };
  const used = [...placesOf({ columns, opening: null, trailer: null })].map(([, place]) => indexOf(place) + 1);
  const columnsUsed = Math.min(COLUMNS_MAX, Math.max(...used));

  /** Where the values of a line are; false: it is not plain. */
  const split = ({ bytes, from, to }: Span): boolean => {
    if (to - from > LINE_MAX) return false;
    if (trailerStart.length > 0 && isAt(trailerStart, bytes, from, to)) return false;
    if (headerBytes.length === to - from && isAt(headerBytes, bytes, from, to)) return false;
    let column = 0;
    starts[0] = from;
    for (let at = from; at < to; at += 1) {
      const byte = bytes[at] as number;
      if (byte === delimiter) {
        ends[column] = at;
        column += 1;
        if (column >= COLUMNS_MAX) return false;
        starts[column] = at + 1;
      } else if (byte < BLANK || byte > TILDE || byte === QUOTE || byte === BACKSLASH) return false;
    }
    ends[column] = to;
    if (width !== null && column + 1 !== width) return false;
    for (column += 1; column < columnsUsed; column += 1) starts[column] = ends[column] = to;
    return true;
  };
  const from = (column: number): number => (column < 0 ? 0 : (starts[column] as number));
  const to = (column: number): number => (column < 0 ? 0 : (ends[column] as number));

  return {
    write(line, lineNo, out, start) {
      if (!split(line)) return -1;
      const { bytes } = line;
      const product = products.find(bytes, starts, ends);
      const dated = dates.find(bytes, starts, ends);
      const status = statuses.find(bytes, starts, ends);
      if (product === null || dated === null || status === null) return -1;
      const told = digitsAt(bytes, from(amount), to(amount));
      const hasFee = fee >= 0 && to(fee) > from(fee);
      const toldFee = hasFee ? digitsAt(bytes, from(fee), to(fee)) : 0;
      const traxLength = to(trax) - from(trax);
      const billLength = to(bill) - from(bill);
      if (told < 0 || toldFee < 0 || traxLength + billLength === 0) return -1;
      if (!isKey(bytes, from(trax), to(trax), TRAX_MAX) || !isKey(bytes, from(bill), to(bill), BILL_MAX)) return -1;

      let at = put(out, start, rowStart, 0, rowStart.length);
      at = putNumber(out, at, lineNo);
      out[at++] = TAB;
      at = traxLength === 0 ? put(out, at, NULL, 0, 2) : put(out, at, bytes, from(trax), to(trax));
      out[at++] = TAB;
      at = put(out, at, product.bytes, 0, product.bytes.length);
      out[at++] = TAB;
      if (billLength === 0) at = put(out, at, NULL, 0, 2);
      else {
        for (let zeros = padTo - billLength; zeros > 0; zeros -= 1) out[at++] = ZERO;
        at = put(out, at, bytes, from(bill), to(bill));
      }
      out[at++] = TAB;
      at = put(out, at, bytes, from(amount), to(amount));
      out[at++] = TAB;
      at = hasFee ? put(out, at, bytes, from(fee), to(fee)) : put(out, at, NULL, 0, 2);
      out[at++] = TAB;
      at = put(out, at, dated.bytes, 0, dated.bytes.length);
      if (dated.hasSeconds) {
        const second = from(dates.secondsColumn) + dates.secondsOffset;
        at = put(out, at, bytes, second, second + 2);
        at = put(out, at, NO_MILLISECONDS, 0, NO_MILLISECONDS.length);
      }
      out[at++] = TAB;
      at = put(out, at, status.bytes, 0, status.bytes.length);
      at = put(out, at, ENDING, 0, ENDING.length);
      counts.lines += 1;
      counts.amount += told;
      counts.fee += toldFee;
      if (counts.amount > EXACT_MAX || counts.fee > EXACT_MAX) carry();
      return at;
    },
    learn(line, values) {
      if (!split(line)) return;
      const { bytes } = line;
      products.learn(bytes, starts, ends, () => values.productCode ?? String.raw`\N`);
      statuses.learn(bytes, starts, ends, () => values.status);
      dates.learn(bytes, starts, ends, (isWithoutSeconds) => {
        const instant = values.paidAtMs === null ? String.raw`\N` : new Date(values.paidAtMs).toISOString();
        return `${values.businessDate}\t${isWithoutSeconds ? instant.slice(0, "YYYY-MM-DDTHH:mm:".length) : instant}`;
      });
    },
    takeCounts() {
      carry();
      const taken = { lines: counts.lines, ...sums };
      counts = { lines: 0, amount: 0, fee: 0 };
      sums = { amount: 0n, fee: 0n };
      return taken;
    },
  };
}

/** Whether keys and bare amounts of a line are, byte for byte, what is stored, and every line is one of ours. */
function isPlainProfile({ amounts, columns, leaveOut }: SettlementProfile): boolean {
  const { thousands, decimals, prefix, suffix, impliedDecimals, includeFee, negative, charge } = amounts;
  const hasBareAmounts =
    `${thousands}${decimals}${prefix}${suffix}` === "" && impliedDecimals === 0 && negative === null;
  if (!hasBareAmounts || includeFee || charge !== null || columns.charge !== null) return false;
  if (columns.amount === null || columns.direction !== null || columns.owner !== null) return false;
  if (leaveOut.length > 0) return false;
  const { traxId, billNumber, paidAt, businessDate } = columns;
  if (traxId !== null && (traxId.strip !== null || traxId.padTo !== null)) return false;
  if (billNumber !== null && billNumber.strip !== null) return false;
  return [paidAt?.form, paidAt?.time?.form, businessDate?.form].every((form) => isFixedDateForm(form ?? ""));
}

/** A text of which it is known what it means, as it stands in a row. */
interface Known {
  readonly bytes: Buffer;
  /** Two digits of seconds, and no milliseconds, go on behind it. */
  readonly hasSeconds: boolean;
}

interface SecondsPlace {
  /** Which of the columns has them, and how long a value of that column is; -1: none. */
  readonly column: number;
  readonly length: number;
  readonly offset: number;
}

const NO_SECONDS: SecondsPlace = { column: -1, length: 0, offset: 0 };

/** Where seconds stand in a date of a form: a minute is learned once, and its seconds are taken as they are. */
function secondsOf(form: string, timeForm: string | null): SecondsPlace {
  const forms = timeForm === null ? [form] : [form, timeForm];
  if (forms.join(" ").split("ss").length !== 2 || forms.join(" ").includes("SSS")) return NO_SECONDS;
  const column = forms.findIndex((each) => each.includes("ss"));
  const found = forms[column] as string;
  return { column, length: found.length, offset: found.indexOf("ss") };
}

/** The texts of some columns that belong together. The last one is compared byte by byte: neighbours mostly have the same. */
class KnownTexts {
  readonly secondsColumn: number;
  readonly secondsOffset: number;
  readonly #columns: readonly number[];
  readonly #secondsLength: number;
  readonly #known = new Map<string, Known>();
  #last: Known | null = null;
  #lastKey = Buffer.alloc(0);

  constructor(columns: readonly number[], seconds: SecondsPlace) {
    this.#columns = columns.filter((column) => column >= 0);
    this.secondsColumn = columns[seconds.column] ?? -1;
    this.secondsOffset = seconds.offset;
    this.#secondsLength = seconds.length;
  }

  find(bytes: Buffer, starts: Int32Array, ends: Int32Array): Known | null {
    if (this.#last !== null && this.#isLast(bytes, starts, ends)) return this.#last;
    const key = this.#keyOf(bytes, starts, ends);
    const found = this.#known.get(key);
    if (found === undefined) return null;
    this.#last = found;
    this.#lastKey = Buffer.from(key, "latin1");
    return found;
  }

  learn(bytes: Buffer, starts: Int32Array, ends: Int32Array, textOf: (isWithoutSeconds: boolean) => string): void {
    const hasSeconds = this.#secondsAt(bytes, starts, ends) >= 0;
    if (this.#known.size >= TEXTS_MAX) this.#known.clear();
    this.#known.set(this.#keyOf(bytes, starts, ends), { bytes: Buffer.from(textOf(hasSeconds)), hasSeconds });
  }

  /** Where the seconds of this line are; -1 when they are not where the form has them, and the whole text is the key. */
  #secondsAt(bytes: Buffer, starts: Int32Array, ends: Int32Array): number {
    if (this.secondsColumn < 0) return -1;
    const [from, to] = [starts[this.secondsColumn] as number, ends[this.secondsColumn] as number];
    if (to - from !== this.#secondsLength || bytes[from] === BLANK || bytes[to - 1] === BLANK) return -1;
    const at = from + this.secondsOffset;
    const [tens, ones] = [bytes[at] as number, bytes[at + 1] as number];
    return tens >= ZERO && tens < ZERO + 6 && ones >= ZERO && ones <= NINE ? at : -1;
  }

  #isLast(bytes: Buffer, starts: Int32Array, ends: Int32Array): boolean {
    const seconds = this.#secondsAt(bytes, starts, ends);
    const key = this.#lastKey;
    let position = 0;
    for (const column of this.#columns) {
      const to = ends[column] as number;
      for (let at = starts[column] as number; at < to; at += 1) {
        const isSecond = at === seconds || at === seconds + 1;
        if (key[position++] !== (isSecond && seconds >= 0 ? LF : bytes[at])) return false;
      }
      if (key[position++] !== TAB) return false;
    }
    return position === key.length;
  }

  /** The values, each with a tab behind it; ends of lines, which no value has, stand for the seconds. */
  #keyOf(bytes: Buffer, starts: Int32Array, ends: Int32Array): string {
    const seconds = this.#secondsAt(bytes, starts, ends);
    let key = "";
    for (const column of this.#columns) {
      const [from, to] = [starts[column] as number, ends[column] as number];
      if (seconds >= from && seconds < to) {
        key += `${bytes.toString("latin1", from, seconds)}\n\n${bytes.toString("latin1", seconds + 2, to)}\t`;
      } else key += `${bytes.toString("latin1", from, to)}\t`;
    }
    return key;
  }
}

function isAt(text: Buffer, bytes: Buffer, from: number, to: number): boolean {
  if (to - from < text.length) return false;
  for (let at = 0; at < text.length; at += 1) if (bytes[from + at] !== text[at]) return false;
  return true;
}

/** A whole number without a sign or leading zeros; -1: something else. */
function digitsAt(bytes: Buffer, from: number, to: number): number {
  const length = to - from;
  if (length < 1 || length > DIGITS_MAX || (length > 1 && bytes[from] === ZERO)) return -1;
  let value = 0;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte < ZERO || byte > NINE) return -1;
    value = value * 10 + byte - ZERO;
  }
  return value;
}

function isKey(bytes: Buffer, from: number, to: number, lengthMax: number): boolean {
  if (to - from > lengthMax) return false;
  for (let at = from; at < to; at += 1) if (bytes[at] === BLANK) return false;
  return true;
}

function put(out: Buffer, at: number, bytes: Buffer, from: number, to: number): number {
  let end = at;
  for (let index = from; index < to; index += 1) out[end++] = bytes[index] as number;
  return end;
}

function putNumber(out: Buffer, at: number, value: number): number {
  let end = at;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 10)) end += 1;
  let position = end;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 10)) out[--position] = ZERO + (rest % 10);
  return end;
}
