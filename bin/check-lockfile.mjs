// Part of `npm run lint`: the lockfile must name no download host, and must know the content of every package.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fail, root } from "./prepare.mjs";

const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
const problems = Object.entries(lock.packages).flatMap(([name, entry]) => {
  if (name === "") return [];
  const faults = [];
  if (entry.resolved !== undefined) faults.push(`${name} names where it was downloaded from`);
  if (entry.integrity === undefined) faults.push(`${name} has no integrity hash`);
  return faults;
});
if (problems.length > 0) fail(`package-lock.json:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
