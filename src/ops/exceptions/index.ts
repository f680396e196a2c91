export { type ApprovalAttempt, faultOf, isDatabaseLost, tryApproval } from "./approval-attempts";
export { approveProposal } from "./carry-out";
export type { ApprovalDeps, Approved, ByHand } from "./context";
export { BULK_MAX, type ProposedItem, proposeForEach } from "./bulk";
export { proposeReopening, type ReopenedDay } from "./reopening";
export { handleItem, type PlainAction } from "./handling";
export { proposeUndo } from "./propose-undo";
export { type Actor, type HistoryEvent, PERSON_NAME } from "./history";
export { lapseProposals, SYSTEM } from "./items";
export {
  decideProposal,
  listProposals,
  type Proposal,
  proposeForAll,
  proposeForItem,
  type ProposalRequest,
} from "./proposals";
export { listQueue, type QueueFilter, type QueueItem, readDueRule, readItem, saveDueRule, WHOLE_QUEUE } from "./queue";
export { nextWaiting, type WaitingFilter, type WaitingPart } from "./waiting";
