import { Zip, ZipDeflate } from "fflate";
import type { Column } from "./columns";
import { type FormatWriter, textOf } from "./format-writer";

/** Rows of one sheet, the head included: the limit of the format. */
const SHEET_ROWS_MAX = 1_048_576;
/** Characters of one cell: the limit of the format. */
const CELL_MAX = 32_767;
/** Digits that a spreadsheet keeps exactly; our amounts have at most 12, sums a few more. */
const EXACT_DIGITS = 15;

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships";

/**
 * A workbook (Office Open XML, ECMA-376) that is written as its rows come: memory stays flat. Texts are inline strings,
 * which a spreadsheet never takes for formulas. Where a sheet is full the next one begins.
 */
export function startWorkbook(columns: readonly Column[], name: string): FormatWriter {
  let pieces: Uint8Array[] = [];
  let fault: Error | null = null;
  const zip = new Zip((error, piece) => {
    if (error !== null) fault = error;
    else pieces.push(piece);
  });
  const sheets: string[] = [];
  let sheet: ZipDeflate | null = null;
  let rowsInSheet = 0;

  const add = (path: string, text: string): void => {
    const file = new ZipDeflate(path, { level: 1 });
    zip.add(file);
    file.push(Buffer.from(XML + text), true);
  };
  const openSheet = (): ZipDeflate => {
    sheets.push(`${name.slice(0, 24)}${sheets.length === 0 ? "" : ` ${sheets.length + 1}`}`);
    const opened = new ZipDeflate(`xl/worksheets/sheet${sheets.length}.xml`, { level: 1 });
    zip.add(opened);
    const head = rowXml(columns.map((column) => cellXml({ ...column, kind: "text" }, column.name)));
    opened.push(Buffer.from(`${XML}<worksheet xmlns="${MAIN}"><sheetData>${head}`));
    rowsInSheet = 1;
    return opened;
  };
  const closeSheet = (): void => {
    sheet?.push(Buffer.from("</sheetData></worksheet>"), true);
    sheet = null;
  };
  const take = (): Buffer => {
    if (fault !== null) throw fault;
    const taken = Buffer.concat(pieces);
    pieces = [];
    return taken;
  };

  return {
    head() {
      sheet = openSheet();
      return take();
    },
    rows(rows) {
      let rest = rows;
      while (rest.length > 0) {
        if (rowsInSheet === SHEET_ROWS_MAX) closeSheet();
        sheet ??= openSheet();
        const fitting = rest.slice(0, SHEET_ROWS_MAX - rowsInSheet);
        rest = rest.slice(fitting.length);
        rowsInSheet += fitting.length;
        sheet.push(
          Buffer.from(fitting.map((row) => rowXml(columns.map((each) => cellXml(each, row[each.name])))).join("")),
        );
      }
      return take();
    },
    end() {
      closeSheet();
      const numbered = sheets.map((title, index) => ({ title, no: index + 1 }));
      add(
        "xl/workbook.xml",
        `<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets>${numbered
          .map(({ title, no }) => `<sheet name="${escapeXml(title)}" sheetId="${no}" r:id="rId${no}"/>`)
          .join("")}</sheets></workbook>`,
      );
      add(
        "xl/_rels/workbook.xml.rels",
        `<Relationships xmlns="${PACKAGE}">${numbered
          .map(
            ({ no }) => `<Relationship Id="rId${no}" Type="${OFFICE}/worksheet" Target="worksheets/sheet${no}.xml"/>`,
          )
          .join("")}</Relationships>`,
      );
      add(
        "_rels/.rels",
        `<Relationships xmlns="${PACKAGE}"><Relationship Id="rId1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
      );
      const type = "application/vnd.openxmlformats-officedocument.spreadsheetml";
      add(
        "[Content_Types].xml",
        `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="${type}.sheet.main+xml"/>${numbered
          .map(({ no }) => `<Override PartName="/xl/worksheets/sheet${no}.xml" ContentType="${type}.worksheet+xml"/>`)
          .join("")}</Types>`,
      );
      zip.end();
      return take();
    },
  };
}

function rowXml(cells: readonly string[]): string {
  return `<row>${cells.join("")}</row>`;
}

function cellXml({ kind }: Column, value: unknown): string {
  const text = textOf(value);
  if (text === null) return "<c/>";
  const isNumber = (kind === "amount" || kind === "number") && /^-?[0-9]+$/.test(text) && text.length <= EXACT_DIGITS;
  if (isNumber) return `<c><v>${text}</v></c>`;
  return `<c t="inlineStr"><is><t xml:space="preserve">${escapeXml(text.slice(0, CELL_MAX))}</t></is></c>`;
}

/** What XML 1.0 cannot hold: control characters, halves of surrogate pairs, and two that are no characters. */
const NOT_IN_XML =
  /[^\t\n\r\u0020-\ud7ff\ud800-\udfff\ue000-\ufffd]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text for XML 1.0: markup escaped, what it cannot hold replaced. */
function escapeXml(text: string): string {
  return text
    .replaceAll(NOT_IN_XML, "?")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
