import type { JobAct } from "./case";
import type { Job } from "./job";
import type { Link, Verdict } from "./link";
import { signal } from "./servers";

/** A place on the line between a job and PostgreSQL. */
export interface JobPoint {
  readonly name: string;
  /** What the job sends there. */
  readonly text: string;
  /** How often that is sent before. */
  readonly skip: number;
  /** At the COMMIT that follows: before it is received, or before it is answered. */
  readonly atCommit?: "not received" | "not answered";
}

/** Does it once, as soon as the point is passed, and tells whether it has been. */
export function harmAt(link: Link, point: JobPoint, act: JobAct, jobOf: () => Job | null): { isReached: boolean } {
  const state = { isReached: false };
  let skip = point.skip;
  let isNear = false;
  const verdictOf = (): Verdict => {
    if (point.atCommit === "not received") return "drop-and-cut";
    if (point.atCommit === "not answered") return "pass-and-cut";
    return act === "throw" ? "half" : "pass";
  };
  link.judge = (chunk, fromServer) => {
    if (fromServer || state.isReached) return "pass";
    if (!isNear && chunk.includes(point.text)) {
      isNear = skip === 0;
      skip -= 1;
    }
    if (!isNear || (point.atCommit !== undefined && !chunk.includes("commit\0"))) return "pass";
    state.isReached = true;
    const job = jobOf();
    if (job !== null && act !== "throw") signal(job.pid, act === "kill" ? "SIGKILL" : "SIGSTOP");
    return verdictOf();
  };
  return state;
}
