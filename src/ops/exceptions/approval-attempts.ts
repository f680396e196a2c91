import { randomUUID } from "node:crypto";
import { DatabaseUnavailable, deadlineIn, Fault, messageOf, sqlStateOf, type Statement } from "../../platform";
import { approveProposal } from "./carry-out";
import type { ApprovalDeps, Approved } from "./context";
import type { Actor } from "./history";

/** What became of one approval of several. */
export interface ApprovalAttempt {
  readonly proposalId: string;
  /** Null where it could not be done: the proposal waits as before. */
  readonly approved: Approved | null;
  readonly fault: Fault | null;
}

/** Without a database no other item could be done either: only this stops a batch. */
export function isDatabaseLost(error: unknown): boolean {
  const state = sqlStateOf(error) ?? "";
  return error instanceof DatabaseUnavailable || state.startsWith("57P") || state.startsWith("08");
}

/** Constraints and triggers that say more than that something is out of order. */
const BY_CONSTRAINT: Readonly<Record<string, readonly [code: string, message: string]>> = {
  exception_proposal_two_people: ["same_person", "who has proposed it cannot decide it"],
  exception_proposal_system: ["same_person", "system is no person: it cannot propose or decide"],
  exception_proposal_open_key: ["proposed", "a proposal about it waits for a decision already"],
};
const BUSY = ["55P03", "40001", "40P01", "57014"];

/**
 * Any error of one item as a fault that can be told. What is no fault and no refusal of the database is `internal`: the
 * caller learns a reference and nothing else, `cause` keeps the error for the log.
 */
export function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const { constraint } = error as { constraint?: unknown };
  const known = typeof constraint === "string" ? BY_CONSTRAINT[constraint] : undefined;
  if (known !== undefined) return new Fault(known[0], known[1], { cause: error });
  const state = sqlStateOf(error) ?? "";
  if (state === "23001") return new Fault("refused_by_books", messageOf(error), { cause: error });
  if (BUSY.includes(state)) return new Fault("busy", "somebody else is at work on this: try again", { cause: error });
  return new Fault("internal", `internal fault, reference ${randomUUID()}`, { cause: error });
}

/** Of the request or its moment, not of the proposal: nothing to remember. */
const NOT_RECORDED = ["same_person", "decided", "no_proposal", "commit_unknown"];

const RECORD: Statement = {
  name: "ops_record_failed_approval",
  isWrite: true,
  text: `
    update exception_proposal set last_failed_at = clock_timestamp(), last_failure = $2
     where proposal_id = $1::uuid and decision is null`,
};
const RECORD_MS = 10_000;

/**
 * Approves one proposal. Whatever goes wrong is a fault of this one alone: it waits as before, with what went wrong and when
 * beside it.
 *
 * @param onInternal is told of what is neither a refusal nor a fault, for the log
 * @throws what means that the database is lost
 */
export async function tryApproval(
  deps: ApprovalDeps,
  actor: Actor,
  proposalId: string,
  note: string | null,
  onInternal: (fault: Fault) => void,
): Promise<ApprovalAttempt> {
  try {
    return { proposalId, approved: await approveProposal(deps, actor, proposalId, note), fault: null };
  } catch (error) {
    if (isDatabaseLost(error)) throw error;
    const fault = faultOf(error);
    if (fault.code === "internal") onInternal(fault);
    if (!NOT_RECORDED.includes(fault.code)) {
      // eslint-disable-next-line no-control-regex -- texts of faults may hold what a file said
      const text = `${fault.code}: ${fault.message}`.replaceAll(/[\u0000-\u001f\u007f]/g, " ").slice(0, 500);
      await deps.db.withTransaction(deadlineIn(deps.clock, RECORD_MS), (tx) => tx.run(RECORD, [proposalId, text]));
    }
    return { proposalId, approved: null, fault };
  }
}
