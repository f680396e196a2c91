import fc from "fast-check";
import { linkedRows } from "../../src/ops/reconciliation/linked-rows";

type Value = Buffer | null;

const int = fc.integer({ min: 1, max: 2 ** 31 - 1 }).map((value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
});
const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes));
const linked = fc.tuple(uuid, int, int, int, int);
const ofLine = fc.tuple(fc.option(uuid), int, int, int, fc.constant(null));
const ofPayment = fc.tuple(uuid, fc.constant(null), fc.constant(null), int, fc.constant(null));
const rowArbitrary = fc.oneof<fc.Arbitrary<readonly Value[]>[]>(linked, linked, ofLine, ofPayment);
const HEADER = Buffer.concat([Buffer.from("PGCOPY\n\xff\r\n\0", "latin1"), Buffer.alloc(8)]);
const END = Buffer.from([0xff, 0xff]);

function bytesOf(row: readonly Value[]): Buffer {
  const count = Buffer.from([0, row.length]);
  return Buffer.concat([
    count,
    ...row.flatMap((value) => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(value === null ? -1 : value.length);
      return value === null ? [length] : [length, value];
    }),
  ]);
}

async function* inPieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer, void> {
  let at = 0;
  for (let index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] as number;
    yield await Promise.resolve(bytes.subarray(at, at + size));
    at += size;
  }
}

async function gathered(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

describe("rows of the first comparison", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 8 });

  it("lets linked rows through byte for byte and keeps the others, wherever the stream is cut", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(rowArbitrary, { maxLength: 60 }), sizes, async (rows, pieces) => {
        const isLinked = (row: readonly Value[]): boolean => row.every((value) => value !== null);
        const whole = Buffer.concat([HEADER, ...rows.map(bytesOf), END]);
        const found = linkedRows();
        const passed = await gathered(found.split(inPieces(whole, pieces)));
        expect(passed).toEqual(Buffer.concat([HEADER, ...rows.filter(isLinked).map(bytesOf), END]));
        const others = rows.filter((row) => !isLinked(row));
        expect(found.unlinked()).toEqual({
          lines: others.flatMap(([, file, line]) =>
            file && line ? [{ fileId: file.readInt32BE(), lineNo: line.readInt32BE() }] : [],
          ),
          entryIds: others.flatMap(([entry]) => (entry ? [entry.toString("hex")] : [])),
        });
      }),
      { numRuns: 500 },
    );
  });

  it("keeps none of the others when there are too many, and still lets the linked ones through", async () => {
    const lost = bytesOf([Buffer.alloc(16, 1), null, null, Buffer.alloc(4), null]);
    const kept = bytesOf([Buffer.alloc(16, 2), ...Array.from({ length: 4 }, () => Buffer.alloc(4, 1))]);
    const whole = Buffer.concat([HEADER, lost, lost, kept, lost, END]);
    const found = linkedRows(2);
    expect(await gathered(found.split(inPieces(whole, [7])))).toEqual(Buffer.concat([HEADER, kept, END]));
    expect(found.unlinked()).toBeNull();
    const enough = linkedRows(3);
    await gathered(enough.split(inPieces(whole, [7])));
    expect(enough.unlinked()?.entryIds).toHaveLength(3);
  });

  it.each([
    ["a row that is cut off", Buffer.concat([HEADER, bytesOf([Buffer.alloc(16)]).subarray(0, 1)]), "cut off"],
    ["a stream without its header", Buffer.from("PGCOPY"), "cut off"],
    ["another number of columns", Buffer.concat([HEADER, bytesOf([null])]), "a row of 1 columns, expected 5"],
    [
      "another kind of column",
      Buffer.concat([HEADER, bytesOf([Buffer.alloc(8), null, null, null, null])]),
      "a column of 8 bytes, expected 16",
    ],
  ])("refuses %s", async (_name, bytes, expected) => {
    await expect(gathered(linkedRows().split(inPieces(bytes, [5])))).rejects.toThrow(expected);
  });
});
