/**
 * Our own names for results, apart from any partner's codes. The class says what the switch may conclude:
 * `ok` it happened, `declined` it did not and never will under this traxId, `unknown` nothing may be concluded.
 */
export const OUTCOME_CLASS = {
  APPROVED: "ok",
  IN_PROCESS: "unknown",
  UNKNOWN: "unknown",
  CONFLICT: "declined",
  ALREADY_PAID: "declined",
  BILL_NOT_FOUND: "declined",
  EXPIRED: "declined",
  CANCELLED: "declined",
  BAD_AMOUNT: "declined",
  BAD_FEE: "declined",
  NO_INQUIRY: "declined",
  NOT_FOUND: "declined",
  REVERSED: "declined",
  ALREADY_REVERSED: "declined",
  NOT_REVERSIBLE: "declined",
  PRODUCT_NOT_ALLOWED: "declined",
  FUNCTION_NOT_SUPPORTED: "declined",
  BAD_AUTH: "declined",
  BAD_FORMAT: "declined",
  CUT_OFF: "declined",
} as const satisfies Record<string, "ok" | "declined" | "unknown">;

export type Outcome = keyof typeof OUTCOME_CLASS;
export type OutcomeClass = (typeof OUTCOME_CLASS)[Outcome];

/** Every outcome, in the order of the table above. */
export const OUTCOMES = Object.keys(OUTCOME_CLASS) as readonly Outcome[];
