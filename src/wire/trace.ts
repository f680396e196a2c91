import { type ColumnCodec, Misfit } from "./field";
import type { GroupPart, Part } from "./part";

/** One column of a record as found, for people. */
export interface TraceRow {
  /** Characters from the record's start. */
  readonly offset: number;
  readonly width: number;
  /** Members of groups are numbered as in the value list: `items[0].nilaiTagihan`. */
  readonly name: string;
  readonly kind: ColumnCodec["kind"] | "beyond";
  /** The characters themselves, fewer than `width` where the record ends early. */
  readonly raw: string;
  /** What they mean as text; null when they cannot be read. */
  readonly value: string | null;
  /** What is wrong with the column, or null. */
  readonly problem: string | null;
  readonly note?: string;
}

/**
 * Reads column by column and goes on after whatever is wrong; characters beyond the layout come as one last row of kind
 * `beyond`. Never throws. A group whose count cannot be read shows as many members as the text has room for.
 */
export function traceRecord(parts: readonly Part[], tail: readonly ColumnCodec[], text: string): TraceRow[] {
  const rows: TraceRow[] = [];
  let at = 0;
  const add = (column: ColumnCodec, prefix = ""): void => {
    rows.push(rowOf(column, text, at, prefix));
    at += column.width;
  };
  for (const part of parts) {
    if (part.kind !== "group") {
      add(part);
      continue;
    }
    const size = membersShown(part, rows, text.length - at);
    for (let slot = 0; slot < size; slot++) {
      const index = part.spec.order === "reversed" ? size - 1 - slot : slot;
      for (const column of part.columns) add(column, `${part.spec.name}[${index}].`);
    }
  }
  if (text.length > at) for (const column of tail) add(column);
  if (text.length > at) rows.push(beyond(text, at));
  return rows;
}

function rowOf(column: ColumnCodec, text: string, offset: number, prefix: string): TraceRow {
  const { kind, name, width, note } = column;
  const raw = text.slice(offset, offset + width);
  const value =
    raw.length < width ? new Misfit("the record ends before or inside this column") : column.read(text, offset);
  return {
    offset,
    width,
    name: prefix + (kind === "filler" ? "(filler)" : name),
    kind,
    raw,
    value: value instanceof Misfit ? null : value.toString(),
    problem: value instanceof Misfit ? value.problem : null,
    ...(note === undefined ? {} : { note }),
  };
}

function membersShown(part: GroupPart, rows: readonly TraceRow[], room: number): number {
  const count = rows.find((row) => row.name === part.spec.count)?.value ?? null;
  const size = count === null ? Math.floor(Math.max(room, 0) / part.memberWidth) : Number(count);
  return Math.min(size, part.spec.max);
}

function beyond(text: string, offset: number): TraceRow {
  const raw = text.slice(offset);
  const problem = "characters beyond the layout";
  return { offset, width: raw.length, name: "(beyond)", kind: "beyond", raw, value: null, problem };
}
