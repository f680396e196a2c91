import { hostname, userInfo } from "node:os";
import { type Actor, type ActorText, actorText, PERSON_NAME } from "../domain";
import { type Config, ConfigFault, configFromProcess } from "../platform";

/**
 * Who runs this command: the name that was given (`--as`), else BILLER_OPERATOR, else the account; and the account and machine
 * that it was given from.
 *
 * @throws ConfigFault when it is no name
 */
export function actorOf({ as }: { readonly as?: string }, { operator }: Pick<Config, "operator">): Actor {
  const name = (as ?? operator ?? account()).trim();
  if (!PERSON_NAME.test(name))
    throw new ConfigFault("--as", ["must be a name of 1 to 100 letters, digits, blanks and . _ @ -"]);
  return { name, via: `cli:${account()}@${hostname()}` };
}

/** Who runs a command that takes no `--as`, as it is recorded. */
export function operatorName(): ActorText {
  return actorText(actorOf({}, configFromProcess()));
}

function account(): string {
  try {
    return userInfo().username;
  } catch {
    // An account without an entry in the system's list, as containers have them.
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
