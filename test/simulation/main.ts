import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { run, tableOf } from "../fuzz/program";
import { FAULT_KINDS } from "./faults";
import { countSeeds, type Summary } from "./many";
import KNOWN_SEEDS from "./seeds.json";
import { tryMutations } from "./sensitivity";
import { simulate } from "./simulate";
import type { BrokenGuarantee } from "./store";

const ABOUT = `npm run simulate:posting: the posting path in a simulated world, one world for each seed.

The real collector, desks, flows and domain of one to three hosts run over a model of PostgreSQL and of Redis. The seed
decides the order of all steps, what is sent when, and what goes wrong. At the end everything is healed, every key is
asked again twice, and the books and the history of answers are held against the laws.

  --seeds N      how many worlds, default 20,000
  --from N       the first seed, default 1
  --jobs N       processes, default one for each processor
  --trace        prints every step; for one seed: --from N --seeds 1 --trace
  --sensitivity  breaks the product and the store on purpose, one thing at a time, and tells which seed notices
  --help         this text

Seeds that failed once are kept in test/simulation/seeds.json and are run first.
Exit code 0: all laws held, or all mutations were noticed; 1: not so; 2: the arguments are wrong.`;

/** A failing seed is printed with so many of its last steps. */
const TRACE_LINES = 40;

const { values: given } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string" },
    jobs: { type: "string" },
    trace: { type: "boolean" },
    sensitivity: { type: "boolean" },
    help: { type: "boolean", short: "h" },
    // For the processes that this one starts.
    "as-worker": { type: "boolean" },
    "until-first": { type: "boolean" },
    broken: { type: "string" },
  },
});

run(async () => {
  if (given.help === true) {
    console.log(ABOUT);
    return 0;
  }
  const from = wholeNumber("from", 1);
  const seeds = wholeNumber("seeds", given.sensitivity === true ? 2_000 : 20_000);
  const jobs = Math.max(1, wholeNumber("jobs", availableParallelism()));
  if (given["as-worker"] === true) {
    const summary = await countSeeds(seedsFrom(from, seeds), {}, (done) => process.send?.({ done }));
    await new Promise((resolve) => process.send?.({ summary }, resolve));
    return 0;
  }
  if (given["until-first"] === true) return untilFirst(from, seeds);
  if (given.sensitivity === true) return showSensitivity(from, seeds, jobs);
  if (given.trace === true) return showTrace(from, seeds);
  return showMany(from, seeds, jobs);
});

function wholeNumber(name: "seeds" | "from" | "jobs", usual: number): number {
  const text = given[name];
  if (text === undefined) return usual;
  if (!/^[0-9]{1,9}$/.test(text)) {
    console.error(`--${name} must be a whole number`);
    process.exit(2);
  }
  return Number(text);
}

function* seedsFrom(from: number, count: number): Generator<number> {
  for (let seed = from; seed < from + count; seed += 1) yield seed;
}

async function showMany(from: number, seeds: number, jobs: number): Promise<number> {
  const startedMs = performance.now();
  const known = await countSeeds(KNOWN_SEEDS, {}, () => {});
  const summary = await inProcesses(from, seeds, Math.min(jobs, Math.max(1, Math.ceil(seeds / 200))));
  const tookS = (performance.now() - startedMs) / 1_000;
  const counts = new Map(summary.counts);
  const faults = new Map(summary.faults);
  console.log(
    tableOf(
      ["fault", "times"],
      FAULT_KINDS.map((kind) => [kind, faults.get(kind) ?? 0]),
    ),
  );
  console.log();
  console.log(
    tableOf(["what", "count"], [["seeds", summary.seeds], ...counts, ["violations", summary.failures.length]]),
  );
  console.log(`\nseeds ${from} to ${from + seeds - 1} in ${tookS.toFixed(1)} s, ${Math.round(seeds / tookS)} a second`);
  const failures = [...known.failures, ...summary.failures].toSorted((one, other) => one.seed - other.seed);
  for (const { seed, violations } of failures.slice(0, 5)) await showFailure(seed, violations);
  if (failures.length > 5)
    console.log(
      `\nand ${failures.length - 5} more: ${failures
        .slice(5, 50)
        .map(({ seed }) => seed)
        .join(" ")}`,
    );
  return failures.length === 0 ? 0 : 1;
}

async function showFailure(seed: number, violations: readonly string[]): Promise<void> {
  console.log(`\nseed ${seed}\n  ${violations.join("\n  ")}`);
  const lines: string[] = [];
  await simulate(seed, { trace: (line) => lines.push(line) });
  // Up to the moment that the law was broken, when it is known.
  const at = lines.findIndex((line) => line.includes("VIOLATION"));
  const end = at < 0 ? lines.length : at + 1;
  console.log(lines.slice(Math.max(0, end - TRACE_LINES), end).join("\n"));
  console.log(`again, with every step: npm run simulate:posting -- --from ${seed} --seeds 1 --trace`);
}

async function showTrace(from: number, seeds: number): Promise<number> {
  let isWell = true;
  for (const seed of seedsFrom(from, seeds)) {
    const { violations, digest } = await simulate(seed, { trace: (line) => console.log(line) });
    console.log(
      `seed ${seed}, digest ${digest}: ${violations.length === 0 ? "all laws held" : violations.join("\n  ")}`,
    );
    isWell &&= violations.length === 0;
  }
  return isWell ? 0 : 1;
}

/** Prints the first seed that breaks a law as JSON. */
async function untilFirst(from: number, seeds: number): Promise<number> {
  const options = given.broken === undefined ? {} : { broken: given.broken as BrokenGuarantee };
  for (const seed of seedsFrom(from, seeds)) {
    const { violations } = await simulate(seed, options);
    if (violations.length === 0) continue;
    console.log(JSON.stringify({ seed, violation: violations[0] }));
    return 1;
  }
  return 0;
}

async function showSensitivity(from: number, seeds: number, jobs: number): Promise<number> {
  const findings = await tryMutations(from, seeds, jobs, ({ name, seed }) =>
    console.error(`${seed === null ? "NOT NOTICED" : `seed ${seed}`}: ${name}`),
  );
  const rows = findings.map(({ name, seed, violation }) => [
    name,
    seed === null ? "none" : String(seed),
    violation.slice(0, 100),
  ]);
  console.log(tableOf(["broken on purpose", "seed", "noticed as"], rows));
  const missed = findings.filter(({ seed }) => seed === null).length;
  console.log(`\n${findings.length - missed} of ${findings.length} noticed within ${seeds} seeds`);
  return missed === 0 ? 0 : 1;
}

/** Shares the seeds out over processes. */
async function inProcesses(from: number, seeds: number, jobs: number): Promise<Summary> {
  const share = Math.ceil(seeds / jobs);
  const done = new Map<number, number>();
  let shownMs = performance.now();
  const parts = await Promise.all(
    Array.from({ length: jobs }, (_, job) => {
      const first = from + job * share;
      const count = Math.max(0, Math.min(share, from + seeds - first));
      return oneProcess(first, count, (part) => {
        done.set(job, part);
        if (performance.now() - shownMs < 5_000) return;
        shownMs = performance.now();
        console.error(`${[...done.values()].reduce((sum, each) => sum + each, 0).toLocaleString("en")} seeds`);
      });
    }),
  );
  const add = (lists: readonly (readonly [string, number])[]): [string, number][] => {
    const sums = new Map<string, number>();
    for (const [name, count] of lists) sums.set(name, (sums.get(name) ?? 0) + count);
    return [...sums].toSorted(([one], [other]) => (one < other ? -1 : 1));
  };
  return {
    seeds: parts.reduce((sum, part) => sum + part.seeds, 0),
    counts: add(parts.flatMap(({ counts }) => counts)),
    faults: add(parts.flatMap(({ faults }) => faults)),
    failures: parts.flatMap(({ failures }) => failures),
  };
}

function oneProcess(from: number, seeds: number, onDone: (done: number) => void): Promise<Summary> {
  return new Promise((resolve, reject) => {
    const child = fork(__filename, ["--as-worker", "--from", String(from), "--seeds", String(seeds)]);
    let summary: Summary | null = null;
    child.on("message", (message: { done?: number; summary?: Summary }) => {
      if (message.done !== undefined) onDone(message.done);
      if (message.summary !== undefined) summary = message.summary;
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (summary === null) reject(new Error(`a process ended with ${code} and told nothing`));
      else resolve(summary);
    });
  });
}
