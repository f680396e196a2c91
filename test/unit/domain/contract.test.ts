import {
  checkContract,
  codesOf,
  DEFAULT_RESULT_CODES,
  DIALECT_PRESETS,
  OUTCOME_CLASS,
  OUTCOMES,
  type Outcome,
  parseDialect,
} from "../../../src/domain";

/** Faults of a dialect that is well-formed. */
function contractFaults(given: unknown): readonly string[] {
  const parsed = parseDialect(given);
  if (!parsed.ok) throw new Error(parsed.faults.join());
  const checked = checkContract(parsed.dialect);
  return checked.ok ? [] : checked.faults;
}

function codesWith(given: unknown): Readonly<Record<string, string | null>> {
  const parsed = parseDialect(given);
  if (!parsed.ok) throw new Error(parsed.faults.join());
  return codesOf(parsed.dialect);
}

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
    expect(codesWith({})).toEqual(turned(DEFAULTS));
    expect(contractFaults({})).toEqual([]);
  });

  it.each(Object.keys(DIALECT_PRESETS))("of the preset %s keep the contract", (preset) => {
    expect(contractFaults({ preset })).toEqual([]);
  });

  it("of the four-digit family are four digits long, with codes of their own for what is not known", () => {
    const codes = codesWith({ preset: "four-digit" });
    expect(Object.values(codes).filter((code) => code?.length !== 4)).toEqual([]);
    expect(codes).toMatchObject({ APPROVED: "0000", BILL_NOT_FOUND: "0014", ALREADY_PAID: "0088", UNKNOWN: "1100" });
  });

  it("of a partner lie over the defaults, one by one", () => {
    const codes = codesWith({ codes: { ALREADY_PAID: "89", CONFLICT: "95" } });
    expect(codes).toEqual({ ...DEFAULT_RESULT_CODES, ALREADY_PAID: "89", CONFLICT: "95" });
  });

  it.each<[string, Partial<Record<Outcome, string>>, string[]]>([
    ["an unknown outcome as a decline", { UNKNOWN: "14" }, ["14", "14"]],
    ["a decline as unknown", { BAD_AUTH: "68" }, ["68"]],
    ["a decline as success", { CONFLICT: "00" }, ["00"]],
    ["success as a decline", { APPROVED: "88" }, ["88", "88"]],
    ["success as unknown", { APPROVED: "68" }, ["68"]],
    ["an unknown outcome under a code that clients take for a final no", { IN_PROCESS: "12", UNKNOWN: "12" }, ["12"]],
  ])("that show %s are named", (_, codes, expected) => {
    const faults = contractFaults({ codes });
    expect(faults).toHaveLength(expected.length);
    for (const code of expected) expect(faults.join("\n")).toContain(`codes: ${code} `);
  });

  it("are refused with all their faults at once: holes, mixed lengths, two classes, misleading declines", () => {
    const faults = contractFaults({
      codes: { CUT_OFF: null, REVERSED: null, BAD_AMOUNT: "0013", IN_PROCESS: "80", BILL_NOT_FOUND: "00" },
    });
    expect(faults).toEqual([
      "codes: REVERSED has no code",
      "codes: CUT_OFF has no code",
      "codes: 00 stands for outcomes of different classes: APPROVED (ok), BILL_NOT_FOUND (declined)",
      expect.stringMatching(/^codes: 80 stands for outcomes of different classes: IN_PROCESS \(unknown\), EXPIRED/),
      "codes: 80 is a final decline for the partner, but stands for IN_PROCESS",
      "codes: have 2 and 4 digits; all must have as many",
    ]);
  });

  it("may share a code within a class", () => {
    const codes = Object.fromEntries(
      OUTCOMES.map((outcome) => [outcome, OUTCOME_CLASS[outcome].length.toString().padStart(2, "0")]),
    );
    expect(contractFaults({ codes, finalDeclines: [] })).toEqual([]);
  });
});
