import { Overloaded } from "./faults";

/** Settings of a collector: how much work one batch takes, how many batches run at once, how much may wait. */
export interface CollectorOptions {
  readonly name: string;
  readonly batchMax: number;
  readonly batchesInFlight: number;
  readonly queueMax: number;
}

/** Gathers single pieces of work into batches. */
export interface Collector<Item, Result> {
  /**
   * Resolves with this item's result.
   * @throws Overloaded at once when the queue is full
   */
  submit(item: Item): Promise<Result>;
  /** Items waiting for a batch, not counting those being worked on. */
  readonly waiting: number;
  /** Resolves when nothing is waiting or being worked on. */
  idle(): Promise<void>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Work that arrives while a batch is in flight forms the next batch. There are no timers: an idle collector starts at
 * once with whatever one turn of the event loop brought, so a lone item never waits, and under load batches grow by
 * themselves to what the worker can take.
 *
 * `work` gets items in order of arrival and answers one settled result for each, in the same order. If it throws, every
 * item of that batch is rejected with the same reason; isolating a poisoned item is the worker's business.
 */
export function createCollector<Item, Result>(
  options: CollectorOptions,
  work: (items: readonly Item[]) => Promise<readonly PromiseSettledResult<Result>[]>,
): Collector<Item, Result> {
  let queue: Waiting<Item, Result>[] = [];
  let inFlight = 0;
  let isScheduled = false;
  let idleWaiters: (() => void)[] = [];

  function schedule(): void {
    if (isScheduled || inFlight >= options.batchesInFlight || queue.length === 0) return;
    isScheduled = true;
    // One turn of the event loop: requests that are already in the socket buffers join this batch.
    setImmediate(start);
  }

  function start(): void {
    isScheduled = false;
    const batch = queue.slice(0, options.batchMax);
    queue = queue.slice(options.batchMax);
    if (batch.length === 0) return;
    inFlight += 1;
    schedule();
    void run(batch);
  }

  async function run(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await work(batch.map(({ item }) => item));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index];
        if (result?.status === "fulfilled") resolve(result.value);
        else reject(result === undefined ? new Error(`${options.name}: no result for item ${index}`) : result.reason);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      inFlight -= 1;
      schedule();
      if (inFlight === 0 && queue.length === 0) {
        for (const wake of idleWaiters.splice(0)) wake();
      }
    }
  }

  return {
    submit(item) {
      if (queue.length >= options.queueMax) return Promise.reject(new Overloaded(options.name));
      return new Promise<Result>((resolve, reject) => {
        queue.push({ item, resolve, reject });
        schedule();
      });
    },
    get waiting() {
      return queue.length;
    },
    async idle() {
      if (inFlight === 0 && queue.length === 0) return;
      await new Promise<void>((resolve) => idleWaiters.push(resolve));
    },
  };
}
