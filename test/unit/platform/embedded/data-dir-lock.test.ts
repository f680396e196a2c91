import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataDirInUse, holderOfDataDir, lockDataDir } from "../../../../src/platform/embedded/data-dir-lock";
import { endProcess, isSameProcess, startMarkOf, waitUntil } from "../../../../src/platform/embedded/process-identity";

const root = mkdtempSync(join(tmpdir(), "data-dir-"));
let dirs = 0;
const newDir = (): string => join(root, `d${(dirs += 1)}`);

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A process that does nothing until it is ended; ended by the test at the latest. */
async function idleProcess(script = "setInterval(() => {}, 1000); console.log('up')") {
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
  await once(child.stdout, "data");
  return { child, pid: child.pid ?? 0, ended: once(child, "exit") };
}

describe("the mark of a process", () => {
  it("is the same each time, fits a file name, and tells two processes apart", async () => {
    const mark = startMarkOf(process.pid);
    expect(mark).toMatch(/^[0-9A-Za-z-]+$/);
    expect(startMarkOf(process.pid)).toBe(mark);
    expect(isSameProcess(process.pid, mark ?? "")).toBe(true);
    expect(isSameProcess(process.pid, `${mark}0`)).toBe(false);
    const { child, pid, ended } = await idleProcess();
    expect(startMarkOf(pid)).not.toBeNull();
    child.kill("SIGKILL");
    await ended;
    expect(startMarkOf(pid)).toBeNull();
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 31 - 2, Number.POSITIVE_INFINITY])("is none for %p", (pid) => {
    expect(startMarkOf(pid)).toBeNull();
  });
});

describe("ending a process", () => {
  it("goes on to the next signal when one does not help", async () => {
    const stubborn = await idleProcess(
      "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')",
    );
    const hasEnded = (): boolean => stubborn.child.exitCode !== null || stubborn.child.signalCode !== null;
    expect(await endProcess(stubborn.pid, [["SIGTERM", 100]], hasEnded)).toBe(false);
    expect(
      await endProcess(
        stubborn.pid,
        [
          ["SIGTERM", 50],
          ["SIGKILL", 5_000],
        ],
        hasEnded,
      ),
    ).toBe(true);
    expect(stubborn.child.signalCode).toBe("SIGKILL");
  });

  it("is content with one that has ended already", async () => {
    const { child, pid, ended } = await idleProcess();
    child.kill("SIGKILL");
    await ended;
    expect(await endProcess(pid, [["SIGTERM", 10]], () => false)).toBe(false);
    expect(await endProcess(pid, [["SIGTERM", 10]], () => true)).toBe(true);
  });

  it("waits no longer than it was told", async () => {
    const from = performance.now();
    expect(await waitUntil(() => false, 60)).toBe(false);
    expect(performance.now() - from).toBeLessThan(1_000);
    let asked = 0;
    expect(await waitUntil(() => (asked += 1) === 3, 5_000)).toBe(true);
  });
});

describe("the lock on a data directory", () => {
  it("is held until it is released, and names its holder meanwhile", async () => {
    const dir = newDir();
    expect(holderOfDataDir(dir)).toBeNull();
    const lock = await lockDataDir(dir);
    expect(holderOfDataDir(dir)).toBe(process.pid);
    await expect(lockDataDir(dir)).rejects.toThrow(DataDirInUse);
    await expect(lockDataDir(dir)).rejects.toMatchObject({ pid: process.pid, code: "data_dir_in_use" });
    lock.release();
    lock.release();
    expect(holderOfDataDir(dir)).toBeNull();
    (await lockDataDir(`${dir}/../${dir.split("/").at(-1)}`)).release();
  });

  it("is not had by two that ask in the same instant", async () => {
    const dir = newDir();
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => lockDataDir(dir)));
    expect(results.filter(({ status }) => status === "fulfilled").length).toBeLessThanOrEqual(1);
    for (const result of results) if (result.status === "fulfilled") result.value.release();
    (await lockDataDir(dir)).release();
  });

  it("is respected while its holder lives, and swept away once that was killed", async () => {
    const dir = newDir();
    const { child, pid, ended } = await idleProcess();
    const claims = join(dir, "lock");
    mkdirSync(claims, { recursive: true });
    writeFileSync(join(claims, `${pid}.${startMarkOf(pid)}.abcdef`), "");
    expect(holderOfDataDir(dir)).toBe(pid);
    await expect(lockDataDir(dir)).rejects.toMatchObject({ pid, message: expect.stringContaining(dir) });
    child.kill("SIGKILL");
    await ended;
    const lock = await lockDataDir(dir);
    expect(readdirSync(claims)).toHaveLength(1);
    lock.release();
  });

  it.each([
    ["a process number that was given to another process since", `${process.pid}.0-0.abcdef`],
    ["a process that ended long ago", `${spawnSync(process.execPath, ["-e", ""]).pid}.0-0.abcdef`],
    ["nothing that can be read", "what is this"],
    ["nobody", ""],
  ])("does not mind a claim of %s", async (_, name) => {
    const dir = newDir();
    mkdirSync(join(dir, "lock"), { recursive: true });
    if (name !== "") writeFileSync(join(dir, "lock", name), "");
    (await lockDataDir(dir)).release();
    expect(existsSync(join(dir, "lock", name || "none"))).toBe(false);
  });
});
