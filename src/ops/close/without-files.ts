import { randomUUID } from "node:crypto";
import { Fault, type Tx } from "../../platform";
import { missingFilesOf } from "../exceptions/about-files";
import type { Actor } from "../exceptions/history";
import { proposeForItem } from "../exceptions/proposals";
import { trackMissingFiles } from "../reconciliation/expected-files";

/**
 * Proposes to close a business date without the expected files that have not come. Somebody else decides; then the date can
 * be closed, and its close names the reason and both people.
 *
 * @throws Fault `missing_file`: none is missing that nothing is proposed for
 */
export async function proposeWithoutFiles(
  tx: Tx,
  actor: Actor,
  request: { readonly businessDate: string; readonly reason: string; readonly nowMs: number },
): Promise<{ readonly batchId: string; readonly proposalIds: readonly string[] }> {
  const { businessDate, reason, nowMs } = request;
  await trackMissingFiles(tx, nowMs, businessDate);
  const items = await missingFilesOf(tx, businessDate);
  if (items.length === 0) {
    throw new Fault("not_possible", `no file is missing for ${businessDate} that nothing is proposed for`);
  }
  const batchId = randomUUID();
  const proposalIds: string[] = [];
  for (const itemId of items) {
    const what = { action: "close-without-file", account: null, target: null, reason } as const;
    proposalIds.push((await proposeForItem(tx, actor, itemId, what, batchId)).proposalId);
  }
  return { batchId, proposalIds };
}
