/**
 * Points on the way of a message, in order, where it is interesting that a process is killed, stands still or fails. Tests
 * do that; in a running host nothing happens at them.
 */
export type PostingPoint =
  | "parsed"
  | "authenticated"
  | "locked"
  | "begun"
  | "facts-read"
  | "bills-claimed"
  /** Everything is written; COMMIT is sent next. */
  | "appended"
  /** PostgreSQL has answered COMMIT. */
  | "committed"
  | "released"
  /** The reply is complete and is sent next. */
  | "replying"
  | "replied"
  | "attempt-kept"
  | "draining";

/** Called at each point that is reached, and waited for. */
export type Reach = (point: PostingPoint) => void | Promise<void>;
