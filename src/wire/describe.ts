import type { CompiledLayout } from "./record";
import type { TraceRow } from "./trace";
import type { WireError } from "./wire-error";

/** A record taken apart for people: every column, and everything that is wrong with it. */
export interface RecordDescription {
  readonly rows: readonly TraceRow[];
  /** Empty when the record is exactly as its layout says. */
  readonly faults: readonly string[];
}

/** Takes a bit61 apart column by column and goes on after whatever is wrong. Never throws. */
export function describeBit61(layout: CompiledLayout, text: string): RecordDescription {
  const rows = layout.trace(text);
  const decoded = layout.decode(text);
  const ofColumns = rows.flatMap(({ name, offset, problem }) =>
    problem === null ? [] : [`${name}, offset ${offset}: ${problem}`],
  );
  // What is wrong with no single column is reported first: a wrong length or number of members is why columns further on
  // cannot be read.
  const ofRecord = decoded.ok ? [] : faultsBeyondColumns(decoded.error);
  return { rows, faults: [...ofRecord, ...ofColumns] };
}

function faultsBeyondColumns({ field, offset, width, problem }: WireError): string[] {
  if (field === null) return [problem];
  // Only a group has no width; the fault of a column stands in its row.
  return width === null ? [`${field}, offset ${offset}: ${problem}`] : [];
}
