import { createHash } from "node:crypto";
import {
  buildSignature,
  identifyScheme,
  SIGNATURE_SCHEMES,
  type SignatureScheme,
  type SignedFields,
  verifySignature,
} from "../../../src/wire";

const FIELDS: SignedFields = {
  userName: "bank",
  productCode: "001001",
  channel: "6017",
  terminal: "T0800004",
  transactionType: "50",
  billNumber: "0021008457003",
  traxId: "64569131293",
  timeStamp: "20-03-2023 10: 40: 40",
};
const PASSWORD = "s3cret";
const SHA256: SignatureScheme = { outer: "sha256", joiner: "" };

/** The published formula over literal texts; `head` is all fields before the inner hash, written out by hand. */
function byHand(outer: string, head: string, timeStampAndPassword: string): string {
  const inner = createHash("sha256").update(timeStampAndPassword, "utf8").digest("hex");
  return createHash(outer).update(`${head}${inner}`, "utf8").digest("hex");
}

/** The same bytes to whoever keeps only the low eight bits of each character: U+0130 is a zero, U+0161 an a. */
function disguised(text: string): string {
  return Array.from(text, (digit) => String.fromCharCode(0x100 + digit.charCodeAt(0))).join("");
}

const JOINED = "bank0010016017T080000450002100845700364569131293";
const DOTTED = "bank.001001.6017.T0800004.50.0021008457003.64569131293.";
const INNER = "20-03-2023 10: 40: 40s3cret";
const EXPECTED: readonly (readonly [SignatureScheme, string])[] = [
  [{ outer: "sha256", joiner: "" }, byHand("sha256", JOINED, INNER)],
  [{ outer: "sha256", joiner: "." }, byHand("sha256", DOTTED, INNER)],
  [{ outer: "md5", joiner: "" }, byHand("md5", JOINED, INNER)],
  [{ outer: "md5", joiner: "." }, byHand("md5", DOTTED, INNER)],
  [{ outer: "sha1", joiner: "" }, byHand("sha1", JOINED, INNER)],
  [{ outer: "sha1", joiner: "." }, byHand("sha1", DOTTED, INNER)],
];
const GOOD = byHand("sha256", JOINED, INNER);

describe("a signature", () => {
  it.each(EXPECTED)("under %j is the published formula", (scheme, expected) => {
    expect(buildSignature(FIELDS, PASSWORD, scheme)).toBe(expected);
    expect(verifySignature(FIELDS, expected, PASSWORD, scheme)).toBe(true);
    expect(identifyScheme(FIELDS, expected, PASSWORD)).toEqual(scheme);
  });

  it("has six schemes to be made by, plain SHA-256 the likeliest", () => {
    expect(SIGNATURE_SCHEMES).toEqual(EXPECTED.map(([scheme]) => scheme));
  });

  it("has as many digits as its hash: 64, 32 or 40", () => {
    const lengths = (["sha256", "md5", "sha1"] as const).map(
      (outer) => buildSignature(FIELDS, PASSWORD, { outer, joiner: "" }).length,
    );
    expect(lengths).toEqual([64, 32, 40]);
  });

  it.each(EXPECTED)("made under %j fits under no other scheme", (own, signature) => {
    const fitting = SIGNATURE_SCHEMES.filter((scheme) => verifySignature(FIELDS, signature, PASSWORD, scheme));
    expect(fitting).toEqual([own]);
  });

  it("hashes fields as received, blanks and zeros included", () => {
    const padded = { ...FIELDS, terminal: "T1      ", billNumber: "0000000000001" };
    const expected = byHand("sha256", "bank0010016017T1      50000000000000164569131293", INNER);
    expect(buildSignature(padded, PASSWORD, SHA256)).toBe(expected);
  });

  it("hashes a password beyond ASCII as UTF-8", () => {
    expect(buildSignature(FIELDS, "pässwörd€", SHA256)).toBe(
      byHand("sha256", JOINED, "20-03-2023 10: 40: 40p\u00e4ssw\u00f6rd\u20ac"),
    );
  });
});

describe("what a signature covers", () => {
  it.each<[keyof SignedFields, string]>([
    ["userName", "bank2"],
    ["productCode", "001002"],
    ["channel", "6018"],
    ["terminal", "T0800005"],
    ["transactionType", "51"],
    ["billNumber", "0021008457004"],
    ["traxId", "64569131294"],
    ["timeStamp", "20-03-2023 10:40:40"],
  ])("%s: another value does not fit, under any scheme", (field, value) => {
    const changed = { ...FIELDS, [field]: value };
    expect(EXPECTED.filter(([scheme, signature]) => verifySignature(changed, signature, PASSWORD, scheme))).toEqual([]);
  });

  it("the password: another one, or its case, does not fit", () => {
    for (const password of ["S3cret", "s3cret ", ""]) {
      expect(verifySignature(FIELDS, GOOD, password, SHA256)).toBe(false);
      expect(identifyScheme(FIELDS, GOOD, password)).toBeNull();
    }
  });

  it.each([
    "amountText",
    "feeAmountText",
    "bit61",
    "terminalName",
    "terminalLocation",
    "addInfo1",
    "addInfo2",
    "addInfo3",
  ])("not %s, which anybody can change", (field) => {
    expect(verifySignature({ ...FIELDS, [field]: "changed" }, GOOD, PASSWORD, SHA256)).toBe(true);
  });

  it("not where billNumber ends and traxId begins, unless fields are joined by dots", () => {
    const shifted = { ...FIELDS, billNumber: "00210084570036", traxId: "4569131293" };
    expect(verifySignature(shifted, GOOD, PASSWORD, SHA256)).toBe(true);
    const dotted: SignatureScheme = { outer: "sha256", joiner: "." };
    expect(verifySignature(shifted, byHand("sha256", DOTTED, INNER), PASSWORD, dotted)).toBe(false);
  });
});

describe("a received signature", () => {
  it("fits whatever the case of its digits", () => {
    expect(verifySignature(FIELDS, GOOD.toUpperCase(), PASSWORD, SHA256)).toBe(true);
    expect(verifySignature(FIELDS, GOOD.slice(0, 32).toUpperCase() + GOOD.slice(32), PASSWORD, SHA256)).toBe(true);
  });

  it.each<[string, string]>([
    ["empty", ""],
    ["one digit short", GOOD.slice(1)],
    ["one digit long", `${GOOD}0`],
    ["twice the right one", GOOD + GOOD],
    ["the right one and a line end", `${GOOD}\n`],
    ["the right one after a blank", ` ${GOOD}`],
    ["the right one but for its first digit", (GOOD.startsWith("0") ? "1" : "0") + GOOD.slice(1)],
    ["the right one but for its last digit", GOOD.slice(0, -1) + (GOOD.endsWith("0") ? "1" : "0")],
    ["of letters that are no digits", "z".repeat(64)],
    ["blank", " ".repeat(64)],
    ["of zeros", "0".repeat(64)],
    ["in full-width digits", "０".repeat(64)],
    ["the right one in characters whose low bytes are its digits", disguised(GOOD)],
    ["the right one with one such character", disguised(GOOD.slice(0, 1)) + GOOD.slice(1)],
    ["in base64", Buffer.from(GOOD, "hex").toString("base64")],
    ["a million characters", "a".repeat(1_000_000)],
  ])("is refused when it is %s", (_, received) => {
    expect(verifySignature(FIELDS, received, PASSWORD, SHA256)).toBe(false);
    expect(identifyScheme(FIELDS, received, PASSWORD)).toBeNull();
  });
});
