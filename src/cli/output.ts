export { rupiahText } from "../domain";

/** Writes a line to standard output: results, and nothing else, so that they can be piped. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Writes a line to standard error: progress and remarks. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** JSON for scripts: amounts, which are bigint here, become digit strings. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, (_key, each: unknown) => (typeof each === "bigint" ? each.toString() : each), 2));
}

/** Rows under a header, columns padded to their widest cell. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  print(line(header));
  print(line(widths.map((width) => "-".repeat(width))));
  for (const row of rows) print(line(row));
}

/** A progress line on standard error that rewrites itself on a terminal, and is quiet otherwise. */
export function startProgress(what: string): { update(text: string): void; done(): void } {
  const isTerminal = process.stderr.isTTY;
  let shownAtMs = 0;
  return {
    update(text) {
      const nowMs = performance.now();
      if (nowMs - shownAtMs < (isTerminal ? 200 : 2_000)) return;
      shownAtMs = nowMs;
      process.stderr.write(isTerminal ? `\r\u001b[K${what}: ${text}` : `${what}: ${text}\n`);
    },
    done() {
      if (isTerminal) process.stderr.write("\r\u001b[K");
    },
  };
}
