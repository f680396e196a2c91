import type { Clock } from "./clock";

/** Notices when one source fails too often. Only tells people: it locks nobody out, since addresses can be shared. */
export interface FailureAlarm {
  note(source: string): void;
}

/** Settings of an alarm; times in milliseconds. */
export interface FailureAlarmOptions {
  readonly clock: Clock;
  /** As many failures of one source within the window raise the alarm, once for each window. */
  readonly threshold: number;
  readonly windowMs: number;
  readonly onAlarm: (source: string, failures: number) => void;
}

/** Sources that are watched at the same time; beyond it the oldest is forgotten, so that a flood cannot fill memory. */
const SOURCES_MAX = 10_000;

/** An alarm that counts in fixed windows, each beginning with a source's first failure. */
export function createFailureAlarm({ clock, threshold, windowMs, onAlarm }: FailureAlarmOptions): FailureAlarm {
  const bySource = new Map<string, { readonly sinceMs: number; failures: number }>();
  return {
    note(source) {
      const nowMs = clock.monotonicMs();
      const known = bySource.get(source);
      const current =
        known === undefined || nowMs - known.sinceMs >= windowMs ? { sinceMs: nowMs, failures: 0 } : known;
      current.failures += 1;
      if (current !== known) {
        bySource.delete(source);
        bySource.set(source, current);
        const [oldest] = bySource.keys();
        if (bySource.size > SOURCES_MAX && oldest !== undefined) bySource.delete(oldest);
      }
      if (current.failures === threshold) onAlarm(source, current.failures);
    },
  };
}
