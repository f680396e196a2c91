import { createHmac, timingSafeEqual } from "node:crypto";
import { hexDigest } from "./digest";

/**
 * The published signature of merchants: SHA-1, in hex, over the hex of the MD5 of userName, password and a number joined.
 * It covers no amount, and both hashes are weak; it is there for compatibility. A merchant can be required to sign with
 * HMAC instead.
 *
 * @param number the transaction number; left out where a request is about no single bill
 */
export function legacyMerchantSignature(userName: string, password: string, number = ""): string {
  const inner = hexDigest("md5", `${userName}${password}${number}`);
  return hexDigest("sha1", inner);
}

/** HMAC-SHA256, in hex, over parts joined by dots; the last part may hold dots itself. */
export function hmacOf(secret: string, ...parts: readonly string[]): string {
  return createHmac("sha256", secret).update(parts.join(".")).digest("hex");
}

/** Whether two hex digests are equal, whatever the case of the received one. Takes the same time wherever they differ. */
export function isSameDigest(expected: string, received: string): boolean {
  const right = Buffer.from(expected);
  const given = Buffer.from(received.toLowerCase());
  const isSameLength = given.length === right.length;
  return timingSafeEqual(isSameLength ? given : right, right) && isSameLength;
}
