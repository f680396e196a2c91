import { createHash, createHmac } from "node:crypto";

/** What stands in the place of a sealed row's personal fields: a salt of 32 bytes, or what masking has left of it. */
export type LeafSalt =
  | { readonly kind: "salt"; readonly salt: Buffer }
  | { readonly kind: "masked"; readonly kept: Readonly<Record<string, KeptField>> };

/** After masking: a field that may still be checked keeps its own salt, a masked one only its commitment. Hex. */
export type KeptField = { readonly salt: string } | { readonly commitment: string };

/** A personal field with what is needed to check it. */
export interface Disclosed {
  readonly salt: string;
  readonly value: string;
}

/** The salt of one field of a row: HMAC-SHA-256 under the row's salt over the field's name. One tells nothing of another. */
export function fieldSalt(salt: Buffer, field: string): Buffer {
  return createHmac("sha256", salt).update(`biller/field/1/${field}`).digest();
}

/** What is sealed of a personal field: SHA-256 over its salt (32 bytes) and its value in UTF-8, as hex. */
export function commitmentOf(salt: Buffer, value: string): string {
  return createHash("sha256").update(salt).update(value, "utf8").digest("hex");
}

/** The commitments of a row's personal fields, and what can be disclosed of them. */
export interface SealedFields {
  readonly commitments: ReadonlyMap<string, string>;
  readonly disclosed: Readonly<Record<string, Disclosed>>;
}

/** Seals the personal fields of a row. A masked field is represented by the commitment that was kept of it. */
export function sealFields(values: Readonly<Record<string, string>>, leafSalt: LeafSalt): SealedFields {
  const commitments = new Map<string, string>();
  const disclosed: Record<string, Disclosed> = {};
  for (const [field, value] of Object.entries(values)) {
    const kept = leafSalt.kind === "salt" ? null : leafSalt.kept[field];
    if (kept !== null && kept !== undefined && "commitment" in kept) {
      commitments.set(field, kept.commitment);
      continue;
    }
    const salt = leafSalt.kind === "salt" ? fieldSalt(leafSalt.salt, field) : Buffer.from(kept?.salt ?? "", "hex");
    commitments.set(field, commitmentOf(salt, value));
    disclosed[field] = { salt: salt.toString("hex"), value };
  }
  return { commitments, disclosed };
}

/**
 * What is kept of a row's salt when some of its fields are masked. To be worked out while the values are still there.
 *
 * @throws RangeError for a field that the row does not have
 */
export function maskFields(
  values: Readonly<Record<string, string>>,
  leafSalt: LeafSalt,
  masked: readonly string[],
): Readonly<Record<string, KeptField>> {
  const { commitments, disclosed } = sealFields(values, leafSalt);
  const unknown = masked.filter((field) => !commitments.has(field));
  if (unknown.length > 0) throw new RangeError(`no such personal field: ${unknown.join(", ")}`);
  return Object.fromEntries(
    [...commitments].map(([field, commitment]): [string, KeptField] => {
      const open = disclosed[field];
      return [field, open === undefined || masked.includes(field) ? { commitment } : { salt: open.salt }];
    }),
  );
}
