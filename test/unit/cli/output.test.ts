import { printJson, printTable, rupiahText } from "../../../src/cli/output";

/** What is written to standard output meanwhile. */
function printed(work: () => void): string {
  const chunks: string[] = [];
  const spy = jest.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    chunks.push(String(chunk));
    return true;
  });
  try {
    work();
  } finally {
    spy.mockRestore();
  }
  return chunks.join("");
}

it.each([
  [0n, "Rp 0"],
  [999n, "Rp 999"],
  [1_000n, "Rp 1.000"],
  [1_250_000n, "Rp 1.250.000"],
  [999_999_999_999n, "Rp 999.999.999.999"],
  [100_000n, "Rp 100.000"],
  [-1_000n, "Rp -1.000"],
])("rupiah for people: %d is %s", (amount, text) => {
  expect(rupiahText(amount)).toBe(text);
});

it("a table pads its columns to their widest cell and leaves no blanks at line ends", () => {
  const text = printed(() =>
    printTable(
      ["a", "long title"],
      [
        ["wide cell", "x"],
        ["", ""],
      ],
    ),
  );
  expect(text).toBe("a          long title\n---------  ----------\nwide cell  x\n\n");
});

it("a table without rows is its header", () => {
  expect(printed(() => printTable(["name"], []))).toBe("name\n----\n");
});

it("JSON for scripts has amounts as digits, exactly", () => {
  const text = printed(() => printJson({ amount: 9_007_199_254_740_993n, rows: [1n, null, "x"] }));
  expect(JSON.parse(text)).toEqual({ amount: "9007199254740993", rows: ["1", null, "x"] });
});
