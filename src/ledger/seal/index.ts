export { readBlocks, readLastBlock, type SealedBlock } from "./blocks";
export {
  ACCEPT_ROLLBACK,
  type AcceptedRollback,
  type ChainWatch,
  isRollbackAccepted,
  openChainWatch,
} from "./chain-watch";
export {
  type CheckpointTarget,
  isCheckpointDue,
  listCheckpoints,
  makeCheckpoint,
  type StoredCheckpoint,
} from "./checkpoints";
export { EVIDENCE_KINDS, type EvidenceKind } from "./evidence-rows";
export { exportSealed } from "./export";
export { findSealedItems, MASK_ACTION, maskSealedItem, rowName, type SealedItem } from "./items";
export { addSealKey, listSealKeys, readSigningKey, type SealKey } from "./keys";
export { buildProof, type Proof, type SignedHeader, type SignedText } from "./proof";
export { describeSealing } from "./readiness";
export { readSealedRows } from "./rows";
export { newSealPace, type SealPass, sealPass, type SealTiming } from "./seal-pass";
export { openSealer, type Sealer, type SealerOptions } from "./sealer";
export { readSealState, type SealState } from "./state";
export { readSealStatus, type SealStatus } from "./status";
export { type Finding, FINDINGS_MAX, verifySeals, type Verdict, type VerifyOptions } from "./verify";
export { addTotals } from "./totals";
