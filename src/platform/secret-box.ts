import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { Fault } from "./faults";

/** A secret as stored: AES-256-GCM, 96-bit random nonce, the 16-byte tag at the end of the ciphertext. */
export interface SealedSecret {
  readonly keyId: string;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
}

/** Encrypts and decrypts small secrets under a ring of keys; the first key of the ring seals, all of them open. */
export interface SecretBox {
  readonly activeKeyId: string;
  /** `identity` names the row the secret belongs to; a ciphertext moved to another row does not open. */
  seal(plaintext: string, identity: string): SealedSecret;
  /** @throws Fault `secret_unreadable` for an unknown key id and for anything that was altered or moved. */
  open(sealed: SealedSecret, identity: string): string;
}

const TAG_BYTES = 16;
const NONCE_BYTES = 12;

/** `keys` are 32 bytes each, by key id, in order of preference; at least one. */
export function createSecretBox(keys: readonly (readonly [keyId: string, key: Buffer])[]): SecretBox {
  const [active] = keys;
  if (active === undefined) throw new Fault("secret_key_missing", "no key to encrypt credentials with");
  const ring = new Map(keys);

  return {
    activeKeyId: active[0],
    seal(plaintext, identity) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", active[1], nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(associatedData(active[0], identity));
      const body = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final()]);
      return { keyId: active[0], nonce, ciphertext: Buffer.concat([body, cipher.getAuthTag()]) };
    },
    open(sealed, identity) {
      const key = ring.get(sealed.keyId);
      if (key === undefined) {
        throw new Fault(
          "secret_unreadable",
          `a credential is encrypted under key id "${sealed.keyId}", which is not configured`,
        );
      }
      if (sealed.ciphertext.length < TAG_BYTES || sealed.nonce.length !== NONCE_BYTES) {
        throw new Fault("secret_unreadable", `the credential of ${identity} is truncated`);
      }
      const split = sealed.ciphertext.length - TAG_BYTES;
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, sealed.nonce, { authTagLength: TAG_BYTES });
        decipher.setAAD(associatedData(sealed.keyId, identity));
        decipher.setAuthTag(sealed.ciphertext.subarray(split));
        return decipher.update(sealed.ciphertext.subarray(0, split), undefined, "utf8") + decipher.final("utf8");
      } catch (error) {
        throw new Fault(
          "secret_unreadable",
          `the credential of ${identity} does not open under key id "${sealed.keyId}": wrong key, or altered`,
          { cause: error },
        );
      }
    },
  };
}

function associatedData(keyId: string, identity: string): Buffer {
  return Buffer.from(JSON.stringify(["biller-credential-v1", keyId, identity]), "utf8");
}
