import { medianOf, tableOf } from "../fuzz/program";
import { infoLevel, peakOf, type RunResult } from "./full";
import type { Sample } from "./measure";
import type { BenchOptions } from "./options";
import { HOW_TO_GET_PGBENCH } from "./pgbench";

const NAMES = ["payment", "pgbench", "echo", "straightforward", "replay", "inquiry", "info"] as const;

/** The tables of a run, in the form that docs/PERFORMANCE.md shows. */
export function reportOf(result: RunResult, options: BenchOptions): string {
  const { samples } = result;
  const of = (what: string, connections: number): readonly Sample[] =>
    samples.filter((each) => each.what === what && each.connections === connections);
  const median = (what: string, connections: number, pick: (sample: Sample) => number): number =>
    medianOf(of(what, connections).map(pick));
  const rate = (what: string, connections: number): number => median(what, connections, ({ perSecond }) => perSecond);
  const shown = NAMES.filter((name) => samples.some(({ what }) => what === name));
  const { levels } = options;
  const perSecond = tableOf(
    ["per second, median", ...levels.map((each) => `c = ${each}`)],
    shown.map((name) => [name, ...levels.map((level) => whole(rate(name, level)))]),
  );
  const latency = tableOf(
    ["p50 / p99, ms", ...levels.map((each) => `c = ${each}`)],
    shown.map((name) => [
      name,
      ...levels.map(
        (level) => `${fixed(median(name, level, (s) => s.p50))} / ${fixed(median(name, level, (s) => s.p99))}`,
      ),
    ]),
  );
  const cost = tableOf(
    ["processor, µs per answer", ...levels.map((each) => `c = ${each}`)],
    shown.map((name) => [
      name,
      ...levels.map(
        (level) =>
          `${whole(median(name, level, (s) => s.contestantMicros))} + ${whole(median(name, level, (s) => s.postgresMicros))}`,
      ),
    ]),
  );
  const ratios = (
    [
      ["payment / pgbench", "payment", "pgbench", 1],
      ["payment / echo", "payment", "echo", 0.3],
      ["payment / straightforward", "payment", "straightforward", 5],
      ["replay / echo", "replay", "echo", 0.5],
      ["inquiry / echo", "inquiry", "echo", 0.4],
    ] as const
  )
    .filter(([, above, below]) => [above, below].every((name) => samples.some(({ what }) => what === name)))
    .map(([name, above, below, goal]) => [
      name,
      `>= ${goal.toFixed(1)}`,
      ...levels.map((level) => fixed(rate(above, level) / rate(below, level))),
    ]);
  const lines = [
    `${options.rounds} rounds of ${options.seconds} s each, contestants taking turns`,
    perSecond,
    latency,
    `contestant + PostgreSQL\n${cost}`,
    tableOf(["ratio of medians", "goal", ...levels.map((each) => `c = ${each}`)], ratios),
    tableOf(["rounds, per second", ...levels.map((each) => `c = ${each}`)], roundsOf(result, options)),
    ...othersOf(result, options),
    ...result.checks,
  ];
  if (!result.hasPgbench) lines.push(HOW_TO_GET_PGBENCH);
  return lines.join("\n\n");
}

function roundsOf({ samples }: RunResult, { levels }: BenchOptions): string[][] {
  return NAMES.filter((name) => samples.some(({ what }) => what === name)).map((name) => [
    name,
    ...levels.map((level) =>
      samples
        .filter(({ what, connections }) => what === name && connections === level)
        .map(({ perSecond }) => whole(perSecond))
        .join(" "),
    ),
  ]);
}

function othersOf(result: RunResult, options: BenchOptions): string[] {
  const { samples, paceRate, startMs, peakMemory } = result;
  const lines: string[] = [];
  const paced = samples.filter(({ what }) => what === "pace");
  if (paceRate !== null && paced.length > 0) {
    const [p50, p99] = [medianOf(paced.map((each) => each.p50)), medianOf(paced.map((each) => each.p99))];
    lines.push(
      `half the peak load (peak ${whole(peakOf(samples))}/s), open loop at ${whole(paceRate)}/s: p50 ${fixed(p50)} ms, ` +
        `p99 ${fixed(p99)} ms = ${fixed(p99 / p50)} x the median (goal <= 5 x and < 50 ms); ` +
        `rounds: ${paced.map((each) => `${fixed(each.p50)}/${fixed(each.p99)}`).join(" ")}`,
    );
  }
  const level = infoLevel(options.levels);
  const rateOf = (name: string): number =>
    medianOf(
      samples
        .filter(({ what, connections }) => what === name && connections === level)
        .map(({ perSecond }) => perSecond),
    );
  if (samples.some(({ what }) => what === "info")) {
    lines.push(`LOG_LEVEL=info costs ${fixed((1 - rateOf("info") / rateOf("payment")) * 100)} % at c = ${level}`);
  }
  if (startMs.length > 0) {
    lines.push(
      `start to ready, existing database: ${whole(medianOf(startMs))} ms (goal <= 3000); all: ${startMs.map(whole).join(" ")}`,
    );
  }
  const memory = Object.entries(peakMemory).map(
    ([name, mib]) => `${name} ${mib === null ? "not known here" : `${whole(mib)} MiB`}`,
  );
  lines.push(`peak memory (goal <= 200 MiB): ${memory.join(", ")}`);
  const others = samples.flatMap(({ othersCpu }) => othersCpu ?? []);
  if (others.length > 0) {
    lines.push(
      `processor used by others meanwhile: median ${fixed(medianOf(others) * 100)} % of a core, most ${fixed(Math.max(...others) * 100)} %`,
    );
  }
  const echo = samples.filter(({ what }) => what === "echo").map(({ loaderCpu }) => loaderCpu);
  if (echo.length > 0)
    lines.push(`the loader took at most ${fixed(Math.max(...echo) * 100)} % of a core against the echo`);
  return lines;
}

const whole = (value: number): string => (Number.isFinite(value) ? Math.round(value).toLocaleString("en") : "-");
const fixed = (value: number): string => (Number.isFinite(value) ? value.toFixed(value < 10 ? 2 : 1) : "-");
