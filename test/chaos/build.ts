import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { transformSync } from "@swc/core";

/** One change of one source file: `find` must stand in it exactly once. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A compiled copy of the product in a temporary folder: whatever happens to the sources, a run uses one state of them. */
export interface Build {
  readonly dir: string;
  /** The program that hosts and migrations are run with. */
  readonly child: string;
}

/** Sources as they were when this was made, compiled file by file on first use. */
export interface Snapshot {
  /** Writes the product, changed by these edits and `SOONER`, to a new folder. Never touches the sources themselves. */
  build(name: string, edits?: readonly Edit[]): Build;
}

/**
 * A lease is waited for after every kill, and so are pauses after an attempt that failed: half a minute, five minutes and
 * more, of which nothing is learned. The lease stays longer than an attempt can last, five seconds.
 */
const SOONER: readonly Edit[] = [
  { file: "src/callbacks/dispatcher.ts", find: "leaseMs: 30_000", replace: "leaseMs: 6_000" },
  {
    file: "src/callbacks/backoff.ts",
    find: "  5 * SECOND_MS,\n  5 * MINUTE_MS,\n  30 * MINUTE_MS,\n  2 * HOUR_MS,\n  5 * HOUR_MS,\n",
    replace: "  2 * SECOND_MS,\n".repeat(5),
  },
];

const ROOT = join(__dirname, "..", "..");
const CHILD = "test/chaos/child.ts";

/** Reads every source of the product. Builds are made under `dir`. */
export function takeSnapshot(dir: string): Snapshot {
  const files = new Map<string, string>();
  const assets = new Map<string, Buffer>();
  for (const path of [...filesIn("src"), ...filesIn("migrations"), CHILD]) {
    if (/\.(ts|json)$/.test(path)) files.set(path, readFileSync(join(ROOT, path), "utf8"));
    else assets.set(path, readFileSync(join(ROOT, path)));
  }
  const compiled = new Map<string, string>();
  return {
    build(name, edits = []) {
      const target = join(dir, name);
      const changed = applied(files, [...SOONER, ...edits]);
      for (const [path, text] of files) {
        const source = changed.get(path);
        let output = source === undefined ? compiled.get(path) : compile(path, source);
        if (output === undefined) compiled.set(path, (output = compile(path, text)));
        write(join(target, path.replace(/\.ts$/, ".js")), output);
      }
      for (const [path, bytes] of assets) write(join(target, path), bytes);
      cpSync(join(ROOT, "package.json"), join(target, "package.json"));
      symlinkSync(join(ROOT, "node_modules"), join(target, "node_modules"));
      return { dir: target, child: join(target, CHILD.replace(/\.ts$/, ".js")) };
    },
  };
}

function write(path: string, content: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function filesIn(directory: string): string[] {
  return readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

function applied(files: ReadonlyMap<string, string>, edits: readonly Edit[]): Map<string, string> {
  const changed = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const text = changed.get(file) ?? files.get(file);
    const pieces = text?.split(find) ?? [];
    if (pieces.length !== 2) throw new Error(`${file} has ${pieces.length - 1} places like this, not one: ${find}`);
    changed.set(file, pieces.join(replace));
  }
  return changed;
}

function compile(path: string, text: string): string {
  if (!path.endsWith(".ts")) return text;
  return transformSync(text, {
    filename: path,
    swcrc: false,
    configFile: false,
    jsc: { target: "es2022", parser: { syntax: "typescript" } },
    module: { type: "commonjs" },
  }).code;
}
