import {
  DEFAULT_RESULT_CODES,
  dialectSchema,
  faultsOfResultCodes,
  OUTCOME_CLASS,
  OUTCOMES,
  type Outcome,
  resultCodesOf,
} from "../../../src/domain";

/** The published page's table, written out again. */
const CLASSES: Record<string, readonly Outcome[]> = {
  ok: ["APPROVED"],
  unknown: ["IN_PROCESS", "UNKNOWN"],
  declined: [
    "CONFLICT",
    "ALREADY_PAID",
    "BILL_NOT_FOUND",
    "EXPIRED",
    "CANCELLED",
    "BAD_AMOUNT",
    "BAD_FEE",
    "NO_INQUIRY",
    "NOT_FOUND",
    "REVERSED",
    "ALREADY_REVERSED",
    "NOT_REVERSIBLE",
    "PRODUCT_NOT_ALLOWED",
    "FUNCTION_NOT_SUPPORTED",
    "BAD_AUTH",
    "BAD_FORMAT",
    "CUT_OFF",
  ],
};
const DEFAULTS: Record<string, readonly Outcome[]> = {
  "00": ["APPROVED"],
  "68": ["IN_PROCESS", "UNKNOWN"],
  "13": ["BAD_AMOUNT", "BAD_FEE"],
  "14": ["BILL_NOT_FOUND"],
  "80": ["EXPIRED", "CANCELLED", "NO_INQUIRY"],
  "88": ["ALREADY_PAID"],
  "94": ["CONFLICT"],
  "21": ["NOT_FOUND", "REVERSED", "ALREADY_REVERSED", "NOT_REVERSIBLE"],
  "92": ["PRODUCT_NOT_ALLOWED"],
  "40": ["FUNCTION_NOT_SUPPORTED"],
  "30": ["BAD_FORMAT"],
  "05": ["BAD_AUTH"],
  "90": ["CUT_OFF"],
};

const turned = (table: Record<string, readonly Outcome[]>): Record<string, string> =>
  Object.fromEntries(Object.entries(table).flatMap(([key, outcomes]) => outcomes.map((outcome) => [outcome, key])));

describe("outcomes", () => {
  it("have the class that says what the switch may conclude", () => {
    expect(OUTCOME_CLASS).toEqual(turned(CLASSES));
    expect([...OUTCOMES].toSorted()).toEqual(Object.keys(turned(CLASSES)).toSorted());
  });
});

describe("result codes", () => {
  it("are by default those seen in client code, without a fault", () => {
    expect(DEFAULT_RESULT_CODES).toEqual(turned(DEFAULTS));
    expect(resultCodesOf(dialectSchema.parse({}))).toEqual(turned(DEFAULTS));
    expect(faultsOfResultCodes(DEFAULT_RESULT_CODES)).toEqual([]);
  });

  it("of a partner lie over the defaults, one by one", () => {
    const codes = resultCodesOf(dialectSchema.parse({ codes: { ALREADY_PAID: "89", CONFLICT: "9999" } }));
    expect(codes).toEqual({ ...DEFAULT_RESULT_CODES, ALREADY_PAID: "89", CONFLICT: "9999" });
  });

  it.each<[string, Partial<Record<Outcome, string>>, string[]]>([
    ["an unknown outcome as a decline", { UNKNOWN: "14" }, ["14"]],
    ["a decline as unknown", { BAD_AUTH: "68" }, ["68"]],
    ["a decline as success", { CONFLICT: "00" }, ["00"]],
    ["success as a decline", { APPROVED: "88" }, ["88"]],
    ["success as unknown", { APPROVED: "68" }, ["68"]],
    ["two codes that are mixed up", { IN_PROCESS: "80", BILL_NOT_FOUND: "00" }, ["00", "80"]],
  ])("that show %s are named", (_, changes, codes) => {
    const faults = faultsOfResultCodes({ ...DEFAULT_RESULT_CODES, ...changes });
    expect(faults).toHaveLength(codes.length);
    for (const code of codes) expect(faults.join("\n")).toContain(`code ${code} `);
  });

  it("may share a code within a class", () => {
    const all = Object.fromEntries(
      OUTCOMES.map((outcome) => [outcome, OUTCOME_CLASS[outcome].length.toString().padStart(2, "0")]),
    );
    expect(faultsOfResultCodes(all as Record<Outcome, string>)).toEqual([]);
  });
});

describe("a dialect", () => {
  it("of nothing at all is the published documents, read on the safe side", () => {
    expect(dialectSchema.parse({})).toEqual({
      signature: { outer: "sha256", joiner: "" },
      transactionTypes: { inquiry: "38", payment: "50", reversal: "51" },
      reply: { amount: "lpz12", feeAmount: "bare", paymentBit61: "cut" },
      bit61Check: "warn",
      deadlineMs: 8_000,
      cutOff: "24:00",
      codes: {},
    });
  });

  it("may have no reversal, and any cut-off of the day", () => {
    expect(dialectSchema.parse({ transactionTypes: { reversal: null } }).transactionTypes.reversal).toBeNull();
    for (const cutOff of ["00:00", "09:59", "19:00", "23:59", "24:00"]) {
      expect(dialectSchema.parse({ cutOff }).cutOff).toBe(cutOff);
    }
  });

  it.each<[string, unknown]>([
    ["nothing", null],
    ["a list", []],
    ["a setting nobody knows", { bit61Chek: "enforce" }],
    ["a signature scheme nobody knows", { signature: { outer: "sha512" } }],
    ["an inner setting nobody knows", { signature: { inner: "md5" } }],
    ["a transactionType of one digit", { transactionTypes: { payment: "5" } }],
    ["a transactionType of three", { transactionTypes: { inquiry: "380" } }],
    ["no transactionType for payments", { transactionTypes: { payment: null } }],
    ["a check nobody knows", { bit61Check: "maybe" }],
    ["no time at all", { deadlineMs: 0 }],
    ["less than half a second", { deadlineMs: 499 }],
    ["more than a minute", { deadlineMs: 60_001 }],
    ["a fraction of a millisecond", { deadlineMs: 8_000.5 }],
    ["endless time", { deadlineMs: Number.POSITIVE_INFINITY }],
    ["time as text", { deadlineMs: "8000" }],
    ["a cut-off past midnight", { cutOff: "24:01" }],
    ["a cut-off of 25 hours", { cutOff: "25:00" }],
    ["a cut-off with 60 minutes", { cutOff: "23:60" }],
    ["a cut-off of one digit", { cutOff: "9:00" }],
    ["a cut-off with something behind", { cutOff: "23:00\n" }],
    ["a cut-off with something before", { cutOff: "x24:00" }],
    ["a result code of one digit", { codes: { APPROVED: "0" } }],
    ["a result code of five digits", { codes: { APPROVED: "00000" } }],
    ["a result code with a letter", { codes: { APPROVED: "O0" } }],
    ["a result code that is a number", { codes: { APPROVED: 0 } }],
    ["an empty result code", { codes: { APPROVED: "" } }],
    ["a result code taken away", { codes: { UNKNOWN: null } }],
    ["a code for an outcome nobody knows", { codes: { APROVED: "00" } }],
    ["a form of amounts nobody knows", { reply: { amount: "padded" } }],
  ])("with %s is refused", (_, dialect) => {
    expect(dialectSchema.safeParse(dialect).success).toBe(false);
  });

  it("with several faults has all of them named", () => {
    const { error } = dialectSchema.safeParse({
      deadlineMs: 1,
      cutOff: "x",
      bit61Check: "y",
      codes: { APPROVED: "z" },
    });
    const places = error?.issues.map((issue) => issue.path.join("."));
    expect(places?.toSorted()).toEqual(["bit61Check", "codes.APPROVED", "cutOff", "deadlineMs"]);
  });
});
