/** Who does something: a person's name, and the way that the name came in. */
export interface Actor {
  readonly name: string;
  /** `cli:account@machine`, or `api:token/id@address`. */
  readonly via: string;
}

/** An actor as it is recorded everywhere: `name (via)`. Made by `actorText`. */
export type ActorText = `${string} (${string})`;

/** Names that people work under: 1 to 100 letters, digits, blanks and . _ @ - */
export const PERSON_NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,99}$/u;

/** Characters of an actor's text at most: what the column of an operator action holds. */
const LENGTH_MAX = 200;

/** The text of an actor, 200 characters at most; of a longer one the end of `via` is missing. */
export function actorText({ name, via }: Actor): ActorText {
  const shown = name.slice(0, 100);
  return `${shown} (${via.slice(0, LENGTH_MAX - shown.length - 3)})`;
}
