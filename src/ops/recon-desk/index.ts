export { type ArrivedFile, type Decided, openReconDesk, type ReconDesk, type RejectedLine } from "./desk";
export { RECON_LISTINGS } from "./listings";
export { filterOf } from "./queue-pages";
export {
  checkProfile,
  QUEUE_FILTERS,
  readMatchRules,
  readReconBody,
  RECON_BODIES,
  type ReconBody,
  UPLOAD_FILTERS,
} from "./requests";
export { removeLeftOvers, withSpooledFile } from "./spool";
export { openTurns, type Turns } from "./turns";
