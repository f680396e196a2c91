import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import {
  canonicalJson,
  canonicalText,
  fieldSalt,
  commitmentOf,
  leafHash,
  leafOf,
  maskFields,
  merklePath,
  merkleRoot,
  parseCanonical,
  parseCheckpoint,
  parseHeader,
  parseKeyStatement,
  privateValuesOf,
  rootOfPath,
  type SealedRow,
} from "../../../src/domain";
import { workedExample } from "../../support/seal-example";

const ROW: SealedRow = {
  ...{ type: "reply", partnerId: 1, family: "payment", traxId: "T:1", fingerprintHex: "01ff", productCode: "001001" },
  ...{ billKey: "001001:0021", billNumber: "0021", amount: 30_000n, feeAmount: 5_000n, channel: "6017" },
  ...{ outcome: "APPROVED", resultCode: "00", sysCode: "1", replyBody: '{"bit61":"BUDI"}', entryId: null },
  ...{
    businessDate: "2026-01-02",
    receivedAt: "2026-01-02T03:04:05.000000Z",
    recordedAt: "2026-01-02T03:04:05.000001Z",
  },
};
const SALT = { kind: "salt", salt: Buffer.alloc(32, 9) } as const;

describe("the canonical form", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9]{1,12}$/);
  const value = fc.option(fc.string({ unit: "grapheme", maxLength: 40 }), { nil: null });

  it("reads back what it wrote, whatever the values hold", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (fields) => {
        expect(parseCanonical(canonicalText("title/1", fields))).toEqual({ title: "title/1", fields });
      }),
    );
  });

  it("gives two different records two different texts", () => {
    const fields = fc.array(fc.tuple(name, value), { maxLength: 4 });
    fc.assert(
      fc.property(fields, fields, (a, b) => {
        const isSame = JSON.stringify(a) === JSON.stringify(b);
        expect(canonicalText("t", a) === canonicalText("t", b)).toBe(isSame);
      }),
    );
  });

  it.each([
    "",
    "\n",
    "t",
    "t\na",
    "t\na 1",
    "t\na 2 b\n",
    "t\na 01 b\n",
    "t\na 1 b",
    "t\na -",
    "t\na - \n",
    "t\na 1 bb\n",
    "t\n\na -\n",
    "t\na 9999999999 b\n",
    "t\na 1 é\n",
  ])("is not %j", (text) => {
    expect(parseCanonical(text)).toBeNull();
  });

  it("of headers, checkpoints and keys is refused when anything is left out, added or moved", () => {
    const { header = "", checkpoint = "", statement = "" } = workedExample();
    for (const [text, parse] of [
      [header, parseHeader],
      [checkpoint, parseCheckpoint],
      [statement, parseKeyStatement],
    ] as const) {
      expect(parse(text)).not.toBeNull();
      const lines = text.split("\n").slice(0, -1);
      for (const at of lines.keys()) {
        expect(parse(`${lines.filter((_, each) => each !== at).join("\n")}\n`)).toBeNull();
        expect(parse(`${lines.toSpliced(at, 0, "more 1 x").join("\n")}\n`)).toBeNull();
      }
      expect(parse(lines.toReversed().join("\n"))).toBeNull();
      for (const other of [header, checkpoint, statement].filter((each) => each !== text))
        expect(parse(other)).toBeNull();
    }
  });

  it("of JSON does not depend on the order of keys", () => {
    expect(canonicalJson({ b: [2, { d: 1n, c: null }], a: "x" })).toBe('{"a":"x","b":[2,{"c":null,"d":"1"}]}');
  });
});

describe("the tree", () => {
  it("leads from every leaf of every size to its root, and from no other place", () => {
    for (let size = 1; size <= 33; size += 1) {
      const hashes = Array.from({ length: size }, (_, at) => leafHash(`leaf ${at}`));
      const root = merkleRoot(hashes);
      for (const [at, hash] of hashes.entries()) {
        const path = merklePath(hashes, at);
        expect(rootOfPath(hash, at, size, path)).toEqual(root);
        expect(rootOfPath(hash, at, size, [...path, hash])).toBeNull();
        const shorter = path.length === 0 ? null : rootOfPath(hash, at, size, path.slice(1));
        expect(shorter).toBeNull();
        const elsewhere = size === 1 ? null : rootOfPath(hash, (at + 1) % size, size, path);
        expect(elsewhere?.equals(root) ?? false).toBe(false);
      }
      expect(() => merklePath(hashes, size)).toThrow(RangeError);
    }
    expect(() => merkleRoot([])).toThrow(RangeError);
  });

  it("is that of RFC 6962", () => {
    // The roots of the test vectors of Certificate Transparency, over leaves "", 00, 10, 2021, 3031, 40414243.
    const leaves = ["", "\u0000", "\u0010", " !", "01", "@ABC"].map(leafHash);
    const roots = leaves.map((_, at) => merkleRoot(leaves.slice(0, at + 1)).toString("hex"));
    expect(roots).toEqual([
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    ]);
  });
});

describe("personal fields", () => {
  it("are not in the leaf, and are tied to it by salts that tell nothing of each other", () => {
    const { text, disclosed } = leafOf(ROW, SALT);
    expect(text).not.toMatch(/BUDI|0021/);
    expect(Object.keys(disclosed)).toEqual(["bill", "reply"]);
    expect(disclosed["reply"]?.salt).not.toBe(disclosed["bill"]?.salt);
    expect(disclosed["reply"]?.salt).toBe(fieldSalt(SALT.salt, "reply").toString("hex"));
    for (const { salt, value } of Object.values(disclosed)) {
      expect(text).toContain(commitmentOf(Buffer.from(salt, "hex"), value));
    }
  });

  it("may be masked one by one, and the leaf stays what it was", () => {
    const { text } = leafOf(ROW, SALT);
    const once = maskFields(privateValuesOf(ROW), SALT, ["reply"]);
    const blank = { ...ROW, replyBody: "" } as SealedRow;
    const after = leafOf(blank, { kind: "masked", kept: once });
    expect(after.text).toBe(text);
    expect(Object.keys(after.disclosed)).toEqual(["bill"]);
    expect(JSON.stringify(once)).not.toContain(SALT.salt.toString("hex"));
    const twice = maskFields(privateValuesOf(blank), { kind: "masked", kept: once }, ["bill"]);
    expect(leafOf({ ...blank, billKey: "", billNumber: "" } as SealedRow, { kind: "masked", kept: twice }).text).toBe(
      text,
    );
    expect(leafOf({ ...blank, billNumber: "0022" } as SealedRow, { kind: "masked", kept: once }).text).not.toBe(text);
    expect(() => maskFields(privateValuesOf(ROW), SALT, ["amount"])).toThrow(/no such personal field/);
  });
});

it("docs/AUDIT.md shows the worked example byte for byte", () => {
  const page = readFileSync(join(__dirname, "..", "..", "..", "docs", "AUDIT.md"), "utf8");
  for (const [name, text] of Object.entries(workedExample())) {
    expect({ name, isThere: page.includes(text.trimEnd()) }).toEqual({ name, isThere: true });
  }
});
