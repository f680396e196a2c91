/** Sealing, and where checkpoints go. Times in milliseconds. */
export interface SealSettings {
  /** Whether this process seals; another one then has to. */
  readonly isOn: boolean;
  readonly intervalMs: number;
  /** Not ready when sealing is further behind; null: readiness only tells. */
  readonly lagMaxMs: number | null;
  readonly checkpointIntervalMs: number;
  /** Directory of the checkpoint file; null: a place under `dataDir` in embedded mode, otherwise none. */
  readonly checkpointDir: string | null;
  readonly s3: {
    readonly url: string;
    readonly region: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  } | null;
  readonly webhook: { readonly url: string; readonly secret: string } | null;
}
