// What must be true before anything else can run: dependencies installed, sources compiled. Uses nothing but Node.js.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const installStamp = join(root, "node_modules", ".biller-install");
const buildStamp = join(root, "dist", ".biller-build");
const say = (line) => process.stderr.write(`${line}\n`);

/** Ends the process with a message that tells what to do. */
export function fail(message) {
  say(message);
  process.exit(1);
}

/** Runs a program in the project's directory with this terminal; ends the process when it fails. */
export function run(program, args, hint) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ["ignore", 2, 2], shell: false });
  if (error || status !== 0) fail(`${program} ${args.join(" ")} failed${error ? `: ${error.message}` : ""}. ${hint}`);
}

/** Installs the dependencies when they are missing or not those of the lockfile. */
export function install() {
  const [major = 0] = process.versions.node.split(".").map(Number);
  if (major < 20) fail(`Node.js 20 or later is needed; this is ${process.versions.node}.`);
  if (!existsSync(join(root, "package-lock.json"))) return;
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .update(`${major} ${process.platform} ${process.arch}`)
    .digest("hex");
  if (existsSync(installStamp) && readFileSync(installStamp, "utf8") === wanted) return;
  say("installing the dependencies (npm install)");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  // Not `npm ci`: that refuses a lockfile in which a package for some other platform is missing, and a registry mirror
  // need not hold those. With --no-save the lockfile is followed and never written.
  run(npm, ["install", "--no-save", "--include=dev", "--no-audit", "--no-fund"], "Is the npm registry reachable?");
  writeFileSync(installStamp, wanted);
}

/** Compiles the sources when they are newer than what was compiled. A package without sources is taken as it is. */
export function build({ force = false } = {}) {
  if (!existsSync(join(root, "src"))) return;
  const wanted = fingerprintOf(["src", "migrations", "tsconfig.json", "tsconfig.build.json", "package-lock.json"]);
  if (!force && existsSync(buildStamp) && readFileSync(buildStamp, "utf8") === wanted) return;
  say("compiling");
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  run(process.execPath, [compiler, "-p", "tsconfig.build.json"], "See the errors above.");
  for (const file of filesIn(join(root, "src")).filter((each) => !each.endsWith(".ts"))) {
    const copy = join(root, "dist", relative(root, file));
    mkdirSync(dirname(copy), { recursive: true });
    cpSync(file, copy);
  }
  writeFileSync(join(root, "dist", "main.js"), 'require("./src/main.js");\n');
  writeFileSync(buildStamp, wanted);
}

function filesIn(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}

function fingerprintOf(names) {
  const hash = createHash("sha256");
  for (const name of names) {
    const path = join(root, name);
    for (const file of statSync(path).isDirectory() ? filesIn(path) : [path]) {
      const { size, mtimeMs } = statSync(file);
      hash.update(`${file} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest("hex");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  install();
  if (!process.argv.includes("--install-only")) build();
}
