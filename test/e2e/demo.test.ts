import { type AddressInfo, createServer, type Server } from "node:net";
import { startDemo, startDemoCommand } from "../support/demo";
import { brokenLaws } from "../support/laws";
import { childrenOf, isLiving } from "../support/processes";
import { createTestDatabase, type TestDatabase } from "../support/services";

jest.setTimeout(180_000);

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const answers = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    () => true,
    () => false,
  );

function listen(port: number): Promise<Server | null> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(null));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

/** The first of three free ports in a row. */
async function threePorts(): Promise<number> {
  for (let first = 20_000 + (process.pid % 1_000) * 10; ; first += 3) {
    const servers = await Promise.all([0, 1, 2].map((more) => listen(first + more)));
    await Promise.all(
      servers.map((server) => new Promise<void>((done) => (server ? server.close(() => done()) : done()))),
    );
    if (!servers.includes(null)) return first;
  }
}

describe("biller demo", () => {
  it("goes the whole way by itself with --check, and leaves the books in order", async () => {
    const { code, out, err } = await startDemoCommand(database, "--port", "0", "--check").ended;
    expect([code, out, err]).toEqual([0, expect.stringMatching(/\nall 17 steps succeeded\n$/), expect.any(String)]);
    expect(out).not.toContain("✗");
    const bills = await database.query(
      `select count(*) filter (where paid_amount = total_amount) as paid,
              (select count(*) from merchant_payment where reversed_at is null) as payments
         from bill`,
    );
    // One bill each: paid once, with a lost answer, in a storm, after a reversal; and three that are not.
    expect(bills).toEqual([{ paid: 4n, payments: 4n }]);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it("stops everything on Ctrl-C, and can be started again with the merchant of before", async () => {
    const port = await threePorts();
    for (const start of ["first", "again"]) {
      const demo = await startDemo(database, "--port", String(port));
      const urls = [demo.shop, demo.finpay, `${demo.host}/readyz`];
      expect([start, demo.shop, await Promise.all(urls.map(answers))]).toEqual([
        ...[start, `http://127.0.0.1:${port}`],
        [true, true, true],
      ]);
      expect(await demo.stop()).toBe(0);
      expect(await Promise.all(urls.map(answers))).toEqual([false, false, false]);
    }
    expect(await database.query(`select callback_url from merchant`)).toEqual([
      { callback_url: `http://127.0.0.1:${port}/callbacks/biller` },
    ]);
  });

  it("leaves no process behind when it is killed", async () => {
    const demo = await startDemo(database);
    const started = childrenOf(demo.running.child.pid as number);
    expect(started.length).toBeGreaterThan(1);
    demo.running.child.kill("SIGKILL");
    const urls = [demo.shop, demo.finpay, `${demo.host}/readyz`];
    const giveUpAt = Date.now() + 20_000;
    while ((await Promise.all(urls.map(answers))).includes(true) && Date.now() < giveUpAt) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await Promise.all(urls.map(answers))).toEqual([false, false, false]);
    // Nobody reads their logs any more; that must not keep them either.
    while (started.some(isLiving) && Date.now() < giveUpAt) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(started.filter(isLiving)).toEqual([]);
    await demo.running.ended;
  });

  it("says which port is in use and what to do, before it starts anything", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const { code, err } = await startDemoCommand(database, "--port", String(port - 1)).ended;
    await new Promise((resolve) => other.close(resolve));
    expect([code, err]).toEqual([1, expect.stringContaining(`port ${port} (for the finpay) is in use`)]);
    expect(err).toContain("--port 0 takes any free ones");
    expect(err).not.toContain("starting");
  });

  it("refuses ports that are none", async () => {
    for (const port of ["65534", "-1", "x", "80.5", ""]) {
      const { code, err } = await startDemoCommand(database, "--port", port).ended;
      expect([port, code, err]).toEqual([port, 64, expect.stringContaining("must be a whole number")]);
    }
  });
});
