import { adira020013, compileLayout, type CompiledLayout, describeBit61, telkom001001 } from "../../../src/wire";
import adira from "../../vectors/adira-020013-inquiry.json";
import telkom from "../../vectors/telkom-001001-payment.json";

const telkomRecord = compileLayout(telkom001001.bit61);
const FULL = telkom.paymentRequest.bit61;
const BODY = telkom.paymentResponse.bit61;
const ENDS = "the record ends before or inside this column";

function faultsOf(text: string, record: CompiledLayout = telkomRecord): readonly string[] {
  return describeBit61(record, text).faults;
}

/** name@offset+width=value of every row, `!` for what cannot be read. */
function outlineOf(text: string, record: CompiledLayout = telkomRecord): string[] {
  return describeBit61(record, text).rows.map(
    ({ name, offset, width, value }) => `${name}@${offset}+${width}${value === null ? "!" : `=${value}`}`,
  );
}

const HEAD = ["customerId@0+13=0021008457003", "kodeDivre@13+2=02", "kodeDatel@15+4=0001", "jumlahBill@19+1=3"];
const BILLS = [
  "items[0].nomorReferensi@20+11=304A",
  "items[0].nilaiTagihan@31+12=10000",
  "items[1].nomorReferensi@43+11=305A",
  "items[1].nilaiTagihan@54+12=10000",
  "items[2].nomorReferensi@66+11=306A",
  "items[2].nilaiTagihan@77+12=10000",
];
const TAIL = ["customerName@89+30=IDHAM DHIYAULHAQ HABIBI", "npwp@119+15=8825220158"];

describe("describing a record that is right", () => {
  it("finds no fault in the published samples", () => {
    expect(faultsOf(FULL)).toEqual([]);
    expect(faultsOf(BODY)).toEqual([]);
    expect(faultsOf(adira.inquiryResponse.bit61, compileLayout(adira020013.bit61))).toEqual([]);
  });

  it("lists every column with its place and meaning", () => {
    expect(outlineOf(FULL)).toEqual([...HEAD, ...BILLS, ...TAIL]);
    expect(outlineOf(BODY)).toEqual([...HEAD, ...BILLS]);
  });

  it("shows the characters themselves, in which nothing is lost", () => {
    const { rows } = describeBit61(telkomRecord, FULL);
    expect(rows.map((row) => row.raw).join("")).toBe(FULL);
    expect(rows[5]).toEqual({
      offset: 31,
      width: 12,
      name: "items[0].nilaiTagihan",
      kind: "rupiah",
      raw: "       10000",
      value: "10000",
      problem: null,
    });
  });

  it("repeats the layout's notes", () => {
    expect(describeBit61(telkomRecord, FULL).rows[0]).toMatchObject({ note: "area code 4, telephone number 9" });
  });

  it("numbers members of a reversed group as they are listed, not as they stand", () => {
    const record = compileLayout({
      name: "r",
      source: "test",
      fields: [
        { kind: "digits", name: "n", width: 1 },
        {
          kind: "group",
          name: "g",
          count: "n",
          max: 3,
          order: "reversed",
          fields: [{ kind: "text", name: "v", width: 1 }],
        },
        { kind: "filler", width: 1, char: "." },
      ],
    });
    expect(outlineOf("2ab.", record)).toEqual(["n@0+1=2", "g[1].v@1+1=a", "g[0].v@2+1=b", "(filler)@3+1="]);
    expect(record.decode("2ab.")).toMatchObject({ values: { g: [{ v: "b" }, { v: "a" }] } });
  });
});

describe("describing a record of the wrong length", () => {
  it("names every column of an empty one", () => {
    const { rows, faults } = describeBit61(telkomRecord, "");
    expect(rows.map(({ name, raw, problem }) => [name, raw, problem])).toEqual(
      ["customerId", "kodeDivre", "kodeDatel", "jumlahBill"].map((name) => [name, "", ENDS]),
    );
    expect(faults).toEqual([
      `customerId, offset 0: ${ENDS}`,
      `kodeDivre, offset 13: ${ENDS}`,
      `kodeDatel, offset 15: ${ENDS}`,
      `jumlahBill, offset 19: ${ENDS}`,
    ]);
  });

  it("reads a short one as far as it goes", () => {
    const text = BODY.slice(0, 60);
    expect(outlineOf(text)).toEqual([
      ...HEAD,
      ...BILLS.slice(0, 3),
      "items[1].nilaiTagihan@54+12!",
      "items[2].nomorReferensi@66+11!",
      "items[2].nilaiTagihan@77+12!",
    ]);
    expect(faultsOf(text)).toEqual([
      "the record has 60 characters, expected 89 or 134",
      `items[1].nilaiTagihan, offset 54: ${ENDS}`,
      `items[2].nomorReferensi, offset 66: ${ENDS}`,
      `items[2].nilaiTagihan, offset 77: ${ENDS}`,
    ]);
  });

  it("shows where a tail breaks off", () => {
    expect(outlineOf(FULL.slice(0, -1))).toEqual([...HEAD, ...BILLS, TAIL[0], "npwp@119+15!"]);
    expect(faultsOf(FULL.slice(0, -1))).toEqual([
      "the record has 133 characters, expected 89 or 134",
      `npwp, offset 119: ${ENDS}`,
    ]);
  });

  it("shows what stands beyond a long one", () => {
    const { rows } = describeBit61(telkomRecord, `${FULL}xyz`);
    expect(rows.at(-1)).toEqual({
      offset: 134,
      width: 3,
      name: "(beyond)",
      kind: "beyond",
      raw: "xyz",
      value: null,
      problem: "characters beyond the layout",
    });
    expect(faultsOf(`${FULL}xyz`)).toEqual([
      "the record has 137 characters, expected 89 or 134",
      "(beyond), offset 134: characters beyond the layout",
    ]);
  });
});

describe("describing a damaged record", () => {
  it.each<[string, string, string[]]>([
    ["a letter in the number", FULL.replace("0021", "O021"), ["customerId, offset 0: must be digits only"]],
    [
      "a letter in an amount",
      FULL.replace("10000", "1000O"),
      ["items[0].nilaiTagihan, offset 31: must be padding and then digits"],
    ],
    [
      "an accent in the name",
      FULL.replace("IDHAM", "IDHÀM"),
      ["customerName, offset 89: holds a character that is not printable ASCII"],
    ],
    [
      "faults in several columns",
      FULL.replace("02", "??").replace("8825220158", "8825é20158"),
      ["customerId, offset 0: must be digits only", "npwp, offset 119: holds a character that is not printable ASCII"],
    ],
  ])("reports %s and nothing else", (_, text, faults) => {
    expect(text).toHaveLength(134);
    expect(faultsOf(text)).toEqual(faults);
  });

  it("reports a number of members that its layout does not have", () => {
    const none = `${FULL.slice(0, 19)}0${FULL.slice(89)}`;
    expect(faultsOf(none)).toEqual(["items, offset 20: must have 1 to 9 members"]);
    expect(faultsOf(`${FULL.slice(0, 19)}0${FULL.slice(20)}`)).toEqual([
      "items, offset 20: must have 1 to 9 members",
      "(beyond), offset 65: characters beyond the layout",
    ]);
  });

  it("shows no more members than its layout has, however many the record claims", () => {
    const record = compileLayout({
      name: "r",
      source: "test",
      fields: [
        { kind: "digits", name: "n", width: 9 },
        {
          kind: "group",
          name: "g",
          count: "n",
          max: 2,
          order: "as-listed",
          fields: [{ kind: "text", name: "v", width: 1 }],
        },
      ],
    });
    expect(outlineOf("999999999abc", record)).toEqual([
      "n@0+9=999999999",
      "g[0].v@9+1=a",
      "g[1].v@10+1=b",
      "(beyond)@11+1!",
    ]);
    expect(faultsOf("999999999ab", record)).toEqual(["g, offset 9: must have 1 to 2 members"]);
  });

  it("shows as many members as there is room for when their number cannot be read", () => {
    const text = `${BODY.slice(0, 19)}x${BODY.slice(20)}`;
    expect(outlineOf(text)).toEqual([...HEAD.slice(0, 3), "jumlahBill@19+1!", ...BILLS]);
    expect(faultsOf(text)).toEqual(["jumlahBill, offset 19: must be digits only"]);
  });

  it.each([
    ["a million characters", "9".repeat(1_000_000)],
    ["lone surrogates", "\ud800".repeat(134)],
    ["zero characters", "\0".repeat(89)],
  ])("outlasts %s", (_, text) => {
    const { rows, faults } = describeBit61(telkomRecord, text);
    expect(faults.length).toBeGreaterThan(0);
    expect(rows.map((row) => row.raw).join("")).toBe(text);
  });
});
