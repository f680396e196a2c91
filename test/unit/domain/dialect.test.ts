import { dialectJsonSchema, dialectSchema, parseDialect } from "../../../src/domain";

describe("a dialect", () => {
  it("of nothing at all is the published documents, read on the safe side", () => {
    expect(parseDialect({})).toMatchObject({ ok: true });
    expect(dialectSchema.parse({})).toMatchObject({
      signature: { outer: "sha256", joiner: "", hexCase: "lower", lengths: null },
      timestamp: { others: "tolerate", emitted: "microseconds", windowMs: null },
      request: { amount: "lpz12", feeAmount: "bare", terminalField: "terminal" },
      transactionTypes: { inquiry: "38", payment: "50", reversal: "51" },
      reply: {
        ...{ amount: "lpz12", feeAmount: "bare", paymentAmounts: "echo", customerId: "product", bit48: "template" },
        paymentBit61: "cut",
      },
      mustAccept: false,
      sources: [],
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
    ["one transactionType for two functions", { transactionTypes: { payment: "38" } }],
    ["a signature shorter than 32 digits", { signature: { lengths: [16] } }],
    ["no accepted form of time", { timestamp: { accepted: [] } }],
    ["a form of time nobody knows", { timestamp: { accepted: ["ISO"] } }],
    ["a window of nothing", { timestamp: { windowMs: 0 } }],
    ["an address that is a name", { sources: ["switch.example"] }],
    ["a reply without its traxId", { reply: { echo: ["traxId"] } }],
    ["a rule nobody knows for the journal", { journal: { bit61: "hide" } }],
    ["a rule for the signature, which is never kept", { journal: { signature: "keep" } }],
    ["must-accept as text", { mustAccept: "yes" }],
    ["a code for an outcome nobody knows", { codes: { APROVED: "00" } }],
    ["a form of amounts nobody knows", { reply: { amount: "padded" } }],
  ])("with %s is refused", (_, dialect) => {
    expect(dialectSchema.safeParse(dialect).success).toBe(false);
  });

  it("starts from the preset that it names, and changes only what it says", () => {
    const parsed = parseDialect({ preset: "finpay-md5", signature: { joiner: "." } });
    expect(parsed).toMatchObject({
      ok: true,
      dialect: { signature: { outer: "md5", joiner: "." }, timestamp: { emitted: "milliseconds" } },
    });
  });

  it.each([
    ["a preset nobody knows", { preset: "nobody" }],
    ["a preset that every object carries", { preset: "constructor" }],
    ["a preset that is no text", { preset: 1 }],
    ["a list", []],
    ["nothing", null],
    ["a text", "finpay-md5"],
  ])("is refused with %s", (_, given) => {
    expect(parseDialect(given)).toMatchObject({ ok: false, faults: [expect.any(String) as string] });
  });

  it("has a JSON Schema that names every setting, the preset first", () => {
    const schema = dialectJsonSchema() as { properties: Record<string, unknown>; additionalProperties: boolean };
    expect(Object.keys(schema.properties)).toEqual(["preset", ...Object.keys(dialectSchema.shape)]);
    expect(schema.additionalProperties).toBe(false);
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
