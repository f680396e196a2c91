import { z } from "zod";
import { billStateAt, type Bill } from "./bill";
import { faultOfEmailAddress } from "./email-address";
import { RUPIAH_MAX, sumRupiah } from "./rupiah";

/** States of a bill as merchants are told them; part-paid bills are unpaid ones with payments listed. */
export type BillingStatus = "UNPAID" | "PAID" | "EXPIRED" | "CANCELLED";

/** The detail by which the bill of a static number names its billing id; its bill number is the static number. */
export const STATIC_BILLING_ID = "staticBillingId";

/** Whether a merchant's bill stands for a number that is paid again and again, and so is never paid up. */
export function isStaticBilling({ details }: Pick<Bill, "details">): boolean {
  return Object.hasOwn(details, STATIC_BILLING_ID);
}

/** What a merchant calls its bill: the bill's number, but for a static number. */
export function billingIdOfBill(bill: Pick<Bill, "details" | "billNumber">): string {
  return isStaticBilling(bill) ? (bill.details[STATIC_BILLING_ID] ?? "") : bill.billNumber;
}

/** The status of a merchant's bill at an instant. A static number is never PAID: its payments are listed. */
export function billingStatusAt(bill: Bill, nowMs: number): BillingStatus {
  return billStateAt(bill, nowMs, !isStaticBilling(bill));
}

/**
 * A billing id, which is the bill's number at the switch: 13 digits, no zero in front (merchants get it as a number), the
 * last one a Luhn check digit, so that a mistyped number names no bill.
 *
 * @param twelve digits 1 to 12, the first not 0
 */
export function billingIdOf(twelve: string): string {
  return `${twelve}${checkDigitOf(twelve)}`;
}

/** Whether a text is a billing id with the right check digit. */
export function isBillingId(text: string): boolean {
  return /^[1-9][0-9]{12}$/.test(text) && billingIdOf(text.slice(0, 12)) === text;
}

/** Luhn's: every second digit from the right doubled, its digits added up. */
function checkDigitOf(digits: string): number {
  let sum = 0;
  for (const [index, digit] of Array.from(digits).toReversed().entries()) {
    const value = Number(digit) * (index % 2 === 0 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return (10 - (sum % 10)) % 10;
}

const JAKARTA_FORM = /^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$/;

/** Epoch milliseconds of `YYYY-MM-DD hh:mm:ss` in Jakarta, UTC+7 all year; undefined when it is none. */
export function jakartaInstantOf(text: string): number | undefined {
  if (!JAKARTA_FORM.test(text)) return undefined;
  const instant = Date.parse(`${text.replace(" ", "T")}+07:00`);
  // Date.parse takes the 31st of April for the 1st of May; writing it back shows that.
  return Number.isNaN(instant) || jakartaTextOf(instant) !== text ? undefined : instant;
}

/** `YYYY-MM-DD hh:mm:ss` in Jakarta of an instant in epoch milliseconds. */
export function jakartaTextOf(epochMs: number): string {
  return new Date(epochMs + 7 * 3_600_000).toISOString().slice(0, 19).replace("T", " ");
}

/** Digits given as text or as a whole number, as merchants' systems do. */
const digits = (max: number) =>
  z
    .union([
      z.string(),
      z.number().refine((value) => Number.isSafeInteger(value) && value >= 0, "must be a whole number, not negative"),
    ])
    .transform(String)
    .refine((text) => new RegExp(`^[0-9]{1,${max}}$`).test(text), `must be 1 to ${max} digits, as text or as a number`);
const rupiah = digits(12).transform((text) => BigInt(text));
const plainText = (max: number) =>
  z
    .string()
    .trim()
    .refine((text) => text.length <= max && !/\p{Cc}/u.test(text), `must be text of at most ${max} characters`);
const jakartaTime = z
  .string()
  .transform((text) => jakartaInstantOf(text))
  .refine((instant) => instant !== undefined, "must be YYYY-MM-DD hh:mm:ss");
const transactionNumber = z
  .union([z.string(), z.number().refine(Number.isSafeInteger, "must be a whole number")])
  .transform(String)
  .refine((text) => /^[A-Za-z0-9._/-]{1,20}$/.test(text), "must be 1 to 20 letters, digits, dots, dashes or slashes");

/**
 * A request to create a bill, in the field names of Faspay's billing API. Amounts become whole rupiah as `bigint`, times
 * epoch milliseconds.
 */
export const newBillingSchema = z.object({
  service_id: digits(20),
  transaction_number: transactionNumber,
  billing_total: rupiah.refine((amount) => amount > 0n && amount <= RUPIAH_MAX, "must be more than 0"),
  billing_date: jakartaTime.optional(),
  billing_due_date: jakartaTime.optional(),
  billing_notes: plainText(500).default(""),
  billing_language: z.enum(["EN", "ID"]).default("EN"),
  items: z
    .array(
      z.object({
        item_name: plainText(100).refine((text) => text !== "", "must not be empty"),
        qty: digits(6).transform((text) => BigInt(text)),
        item_amount: rupiah,
      }),
    )
    .max(20)
    .optional(),
  customer_name: plainText(100).refine((text) => text !== "", "must not be empty"),
  customer_email: z
    .string()
    .trim()
    .superRefine((text, context) => {
      const fault = faultOfEmailAddress(text);
      if (fault !== null) context.addIssue({ code: "custom", message: `must be an e-mail address: ${fault}` });
    }),
  customer_phone: z
    .union([z.string(), z.number()])
    .transform(String)
    .refine((text) => /^\+?[0-9]{5,16}$/.test(text), "must be 5 to 16 digits"),
  customer_address: plainText(300).default(""),
  static_va_no: digits(16).optional(),
  signature: z.string(),
});

/** A checked request to create a bill. */
export type NewBilling = z.infer<typeof newBillingSchema>;

/** By how much the items differ from the total, whole rupiah; 0 when they agree or none were given. */
export function differenceOfItems({ items, billing_total }: Pick<NewBilling, "items" | "billing_total">): bigint {
  if (items === undefined || items.length === 0) return 0n;
  return sumRupiah(items.map(({ qty, item_amount }) => qty * item_amount)) - billing_total;
}
