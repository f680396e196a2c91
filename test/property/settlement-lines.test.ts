import * as fc from "fast-check";
import { parseSettlementProfile, type SettlementProfile } from "../../src/domain";
import { copyRows } from "../../src/ops/reconciliation/copy-rows";
import { fileReader } from "../../src/ops/reconciliation/file-reader";

const DAY = "2026-11-20";

interface Layout {
  readonly profile: SettlementProfile;
  readonly start: string;
  readonly cells: readonly fc.Arbitrary<string>[];
  readonly delimiter: string;
}

const digits = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(..."0123456789".split("")), minLength, maxLength });
/** What stands in no plain line, or only looks as if it could. */
const awkward = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "0",
    "00",
    "-1",
    "1.0",
    "é",
    "\u0000",
    "\\",
    "\\N",
    "\\.",
    '"',
    '"x"',
    '"a,b"',
    "x y",
    "x\r",
    "\t",
  ),
  fc.constantFrom(
    "999999999999",
    "1000000000000",
    "0001",
    "x".repeat(33),
    "x".repeat(51),
    "TOTAL",
    "TOTAL|1|2|3",
    "\u2028",
  ),
  fc.string({ unit: fc.constantFrom(...'ab09 ,;|"\\-:\té'.split("")), maxLength: 8 }),
);
const mostly = (usual: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 40, arbitrary: usual },
    { weight: 1, arbitrary: awkward },
    { weight: 1, arbitrary: usual.map((text) => ` ${text} `) },
  );

const trax = mostly(fc.oneof(digits(1, 20), fc.constantFrom("A1", "TOTALS", "T", "9".repeat(32))));
const product = mostly(fc.constantFrom("001001", "001002", "Telkom", "", "1"));
const bill = mostly(fc.oneof(digits(0, 14), fc.constant("1".repeat(50))));
const amount = mostly(fc.oneof(digits(1, 6), fc.constantFrom("0", "999999999999", "30000")));
/** Few of them, so that neighbours share what is learned; rarely one that no clock or calendar has. */
const oneOf = (usual: readonly string[], wrong: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 60, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: fc.constantFrom(...wrong) });
const time = (sign: string): fc.Arbitrary<string> =>
  fc
    .tuple(oneOf(["22", "23"], ["00", "24"]), oneOf(["29", "30"], ["60"]), oneOf(["00", "07", "59"], ["60", "61"]))
    .map((parts) => parts.join(sign));
const day = oneOf(["20"], ["30", "31", "00"]);
const status = (...texts: string[]): fc.Arbitrary<string> => mostly(fc.constantFrom(...texts));

function layout(definition: Record<string, unknown>, start: string, delimiter: string, cells: Layout["cells"]): Layout {
  const parsed = parseSettlementProfile({ partner: "p", ...definition });
  if (!parsed.ok) throw new Error(parsed.faults.join());
  return { profile: parsed.profile, start, delimiter, cells };
}

const dashed = mostly(fc.tuple(day, time(":")).map(([date, at]) => `2026-11-${date} ${at}`));
const compact = mostly(day.map((date) => `202611${date}`));
const LAYOUTS: Readonly<Record<string, Layout>> = {
  "generic CSV, cut off in the evening": layout(
    { preset: "generic-csv", cutOff: "22:30", products: { Telkom: "001001" } },
    "trax_id,product_code,bill_number,amount,fee_amount,paid_at,status\n",
    ",",
    [trax, product, bill, amount, amount, dashed, status("paid", "reversed", "failed")],
  ),
  "finpay, with a column that nobody reads": layout(
    { preset: "finpay", zone: "Asia/Jayapura" },
    "TRAX_ID|KODE_PRODUK|BILL_NUMBER|AMOUNT|FEE|TGL_BAYAR|JAM_BAYAR|STATUS|NOTE\r\n",
    "|",
    [
      trax,
      product,
      bill,
      amount,
      amount,
      compact,
      mostly(time("")),
      status("SUKSES", "00", "GAGAL"),
      mostly(fc.constant("n")),
    ],
  ),
  "columns by number, latin1, own business date, no status": layout(
    {
      ...{ encoding: "latin1", format: { kind: "delimited", delimiter: "\t" } },
      columns: {
        ...{ traxId: 1, billNumber: { at: 2, padTo: 12 }, amount: 3 },
        ...{ paidAt: { at: 4, form: "DD MMM YYYY HH:mm:ss" }, businessDate: { at: 5, form: "YYYYMMDD" } },
      },
    },
    "",
    "\t",
    [trax, bill, amount, mostly(fc.tuple(day, time(":")).map(([date, at]) => `${date} NOV 2026 ${at}`)), compact],
  ),
  "milliseconds, which are never learned apart": layout(
    {
      format: { kind: "delimited", delimiter: ";", quoted: false },
      columns: { traxId: 1, amount: 2, paidAt: { at: 3, form: "YYYY-MM-DD HH:mm:ss.SSS" } },
    },
    "",
    ";",
    [trax, amount, mostly(dashed.map((text) => `${text}.007`))],
  ),
  "UTF-16 with title lines, a footer and a count of all lines": layout(
    {
      ...{ preset: "generic-csv", encoding: "utf-16be", title: { lines: 2 }, footerLines: 2 },
      format: { delimiter: "|" },
      trailer: { startsWith: "TOTAL|", count: 2, countsAlso: ["title", "header", "trailer"] },
    },
    "A title\n\u{1f600} \u00e9\ntrax_id|product_code|bill_number|amount|fee_amount|paid_at|status\n",
    "|",
    [trax, product, bill, amount, amount, dashed, status("paid", "reversed", "failed")],
  ),
  "a header that is looked for": layout(
    { preset: "finpay", title: { untilHeader: true }, encoding: "utf-16le" },
    "Report|of|a day\n\n|||\nTRAX_ID|KODE_PRODUK|BILL_NUMBER|AMOUNT|FEE|TGL_BAYAR|JAM_BAYAR|STATUS|NOTE\n",
    "|",
    [trax, product, bill, amount, amount, compact, mostly(time("")), status("SUKSES", "00"), mostly(fc.constant("n"))],
  ),
};

/** Layouts whose lines are never plain: what stands in them is not what is stored, or not all of it is. */
const GENERAL: Readonly<Record<string, Record<string, unknown>>> = {
  "a traxId with a filler": { columns: { traxId: { at: "trax_id", strip: { sign: "0", side: "left" } } } },
  "a traxId that has lost zeros": { columns: { traxId: { at: "trax_id", padTo: 12 } } },
  "a bill number with a filler": {
    columns: { billNumber: { at: "bill_number", strip: { sign: "0", side: "left" } } },
  },
  "implied decimals": { amounts: { impliedDecimals: 2 } },
  "a suffix": { amounts: { suffix: ",-" } },
  "negative amounts": { amounts: { negative: { written: ["leading-minus"] } } },
  "a charge by rate": { amounts: { charge: { percent: "0.7" } } },
  "a charge in a column": { columns: { charge: "fee_amount", feeAmount: null } },
  "two columns of amounts": {
    columns: { amount: null, paidAmount: "amount", reversedAmount: "fee_amount", feeAmount: null },
  },
  "a direction": {
    columns: { direction: { at: "product_code", paid: ["001001"], reversed: ["001002"] }, productCode: null },
  },
  "an owner": { columns: { owner: { at: "product_code", ours: ["001001"] }, productCode: null } },
  "lines to leave out": { leaveOut: ["1", "TOTAL"] },
  "days of one digit": { columns: { paidAt: { form: "YYYY-M-D HH:mm:ss" } } },
  "a zone": { columns: { paidAt: { form: "YYYY-MM-DD HH:mm:ssZ" } } },
};

/** What becomes of a file: rows, counts, remarks; or the fault. And how many lines the general reader has seen. */
async function outcomeOf(profile: SettlementProfile, chunks: readonly Buffer[], isPlainAllowed: boolean) {
  const reader = fileReader(profile, { settlementDate: DAY, productCodes: [] });
  let seen = 0;
  const counted = {
    ...reader,
    read: (line: Parameters<typeof reader.read>[0]) => {
      seen += 1;
      return reader.read(line);
    },
    ...(isPlainAllowed ? {} : { body: () => null }),
  };
  async function* given(): AsyncGenerator<Buffer, void> {
    for (const chunk of chunks) yield await Promise.resolve(chunk);
  }
  let rows = "";
  try {
    for await (const piece of copyRows(given(), profile, counted, 7, () => {})) rows += piece.toString("latin1");
    return { seen, result: { rows, end: reader.finish(), fault: null } };
  } catch (error) {
    return { seen, result: { rows: "", end: null, fault: (error as Error).message } };
  }
}

/** A text as a profile has its characters; UTF-16 with a byte order mark. */
function encoded(text: string, encoding: SettlementProfile["encoding"]): Buffer {
  if (encoding === "utf-8" || encoding === "latin1") return Buffer.from(text, encoding);
  const littleEndian = Buffer.from(`\ufeff${text}`, "utf16le");
  return encoding === "utf-16be" ? littleEndian.swap16() : littleEndian;
}

/** The same bytes in pieces. */
function cutUp(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const length of lengths) {
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [...chunks, bytes.subarray(at)].filter((chunk) => chunk.length > 0);
}

describe("plain lines of a settlement file", () => {
  it.each(Object.entries(LAYOUTS))("give the rows that the general reader gives: %s", async (_name, given) => {
    const { profile, start, cells, delimiter } = given;
    const line = fc.tuple(...cells).map((values) => values.join(delimiter));
    const lines = fc.array(fc.oneof({ weight: 100, arbitrary: line }, { weight: 1, arbitrary: awkward }), {
      minLength: 40,
      maxLength: 120,
      size: "max",
    });
    const ending = fc.constantFrom("\n", "\r\n");
    const last = fc.constantFrom("", "\n", "\nTOTAL|3|30000|5000\n", `\n${start}`);
    const file = fc.tuple(lines, ending, last).map(([texts, end, tail]) => start + texts.join(end) + tail);
    let [all, general] = [0, 0];
    await fc.assert(
      fc.asyncProperty(file, fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 20 }), async (text, lengths) => {
        const chunks = cutUp(encoded(text, profile.encoding), lengths);
        const slow = await outcomeOf(profile, chunks, false);
        const fast = await outcomeOf(profile, chunks, true);
        expect(fast.result).toEqual(slow.result);
        all += slow.seen;
        general += fast.seen;
      }),
      { numRuns: 120 },
    );
    // Otherwise this would compare the general reader with itself.
    expect(general).toBeLessThan(all * 0.8);
  });

  it.each(Object.entries(GENERAL))("are none in a file with %s", async (_name, changes) => {
    const { profile, start, delimiter } = layout(
      { preset: "generic-csv", ...changes },
      "trax_id,product_code,bill_number,amount,fee_amount,paid_at,status\n",
      ",",
      [],
    );
    const cells = [trax, product, bill, amount, amount, dashed, status("paid", "reversed")];
    const line = fc.tuple(...cells).map((values) => values.join(delimiter));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 20, maxLength: 40 }), async (lines) => {
        const chunks = [encoded(start + lines.join("\n"), profile.encoding)];
        const slow = await outcomeOf(profile, chunks, false);
        const fast = await outcomeOf(profile, chunks, true);
        expect(fast).toEqual(slow);
      }),
      { numRuns: 20 },
    );
  });

  it("are counted exactly, however large the sums grow", async () => {
    const { profile, start } = LAYOUTS["generic CSV, cut off in the evening"] as Layout;
    const line = `9,001001,1,999999999999,999999999998,${DAY} 10:00:00,paid\n`;
    const { result, seen } = await outcomeOf(profile, [Buffer.from(start + line.repeat(20_001))], true);
    expect(seen).toBe(2);
    expect(result.end?.counts).toEqual({
      ...{ lines: 20_001, badLines: 0 },
      ...{ amount: 20_001n * 999_999_999_999n, fee: 20_001n * 999_999_999_998n },
    });
  });
});
