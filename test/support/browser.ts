import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

/** Names that Chromium and its kin are installed under, on the PATH; the `CHROMIUM_PATH` of the environment goes first. */
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"];
/** Where they live on machines that do not put them on the PATH. */
const PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];
const START_TIMEOUT_MS = 30_000;

/** What can be run as a browser here; null when there is none. A CHROMIUM_PATH that cannot be run is a mistake to be told. */
export function findChromium(env: Readonly<Record<string, string | undefined>> = process.env): string | null {
  const given = env["CHROMIUM_PATH"];
  if (given !== undefined && given !== "") {
    if (isProgram(given)) return given;
    throw new Error(`CHROMIUM_PATH is no program that can be run: ${given}`);
  }
  const onPath = (env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((directory) => NAMES.map((name) => join(directory, name)));
  return [...onPath, ...PLACES].find(isProgram) ?? null;
}

/**
 * Tests in a real Chromium, started before the first and closed after the last. On a machine without one they are left
 * out, with a line that says so; on CI (the variable `CI` is set) that is a failure.
 */
export function describeInBrowser(what: string, body: (browser: () => Browser) => void): void {
  const program = findChromium();
  describe(what, () => {
    if (program === null) {
      it("has a Chromium to run in, at least on CI", () => {
        const line = `skipped: no Chromium found (${what}); install one or set CHROMIUM_PATH`;
        process.stderr.write(`${line}\n`);
        if ((process.env["CI"] ?? "") !== "") throw new Error(line);
      });
      return;
    }
    let browser: Browser | undefined;
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: program, timeout: START_TIMEOUT_MS });
    }, START_TIMEOUT_MS + 5_000);
    afterAll(async () => browser?.close());
    body(() => {
      if (browser === undefined) throw new Error("the browser runs only while tests do");
      return browser;
    });
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
