import { isUtf8 } from "node:buffer";
import type { SettlementProfile } from "../../domain";
import { Fault } from "../../platform";
import { utf8Of } from "./utf16-text";

/** A line of a file as text, or what is wrong with its bytes. */
export interface FileLine {
  /** Counted from 1. */
  readonly lineNo: number;
  /** Without its end; cut where the line is unreasonably long. */
  readonly text: string;
  readonly fault: string | null;
}

/** Longest line in bytes. What is longer is a bad line, and is not held in memory. */
export const LINE_BYTES_MAX = 65_536;
const LF = 10;
const KEPT_OF_LONG = 500;

/** How a file's characters are written, as its profile says. */
export type FileEncoding = SettlementProfile["encoding"];

/** How the bytes of a block are to be read: UTF-16 is UTF-8 by then. */
export function blockEncodingOf(encoding: FileEncoding): "utf-8" | "latin1" {
  return encoding === "latin1" ? "latin1" : "utf-8";
}

/** Beginnings of files that are no text. */
const SIGNATURES: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ["a ZIP archive or an Excel workbook", [0x50, 0x4b, 0x03, 0x04]],
  ["compressed with gzip", [0x1f, 0x8b]],
  ["a PDF document", [0x25, 0x50, 0x44, 0x46]],
  ["an old Excel workbook", [0xd0, 0xcf, 0x11, 0xe0]],
];
const UTF16_MARKS: readonly (readonly number[])[] = [
  [0xff, 0xfe],
  [0xfe, 0xff],
];

/** Whole lines of a file, some thousand at a time; or one that is too long to be held. */
export interface LineBlock {
  /** Without the end of the last line; a line may end in CR. UTF-16 is UTF-8 here. Empty beside `tooLong`. */
  readonly bytes: Buffer;
  /** Number of the line before the first one. */
  readonly before: number;
  readonly count: number;
  readonly tooLong: FileLine | null;
}

/**
 * The lines of a file by blocks. Ends of lines are LF or CR LF; a byte order mark is left out; the last line needs no end.
 *
 * @throws Fault when the file is empty, or no text at all
 */
export async function* lineBlocksOf(
  chunks: AsyncIterable<Buffer>,
  encoding: FileEncoding,
): AsyncGenerator<LineBlock, void> {
  const isUtf16 = encoding !== "utf-8" && encoding !== "latin1";
  const given = checkedChunks(chunks, encoding, !isUtf16);
  yield* blocksOf(isUtf16 ? utf8Of(given, encoding) : given);
}

/** The chunks of a file, once its beginning is known to be that of a text. */
async function* checkedChunks(
  chunks: AsyncIterable<Buffer>,
  encoding: FileEncoding,
  refusesUtf16: boolean,
): AsyncGenerator<Buffer, void> {
  let rest: Buffer = Buffer.alloc(0);
  let isFirst = true;
  for await (const chunk of chunks) {
    const bytes = isFirst && rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    if (isFirst && bytes.length < 4) {
      rest = bytes;
      continue;
    }
    if (isFirst) assertText(bytes, encoding, refusesUtf16);
    isFirst = false;
    yield bytes;
  }
  if (!isFirst) return;
  assertText(rest, encoding, refusesUtf16);
  yield rest;
}

async function* blocksOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<LineBlock, void> {
  let rest: Buffer = Buffer.alloc(0);
  let before = 0;
  let isFirst = true;
  let isSkipping = false;
  const blockOf = (bytes: Buffer): LineBlock => {
    const block = { bytes, before, count: linesIn(bytes), tooLong: null };
    before += block.count;
    return block;
  };
  for await (const chunk of chunks) {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (isFirst) {
      if (bytes.length < 4) {
        rest = bytes;
        continue;
      }
      bytes = withoutMark(bytes);
      isFirst = false;
    }
    if (isSkipping) {
      const end = bytes.indexOf(LF);
      if (end < 0) {
        rest = Buffer.alloc(0);
        continue;
      }
      bytes = bytes.subarray(end + 1);
      isSkipping = false;
    }
    const end = bytes.lastIndexOf(LF);
    if (end >= 0) yield blockOf(bytes.subarray(0, end));
    rest = bytes.subarray(end + 1);
    if (rest.length > LINE_BYTES_MAX) {
      before += 1;
      const long = tooLong(before, rest);
      yield { bytes: Buffer.alloc(0), before: before - 1, count: 1, tooLong: long };
      rest = Buffer.alloc(0);
      isSkipping = true;
    }
  }
  if (isFirst && rest.length > 0) rest = withoutMark(rest);
  if (isFirst && rest.length === 0) throw new Fault("settlement_file", "the file is empty");
  if (rest.length > 0) yield blockOf(rest);
}

function linesIn(bytes: Buffer): number {
  let count = 1;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) count += 1;
  return count;
}

function assertText(bytes: Buffer, encoding: FileEncoding, refusesUtf16: boolean): void {
  const startsWith = (start: readonly number[]): boolean => start.every((byte, index) => bytes[index] === byte);
  const found = SIGNATURES.find(([, start]) => startsWith(start));
  if (found !== undefined)
    throw new Fault("settlement_file", `the file is ${found[0]}; its profile says ${encoding} text`);
  if (refusesUtf16 && UTF16_MARKS.some(startsWith)) {
    const advice = `its profile says ${encoding} text, and could say "encoding": "utf-16"`;
    throw new Fault("settlement_file", `the file is UTF-16 text; ${advice}`);
  }
}

/** Without the byte order mark of UTF-8, as which that of UTF-16 arrives as well. */
function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** One line of a block as text. Blank lines are there as empty texts. */
export function fileLineOf(lineNo: number, bytes: Buffer, encoding: FileEncoding): FileLine {
  const blockEncoding = blockEncodingOf(encoding);
  if (blockEncoding === "utf-8" && !isUtf8(bytes)) {
    return encoding === "utf-8"
      ? { lineNo, text: bytes.toString("latin1"), fault: `is not UTF-8; its profile could say "encoding": "latin1"` }
      : { lineNo, text: bytes.toString("utf-8"), fault: "holds half of a character, which UTF-16 writes in two" };
  }
  const line = lineOf(lineNo, bytes.toString(blockEncoding));
  const nul = bytes.indexOf(0);
  return nul < 0 ? line : { ...line, fault: `holds a NUL byte at byte ${nul + 1}` };
}

function lineOf(lineNo: number, line: string): FileLine {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  if (text.length > LINE_BYTES_MAX) return tooLong(lineNo, Buffer.from(text.slice(0, KEPT_OF_LONG)));
  return { lineNo, text, fault: null };
}

function tooLong(lineNo: number, bytes: Buffer): FileLine {
  const text = bytes.subarray(0, KEPT_OF_LONG).toString("latin1");
  return { lineNo, text, fault: `is longer than ${LINE_BYTES_MAX} bytes` };
}
