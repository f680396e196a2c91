import { inquiryMessage } from "../support/builders";
import { post } from "../support/host";
import { fuzzHttp } from "./http-run";
import { medianOf, readArguments, run, tableOf } from "./program";
import { type Memory, onStage } from "./stage";

const ABOUT = `npm run fuzz:http: hostile requests against a host in a process of its own, with PostgreSQL and Redis.

Every answer must be below 500 and well-formed; only authentic and whole payments may be stored; the laws of the books
must hold; the host must live, answer, and not grow.`;

const CONNECTIONS = 64;
/** Share of the run before memory is looked at: until then caches fill and the heap finds its size. */
const WARM_UP = 0.4;
const SAMPLES = 40;
const DRIFT_MAX = 0.05;

run(async () => {
  const request = readArguments(ABOUT, {
    count: 50_000,
    counted: "hostile acts; a pipelined one holds several requests",
  });
  if (request === null) return 0;
  const { count, seed } = request;
  return onStage(seed, 4_000, async ({ database, url, port, world, memory, ended }) => {
    const samples: (Memory & { readonly at: number })[] = [];
    let [shownMs, dueAt] = [0, 0];
    const startedMs = performance.now();
    const result = await fuzzHttp({
      ...{ port, database, world, count, connections: CONNECTIONS },
      onProgress(sent, answers) {
        if (sent >= dueAt && ended() === null) {
          dueAt = sent + count / SAMPLES;
          void memory().then((sample) => samples.push({ ...sample, at: sent }));
        }
        if (performance.now() - shownMs < 1_500) return;
        shownMs = performance.now();
        console.error(
          `${Math.round((shownMs - startedMs) / 1_000)} s: ${sent.toLocaleString("en")} sent, ${answers.toLocaleString("en")} answers`,
        );
      },
    });
    const seconds = (performance.now() - startedMs) / 1_000;
    const failures = [...result.failures];
    if (ended() !== null) failures.push(`the host ended with ${ended()}`);
    else {
      const reply = await post(`${url}/finpay/billing`, JSON.stringify(inquiryMessage()));
      if (reply.fields["resultCode"] !== "00") failures.push(`an inquiry afterwards was answered ${reply.text}`);
    }
    const statuses = ["2xx", "4xx", "5xx"];
    const rows = result.kinds.map(({ kind, cases, answers, byClass, closed }) => [
      ...[kind, cases, answers],
      ...statuses.map((status) => byClass[status] ?? 0),
      closed,
    ]);
    const sums = [1, 2, 3, 4, 5, 6].map((column) => rows.reduce((sum, row) => sum + Number(row[column]), 0));
    console.log(tableOf(["kind", "acts", "answers", ...statuses, "closed"], [...rows, ["all", ...sums]]));
    console.log(
      `${Math.round(seconds)} s, ${Math.round((sums[1] ?? 0) / seconds)} answers/s, ${result.paid} good payments booked, seed ${seed}`,
    );
    failures.push(...describeMemory(samples, count));
    for (const failure of failures) console.log(failure);
    console.log(failures.length === 0 ? "everything held" : `${failures.length} failures`);
    return failures.length === 0 ? 0 : 1;
  });
});

/**
 * Resident memory follows the garbage collector more than the program. So each sample is taken right after two forced
 * collections in the host (memory-probe.cjs), and medians of two windows are compared: the first and the last third of
 * what follows the warm-up. A leak of 1 KB per request would show as some 17 MB between their middles.
 */
function describeMemory(samples: readonly (Memory & { readonly at: number })[], count: number): string[] {
  const warm = samples.filter(({ at }) => at >= count * WARM_UP);
  const third = Math.floor(warm.length / 3);
  if (third < 2) {
    console.log("memory: the run was too short to judge growth");
    return [];
  }
  const problems: string[] = [];
  for (const [name, of] of [
    ["resident", ({ rss }: Memory) => rss],
    ["heap in use", ({ heapUsed }: Memory) => heapUsed],
  ] as const) {
    const first = medianOf(warm.slice(0, third).map(of));
    const last = medianOf(warm.slice(-third).map(of));
    const drift = last / first - 1;
    const inMegabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
    console.log(
      `memory, ${name}: ${inMegabytes(first)} MB, then ${inMegabytes(last)} MB, drift ${(drift * 100).toFixed(1)} %`,
    );
    if (drift > DRIFT_MAX) problems.push(`memory grew: ${name} by ${(drift * 100).toFixed(1)} %`);
  }
  return problems;
}
