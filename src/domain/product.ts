import { z } from "zod";
import { RUPIAH_MAX } from "./rupiah";

const wholeRupiah = z
  .string()
  .regex(/^[0-9]{1,12}$/, "must be whole rupiah as digits, at most 12")
  .transform((digits) => BigInt(digits))
  .refine((amount) => amount <= RUPIAH_MAX);

/**
 * What the business says about a product; how it looks on the wire is beside it (see the wire room's layouts).
 * Amounts are whole rupiah as digit strings in the data, times milliseconds.
 */
export const productRulesSchema = z.strictObject({
  /** Exact shape of billNumber. Fixed lengths matter: the signature joins fields with nothing between them. */
  billNumber: z
    .strictObject({
      minLength: z.int().min(1).max(20),
      maxLength: z.int().min(1).max(20),
      digitsOnly: z.boolean().default(true),
    })
    .refine(({ minLength, maxLength }) => minLength <= maxLength, "minLength is more than maxLength: no number fits"),
  /** `closed`: everything owed is paid at once, to the rupiah. */
  rule: z.strictObject({ kind: z.enum(["closed"]) }),
  /** Fee of a bill that names none of its own. */
  feeAmount: wholeRupiah.default(0n),
  /** Whether the fee is settled to us with the amount, or kept by the switch. */
  feeBelongsTo: z.enum(["biller", "switch"]).default("biller"),
  /** How many items one message can show at most, oldest first. */
  itemsMax: z.int().min(1).max(99).default(9),
  /** How long an answered inquiry is honoured, even past the bill's due time. */
  quoteHonouredMs: z.int().min(0).max(86_400_000).default(1_800_000),
});

export type ProductRules = z.infer<typeof productRulesSchema>;

/** Whether a billNumber has the product's shape; one that has not cannot name a bill of it. */
export function isBillNumberOf(rules: ProductRules, billNumber: string): boolean {
  const { minLength, maxLength, digitsOnly } = rules.billNumber;
  if (billNumber.length < minLength || billNumber.length > maxLength) return false;
  return !digitsOnly || /^[0-9]+$/.test(billNumber);
}

/** The key that a bill is stored and distributed under. */
export function billKeyOf(productCode: string, billNumber: string): string {
  return `${productCode}:${billNumber}`;
}
