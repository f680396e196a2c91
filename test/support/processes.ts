import { readdirSync, readFileSync } from "node:fs";

/** Children of a process whose command line holds a text, by the system's own table of processes. */
export function childrenOf(pid: number, text = ""): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^[0-9]+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const isIt =
        Number(parent) === pid && state !== "Z" && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(text);
      return isIt ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Whether a process lives. */
export function isLiving(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
