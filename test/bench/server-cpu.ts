import { readdirSync, readFileSync } from "node:fs";

const TICKS_PER_SECOND = 100;

/** CPU seconds that a server has used until now: its processes that live, and those that have ended. */
export function cpuSecondsOf(serverPid: number): number {
  let ticks = 0;
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? statOf(name) : null;
    if (stat === null) continue;
    if (Number(name) === serverPid) ticks += stat.own + stat.ofEnded;
    else if (stat.parent === serverPid) ticks += stat.own;
  }
  return ticks / TICKS_PER_SECOND;
}

function statOf(pid: string) {
  try {
    // The name of the program stands in brackets and may hold blanks.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ")
      .map(Number);
    const at = (number: number): number => fields[number - 3] ?? 0;
    return { parent: at(4), own: at(14) + at(15), ofEnded: at(16) + at(17) };
  } catch {
    return null;
  }
}
