export { lastOfCheckpointFile, readCheckpointFile } from "./checkpoint-file";
export { type CheckpointCourier, lostBlocksOf, openCheckpointCourier, type WebhookTarget } from "./courier";
export { type S3Target } from "./s3";
