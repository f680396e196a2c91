/** Where the databases are and what opens the credentials, as it goes to a worker. Never through its environment. */
export interface WorkerServices {
  readonly isEmbedded: boolean;
  readonly databaseUrl: string;
  readonly migrationDatabaseUrl: string;
  readonly auditDatabaseUrl: string;
  readonly redisUrl: string | null;
  /** Keys in base64. */
  readonly credentialKeys: readonly (readonly [keyId: string, key: string])[];
}

/** What the first process tells a worker. */
export type ToWorker =
  | { readonly kind: "start"; readonly services: WorkerServices }
  | { readonly kind: "stop" }
  /** Hand in your own figures. */
  | { readonly kind: "metrics-wanted"; readonly id: number }
  /** The figures of all workers, which this one had asked for. */
  | { readonly kind: "metrics-gathered"; readonly id: number; readonly text: string };

/** What a worker tells the first process. */
export type FromWorker =
  | { readonly kind: "listening"; readonly url: string }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "gather-metrics"; readonly id: number }
  | { readonly kind: "metrics"; readonly id: number; readonly snapshot: unknown };
