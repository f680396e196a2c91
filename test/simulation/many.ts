import { Counts } from "./faults";
import { type RunOptions, simulate } from "./simulate";

/** What many seeds came to. */
export interface Summary {
  readonly seeds: number;
  readonly counts: readonly (readonly [string, number])[];
  readonly faults: readonly (readonly [string, number])[];
  readonly failures: readonly { readonly seed: number; readonly violations: readonly string[] }[];
}

/** Runs seeds one after the other. `onDone` is told now and then how many are done. */
export async function countSeeds(
  seeds: Iterable<number>,
  options: RunOptions,
  onDone: (done: number) => void,
): Promise<Summary> {
  const counts = new Counts();
  const faults = new Counts();
  const failures: { seed: number; violations: readonly string[] }[] = [];
  let done = 0;
  for (const seed of seeds) {
    const outcome = await simulate(seed, options);
    counts.addAll(outcome.counts);
    faults.addAll(outcome.faults);
    if (outcome.violations.length > 0) failures.push({ seed, violations: outcome.violations });
    done += 1;
    if (done % 100 === 0) onDone(done);
  }
  return { seeds: done, counts: counts.entries(), faults: faults.entries(), failures };
}
