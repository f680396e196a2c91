import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BillLines, readBillFile } from "../../../src/cli/bill-file";

const HEADER = "product_code,bill_number,customer_name,fee_amount,due_at,reference,amount,details";
const dir = mkdtempSync(join(tmpdir(), "bill-file-"));
const path = join(dir, "bills.csv");

afterAll(() => rmSync(dir, { recursive: true }));

/** A line of bill `number` with this reference. */
const item = (number: string, reference: string, name = ""): string => `001001,${number},${name},,,${reference},10000,`;

async function read(content: string | Buffer, onRead: (bytes: number) => void = () => {}): Promise<BillLines[]> {
  writeFileSync(path, content);
  const bills: BillLines[] = [];
  for await (const bill of readBillFile(path, onRead)) bills.push(bill);
  return bills;
}

const file = (...lines: string[]): string => [HEADER, ...lines, ""].join("\n");

/** Per bill: its references, the lines beside it that cannot be read, and whether one before it cannot. */
const outlineOf = (bills: readonly BillLines[]) =>
  bills.map(({ lines, unreadable, isBesideUnreadable }) => ({
    items: lines.map((line) => `${line.line} ${line.bill_number} ${line.reference}`),
    bad: unreadable.map(({ line }) => line),
    isBeside: isBesideUnreadable,
  }));
const good = (...items: string[]) => ({ items, bad: [], isBeside: false });

describe("a bill file", () => {
  it("gives the lines of each bill together, every value as it stands there", async () => {
    const bills = await read(
      file("001001,1,BUDI,2500,2026-05-20 23:59:59,R1,010,{}", "001001,1,, 0 ,,R2,2,", "020013,1,SITI,,,R1,3,"),
    );
    expect(outlineOf(bills)).toEqual([good("2 1 R1", "3 1 R2"), good("4 1 R1")]);
    expect(bills[0]?.lines[0]).toEqual({
      ...{ line: 2, product_code: "001001", bill_number: "1", customer_name: "BUDI", fee_amount: "2500" },
      ...{ due_at: "2026-05-20 23:59:59", reference: "R1", amount: "010", details: "{}" },
    });
    expect(bills[0]?.lines[1]?.fee_amount).toBe(" 0 ");
  });

  it.each<[string, (text: string) => string]>([
    ["with a byte order mark", (text) => `\uFEFF${text}`],
    ["with Windows line ends", (text) => text.replaceAll("\n", "\r\n")],
    ["with both, from Excel", (text) => `\uFEFF${text.replaceAll("\n", "\r\n")}`],
    ["with a header of other line ends than the rest", (text) => text.replace("\n", "\r\n")],
    ["with a rest of other line ends than the header", (text) => text.replaceAll("\n", "\r\n").replace("\r\n", "\n")],
    ["with blanks around the header's names", (text) => text.replace(HEADER, HEADER.replaceAll(",", " , "))],
    ["with everything in quotes", (text) => text.replaceAll(/[^,\n]+/g, '"$&"')],
    ["without a line end at its end", (text) => text.trimEnd()],
  ])("is read the same %s", async (_, change) => {
    const plain = await read(file(item("1", "R1", "BUDI"), item("1", "R2"), item("2", "R1")));
    expect(outlineOf(plain)).toEqual([good("2 1 R1", "3 1 R2"), good("4 2 R1")]);
    expect(await read(change(file(item("1", "R1", "BUDI"), item("1", "R2"), item("2", "R1"))))).toEqual(plain);
  });

  it("may hold commas, quotes and line ends inside quotes", async () => {
    const bills = await read(file(`001001,1,"BUDI, ""Pak""\nSANTOSO",,,R1,10000,"{""a"":""b,c""}"`, item("2", "R1")));
    expect(bills[0]?.lines[0]).toMatchObject({ customer_name: 'BUDI, "Pak"\nSANTOSO', details: '{"a":"b,c"}' });
    expect(outlineOf(bills)[1]).toEqual(good("4 2 R1"));
  });

  it("may have empty lines, which count", async () => {
    const bills = await read(file("", item("1", "R1"), "", "", item("1", "R2"), ""));
    expect(outlineOf(bills)).toEqual([good("3 1 R1", "6 1 R2")]);
  });

  it("with a header alone has no bills", async () => {
    expect(await read(`${HEADER}\n`)).toEqual([]);
    expect(await read(HEADER)).toEqual([]);
  });

  it("gives a bill twice when its lines do not stand together", async () => {
    const bills = await read(file(item("1", "R1"), item("2", "R1"), item("1", "R2")));
    expect(outlineOf(bills)).toEqual([good("2 1 R1"), good("3 2 R1"), good("4 1 R2")]);
  });

  it("keeps bills of one number and two products apart", async () => {
    const bills = await read(file(item("1", "R1"), item("1", "R1").replace("001001", "020013")));
    expect(bills.map(({ lines }) => lines.length)).toEqual([1, 1]);
  });

  it("shows what is no UTF-8, so that the checks can refuse it", async () => {
    const bills = await read(
      Buffer.concat([Buffer.from(`${HEADER}\n001001,1,BUD`), Buffer.from([0xcd]), Buffer.from(",,,R1,1,\n")]),
    );
    expect(bills[0]?.lines[0]?.customer_name).toBe("BUD\uFFFD");
  });

  it("tells how far it has been read, up to its last byte", async () => {
    const text = file(...Array.from({ length: 10_000 }, (_, index) => item(String(index), "R1", "BÜDI")));
    const seen: number[] = [];
    expect(await read(text, (bytes) => seen.push(bytes))).toHaveLength(10_000);
    expect(seen.at(-1)).toBe(Buffer.byteLength(text));
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });
});

describe("a file that cannot be taken at all", () => {
  it.each<[string, string, RegExp]>([
    ["empty", "", /empty: the first line must be product_code/],
    ["empty but for a byte order mark", "\uFEFF", /empty/],
    ["without a header", `${item("1", "R1")}\n`, /header must be/],
    ["with a column missing", HEADER.replace(",details", ""), /header must be/],
    ["with a column too many", `${HEADER},more\n`, /header must be/],
    ["with two columns exchanged", HEADER.replace("reference,amount", "amount,reference"), /header must be/],
    ["with a column in capitals", HEADER.replace("amount", "AMOUNT"), /header must be/],
    ["separated by semicolons", HEADER.replaceAll(",", ";"), /header must be/],
    ["in UTF-16", Buffer.from(HEADER, "utf16le").toString("latin1"), /header must be/],
    ["of a megabyte in one line", "x".repeat(1_000_000), /line 1/],
  ])("is %s", async (_, content, message) => {
    await expect(read(content)).rejects.toMatchObject({ code: "bill_file", message: expect.stringMatching(message) });
  });

  it("is missing, or a directory", async () => {
    for (const wrong of [join(dir, "nowhere.csv"), dir]) {
      await expect(readBillFile(wrong, () => {}).next()).rejects.toMatchObject({
        code: "bill_file",
        message: expect.stringContaining(wrong),
      });
    }
  });

  it.each([
    ["a line of a megabyte", `001001,2,${"B".repeat(1_000_000)},,,R1,1,`],
    ["a quoted value of a megabyte", `001001,2,"${"B".repeat(1_000_000)}",,,R1,1,`],
    ["a quote that swallows thousands of lines", `001001,2,"B,,,R1,1,\n${`${item("3", "R1")}\n`.repeat(5_000)}`],
  ])("has %s, because the bills behind it would be lost without a word", async (_, line) => {
    await expect(read(file(item("1", "R1"), line, item("4", "R1")))).rejects.toMatchObject({ code: "bill_file" });
  });
});

describe("a line that cannot be read", () => {
  it.each<[string, string]>([
    ["with a column too few", "001001,9,,,,R1,10000"],
    ["with a column too many", "001001,9,,,,R1,10,000,"],
    ["with a single word", "total"],
    ["with a quote inside a value", '001001,9,BUDI"S,,,R1,10000,'],
  ])("%s taints the bills on both sides, and is reported once", async (_, bad) => {
    const bills = await read(file(item("0", "R1"), item("1", "R1"), bad, item("2", "R1"), item("3", "R1")));
    expect(outlineOf(bills)).toEqual([
      good("2 0 R1"),
      { items: ["3 1 R1"], bad: [4], isBeside: false },
      { items: ["5 2 R1"], bad: [], isBeside: true },
      good("6 3 R1"),
    ]);
  });

  it("taints the bill that it stands within", async () => {
    const bills = await read(file(item("1", "R1"), "total", item("1", "R3"), item("2", "R1")));
    expect(outlineOf(bills)).toEqual([
      { items: ["2 1 R1", "4 1 R3"], bad: [3], isBeside: false },
      { items: ["5 2 R1"], bad: [], isBeside: true },
    ]);
  });

  it("before the first bill taints that one, after the last one that one", async () => {
    const bills = await read(file("x", item("1", "R1"), item("2", "R1"), item("3", "R1"), "y", "z"));
    expect(outlineOf(bills)).toEqual([
      { items: [], bad: [2], isBeside: false },
      { items: ["3 1 R1"], bad: [], isBeside: true },
      good("4 2 R1"),
      { items: ["5 3 R1"], bad: [6, 7], isBeside: false },
    ]);
  });

  it("says what is wrong with it", async () => {
    const bills = await read(file(item("1", "R1"), "a,b"));
    expect(bills[0]?.unreadable).toEqual([{ line: 3, problem: "has 2 columns, expected 8" }]);
    const quoted = await read(file(item("1", "R1"), '001001,2,"B"x,,,R1,1,'));
    expect(quoted[0]?.unreadable[0]).toMatchObject({
      line: 3,
      problem: expect.stringMatching(/cannot be read as CSV/),
    });
  });

  it("because its quote is never closed takes what follows with it, and none of it is given as good", async () => {
    const bills = await read(file(item("1", "R1"), '001001,2,"BUDI,,,R1,1,', item("3", "R1")));
    expect(outlineOf(bills)).toMatchObject([{ items: ["2 1 R1"], isBeside: false }]);
    expect(bills[0]?.unreadable).toHaveLength(1);
  });

  it("is told from a good one far away, where the parser runs ahead of the reader", async () => {
    const many = Array.from({ length: 30_000 }, (_, index) => item(String(index + 10), "R1"));
    const bills = await read(file(...many.slice(0, 20_000), "total", ...many.slice(20_000)));
    const tainted = bills.filter(({ unreadable, isBesideUnreadable }) => unreadable.length > 0 || isBesideUnreadable);
    expect(bills).toHaveLength(30_000);
    expect(tainted.map(({ lines }) => lines[0]?.line)).toEqual([20_001, 20_003]);
  });
});
