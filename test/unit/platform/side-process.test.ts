import { join } from "node:path";
import { getPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type Fault, openSideProcesses, type SideProcesses, sqlStateOf } from "../../../src/platform";
import type { SIDE_JOBS } from "../../support/side-entry";

jest.setTimeout(60_000);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("processes beside this one", () => {
  const faults: string[] = [];
  let beside: SideProcesses<typeof SIDE_JOBS>;
  const open = (changes: { idleMs?: number; limitMs?: number } = {}) =>
    openSideProcesses<typeof SIDE_JOBS>({
      ...{ entry: join(__dirname, "../../support/side-entry.ts"), idleMs: 30_000, limitMs: 30_000, heapMib: 64 },
      ...changes,
      onFault: ({ message }) => void faults.push(message),
    });

  beforeEach(() => {
    faults.length = 0;
    beside = open();
  });
  afterEach(() => beside.close());

  it("hands values over as they are, and keeps a process for the next piece of work", async () => {
    const value = { amount: 9_007_199_254_740_993n, at: new Date(0), bytes: Buffer.from("ab"), nothing: null };
    expect(await beside.perform("echo", value)).toEqual(value);
    const pid = await beside.perform("who", undefined);
    expect(pid).not.toBe(process.pid);
    expect(await beside.perform("who", undefined)).toBe(pid);
    expect(getPriority(pid)).toBeGreaterThan(getPriority());
  });

  it("does two pieces of work in two processes", async () => {
    const both = await Promise.all([1, 2].map(() => beside.perform("who", undefined)));
    expect(new Set(both).size).toBe(2);
  });

  it("takes nothing that is printed for an answer", async () => {
    const text = '{"kind":"done","value":1}';
    expect(await beside.perform("shout", text)).toBe(text.length);
    expect(await beside.perform("echo", text)).toBe(text);
  });

  it("throws what the work threw: faults with code and remedy, errors of PostgreSQL with SQLSTATE", async () => {
    await expect(beside.perform("fault", undefined)).rejects.toMatchObject({
      ...{ name: "Fault", code: "settlement_file", message: "not what it says", remedy: "give-the-date" },
    });
    const thrown = await beside.perform("sqlError", undefined).catch((error: unknown) => error);
    expect([sqlStateOf(thrown), thrown]).toMatchObject(["23001", { message: "refused", constraint: "a_key" }]);
    expect(faults).toEqual([]);
  });

  it.each([
    ["an exception that nobody catches", "throwLater", "exit code 1", "nobody catches this"],
    ["more memory than it may have", "fillMemory", "SIGABRT", "heap out of memory"],
  ] as const)("survives %s, says what became of it, and goes on", async (_, name, end, last) => {
    const fault = await beside.perform(name, undefined).catch((error: Fault) => error);
    expect(fault).toMatchObject({ code: "work_lost", message: expect.stringContaining(end) as string });
    expect(faults).toEqual([expect.stringContaining(last)]);
    expect(await beside.perform("echo", 1)).toBe(1);
  });

  it("survives the killing of one at work, and of one at rest", async () => {
    const pid = await beside.perform("who", undefined);
    const hanging = beside.perform("hang", undefined).catch((error: Fault) => error);
    process.kill(pid, "SIGKILL");
    expect(await hanging).toMatchObject({ code: "work_lost", message: expect.stringContaining("SIGKILL") as string });
    const next = await beside.perform("who", undefined);
    process.kill(next, "SIGKILL");
    while (isAlive(next)) await sleep(10);
    expect(await beside.perform("echo", 2)).toBe(2);
  });

  it("kills what takes longer than it may, however busy it is", async () => {
    const strict = open({ limitMs: 3_000 });
    await expect(strict.perform("spin", undefined)).rejects.toMatchObject({ code: "work_lost" });
    expect(await strict.perform("echo", 3)).toBe(3);
    await strict.close();
  });

  it("ends a process that has nothing to do, and all of them at a close", async () => {
    const lazy = open({ idleMs: 50 });
    const pid = await lazy.perform("who", undefined);
    for (let n = 0; n < 200 && isAlive(pid); n += 1) await sleep(25);
    expect(isAlive(pid)).toBe(false);
    const hanging = lazy.perform("hang", undefined).catch((error: Fault) => error);
    await lazy.close();
    expect(await hanging).toMatchObject({ code: "work_lost" });
    await expect(lazy.perform("echo", 1)).rejects.toMatchObject({ code: "overloaded" });
  });
});
