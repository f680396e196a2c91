import pino, { type DestinationStream, type Logger as PinoLogger } from "pino";

/** Structured log, one JSON line per event. Never hand it secrets, signatures or names; bill numbers only masked. */
export type Logger = PinoLogger;

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
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}

/** A bill or customer number with its middle hidden: enough to recognise, too little to collect. */
export function maskNumber(text: string): string {
  if (text.length <= 4) return "*".repeat(text.length);
  return `${text.slice(0, 2)}${"*".repeat(text.length - 4)}${text.slice(-2)}`;
}
