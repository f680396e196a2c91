import { type ColumnCodec, compileColumn } from "./field";
import { type FieldSpec, type GroupSpec, widthOf } from "./layout";

/** A group ready for use. */
export interface GroupPart {
  readonly kind: "group";
  readonly spec: GroupSpec;
  readonly columns: readonly ColumnCodec[];
  /** Characters of one member. */
  readonly memberWidth: number;
  readonly min: number;
}

/** One step of a record: a column, or a group of them. */
export type Part = ColumnCodec | GroupPart;

/** Compiles one line of a layout that has passed its checks. */
export function compilePart(spec: FieldSpec): Part {
  if (spec.kind !== "group") return compileColumn(spec);
  const columns = spec.fields.map((field) => compileColumn(field));
  return { kind: "group", spec, columns, memberWidth: widthOf(columns), min: spec.min ?? 1 };
}
