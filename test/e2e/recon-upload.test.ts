import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fill } from "../support/builders";
import { type HostProcess, startHostProcess } from "../support/host-process";
import { askRecon, type ReconReply, reconToken } from "../support/recon-api";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { DAY } from "../support/settlement-days";
import { FULL_HEADER, FULL_PROFILE, settlementDesk } from "../support/settlement-files";

jest.setTimeout(120_000);

const MIB = 2 ** 20;
let serial = 0;

/** A small file that no other test has sent. */
function newFile(): { readonly name: string; readonly text: string } {
  serial += 1;
  const line = `T${serial},001001,0021008457003,30000,5000,${DAY} 10:00:00,${DAY},paid`;
  return { name: `day-${serial}.csv`, text: `${FULL_HEADER}\n${line}\n` };
}

describe("settlement files over HTTP, from senders who are slow, huge or gone", () => {
  const spool = mkdtempSync(join(tmpdir(), "biller-spool-test-"));
  let database: TestDatabase;
  let host: HostProcess;
  let token: string;
  const open: Socket[] = [];

  const start = (): Promise<HostProcess> =>
    startHostProcess(database, { settings: { SEAL: "false", TMPDIR: spool, RECON_UPLOAD_MAX_MIB: "200" } });
  const leftOvers = (): string[] => readdirSync(spool).filter((name) => name.startsWith("biller-upload-"));
  const filesStored = async (): Promise<number> => {
    const [row] = await database.query<{ count: number }>(`select count(*)::int as count from settlement_file`);
    return row?.count ?? -1;
  };
  const until = async (isSo: () => boolean): Promise<void> => {
    for (let n = 0; n < 100 && !isSo(); n += 1) await sleep(50);
    expect(isSo()).toBe(true);
  };
  const upload = (
    file: string | Buffer,
    query: Record<string, string> | string,
    headers: Record<string, string> = {},
  ): Promise<ReconReply> => askRecon(host.url, token, "POST /files", { file, query, headers });
  const named = (fileName: string) => ({ profile: "full", fileName, date: DAY });

  /** A connection that has sent the head of an upload, and what came back on it. */
  async function begin(name: string, head: readonly string[], as: string | null = token) {
    const socket = connect(Number(new URL(host.url).port), "127.0.0.1");
    open.push(socket);
    let seen = "";
    let isClosed = false;
    socket.on("data", (bytes: Buffer) => (seen += bytes.toString("utf8")));
    socket.on("close", () => (isClosed = true));
    socket.on("error", () => {});
    await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
    const query = new URLSearchParams(named(name)).toString();
    const lines = [
      `POST /recon/v1/files?${query} HTTP/1.1`,
      ...[
        "Host: localhost",
        "Content-Type: text/csv",
        ...(as === null ? [] : [`Authorization: Bearer ${as}`]),
        ...head,
      ],
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    return { socket, seen: () => seen, isClosed: () => isClosed };
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, []);
    const desk = settlementDesk(database);
    await desk.saveProfile("full", FULL_PROFILE);
    const trailer = { startsWith: "TOTAL,", count: 2, amount: 3, fee: null };
    await desk.saveProfile("trailed", { ...FULL_PROFILE, trailer });
    desk.close();
    host = await start();
  });
  beforeEach(async () => {
    token = await reconToken(database, "ani");
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
  });
  afterAll(async () => {
    host.child.kill("SIGKILL");
    await host.ended;
    rmSync(spool, { recursive: true, force: true });
    await database.drop();
  });

  it.each([
    ["with a length", (text: string) => [`Content-Length: ${text.length}`], (text: string) => text.slice(0, 60)],
    ["in chunks", () => ["Transfer-Encoding: chunked"], (text: string) => `3c\r\n${text.slice(0, 60)}\r\n`],
  ])("leaves nothing of a file whose sender goes away in the middle, %s", async (_, headOf, partOf) => {
    const before = await filesStored();
    const { name, text } = newFile();
    const sender = await begin(name, headOf(text));
    sender.socket.write(partOf(text));
    await until(() => leftOvers().length === 1);
    sender.socket.destroy();
    await until(() => leftOvers().length === 0);
    expect(await filesStored()).toBe(before);
    const whole = await upload(text, named(name));
    expect([whole.status, whole.body["outcome"]]).toEqual([201, "imported"]);
    expect(await filesStored()).toBe(before + 1);
    await sleep(500);
    const reads = await database.query(
      `select note from audit_read where http_status = 400 and note like '%did not arrive%'`,
    );
    expect(reads.length).toBeGreaterThan(0);
  });

  it("takes longer than any message may for a file, and cuts off a message as ever", async () => {
    const { name, text } = newFile();
    const slow = await begin(name, [`Content-Length: ${text.length}`]);
    const message = connect(Number(new URL(host.url).port), "127.0.0.1");
    open.push(message);
    let refused = "";
    message.on("data", (bytes: Buffer) => (refused += bytes.toString()));
    message.on("error", () => {});
    message.write(
      `POST /recon/v1/runs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n` +
        `Content-Length: 100\r\n\r\n{`,
    );
    const pieces = 14;
    for (let n = 0; n < pieces; n += 1) {
      slow.socket.write(
        text.slice(Math.floor((n * text.length) / pieces), Math.floor(((n + 1) * text.length) / pieces)),
      );
      await sleep(1_000);
    }
    await until(() => slow.seen().includes("\r\n\r\n"));
    expect(slow.seen()).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
    expect(refused).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(leftOvers()).toEqual([]);
  });

  it("says whether a file may come before it comes, to who asks", async () => {
    const { name, text } = newFile();
    const head = [`Content-Length: ${text.length}`, "Expect: 100-continue"];
    const stranger = await begin(name, head, null);
    await until(stranger.isClosed);
    expect(stranger.seen()).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
    const known = await begin(name, head);
    await until(() => known.seen().startsWith("HTTP/1.1 100 Continue\r\n\r\n"));
    known.socket.write(text);
    await until(() => known.seen().includes("HTTP/1.1 201 Created\r\n"));
    const tooLarge = await begin(name, [`Content-Length: ${201 * MIB}`, "Expect: 100-continue"]);
    await until(tooLarge.isClosed);
    expect(tooLarge.seen()).toMatch(/^HTTP\/1\.1 413 /);
    const switchMessage = connect(Number(new URL(host.url).port), "127.0.0.1");
    open.push(switchMessage);
    let seen = "";
    switchMessage.on("data", (bytes: Buffer) => (seen += bytes.toString()));
    switchMessage.write(
      "POST /finpay/billing HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
    );
    await until(() => seen.startsWith("HTTP/1.1 100 Continue\r\n\r\n"));
    switchMessage.write("{}");
    await until(() => seen.includes("HTTP/1.1 200 OK\r\n"));
  });

  it("answers who sends too much while it is still being sent, and does not read on for ever", async () => {
    const { name } = newFile();
    const sender = await begin(name, [`Content-Length: ${201 * MIB}`]);
    sender.socket.write("x".repeat(1_000));
    await until(() => sender.seen().includes("\r\n\r\n"));
    expect(sender.seen()).toMatch(/^HTTP\/1\.1 413 /);
    await until(sender.isClosed);
    expect(leftOvers()).toEqual([]);
  });

  it("holds neither a huge file nor a huge line in memory, and pauses the sender", async () => {
    const peakKib = (): number => {
      const status = readFileSync(`/proc/${host.child.pid}/status`, "utf8");
      return Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(status)?.[1]);
    };
    const { name, text } = newFile();
    await upload(text, named(name));
    const before = peakKib();
    const endless = Buffer.concat([Buffer.from(`${FULL_HEADER}\n`), Buffer.alloc(150 * MIB, "x")]);
    const refused = await upload(endless, named("endless.csv"));
    expect([refused.status, refused.body]).toMatchObject([
      422,
      { code: "settlement_file", error: expect.stringContaining("none of its 1 lines can be read") as string },
    ]);
    expect(peakKib() - before).toBeLessThan(80 * 1_024);
    expect(leftOvers()).toEqual([]);
  });

  it("takes so many files at a time of one token, and says when there are more", async () => {
    for (let n = 0; n < 2; n += 1) {
      const { name, text } = newFile();
      const sender = await begin(name, [`Content-Length: ${text.length}`]);
      sender.socket.write(text.slice(0, 10));
    }
    await until(() => leftOvers().length === 2);
    const { name, text } = newFile();
    const third = await upload(text, named(name));
    expect([third.status, third.headers.get("retry-after")]).toEqual([429, "10"]);
    for (const socket of open.splice(0)) socket.destroy();
    await until(() => leftOvers().length === 0);
    expect((await upload(text, named(name))).status).toBe(201);
  });

  it("stores a file once that comes twice at the same time", async () => {
    const before = await filesStored();
    const { name, text } = newFile();
    const both = await Promise.all([upload(text, named(name)), upload(text, named(name))]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 201]);
    expect(await filesStored()).toBe(before + 1);
  });

  it("refuses what is no file of the profile, and what is said of it wrongly", async () => {
    const before = await filesStored();
    const { text } = newFile();
    const good = named("good.csv");
    for (const [what, file, query, headers, status, problem] of [
      ["empty", "", good, {}, 422, /the file is empty/],
      ["zipped", Buffer.from("504b030414000000", "hex"), good, {}, 422, /a ZIP archive/],
      ["UTF-16", Buffer.from(`\uFEFF${text}`, "utf16le"), good, {}, 422, /UTF-16/],
      ["another header", text.replace("trax,", "nonsense,"), good, {}, 422, /column/],
      ["cut off", text, { ...good, profile: "trailed" }, {}, 422, /the trailer is missing/],
      [
        "totals",
        `${text}TOTAL,9,9\n`,
        { ...good, profile: "trailed" },
        {},
        422,
        /control totals of good.csv do not agree/,
      ],
      ["no profile", text, { ...good, profile: "nobody" }, {}, 404, /there is no settlement profile nobody/],
      [
        "no date",
        text,
        { profile: "full", fileName: "x.csv" },
        {},
        422,
        /no business date is given: give it with date=/,
      ],
      ["profile left out", text, { fileName: "x.csv" }, {}, 400, /profile must be given/],
      ["name left out", text, { profile: "full" }, {}, 400, /fileName must be given/],
      ["a folder", text, { ...good, fileName: "../x.csv" }, {}, 400, /a name without folders/],
      ["a folder, Windows", text, { ...good, fileName: "c:\\x.csv" }, {}, 400, /a name without folders/],
      ["dots", text, { ...good, fileName: ".." }, {}, 400, /a name without folders/],
      ["not ASCII", text, { ...good, fileName: "dé.csv" }, {}, 400, /fileName must be 1 to 100 printable/],
      ["a long name", text, { ...good, fileName: "x".repeat(101) }, {}, 400, /fileName must be 1 to 100 printable/],
      ["a NUL", text, { ...good, fileName: "a\u0000b" }, {}, 400, /fileName must be 1 to 100 printable/],
      ["a bad day", text, { ...good, date: "2026-02-30" }, {}, 400, /date must be a day/],
      ["confirm=yes", text, { ...good, confirm: "yes" }, {}, 400, /confirm must be one of true/],
      ["a bad hash", text, { ...good, sha256: "abc" }, {}, 400, /64 hexadecimal/],
      ["twice", text, "profile=full&profile=full&fileName=x.csv", {}, 400, /profile is given more than once/],
      ["unknown", text, { ...good, replace: "true" }, {}, 400, /replace is no parameter here/],
      ["JSON", text, good, { "content-type": "application/json" }, 415, /Content-Type must be/],
      ["gzip", text, good, { "content-encoding": "gzip" }, 415, /without compression/],
    ] as const) {
      const reply = await upload(file, query, headers);
      expect([what, reply.status]).toEqual([what, status]);
      expect(reply.text).toMatch(problem);
    }
    expect(await filesStored()).toBe(before);
    expect(leftOvers()).toEqual([]);
    const accepted = await upload(`${text}TOTAL,9,9\n`, { ...good, profile: "trailed", acceptTotals: "true" });
    expect([accepted.status, accepted.body["controlTotals"]]).toMatchObject([201, { agree: false }]);
  });

  it("comes up after it was killed in the middle of a file, and removes what is left of it in time", async () => {
    const before = await filesStored();
    const { name, text } = newFile();
    const sender = await begin(name, [`Content-Length: ${text.length}`]);
    sender.socket.write(text.slice(0, 40));
    await until(() => leftOvers().length === 1);
    host.child.kill("SIGKILL");
    await host.ended;
    const [left = ""] = leftOvers();
    host = await start();
    // Another process may be at work on it: only what is old is removed.
    expect(leftOvers()).toEqual([left]);
    host.child.kill("SIGKILL");
    await host.ended;
    const longAgo = Date.now() / 1_000 - 7 * 3_600;
    utimesSync(join(spool, left), longAgo, longAgo);
    host = await start();
    expect(leftOvers()).toEqual([]);
    expect(await filesStored()).toBe(before);
    expect((await upload(text, named(name))).status).toBe(201);
  });
});
