import pino, { type DestinationStream, type Logger as PinoLogger } from "pino";
import { type LogOutput, openLogOutput } from "./log-output";

/** Structured log, one JSON line per event. Never hand it secrets, signatures or names; bill numbers only masked. */
export type Logger = PinoLogger;

let output: LogOutput | null = null;

/** Standard output, one for the process: a fatal line and the end of the process write everything that waits. */
function standardOutput(): LogOutput {
  if (output === null) {
    const opened = openLogOutput(1);
    process.on("exit", () => opened.flushSync());
    output = opened;
  }
  return output;
}

/** Lines that were dropped since this process started, because nobody took them from standard output. */
export function droppedLogLines(): number {
  return output?.dropped ?? 0;
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
