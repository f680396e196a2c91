import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findChromium } from "../../support/browser";

describe("finding a browser", () => {
  const directory = mkdtempSync(join(tmpdir(), "browsers-"));
  const program = join(directory, "google-chrome");
  writeFileSync(program, "#!/bin/sh\n");
  chmodSync(program, 0o755);
  afterAll(() => rmSync(directory, { recursive: true }));

  it("takes the one that CHROMIUM_PATH names, and tells when that is none", () => {
    expect(findChromium({ CHROMIUM_PATH: program, PATH: "" })).toBe(program);
    expect(() => findChromium({ CHROMIUM_PATH: join(directory, "absent"), PATH: directory })).toThrow("CHROMIUM_PATH");
  });

  it("looks along the PATH under the usual names", () => {
    expect(findChromium({ PATH: `/nowhere:${directory}` })).toBe(program);
  });
});
