import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";

/** What a fuzz program was asked for. */
export interface Request {
  readonly count: number;
  readonly seed: number;
  /** Whether the program's own switch was given. */
  readonly isSwitched: boolean;
}

/**
 * Reads `--count`, `--seed` and `--help`. Without a seed a fresh one is taken, so that every run sees other inputs; the
 * seed is printed and gives the same run again.
 *
 * @returns null when the help was asked for, and printed
 */
export function readArguments(
  about: string,
  usual: {
    readonly count: number;
    readonly counted: string;
    readonly switched?: readonly [name: string, about: string];
  },
): Request | null {
  const [name, meaning] = usual.switched ?? [];
  const { values } = parseArgs({
    options: {
      ...{ count: { type: "string" }, seed: { type: "string" }, help: { type: "boolean", short: "h" } },
      ...(name === undefined ? {} : { [name]: { type: "boolean" } }),
    },
  }) as { values: { count?: string; seed?: string; help?: boolean } & Record<string, unknown> };
  if (values.help) {
    console.log(`${about}

  --count N   ${usual.counted}, default ${usual.count.toLocaleString("en")}
  --seed N    start of the random sequence, default another one each time
${name === undefined ? "" : `  --${name.padEnd(8)}  ${meaning}\n`}  --help      this text

Exit code 0: everything held; 1: something did not, and is printed as JSON; 2: the arguments are wrong.`);
    return null;
  }
  return {
    count: wholeNumber("count", values.count, usual.count),
    seed: wholeNumber("seed", values.seed, randomInt(2 ** 31)),
    isSwitched: name !== undefined && values[name] === true,
  };
}

function wholeNumber(name: string, given: string | undefined, usual: number): number {
  if (given === undefined) return usual;
  if (!/^[0-9]{1,12}$/.test(given)) {
    console.error(`--${name} must be a whole number`);
    process.exit(2);
  }
  return Number(given);
}

/** Rows of cells as columns; numbers stand on the right. */
export function tableOf(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [
    head,
    ...rows.map((row) => row.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en") : cell))),
  ];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const isNumber = head.map((_, column) => typeof rows[0]?.[column] === "number");
  const lines = cells.map((row) =>
    row
      .map((cell, column) => (isNumber[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  return [lines[0], widths.map((width) => "-".repeat(width)).join("  "), ...lines.slice(1)].join("\n");
}

/** Runs a program to its exit code; what it throws is printed and counts as 1. */
export function run(program: () => Promise<number> | number): void {
  Promise.resolve()
    .then(program)
    .then(
      (code) => process.exit(code),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
}

/** The middle of some numbers. */
export function medianOf(values: readonly number[]): number {
  return quantileOf(values, 0.5);
}

/** The value that a share `part` of the numbers does not exceed; not a number when there are none. */
export function quantileOf(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
