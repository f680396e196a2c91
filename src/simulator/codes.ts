/** What a reply means to the switch: money moved, it did not and will not, or nothing may be concluded. */
export type ReplyClass = "ok" | "declined" | "unknown";

/** Names of the outcomes that docs/PROTOCOL.md lists, written out here: the simulator shares no table with the host. */
export const OUTCOME_CLASSES = {
  APPROVED: "ok",
  IN_PROCESS: "unknown",
  UNKNOWN: "unknown",
  BAD_AUTH: "declined",
  BAD_AMOUNT: "declined",
  BAD_FEE: "declined",
  BILL_NOT_FOUND: "declined",
  NOT_FOUND: "declined",
  REVERSED: "declined",
  ALREADY_REVERSED: "declined",
  NOT_REVERSIBLE: "declined",
  BAD_FORMAT: "declined",
  FUNCTION_NOT_SUPPORTED: "declined",
  EXPIRED: "declined",
  CANCELLED: "declined",
  NO_INQUIRY: "declined",
  ALREADY_PAID: "declined",
  CUT_OFF: "declined",
  PRODUCT_NOT_ALLOWED: "declined",
  CONFLICT: "declined",
} as const satisfies Record<string, ReplyClass>;

/** Name of an outcome. */
export type OutcomeName = keyof typeof OUTCOME_CLASSES;

/** Result code by outcome: two to four digits. */
export type ResultCodes = Readonly<Record<OutcomeName, string>>;

/** The default map of docs/PROTOCOL.md. Only `00` is published; a contract's own map is handed in as a file. */
export const DEFAULT_CODES: ResultCodes = {
  APPROVED: "00",
  IN_PROCESS: "68",
  UNKNOWN: "68",
  BAD_AUTH: "05",
  BAD_AMOUNT: "13",
  BAD_FEE: "13",
  BILL_NOT_FOUND: "14",
  NOT_FOUND: "21",
  REVERSED: "21",
  ALREADY_REVERSED: "21",
  NOT_REVERSIBLE: "21",
  BAD_FORMAT: "30",
  FUNCTION_NOT_SUPPORTED: "40",
  EXPIRED: "80",
  CANCELLED: "80",
  NO_INQUIRY: "80",
  ALREADY_PAID: "88",
  CUT_OFF: "90",
  PRODUCT_NOT_ALLOWED: "92",
  CONFLICT: "94",
};

const NAMES = Object.keys(OUTCOME_CLASSES) as OutcomeName[];

/** Whether a text names an outcome. */
export function isOutcomeName(text: string): text is OutcomeName {
  return Object.hasOwn(OUTCOME_CLASSES, text);
}

/** The class of a code; null when the map has no such code, and then nothing may be concluded from it. */
export function classOfCode(codes: ResultCodes, code: unknown): ReplyClass | null {
  const name = NAMES.find((each) => codes[each] === code);
  return name === undefined ? null : OUTCOME_CLASSES[name];
}

/** Lays a contract's codes over the default map. All problems at once; empty `faults` means that `codes` can be used. */
export function codesFrom(given: unknown): { readonly codes: ResultCodes; readonly faults: readonly string[] } {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return { codes: DEFAULT_CODES, faults: ["must be an object of outcome and code"] };
  }
  const faults = Object.entries(given).flatMap(([name, code]) => {
    if (!isOutcomeName(name)) return [`${name}: no such outcome; known: ${NAMES.join(", ")}`];
    return typeof code === "string" && /^[0-9]{2,4}$/.test(code) ? [] : [`${name}: must be two to four digits`];
  });
  return { codes: { ...DEFAULT_CODES, ...(given as Partial<ResultCodes>) }, faults };
}
