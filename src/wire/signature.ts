import { timingSafeEqual } from "node:crypto";
import { hexDigest } from "./digest";

/** How one counterparty builds its signature. The published text allows for several readings; see docs/PROTOCOL.md. */
export interface SignatureScheme {
  /** Hash over the joined fields. The hash inside it, over time stamp and password, is always SHA-256. */
  readonly outer: "sha256" | "md5" | "sha1";
  /** What stands between the joined fields: nothing, or a dot when "." is read literally. */
  readonly joiner: "" | ".";
}

/** Every scheme that the published material can be read as, the likeliest first. */
export const SIGNATURE_SCHEMES: readonly SignatureScheme[] = (["sha256", "md5", "sha1"] as const).flatMap((outer) => [
  { outer, joiner: "" },
  { outer, joiner: "." },
]);

/**
 * The fields that a signature covers, as received: never trimmed, padded or otherwise put in order. It does not cover
 * amount, feeAmount, bit61, terminalName, terminalLocation and addInfo: whoever can repeat a message can change those.
 */
export interface SignedFields {
  readonly userName: string;
  readonly productCode: string;
  readonly channel: string;
  readonly terminal: string;
  readonly transactionType: string;
  readonly billNumber: string;
  readonly traxId: string;
  readonly timeStamp: string;
}

/**
 * The signature of a message: lower-case hex of
 * `outer(userName, productCode, channel, terminal, transactionType, billNumber, traxId, sha256(timeStamp + password))`.
 * Source: docs.finpay.id, Finpay Billing, authorisation.
 */
export function buildSignature(fields: SignedFields, password: string, scheme: SignatureScheme): string {
  const inner = hexDigest("sha256", `${fields.timeStamp}${password}`);
  const { userName, productCode, channel, terminal, transactionType, billNumber, traxId } = fields;
  const joined = [userName, productCode, channel, terminal, transactionType, billNumber, traxId, inner];
  return hexDigest(scheme.outer, joined.join(scheme.joiner));
}

/**
 * Whether a signature fits, whatever the case of its hex digits. Takes the same time wherever it differs.
 *
 * @param lengths accepted lengths in hex digits: a shorter one must be the beginning of the digest; null: the whole only
 */
export function verifySignature(
  fields: SignedFields,
  received: string,
  password: string,
  scheme: SignatureScheme,
  lengths: readonly number[] | null = null,
): boolean {
  const whole = buildSignature(fields, password, scheme);
  const isCut = lengths !== null && lengths.includes(received.length) && received.length < whole.length;
  const expected = Buffer.from(isCut ? whole.slice(0, received.length) : whole);
  // As UTF-8: latin1 keeps the low bytes only, and characters beyond it would pass for hex digits.
  const given = Buffer.from(received.toLowerCase());
  // A wrong length tells nothing about the password; the comparison is made all the same.
  const isSameLength = given.length === expected.length && (lengths === null || lengths.includes(received.length));
  return timingSafeEqual(isSameLength ? given : expected, expected) && isSameLength;
}

/** The scheme under which a signature fits, or null: for finding out how a new counterparty signs. */
export function identifyScheme(fields: SignedFields, received: string, password: string): SignatureScheme | null {
  return SIGNATURE_SCHEMES.find((scheme) => verifySignature(fields, received, password, scheme)) ?? null;
}
