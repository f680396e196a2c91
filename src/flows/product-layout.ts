import { compileLayout, type CompiledLayout, faultsOfLayout, type Layout } from "../wire";
import { BIT61_MESSAGES, type Bit61Message } from "./product-schema";

type Data = Readonly<Record<string, unknown>>;
const isData = (value: unknown): value is Data => typeof value === "object" && value !== null && !Array.isArray(value);

/** A layout as written, where it stands in the definition, and the message that it is for. */
export interface WrittenLayout {
  readonly message: Bit61Message;
  readonly path: string;
  readonly layout: unknown;
}

/** The layouts of a definition's `bit61`, and what is wrong with how they are given. */
export function layoutsOf(bit61: Data): { readonly written: readonly WrittenLayout[]; readonly faults: string[] } {
  const isByMessage = BIT61_MESSAGES.some((message) => Object.hasOwn(bit61, message));
  if (!isByMessage) return { written: [{ message: "inquiryReply", path: "bit61", layout: bit61 }], faults: [] };
  const known: readonly string[] = BIT61_MESSAGES;
  const faults = Object.keys(bit61)
    .filter((name) => !known.includes(name))
    .map((name) => `bit61: ${name.slice(0, 40)} is no message; known: ${known.join(", ")}`);
  if (bit61["inquiryReply"] === undefined) faults.push("bit61: the layout of inquiryReply is missing");
  const written = BIT61_MESSAGES.filter((message) => bit61[message] !== undefined).map((message) => ({
    message,
    path: `bit61.${message}`,
    layout: bit61[message],
  }));
  return { written, faults };
}

/** A layout ready for use, or everything that is wrong with it, each fault with its path. */
export function placeLayout({ path, layout }: WrittenLayout): {
  readonly compiled: CompiledLayout | null;
  readonly faults: readonly string[];
} {
  const { plain, isGrouped } = withoutPlaces(layout);
  const faults = faultsOfLayout(plain).map((fault) =>
    /^(layout|group)\b/.test(fault) ? `${path}: ${fault}` : `${path}.${fault}`,
  );
  if (faults.length > 0 || !isData(layout)) return { compiled: null, faults };
  const compiled = compileLayout(plain as Layout);
  faults.push(...faultsOfPlaces(path, layout));
  const declared = layout["width"];
  if (isGrouped && declared !== undefined && declared !== compiled.widest) {
    faults.push(
      `${path}: width is declared as ${JSON.stringify(declared)}, but with every group full its fields add up to ${compiled.widest}`,
    );
  }
  return { compiled: faults.length === 0 ? compiled : null, faults };
}

/** The layout as the wire knows it: without stated places, and without a width where a group varies it. */
function withoutPlaces(layout: unknown): { readonly plain: unknown; readonly isGrouped: boolean } {
  if (!isData(layout)) return { plain: layout, isGrouped: false };
  const { fields, tail, width, ...rest } = layout;
  const isGrouped = Array.isArray(fields) && fields.some((field) => isData(field) && field["kind"] === "group");
  const plain = {
    ...rest,
    ...(fields === undefined ? {} : { fields: columnsWithoutPlaces(fields) }),
    ...(tail === undefined ? {} : { tail: columnsWithoutPlaces(tail) }),
    ...(width === undefined || (isGrouped && Number.isInteger(width)) ? {} : { width }),
  };
  return { plain, isGrouped };
}

function columnsWithoutPlaces(fields: unknown): unknown {
  if (!Array.isArray(fields)) return fields;
  return fields.map((field: unknown) => {
    if (!isData(field)) return field;
    const { at, ...rest } = field;
    // A place that is no number stays, to be reported as a property that the wire does not know.
    const isPlace = at === undefined || (Number.isInteger(at) && (at as number) >= 0);
    const inner = Array.isArray(field["fields"]) ? { fields: columnsWithoutPlaces(field["fields"]) } : {};
    return isPlace ? { ...rest, ...inner } : { ...field, ...inner };
  });
}

/** Gaps and overlaps: where the fields stand by their widths against where the spec sheet says they stand. */
function faultsOfPlaces(path: string, layout: Data): string[] {
  const fields = layout["fields"] as readonly Data[];
  const tail = (layout["tail"] ?? []) as readonly Data[];
  const faults: string[] = [];
  const body = faultsOfRun(`${path}.fields`, fields, 0, faults);
  faultsOfRun(`${path}.tail`, tail, body, faults);
  return faults;
}

/** @returns the column after the last field, or null once a group has made it vary */
function faultsOfRun(path: string, fields: readonly Data[], from: number | null, faults: string[]): number | null {
  let column = from;
  for (const [index, field] of fields.entries()) {
    const name = typeof field["name"] === "string" ? field["name"] : "(filler)";
    const at = field["at"] as number | undefined;
    if (at !== undefined) {
      const problem = problemOfPlace(at, column);
      if (problem !== null) faults.push(`${path}[${index}] ${name}: ${problem}`);
      // One slip would otherwise be reported again for every field that follows.
      if (column !== null) column = at;
    }
    if (field["kind"] === "group") {
      faultsOfRun(`${path}[${index}] ${name}.fields`, field["fields"] as readonly Data[], 0, faults);
      column = null;
    } else if (column !== null) {
      column += field["width"] as number;
    }
  }
  return column;
}

function problemOfPlace(at: number, column: number | null): string | null {
  if (column === null) return "at cannot be stated after a group: its place varies with the number of members";
  if (at > column) return `gap: stands at ${at}, but columns ${column} to ${at - 1} before it are in no field`;
  if (at < column) return `overlap: stands at ${at}, but the fields before it reach to column ${column - 1}`;
  return null;
}
