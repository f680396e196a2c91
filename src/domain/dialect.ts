import { z } from "zod";
import { DIALECT_PRESETS, type DialectPreset } from "./dialect-presets";
import { laidOver } from "./laid-over";
import { OUTCOMES, type Outcome } from "./outcome";
import { DEFAULT_FINAL_DECLINES } from "./result-codes";

/** A result code as the partner's contract has it: two to four digits. */
const resultCode = z.string().regex(/^[0-9]{2,4}$/, "must be two to four digits");
const transactionType = z.string().regex(/^[0-9]{2}$/, "must be two digits");

const AMOUNT_FORM = z.enum(["lpz12", "bare"]);
const TIMESTAMP_FORM = z.enum(["seconds", "spaced", "milliseconds", "offset", "microseconds", "other"]);
/** What the attempt journal keeps of a field: all of it, its ends, its length, or nothing. */
const JOURNAL_RULE = z.enum(["keep", "mask", "length", "drop"]);

/** `10.0.0.0/8`, `2001:db8::/32` or one address; whether it can be used is checked where it is compiled. */
const cidr = z.string().regex(/^[0-9A-Fa-f.:]{2,45}(\/[0-9]{1,3})?$/, "must be an address or a CIDR range");

/** Request fields that a reply may carry back. traxId is not among them: it always does. */
const ECHOED = z.enum(["productCode", "terminal", "transactionType", "amount", "feeAmount", "timeStamp"]);

/** Fields of the attempt journal whose rule a partner's contract may change. */
const JOURNAL_FIELDS = {
  billNumber: JOURNAL_RULE.default("mask"),
  bit61: JOURNAL_RULE.default("length"),
  bit48: JOURNAL_RULE.default("length"),
  customerData: JOURNAL_RULE.default("drop"),
  customerId: JOURNAL_RULE.default("mask"),
  terminalName: JOURNAL_RULE.default("keep"),
  terminalLocation: JOURNAL_RULE.default("keep"),
  addInfo1: JOURNAL_RULE.default("length"),
  addInfo2: JOURNAL_RULE.default("length"),
  addInfo3: JOURNAL_RULE.default("length"),
} as const;

/**
 * How one partner speaks and what it expects: everything that may differ on a real link, as data. The defaults are the
 * published Finpay documents where those say something, and the safest reading where they contradict themselves.
 * Reading is tolerant: what differs from this and can still be understood is answered, and counted as drift.
 * Times are in milliseconds.
 */
export const dialectSchema = z.strictObject({
  signature: z
    .strictObject({
      outer: z.enum(["sha256", "md5", "sha1"]).default("sha256"),
      joiner: z.enum(["", "."]).default(""),
      /** Case of the hex digits that the partner sends; another case is understood and counted. */
      hexCase: z.enum(["lower", "upper"]).default("lower"),
      /**
       * Lengths that are accepted, in hex digits; null: the whole digest only. The published table allows 40 characters
       * where the published formula yields 64: a counterparty that cuts its digest off is then accepted.
       */
      lengths: z.array(z.int().min(32).max(64)).min(1).nullable().default(null),
    })
    .prefault({}),
  timestamp: z
    .strictObject({
      /** Forms that the partner is expected to send. */
      accepted: z.array(TIMESTAMP_FORM).min(1).default(["seconds", "spaced", "milliseconds", "offset", "microseconds"]),
      /** What becomes of a form that is not expected, or of a text that is no time: understood and counted, or refused. */
      others: z.enum(["tolerate", "refuse"]).default("tolerate"),
      /** Form of timeStampServer. */
      emitted: z.enum(["seconds", "milliseconds", "microseconds"]).default("microseconds"),
      /**
       * How far timeStamp may be from our clock, for messages whose traxId was never seen; null: no window. A late repeat
       * of what was answered before gets that answer whatever its age.
       */
      windowMs: z.int().min(1_000).max(86_400_000).nullable().default(null),
    })
    .prefault({}),
  /** Form in which amounts are expected; the other is understood and counted. */
  request: z
    .strictObject({
      amount: AMOUNT_FORM.default("lpz12"),
      feeAmount: AMOUNT_FORM.default("bare"),
      /** Name under which the terminal is expected, and sent back; the other one is understood and counted. */
      terminalField: z.enum(["terminal", "bit41"]).default("terminal"),
    })
    .prefault({}),
  reply: z
    .strictObject({
      amount: AMOUNT_FORM.default("lpz12"),
      feeAmount: AMOUNT_FORM.default("bare"),
      /** Amounts of a payment's reply: as they came, or in the forms above. */
      paymentAmounts: z.enum(["echo", "form"]).default("echo"),
      /** Fields of the request that the reply carries back. */
      echo: z.array(ECHOED).default(["productCode", "terminal", "transactionType", "amount", "feeAmount", "timeStamp"]),
      /** customerId beside customerData: as the product says, always, or never. */
      customerId: z.enum(["product", "outside", "inside"]).default("product"),
      /** bit48: as the product's template says, empty, or the four letters `null`. */
      bit48: z.enum(["template", "empty", "null"]).default("template"),
      /** `cut`: the payment reply's bit61 ends before the tail (name and npwp), as in the published sample. */
      paymentBit61: z.enum(["cut", "full"]).default("cut"),
    })
    .prefault({}),
  /** transactionType by function. Null: the partner has no such function. */
  transactionTypes: z
    .strictObject({
      inquiry: transactionType.default("38"),
      payment: transactionType.default("50"),
      reversal: transactionType.nullable().default("51"),
    })
    .prefault({})
    .refine((types) => {
      const given = Object.values(types).filter((type) => type !== null);
      return new Set(given).size === given.length;
    }, "two functions have the same transactionType"),
  /** What to do with a payment whose bit61 matches no live quote of the bill. */
  bit61Check: z.enum(["ignore", "warn", "enforce"]).default("warn"),
  /** From receipt to answer. Clients are known to wait 30 s for an inquiry and 40 s for a payment. */
  deadlineMs: z.int().min(500).max(60_000).default(8_000),
  /** The local time, hh:mm in Jakarta, from which payments belong to the next business date. */
  cutOff: z
    .string()
    .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$/, "must be hh:mm, up to 24:00")
    .default("24:00"),
  /**
   * Charge-first partners: the money is taken before we are asked, so a payment that would be declined is posted to
   * suspense instead, for operators to work on.
   */
  mustAccept: z.boolean().default(false),
  /** Addresses and ranges that messages may come from; empty: any. */
  sources: z.array(cidr).max(100).default([]),
  /** Result code by outcome; what is left out takes the preset's. Null: there is none, which the contract check refuses. */
  codes: z.partialRecord(z.enum(OUTCOMES as [Outcome, ...Outcome[]]), resultCode.nullable()).default({}),
  /** Codes that the partner takes for a final decline: none of them may stand for an outcome that is not known. */
  finalDeclines: z.array(resultCode).default([...DEFAULT_FINAL_DECLINES]),
  /** What the attempt journal keeps of each field. Signatures are never kept. */
  journal: z.strictObject(JOURNAL_FIELDS).prefault({}),
});

/** A dialect with everything filled in. */
export type Dialect = z.infer<typeof dialectSchema>;
/** Forms of time stamps, as the wire room recognises them. */
export type TimestampForm = z.infer<typeof TIMESTAMP_FORM>;

/** What reading a dialect gives: the dialect, or everything that is wrong with it, each with its path. */
export type ParsedDialect =
  { readonly ok: true; readonly dialect: Dialect } | { readonly ok: false; readonly faults: readonly string[] };

/**
 * Reads a dialect as it is stored: an object that may name a preset, and holds only what differs from it. Does not look at
 * what its parts mean together: see `faultsOfContract`.
 */
export function parseDialect(given: unknown): ParsedDialect {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return { ok: false, faults: ["a dialect must be an object"] };
  }
  const { preset = "finpay-published", ...own } = given as { preset?: unknown } & Record<string, unknown>;
  if (typeof preset !== "string" || !Object.hasOwn(DIALECT_PRESETS, preset)) {
    return { ok: false, faults: [`preset: must be one of ${Object.keys(DIALECT_PRESETS).join(", ")}`] };
  }
  const parsed = dialectSchema.safeParse(laidOver(DIALECT_PRESETS[preset as DialectPreset], own));
  if (parsed.success) return { ok: true, dialect: parsed.data };
  return {
    ok: false,
    faults: parsed.error.issues.map((issue) => `${issue.path.join(".") || "(top)"}: ${issue.message}`),
  };
}

/** JSON Schema of a dialect as it is written in a file, for editors and for people. */
export function dialectJsonSchema(): Record<string, unknown> {
  const own = z.toJSONSchema(dialectSchema, { io: "input" });
  const preset = { type: "string", enum: Object.keys(DIALECT_PRESETS), default: "finpay-published" };
  return {
    ...own,
    title: "Dialect of a partner",
    properties: { preset, ...(own.properties as Record<string, unknown>) },
  };
}
