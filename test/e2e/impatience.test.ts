import { connect } from "node:net";
import { fill, inquiryMessage, paymentMessage, telkomBill } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { brokenLaws } from "../support/laws";
import { createTestDatabase, type TestDatabase } from "../support/services";

const numbers = Array.from({ length: 60 }, (_, index) => `00210088${String(10_000 + index)}`);
let unused = 0;
const freshBill = (): string => numbers[unused++] as string;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await fill(
    database,
    numbers.map((billNumber) => telkomBill({ billNumber })),
    { deadlineMs: 2_000 },
  );
});
afterAll(() => database.drop());
afterEach(async () => {
  expect(await brokenLaws(database)).toEqual([]);
});

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let n = 0; n < 100; n++) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it did not happen within five seconds");
}

/** Keeps every payment of a bill waiting until the returned function is called. */
async function holdBill(billNumber: string): Promise<() => Promise<unknown>> {
  await database.query("begin");
  await database.query(`select 1 from bill where bill_number = $1 for update`, [billNumber]);
  return () => database.query("commit");
}

describe("a caller who hangs up", () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await startTestHost(database);
  });
  afterAll(() => host.stop());

  it("does not undo its payment: it is posted, marked as not delivered, and the repeat gets the stored bytes", async () => {
    const message = paymentMessage({ billNumber: freshBill() });
    const body = JSON.stringify(message);
    const release = await holdBill(message["billNumber"] as string);
    const socket = connect(host.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(
      `POST /finpay/billing HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await release();
    const attempt = await until(async () => {
      const [row] = await database.query<{ is_delivered: boolean; outcome: string }>(
        `select is_delivered, outcome from attempt where trax_id = $1`,
        [message["traxId"]],
      );
      return row;
    });
    expect(attempt).toEqual({ is_delivered: false, outcome: "APPROVED" });
    const repeat = await host.send(message);
    expect([repeat.isReplay, repeat.fields["resultCode"]]).toEqual([true, "00"]);
    const entries = await database.query(`select 1 from journal_entry where trax_id = $1`, [message["traxId"]]);
    expect(entries).toHaveLength(1);
  });

  it("is told UNKNOWN at the deadline when it waits, and nothing is posted behind its back", async () => {
    const message = paymentMessage({ billNumber: freshBill() });
    const release = await holdBill(message["billNumber"] as string);
    const startedMs = performance.now();
    const reply = await host.send(message);
    expect(reply.fields["resultCode"]).toBe("68");
    expect(performance.now() - startedMs).toBeLessThan(3_000);
    await release();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await database.query(`select 1 from trax where trax_id = $1`, [message["traxId"]])).toEqual([]);
    expect((await host.send(message)).fields["resultCode"]).toBe("00");
  });

  it("delays nobody else: a bill that is held keeps only its own batch waiting", async () => {
    const held = paymentMessage({ billNumber: freshBill() });
    const release = await holdBill(held["billNumber"] as string);
    const waiting = host.send(held);
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (let n = 0; n < 5; n++) {
      expect((await host.send(paymentMessage({ billNumber: freshBill() }))).fields["resultCode"]).toBe("00");
      expect((await host.send(inquiryMessage({ billNumber: freshBill() }))).fields["resultCode"]).toBe("00");
    }
    await release();
    expect((await waiting).fields["resultCode"]).toBe("00");
  });
});

describe("more callers than can be served", () => {
  it("are told UNKNOWN at once, with when to come back, and their keys are not used up", async () => {
    const host = await startTestHost(database, {
      settings: { QUEUE_MAX: "4", BATCH_MAX: "2", BATCHES_IN_FLIGHT: "1" },
    });
    const first = paymentMessage({ billNumber: freshBill() });
    const release = await holdBill(first["billNumber"] as string);
    const pending = host.send(first);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const crowd = Array.from({ length: 12 }, () => paymentMessage({ billNumber: freshBill() }));
    const answered = crowd.map(async (message) => {
      const startedMs = performance.now();
      const reply = await host.send(message);
      return { message, reply, ms: performance.now() - startedMs };
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await release();
    expect((await pending).fields["resultCode"]).toBe("00");
    const all = await Promise.all(answered);
    const refused = all.filter(({ reply }) => reply.fields["resultCode"] === "68");
    expect(refused).toHaveLength(8);
    for (const { message, reply, ms } of refused) {
      expect([reply.status, reply.headers.get("retry-after")]).toEqual([200, "1"]);
      expect(ms).toBeLessThan(400);
      expect(await database.query(`select 1 from trax where trax_id = $1`, [message["traxId"]])).toEqual([]);
      expect((await host.send(message)).fields["resultCode"]).toBe("00");
    }
    await host.stop();
  });
});
