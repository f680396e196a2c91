import pino, { type DestinationStream, type Logger as PinoLogger } from "pino";

/** Structured log, one JSON line per event. Never hand it secrets, signatures or names; bill numbers only masked. */
export type Logger = PinoLogger;

/**
 * Lines are gathered and written by another thread, a block at a time or what there is after a fifth of a second: each write
 * is a hand-over between threads. A host at its limit loses 9 % of its payments to its log (docs/PERFORMANCE.md).
 *
 * Whoever reads them may stand still without holding up a payment; what does not fit into 16 MiB of waiting lines is dropped
 * and counted. A fatal line, and the end of the process, write everything first; SIGKILL loses the last fifth of a second.
 */
const STANDARD_OUTPUT = {
  dest: 1,
  sync: false,
  minLength: 8_192,
  periodicFlush: 200,
  maxLength: 16 * 1_024 * 1_024,
} as const;
let dropped = 0;

/** Lines that were dropped since this process started, because nobody took them from standard output. */
export function droppedLogLines(): number {
  return dropped;
}

function standardOutput(): DestinationStream {
  const stream = pino.destination(STANDARD_OUTPUT);
  stream.on("drop", () => {
    dropped += 1;
  });
  return stream;
}

/**
 * A logger writing to standard output, or to `destination`. `redact` is a second net below the rule that secrets are
 * never passed in.
 */
export function createLogger(options: { level: string; destination?: DestinationStream }): Logger {
  const settings = {
    level: options.level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ["password", "signature", "*.password", "*.signature", "*.secret", "authorization", "*.authorization"],
      censor: "[masked]",
    },
  };
  return pino(settings, options.destination ?? standardOutput());
}

/** A bill or customer number with its middle hidden: enough to recognise, too little to collect. */
export function maskNumber(text: string): string {
  if (text.length <= 4) return "*".repeat(text.length);
  return `${text.slice(0, 2)}${"*".repeat(text.length - 4)}${text.slice(-2)}`;
}
