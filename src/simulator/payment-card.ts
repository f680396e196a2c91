import { z } from "zod";
import { isCallable } from "./exchange";

const text = (max: number) =>
  z
    .string("must be text")
    .min(1, "must not be empty")
    .max(max, `must have at most ${max} characters`)
    .regex(/^[\P{C}]*$/u, "must not hold control characters");
const orderId = z
  .string("must be text")
  .regex(/^[A-Za-z0-9._-]{1,50}$/, "must be 1 to 50 letters, digits, dots, dashes and underscores");
/** Samples have text in requests and a number in answers: both are read. */
const rupiah = z.union(
  [
    z.string().regex(/^[0-9]{1,12}$/),
    z
      .int()
      .min(0)
      .max(999_999_999_999)
      .transform((whole) => BigInt(whole).toString()),
  ],
  "must be whole rupiah, one to twelve digits",
);
const WRONG_ADDRESS = "must be an http or https address of at most 500 characters, without a password in it";
const anyObject = z.looseObject({}, "must be an object");

/** The published request of a payment page. Optional objects that the simulator does not use are only checked to be objects. */
const schema = z.strictObject({
  order: z.looseObject(
    { id: orderId, amount: rupiah, description: text(500).optional() },
    "must be an object with id and amount",
  ),
  customer: z.looseObject(
    {
      email: z.email("must be an e-mail address").max(100, "must have at most 100 characters"),
      firstName: text(100),
      lastName: text(100).optional(),
      mobilePhone: z
        .string("must be text")
        .regex(/^\+?[0-9]{8,15}$/, "must be 8 to 15 digits, a plus sign before them"),
    },
    "must be an object with email, firstName and mobilePhone",
  ),
  url: z.looseObject(
    {
      callbackUrl: z.string("must be text").refine(isCallable, WRONG_ADDRESS),
      // Where the customer goes afterwards: assumed, and never a proof of payment.
      backUrl: z.string("must be text").refine(isCallable, WRONG_ADDRESS).optional(),
    },
    "must be an object with callbackUrl",
  ),
  billing: z.strictObject(
    {
      billerServiceProvider: z.strictObject(
        {
          customerId: z
            .string("must be text")
            .regex(/^[A-Za-z0-9]{1,20}$/, "must be the bill number: 1 to 20 letters and digits"),
          id: z.string("must be text").regex(/^[A-Za-z0-9]{6}$/, "must be a product code: six letters and digits"),
          subId: z
            .string("must be text")
            .regex(/^[A-Za-z0-9]{0,20}$/, "must be at most 20 letters and digits")
            .default(""),
          type: z.literal("post", 'must be "post": bills that exist before they are paid'),
        },
        "must be an object with customerId, id and type",
      ),
    },
    "must be an object with billerServiceProvider",
  ),
  meta: anyObject.optional(),
  sourceOfFunds: z.looseObject({ type: text(30) }, "must be an object with type"),
  shipping: anyObject.optional(),
  card: anyObject.optional(),
  recurring: anyObject.optional(),
  device: anyObject.optional(),
});

/** A request for a payment page, checked. */
export type PaymentCardRequest = z.infer<typeof schema>;

/** What reading one gives: the request, or every fault with its path. */
export type ParsedPaymentCard =
  | { readonly ok: true; readonly request: PaymentCardRequest }
  | { readonly ok: false; readonly faults: readonly { readonly field: string; readonly problem: string }[] };

const FAULTS_MAX = 30;

/** Checks a request for a payment page, all faults at once. Faults never repeat a value. */
export function parsePaymentCard(given: unknown): ParsedPaymentCard {
  const parsed = schema.safeParse(given);
  if (parsed.success) return { ok: true, request: parsed.data };
  const faults = parsed.error.issues.slice(0, FAULTS_MAX).map((issue) => {
    const field = issue.path.join(".") || "(body)";
    if (issue.code === "unrecognized_keys") {
      const names = issue.keys.slice(0, 5).map((name) => name.slice(0, 40));
      return { field, problem: `holds what is not in the table: ${names.join(", ")}` };
    }
    return { field, problem: isMissing(given, issue.path) ? "is missing" : issue.message };
  });
  return { ok: false, faults };
}

function isMissing(given: unknown, path: readonly PropertyKey[]): boolean {
  let at = given;
  for (const name of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return true;
    at = (at as Record<PropertyKey, unknown>)[name];
  }
  return at === undefined;
}
