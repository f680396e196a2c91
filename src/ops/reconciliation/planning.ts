import type { Session } from "./session";

/**
 * For statements over a whole day. The planner takes a file that was written a moment ago for a few lines, and would look
 * up each of a million by reading all payments; joined by hashing or merging, a wrong guess costs little.
 */
export async function setBased<T>({ run }: Session, work: () => Promise<T>): Promise<T> {
  await run(`select set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true)`);
  const value = await work();
  await run(`select set_config('enable_nestloop', 'on', true), set_config('work_mem', '4MB', true)`);
  return value;
}

/** For statements over some thousand rows, each looked up by its key: the planner may take them for many. */
export async function byKey<T>({ run }: Session, work: () => Promise<T>): Promise<T> {
  const hashes = (value: string) =>
    run(`select set_config('enable_hashjoin', $1, true), set_config('enable_mergejoin', $1, true)`, [value]);
  await hashes("off");
  const value = await work();
  await hashes("on");
  return value;
}
