import type { LayoutValues } from "./record";
import { LayoutFault, WireError } from "./wire-error";

/** A template ready for use. */
export interface CompiledTemplate {
  /** Names that the template shows, each once, in order. */
  readonly names: readonly string[];
  /**
   * The text with every placeholder filled. A name without a value (a tail that was absent) shows as nothing.
   *
   * @throws WireError when a value is a group, or a filter is given what it cannot treat
   */
  render(values: LayoutValues): string;
}

/** Changes a text; null when the text is nothing it can treat. */
type Filter = (text: string) => string | null;

interface FilterKind {
  /** How it is written, for messages. */
  readonly form: string;
  /** Null when the arguments are not what it takes. */
  readonly make: (args: readonly number[]) => Filter | null;
}

const NUMBER_LIMIT = 999;

/**
 * Filters by name. Amounts reach them as plain digits. `int` and `plain` drop zeros on the left; given nothing, every
 * filter but `padStart` gives nothing.
 */
const FILTERS: Readonly<Record<string, FilterKind>> = {
  slice: {
    form: "slice:from:to",
    make: ([from, to, more]) =>
      from === undefined || to === undefined || more !== undefined || from > to ? null : (text) => text.slice(from, to),
  },
  int: withoutArguments("int", withoutZeros),
  trim: withoutArguments("trim", trimBlanks),
  upper: withoutArguments("upper", (text) => text.toUpperCase()),
  plain: withoutArguments("plain", withoutZeros),
  grouped: withoutArguments("grouped", (text) => withThousandsDots(withoutZeros(text))),
  padStart: {
    form: "padStart:width (with zeros)",
    make: ([width, more]) => (width === undefined || more !== undefined ? null : (text) => text.padStart(width, "0")),
  },
};

function withoutArguments(form: string, filter: Filter): FilterKind {
  return { form, make: (args) => (args.length === 0 ? filter : null) };
}

function withoutZeros(text: string): string | null {
  if (text === "") return "";
  return /^[0-9]+$/.test(text) ? text.replace(/^0+(?=[0-9])/, "") : null;
}

function withThousandsDots(digits: string | null): string | null {
  if (digits === null) return null;
  const first = digits.length % 3;
  const groups = first === 0 ? [] : [digits.slice(0, first)];
  for (let at = first; at < digits.length; at += 3) groups.push(digits.slice(at, at + 3));
  return groups.join(".");
}

/** Only blanks are padding; other white space cannot stand in a record. */
function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === " ") start++;
  while (end > start && text[end - 1] === " ") end--;
  return text.slice(start, end);
}

/** A placeholder, taken apart. */
interface Slot {
  readonly name: string;
  readonly filters: readonly { readonly form: string; readonly apply: Filter }[];
}

/**
 * Compiles a template such as `Nama:{customerName|trim};Jumlah:Rp.{amount|plain}`. A placeholder is a name and then any
 * filters, separated by `|`, with numbers after `:`. `{{` and `}}` stand for the braces themselves.
 *
 * @param names what placeholders may name
 * @throws LayoutFault listing every unknown name, unknown filter, wrong argument and stray brace
 */
export function compileTemplate(template: string, names: readonly string[]): CompiledTemplate {
  const problems: string[] = [];
  const pieces: (string | Slot)[] = [];
  const scanner = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g;
  for (const [piece, inside] of template.matchAll(scanner)) {
    if (inside !== undefined) pieces.push(parseSlot(inside, names, problems));
    else if (piece === "{" || piece === "}") problems.push(`a "${piece}" has no partner; write it twice to show it`);
    else pieces.push(piece === "{{" || piece === "}}" ? piece.slice(1) : piece);
  }
  if (problems.length > 0) throw new LayoutFault("template", problems);
  const slots = pieces.filter((piece) => typeof piece !== "string");
  return {
    names: [...new Set(slots.map((slot) => slot.name))],
    render: (values) => pieces.map((piece) => (typeof piece === "string" ? piece : fill(piece, values))).join(""),
  };
}

function parseSlot(inside: string, names: readonly string[], problems: string[]): Slot {
  const [name = "", ...calls] = inside.split("|");
  if (!names.includes(name)) problems.push(`{${inside}}: there is no value named "${name}"`);
  const filters = calls.flatMap((call) => {
    const [filterName = "", ...texts] = call.split(":");
    const kind = Object.hasOwn(FILTERS, filterName) ? FILTERS[filterName] : undefined;
    if (kind === undefined) {
      problems.push(`{${inside}}: there is no filter "${filterName}", only ${Object.keys(FILTERS).join(", ")}`);
      return [];
    }
    const apply = texts.every(isArgument) ? kind.make(texts.map(Number)) : null;
    if (apply === null)
      problems.push(`{${inside}}: "${call}" must be written ${kind.form}, numbers up to ${NUMBER_LIMIT}`);
    return apply === null ? [] : [{ form: kind.form, apply }];
  });
  return { name, filters };
}

function isArgument(text: string): boolean {
  return /^[0-9]{1,3}$/.test(text);
}

function fill({ name, filters }: Slot, values: LayoutValues): string {
  const value = values[name] ?? "";
  const place = { record: "template", field: name, offset: null, width: null };
  if (typeof value === "object") throw new WireError(place, "is a group, which cannot be shown as text");
  let text = value.toString();
  for (const { form, apply } of filters) {
    const next = apply(text);
    if (next === null) throw new WireError(place, `cannot be shown with ${form}: it is not digits`);
    text = next;
  }
  return text;
}
