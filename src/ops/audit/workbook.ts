import { Zip, ZipDeflate } from "fflate";
import type { ColumnKind, Row } from "./columns";
import { type FormatWriter, textOf } from "./format-writer";

/** Rows of one sheet, the head included: the limit of the format. */
const SHEET_ROWS_MAX = 1_048_576;
/** Characters of one cell: the limit of the format. */
const CELL_MAX = 32_767;
/** Digits that a spreadsheet keeps exactly; our amounts have at most 12, sums a few more. */
const EXACT_DIGITS = 15;
/** Characters of a sheet's name that leave room for a number behind it; the limit of the format is 31. */
const SHEET_NAME_MAX = 24;
/** Bytes that are compressed at a time: how rows come does not change the file. */
const BLOCK_BYTES = 65_536;

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships";
const TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/** A column of a sheet. */
export interface SheetColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  /** Characters that it is about wide; used in a styled workbook only. */
  readonly width?: number;
}

/** A workbook in the making: sheet after sheet, each with its rows. */
export interface Workbook {
  startSheet(name: string, columns: readonly SheetColumn[]): void;
  /** Rows of the sheet that was started last; where it is full, another one with the same columns follows. */
  addRows(rows: readonly Row[]): void;
  end(): void;
  /** The bytes that have been made since it was asked for them. */
  take(): Buffer;
}

/** Numbers of the formats in `STYLES`. */
const STYLE = { head: 1, whole: 2, date: 3 } as const;

/** For people: a bold head, whole numbers in groups of three as the reader's machine writes them, dates as dates. */
const STYLES =
  `<styleSheet xmlns="${MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>` +
  `<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>` +
  `<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
  `<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
  `<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
  `<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
  `<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>` +
  `<xf numFmtId="3" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
  `<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>` +
  `<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`;

/**
 * A workbook (Office Open XML, ECMA-376) that is written as its rows come: memory stays flat. Texts are inline strings,
 * which a spreadsheet never takes for formulas. The same rows give the same bytes, whenever and wherever, and in whatever
 * stretches they come.
 */
export function openWorkbook({ isStyled }: { readonly isStyled: boolean }): Workbook {
  const archive = openArchive();
  const titles: string[] = [];
  let current: { readonly name: string; readonly columns: readonly SheetColumn[]; count: number } | null = null;
  let sheet: Part | null = null;
  let rowsInSheet = 0;

  const openSheet = (): Part => {
    if (current === null) throw new Error("rows without a sheet");
    current.count += 1;
    titles.push(`${current.name.slice(0, SHEET_NAME_MAX)}${current.count === 1 ? "" : ` ${current.count}`}`);
    const opened = archive.part(`xl/worksheets/sheet${titles.length}.xml`);
    opened.write(`<worksheet xmlns="${MAIN}">${isStyled ? viewOf(current.columns) : ""}<sheetData>`);
    opened.write(rowXml(current.columns.map(({ name }) => textCell(name, isStyled ? STYLE.head : null))));
    rowsInSheet = 1;
    return opened;
  };
  const closeSheet = (): void => {
    const page = '<pageSetup paperSize="9" orientation="landscape" fitToWidth="1" fitToHeight="0"/>';
    sheet?.write(`</sheetData>${isStyled ? page : ""}</worksheet>`);
    sheet?.end();
    sheet = null;
  };

  return {
    startSheet(name, columns) {
      closeSheet();
      current = { name, columns, count: 0 };
      sheet = openSheet();
    },
    addRows(rows) {
      let rest = rows;
      while (rest.length > 0) {
        if (rowsInSheet === SHEET_ROWS_MAX) closeSheet();
        sheet ??= openSheet();
        const fitting = rest.slice(0, SHEET_ROWS_MAX - rowsInSheet);
        rest = rest.slice(fitting.length);
        rowsInSheet += fitting.length;
        const columns = current?.columns ?? [];
        const cells = (row: Row): string[] => columns.map((each) => cellXml(each, row[each.name], isStyled));
        sheet.write(fitting.map((row) => rowXml(cells(row))).join(""));
      }
    },
    end() {
      closeSheet();
      for (const [path, text] of packageParts(titles, isStyled)) {
        const part = archive.part(path);
        part.write(text);
        part.end();
      }
      archive.end();
    },
    take: () => archive.take(),
  };
}

/** A workbook of one listing, in stretches; where a sheet is full the next one begins. */
export function startWorkbook(columns: readonly SheetColumn[], name: string): FormatWriter {
  const workbook = openWorkbook({ isStyled: false });
  return {
    head() {
      workbook.startSheet(name, columns);
      return workbook.take();
    },
    rows(rows) {
      workbook.addRows(rows);
      return workbook.take();
    },
    end() {
      workbook.end();
      return workbook.take();
    },
  };
}

interface Part {
  write(text: string): void;
  end(): void;
}

/** An archive whose bytes depend on nothing but what is written. */
function openArchive(): { part(path: string): Part; end(): void; take(): Buffer } {
  let pieces: Uint8Array[] = [];
  let fault: Error | null = null;
  const zip = new Zip((error, piece) => {
    if (error !== null) fault = error;
    else pieces.push(piece);
  });
  return {
    part(path) {
      const file = new ZipDeflate(path, { level: 1 });
      // The format keeps local time without a zone: noon of one and the same day on every machine.
      file.mtime = new Date(1980, 0, 1, 12);
      zip.add(file);
      let waiting = Buffer.from(XML);
      return {
        write(text) {
          waiting = Buffer.concat([waiting, Buffer.from(text)]);
          let from = 0;
          for (; waiting.length - from >= BLOCK_BYTES; from += BLOCK_BYTES) {
            file.push(Buffer.from(waiting.subarray(from, from + BLOCK_BYTES)));
          }
          if (from > 0) waiting = Buffer.from(waiting.subarray(from));
        },
        end() {
          file.push(waiting, true);
        },
      };
    },
    end() {
      zip.end();
    },
    take() {
      if (fault !== null) throw fault;
      const taken = Buffer.concat(pieces);
      pieces = [];
      return taken;
    },
  };
}

/** What makes an archive of sheets a workbook, by path. */
function packageParts(titles: readonly string[], isStyled: boolean): [path: string, text: string][] {
  const numbered = titles.map((title, index) => ({ title, no: index + 1 }));
  const sheets = numbered.map(({ title, no }) => `<sheet name="${escapeXml(title)}" sheetId="${no}" r:id="rId${no}"/>`);
  const relations = numbered.map(
    ({ no }) => `<Relationship Id="rId${no}" Type="${OFFICE}/worksheet" Target="worksheets/sheet${no}.xml"/>`,
  );
  const types = numbered.map(
    ({ no }) => `<Override PartName="/xl/worksheets/sheet${no}.xml" ContentType="${TYPE}.worksheet+xml"/>`,
  );
  if (isStyled) {
    relations.push(`<Relationship Id="rId${titles.length + 1}" Type="${OFFICE}/styles" Target="styles.xml"/>`);
    types.push(`<Override PartName="/xl/styles.xml" ContentType="${TYPE}.styles+xml"/>`);
  }
  return [
    ...(isStyled ? [["xl/styles.xml", STYLES] as [string, string]] : []),
    ["xl/workbook.xml", `<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets>${sheets.join("")}</sheets></workbook>`],
    ["xl/_rels/workbook.xml.rels", `<Relationships xmlns="${PACKAGE}">${relations.join("")}</Relationships>`],
    [
      "_rels/.rels",
      `<Relationships xmlns="${PACKAGE}"><Relationship Id="rId1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    ],
    [
      "[Content_Types].xml",
      `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="${TYPE}.sheet.main+xml"/>${types.join("")}</Types>`,
    ],
  ];
}

/** How a sheet is shown and printed: its head stays in sight, its columns are as wide as they need, its pages one sheet wide. */
function viewOf(columns: readonly SheetColumn[]): string {
  const widths = columns.map(
    ({ width = 14 }, at) => `<col min="${at + 1}" max="${at + 1}" width="${width}" customWidth="1"/>`,
  );
  return (
    `<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView workbookViewId="0">` +
    `<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>` +
    `<cols>${widths.join("")}</cols>`
  );
}

function rowXml(cells: readonly string[]): string {
  return `<row>${cells.join("")}</row>`;
}

function cellXml({ kind }: SheetColumn, value: unknown, isStyled: boolean): string {
  const text = textOf(value);
  if (text === null) return "<c/>";
  const isWhole = /^-?[0-9]+$/.test(text) && text.replace("-", "").length <= EXACT_DIGITS;
  if (isWhole && (kind === "amount" || kind === "number")) {
    return isStyled ? `<c s="${STYLE.whole}"><v>${text}</v></c>` : `<c><v>${text}</v></c>`;
  }
  // A day's number; dates of listings are texts.
  if (isWhole && kind === "date" && isStyled) return `<c s="${STYLE.date}"><v>${text}</v></c>`;
  return textCell(text, null);
}

function textCell(text: string, style: number | null): string {
  const which = style === null ? "" : ` s="${style}"`;
  return `<c${which} t="inlineStr"><is><t xml:space="preserve">${escapeXml(text.slice(0, CELL_MAX))}</t></is></c>`;
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
