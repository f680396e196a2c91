/** What a column holds; decides how a cell is written in exports. Amounts are whole rupiah. */
export type ColumnKind = "text" | "amount" | "number" | "time" | "date" | "boolean" | "json";

/** A column of a listing: the name that auditors see, and the expression behind it. */
export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
  /** A constant of ours: nothing from outside ever gets into it. */
  readonly sql: string;
}

/** An instant as text with microseconds, in UTC: what the database keeps, without loss. */
export function instantSql(expression: string): string {
  return `to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/** Columns from lines of name, kind and expression; instants are turned into text. */
export function columnsOf(
  lines: readonly (readonly [name: string, kind: ColumnKind, sql: string])[],
): readonly Column[] {
  return lines.map(([name, kind, sql]) => ({
    name,
    kind,
    sql: kind === "time" ? instantSql(sql) : kind === "date" ? `${sql}::text` : sql,
  }));
}

/** The list of a select, each column under its own name. */
export function selectListOf(columns: readonly Column[]): string {
  return columns.map(({ name, sql }) => `${sql} as "${name}"`).join(", ");
}

/** One row as answered: texts, digit strings for amounts, numbers, booleans and JSON. */
export type Row = Readonly<Record<string, unknown>>;
