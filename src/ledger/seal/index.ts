export { readBlocks, readLastBlock, type SealedBlock } from "./blocks";
export {
  type CheckpointTarget,
  isCheckpointDue,
  listCheckpoints,
  makeCheckpoint,
  type StoredCheckpoint,
} from "./checkpoints";
export { addSealKey, faultOfKeys, listSealKeys, readSigningKey, type SealKey } from "./keys";
export { readSealedRows } from "./rows";
export { isoOfMicros, newSealPace, type SealPass, sealPass, type SealTiming } from "./seal-pass";
export { openSealer, type Sealer, type SealerOptions } from "./sealer";
export { readSealState, type SealState } from "./state";
export { readSealStatus, type SealStatus } from "./status";
