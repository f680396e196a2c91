import { spawn } from "node:child_process";
import { join } from "node:path";

jest.setTimeout(240_000);

const ROOT = join(__dirname, "..", "..");

async function bench(...args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
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
  return { code, output };
}

/** What four times as many lines may take more: to hold them would be 150,000 objects, some 80 MiB. */
const GROWTH_MIB_MAX = 48;

describe("the bench", () => {
  it.each([
    ["every contestant", [], ["payment", "replay", "inquiry", "echo", "straightforward"]],
    ["a settlement file", ["--recon"], ["2,000 lines", "(import + run) / (COPY + join)"]],
  ])("measures %s, checks what came out, and leaves nothing behind", async (_name, args, expected) => {
    const { code, output } = await bench(...args);
    expect({ code, output }).toMatchObject({ code: 0 });
    for (const part of expected) expect(output).toContain(part);
  });

  it("finds that importing and reconciling takes no more memory for more lines", async () => {
    const peaks: number[] = [];
    for (const rows of ["50000", "200000"]) {
      const { code, output } = await bench("--recon", "--rows", rows);
      expect({ code, output }).toMatchObject({ code: 0 });
      peaks.push(Number(/peak memory of the importing process ([0-9]+) MiB/.exec(output)?.[1]));
    }
    const [few, many] = peaks as [number, number];
    expect(few).toBeGreaterThan(30);
    expect(many - few).toBeLessThan(GROWTH_MIB_MAX);
  });
});
