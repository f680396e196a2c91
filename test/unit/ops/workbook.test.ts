import type { Row } from "../../../src/ops/audit/columns";
import { FORMATS } from "../../../src/ops/audit/export-formats";
import { sheetsOf } from "../../support/workbooks";

describe("a workbook of a listing", () => {
  const columns = [
    { name: "note", kind: "text", sql: "" },
    { name: "amount", kind: "amount", sql: "" },
  ] as const;
  const rows: Row[] = Array.from({ length: 5_000 }, (_, at) => ({
    note: `=${at} ${"x".repeat(at % 90)}`,
    amount: -at,
  }));
  const made = (stretch: number): Buffer => {
    const writer = FORMATS.xlsx.open(columns, "attempts");
    const pieces = [writer.head()];
    for (let from = 0; from < rows.length; from += stretch) pieces.push(writer.rows(rows.slice(from, from + stretch)));
    return Buffer.concat([...pieces, writer.end()]);
  };

  it("has the same bytes at another time, and in whatever stretches its rows come", () => {
    const first = made(1_000);
    jest.useFakeTimers({ now: Date.parse("2031-02-03T04:05:06Z"), doNotFake: ["nextTick", "setImmediate"] });
    try {
      expect(made(1_000).equals(first)).toBe(true);
      expect(made(7).equals(first)).toBe(true);
    } finally {
      jest.useRealTimers();
    }
  });

  it("keeps fifteen digits as a number, with or without a minus, and more of them as a text", () => {
    const writer = FORMATS.xlsx.open(columns, "entries");
    const amounts = ["-999999999999999", "999999999999999", "1000000000000000"];
    const bytes = Buffer.concat([writer.head(), writer.rows(amounts.map((amount) => ({ amount }))), writer.end()]);
    const sheet = sheetsOf(bytes).get("entries") ?? [];
    expect(sheet.slice(1).map((row) => row[1])).toEqual([
      -999_999_999_999_999,
      999_999_999_999_999,
      "1000000000000000",
    ]);
  });
});
