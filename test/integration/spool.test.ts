import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { withSpooledFile } from "../../src/ops";

const LIMITS = { maxBytes: 1_000, idleMs: 100, totalMs: 400 };

describe("a file that arrives on disk", () => {
  const dir = mkdtempSync(join(tmpdir(), "biller-spool-"));
  afterEach(() => expect(readdirSync(dir)).toEqual([]));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it("is handed on whole, and gone afterwards", async () => {
    const parts = ["a".repeat(500), "b".repeat(500)].map((text) => Buffer.from(text));
    const seen = await withSpooledFile(Readable.from(parts), dir, LIMITS, async ({ path, ...file }) => {
      await sleep(1);
      return { ...file, content: readFileSync(path) };
    });
    const content = Buffer.concat(parts);
    expect(seen).toEqual({ content, bytes: 1_000, sha256: createHash("sha256").update(content).digest("hex") });
  });

  it("is gone when what is done with it fails", async () => {
    const work = () => Promise.reject(new Error("no"));
    await expect(withSpooledFile(Readable.from([Buffer.from("x")]), dir, LIMITS, work)).rejects.toThrow("no");
  });

  it("is refused one byte above the limit, and its stream is left to whoever answers", async () => {
    const body = new PassThrough();
    body.write(Buffer.alloc(1_001));
    const refused = withSpooledFile(body, dir, LIMITS, () => Promise.resolve());
    await expect(refused).rejects.toMatchObject({ code: "upload_too_large" });
    expect(body.destroyed).toBe(false);
  });

  it("is refused when no byte comes, and when bytes come too slowly", async () => {
    const silent = withSpooledFile(new PassThrough(), dir, LIMITS, () => Promise.resolve());
    await expect(silent).rejects.toMatchObject({
      code: "upload_slow",
      message: expect.stringContaining("no byte") as string,
    });
    const drip = new PassThrough();
    const dripping = setInterval(() => drip.write("x"), 20);
    try {
      const slow = withSpooledFile(drip, dir, LIMITS, () => Promise.resolve());
      await expect(slow).rejects.toMatchObject({
        code: "upload_slow",
        message: expect.stringContaining("longer than") as string,
      });
    } finally {
      clearInterval(dripping);
    }
  });

  it("is refused when its sender goes away", async () => {
    const body = new PassThrough();
    const refused = withSpooledFile(body, dir, LIMITS, () => Promise.resolve());
    body.write("half");
    setTimeout(() => body.destroy(new Error("socket hang up")), 10);
    await expect(refused).rejects.toMatchObject({ code: "upload_aborted" });
  });

  it("is refused where there is no place for it", async () => {
    const nowhere = withSpooledFile(Readable.from([]), join(dir, "none"), LIMITS, () => Promise.resolve());
    await expect(nowhere).rejects.toMatchObject({ code: "upload_no_room" });
  });
});
