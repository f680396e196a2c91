import { sleep } from "../../src/platform";
import type { Violation } from "./check";
import type { Stage } from "./stage";
import type { Place, World } from "./world";

/** What one case is tried on: a host to which something happens, and one that goes on. */
export interface Bench {
  readonly stage: Stage;
  readonly world: World;
  readonly subject: Place;
  readonly other: Place;
}

/** Something that happens at one place on the way of a message. */
export interface Case {
  readonly crashPoint: string;
  readonly where: string;
  readonly act: string;
  /** Resolves with whether it came to that. */
  readonly run: (bench: Bench) => Promise<boolean>;
}

/** The same, in a world of its own: where others would get in the way. */
export interface WorldCase extends Omit<Case, "run"> {
  readonly run: (stage: Stage) => Promise<{
    readonly wasReached: boolean;
    readonly violations: readonly Violation[];
    readonly world: Pick<World, "history" | "shop">;
  }>;
}

/** What can happen to a job; `throw`: its line is cut, so that it gets an error. */
export const JOB_ACTS = ["kill", "stop", "throw"] as const;
export type JobAct = (typeof JOB_ACTS)[number];

/** Waits for something, two seconds at most unless told otherwise. Resolves with whether it is so. */
export async function until(isSo: () => boolean, withinMs = 2_000): Promise<boolean> {
  const endMs = performance.now() + withinMs;
  while (!isSo() && performance.now() < endMs) await sleep(10);
  return isSo();
}
