/**
 * Faults: things that went wrong, thrown. What the business decided (a declined payment) is an outcome and is returned.
 * `code` is stable and goes to logs; `cause` keeps the original error; `remedy` names what whoever asked can do about it, which
 * command line and HTTP say in their own words.
 */
export class Fault extends Error {
  readonly remedy: Remedy | null;

  constructor(
    readonly code: string,
    message: string,
    { remedy = null, ...options }: { readonly cause?: unknown; readonly remedy?: Remedy | null } = {},
  ) {
    super(message, options);
    this.name = new.target.name;
    this.remedy = remedy;
  }
}

/** What can be done about a fault, where the words differ with the way somebody asks. */
export type Remedy =
  | "give-the-date"
  | "replace-the-file"
  | "supplement-the-file"
  | "name-the-lines"
  | "accept-the-totals"
  | "accept-the-same-content"
  | "run-the-date"
  | "agree-without-file"
  | "begin-later"
  | "name-an-account"
  | "name-the-partner"
  | "undo-first";

/** The request's deadline passed. Nothing was committed: the transaction was abandoned before its COMMIT was sent. */
export class DeadlinePassed extends Fault {
  constructor(doing: string, options?: { cause?: unknown }) {
    super("deadline_passed", `the deadline passed while ${doing}`, options);
  }
}

/** The transaction was rolled back although the caller asked for a commit. Nothing was written. */
export class RolledBack extends Fault {
  constructor(message: string, options?: { cause?: unknown }) {
    super("rolled_back", message, options);
  }
}

/**
 * COMMIT was sent and no trustworthy answer came back: the transaction may or may not be durable. Never report this as a
 * failure; run the same idempotent transaction again, or read the key, to find out.
 */
export class CommitUnknown extends Fault {
  constructor(message: string, options?: { cause?: unknown }) {
    super("commit_unknown", message, options);
  }
}

/** The database cannot be reached or refuses work for now. Nothing was written. */
export class DatabaseUnavailable extends Fault {
  constructor(message: string, options?: { cause?: unknown }) {
    super("database_unavailable", message, options);
  }
}

/** More work is queued than can be done in time; the caller is told at once instead of being kept waiting. */
export class Overloaded extends Fault {
  constructor(what: string) {
    super("overloaded", `${what} is at its limit`);
  }
}

/** Configuration that cannot be started with; `problems` lists every one of them. */
export class ConfigFault extends Fault {
  constructor(
    what: string,
    readonly problems: readonly string[],
  ) {
    super("config", `${what}:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
  }
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The same, and what whoever asked can do about it, in the words of the way they asked. */
export function advise(thrown: unknown, words: Readonly<Record<Remedy, string>>): string {
  const remedy = thrown instanceof Fault ? thrown.remedy : null;
  return remedy === null ? messageOf(thrown) : `${messageOf(thrown)}: ${words[remedy]}`;
}

/** PostgreSQL's SQLSTATE of a driver error, or null when the error did not come from the server. */
export function sqlStateOf(thrown: unknown): string | null {
  if (typeof thrown !== "object" || thrown === null) return null;
  const { code, severity } = thrown as { code?: unknown; severity?: unknown };
  return typeof code === "string" && code.length === 5 && typeof severity === "string" ? code : null;
}
