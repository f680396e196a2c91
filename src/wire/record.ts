import { type ColumnCodec, type ColumnSpec, compileColumn, Misfit } from "./field";
import { faultsOfLayout, type FieldSpec, type Layout, widestOf, widthOf } from "./layout";
import { compilePart, type GroupPart, type Part } from "./part";
import { isPlainObject } from "./shape";
import { type TraceRow, traceRecord } from "./trace";
import { LayoutFault, WireError } from "./wire-error";

/** Values of a record by field name: text and digits as strings, rupiah as `bigint`, a group as a list of members. */
export interface LayoutValues {
  readonly [name: string]: string | bigint | readonly LayoutValues[];
}

/** What reading a record gives. `hasTail` tells whether the columns that may be absent were there. */
export type Decoded =
  | { readonly ok: true; readonly values: LayoutValues; readonly hasTail: boolean }
  | { readonly ok: false; readonly error: WireError };

/** A layout ready for use. Everything in it is pure; it may be shared. */
export interface CompiledLayout {
  readonly layout: Layout;
  /** Names of all fields in the order of the wire, groups and tail included, members of groups not. */
  readonly fieldNames: readonly string[];
  /** The same without groups: what a template may show. */
  readonly scalarNames: readonly string[];
  /** Names of the fields, outside groups, whose value is a `bigint` of whole rupiah. */
  readonly rupiahFields: ReadonlySet<string>;
  /** Characters of the longest record. */
  readonly widest: number;
  /** Characters of the columns at the end that may be absent. */
  readonly tailWidth: number;
  /** Names of the fields in those columns. */
  readonly tailNames: readonly string[];
  /**
   * Reads a record strictly: exact length, every column in its alphabet. Never trims the record, never throws.
   */
  decode(text: string): Decoded;
  /**
   * Writes a record, exactly as wide as the layout says. Values that are no field of the layout are ignored.
   *
   * @param options.cut leave the tail off
   * @throws WireError when a value is missing, of another type, not printable ASCII, or does not fit
   */
  encode(values: LayoutValues, options?: { readonly cut?: boolean }): string;
  /** Reads as much as can be read, column by column, for people. Never throws. */
  trace(text: string): TraceRow[];
}

/**
 * Checks a layout and makes it ready for use. Tens of thousands of records a second are read and written through the
 * result, so all choices are made here, once.
 *
 * @throws LayoutFault listing everything that is wrong with the layout
 */
export function compileLayout(layout: Layout): CompiledLayout {
  const faults = faultsOfLayout(layout);
  if (faults.length > 0) throw new LayoutFault(`layout ${nameOf(layout)}`, faults);
  return new FixedRecord(layout);
}

function nameOf(candidate: unknown): string {
  const name = (candidate as { name?: unknown } | null | undefined)?.name;
  return typeof name === "string" ? name.slice(0, 80) : "without a name";
}

function namesOf(fields: readonly FieldSpec[]): string[] {
  return fields.flatMap((field) => (field.kind === "filler" ? [] : [field.name]));
}

type MutableValues = Record<string, LayoutValues[string]>;

class FixedRecord implements CompiledLayout {
  readonly fieldNames: readonly string[];
  readonly scalarNames: readonly string[];
  readonly rupiahFields: ReadonlySet<string>;
  readonly widest: number;
  readonly tailWidth: number;
  readonly tailNames: readonly string[];
  readonly #parts: readonly Part[];
  readonly #tail: readonly ColumnCodec[];
  /** Names of digits fields that count a group. */
  readonly #counters: ReadonlySet<string>;

  constructor(readonly layout: Layout) {
    const tail: readonly ColumnSpec[] = layout.tail ?? [];
    const all = [...layout.fields, ...tail];
    this.#parts = layout.fields.map(compilePart);
    this.#tail = tail.map((column) => compileColumn(column));
    this.tailWidth = widthOf(tail);
    this.tailNames = namesOf(tail);
    this.#counters = new Set(layout.fields.flatMap((field) => (field.kind === "group" ? [field.count] : [])));
    this.fieldNames = namesOf(all);
    this.scalarNames = namesOf(all.filter((field) => field.kind !== "group"));
    this.rupiahFields = new Set(namesOf(all.filter((field) => field.kind === "rupiah")));
    this.widest = widestOf(layout);
  }

  decode(text: string): Decoded {
    try {
      const base = this.#measure(text);
      const hasTail = this.tailWidth > 0 && text.length === base + this.tailWidth;
      if (text.length !== base && !hasTail) throw this.#wrongLength(text, base);
      const values: MutableValues = {};
      let at = 0;
      for (const part of this.#parts) {
        at = part.kind === "group" ? this.#readGroup(part, text, at, values) : this.#readColumn(part, text, at, values);
      }
      if (hasTail) for (const column of this.#tail) at = this.#readColumn(column, text, at, values);
      return { ok: true, values, hasTail };
    } catch (error) {
      if (error instanceof WireError) return { ok: false, error };
      throw error;
    }
  }

  encode(values: LayoutValues, options?: { readonly cut?: boolean }): string {
    let text = "";
    for (const part of this.#parts) {
      text = part.kind === "group" ? this.#writeGroup(part, values, text) : this.#writeColumn(part, values, text);
    }
    if (options?.cut === true) return text;
    for (const column of this.#tail) text = this.#writeColumn(column, values, text);
    return text;
  }

  trace(text: string): TraceRow[] {
    return traceRecord(this.#parts, this.#tail, text);
  }

  /**
   * The record's length without its tail. Counts are read first, so that a record of the wrong length is reported as
   * that and not as a bad digit in some column that slid.
   */
  #measure(text: string): number {
    const counts = new Map<string, number>();
    let at = 0;
    for (const part of this.#parts) {
      if (part.kind === "group") {
        at += part.memberWidth * this.#checkedCount(part, counts.get(part.spec.count) ?? 0, at);
      } else {
        if (this.#counters.has(part.name)) counts.set(part.name, this.#readCount(part, text, at));
        at += part.width;
      }
    }
    return at;
  }

  #readCount(column: ColumnCodec, text: string, at: number): number {
    if (text.length < at + column.width) throw this.#fault(column, at, "the record ends before it");
    const digits = column.read(text, at);
    if (digits instanceof Misfit) throw this.#fault(column, at, digits.problem);
    return Number(digits);
  }

  #checkedCount(group: GroupPart, count: number, at: number): number {
    const { name, max } = group.spec;
    if (count >= group.min && count <= max) return count;
    const place = { record: this.layout.name, field: name, offset: at, width: null };
    throw new WireError(place, `must have ${group.min} to ${max} members`);
  }

  #readColumn(column: ColumnCodec, text: string, at: number, values: MutableValues, group = ""): number {
    const value = column.read(text, at);
    if (value instanceof Misfit) throw this.#fault(column, at, value.problem, group);
    if (column.kind !== "filler") values[column.name] = value;
    return at + column.width;
  }

  #readGroup(part: GroupPart, text: string, start: number, values: MutableValues): number {
    const { name, count, order } = part.spec;
    const size = Number(values[count]);
    const members: MutableValues[] = [];
    let at = start;
    for (let slot = 0; slot < size; slot++) {
      const member: MutableValues = {};
      for (const column of part.columns) at = this.#readColumn(column, text, at, member, name);
      members.push(member);
    }
    values[name] = order === "reversed" ? members.toReversed() : members;
    return at;
  }

  #writeColumn(column: ColumnCodec, values: Readonly<Record<string, unknown>>, text: string, group = ""): string {
    const written = column.write(values[column.name]);
    if (written instanceof Misfit) throw this.#fault(column, text.length, written.problem, group);
    return text + written;
  }

  #writeGroup(part: GroupPart, values: LayoutValues, text: string): string {
    const { name, count, order } = part.spec;
    const members = values[name];
    const place = { record: this.layout.name, field: name, offset: text.length, width: null };
    if (!Array.isArray(members)) throw new WireError(place, "must be given as a list of members");
    const size = this.#checkedCount(part, members.length, text.length);
    if (Number(values[count]) !== size) throw new WireError(place, `must have as many members as ${count} says`);
    let written = text;
    for (let slot = 0; slot < size; slot++) {
      const member: unknown = members[order === "reversed" ? size - 1 - slot : slot];
      if (!isPlainObject(member)) throw new WireError(place, "must hold members only");
      for (const column of part.columns) written = this.#writeColumn(column, member, written, name);
    }
    return written;
  }

  #wrongLength(text: string, base: number): WireError {
    const withTail = this.tailWidth > 0 ? ` or ${base + this.tailWidth}` : "";
    const place = { record: this.layout.name, field: null, offset: null, width: base };
    return new WireError(place, `the record has ${text.length} characters, expected ${base}${withTail}`);
  }

  #fault(column: ColumnCodec, offset: number, problem: string, group = ""): WireError {
    const name = column.kind === "filler" ? "(filler)" : column.name;
    const field = group === "" ? name : `${group}.${name}`;
    return new WireError({ record: this.layout.name, field, offset, width: column.width }, problem);
  }
}
