import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataDirInUse, lockDataDir, startEmbeddedPostgres } from "../../src/platform/embedded";
import { startMarkOf } from "../../src/platform/embedded/process-identity";
import { onServer } from "../support/services";

jest.setTimeout(60_000);

describe("the embedded PostgreSQL", () => {
  let dir: string;
  const lines: string[] = [];
  const start = () => startEmbeddedPostgres({ dataDir: join(dir, "postgres"), log: (line) => lines.push(line) });

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "biller-embedded-"));
    chmodSync(dir, 0o755);
    lines.length = 0;
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("creates a cluster, keeps what was written over a restart, and listens on the loopback address only", async () => {
    const first = await start();
    await onServer(first.ownerUrl, "create table kept (n int)");
    await onServer(first.ownerUrl, "insert into kept values (7)");
    const listening = await onServer(first.superuserUrl, "show listen_addresses");
    expect(listening.rows).toEqual([{ listen_addresses: "127.0.0.1" }]);
    await first.stop();
    expect(existsSync(join(dir, "postgres", "postmaster.pid"))).toBe(false);

    const second = await start();
    expect((await onServer(second.ownerUrl, "select n from kept")).rows).toEqual([{ n: 7 }]);
    await second.stop();
  });

  it("gives the service's roles no more than they need, and asks for a password", async () => {
    const server = await start();
    const roles = await onServer(
      server.superuserUrl,
      "select rolname, rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname like 'biller%' order by 1",
    );
    const plain = { rolsuper: false, rolcreaterole: false, rolcreatedb: false };
    expect(roles.rows).toEqual(
      ["biller_app", "biller_auditor", "biller_owner"].map((rolname) => ({ rolname, ...plain })),
    );
    const wrong = server.appUrl.replace(/:[0-9a-f]+@/, ":wrong@");
    await expect(onServer(wrong, "select 1")).rejects.toThrow(/password authentication failed/);
    expect(statSync(join(dir, "postgres.secrets.json")).mode & 0o777).toBe(0o600);
    await server.stop();
  });

  it("keeps acknowledged commits when the server is killed, and starts again over the stale pid file", async () => {
    const first = await start();
    const reasons: string[] = [];
    first.onUnexpectedExit((reason) => reasons.push(reason));
    await onServer(first.ownerUrl, "create table kept (n int)");
    await onServer(first.ownerUrl, "insert into kept select generate_series(1, 1000)");
    process.kill(first.pid, "SIGKILL");
    while (reasons.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(reasons).toEqual(["signal SIGKILL"]);
    expect(existsSync(join(dir, "postgres", "postmaster.pid"))).toBe(true);

    const second = await start();
    expect((await onServer(second.ownerUrl, "select count(*)::int as n from kept")).rows).toEqual([{ n: 1000 }]);
    await second.stop();
  });

  it("ends a server that a killed parent left behind instead of fighting with it", async () => {
    const parent = spawn(
      process.execPath,
      [
        "--import",
        "tsx",
        "-e",
        `require(${JSON.stringify(join(process.cwd(), "src/platform/embedded"))})
           .startEmbeddedPostgres({ dataDir: ${JSON.stringify(join(dir, "postgres"))}, log: () => {} })
           .then((server) => console.log("pid", server.pid));`,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const orphan = await new Promise<number>((resolve) => {
      parent.stdout.on("data", (chunk: Buffer) => {
        const found = /pid ([0-9]+)/.exec(chunk.toString());
        if (found) resolve(Number(found[1]));
      });
    });
    parent.kill("SIGKILL");
    expect(() => process.kill(orphan, 0)).not.toThrow();

    const server = await start();
    expect(lines.join("\n")).toContain(`earlier run left behind (process ${orphan})`);
    // Where nobody collects orphans it stays as a zombie, which counts as ended.
    expect(startMarkOf(orphan)).toBeNull();
    await server.stop();
  });

  it("does not take another process for its server when the pid file names one", async () => {
    await (await start()).stop();
    writeFileSync(join(dir, "postgres", "postmaster.pid"), `${process.pid}\n`);
    const server = await start();
    expect(readFileSync(join(dir, "postgres", "postmaster.pid"), "utf8").split("\n")[0]).toBe(String(server.pid));
    await server.stop();
  });

  it("says what to do when the passwords are gone or the data are of another version", async () => {
    await (await start()).stop();
    rmSync(join(dir, "postgres.secrets.json"));
    await expect(start()).rejects.toThrow(/postgres\.secrets\.json.*restore it from a backup/s);
    writeFileSync(join(dir, "postgres", "PG_VERSION"), "9\n");
    await expect(start()).rejects.toThrow(/written by PostgreSQL 9, the embedded one is 18/);
  });
});

describe("the lock of a data directory", () => {
  it("lets one holder in, names it to the second, and forgets holders that are gone", async () => {
    const dir = mkdtempSync(join(tmpdir(), "biller-lock-"));
    const lock = await lockDataDir(dir);
    const second = await lockDataDir(dir).catch((error: unknown) => error);
    expect(second).toBeInstanceOf(DataDirInUse);
    expect((second as Error).message).toContain(`process ${process.pid} (this one)`);
    lock.release();

    writeFileSync(join(dir, "lock", "999999.someboot-1.abc"), "");
    const third = await lockDataDir(dir);
    third.release();
    rmSync(dir, { recursive: true });
  });
});
