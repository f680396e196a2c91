import { z } from "zod";
import { ConfigFault } from "../../platform";

const web = (text: string): boolean => URL.canParse(text) && /^https?:\/\/[^@]*$/.test(text);
const address = z
  .string("must be text")
  .refine(web, "must be an http or https address without a password in it")
  .transform((text) => text.replace(/\/+$/, ""));
const secret = z.string("must be text").min(1, "must not be empty").max(200, "must have at most 200 characters");
const seconds = z.int("must be whole seconds").min(1, "must be 1 or more").max(31_536_000, "must be a year at most");

const schema = z.strictObject({
  /** The biller host. */
  billerUrl: address,
  /** Where payment pages are asked for, and statuses. */
  finpayUrl: address,
  /** Who the shop is at the biller, and with what it signs. */
  serviceId: z.string("must be text").regex(/^[0-9]{1,20}$/, "must be 1 to 20 digits"),
  userName: secret,
  password: secret,
  hmacSecret: secret,
  /** Proves that a callback is from the biller. */
  callbackSecret: secret,
  /** Proves that a notification or a status is from Finpay. */
  finpayKey: secret,
  /** Product that the biller's bills of merchants have at Finpay. */
  productCode: z.string("must be text").regex(/^[0-9A-Za-z]{6}$/, "must be six letters or digits"),
  /** How long an order may be paid, seconds; the short one can be chosen on the page, to see a bill expire. */
  dueSeconds: seconds.default(3_600),
  shortDueSeconds: seconds.default(20),
  /** Orders kept in memory. */
  ordersMax: z.int().min(1).max(100_000).default(500),
});

/** What a shop runs with. */
export type ShopSettings = z.infer<typeof schema>;

/** Checks a shop's settings. @throws ConfigFault naming every fault, never a value */
export function shopSettingsFrom(given: unknown): ShopSettings {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ConfigFault(
    "the shop's settings are wrong",
    parsed.error.issues.map(({ path, message }) => `${path.join(".") || "(all)"}: ${message}`),
  );
}
