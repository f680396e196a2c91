import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Mutation, MUTATIONS } from "./mutations";

/** What became of one mutation. */
export interface Finding {
  readonly name: string;
  /** The seed that noticed, counted from the first; null when none did. */
  readonly seed: number | null;
  readonly violation: string;
}

const ROOT = join(__dirname, "../..");
const NEEDED = ["src", "test/simulation", "test/fuzz", "package.json", "tsconfig.json"];

/** Runs every mutation in a copy of the sources of its own until a seed notices it; two at a time. */
export async function tryMutations(
  from: number,
  seeds: number,
  jobs: number,
  onFinding: (finding: Finding) => void,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const left = [...MUTATIONS];
  const work = async (): Promise<void> => {
    for (let mutation = left.shift(); mutation !== undefined; mutation = left.shift()) {
      const finding = await tryOne(mutation, from, seeds);
      findings.push(finding);
      onFinding(finding);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return findings;
}

async function tryOne(mutation: Mutation, from: number, seeds: number): Promise<Finding> {
  const copy = mkdtempSync(join(tmpdir(), "biller-simulation-"));
  try {
    for (const path of NEEDED) cpSync(join(ROOT, path), join(copy, path), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
    const args = ["--from", String(from), "--seeds", String(seeds), "--until-first"];
    if ("broken" in mutation) args.push("--broken", mutation.broken);
    else if (!applyTo(copy, mutation))
      return { name: mutation.name, seed: null, violation: "its text is not in the source" };
    return { name: mutation.name, ...(await runIn(copy, args)) };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function applyTo(copy: string, mutation: Extract<Mutation, { file: string }>): boolean {
  const path = join(copy, mutation.file);
  let text = readFileSync(path, "utf8");
  const { from, to, alsoFrom, alsoTo } = mutation;
  for (const [what, by] of alsoFrom === undefined
    ? [[from, to]]
    : [
        [alsoFrom, alsoTo ?? ""],
        [from, to],
      ]) {
    if (text.split(what as string).length !== 2) return false;
    text = text.replace(what as string, () => by as string);
  }
  writeFileSync(path, text);
  return true;
}

function runIn(copy: string, args: readonly string[]): Promise<Omit<Finding, "name">> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", "test/simulation/main.ts", ...args], {
      cwd: copy,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let errors = "";
    child.stdout.on("data", (data: Buffer) => (out += data.toString()));
    child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
    child.on("error", reject);
    child.on("close", () => {
      const line = out.split("\n").find((each) => each.startsWith("{"));
      if (line === undefined) return resolve({ seed: null, violation: errors.trim().split("\n")[0] ?? "" });
      resolve(JSON.parse(line) as Omit<Finding, "name">);
    });
  });
}
