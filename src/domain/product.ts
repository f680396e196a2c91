import { z } from "zod";
import { ACCOUNTS } from "./journal";
import { RUPIAH_MAX } from "./rupiah";

const wholeRupiah = z
  .string()
  .regex(/^[0-9]{1,12}$/, "must be whole rupiah as digits, at most 12")
  .transform((digits) => BigInt(digits))
  .refine((amount) => amount <= RUPIAH_MAX);
const positiveRupiah = wholeRupiah.refine((amount) => amount > 0n, "must be at least 1 rupiah");

/** An amount for every bill of the product, or the name of the bill's detail that holds it. */
const limit = z.union([positiveRupiah, z.strictObject({ detail: z.string().regex(/^[A-Za-z0-9]{1,40}$/) })]);
export type RuleLimit = z.infer<typeof limit>;

const isRange = ({ minAmount, maxAmount }: { minAmount: RuleLimit; maxAmount: RuleLimit }): boolean =>
  typeof minAmount !== "bigint" || typeof maxAmount !== "bigint" || minAmount <= maxAmount;
interface FreeRange {
  readonly minAmount: bigint;
  readonly maxAmount: bigint;
  readonly shownAmount: RuleLimit;
}
const isWithin = ({ minAmount, maxAmount, shownAmount }: FreeRange): boolean =>
  typeof shownAmount === "bigint" ? minAmount <= shownAmount && shownAmount <= maxAmount : minAmount <= maxAmount;

const chosenFreely = {
  minAmount: positiveRupiah.prefault("1"),
  maxAmount: positiveRupiah.prefault("999999999999"),
  /** What an inquiry shows while nothing is owed: never 0, which callers take for "already paid". */
  shownAmount: limit,
};
const WITHIN = { error: "minAmount, shownAmount and maxAmount must not fall", path: ["shownAmount"] };

/** How much of a bill one payment may pay, and when the bill is paid. */
const billRuleSchema = z.discriminatedUnion("kind", [
  /** Everything that a message shows is paid at once, to the rupiah. */
  z.strictObject({ kind: z.literal("closed") }),
  /** Any amount within two limits; open until nothing is owed. */
  z
    .strictObject({ kind: z.literal("minmax"), minAmount: limit, maxAmount: limit })
    .refine(isRange, { error: "minAmount is more than maxAmount", path: ["minAmount"] }),
  /** Any amount from a least one up to everything owed; open until nothing is owed. */
  z.strictObject({ kind: z.literal("part"), minAmount: limit.prefault("1") }),
  /** The customer chooses; never paid. What exceeds the debt is kept as unapplied credit. */
  z.strictObject({ kind: z.literal("open"), ...chosenFreely }).refine(isWithin, WITHIN),
  /** As `open`, for a number that lives on: it has no due time, and what is owed on it comes and goes. */
  z.strictObject({ kind: z.literal("static"), ...chosenFreely }).refine(isWithin, WITHIN),
]);
export type BillRule = z.infer<typeof billRuleSchema>;

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
  rule: billRuleSchema,
  /** Fee of a bill that names none of its own. */
  feeAmount: wholeRupiah.prefault("0"),
  /** Whether the fee is settled to us with the amount, or kept by the switch. */
  feeBelongsTo: z.enum(["biller", "switch"]).default("biller"),
  /** Accounts of the chart that are credited with what is applied to bills, and with a fee that is settled to us. */
  accounts: z
    .strictObject({
      collections: z.enum([ACCOUNTS.billCollections, ACCOUNTS.merchantPayable]).default(ACCOUNTS.billCollections),
      fee: z.enum([ACCOUNTS.feeEarned, ACCOUNTS.feePayable]).default(ACCOUNTS.feeEarned),
    })
    .prefault({}),
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

/** Whether a bill of this rule is ever paid up; the others take money as long as they are open. */
export function hasPaidState(rule: BillRule): boolean {
  return rule.kind !== "open" && rule.kind !== "static";
}
