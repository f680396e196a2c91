import { fill, paymentMessage, telkomBill, TEST_KEYS } from "../support/builders";
import { type Running, startBiller } from "../support/command-line";
import { post } from "../support/host";
import { brokenLaws } from "../support/laws";
import { childrenOf } from "../support/processes";
import { createTestDatabase, type TestDatabase, testServices } from "../support/services";

jest.setTimeout(60_000);

const numbers = Array.from({ length: 40 }, (_, index) => `00210087${String(10_000 + index)}`);

describe("a host of several processes", () => {
  let database: TestDatabase;
  let host: Running;
  let url: string;
  let unused = 0;
  const freshBill = (): string => numbers[unused++] as string;
  const workers = (): number[] => childrenOf(host.child.pid as number, "/cli/worker.");

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(
      database,
      numbers.map((billNumber) => telkomBill({ billNumber })),
    );
    host = startBiller(["serve"], {
      ...{
        WORKERS: "3",
        PORT: "0",
        LOG_LEVEL: "warn",
        ALLOW_UNSAFE_DURABILITY: "true",
        REDIS_URL: testServices().redisUrl,
      },
      ...{ DATABASE_URL: database.appUrl, MIGRATION_DATABASE_URL: database.ownerUrl },
      CREDENTIAL_KEYS: TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join(),
    });
    const said = await host.says(/listening on \S+, 3 processes/);
    url = /listening on (\S+),/.exec(said)?.[1] ?? "";
  });
  afterAll(async () => {
    host.child.kill("SIGKILL");
    await host.ended;
    await database.drop();
  });

  const pay = (message: Record<string, string>) => post(`${url}/finpay/billing`, JSON.stringify(message));

  it("posts 64 copies of a payment once, whichever process gets them", async () => {
    expect(workers()).toHaveLength(3);
    const message = paymentMessage({ billNumber: freshBill() });
    const replies = await Promise.all(Array.from({ length: 64 }, () => pay(message)));
    expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
    expect(replies.filter(({ isReplay }) => !isReplay)).toHaveLength(1);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it("tells the figures of all its processes as one", async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    const counted = [...text.matchAll(/^biller_messages_total\{operation="payment".*\} ([0-9]+)$/gm)];
    expect(counted.reduce((sum, [, value]) => sum + Number(value), 0)).toBe(64);
  });

  it("replaces a process that is killed, and goes on meanwhile", async () => {
    const [victim] = workers();
    process.kill(victim as number, "SIGKILL");
    for (let n = 0; n < 10; n++) {
      const message = paymentMessage({ billNumber: freshBill() });
      // A connection of the dead process may break; the switch repeats.
      const reply = await pay(message).catch(() => pay(message));
      expect(reply.fields["resultCode"]).toBe("00");
    }
    for (let n = 0; n < 100 && (workers().length < 3 || workers().includes(victim as number)); n++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(workers()).toHaveLength(3);
  });

  it("finishes in all its processes what was accepted when it is told to stop", async () => {
    const message = paymentMessage({ billNumber: freshBill() });
    await database.query("begin");
    await database.query(`select 1 from bill where bill_number = $1 for update`, [message["billNumber"]]);
    const pending = pay(message);
    await new Promise((resolve) => setTimeout(resolve, 300));
    host.child.kill("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 300));
    await database.query("commit");
    expect((await pending).fields["resultCode"]).toBe("00");
    expect(await host.ended).toMatchObject({ code: 0, err: expect.stringMatching(/stopped\n$/) as string });
    expect(await brokenLaws(database)).toEqual([]);
  });
});
