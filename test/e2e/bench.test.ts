import { spawn } from "node:child_process";
import { join } from "node:path";

jest.setTimeout(240_000);

const ROOT = join(__dirname, "..", "..");

describe("the bench", () => {
  it("measures every contestant, checks every reply and the books, and leaves nothing behind", async () => {
    const child = spawn(process.execPath, ["--import", "tsx", "test/bench/main.ts", "--smoke"], {
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
    for (const contestant of ["payment", "replay", "inquiry", "echo", "straightforward"])
      expect(output).toContain(contestant);
  });
});
