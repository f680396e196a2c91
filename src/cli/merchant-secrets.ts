import { randomBytes } from "node:crypto";
import type { NewMerchant } from "../store";

/** A secret of 24 random bytes, as text that may stand in a header, a file or an address. */
export function newSecret(): string {
  return randomBytes(24).toString("base64url");
}

/** The three secrets of a new merchant. */
export function newMerchantSecrets(): NewMerchant["secrets"] {
  return { password: newSecret(), hmac: newSecret(), callback: newSecret() };
}
