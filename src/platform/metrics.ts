import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Counters and timings in Prometheus form. */
export interface Metrics {
  countMessage(
    labels: { readonly type: string; readonly outcome: string; readonly isReplay: boolean },
    durationMs: number,
  ): void;
  countTamperAlarm(): void;
  countFault(where: string): void;
  /** A value that is read when it is asked for. */
  watch(name: string, help: string, read: () => number): void;
  readonly contentType: string;
  text(): Promise<string>;
}

/** A registry of its own, with the process's usual metrics beside ours. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const messages = new Counter({
    name: "biller_messages_total",
    help: "Messages of the switch by transactionType, outcome and whether the answer was a replay",
    labelNames: ["type", "outcome", "replay"],
    registers,
  });
  const durations = new Histogram({
    name: "biller_message_seconds",
    help: "From receipt of a message to its answer",
    labelNames: ["type"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 8, 10],
    registers,
  });
  const tamperAlarms = new Counter({
    name: "biller_tamper_alarms_total",
    help: "Repeats of a traxId with another amount, fee, bill or product",
    registers,
  });
  const faults = new Counter({
    name: "biller_faults_total",
    help: "Faults by the place that noticed them",
    labelNames: ["where"],
    registers,
  });
  return {
    countMessage({ type, outcome, isReplay }, durationMs) {
      // transactionType comes from outside: only the known ones become labels.
      const known = /^(38|50|51)$/.test(type) ? type : "other";
      messages.inc({ type: known, outcome, replay: String(isReplay) });
      durations.observe({ type: known }, durationMs / 1_000);
    },
    countTamperAlarm: () => tamperAlarms.inc(),
    countFault: (where) => faults.inc({ where }),
    watch(name, help, read) {
      registry.registerMetric(
        new Gauge({
          name,
          help,
          registers: [],
          collect() {
            this.set(read());
          },
        }),
      );
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}
