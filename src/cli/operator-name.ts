import { hostname, userInfo } from "node:os";

/** Who runs this command, as operator actions name them: `cli:<account>@<machine>`. */
export function operatorName(): string {
  return `cli:${account()}@${hostname()}`.slice(0, 200);
}

function account(): string {
  try {
    return userInfo().username;
  } catch {
    // An account without an entry in the system's list, as containers have them.
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
