import { spawn } from "node:child_process";
import { join } from "node:path";
import { fuzzCodecs } from "../fuzz/codec-run";
import { GoodClient } from "../fuzz/good-client";
import { fuzzHttp } from "../fuzz/http-run";
import { quantileOf } from "../fuzz/program";
import { holdSlowSockets, LIFE_MAX_MS } from "../fuzz/slow-sockets";
import { billNumbers } from "../fuzz/stage";
import { fill, inquiryMessage, PARTNER, telkomBill, TEST_KEYS } from "../support/builders";
import { post, startTestHost, type TestHost } from "../support/host";
import { createTestDatabase, type TestDatabase } from "../support/services";

const ROOT = join(__dirname, "..", "..");

describe("random input", () => {
  it("of 50,000 texts and values crashes no codec and comes back as it was", () => {
    const { results, failures } = fuzzCodecs({ count: 50_000, seed: 20_260 });
    expect(failures).toEqual([]);
    expect(results.reduce((sum, { inputs }) => sum + inputs, 0)).toBeGreaterThanOrEqual(50_000);
    // A generator that makes nothing valid, or nothing invalid, would find nothing.
    for (const { name, accepted, inputs } of results)
      expect({ name, isUseful: accepted > inputs / 50 }).toEqual({ name, isUseful: true });
  }, 60_000);
});

describe("a host", () => {
  let database: TestDatabase;
  let host: TestHost;
  const world = { ...PARTNER, billNumbers: billNumbers(200), seed: 4_711 };

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, [telkomBill(), ...world.billNumbers.map((billNumber) => telkomBill({ billNumber }))]);
    host = await startTestHost(database);
  });
  afterAll(async () => {
    await host.stop();
    await database.drop();
  });

  it("answers 2,000 hostile requests, books the good payments among them and nothing else", async () => {
    const { kinds, failures, paid } = await fuzzHttp({
      port: host.port,
      database,
      world,
      count: 2_000,
      connections: 32,
    });
    expect(failures).toEqual([]);
    expect(paid).toBe(40);
    expect(kinds.reduce((sum, { cases }) => sum + cases, 0)).toBe(2_000);
    expect(kinds).toHaveLength(11);
  }, 60_000);

  it("S17: closes 300 slow connections by its limits and answers others meanwhile", async () => {
    const good = new GoodClient(host.port, 50);
    const results = await holdSlowSockets({ port: host.port, count: 300, forMs: 13_500, perSecond: 1_000 });
    await good.stop();
    for (const { kind, opened, closedByServer, longestMs } of results) {
      expect({ kind, opened, closedByServer }).toEqual({ kind, opened: 75, closedByServer: 75 });
      expect(longestMs).toBeLessThan(LIFE_MAX_MS[kind]);
    }
    expect(good.faults).toEqual([]);
    expect(good.durationsMs.length).toBeGreaterThan(300);
    expect(quantileOf(good.durationsMs, 0.99)).toBeLessThan(250);
  }, 40_000);
});

describe("S20: a fault that nobody caught", () => {
  it.each([
    ["an exception", 'setImmediate(() => { throw new Error("canary-20") })', "uncaught exception"],
    ["a rejection", 'void Promise.reject(new Error("canary-20"))', "unhandled rejection"],
  ])(
    "%s is logged, work is finished, and the process ends with 1",
    async (_, code, words) => {
      const database = await createTestDatabase();
      await fill(database, [telkomBill()]);
      const probe = `data:text/javascript,${encodeURIComponent(`process.on("SIGUSR2", () => { ${code} })`)}`;
      const child = spawn(process.execPath, ["--import", "tsx", "--import", probe, join(ROOT, "src", "main.ts")], {
        cwd: ROOT,
        env: {
          PATH: process.env["PATH"],
          PORT: "0",
          DATABASE_URL: database.appUrl,
          MIGRATION_DATABASE_URL: database.ownerUrl,
          CREDENTIAL_KEYS: TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join(),
          ALLOW_UNSAFE_DURABILITY: "true",
        },
        stdio: ["ignore", "pipe", "pipe"],
      });
      try {
        let [log, said] = ["", ""];
        child.stdout.setEncoding("utf8").on("data", (text: string) => (log += text));
        const url = new Promise<string>((resolve) => {
          child.stderr.setEncoding("utf8").on("data", (text: string) => {
            said += text;
            const found = /listening on (\S+)/.exec(said)?.[1];
            if (found !== undefined) resolve(found);
          });
        });
        const ended = new Promise<unknown>((resolve) =>
          child.once("exit", (status, signal) => resolve(status ?? signal)),
        );
        expect((await post(`${await url}/finpay/billing`, JSON.stringify(inquiryMessage()))).fields["resultCode"]).toBe(
          "00",
        );
        child.kill("SIGUSR2");
        expect(await ended).toBe(1);
        const fatal = log.split("\n").filter((line) => line.includes('"level":60'));
        expect(fatal).toHaveLength(1);
        expect(JSON.parse(fatal[0] as string)).toMatchObject({ msg: words, err: { message: "canary-20" } });
        expect(said).toContain("stopped");
        const [attempts] = await database.query<{ n: number }>(`select count(*)::int as n from attempt`);
        expect(attempts?.n).toBe(1);
      } finally {
        child.kill("SIGKILL");
        await database.drop();
      }
    },
    40_000,
  );
});
