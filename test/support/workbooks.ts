import { unzipSync } from "fflate";

/** Sheets by name, each as rows of cells: numbers for numbers, texts for texts. */
export function sheetsOf(bytes: Buffer): Map<string, (string | number | null)[][]> {
  const files = unzipSync(bytes);
  const text = (path: string): string => Buffer.from(files[path] ?? []).toString();
  const names = [...text("xl/workbook.xml").matchAll(/<sheet name="([^"]*)"/g)].map(([, name = ""]) => name);
  const cells = (row: string): (string | number | null)[] =>
    [...row.matchAll(/<c[^>]*?(?:\/>|>(?:<v>([^<]*)<\/v>|<is><t[^>]*>([^<]*)<\/t><\/is>)<\/c>)/g)].map(
      ([, figure, words]) => (figure === undefined ? (words ?? null) : Number(figure)),
    );
  return new Map(
    names.map((name, at) => [
      name,
      [...text(`xl/worksheets/sheet${at + 1}.xml`).matchAll(/<row>(.*?)<\/row>/gs)].map(([, row = ""]) => cells(row)),
    ]),
  );
}
