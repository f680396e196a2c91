import type { Dialect } from "./dialect";
import { OUTCOME_CLASS, OUTCOMES, type Outcome } from "./outcome";

/** A code for every outcome. */
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

/** Codes that clients of the two-digit family are known to take for a final no. 68 and 96 are not among them. */
export const DEFAULT_FINAL_DECLINES = [
  "05",
  "12",
  "13",
  "14",
  "21",
  "30",
  "40",
  "80",
  "81",
  "88",
  "90",
  "92",
  "94",
] as const;

/**
 * Codes of the four-digit family. Documented are 0000, 0014, 0088, 1000 (pending) and 1100 (unknown until the next day);
 * the others are the two-digit ones with zeros before them.
 */
export const FOUR_DIGIT_RESULT_CODES: ResultCodes = {
  ...(Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, DEFAULT_RESULT_CODES[outcome].padStart(4, "0")]),
  ) as Record<Outcome, string>),
  IN_PROCESS: "1000",
  UNKNOWN: "1100",
};

/** Final declines of the four-digit family. */
export const FOUR_DIGIT_FINAL_DECLINES: readonly string[] = DEFAULT_FINAL_DECLINES.map((code) => code.padStart(4, "0"));

/** The codes of a dialect: the defaults, with the dialect's own laid over them; null where it takes one away. */
export function codesOf(dialect: Pick<Dialect, "codes">): Readonly<Record<Outcome, string | null>> {
  return { ...DEFAULT_RESULT_CODES, ...dialect.codes };
}

/** What checking the answer contract gives. */
export type CheckedContract =
  { readonly ok: true; readonly codes: ResultCodes } | { readonly ok: false; readonly faults: readonly string[] };

/**
 * The contract between outcomes and the codes that the switch reads, all faults at once: an outcome without a code, codes
 * of different lengths, a code that stands for two classes (the switch would take an unknown outcome for a decline, refund
 * the customer, and leave the bill paid), an unknown outcome under a code that is a final decline.
 */
export function checkContract(dialect: Pick<Dialect, "codes" | "finalDeclines">): CheckedContract {
  const codes = codesOf(dialect);
  const faults: string[] = OUTCOMES.filter((outcome) => codes[outcome] === null).map(
    (outcome) => `codes: ${outcome} has no code`,
  );
  const outcomesByCode = new Map<string, Outcome[]>();
  for (const outcome of OUTCOMES) {
    const code = codes[outcome];
    if (code !== null) outcomesByCode.set(code, [...(outcomesByCode.get(code) ?? []), outcome]);
  }
  for (const [code, outcomes] of outcomesByCode) {
    const classes = new Set(outcomes.map((outcome) => OUTCOME_CLASS[outcome]));
    if (classes.size > 1) {
      const listed = outcomes.map((outcome) => `${outcome} (${OUTCOME_CLASS[outcome]})`).join(", ");
      faults.push(`codes: ${code} stands for outcomes of different classes: ${listed}`);
    }
    const misleading = outcomes.filter((outcome) => OUTCOME_CLASS[outcome] !== "declined");
    if (misleading.length > 0 && dialect.finalDeclines.includes(code)) {
      faults.push(`codes: ${code} is a final decline for the partner, but stands for ${misleading.join(", ")}`);
    }
  }
  const lengths = new Set([...outcomesByCode.keys()].map((code) => code.length));
  if (lengths.size > 1)
    faults.push(`codes: have ${[...lengths].toSorted((a, b) => a - b).join(" and ")} digits; all must have as many`);
  return faults.length === 0 ? { ok: true, codes: codes as ResultCodes } : { ok: false, faults };
}
