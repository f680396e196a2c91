import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSettlementProfile } from "../../src/domain";
import { fill, PARTNER } from "../support/builders";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { DAY } from "../support/settlement-days";
import { settlementDesk } from "../support/settlement-files";

jest.setTimeout(120_000);

const SAMPLES = join(__dirname, "../../docs/settlement-samples");

/** Line, traxId, product, bill, amount, fee, business date, time of payment in UTC, status; or line and fault. */
type Row = readonly (string | number | null)[];

const row = (
  lineNo: number,
  traxId: string,
  bill: string,
  amount: number,
  changes: Partial<Record<string, Row[0]>> = {},
): Row => {
  const { product = null, fee = null, day = DAY, paidAt = null, status = "paid" } = changes;
  return [lineNo, traxId, product, bill, amount, fee, day, paidAt, status] as Row;
};
const [A, B, C, D, E] = ["0021008457003", "0021008457010", "0021008457011", "0021008457012", "0021008457013"] as const;

/** What each sample file holds: its lines, and what its import remarks. */
const EXPECTED: Readonly<Record<string, { readonly rows: readonly Row[]; readonly remarks?: readonly string[] }>> = {
  "padded-keys": {
    rows: [
      row(1, "7001234501", A, 30_000, { product: "001001" }),
      row(2, "90210", B, 1_250_000, { product: "001001" }),
    ],
  },
  "lost-zeros": { rows: [row(2, "000070012345", A, 30_000), row(3, "000070012346", B, 45_000)] },
  "implied-decimals": {
    rows: [
      row(2, "T1", A, 30_000),
      row(3, "T2", B, 45_000),
      row(4, "T3", C, 0),
      [5, "amount: has parts of a rupiah (column 3, JUMLAH)"],
    ],
  },
  "rupiah-texts": {
    rows: [row(2, "T1", A, 1_234_567, { fee: 2_500 }), row(3, "T2", B, 30_000, { fee: 0 })],
  },
  "titles-subtotals-footer": {
    rows: [
      row(5, "T1", A, 30_000, { product: "001001" }),
      row(6, "T2", B, 45_000, { product: "001001" }),
      row(8, "T3", "7700112233", 500_000, { product: "020013" }),
    ],
    remarks: [
      "2 blank lines left out",
      "2 title lines left out",
      "2 lines that begin with SUBTOTAL left out",
      "1 line that begins with --- left out",
      "2 footer lines left out",
    ],
  },
  "fee-included": { rows: [row(2, "T1", A, 30_000, { fee: 2_500 }), row(3, "T2", B, 45_000, { fee: 0 })] },
  "title-lines": { rows: [row(4, "T1", A, 30_000)], remarks: ["3 title lines left out"] },
  "utf-16": { rows: [row(2, "T1", A, 30_000), row(3, "T2", B, 45_000, { status: "failed" })] },
  "utf-16be": { rows: [row(2, "T1", A, 30_000), row(3, "T2", B, 45_000, { status: "failed" })] },
  "negative-amounts": {
    rows: [
      row(2, "T1", A, 1_130_000, { fee: 2_500 }),
      row(3, "T2", B, 45_000, { fee: 2_500, status: "reversed" }),
      row(4, "T3", C, 45_000, { fee: 2_500, status: "reversed" }),
      row(5, "T4", D, 50_000, { fee: 2_500, status: "reversed" }),
      row(6, "T5", E, 10_000),
    ],
  },
  "payments-negative": { rows: [row(2, "T1", A, 30_000), row(3, "T2", B, 45_000, { status: "reversed" })] },
  "credit-debit-columns": {
    rows: [row(2, "T1", A, 30_000), row(3, "T2", B, 45_000), row(4, "T1", A, 30_000, { status: "reversed" })],
  },
  "credit-debit-indicator": {
    rows: [
      row(2, "T1", A, 30_000),
      row(3, "T1", A, 30_000, { status: "reversed" }),
      row(4, "T2", B, 45_000, { status: "failed" }),
      row(5, "T3", C, 50_000, { status: "reversed" }),
      [6, "status: says failed, and the amount takes back (column 5, STATUS)"],
    ],
  },
  "net-amounts-column": {
    rows: [row(2, "T1", A, 30_000), row(3, "T2", B, 45_000)],
    remarks: ["charges of 210 added to net amounts"],
  },
  "net-amounts-rates": {
    rows: [
      row(2, "T1", A, 30_000, { product: "001001" }),
      row(3, "T2", "7700112233", 500_000, { product: "020013" }),
      row(4, "T3", "8800112233", 100_000, { product: "900003" }),
    ],
    remarks: ["charges of 2460 added to net amounts"],
  },
  "counted-trailer": { rows: [row(3, "T1", A, 30_000), row(4, "T2", B, 45_000)] },
  "several-partners": {
    rows: [row(2, "T1", A, 30_000), row(4, "T3", C, 50_000)],
    remarks: ["2 lines of others left out (CA02: 1, CA03: 1)"],
  },
  "several-partners-own-totals": {
    rows: [row(2, "T1", A, 30_000)],
    remarks: ["1 line of others left out (CA02: 1)"],
  },
  "twelve-hour-times": {
    rows: [
      row(2, "T1", A, 30_000, { paidAt: "2026-11-20T02:05:00" }),
      row(3, "T2", B, 45_000, { paidAt: "2026-11-19T17:00:00" }),
      row(4, "T3", C, 50_000, { paidAt: "2026-11-20T05:30:15" }),
      row(5, "T4", D, 50_000, { paidAt: "2026-01-09T16:59:59", day: "2026-01-09" }),
    ],
  },
  "times-with-zone": {
    rows: [
      row(2, "T1", A, 30_000, { paidAt: "2026-11-20T02:05:00" }),
      row(3, "T2", B, 45_000, { paidAt: "2026-11-20T02:05:00" }),
      row(4, "T3", C, 50_000, { paidAt: "2026-11-20T18:30:00", day: "2026-11-21" }),
      row(5, "T4", D, 50_000, { paidAt: "2026-11-20T00:05:00" }),
    ],
  },
};

/** The profile and the file of a sample. */
function sampleOf(name: string): {
  readonly profile: Record<string, unknown>;
  readonly file: string;
  readonly bytes: Buffer;
} {
  const dir = join(SAMPLES, name);
  const file = readdirSync(dir).find((each) => each.startsWith("file.")) ?? "";
  const profile = JSON.parse(readFileSync(join(dir, "profile.json"), "utf8")) as Record<string, unknown>;
  return { profile, file, bytes: readFileSync(join(dir, file)) };
}

describe("sample settlement files", () => {
  let database: TestDatabase;
  let desk: ReturnType<typeof settlementDesk>;
  beforeAll(async () => {
    database = await createTestDatabase();
    desk = settlementDesk(database);
    await fill(database, []);
  });
  afterAll(async () => {
    desk.close();
    await database.drop();
  });

  const rowsOf = async (fileId: number): Promise<Row[]> => {
    const rows = await database.query<Record<string, string | number | null>>(
      `select line_no, trax_id, product_code, bill_number, amount::int, fee_amount::int, business_date::text,
              to_char(paid_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') as paid_at, status, fault
         from settlement_line where file_id = $1 order by line_no`,
      [fileId],
    );
    return rows.map(({ fault, line_no: lineNo, ...values }) =>
      fault === null ? [lineNo ?? null, ...Object.values(values)] : [lineNo ?? null, fault ?? null],
    );
  };

  it("are all described here", () => {
    expect(readdirSync(SAMPLES).toSorted()).toEqual(Object.keys(EXPECTED).toSorted());
  });

  it.each(Object.entries(EXPECTED))("%s is imported as expected", async (name, { rows, remarks = [] }) => {
    const { profile, file, bytes } = sampleOf(name);
    expect(parseSettlementProfile(profile)).toMatchObject({ ok: true });
    await desk.saveProfile(name, { ...profile, partner: PARTNER.userName });
    const outcome = await desk.import(`${name}-${file}`, bytes, { profileCode: name, date: DAY });
    expect(await rowsOf(outcome.file.fileId)).toEqual(rows);
    expect(outcome.file.remarks).toEqual(remarks);
    expect(outcome.file).toMatchObject({ lines: rows.length, totalsFault: null });
    // A close adds up the lines of a file and compares that with what the file has.
    const [sums] = await database.query<{ amount: bigint; fee: bigint }>(
      `select coalesce(sum(amount), 0)::bigint as amount, coalesce(sum(fee_amount), 0)::bigint as fee
         from settlement_line where file_id = $1`,
      [outcome.file.fileId],
    );
    expect(sums?.amount).toBe(outcome.file.amount);
    expect(sums?.fee).toBe(outcome.file.fee);
  });
});
