import type { SealStatus } from "./status";

/** One sentence about how sealing stands, and whether it is within the limit. */
export function describeSealing(
  status: SealStatus,
  { isOn, lagMaxMs }: { readonly isOn: boolean; readonly lagMaxMs: number | null },
): { readonly isOk: boolean; readonly detail: string } {
  if (status.keyId === null) return { isOk: lagMaxMs === null, detail: "no key yet: run biller ledger key new" };
  const lag = status.lagSeconds === null ? "not begun" : `${status.lagSeconds.toFixed(1)} s behind`;
  const parts = [
    `block ${status.blocks}, ${lag}`,
    status.checkpointBlock === null ? "no checkpoint yet" : `checkpoint of block ${status.checkpointBlock}`,
    ...(status.undelivered === 0 ? [] : [`${status.undelivered} checkpoints not delivered yet`]),
    ...(isOn ? [] : ["this process does not seal"]),
  ];
  const isLate = lagMaxMs !== null && (status.lagSeconds === null || status.lagSeconds * 1_000 > lagMaxMs);
  return { isOk: !isLate, detail: parts.join("; ") };
}
