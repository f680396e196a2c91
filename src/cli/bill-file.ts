import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { type CsvError, parse } from "csv-parse";
import { BILL_COLUMNS, type BillLine, type LineProblem } from "../flows";
import { Fault } from "../platform";

/** Lines of one bill, as they stand together in a file. */
export interface BillLines {
  readonly lines: readonly BillLine[];
  /**
   * Lines among or beside them that could not be taken apart. Such a line may have been an item of this bill, so the bill
   * must not be taken without it. A line beside two bills is reported with the first and counts for both.
   */
  readonly unreadable: readonly LineProblem[];
  readonly isBesideUnreadable: boolean;
}

const LINE_MAX_CHARACTERS = 65_536;

/**
 * Reads a bill file, CSV in UTF-8 with a header, without ever holding more than one bill of it.
 *
 * @param onRead called with the bytes read so far
 * @throws Fault `bill_file` when it cannot be opened, its header is not as it must be, or a line is longer than 64 KiB
 */
export async function* readBillFile(path: string, onRead: (bytes: number) => void): AsyncGenerator<BillLines> {
  let bytes = 0;
  // The parser runs ahead of us: these may lie beyond the line that is being looked at.
  let unreadable: LineProblem[] = [];
  const source = createReadStream(path, { highWaterMark: 256 * 1024 });
  source.on("data", (chunk) => {
    bytes += chunk.length;
    onRead(bytes);
  });
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    // Both, since files are put together from files; left to itself the parser goes by the first line alone.
    record_delimiter: ["\r\n", "\n"],
    max_record_size: LINE_MAX_CHARACTERS,
    skip_records_with_error: true,
    on_skip: (error: CsvError | undefined) => {
      // The parser cannot find the next line after this: what follows would be lost without a word.
      if (error?.code === "CSV_MAX_RECORD_SIZE") throw error;
      const line = (error as { lines?: number } | undefined)?.lines ?? 0;
      if (unreadable.at(-1)?.line === line) return undefined;
      unreadable.push({ line, problem: `cannot be read as CSV: ${error?.message ?? "unknown reason"}`.slice(0, 200) });
      return undefined;
    },
  });
  let failure: Error | null = null;
  pipeline(source, parser, (error) => {
    failure = error ?? null;
  });

  let isHeader = true;
  let open: BillLine[] = [];
  let isBesideUnreadable = false;
  const closeBefore = function* (nextLine: number): Generator<BillLines> {
    const between = unreadable.filter(({ line }) => line < nextLine);
    if (open.length > 0 || between.length > 0) yield { lines: open, unreadable: between, isBesideUnreadable };
    unreadable = unreadable.filter(({ line }) => line >= nextLine);
    isBesideUnreadable = between.length > 0;
    open = [];
  };
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      if (isHeader) {
        assertHeader(record);
        isHeader = false;
        continue;
      }
      if (record.length !== BILL_COLUMNS.length) {
        const problem = `has ${record.length} columns, expected ${BILL_COLUMNS.length}`;
        unreadable.push({ line: info.lines, problem });
        continue;
      }
      const line = lineOf(record, info.lines);
      const [first] = open;
      const isSameBill = first?.product_code === line.product_code && first.bill_number === line.bill_number;
      if (!isSameBill) yield* closeBefore(line.line);
      open.push(line);
    }
  } catch (error) {
    if (error instanceof Fault) throw error;
    const cause = failure ?? (error as Error);
    throw new Fault("bill_file", `${path} cannot be read: ${cause.message}`, { cause });
  }
  if (isHeader) throw new Fault("bill_file", `${path} is empty: the first line must be ${BILL_COLUMNS.join(",")}`);
  yield* closeBefore(Number.POSITIVE_INFINITY);
}

function assertHeader(header: readonly string[]): void {
  const found = header.map((name) => name.trim());
  if (found.join() === BILL_COLUMNS.join()) return;
  throw new Fault(
    "bill_file",
    `the header must be\n  ${BILL_COLUMNS.join(",")}\nand is\n  ${found.join(",").slice(0, 300)}`,
  );
}

function lineOf(record: readonly string[], line: number): BillLine {
  const values = Object.fromEntries(BILL_COLUMNS.map((column, index) => [column, record[index] ?? ""]));
  return { ...(values as Record<(typeof BILL_COLUMNS)[number], string>), line };
}
