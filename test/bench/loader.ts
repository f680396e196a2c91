import { createConnection, type Socket } from "node:net";
import type { FromLoader, LoaderJob, LoaderResult, ToLoader } from "./loader-job";
import { billAt, requestOf, timeStampOf } from "./messages";

/** The loader: a process of its own, raw sockets that are kept open, every answer looked at. */

interface Prepared {
  readonly job: LoaderJob;
  readonly requests: readonly Buffer[];
  readonly traxIds: readonly Buffer[];
}

const APPROVED = Buffer.from('"resultCode":"00"');
const TRAX_ID = Buffer.from('"traxId":"');
const HEAD_END = Buffer.from("\r\n\r\n");
const SAMPLES_MAX = 3;
const ANSWER_TIMEOUT_MS = 15_000;

function prepare(job: LoaderJob): Prepared {
  const requests: Buffer[] = [];
  const traxIds: Buffer[] = [];
  const timeStamp = timeStampOf(Date.now());
  const host = `${job.host}:${job.port}`;
  for (let index = 0; index < job.requests; index += 1) {
    const step = job.step + index;
    const traxId = `${job.tag}${step}`;
    const bill = billAt(job.walk, step);
    const { kind, path, amount, bit61 } = job;
    requests.push(requestOf({ kind, path, amount, bit61, host, bill, traxId, timeStamp }));
    traxIds.push(Buffer.from(`${traxId}"`));
  }
  return { job, requests, traxIds };
}

/** One connection with at most one request on its way. */
interface Lane {
  readonly socket: Socket;
  pending: Buffer | null;
  /** Of the request on its way; -1: none. */
  index: number;
  dueMs: number;
}

async function go({ job, requests, traxIds }: Prepared): Promise<LoaderResult> {
  const latencies: number[] = [];
  const samples: string[] = [];
  let unexpected = 0;
  let sent = 0;
  let open = 0;
  let isOver = false;
  let startedMs = 0;
  let lastMs = 0;
  const free: Lane[] = [];
  const waiting: number[] = [];
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });

  const wrong = (what: string): void => {
    unexpected += 1;
    if (samples.length < SAMPLES_MAX) samples.push(what.slice(0, 1_500));
  };

  const hasMore = (): boolean => !isOver && (job.isRepeated || sent < requests.length);

  function send(lane: Lane, dueMs: number): void {
    const index = sent % requests.length;
    sent += 1;
    open += 1;
    lane.index = index;
    lane.dueMs = dueMs;
    lane.socket.write(requests[index] as Buffer);
  }

  /** Whether the answer in `whole` (head and body) is the one that was expected. */
  function judge(whole: Buffer, bodyAt: number, index: number): boolean {
    if (whole.toString("latin1", 9, 12) !== "200") return false;
    const at = whole.indexOf(TRAX_ID, bodyAt);
    const traxId = traxIds[index] as Buffer;
    const from = at + TRAX_ID.length;
    if (at < 0 || whole.compare(traxId, 0, traxId.length, from, from + traxId.length) !== 0) return false;
    if (job.expect === "echo") {
      const request = requests[index] as Buffer;
      const requestBody = request.length - (request.indexOf(HEAD_END) + 4);
      return whole.length - bodyAt === requestBody;
    }
    if (whole.indexOf(APPROVED, bodyAt) < 0) return false;
    const isReplay = whole.toString("latin1", 0, bodyAt).includes("x-replayed: true");
    return isReplay === (job.expect === "replay");
  }

  function onData(lane: Lane, chunk: Buffer): void {
    const whole = lane.pending === null ? chunk : Buffer.concat([lane.pending, chunk]);
    const headEnd = whole.indexOf(HEAD_END);
    const length = headEnd < 0 ? null : /content-length: ([0-9]+)/i.exec(whole.toString("latin1", 0, headEnd))?.[1];
    const total = headEnd + 4 + Number(length ?? Number.NaN);
    if (headEnd < 0 || !(whole.length >= total)) {
      if (headEnd >= 0 && length === undefined) wrong(whole.toString("latin1"));
      lane.pending = whole;
      return;
    }
    lane.pending = null;
    lastMs = performance.now();
    open -= 1;
    latencies.push(lastMs - lane.dueMs);
    if (whole.length !== total || !judge(whole, headEnd + 4, lane.index)) wrong(whole.toString("latin1"));
    lane.index = -1;
    if (job.rate === null) {
      if (hasMore()) send(lane, lastMs);
    } else {
      const dueMs = waiting.shift();
      if (dueMs === undefined) free.push(lane);
      else send(lane, dueMs);
    }
    if (open === 0 && waiting.length === 0 && !hasMore()) finish();
  }

  const lanes = await Promise.all(
    Array.from({ length: job.connections }, async (): Promise<Lane> => {
      const socket = createConnection({ host: job.host, port: job.port, noDelay: true });
      await new Promise<void>((resolve, reject) => {
        socket.once("connect", resolve);
        socket.once("error", reject);
      });
      return { socket, pending: null, index: -1, dueMs: 0 };
    }),
  );
  for (const lane of lanes) {
    lane.socket.on("data", (chunk: Buffer) => onData(lane, chunk));
    lane.socket.on("error", (error) => wrong(`socket: ${error.message}`));
    lane.socket.on("close", () => {
      if (lane.index < 0) return;
      open -= 1;
      wrong("a connection was closed before its answer");
      if (open === 0 && !hasMore()) finish();
    });
  }
  const cpu = process.cpuUsage();
  startedMs = performance.now();
  const over = setTimeout(() => {
    isOver = true;
    if (open === 0 && waiting.length === 0) finish();
  }, job.seconds * 1_000);
  const giveUp = setTimeout(
    () => {
      wrong(`${open} requests had no answer ${ANSWER_TIMEOUT_MS} ms after the end`);
      unexpected += open - 1;
      finish();
    },
    job.seconds * 1_000 + ANSWER_TIMEOUT_MS,
  );
  if (job.rate === null) {
    for (const lane of lanes) if (hasMore()) send(lane, performance.now());
  } else {
    free.push(...lanes);
    void pace(job.rate);
  }

  /** Sends what is due, about every millisecond. A request that finds no free connection waits, and that counts. */
  async function pace(rate: number): Promise<void> {
    let scheduled = 0;
    while (hasMore()) {
      const due = Math.min(Math.floor(((performance.now() - startedMs) / 1_000) * rate), requests.length);
      for (; scheduled < due; scheduled += 1) {
        const dueMs = startedMs + (scheduled / rate) * 1_000;
        const lane = free.pop();
        if (lane === undefined) waiting.push(dueMs);
        else send(lane, dueMs);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    if (open === 0 && waiting.length === 0) finish();
  }

  await finished;
  clearTimeout(over);
  clearTimeout(giveUp);
  const used = process.cpuUsage(cpu);
  for (const { socket } of lanes) socket.destroy();
  const seconds = (lastMs - startedMs) / 1_000;
  const sorted = Float64Array.from(latencies).toSorted();
  const quantile = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  return {
    ...{ answered: latencies.length, seconds, perSecond: latencies.length / seconds, unexpected, samples },
    ...{ p50: quantile(0.5), p99: quantile(0.99), max: sorted.at(-1) ?? Number.NaN },
    used: Math.min(sent, requests.length),
    loaderCpu: (used.user + used.system) / 1e6 / seconds,
  };
}

const tell = (message: FromLoader): void => void process.send?.(message);
let prepared: Prepared | null = null;

process.on("message", (message: ToLoader) => {
  void (async () => {
    try {
      if (message.do === "prepare") {
        prepared = null;
        prepared = prepare(message.job);
        tell({ did: "prepare" });
      } else if (prepared !== null) {
        const result = await go(prepared);
        prepared = null;
        tell({ did: "go", result });
      }
    } catch (error) {
      tell({ did: "fail", reason: error instanceof Error ? error.message : String(error) });
    }
  })();
});
process.on("disconnect", () => process.exit(0));
tell({ did: "start" });
