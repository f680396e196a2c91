import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Counters and timings in Prometheus form. */
export interface Metrics {
  /** @param labels.operation what the message asked for: a word of ours, never a value from outside */
  countMessage(
    labels: { readonly operation: string; readonly outcome: string; readonly isReplay: boolean },
    durationMs: number,
  ): void;
  countDeviation(labels: { readonly partner: string; readonly field: string; readonly kind: string }): void;
  countTamperAlarm(): void;
  countCallback(result: "delivered" | "failed" | "dead"): void;
  countMail(result: "delivered" | "failed" | "dead"): void;
  countFault(where: string): void;
  /** A value that is read when it is asked for. Over several processes it is added up, or the largest counts. */
  watch(name: string, help: string, read: () => number, over?: "sum" | "max"): void;
  countSealed(leaves: number): void;
  readonly contentType: string;
  text(): Promise<string>;
  /** The figures as data, to be added up with those of other processes. */
  snapshot(): Promise<unknown>;
}

/** A registry of its own, with the process's usual metrics beside ours. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const messages = new Counter({
    name: "biller_messages_total",
    help: "Messages of the switch by operation, outcome and whether the answer was a replay",
    labelNames: ["operation", "outcome", "replay"],
    registers,
  });
  const durations = new Histogram({
    name: "biller_message_seconds",
    help: "From receipt of a message to its answer",
    labelNames: ["operation"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 8, 10],
    registers,
  });
  const deviations = new Counter({
    name: "biller_deviations_total",
    help: "Deviations from a partner's dialect that were understood all the same",
    labelNames: ["partner", "field", "kind"],
    registers,
  });
  const tamperAlarms = new Counter({
    name: "biller_tamper_alarms_total",
    help: "Repeats of a traxId with another amount, fee, bill or product",
    registers,
  });
  const callbacks = new Counter({
    name: "biller_callbacks_total",
    help: "Attempts to deliver callbacks to merchants, by how they ended",
    labelNames: ["result"],
    registers,
  });
  const mails = new Counter({
    name: "biller_mails_total",
    help: "Attempts to hand over mails to customers, by how they ended",
    labelNames: ["result"],
    registers,
  });
  const faults = new Counter({
    name: "biller_faults_total",
    help: "Faults by the place that noticed them",
    labelNames: ["where"],
    registers,
  });
  const sealed = new Counter({
    name: "biller_sealed_leaves_total",
    help: "Entries, replies and operator actions that this host has sealed",
    registers,
  });
  /** By labels, all words of ours: to find them anew for every message costs more than to count. */
  const children = new Map<
    string,
    { readonly count: Counter.Internal; readonly duration: Histogram.Internal<string> }
  >();
  return {
    countSealed: (leaves) => sealed.inc(leaves),
    countMessage({ operation, outcome, isReplay }, durationMs) {
      const name = `${operation} ${outcome} ${isReplay}`;
      let child = children.get(name);
      if (child === undefined) {
        const replay = String(isReplay);
        child = { count: messages.labels({ operation, outcome, replay }), duration: durations.labels({ operation }) };
        children.set(name, child);
      }
      child.count.inc();
      child.duration.observe(durationMs / 1_000);
    },
    countDeviation: (labels) => deviations.inc(labels),
    countTamperAlarm: () => tamperAlarms.inc(),
    countCallback: (result) => callbacks.inc({ result }),
    countMail: (result) => mails.inc({ result }),
    countFault: (where) => faults.inc({ where }),
    watch(name, help, read, over = "sum") {
      registry.registerMetric(
        new Gauge({
          name,
          help,
          registers: [],
          aggregator: over,
          collect() {
            this.set(read());
          },
        }),
      );
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
    snapshot: () => registry.getMetricsAsJSON(),
  };
}

/** The figures of several processes as one text: counters and timings added up. */
export function aggregateMetrics(snapshots: readonly unknown[]): Promise<string> {
  return AggregatorRegistry.aggregate(snapshots as unknown[] as object[]).metrics();
}
