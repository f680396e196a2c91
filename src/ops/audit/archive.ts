import { createHash } from "node:crypto";
import type { Tx } from "../../platform";
import { statementOf } from "./reader";

/** Tables that are kept by month, each with the columns that order it. */
const ARCHIVED = {
  attempt: ["received_at", "attempt_id"],
  journal_entry: ["entry_id"],
  posting: ["entry_id", "line_no"],
} as const;
export type ArchivedTable = keyof typeof ARCHIVED;

/** The tables by name. */
export const ARCHIVED_TABLES = Object.keys(ARCHIVED) as ArchivedTable[];

/** What an archive holds; stands beside its file. */
export interface ArchiveManifest {
  readonly format: "biller-archive-1";
  readonly table: ArchivedTable;
  /** `YYYY-MM`. */
  readonly month: string;
  readonly file: string;
  readonly rows: number;
  /** Over the lines before compression, hex. */
  readonly sha256: string;
  readonly archivedAt: string;
}

/** Rows and digest of lines. */
export interface LineCount {
  readonly rows: number;
  readonly sha256: string;
}

const PAGE_ROWS = 2_000;
const INSERT_ROWS = 500;

/** The partition of a month, or null when the words are none. */
export function partitionOf(table: ArchivedTable, month: string): string | null {
  const [, year, number] = /^(20[0-9]{2})-(0[1-9]|1[0-2])$/.exec(month) ?? [];
  return year === undefined ? null : `${table}_y${year}m${number}`;
}

/**
 * Reads a table's rows in order, each as one line of JSON, page by page. `table` and `place` are names of ours, checked
 * before they come here.
 *
 * @param ask runs one statement; pages may come from transactions of their own, since months that are over do not change
 */
export async function* linesOf(
  ask: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>,
  table: ArchivedTable,
  place: string,
): AsyncGenerator<string> {
  const key = ARCHIVED[table].join(", ");
  const keyText = `row_to_json((select k from (select ${key}) k))::text`;
  let last: string | null = null;
  for (;;) {
    const after: string =
      last === null
        ? ""
        : `where (${key}) > (select ${key} from json_populate_record(null::public.${table}, $1::json))`;
    const text = `select row_to_json(r)::text as line, ${keyText} as key from ${place} r ${after} order by ${key} limit ${PAGE_ROWS}`;
    const values: readonly string[] = last === null ? [] : [last];
    const rows: { line: string; key: string }[] = await ask((tx) =>
      tx.run<{ line: string; key: string }>(statementOf("archive", text), values),
    );
    for (const { line } of rows) yield `${line}\n`;
    last = rows.at(-1)?.key ?? last;
    if (rows.length < PAGE_ROWS) return;
  }
}

/** Counts lines and works out their digest, handing each on. */
export async function countLines(
  lines: AsyncIterable<string>,
  take: (line: string) => Promise<void>,
): Promise<LineCount> {
  const hash = createHash("sha256");
  let rows = 0;
  for await (const line of lines) {
    hash.update(line);
    rows += 1;
    await take(line);
  }
  return { rows, sha256: hash.digest("hex") };
}

/** Whether a month is there. */
export async function hasPartition(tx: Tx, partition: string): Promise<boolean> {
  const [row] = await tx.run<{ found: boolean }>(
    statementOf("archive", "select to_regclass('public.' || quote_ident($1)) is not null as found"),
    [partition],
  );
  return row?.found ?? false;
}

/** A schema of its own for what is restored, with a table of the same shape; never among the books themselves. */
export async function makeRestoreTable(tx: Tx, schema: string, table: ArchivedTable): Promise<void> {
  const isWrite = true as const;
  await tx.run({ ...statementOf("archive", `create schema if not exists ${schema}`), isWrite }, []);
  await tx.run({ ...statementOf("archive", `create table ${schema}.${table} (like public.${table})`), isWrite }, []);
}

/** Puts lines back, some hundred at a time. */
export async function restoreLines(
  tx: Tx,
  place: string,
  table: ArchivedTable,
  lines: AsyncIterable<string>,
): Promise<void> {
  const insert = {
    ...statementOf(
      "archive",
      `insert into ${place} select * from json_populate_recordset(null::public.${table}, $1::json)`,
    ),
    isWrite: true as const,
  };
  let batch: string[] = [];
  for await (const line of lines) {
    batch.push(line);
    if (batch.length === INSERT_ROWS) {
      await tx.run(insert, [`[${batch.join(",")}]`]);
      batch = [];
    }
  }
  if (batch.length > 0) await tx.run(insert, [`[${batch.join(",")}]`]);
}
