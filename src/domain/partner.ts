import { z } from "zod";
import { OUTCOME_CLASS, OUTCOMES, type Outcome } from "./outcome";

/** A result code as the partner's contract has it: two to four digits. */
const resultCode = z.string().regex(/^[0-9]{2,4}$/, "must be two to four digits");

const FIELD_FORM = z.enum(["lpz12", "bare"]);

/**
 * How one partner speaks and what it expects: everything that may differ on a real link, as data. The defaults are the
 * published Finpay documents where those say something, and the safest reading where they contradict themselves.
 * Times are in milliseconds.
 */
export const dialectSchema = z.strictObject({
  signature: z
    .strictObject({
      outer: z.enum(["sha256", "md5", "sha1"]).default("sha256"),
      joiner: z.enum(["", "."]).default(""),
    })
    .prefault({}),
  /** transactionType by function. Null: the partner has no such function. */
  transactionTypes: z
    .strictObject({
      inquiry: z.string().length(2).default("38"),
      payment: z.string().length(2).default("50"),
      reversal: z.string().length(2).nullable().default("51"),
    })
    .prefault({}),
  reply: z
    .strictObject({
      amount: FIELD_FORM.default("lpz12"),
      feeAmount: FIELD_FORM.default("bare"),
      /** `cut`: the payment reply's bit61 ends before the tail (name and npwp), as in the published sample. */
      paymentBit61: z.enum(["cut", "full"]).default("cut"),
    })
    .prefault({}),
  /** What to do with a payment whose bit61 matches no live quote of the bill. */
  bit61Check: z.enum(["ignore", "warn", "enforce"]).default("warn"),
  /** From receipt to answer. Clients are known to wait 30 s for an inquiry and 40 s for a payment. */
  deadlineMs: z.int().min(500).max(60_000).default(8_000),
  /** The local time, hh:mm in Jakarta, from which payments belong to the next business date. */
  cutOff: z
    .string()
    .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$/, "must be hh:mm, up to 24:00")
    .default("24:00"),
  codes: z.partialRecord(z.enum(OUTCOMES as [Outcome, ...Outcome[]]), resultCode).default({}),
});

export type Dialect = z.infer<typeof dialectSchema>;
export type ResultCodes = Readonly<Record<Outcome, string>>;

/**
 * The default code map. The published material shows only 00; the rest are codes seen in public client code, and an
 * owner replaces them with those of the contract.
 */
export const DEFAULT_RESULT_CODES: ResultCodes = {
  APPROVED: "00",
  IN_PROCESS: "68",
  UNKNOWN: "68",
  BAD_AMOUNT: "13",
  BAD_FEE: "13",
  BILL_NOT_FOUND: "14",
  EXPIRED: "80",
  CANCELLED: "80",
  NO_INQUIRY: "80",
  ALREADY_PAID: "88",
  CONFLICT: "94",
  NOT_FOUND: "21",
  REVERSED: "21",
  ALREADY_REVERSED: "21",
  NOT_REVERSIBLE: "21",
  PRODUCT_NOT_ALLOWED: "92",
  FUNCTION_NOT_SUPPORTED: "40",
  BAD_FORMAT: "30",
  BAD_AUTH: "05",
  CUT_OFF: "90",
};

/** The codes of a dialect: the defaults, with the partner's own laid over them. */
export function resultCodesOf(dialect: Dialect): ResultCodes {
  return { ...DEFAULT_RESULT_CODES, ...dialect.codes };
}

/**
 * What is wrong with a code map, every fault at once: a code that stands for two classes would let the switch take an
 * unknown outcome for a decline, refund the customer, and leave the bill paid.
 */
export function faultsOfResultCodes(codes: ResultCodes): string[] {
  const classesByCode = new Map<string, Set<string>>();
  for (const outcome of OUTCOMES) {
    const classes = classesByCode.get(codes[outcome]) ?? new Set();
    classesByCode.set(codes[outcome], classes.add(OUTCOME_CLASS[outcome]));
  }
  return [...classesByCode]
    .filter(([, classes]) => classes.size > 1)
    .map(([code, classes]) => `code ${code} stands for outcomes of different classes: ${[...classes].join(", ")}`);
}

/** A counterparty that holds credentials with us; normally the switch. */
export interface Partner {
  readonly partnerId: number;
  readonly userName: string;
  readonly name: string;
  readonly productCodes: readonly string[];
  readonly dialect: Dialect;
}
