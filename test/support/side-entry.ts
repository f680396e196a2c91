import { Fault, serveSideJobs } from "../../src/platform";

/** Work for tests of processes beside this one: what it is asked to do, it does. */
export const SIDE_JOBS = {
  echo: (input: unknown) => Promise.resolve(input),
  /** Who did it, and at which priority. */
  who: () => Promise.resolve(process.pid),
  shout: (text: string) => {
    process.stdout.write(`${text}\n`);
    process.stderr.write(`${text}\n`);
    return Promise.resolve(text.length);
  },
  fault: () => Promise.reject(new Fault("settlement_file", "not what it says", { remedy: "give-the-date" })),
  sqlError: () =>
    Promise.reject(Object.assign(new Error("refused"), { code: "23001", severity: "ERROR", constraint: "a_key" })),
  throwLater: () =>
    new Promise(() => {
      setImmediate(() => {
        throw new Error("nobody catches this");
      });
    }),
  hang: () => new Promise(() => setInterval(() => {}, 1_000)),
  spin: () => {
    for (;;);
  },
  fillMemory: () => {
    const kept: string[][] = [];
    for (;;) kept.push(Array.from({ length: 10_000 }, (_, n) => `${kept.length} ${n}`));
  },
};

serveSideJobs(SIDE_JOBS);
