import { spawn } from "node:child_process";
import { join } from "node:path";

jest.setTimeout(240_000);

const ROOT = join(__dirname, "..", "..");

describe("the bench", () => {
  it.each([
    ["every contestant", [], ["payment", "replay", "inquiry", "echo", "straightforward"]],
    ["a settlement file", ["--recon"], ["2,000 lines", "(import + run) / (COPY + join)"]],
  ])("measures %s, checks what came out, and leaves nothing behind", async (_name, args, expected) => {
    const child = spawn(process.execPath, ["--import", "tsx", "test/bench/main.ts", "--smoke", ...args], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    expect({ code, output }).toMatchObject({ code: 0 });
    for (const part of expected) expect(output).toContain(part);
  });
});
