export { readCheckpointFile } from "./checkpoint-file";
export { type CheckpointCourier, openCheckpointCourier, type WebhookTarget } from "./courier";
export { type S3Target } from "./s3";
