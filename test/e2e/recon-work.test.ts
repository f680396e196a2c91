import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { fill } from "../support/builders";
import { type HostProcess, startHostProcess } from "../support/host-process";
import { askRecon, type ReconReply, reconToken } from "../support/recon-api";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { DAY } from "../support/settlement-days";
import { FULL_HEADER, FULL_PROFILE, settlementDesk } from "../support/settlement-files";

jest.setTimeout(180_000);

const LINES = 400_000;

/** Processor time that a process has used so far, milliseconds. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Its child processes that do work on settlement. */
function besideOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
  return children
    .map(Number)
    .filter((child) => readFileSync(`/proc/${child}/cmdline`, "utf8").includes("work-process"));
}

function isAlive(pid: number): boolean {
  try {
    // One that has ended and was not asked for its end yet is no longer at work.
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; n < 600 && !(await isSo()); n += 1) await sleep(50);
  expect(await isSo()).toBe(true);
}

describe("long work on settlement, beside the process that answers payments", () => {
  const spool = mkdtempSync(join(tmpdir(), "biller-work-test-"));
  let database: TestDatabase;
  let host: HostProcess;
  let token: string;
  let holder: pg.Client;

  const start = (): Promise<HostProcess> =>
    startHostProcess(database, { settings: { SEAL: "false", TMPDIR: spool, SHUTDOWN_TIMEOUT_MS: "1500" } });
  const pidOf = (): number => host.child.pid ?? 0;
  const stored = async (): Promise<number[]> => {
    const [row] = await database.query<{ files: number; lines: number }>(
      `select (select count(*)::int from settlement_file) as files, (select count(*)::int from settlement_line) as lines`,
    );
    return [row?.files ?? -1, row?.lines ?? -1];
  };
  const upload = (name: string, file: string, sha256?: string): Promise<ReconReply> =>
    askRecon(host.url, token, "POST /files", {
      ...{ file, query: { profile: "full", fileName: name, date: DAY, ...(sha256 === undefined ? {} : { sha256 }) } },
    });
  const smallFile = (serial: string): string =>
    `${FULL_HEADER}\n${serial},001001,0021008457003,30000,5000,${DAY} 10:00:00,${DAY},paid\n`;
  /** Nobody can import or run while this is held: work that has begun stays at work. */
  const hold = () => holder.query(`select pg_advisory_lock(hashtext('biller:reconciliation'), hashtext('full'))`);
  const release = () => holder.query(`select pg_advisory_unlock_all()`);
  const waitingForLock = async (): Promise<number> => {
    const { rows } = await holder.query<{ count: number }>(
      `select count(*)::int as count from pg_locks where locktype = 'advisory' and not granted
          and database = (select oid from pg_database where datname = current_database())`,
    );
    return rows[0]?.count ?? -1;
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, []);
    const desk = settlementDesk(database);
    await desk.saveProfile("full", FULL_PROFILE);
    desk.close();
    holder = new pg.Client({ connectionString: database.ownerUrl });
    await holder.connect();
    host = await start();
  });
  beforeEach(async () => {
    token = await reconToken(database, "ani");
  });
  afterEach(() => release());
  afterAll(async () => {
    host.child.kill("SIGKILL");
    await host.ended;
    rmSync(spool, { recursive: true, force: true });
    await holder.end();
    await database.drop();
  });

  it("computes an import elsewhere: what the host spends is a small part", async () => {
    expect((await upload("warm.csv", smallFile("W1"))).status).toBe(201);
    const [worker = 0] = besideOf(pidOf());
    const rows = Array.from(
      { length: LINES },
      (_, n) => `L${n},001001,${String(n).padStart(13, "0")},30000,5000,${DAY} 10:00:00,${DAY},paid`,
    );
    const file = `${FULL_HEADER}\n${rows.join("\n")}\n`;
    const spentIn = async (work: () => Promise<ReconReply>) => {
      const before = { host: cpuMs(pidOf()), worker: cpuMs(worker) };
      const reply = await work();
      return { reply, host: cpuMs(pidOf()) - before.host, worker: cpuMs(worker) - before.worker };
    };
    // The same way in, and nothing behind it.
    const arriving = await spentIn(() => upload("large.csv", file, "0".repeat(64)));
    expect(arriving.reply.body["code"]).toBe("sha256");
    const imported = await spentIn(() => upload("large.csv", file));
    expect([imported.reply.status, imported.reply.body["lines"]]).toEqual([201, LINES]);
    // Processor time, which does not grow when others use the machine. In one process it would all be the host's.
    expect(imported.worker).toBeGreaterThan(300);
    expect(imported.host - arriving.host).toBeLessThan(imported.worker / 2);
  });

  it("says that an import was lost whose process was killed, stores nothing of it, and takes it again", async () => {
    const before = await stored();
    await hold();
    const sending = upload("killed.csv", smallFile("K1"));
    await until(async () => (await waitingForLock()) === 1);
    for (const pid of besideOf(pidOf())) process.kill(pid, "SIGKILL");
    const lost = await sending;
    expect([lost.status, lost.headers.get("retry-after"), lost.body["code"]]).toEqual([503, "5", "work_lost"]);
    expect(lost.text).toContain("the same request again tells what became of it");
    await release();
    expect(await stored()).toEqual(before);
    expect(readdirSync(spool).filter((name) => name.startsWith("biller-upload-"))).toEqual([]);
    expect((await upload("killed.csv", smallFile("K1"))).status).toBe(201);
    expect(await stored()).toEqual([(before[0] ?? 0) + 1, (before[1] ?? 0) + 1]);
  });

  it("does two at a time, lets four wait, and tells the next at once; all that waited have their turn", async () => {
    await hold();
    const run = (): Promise<ReconReply> =>
      askRecon(host.url, token, "POST /runs", { json: { profile: "full", date: "2026-01-01" } });
    const six = Array.from({ length: 6 }, run);
    await until(async () => (await waitingForLock()) === 2);
    const seventh = await run();
    expect([seventh.status, seventh.body["code"], seventh.headers.get("retry-after")]).toEqual([
      503,
      "overloaded",
      "5",
    ]);
    expect(besideOf(pidOf())).toHaveLength(2);
    await release();
    expect((await Promise.all(six)).map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 404]);
  });

  it("ends its work with itself: at a stop, and when it is killed", async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const before = await stored();
      await hold();
      const sending = upload(`${signal}.csv`, smallFile(signal)).catch((error: Error) => error);
      await until(async () => (await waitingForLock()) === 1);
      const workers = besideOf(pidOf());
      host.child.kill(signal);
      const ended = await host.ended;
      expect(signal === "SIGTERM" ? ended.code : ended.signal).toBe(signal === "SIGTERM" ? 0 : signal);
      await until(() => workers.every((pid) => !isAlive(pid)));
      await sending;
      await release();
      host = await start();
      expect(await stored()).toEqual(before);
      expect((await upload(`${signal}.csv`, smallFile(signal))).status).toBe(201);
    }
  });
});
