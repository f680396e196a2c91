import { AwsClient } from "aws4fetch";
import { messageOf } from "../../platform";
import { checkpointJson, type OutgoingCheckpoint } from "./checkpoint-file";

/** A bucket, at Amazon or anywhere that speaks the same protocol. */
export interface S3Target {
  /** Address of the bucket with the prefix of the names, for instance `https://s3.example/bucket/biller/`. */
  readonly url: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const TIMEOUT_MS = 10_000;

/** `checkpoint-000000000042.json`: sorts by block. */
export function objectNameOf(blockNo: bigint): string {
  return `checkpoint-${blockNo.toString().padStart(12, "0")}.json`;
}

/**
 * Puts a checkpoint into the bucket, signed with AWS Signature Version 4. Never overwrites (`If-None-Match: *`): a name that
 * is taken was delivered before. Never throws.
 *
 * @returns what went wrong, null when it is there
 */
export async function putCheckpoint(target: S3Target, checkpoint: OutgoingCheckpoint): Promise<string | null> {
  const { accessKeyId, secretAccessKey, region } = target;
  const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3", retries: 0 });
  const url = new URL(objectNameOf(checkpoint.blockNo), target.url.endsWith("/") ? target.url : `${target.url}/`);
  try {
    const request = await client.sign(url.href, {
      method: "PUT",
      headers: { "content-type": "application/json", "if-none-match": "*" },
      body: checkpointJson(checkpoint),
    });
    const { status, body } = await fetch(request, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
    await body?.cancel();
    return (status >= 200 && status <= 299) || status === 412 ? null : `answered with status ${status}`;
  } catch (error) {
    return messageOf(error).slice(0, 200);
  }
}
