import type { Clock } from "../platform";
import type { StoredMerchant } from "../store";
import { hmacOf, isSameDigest, legacyMerchantSignature } from "../wire";

/** Merchants as they were at one moment, by service id and by id. */
export interface MerchantDirectory {
  readonly byServiceId: ReadonlyMap<string, StoredMerchant>;
  readonly byId: ReadonlyMap<number, StoredMerchant>;
}

/** The directory of these merchants. */
export function directoryOf(merchants: readonly StoredMerchant[]): MerchantDirectory {
  return {
    byServiceId: new Map(merchants.map((merchant) => [merchant.serviceId, merchant])),
    byId: new Map(merchants.map((merchant) => [merchant.merchantId, merchant])),
  };
}

/** How a merchant's request was signed. */
export interface MerchantProof {
  readonly serviceId: string;
  /** The published signature; covers userName, password and this number only. */
  readonly signature: string;
  readonly number: string;
  readonly rawBody: string;
  /** `X-Timestamp` and `X-Signature`: HMAC-SHA256 over time and raw body; null when there are none. */
  readonly strong: { readonly timestamp: string; readonly signature: string } | null;
}

const STRONG_WINDOW_S = 300;
const NOBODY = { userName: "nobody", password: "no-password-fits", hmac: "no-secret-fits" };

/**
 * The merchant that a request is from, or null. Whoever signs with HMAC is judged by that alone; whoever does not, by the
 * published signature, unless the merchant is required to do better. An unknown service id costs the same work.
 */
export function authenticateMerchant(
  merchants: MerchantDirectory,
  proof: MerchantProof,
  clock: Clock,
): StoredMerchant | null {
  const merchant = merchants.byServiceId.get(proof.serviceId);
  const isAuthentic =
    proof.strong === null ? hasLegacy(merchant, proof) : hasStrong(merchant, proof, proof.strong, clock);
  return isAuthentic && merchant !== undefined ? merchant : null;
}

function hasLegacy(merchant: StoredMerchant | undefined, { signature, number }: MerchantProof): boolean {
  const passwords = merchant?.secrets.password ?? [NOBODY.password];
  let isFitting = false;
  for (const password of passwords) {
    const expected = legacyMerchantSignature(merchant?.userName ?? NOBODY.userName, password, number);
    isFitting = isSameDigest(expected, signature) || isFitting;
  }
  return isFitting && merchant?.requiresHmac !== true;
}

function hasStrong(
  merchant: StoredMerchant | undefined,
  { rawBody }: MerchantProof,
  { timestamp, signature }: NonNullable<MerchantProof["strong"]>,
  clock: Clock,
): boolean {
  const isFresh =
    /^[0-9]{1,12}$/.test(timestamp) && Math.abs(Number(timestamp) - clock.nowMs() / 1_000) <= STRONG_WINDOW_S;
  let isFitting = false;
  for (const secret of merchant?.secrets.hmac ?? [NOBODY.hmac]) {
    isFitting = isSameDigest(hmacOf(secret, timestamp, rawBody), signature) || isFitting;
  }
  return isFitting && isFresh;
}
