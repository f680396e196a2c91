import type { Services } from "./services";

/** What the process that seals is told. */
export type ToSealing =
  | { readonly kind: "start"; readonly services: Pick<Services, "isEmbedded" | "databaseUrl" | "credentialKeys"> }
  | { readonly kind: "stop" };

/** What it tells. */
export type FromSealing =
  | { readonly kind: "sealed"; readonly blockNo: bigint; readonly leaves: number }
  | { readonly kind: "lag"; readonly seconds: number | null }
  | { readonly kind: "clock set back"; readonly seconds: number }
  | { readonly kind: "fault"; readonly where: string; readonly code: string | null; readonly message: string };
