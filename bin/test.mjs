// `npm test`: everything that is missing, a real Redis, then the whole suite; `--unit` runs what needs no services.
// Further arguments go to jest. The last line is "N passed, N failed".
import { spawnSync } from "node:child_process";
import { accessSync, constants, mkdirSync, readFileSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { build, fail, install, root } from "./prepare.mjs";

const isUnit = process.argv.includes("--unit");
const passedOn = process.argv.slice(2).filter((argument) => argument !== "--unit");

install();
if (!isUnit) {
  build();
  bringRedis();
  bringBrowser();
}
const results = join(root, ".cache", "test-results.json");
mkdirSync(join(root, ".cache"), { recursive: true });
rmSync(results, { force: true });
const { status } = spawnSync(
  process.execPath,
  [
    join(root, "node_modules", "jest", "bin", "jest.js"),
    ...["--config", isUnit ? "jest.unit.config.json" : "jest.config.json"],
    ...["--json", `--outputFile=${results}`],
    ...passedOn,
  ],
  { cwd: root, stdio: ["ignore", "ignore", "inherit"] },
);
const { passed, failed } = countsOf(results);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = status === 0 && failed === 0 && passed > 0 ? 0 : 1;

/** A file of tests that could not even be loaded counts as one that failed, and so does a run without a result. */
function countsOf(file) {
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(file, "utf8"));
    return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

function bringRedis() {
  const programs = ["redis-server", "valkey-server"];
  bring("a Redis server", programs, { "apt-get": ["redis-server"], apk: ["redis"], dnf: ["redis"], brew: ["redis"] });
  if (programs.some(has)) return;
  const example = "for instance: apt-get install redis-server, or brew install redis";
  fail(`The tests need redis-server or valkey-server on the PATH (${example}); npm run test:unit runs without.`);
}

/** Only for continuous integration, where tests of pages may not be left out: it is large. */
function bringBrowser() {
  const isNamed = (process.env.CHROMIUM_PATH ?? "") !== "";
  if ((process.env.CI ?? "") === "" || isNamed) return;
  const programs = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
  ];
  const apt = ["chromium", "fonts-dejavu-core", "fonts-liberation"];
  bring("a Chromium", programs, { "apt-get": apt, apk: ["chromium", "font-dejavu"], dnf: ["chromium"] });
}

/** Installs what none of these programs is there for, with the system's package manager, where that may be done. */
function bring(what, programs, packages) {
  if (programs.some(has)) return;
  const isRoot = process.getuid?.() === 0;
  const mayUseSudo = !isRoot && has("sudo") && spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0;
  const managers = [
    { program: "apt-get", steps: [["update"], ["install", "-y", "--no-install-recommends"]] },
    { program: "apk", steps: [["add"]] },
    { program: "dnf", steps: [["install", "-y"]] },
    { program: "brew", steps: [["install"]], asUser: true },
  ];
  const manager = managers.find(({ program }) => packages[program] !== undefined && has(program));
  if (manager === undefined || !(manager.asUser || isRoot || mayUseSudo)) return;
  process.stderr.write(`installing ${what} for the tests with ${manager.program}\n`);
  for (const [at, step] of manager.steps.entries()) {
    const [program, args] = mayUseSudo && !manager.asUser ? ["sudo", ["-n", manager.program]] : [manager.program, []];
    const names = at === manager.steps.length - 1 ? packages[manager.program] : [];
    // RUNLEVEL keeps Debian's package from starting a service.
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
    spawnSync(program, [...args, ...step, ...names], { stdio: ["ignore", 2, 2], env });
  }
}

function has(program) {
  return (process.env.PATH ?? "").split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
