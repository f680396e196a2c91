import { z } from "zod";

const ruleName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "must be small letters, digits and -")
  .refine((name) => name !== "traxid", "is taken");
const daysApart = z.int().min(0).max(31).default(0);

/** A rule for lines that their traxId did not match. They are tried in order, after the traxId. */
const matchRule = z.discriminatedUnion("kind", [
  /** One line, one payment of the same bill. */
  z.strictObject({
    kind: z.literal("bill"),
    name: ruleName,
    /** What must be equal beside the bill number. What is left out may differ, and makes the class. */
    fields: z.array(z.enum(["productCode", "amount", "feeAmount"])).default(["productCode", "amount"]),
    daysApart,
    /** How far apart the times may be; null: any. */
    minutesApart: z.int().min(0).max(44_640).nullable().default(null),
  }),
  /** All lines of one file about one bill and business date, that add up to one payment. */
  z.strictObject({ kind: z.literal("lines-to-payment"), name: ruleName, daysApart }),
  /** One line that is the sum of all payments of one bill on one business date. */
  z.strictObject({ kind: z.literal("payments-to-line"), name: ruleName, daysApart }),
]);

/** One declared rule. */
export type MatchRule = z.infer<typeof matchRule>;

/** The rules of a profile, in the order in which they are tried. */
export const matchRulesSchema = z
  .array(matchRule)
  .max(20)
  .refine((rules) => new Set(rules.map(({ name }) => name)).size === rules.length, "two rules have the same name");
