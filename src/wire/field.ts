import { firstNonPrintable, isDigits } from "./ascii";

interface NamedSpec {
  /** A letter, then letters and digits; unique in its record. */
  readonly name: string;
  /** Characters on the wire, which are bytes: only ASCII is written. */
  readonly width: number;
  /** The published material does not say this width or place; it was inferred. */
  readonly inferred?: true;
  readonly note?: string;
}

/** Text. Padding is taken off on the padded side only; spaces inside and on the other side are data. */
export interface TextSpec extends NamedSpec {
  readonly kind: "text";
  /** Default `left`: the text stands on the left, padding on the right. */
  readonly align?: "left" | "right";
  /** One printable ASCII character, default a space. */
  readonly pad?: string;
  /** What encoding does with a longer text: refuse it (default), or keep its first `width` characters. */
  readonly overflow?: "refuse" | "cut";
}

/** A number that is a name (customer number, code, count): a string of digits, zeros on the left kept. */
export interface DigitsSpec extends NamedSpec {
  readonly kind: "digits";
}

/** Whole rupiah, `bigint`, right-aligned. */
export interface RupiahSpec extends NamedSpec {
  readonly kind: "rupiah";
  /** Default a space. */
  readonly pad?: " " | "0";
  /** An all-blank column reads as 0; without this it is refused. */
  readonly blankIsZero?: true;
}

/** Columns that carry nothing; read strictly, so that a shifted record is noticed. */
export interface FillerSpec {
  readonly kind: "filler";
  readonly width: number;
  /** Default a space. */
  readonly char?: string;
  readonly note?: string;
}

/** A field that is one column. */
export type ColumnSpec = TextSpec | DigitsSpec | RupiahSpec | FillerSpec;

/** Why a column cannot be read or written. Returned by codecs, which do not know where they stand in the record. */
export class Misfit {
  constructor(readonly problem: string) {}
}

/** Reads and writes one kind of column; compiled once per field. */
export interface ColumnCodec {
  readonly kind: ColumnSpec["kind"];
  /** Empty for filler. */
  readonly name: string;
  readonly width: number;
  readonly note: string | undefined;
  /** The value of the `width` characters at `at`; the caller has checked that they are there. */
  read(text: string, at: number): string | bigint | Misfit;
  /** Exactly `width` characters. */
  write(value: unknown): string | Misfit;
}

const NOT_ASCII = new Misfit("holds a character that is not printable ASCII");
const NOT_DIGITS = new Misfit("must be digits only");
const NOT_TEXT = new Misfit("must be given as text");
const NOT_RUPIAH = new Misfit("must be padding and then digits");
const NOT_BIGINT = new Misfit("must be given as a bigint of whole rupiah, not negative");
const TOO_LONG = new Misfit("does not fit");
const BLANK = new Misfit("is blank");
const LOOKS_PADDED = new Misfit("begins or ends with the padding character, which could not be told from padding");
const NOT_FILLER = new Misfit("must hold the filler character only");

/** Compiles one column. The spec must have passed the layout's checks. */
export function compileColumn(spec: ColumnSpec): ColumnCodec {
  if (spec.kind === "text") return textCodec(spec);
  if (spec.kind === "digits") return digitsCodec(spec);
  if (spec.kind === "rupiah") return rupiahCodec(spec);
  return fillerCodec(spec);
}

function textCodec(spec: TextSpec): ColumnCodec {
  const { kind, name, width, note, align = "left", pad = " ", overflow = "refuse" } = spec;
  const isLeft = align === "left";
  return {
    kind,
    name,
    width,
    note,
    read(text, at) {
      const raw = text.slice(at, at + width);
      if (firstNonPrintable(raw) !== -1) return NOT_ASCII;
      return isLeft ? withoutTail(raw, pad) : withoutHead(raw, pad);
    },
    write(value) {
      if (typeof value !== "string") return NOT_TEXT;
      if (value.length > width && overflow === "refuse") return TOO_LONG;
      const kept = value.length > width ? value.slice(0, width) : value;
      if (firstNonPrintable(kept) !== -1) return NOT_ASCII;
      // A blank next to blank padding is lost and harms nobody; any other character would change the value.
      if (pad !== " " && (isLeft ? kept.endsWith(pad) : kept.startsWith(pad))) return LOOKS_PADDED;
      return isLeft ? kept.padEnd(width, pad) : kept.padStart(width, pad);
    },
  };
}

function withoutTail(raw: string, pad: string): string {
  let end = raw.length;
  while (end > 0 && raw[end - 1] === pad) end--;
  return raw.slice(0, end);
}

function withoutHead(raw: string, pad: string): string {
  let start = 0;
  while (start < raw.length && raw[start] === pad) start++;
  return raw.slice(start);
}

function digitsCodec({ kind, name, width, note }: DigitsSpec): ColumnCodec {
  return {
    kind,
    name,
    width,
    note,
    read(text, at) {
      const raw = text.slice(at, at + width);
      return isDigits(raw) ? raw : NOT_DIGITS;
    },
    write(value) {
      if (typeof value !== "string") return NOT_TEXT;
      if (value.length > width) return TOO_LONG;
      return isDigits(value) ? value.padStart(width, "0") : NOT_DIGITS;
    },
  };
}

function rupiahCodec({ kind, name, width, note, pad = " ", blankIsZero }: RupiahSpec): ColumnCodec {
  return {
    kind,
    name,
    width,
    note,
    read(text, at) {
      const raw = text.slice(at, at + width);
      const digits = withoutHead(raw, " ");
      if (digits === "") return blankIsZero ? 0n : BLANK;
      if (!isDigits(digits)) return NOT_RUPIAH;
      // Either padding, never both: what is read must be what would be written.
      const isAsWritten = pad === "0" ? digits === raw : digits === "0" || !digits.startsWith("0");
      if (!isAsWritten) return NOT_RUPIAH;
      return BigInt(digits);
    },
    write(value) {
      if (typeof value !== "bigint" || value < 0n) return NOT_BIGINT;
      const digits = value.toString();
      return digits.length > width ? TOO_LONG : digits.padStart(width, pad);
    },
  };
}

function fillerCodec({ kind, width, char = " ", note }: FillerSpec): ColumnCodec {
  const blank = char.repeat(width);
  return {
    kind,
    name: "",
    width,
    note,
    read: (text, at) => (text.startsWith(blank, at) ? "" : NOT_FILLER),
    write: () => blank,
  };
}
