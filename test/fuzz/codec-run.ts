import { Chance } from "./random";
import { TARGETS, type Verdict } from "./codec-targets";

/** What one target made of its inputs. */
export interface TargetResult {
  readonly name: string;
  readonly inputs: number;
  readonly accepted: number;
  readonly refused: number;
  readonly crashes: number;
  readonly misses: number;
  readonly seconds: number;
}

/** An input that must become a fixed vector: what it was, and what happened. */
export interface Failure {
  readonly target: string;
  readonly seed: number;
  readonly index: number;
  readonly problem: string;
  readonly input: string;
}

/** Failures kept per run; more of them say nothing new. */
const FAILURES_KEPT = 20;

/** Runs all targets over `count` inputs. Input `index` of a target depends on the seed and its number, on nothing else. */
export function fuzzCodecs(
  { count, seed }: { readonly count: number; readonly seed: number },
  onProgress: (target: string, done: number) => void = () => {},
): { readonly results: TargetResult[]; readonly failures: Failure[] } {
  const failures: Failure[] = [];
  const chance = new Chance();
  const shares = TARGETS.reduce((sum, { share }) => sum + share, 0);
  const results = TARGETS.map(({ name, share, make, judge }, number): TargetResult => {
    const inputs = Math.ceil((count * share) / shares);
    const tally = { accepted: 0, refused: 0, crashes: 0, misses: 0 };
    const startedMs = performance.now();
    for (let index = 0; index < inputs; index++) {
      if (index % 4_096 === 0) onProgress(name, index);
      chance.reseed(seed, number, index);
      const input = make(chance, index, seed);
      let verdict: Verdict;
      let problem: string | null = null;
      try {
        verdict = judge(input as never);
        if (typeof verdict === "object") {
          tally.misses += 1;
          problem = verdict.miss;
        } else tally[verdict] += 1;
      } catch (error) {
        tally.crashes += 1;
        problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
      }
      if (problem !== null && failures.length < FAILURES_KEPT) {
        failures.push({ target: name, seed, index, problem, input: textOf(input) });
      }
    }
    return { name, inputs, ...tally, seconds: Math.round((performance.now() - startedMs) / 10) / 100 };
  });
  return { results, failures };
}

/** JSON with every character that is not printable ASCII escaped, so that it can be pasted anywhere. */
function textOf(input: unknown): string {
  const text =
    JSON.stringify(input, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value)) ?? String(input);
  return text.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
