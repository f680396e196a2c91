import { openAttemptJournal } from "../../../src/flows";
import { type Db, sleep, systemClock, type Tx } from "../../../src/platform";

type MakeAttempt = Parameters<ReturnType<typeof openAttemptJournal>["record"]>[0];

function attempt(id: string): MakeAttempt {
  return () => ({
    ...{ attemptId: id, receivedAtMs: 0, partnerId: null, transactionType: "50", productCode: null, traxId: null },
    ...{ outcome: "APPROVED", resultCode: "00", httpStatus: 200, isReplay: false, isDelivered: true, durationMs: 1 },
    ...{ sourceAddress: null, request: null, reply: null, note: null },
  });
}

/** A journal over a database that can be away; `written` holds the ids of each batch that was committed. */
function open(options: { bufferMax?: number; flushEveryMs?: number } = {}) {
  const written: string[][] = [];
  const faults: string[] = [];
  const world = { isAway: false, meanwhile: (): void => {} };
  const db = {
    async withTransaction<T>(_: unknown, work: (tx: Tx) => Promise<T>): Promise<T> {
      const batches: string[][] = [];
      const run = async (_: unknown, [ids]: readonly unknown[]) => void batches.push(ids as string[]);
      const value = await work({ run } as unknown as Tx);
      world.meanwhile();
      if (world.isAway) throw new Error("the database is away");
      written.push(...batches);
      return value;
    },
  } as unknown as Db;
  const { bufferMax = 1_000, flushEveryMs = 60_000 } = options;
  const onFault = (message: string): void => void faults.push(message);
  const journal = openAttemptJournal({ db, clock: systemClock, flushEveryMs, bufferMax, onFault });
  return { journal, written, faults, world };
}

const ids = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `a${from + index}`);

describe("the journal of attempts", () => {
  it("writes nothing while a request is served, and everything in order when it is flushed", async () => {
    const { journal, written } = open();
    for (const id of ids(1, 3)) journal.record(attempt(id));
    expect(written).toEqual([]);
    await journal.flush();
    await journal.flush();
    expect(written).toEqual([ids(1, 3)]);
    await journal.close();
  });

  it("writes by itself every so often", async () => {
    const { journal, written } = open({ flushEveryMs: 10 });
    journal.record(attempt("a1"));
    await sleep(100);
    expect(written).toEqual([["a1"]]);
    await journal.close();
  });

  it("writes many in batches, also those that arrive meanwhile, each once", async () => {
    const { journal, written, world } = open({ bufferMax: 5_000 });
    for (const id of ids(1, 1_200)) journal.record(attempt(id));
    const late = ids(1_201, 1_203);
    world.meanwhile = () => late.splice(0, 1).forEach((id) => journal.record(attempt(id)));
    await Promise.all([journal.flush(), journal.flush()]);
    expect(Math.max(...written.map((batch) => batch.length))).toBe(500);
    expect(written.flat()).toEqual(ids(1, 1_203));
    await journal.close();
  });

  it("keeps what could not be written, says so, and writes it when the database is back", async () => {
    const { journal, written, faults, world } = open();
    world.isAway = true;
    for (const id of ids(1, 2)) journal.record(attempt(id));
    await journal.flush();
    expect(written).toEqual([]);
    expect(faults).toEqual(["attempts not written, 2 kept: the database is away"]);
    world.isAway = false;
    journal.record(attempt("a3"));
    await journal.flush();
    expect(written).toEqual([ids(1, 3)]);
    await journal.close();
  });

  it("drops the oldest and counts them when the database stays away too long", async () => {
    const { journal, written, world } = open({ bufferMax: 3 });
    world.isAway = true;
    for (const id of ids(1, 5)) journal.record(attempt(id));
    await journal.flush();
    expect(journal.dropped).toBe(2);
    world.isAway = false;
    await journal.flush();
    expect(written).toEqual([ids(3, 5)]);
    await journal.close();
  });

  it("writes the rest when it is closed, and never fails there", async () => {
    const { journal, written, world } = open();
    journal.record(attempt("a1"));
    await journal.close();
    expect(written).toEqual([["a1"]]);
    world.isAway = true;
    journal.record(attempt("a2"));
    await expect(journal.close()).resolves.toBeUndefined();
  });
});
