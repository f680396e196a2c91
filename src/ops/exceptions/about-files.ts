import { Fault, type Statement, type Tx } from "../../platform";
import type { Actor } from "./history";
import type { Proposal } from "./proposals";

/** Which kind of exception an action about files closes. */
const KINDS: Readonly<Record<string, string>> = {
  "not-a-payment": "unreadable-line",
  "close-without-file": "missing-file",
};

/** Whether a proposal is about a file that is missing, or a line that cannot be read. */
export function isAboutFile({ action }: Pick<Proposal, "action">): boolean {
  return Object.hasOwn(KINDS, action);
}

const CLOSE: Statement = {
  name: "ops_close_about_file",
  isWrite: true,
  text: `
    update exception set closed_at = clock_timestamp(), closed_because = $3
     where exception_id = $1::uuid and kind = $2 and closed_at is null returning exception_id`,
};

/**
 * Closes an exception about a file, as two people have agreed. Nothing moves.
 *
 * @throws Fault `closed`: the file has come, or was replaced
 */
export async function closeAboutFile(
  tx: Tx,
  actor: Actor,
  { itemId, action, reason, proposedBy }: Proposal,
): Promise<{ readonly done: string; readonly entryId: null }> {
  const because = `${action} by ${proposedBy} and ${actor.name}: ${reason}`;
  if ((await tx.run(CLOSE, [itemId, KINDS[action], because])).length === 0) {
    throw new Fault("closed", `exception ${itemId} is not open any more`);
  }
  return {
    done: action === "not-a-payment" ? "closed: no payment" : "its day may be closed without it",
    entryId: null,
  };
}

const FIND_MISSING: Statement = {
  name: "ops_find_missing_files",
  text: `
    select x.exception_id as "itemId"
      from exception x
     where x.kind = 'missing-file' and x.business_date = $1::date and x.closed_at is null
       and not exists (select from exception_proposal p where p.item_id = x.exception_id and p.decision is null)
     order by x.exception_id`,
};

/** Missing files of a business date that nothing is proposed for. */
export async function missingFilesOf(tx: Tx, businessDate: string): Promise<readonly string[]> {
  return (await tx.run<{ itemId: string }>(FIND_MISSING, [businessDate])).map(({ itemId }) => itemId);
}
