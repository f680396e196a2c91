import type { Clock, Tx } from "../../platform";
import { type Column, columnsOf, type ColumnKind, instantSql, type Row, selectListOf } from "./columns";
import { type CursorProblem, readCursor, writeCursor } from "./cursor";
import { Bindings, type FilterSpecs, type Question } from "./filters";
import { statementOf } from "./reader";

/** What a token must hold to read something. */
export type Scope = "ledger" | "payments" | "operations" | "export" | "personal";

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
  readonly direct: Readonly<Record<string, Branch>>;
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
}

/** Rows that statements look at, one after the other, when filters may drop most of them: short ones first. */
const STRETCHES = [4, 20, 100] as const;

/**
 * Reads one page. It ends when it is full, at the end of the list, or when it has cost `budgetMs` milliseconds: filters that
 * almost nothing fits then give short pages with a `next`, instead of one question that reads the whole ledger.
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
  for (let round = 0; ; round++) {
    const wanted = question.limit - rows.length;
    const stretch = question.limit * (STRETCHES[round] ?? STRETCHES[2]);
    const { text, values, size } = stretchSql(listing, question, key, { wanted, stretch });
    const found = await tx.run<Row>(statementOf(listing.name, text), values);
    const fitting = found.filter((row) => row["fits"] === true);
    rows.push(...fitting.slice(0, wanted).map(shown));
    const [lastShown, edge] = [fitting[wanted - 1], found.at(-1)];
    if (fitting.length > wanted && lastShown !== undefined) {
      return { rows, next: writeCursor(listing.name, question, keyOf(lastShown)) };
    }
    if (edge === undefined || Number(edge["seen"]) < size) return { rows, next: null };
    key = keyOf(edge);
    if (rows.length === question.limit || clock.monotonicMs() >= endsAtMs) {
      return { rows, next: writeCursor(listing.name, question, key) };
    }
  }
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
function shown({ fits: _fits, seen: _seen, keys: _keys, n: _n, ...row }: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === "bigint" ? value.toString() : value]),
  );
}

/**
 * One stretch of the list: up to `size` rows behind `after` in the order of the key, of which those are answered that fit
 * the filters, one more than wanted at most, and the last one in any case. Every branch is cut to the size by itself, so that each follows its own index.
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
  const direct = directName === undefined ? undefined : listing.direct[directName];
  const branches =
    direct === undefined ? listing.branches.filter((each) => each.isEmpty?.(filters) !== true) : [direct];
  const residual = Object.entries(listing.filters).flatMap(([name, { sql }]) => {
    const value = filters[name];
    const isDone = name === directName || branches.every(({ pushed }) => pushed?.[name] !== undefined);
    if (value === undefined || sql === undefined || isDone) return [];
    return [bindings.condition(typeof sql === "string" ? sql : sql(filters), value)];
  });
  const size = residual.length === 0 ? wanted + 1 : stretch;
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
    return `(select ${keys}, ${branch.fields} from ${branch.from} ${where} order by ${ordered(branch.key)} limit ${size})`;
  });
  const keyTexts = listing.key.map(({ name, type }) =>
    type === "timestamptz" ? instantSql(`s.${name}`) : `s.${name}::text`,
  );
  const text = `
    with stretch as materialized (
      select * from (${parts.join(" union all ")}) branches order by ${ordered(names)} limit ${size}
    ), marked as (
      select s.*, (${residual.join(" and ") || "true"}) as fits, count(*) over ()::int as seen,
             row_number() over (order by ${ordered(names)}) as n
        from stretch s
    ), numbered as (
      select m.*, count(*) filter (where m.fits) over (order by m.n) as fit_no from marked m
    )
    select ${selectListOf(listing.columns)}, s.fits, s.seen, array[${keyTexts.join(", ")}] as keys
      from (select * from numbered m where (m.fits and m.fit_no <= ${wanted + 1}) or m.n = m.seen) s ${listing.join}
     order by s.n`;
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
