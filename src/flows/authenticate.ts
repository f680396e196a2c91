import { randomUUID } from "node:crypto";
import { type SwitchMessage, verifySignature } from "../wire";
import type { ActivePartner, Catalog } from "./catalog";
import { ANONYMOUS } from "./catalog";

/**
 * A password to check unknown users against, so that they cost the same work; it fits nobody. As short as passwords are:
 * a longer one would cost SHA-256 a second block, which can be measured (`npm run timing`).
 */
const NOBODY_PASSWORD = randomUUID().slice(0, 16);

/**
 * The partner whose userName, address and password fit, or null. Every valid password is tried, always, and an unknown
 * userName costs the same work as a known one: neither the answer nor its time tells which of them was wrong.
 */
export function authenticate(
  catalog: Catalog,
  message: SwitchMessage,
  sourceAddress: string | null,
): ActivePartner | null {
  const partner = catalog.partners.get(message.userName);
  const { signature } = (partner ?? ANONYMOUS).dialect;
  const isFromThere = partner?.mayComeFrom(sourceAddress) ?? true;
  const passwords = partner === undefined || partner.passwords.length === 0 ? [NOBODY_PASSWORD] : partner.passwords;
  let isAuthentic = false;
  for (const password of passwords) {
    const isFitting = verifySignature(message, message.signature, password, signature, signature.lengths);
    isAuthentic = isFitting || isAuthentic;
  }
  return isAuthentic && isFromThere && partner !== undefined ? partner : null;
}
