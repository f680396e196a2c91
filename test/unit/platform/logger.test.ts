import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { maskNumber } from "../../../src/platform";

const ROOT = join(__dirname, "../../..");

/** What a process of its own writes to standard output while it runs this with a logger named `log`. */
function outputOf(body: string, level = "info", end: NodeJS.Signals | null = null): string {
  const script = `
    const { createLogger } = require("./src/platform/logger");
    const log = createLogger({ level: ${JSON.stringify(level)} });
    ${body}`;
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, ["-r", "tsx/cjs", "-e", script], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (status !== (end === null ? 0 : null) || signal !== end) throw new Error(stderr);
  return stdout;
}

async function firstLineOf(stream: Readable): Promise<string> {
  for await (const line of createInterface({ input: stream })) return line;
  throw new Error("it said nothing");
}

const linesOf = (output: string): Record<string, unknown>[] =>
  output
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("the log", () => {
  const HOSTILE = 'a\nb\r\nc\u001b[31mred\u001b[0m\u2028d\u0000ef"}\n{"level":60,"msg":"forged"}';

  it("is one JSON line per event, whatever a value holds", () => {
    const output = outputOf(`
      const hostile = ${JSON.stringify(HOSTILE)};
      log.info({ traxId: hostile, [hostile]: 1 }, hostile);
      log.error(new Error(hostile));
      log.warn({ nested: { deep: [hostile] } }, "plain");`);
    const lines = linesOf(output);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatchObject({ level: 30, traxId: HOSTILE, msg: HOSTILE });
    expect(lines[1]).toMatchObject({ level: 50, err: { message: HOSTILE } });
    // No control character beside the line ends: no terminal can be made to do anything.
    expect(output.replaceAll("\n", "")).toMatch(/^[^\p{Cc}]*$/u);
  });

  it("says when and by which process, in a form that sorts", () => {
    const [line] = linesOf(outputOf(`log.info("x")`));
    expect(line?.["time"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(line).toMatchObject({ pid: expect.any(Number), msg: "x" });
  });

  it("masks secrets that were handed in by mistake", () => {
    const output = outputOf(`
      log.info({ password: "hunter2", signature: "hunter2", authorization: "hunter2" });
      log.info({ partner: { password: "hunter2", secret: "hunter2", signature: "hunter2", authorization: "hunter2" } });`);
    expect(output).not.toContain("hunter2");
    expect(linesOf(output)[1]).toMatchObject({ partner: { password: "[masked]", secret: "[masked]" } });
  });

  it("writes everything before the process ends, and before it goes on after a fatal line", () => {
    expect(linesOf(outputOf(`for (let n = 0; n < 2_000; n += 1) log.info({ n }, "x".repeat(200))`))).toHaveLength(
      2_000,
    );
    expect(linesOf(outputOf(`log.info("a"); process.exit(0)`))).toMatchObject([{ msg: "a" }]);
    expect(
      linesOf(outputOf(`log.info("a"); log.fatal("b"); process.kill(process.pid, "SIGKILL")`, "info", "SIGKILL")),
    ).toMatchObject([{ msg: "a" }, { msg: "b" }]);
  });

  it("writes what its level allows and nothing else", () => {
    expect(linesOf(outputOf(`log.debug("a"); log.info("b"); log.warn("c")`, "warn"))).toMatchObject([{ msg: "c" }]);
    expect(outputOf(`log.fatal("a")`, "silent")).toBe("");
  });
});

describe("a log that nobody takes from standard output", () => {
  it("holds nothing up, and is dropped and counted beyond its bound", async () => {
    const script = `
      const { createLogger, droppedLogLines } = require("./src/platform/logger");
      const log = createLogger({ level: "info" });
      const text = "x".repeat(1_000);
      let rounds = 0;
      const timer = setInterval(() => {
        for (let n = 0; n < 1_000; n += 1) log.info(text);
        rounds += 1;
        if (rounds < 30) return;
        clearInterval(timer);
        console.error(JSON.stringify({ dropped: droppedLogLines(), heapMiB: process.memoryUsage().rss / 2 ** 20 }));
      }, 1);`;
    // Its standard output is a pipe that is never read.
    const child = spawn(process.execPath, ["-r", "tsx/cjs", "-e", script], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
    });
    try {
      const told = JSON.parse(await firstLineOf(child.stderr)) as { dropped: number; heapMiB: number };
      // 30 MB were logged: 16 MiB wait, and a pipe holds little.
      expect(told.dropped).toBeGreaterThan(8_000);
      expect(told.dropped).toBeLessThan(16_000);
      expect(told.heapMiB).toBeLessThan(300);
    } finally {
      child.kill("SIGKILL");
    }
  });
});

describe("a masked number", () => {
  it.each([
    ["0021008457003", "00*********03"],
    ["12345", "12*45"],
    ["1234", "****"],
    ["1", "*"],
    ["", ""],
  ])("of %j is %j", (number, masked) => {
    expect(maskNumber(number)).toBe(masked);
  });
});
