import { fill, paymentMessage, telkomBill, TEST_KEYS } from "../support/builders";
import { type Running, startBiller } from "../support/command-line";
import { post } from "../support/host";
import { childrenOf, isLiving } from "../support/processes";
import { newSealKey } from "../support/seal";
import { createTestDatabase, type TestDatabase } from "../support/services";

jest.setTimeout(60_000);

const numbers = Array.from({ length: 40 }, (_, index) => `00210088${String(10_000 + index)}`);

describe.each([["one process", "1"] as const, ["two processes", "2"] as const])("a host of %s", (_, workers) => {
  let database: TestDatabase;
  let host: Running;
  let url: string;
  let unused = 0;
  const sealing = (): number[] => childrenOf(host.child.pid as number, "sealing-process");

  async function pay(count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      const message = paymentMessage({ billNumber: numbers[unused++] as string });
      const reply = await post(`${url}/finpay/billing`, JSON.stringify(message));
      expect(reply.fields["resultCode"]).toBe("00");
    }
  }

  async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const endMs = performance.now() + 20_000;
    while (!(await isSo())) {
      if (performance.now() > endMs) throw new Error(`not within 20 s: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const unsealed = async (): Promise<number> => {
    const [row] = await database.query<{ n: number }>(`
      select count(*)::int as n from journal_entry e
       where not exists (select from seal_item i where i.item_key = 'entry:' || e.entry_id)`);
    return row?.n ?? -1;
  };

  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(
      database,
      numbers.map((billNumber) => telkomBill({ billNumber })),
    );
    await newSealKey(database);
    host = startBiller(["serve"], {
      ...{ WORKERS: workers, PORT: "0", LOG_LEVEL: "info", ALLOW_UNSAFE_DURABILITY: "true", SEAL_INTERVAL_MS: "100" },
      ...{ DATABASE_URL: database.appUrl, MIGRATION_DATABASE_URL: database.ownerUrl },
      CREDENTIAL_KEYS: TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join(),
    });
    url = /listening on (http[^\s,]*)/.exec(await host.says(/listening on \S+/))?.[1] ?? "";
  });
  afterAll(async () => {
    host.child.kill("SIGKILL");
    await host.ended;
    await database.drop();
  });

  it("has its books sealed by one process beside those that answer, and tells how far it is", async () => {
    expect(sealing()).toHaveLength(1);
    await pay(5);
    await until(async () => (await unsealed()) === 0, "sealed");
    await until(async () => (await metric("biller_sealed_leaves_total")) >= 10, "leaves counted");
    await until(async () => (await metric("biller_seal_lag_seconds")) >= 0, "lag told");
    const { checks } = (await (await fetch(`${url}/readyz`)).json()) as { checks: { name: string; isOk: boolean }[] };
    expect(checks.find(({ name }) => name === "seal")).toMatchObject({ isOk: true });
  });

  it("starts another one when it is killed, and answers all the while", async () => {
    const [victim] = sealing();
    process.kill(victim as number, "SIGKILL");
    await pay(5);
    await until(() => sealing().length === 1 && sealing()[0] !== victim, "another process");
    await until(async () => (await unsealed()) === 0, "sealed");
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^biller_faults_total\{where="sealing"\} 1$/m);
  });

  it("answers while it stands still, and it goes on where it was", async () => {
    const [stopped] = sealing();
    expect(stopped).toBeGreaterThan(0);
    process.kill(stopped as number, "SIGSTOP");
    try {
      await pay(5);
    } finally {
      process.kill(stopped as number, "SIGCONT");
    }
    await until(async () => (await unsealed()) === 0, "sealed");
  });

  it("leaves no such process behind, however it ends", async () => {
    const [left] = sealing();
    expect(left).toBeGreaterThan(0);
    host.child.kill(workers === "1" ? "SIGKILL" : "SIGTERM");
    await host.ended;
    await until(() => !isLiving(left as number), "gone");
  });
});
