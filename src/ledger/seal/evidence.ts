/** How a column is written in what is sealed: `time` in UTC with six fraction digits, `bytes` as hex, `list` for arrays. */
export type Form = "text" | "time" | "day" | "bytes" | "json" | "list";

/** PostgreSQL's type of a key's column. */
export type KeyType = "uuid" | "bigint" | "text" | "date";

/** A table of which every row is a leaf. A row that changes once is two kinds: as it was made, and as it was decided. */
export interface EvidenceTable {
  /** First part of `seal_item.item_key`; never used for anything else again. */
  readonly kind: string;
  readonly table: string;
  /** What people call the row; left out: the table. */
  readonly called?: string;
  /** Columns of the key. Only the last may hold a colon. */
  readonly key: Readonly<Record<string, KeyType>>;
  /** Column that the database sets when the row gets its final form, with an index where the table grows. */
  readonly time: string;
  /** Rows that are final; left out: all. */
  readonly where?: string;
  /** What is sealed openly, in this order. It never changes: a column that comes later goes to `later`. */
  readonly columns: Readonly<Record<string, Form>>;
  /** Columns that came after rows were sealed: left out of a leaf where they are null, as they are in those. */
  readonly later?: Readonly<Record<string, Form>>;
  /** What is sealed as a salted hash: personal, or free text. */
  readonly personal?: readonly string[];
  /** What stands for rows of another table: names, and expressions over `r` that give a text. */
  readonly computed?: Readonly<Record<string, string>>;
}

/** A table of which every minute is a leaf: the number of rows that were recorded in it, and a digest over them. */
export interface EvidenceMinutes {
  readonly kind: string;
  readonly table: string;
  readonly time: string;
  /** Order of the rows within a minute: unique. */
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, Form>>;
  /** Rows are kept by months of this column, and whole months may expire. */
  readonly monthOf?: string;
}

/** Expression over a row that gives its value in that form. */
export function textOf(column: string, form: Form): string {
  switch (form) {
    case "text":
    case "json":
      return `${column}::text`;
    case "time":
      return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
    case "day":
      return `to_char(${column}, 'YYYY-MM-DD')`;
    case "bytes":
      return `encode(${column}, 'hex')`;
    case "list":
      return `to_json(${column})::text`;
  }
}

/** One hash over a row's values: they are told apart, and nothing is escaped away. */
export function hashOfRow(alias: string, columns: Readonly<Record<string, Form>>): string {
  const values = Object.entries(columns).map(([name, form]) => textOf(`${alias}.${name}`, form));
  return `sha256(convert_to(json_build_array(${values.join(", ")})::text, 'UTF8'))`;
}

/** `count digest` over rows of another table; 32 bytes of memory a row. */
export const digestOf = (
  alias: string,
  columns: Readonly<Record<string, Form>>,
  from: string,
  order: string,
): string => `
  (select count(*) || ' ' || coalesce(encode(sha256(string_agg(${hashOfRow(alias, columns)}, ''::bytea order by ${order})), 'hex'), '')
     from ${from})`;
