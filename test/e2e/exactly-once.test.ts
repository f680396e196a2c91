import { connect } from "node:net";
import { Redis } from "ioredis";
import { fill, paymentMessage, telkomBill } from "../support/builders";
import type { Reply } from "../support/host";
import { type HostProcess, startHostProcess } from "../support/host-process";
import { brokenLaws } from "../support/laws";
import { startLyingRedis } from "../support/lying-redis";
import { createTestDatabase, type TestDatabase, testServices } from "../support/services";

jest.setTimeout(60_000);

const numbers = Array.from({ length: 60 }, (_, index) => `00210084${String(70_000 + index)}`);
let unused = 0;
const freshBill = (): string => numbers[unused++] as string;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await fill(
    database,
    numbers.map((billNumber) => telkomBill({ billNumber })),
  );
});
afterAll(() => database.drop());
afterEach(async () => {
  expect(await brokenLaws(database)).toEqual([]);
});

async function entriesOf(traxId: string | undefined): Promise<number> {
  const [row] = await database.query<{ n: number }>(`select count(*)::int as n from journal_entry where trax_id = $1`, [
    traxId,
  ]);
  return row?.n ?? -1;
}

/** 64 copies of one payment at once, over two hosts. */
function storm(hosts: readonly HostProcess[], message: Record<string, string>): Promise<Reply[]> {
  return Promise.all(Array.from({ length: 64 }, (_, n) => (hosts[n % hosts.length] as HostProcess).send(message)));
}

async function expectOnePosting(hosts: readonly HostProcess[]): Promise<void> {
  const message = paymentMessage({ billNumber: freshBill() });
  const replies = await storm(hosts, message);
  expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
  expect(replies[0]?.fields["resultCode"]).toBe("00");
  expect(replies.filter(({ isReplay }) => !isReplay)).toHaveLength(1);
  expect(await entriesOf(message["traxId"])).toBe(1);
}

async function expectOneWinner(hosts: readonly HostProcess[]): Promise<void> {
  const billNumber = freshBill();
  const rivals = Array.from({ length: 8 }, () => paymentMessage({ billNumber }));
  const replies = await Promise.all(rivals.map((rival, n) => (hosts[n % hosts.length] as HostProcess).send(rival)));
  const codes = replies.map(({ fields }) => String(fields["resultCode"])).toSorted();
  expect(codes).toEqual(["00", ...Array<string>(7).fill("88")]);
}

async function stop(hosts: readonly HostProcess[]): Promise<void> {
  for (const host of hosts) host.child.kill("SIGTERM");
  for (const host of hosts) expect(await host.ended).toEqual({ code: 0, signal: null });
}

describe("two processes over one database", () => {
  const liars: { close(): Promise<void> }[] = [];
  afterAll(async () => {
    for (const liar of liars) await liar.close();
  });
  const lying = async (verdict: 0 | 1): Promise<string> => {
    const liar = await startLyingRedis(verdict);
    liars.push(liar);
    return liar.url;
  };

  it.each([
    ["with a Redis", async () => testServices().redisUrl],
    ["without any Redis", async () => null],
    ["with a Redis that grants every lock to everybody", () => lying(1)],
    ["with a Redis that nobody can reach", async () => "redis://127.0.0.1:1"],
  ])("post 64 identical payments once and give all of them the same bytes, %s", async (_name, redisUrl) => {
    const url = await redisUrl();
    const hosts = await Promise.all([1, 2].map(() => startHostProcess(database, { redisUrl: url })));
    for (let n = 0; n < 3; n++) {
      await expectOnePosting(hosts);
      await expectOneWinner(hosts);
    }
    await stop(hosts);
  });

  it("post once while the Redis is being flushed all the time", async () => {
    const hosts = await Promise.all([1, 2].map(() => startHostProcess(database)));
    const redis = new Redis(testServices().redisUrl);
    const flushing = setInterval(() => void redis.flushall(), 2);
    for (let n = 0; n < 3; n++) await expectOnePosting(hosts);
    await expectOneWinner(hosts);
    clearInterval(flushing);
    redis.disconnect();
    await stop(hosts);
  });

  it("never decline a payment when a Redis claims that somebody else has it", async () => {
    await database.query(`update partner set dialect = '{"deadlineMs":700}'`);
    try {
      const host = await startHostProcess(database, { redisUrl: await lying(0) });
      const message = paymentMessage({ billNumber: freshBill() });
      const { fields } = await host.send(message);
      // In process; or posted, when this Redis was too slow to be listened to.
      expect(["68", "00"]).toContain(fields["resultCode"]);
      expect(await entriesOf(message["traxId"])).toBe(fields["resultCode"] === "00" ? 1 : 0);
      await stop([host]);
    } finally {
      await database.query(`update partner set dialect = '{}'`);
    }
  });
});

describe("a process that is killed", () => {
  it("between commit and reply: the repeat gets the stored reply, and money moved once", async () => {
    const doomed = await startHostProcess(database, { crashAt: "committed" });
    const message = paymentMessage({ billNumber: freshBill() });
    await expect(doomed.send(message)).rejects.toThrow();
    expect(await doomed.ended).toEqual({ code: null, signal: "SIGKILL" });
    expect(await entriesOf(message["traxId"])).toBe(1);
    const [stored] = await database.query<{ reply_body: string }>(`select reply_body from trax where trax_id = $1`, [
      message["traxId"],
    ]);

    const next = await startHostProcess(database, { redisUrl: null });
    const reply = await next.send(message);
    expect([reply.isReplay, reply.text]).toEqual([true, stored?.reply_body]);
    expect(reply.fields["resultCode"]).toBe("00");
    expect(await entriesOf(message["traxId"])).toBe(1);
    await stop([next]);
  });

  it.each(["facts-read", "bills-claimed", "appended"] as const)(
    "before the commit (%s): nothing is left, and the repeat is judged afresh",
    async (point) => {
      const doomed = await startHostProcess(database, { crashAt: point });
      const message = paymentMessage({ billNumber: freshBill() });
      await expect(doomed.send(message)).rejects.toThrow();
      await doomed.ended;
      expect(await entriesOf(message["traxId"])).toBe(0);

      const next = await startHostProcess(database, { redisUrl: null });
      const reply = await next.send(message);
      expect([reply.isReplay, reply.fields["resultCode"]]).toEqual([false, "00"]);
      expect(await entriesOf(message["traxId"])).toBe(1);
      await stop([next]);
    },
  );

  it("while holding locks: another process answers the repeat within the deadline", async () => {
    const doomed = await startHostProcess(database, { crashAt: "appended" });
    const message = paymentMessage({ billNumber: freshBill() });
    const next = await startHostProcess(database);
    await expect(doomed.send(message)).rejects.toThrow();
    // The lock of the dead process lives on in Redis, shorter than a message may take.
    const reply = await next.send(message);
    expect([reply.isReplay, reply.fields["resultCode"]]).toEqual([false, "00"]);
    expect(await entriesOf(message["traxId"])).toBe(1);
    await stop([next]);
  });
});

describe("a process that is told to stop", () => {
  it("finishes what it has accepted, and refuses what comes later", async () => {
    const host = await startHostProcess(database);
    const message = paymentMessage({ billNumber: freshBill() });
    await database.query("begin");
    await database.query(`select 1 from bill where bill_number = $1 for update`, [message["billNumber"]]);
    const silent = connect(Number(new URL(host.url).port), "127.0.0.1");
    silent.on("error", () => {});
    const pending = host.send(message);
    await new Promise((resolve) => setTimeout(resolve, 300));
    host.child.kill("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 300));
    await expect(fetch(`${host.url}/healthz`)).rejects.toThrow();
    await database.query("commit");
    const startedMs = performance.now();
    const reply = await pending;
    expect(reply.fields["resultCode"]).toBe("00");
    expect(reply.headers.get("connection")).toBe("close");
    expect(await host.ended).toEqual({ code: 0, signal: null });
    // Neither a kept-alive connection nor one that never sent anything holds it up.
    expect(performance.now() - startedMs).toBeLessThan(3_000);
    expect(await entriesOf(message["traxId"])).toBe(1);
  });
});
