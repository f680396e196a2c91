import { createHash, createHmac, timingSafeEqual } from "node:crypto";

// Written from docs/MERCHANTS.md and docs/SIMULATOR.md as any merchant would, and sharing nothing with those who sign.

const FRESH_MS = 300_000;

/** The published signature of a request: SHA1 of the hex of MD5 over user name, password and transaction number. */
export function publishedSignature(userName: string, password: string, transactionNumber: string): string {
  const inner = createHash("md5").update(`${userName}${password}${transactionNumber}`).digest("hex");
  return createHash("sha1").update(inner).digest("hex");
}

/** The headers that prove a request to the biller, over its body or, when it has none, its query string. */
export function proofOf(text: string, secret: string, nowMs: number): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  return {
    "X-Timestamp": timestamp,
    "X-Signature": createHmac("sha256", secret).update(`${timestamp}.${text}`).digest("hex"),
  };
}

/** What came with a callback, as text; empty when it did not. */
export interface CallbackProof {
  readonly eventId: string;
  readonly timestamp: string;
  readonly signature: string;
}

/** Why a callback is not the biller's, or null when it is. */
export function faultOfCallback(proof: CallbackProof, body: string, secret: string, nowMs: number): string | null {
  const { eventId, timestamp, signature } = proof;
  if (eventId === "" || signature === "") return "not signed";
  if (!/^[0-9]{1,12}$/.test(timestamp)) return "no timestamp";
  if (Math.abs(nowMs - Number(timestamp) * 1_000) >= FRESH_MS) return "timestamp older than five minutes";
  const wanted = createHmac("sha256", secret).update(`${eventId}.${timestamp}.${body}`).digest("hex");
  const isOurs = signature.split(",").some((part) => part.startsWith("v1=") && isSame(part.slice(3), wanted));
  return isOurs ? null : "wrong signature";
}

/** Whether Finpay signed an object: HMAC-SHA512 over its JSON text without `signature`, keys in the order received. */
export function isFinpays(data: Readonly<Record<string, unknown>>, key: string): boolean {
  const { signature, ...signed } = data;
  const wanted = createHmac("sha512", key).update(JSON.stringify(signed)).digest("hex");
  return typeof signature === "string" && isSame(signature, wanted);
}

function isSame(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}
