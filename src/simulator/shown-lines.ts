/** One line of customerData for people. */
export interface ShownLine {
  readonly name: string;
  readonly value: string;
}

const LINES_MAX = 40;
const VALUE_MAX = 200;

/** customerData as lines: texts as they are, objects of texts with their values joined. What is empty is left out. */
export function linesOf(data: Readonly<Record<string, unknown>>): ShownLine[] {
  return Object.entries(data)
    .slice(0, LINES_MAX)
    .map(([name, value]) => ({ name: name.slice(0, 40), value: textOf(value).slice(0, VALUE_MAX) }))
    .filter(({ value }) => value !== "");
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value.trim();
  if (typeof value !== "object" || value === null) return "";
  return Object.values(value)
    .filter((each) => typeof each === "string")
    .slice(0, 10)
    .join(" ")
    .trim();
}
