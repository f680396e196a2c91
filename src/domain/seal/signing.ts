import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

/** DER in front of a raw Ed25519 seed (PKCS #8) and of a raw public key (SPKI), RFC 8410. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");

/** A key that signs, with the number under which it is known. */
export interface SigningKey {
  readonly keyId: string;
  readonly keyNo: number;
  readonly privateKey: KeyObject;
}

/** The private key of a seed of 32 bytes. */
export function privateKeyOf(seed: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });
}

/** The raw public key, 32 bytes, of a private one. */
export function publicBytesOf(privateKey: KeyObject): Buffer {
  return createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(SPKI_HEAD.length);
}

/** The name of a key follows from the key: `ed25519-` and the first 16 hex digits of the SHA-256 of its 32 bytes. */
export function keyIdOf(publicKey: Buffer): string {
  return `ed25519-${createHash("sha256").update(publicKey).digest("hex").slice(0, 16)}`;
}

/** The Ed25519 signature, 64 bytes, over a text in UTF-8. */
export function signText(key: KeyObject, text: string): Buffer {
  return sign(null, Buffer.from(text, "utf8"), key);
}

/** Whether a signature over a text is that of a raw public key. */
export function isSignedBy(publicKey: Buffer, text: string, signature: Buffer): boolean {
  const key = createPublicKey({ key: Buffer.concat([SPKI_HEAD, publicKey]), format: "der", type: "spki" });
  return signature.length === 64 && verify(null, Buffer.from(text, "utf8"), key, signature);
}

/** SHA-256 of a text in UTF-8. */
export function hashOfText(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
