import { fill, paymentMessage, telkomBill } from "../support/builders";
import { type CuttableProxy, openProxy } from "../support/cuttable-proxy";
import { startTestHost, type TestHost } from "../support/host";
import { brokenLaws } from "../support/laws";
import { createTestDatabase, type TestDatabase } from "../support/services";

jest.setTimeout(60_000);

const numbers = Array.from({ length: 20 }, (_, index) => `00210085${String(10_000 + index)}`);
let unused = 0;
const freshBill = (): string => numbers[unused++] as string;

describe("a host whose line to the database breaks at the COMMIT", () => {
  let database: TestDatabase;
  let proxy: CuttableProxy;
  let host: TestHost;
  const isCommit = (chunk: Buffer): boolean => chunk.includes("commit");
  const entriesOf = async (traxId: string | undefined): Promise<number> =>
    (await database.query(`select 1 from journal_entry where trax_id = $1`, [traxId])).length;
  const logged = (text: string) => host.logs.filter(({ msg }) => String(msg).includes(text));

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(
      database,
      numbers.map((billNumber) => telkomBill({ billNumber })),
      { deadlineMs: 1_500 },
    );
    const url = new URL(database.appUrl);
    proxy = await openProxy(Number(url.port));
    url.port = String(proxy.port);
    host = await startTestHost({ ...database, appUrl: url.toString() });
  });
  afterAll(async () => {
    proxy.onClientData = () => "pass";
    await host.stop();
    await proxy.close();
    expect(await brokenLaws(database)).toEqual([]);
    await database.drop();
  });
  afterEach(() => {
    proxy.onClientData = () => "pass";
  });

  it("runs the same transaction again and tells the truth, whether the first one was carried out or not", async () => {
    for (const verdict of ["pass-and-cut", "drop-and-cut"] as const) {
      let cuts = 0;
      proxy.onClientData = (chunk) => (isCommit(chunk) && cuts++ === 0 ? verdict : "pass");
      const message = paymentMessage({ billNumber: freshBill() });
      const reply = await host.send(message);
      expect([verdict, reply.fields["resultCode"]]).toEqual([verdict, "00"]);
      expect(cuts).toBeGreaterThan(0);
      expect(await entriesOf(message["traxId"])).toBe(1);
    }
  });

  it("answers UNKNOWN when there is no time to find out, and finds out in the background", async () => {
    // Every COMMIT is carried out, and none is answered until the deadline.
    proxy.onClientData = (chunk) =>
      isCommit(chunk) ? "pass-and-cut" : chunk.includes("ledger_read_trax") ? "stall" : "pass";
    let isFirst = true;
    const usual = proxy.onClientData;
    proxy.onClientData = (chunk) => {
      if (chunk.includes("ledger_read_trax") && isFirst) {
        isFirst = false;
        return "pass";
      }
      return usual(chunk);
    };
    const message = paymentMessage({ billNumber: freshBill() });
    const reply = await host.send(message);
    expect(reply.fields).toMatchObject({ resultCode: "68", resultDesc: expect.stringMatching(/not known/) as string });
    expect(await entriesOf(message["traxId"])).toBe(1);
    proxy.onClientData = () => "pass";
    for (let n = 0; n < 200 && logged("unknown commit").length === 0; n++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(logged("unknown commit")).toMatchObject([{ traxId: message["traxId"], outcome: "APPROVED" }]);
    const repeat = await host.send(message);
    expect(repeat).toMatchObject({ isReplay: true });
    expect(repeat.fields["resultCode"]).toBe("00");
  });

  it("answers UNKNOWN, stores nothing and recovers by itself when the line is gone", async () => {
    proxy.onClientData = () => "drop-and-cut";
    const message = paymentMessage({ billNumber: freshBill() });
    const startedMs = performance.now();
    const reply = await host.send(message);
    expect(reply.fields["resultCode"]).toBe("68");
    expect(performance.now() - startedMs).toBeLessThan(2_500);
    proxy.onClientData = () => "pass";
    expect((await host.send(message)).fields["resultCode"]).toBe("00");
    expect(await entriesOf(message["traxId"])).toBe(1);
  });

  it("answers within the deadline when the line is frozen", async () => {
    proxy.onClientData = () => "stall";
    const message = paymentMessage({ billNumber: freshBill() });
    const startedMs = performance.now();
    expect((await host.send(message)).fields["resultCode"]).toBe("68");
    expect(performance.now() - startedMs).toBeLessThan(2_500);
    proxy.onClientData = () => "pass";
    proxy.cutAll();
    expect((await host.send(message)).fields["resultCode"]).toBe("00");
  });
});
