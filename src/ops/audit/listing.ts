import type { Clock, Tx } from "../../platform";
import { type Column, columnsOf, type ColumnKind, instantSql, type Row, selectListOf } from "./columns";
import { type CursorProblem, readCursor, writeCursor } from "./cursor";
import { Bindings, type FilterSpecs, type Question } from "./filters";
import { statementOf } from "./reader";

/** What a token must hold to read something. */
export type Scope =
  "ledger" | "payments" | "operations" | "export" | "personal" | "recon:read" | "recon:maker" | "recon:checker";

/** One column of the key that orders a listing; keys are unique, so that no row is shown twice or left out. */
export interface KeyColumn {
  readonly name: string;
  readonly type: "uuid" | "int" | "timestamptz" | "text";
}

/** Where rows come from. All SQL is constant; `?` in `where`, if there is one, is the value of the filter that led here. */
export interface Branch {
  readonly from: string;
  readonly where?: string;
  /** Expressions of the key's columns, which an index of the table has in order. */
  readonly key: readonly string[];
  /** What filters look at and what joins need, as a select list. */
  readonly fields: string;
  /** Whether the filters leave nothing of it: it is not asked then. */
  readonly isEmpty?: (filters: Question["filters"]) => boolean;
  /** Bounds on the first column of the key that follow from the filters: they only save work. */
  readonly bounds?: (filters: Question["filters"]) => Bounds;
  /** Filters that are answered inside the branch, for instance since they choose partitions: conditions with `?`. */
  readonly pushed?: Readonly<Record<string, string>>;
}

/** From, inclusive, and to, exclusive. */
export interface Bounds {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** A list that can be read page by page, at any depth at the same cost. */
export interface Listing {
  readonly name: string;
  readonly scope: Scope;
  readonly about: string;
  readonly key: readonly KeyColumn[];
  readonly branches: readonly Branch[];
  /** By filter: where to look instead when that filter is given, since an index answers it. The first that fits counts. */
  readonly direct: Readonly<Record<string, Branch | readonly Branch[]>>;
  /** Joined to the rows that are shown, which are called `s`. */
  readonly join: string;
  readonly columns: readonly Column[];
  readonly filters: FilterSpecs;
}

/** Makes a listing from lines of columns. */
export function listingOf(
  listing: Omit<Listing, "columns" | "direct" | "join"> &
    Partial<Pick<Listing, "direct" | "join">> & {
      readonly columns: readonly (readonly [name: string, kind: ColumnKind, sql: string])[];
    },
): Listing {
  return { direct: {}, join: "", ...listing, columns: columnsOf(listing.columns) };
}

/** A page; `next` leads to the one behind it and is null at the end. */
export interface Page {
  readonly rows: readonly Row[];
  readonly next: string | null;
  /**
   * Only of a page that ends early, null otherwise: the instant up to which the list was looked through, or the key where it
   * is in no order of time.
   */
  readonly scannedUntil: string | null;
}

/**
 * What looking for rows may cost a page, milliseconds. Without it a page under an amount range was 49 ms where no fitting row
 * lay ahead, and up to a quarter of a second; with transaction and way back it stays below 20 (docs/AUDIT.md, "Speed").
 */
export const PAGE_BUDGET_MS = 10;
/** The most rows that the first statement of a page looks at; it stops as soon as the page is full. */
const FIRST_STRETCH = 2_000;
/** The most rows that one statement looks at. */
const STRETCH_MAX = 100_000;
/** Of the time left, what is planned for: the next rows may be slower than the last ones. */
const PLANNED_SHARE = 0.7;

/**
 * Reads one page. It ends when it is full, at the end of the list, or when it has cost `budgetMs` milliseconds: filters that
 * almost nothing fits then give short pages with a `next`, instead of one question that reads the whole ledger. Every page
 * gets further: the first statement is asked whatever it costs.
 */
export async function readPage(
  tx: Tx,
  clock: Clock,
  listing: Listing,
  question: Question,
  budgetMs: number,
): Promise<Page | CursorProblem> {
  const start = readCursor(
    listing.name,
    question,
    listing.key.map(({ type }) => KEY_PATTERNS[type]),
  );
  if (start !== null && "problem" in start) return start;
  const endsAtMs = clock.monotonicMs() + budgetMs;
  const rows: Row[] = [];
  let key = start;
  let stretch = Math.max(FIRST_STRETCH, 2 * question.limit);
  for (;;) {
    const startedMs = clock.monotonicMs();
    const wanted = question.limit - rows.length;
    const { text, values, size } = stretchSql(listing, question, key, { wanted, stretch });
    const found = await tx.run<Row>(statementOf(listing.name, text), values);
    const fitting = found.filter((row) => row["fits"] === true);
    rows.push(...fitting.slice(0, wanted).map(shown));
    const [lastShown, edge] = [fitting[wanted - 1], found.find((row) => row["fits"] === false)];
    if (fitting.length > wanted && lastShown !== undefined) {
      return { rows, next: writeCursor(listing.name, question, keyOf(lastShown)), scannedUntil: null };
    }
    if (edge === undefined) return { rows, next: null, scannedUntil: null };
    key = keyOf(edge);
    const isFull = rows.length === question.limit;
    const nowMs = clock.monotonicMs();
    const rowsPerMs = size / Math.max(nowMs - startedMs, 0.1);
    stretch = Math.min(Math.floor(rowsPerMs * (endsAtMs - nowMs) * PLANNED_SHARE), STRETCH_MAX);
    if (isFull || stretch < question.limit) {
      const next = writeCursor(listing.name, question, key);
      return { rows, next, scannedUntil: isFull ? null : placeOf(listing, key) };
    }
  }
}

/** Where a key is in its list, for people: its instant where keys are in the order of time. */
function placeOf({ key: columns }: Listing, key: readonly string[]): string {
  const [first = ""] = key;
  if (columns[0]?.type === "timestamptz") return first;
  if (columns[0]?.type !== "uuid") return key.join(":");
  return new Date(Number.parseInt(first.replace("-", "").slice(0, 12), 16)).toISOString();
}

const KEY_PATTERNS: Readonly<Record<KeyColumn["type"], RegExp>> = {
  uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
  int: /^[0-9]{1,9}$/,
  timestamptz: /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$/,
  text: /^[ -~]{1,100}$/,
};

function keyOf(row: Row): readonly string[] {
  return row["keys"] as readonly string[];
}

/** A row as answered: without the search's own columns, amounts as digits. */
function shown({ fits: _fits, keys: _keys, ...row }: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === "bigint" ? value.toString() : value]),
  );
}

/**
 * One stretch of the list: up to `size` rows behind `after` in the order of the key, of which those are answered that fit
 * the filters, one more than wanted at most. When there are not so many, the last row of a whole stretch follows, which does
 * not count as fitting; without it the list has ended. Every branch is cut to the size by itself, so that each follows its
 * own index. A `with` query is read row by row as far as it is asked for: a page that is full early costs little.
 */
function stretchSql(
  listing: Listing,
  question: Question,
  after: readonly string[] | null,
  { wanted, stretch }: { readonly wanted: number; readonly stretch: number },
): { readonly text: string; readonly values: readonly unknown[]; readonly size: number } {
  const { filters, order } = question;
  const bindings = new Bindings();
  const directName = Object.keys(listing.direct).find((name) => filters[name] !== undefined);
  const direct = directName === undefined ? listing.branches : [listing.direct[directName] ?? []].flat();
  const branches = direct.filter((each) => each.isEmpty?.(filters) !== true);
  const residual = Object.entries(listing.filters).flatMap(([name, { sql }]) => {
    const value = filters[name];
    const isDone = name === directName || branches.every(({ pushed }) => pushed?.[name] !== undefined);
    if (value === undefined || sql === undefined || isDone) return [];
    return [bindings.condition(typeof sql === "string" ? sql : sql(filters), value)];
  });
  const size = residual.length === 0 ? wanted + 1 : stretch;
  const sizeSql = `${bindings.add(size)}::bigint`;
  const names = listing.key.map(({ name }) => name);
  const ordered = (expressions: readonly string[]): string => expressions.map((each) => `${each} ${order}`).join(", ");
  const parts = branches.map((branch) => {
    const conditions = [
      ...whereSql(branch, filters[directName ?? ""], bindings),
      ...(after === null ? [] : [afterSql(listing, branch, order, after, bindings)]),
      ...boundsSql(listing, branch, filters, bindings),
      ...Object.entries(branch.pushed ?? {}).flatMap(([name, sql]) =>
        filters[name] === undefined ? [] : [bindings.condition(sql, filters[name])],
      ),
    ];
    const keys = branch.key.map((expression, index) => `${expression} as ${names[index]}`).join(", ");
    const where = conditions.length === 0 ? "" : `where ${conditions.join(" and ")}`;
    return `(select ${keys}, ${branch.fields} from ${branch.from} ${where} order by ${ordered(branch.key)} limit ${sizeSql})`;
  });
  const keyTexts = listing.key.map(({ name, type }) =>
    type === "timestamptz" ? instantSql(`s.${name}`) : `s.${name}::text`,
  );
  const wantedSql = `${bindings.add(wanted)}::bigint`;
  const text = `
    with stretch as materialized (
      select b.*, row_number() over () as n
        from (select * from (${parts.join(" union all ")}) branches order by ${ordered(names)} limit ${sizeSql}) b
    ), fitting as materialized (
      select s.* from stretch s where ${residual.join(" and ") || "true"} limit ${wantedSql} + 1
    ), edge as (
      select s.* from stretch s where (select count(*) from fitting) <= ${wantedSql} offset ${sizeSql} - 1 limit 1
    )
    select ${selectListOf(listing.columns)}, s.fits, array[${keyTexts.join(", ")}] as keys
      from (select f.*, true as fits from fitting f union all select e.*, false from edge e) s ${listing.join}
     order by s.n, s.fits desc`;
  return { text, values: bindings.values, size };
}

function whereSql({ where }: Branch, value: string | undefined, bindings: Bindings): string[] {
  if (where === undefined) return [];
  return [where.includes("?") ? bindings.condition(where, value) : where];
}

/** Behind the row with this key. */
function afterSql(
  listing: Listing,
  branch: Branch,
  order: Question["order"],
  after: readonly string[],
  bindings: Bindings,
): string {
  const values = listing.key.map(({ type }, index) => `${bindings.add(after[index])}::${type}`);
  return `(${branch.key.join(", ")}) ${order === "asc" ? ">" : "<"} (${values.join(", ")})`;
}

function boundsSql(listing: Listing, branch: Branch, filters: Question["filters"], bindings: Bindings): string[] {
  const { from, to } = branch.bounds?.(filters) ?? {};
  const [first] = branch.key;
  const type = listing.key[0]?.type;
  return [
    ...(from === undefined ? [] : [`${first} >= ${bindings.add(from)}::${type}`]),
    ...(to === undefined ? [] : [`${first} < ${bindings.add(to)}::${type}`]),
  ];
}

/** The lowest identifier of version 7 of an instant: entries are named after the time they happened at. */
export function idFloor(instant: string, shiftMs = 0): string {
  const hex = (Date.parse(instant) + shiftMs).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
