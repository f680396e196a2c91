import type { SettlementProfile } from "../../domain";
import { fileLineOf, lineBlocksOf } from "./file-lines";
import type { FileReader, ReadLine } from "./file-reader";
import { plainLines, type PlainLines, ROW_EXTRA_BYTES } from "./plain-lines";

const OUT_BYTES = 1 << 18;
const [LF, CR] = [10, 13];

/** The rows of a file's lines, in COPY's text form. `onBlock` learns after each block how many lines there were. */
export async function* copyRows(
  chunks: AsyncIterable<Buffer>,
  profile: SettlementProfile,
  reader: FileReader,
  fileId: number,
  onBlock: (lines: number) => void,
): AsyncGenerator<Buffer, void> {
  const rows = rowBuffer();
  let plain: PlainLines | null | undefined;
  for await (const { bytes, before, count, tooLong } of lineBlocksOf(chunks, profile.encoding)) {
    let start = 0;
    for (let lineNo = before + 1; lineNo <= before + count; lineNo += 1) {
      const next = bytes.indexOf(LF, start);
      const end = next < 0 ? bytes.length : next;
      const line = { bytes, from: start, to: end > start && bytes[end - 1] === CR ? end - 1 : end };
      start = end + 1;
      const body = reader.body();
      if (body !== null && plain === undefined) plain = plainLines(profile, fileId, body.header);
      if (body !== null && plain !== null && plain !== undefined && tooLong === null) {
        const at = plain.write(line, lineNo, ...rows.placeFor(line.to - line.from + ROW_EXTRA_BYTES));
        if (at >= 0) {
          rows.moveTo(at);
          continue;
        }
      }
      const found = reader.read(tooLong ?? fileLineOf(lineNo, bytes.subarray(line.from, end), profile.encoding));
      if (found === null) continue;
      rows.add(rowOf(fileId, found));
      if ("values" in found) plain?.learn(line, found.values);
    }
    if (plain !== null && plain !== undefined) reader.count(plain.takeCounts());
    onBlock(before + count);
    yield* rows.take();
  }
}

/** Rows that wait to be sent. What is handed out is not written to again. */
function rowBuffer() {
  let full: Buffer[] = [];
  let out = Buffer.allocUnsafeSlow(OUT_BYTES);
  let [from, to] = [0, 0];
  const close = (): void => {
    if (to > from) full.push(out.subarray(from, to));
    from = to;
  };
  const placeFor = (length: number): [Buffer, number] => {
    if (to + length > out.length) {
      close();
      out = Buffer.allocUnsafeSlow(Math.max(OUT_BYTES, length));
      [from, to] = [0, 0];
    }
    return [out, to];
  };
  return {
    placeFor,
    moveTo: (at: number): void => void (to = at),
    add(row: string): void {
      const [place, at] = placeFor(Buffer.byteLength(row));
      to = at + place.write(row, at);
    },
    take(): Buffer[] {
      close();
      const taken = full;
      full = [];
      return taken;
    },
  };
}

/** A row of COPY's text form. Keys and codes are ASCII without blanks; only a backslash needs care. */
function rowOf(fileId: number, line: ReadLine): string {
  if ("fault" in line) {
    const nulls = String.raw`\N	\N	\N	\N	\N	\N	\N	\N`;
    return `${fileId}\t${line.lineNo}\t${nulls}\t${copyText(line.fault)}\t${copyText(line.raw)}\n`;
  }
  const { traxId, productCode, billNumber, amount, feeAmount, businessDate, paidAtMs, status } = line.values;
  const paidAt = paidAtMs === null ? String.raw`\N` : new Date(paidAtMs).toISOString();
  return (
    `${fileId}\t${line.lineNo}\t${copyText(traxId)}\t${copyText(productCode)}\t${copyText(billNumber)}\t${amount}\t` +
    `${feeAmount ?? String.raw`\N`}\t${businessDate}\t${paidAt}\t${status}\t\\N\t\\N\n`
  );
}

function copyText(text: string | null): string {
  if (text === null) return String.raw`\N`;
  return text.includes("\\") ? text.replaceAll("\\", "\\\\") : text;
}
