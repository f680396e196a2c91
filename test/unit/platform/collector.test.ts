import { createCollector, Overloaded } from "../../../src/platform";

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function gate(): Gate {
  const openers: (() => void)[] = [];
  const opened = new Promise<void>((resolve) => openers.push(resolve));
  return { opened, open: () => openers.forEach((open) => open()) };
}

const fulfilled = <T>(value: T): PromiseFulfilledResult<T> => ({ status: "fulfilled", value });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** A collector whose batches stay open until they are let go, one gate each. */
function held(options: Partial<Parameters<typeof createCollector>[0]> = {}) {
  const batches: (readonly number[])[] = [];
  const gates: Gate[] = [];
  const collector = createCollector<number, string>(
    { name: "test", batchMax: 4, batchesInFlight: 1, queueMax: 10, ...options },
    async (items) => {
      batches.push(items);
      const each = gate();
      gates.push(each);
      await each.opened;
      return items.map((item) => fulfilled(`done ${item}`));
    },
  );
  return { collector, batches, gates };
}

describe("a collector", () => {
  it("starts a lone item after one turn of the event loop, with no timer", async () => {
    const { collector, batches, gates } = held();
    const result = collector.submit(1);
    expect(batches).toEqual([]);
    await turn();
    expect(batches).toEqual([[1]]);
    gates[0]?.open();
    await expect(result).resolves.toBe("done 1");
  });

  it("takes what one turn brought as one batch", async () => {
    const { collector, batches } = held();
    void collector.submit(1);
    void collector.submit(2);
    await Promise.resolve().then(() => void collector.submit(3));
    await turn();
    expect(batches).toEqual([[1, 2, 3]]);
  });

  it("gathers what arrives meanwhile into the next batches, in order of arrival, none beyond its size", async () => {
    const { collector, batches, gates } = held();
    const results = [collector.submit(1)];
    await turn();
    for (const item of range(2, 8)) results.push(collector.submit(item));
    expect(collector.waiting).toBe(7);
    for (let round = 0; round < 3; round += 1) {
      gates[round]?.open();
      await turn();
      await turn();
    }
    await expect(Promise.all(results)).resolves.toEqual(range(1, 8).map((item) => `done ${item}`));
    expect(batches).toEqual([[1], [2, 3, 4, 5], [6, 7, 8]]);
  });

  it("works on as many batches at once as it may, and on no more", async () => {
    const { collector, batches, gates } = held({ batchesInFlight: 2, batchMax: 1 });
    const results = range(1, 3).map((item) => collector.submit(item));
    for (let each = 0; each < 5; each += 1) await turn();
    expect(batches).toEqual([[1], [2]]);
    gates[1]?.open();
    await expect(results[1]).resolves.toBe("done 2");
    await turn();
    expect(batches).toEqual([[1], [2], [3]]);
  });

  it("refuses at once what the queue cannot hold, and takes again once there is room", async () => {
    const { collector, gates, batches } = held({ queueMax: 2, batchMax: 1 });
    const first = collector.submit(1);
    await turn();
    const waiting = [collector.submit(2), collector.submit(3)];
    await expect(collector.submit(4)).rejects.toThrow(Overloaded);
    await expect(collector.submit(4)).rejects.toMatchObject({ code: "overloaded" });
    expect(collector.waiting).toBe(2);
    gates[0]?.open();
    await first;
    await turn();
    waiting.push(collector.submit(5));
    for (let each = 1; each < 4; each += 1) {
      gates[each]?.open();
      await waiting[each - 1];
      await turn();
    }
    expect(batches).toEqual([[1], [2], [3], [5]]);
  });

  it("rejects only the batch whose worker throws, each item with the same reason", async () => {
    const fault = new Error("broken");
    const collector = createCollector<number, number>(
      { name: "test", batchMax: 2, batchesInFlight: 1, queueMax: 10 },
      async (items) => {
        if (items.includes(1)) throw fault;
        return items.map(fulfilled);
      },
    );
    const results = await Promise.allSettled(range(1, 4).map((item) => collector.submit(item)));
    const broken = { status: "rejected", reason: fault };
    expect(results).toEqual([broken, broken, fulfilled(3), fulfilled(4)]);
  });

  it("survives a worker that throws before its first await", async () => {
    const collector = createCollector<number, number>(
      { name: "test", batchMax: 9, batchesInFlight: 1, queueMax: 10 },
      () => {
        throw new Error("at once");
      },
    );
    await expect(collector.submit(1)).rejects.toThrow("at once");
    await expect(collector.submit(2)).rejects.toThrow("at once");
    await collector.idle();
  });

  it("hands each item its own result, and rejects one that the worker left out", async () => {
    const collector = createCollector<number, number>(
      { name: "posting", batchMax: 9, batchesInFlight: 1, queueMax: 10 },
      async () => [fulfilled(10), { status: "rejected", reason: new Error("only me") }],
    );
    const results = await Promise.allSettled(range(1, 3).map((item) => collector.submit(item)));
    expect(results[0]).toEqual(fulfilled(10));
    expect(results[1]).toMatchObject({ reason: { message: "only me" } });
    expect(results[2]).toMatchObject({ status: "rejected", reason: { message: "posting: no result for item 2" } });
  });

  it("is idle when nothing waits and nothing is worked on, and not before", async () => {
    const { collector, gates } = held({ batchMax: 1, batchesInFlight: 2 });
    await collector.idle();
    const seen: string[] = [];
    const results = [1, 2, 3].map((item) => collector.submit(item));
    const idle = collector.idle().then(() => seen.push("idle"));
    await turn();
    await turn();
    for (const each of [0, 1]) {
      gates[each]?.open();
      await results[each];
      await turn();
      await turn();
      expect(seen).toEqual([]);
    }
    gates[2]?.open();
    await Promise.all([...results, idle]);
    expect(seen).toEqual(["idle"]);
    expect(collector.waiting).toBe(0);
  });

  it("keeps every item and its result together under load", async () => {
    const sizes: number[] = [];
    const collector = createCollector<number, number>(
      { name: "test", batchMax: 16, batchesInFlight: 3, queueMax: 5_000 },
      async (items) => {
        sizes.push(items.length);
        for (let each = 0; each < (items[0] ?? 0) % 4; each += 1) await turn();
        return items.map((item) => fulfilled(item * 2));
      },
    );
    const results: Promise<number>[] = [];
    for (const item of range(1, 2_000)) {
      results.push(collector.submit(item));
      if (item % 7 === 0) await turn();
    }
    await expect(Promise.all(results)).resolves.toEqual(range(1, 2_000).map((item) => item * 2));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(16);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(2_000);
  });
});
