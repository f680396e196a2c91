/** What the first comparison could not link: open lines, and payments that may be without a line. */
export interface Unlinked {
  readonly lines: readonly { readonly fileId: number; readonly lineNo: number }[];
  /** Identifiers of journal entries. */
  readonly entryIds: readonly string[];
}

/** Rows that are not linked and held in memory, at most. */
export const UNLINKED_MAX = 20_000;
const COLUMNS = 5;
const HEADER_BYTES = 19;
const [COUNT_BYTES, LENGTH_BYTES] = [2, 4];
/** Entry, file, line, run, day: every column is there. */
const WIDTHS = [16, 4, 4, 4, 4] as const;
const LINKED_BYTES = COUNT_BYTES + WIDTHS.reduce((sum, width) => sum + LENGTH_BYTES + width, 0);

/**
 * Splits the rows of COPY's binary form (entry_id uuid, file_id, line_no, run_id int, entry_date date): those that
 * have every column pass through as they are, byte for byte; the others are kept, as long as they are
 * not too many.
 *
 * Source of the form: PostgreSQL's documentation of COPY, "Binary Format": a header of 19 bytes, then for each row a count
 * of columns (two bytes) and for each column its length (four bytes; -1 for null) and its bytes; a count of -1 ends it.
 */
export function linkedRows(unlinkedMax = UNLINKED_MAX) {
  const lines: { fileId: number; lineNo: number }[] = [];
  const entryIds: string[] = [];
  let isMany = false;

  const keep = (bytes: Buffer, row: Row): void => {
    if (isMany) return;
    const [entry, file, line] = row.starts;
    if (file !== -1 && line !== -1) lines.push({ fileId: bytes.readInt32BE(file), lineNo: bytes.readInt32BE(line) });
    if (entry !== -1) entryIds.push(bytes.toString("hex", entry, entry + WIDTHS[0]));
    if (lines.length + entryIds.length > unlinkedMax) {
      isMany = true;
      lines.length = entryIds.length = 0;
    }
  };

  async function* split(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
    let rest: Buffer = Buffer.alloc(0);
    let isStart = true;
    for await (const chunk of chunks) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let from = 0;
      let at = 0;
      if (isStart) {
        if (bytes.length < HEADER_BYTES) {
          rest = bytes;
          continue;
        }
        isStart = false;
        at = HEADER_BYTES;
      }
      for (;;) {
        while (isLinkedAt(bytes, at)) at += LINKED_BYTES;
        const row = rowAt(bytes, at);
        if (row === null) break;
        if (!row.isLinked) {
          if (at > from) yield bytes.subarray(from, at);
          keep(bytes, row);
          from = row.end;
        }
        at = row.end;
      }
      if (at > from) yield bytes.subarray(from, at);
      rest = bytes.subarray(at);
    }
    if (isStart || rest.length !== 0) throw new RangeError("rows of COPY that are cut off");
  }

  return { split, unlinked: (): Unlinked | null => (isMany ? null : { lines, entryIds }) };
}

interface Row {
  readonly end: number;
  readonly isLinked: boolean;
  /** Where entry, file and line begin; -1: null. */
  readonly starts: readonly [entry: number, file: number, line: number];
}

const NO_STARTS = [-1, -1, -1] as const;

/** Whether all of a row is there, with all of its columns: nearly every row. Lengths are the widths, or -1. */
function isLinkedAt(bytes: Buffer, at: number): boolean {
  if (bytes.length < at + LINKED_BYTES || bytes.readInt16BE(at) !== COLUMNS) return false;
  let start = at + COUNT_BYTES;
  for (let column = 0; column < COLUMNS; column += 1) {
    const width = WIDTHS[column] as number;
    if (bytes.readInt32BE(start) !== width) return false;
    start += LENGTH_BYTES + width;
  }
  return true;
}

/** The row, or the end of all rows, that begins there; null when it is not all there yet. */
function rowAt(bytes: Buffer, at: number): Row | null {
  if (bytes.length < at + COUNT_BYTES) return null;
  const count = bytes.readInt16BE(at);
  if (count === -1) return { end: at + COUNT_BYTES, isLinked: true, starts: NO_STARTS };
  if (count !== COLUMNS) throw new RangeError(`a row of ${count} columns, expected ${COLUMNS}`);
  const starts = [-1, -1, -1] as [number, number, number];
  let end = at + COUNT_BYTES;
  for (const [column, width] of WIDTHS.entries()) {
    if (bytes.length < end + LENGTH_BYTES) return null;
    const length = bytes.readInt32BE(end);
    if (length !== -1 && length !== width) throw new RangeError(`a column of ${length} bytes, expected ${width}`);
    end += LENGTH_BYTES;
    if (length === -1) continue;
    if (column < starts.length) starts[column] = end;
    end += width;
  }
  if (bytes.length < end) return null;
  return { end, isLinked: end === at + LINKED_BYTES, starts };
}
