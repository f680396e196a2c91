import type { MessageKind, Walk } from "./messages";

/** One measurement of one contestant. */
export interface LoaderJob {
  readonly kind: MessageKind;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** Requests per second at fixed times, whether the earlier ones are answered or not; null: as fast as answers come. */
  readonly rate: number | null;
  /** Requests that are made beforehand; the job ends early when they are used up. */
  readonly requests: number;
  /** Bills, and the first step of the walk. */
  readonly walk: Walk;
  readonly step: number;
  /** traxIds are this and the number of the step. */
  readonly tag: string;
  readonly amount: number;
  readonly bit61: string;
  /** `approved`: result 00; `replay`: that, and the mark of a replay; `echo`: the very body that was sent. */
  readonly expect: "approved" | "replay" | "echo";
  /** Begin again with the first request when they are used up. */
  readonly isRepeated: boolean;
}

/** What came of it; times in milliseconds. */
export interface LoaderResult {
  readonly answered: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Answers that were not as expected, lost connections, and what was still open at the end. */
  readonly unexpected: number;
  readonly samples: readonly string[];
  /** Steps of the walk that were sent. */
  readonly used: number;
  /** Share of one core that the loader took. */
  readonly loaderCpu: number;
}

/** Between the bench and the process of the loader. */
export type ToLoader = { readonly do: "prepare"; readonly job: LoaderJob } | { readonly do: "go" };
export type FromLoader =
  | { readonly did: "start" }
  | { readonly did: "prepare" }
  | { readonly did: "go"; readonly result: LoaderResult }
  | { readonly did: "fail"; readonly reason: string };
