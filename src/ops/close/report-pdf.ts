import type { DayClose } from "./close";
import { dateText, grouped, printable } from "./report-values";
import { REPORT_KINDS, type ReportColumn, type ReportRow, type ReportSection } from "./report-table";
import { REPORT_WORDS, type ReportLanguage, type ReportWords } from "./words";

/** A4, upright on its long side, in points. */
const MARGIN = 40;
const WIDTH = 841.89 - 2 * MARGIN;
const BOTTOM = 545;
const FOOTER = 562;
const PADDING = 4;
const TEXT_SIZE = 8;
/** A row fits on a page beside the heads above it: what is longer is written smaller. */
const ROW_MAX = 400;
const SIGNATURES_HEIGHT = 120;
/** Points for each character of a column's width. */
const CHARACTER = 5;

/** What a document is made from. */
export interface PdfRequest {
  readonly close: DayClose;
  readonly sections: readonly ReportSection[];
  readonly language: ReportLanguage;
  readonly billerName: string | null;
}

type Document = PDFKit.PDFDocument;
type Structure = PDFKit.PDFStructureElement;

/** A document in the making, and how far down its page is full. */
interface Canvas {
  readonly document: Document;
  readonly root: Structure;
  readonly language: ReportLanguage;
  readonly words: ReportWords;
  y: number;
}

/**
 * The sections as tagged tables on A4 pages, with lines to sign on. Its dates are those of the close and nothing in it is
 * compressed, since compression differs from machine to machine: the same bytes again.
 */
export async function reportPdf({ close, sections, language, billerName }: PdfRequest): Promise<Buffer> {
  // Loaded when it is needed: with its fonts it takes as much memory as the rest of a host's start.
  const { default: PDFDocument } = await import("pdfkit");
  const words = REPORT_WORDS[language];
  const asOf = new Date(close.asOf);
  const document = new PDFDocument({
    size: "A4",
    layout: "landscape",
    margins: { top: MARGIN, left: MARGIN, right: MARGIN, bottom: 0 },
    bufferPages: true,
    compress: false,
    pdfVersion: "1.7",
    tagged: true,
    lang: language,
    displayTitle: true,
    info: {
      Title: `${words.title} ${close.businessDate}`,
      Author: printable(billerName ?? "biller"),
      CreationDate: asOf,
      ModDate: asOf,
      Producer: "biller",
      Creator: "biller",
    },
  });
  const pieces: Buffer[] = [];
  const done = new Promise<Buffer>((resolve, reject) => {
    document.on("data", (piece: Buffer) => pieces.push(piece));
    document.on("end", () => resolve(Buffer.concat(pieces)));
    document.on("error", reject);
  });
  const root = document.struct("Document");
  document.addStructure(root);
  const canvas: Canvas = { document, root, language, words, y: MARGIN };
  if (billerName !== null) drawHeading(canvas, "P", billerName, 11);
  drawHeading(canvas, "H1", `${words.title} ${dateText(close.businessDate, language)}`, 16);
  for (const section of sections) drawSection(canvas, section);
  drawSignatures(canvas);
  root.end();
  drawFooters(canvas, `${billerName ?? ""}   ${dateText(close.businessDate, language)}   SHA-256 ${close.sha256}`);
  document.end();
  return done;
}

/** Marks what is drawn as one piece of text of the document's structure. */
function drawTagged(canvas: Canvas, parent: Structure, tag: string, draw: () => void): void {
  const { document } = canvas;
  // The scope says what a heading of a table heads; other elements have none.
  const options: { readonly title?: string; readonly scope?: string } = tag === "TH" ? { scope: "Column" } : {};
  const element = document.struct(tag, options);
  parent.add(element);
  element.add(document.markStructureContent(tag));
  draw();
  document.endMarkedContent();
  element.end();
}

/** Marks what is drawn as no part of the text: rules, repeated heads, page numbers. */
function drawArtifact({ document }: Canvas, type: "Layout" | "Pagination", draw: () => void): void {
  document.markContent("Artifact", { type });
  draw();
  document.endMarkedContent();
}

function drawHeading(canvas: Canvas, tag: "P" | "H1" | "H2", text: string, size: number): void {
  const { document, root, y } = canvas;
  const shown = printable(text);
  document.font("Helvetica-Bold").fontSize(size);
  const height = document.heightOfString(shown, { width: WIDTH });
  drawTagged(canvas, root, tag, () => document.text(shown, MARGIN, y, { width: WIDTH }));
  canvas.y += height + 5;
}

function nextPage(canvas: Canvas): void {
  canvas.document.addPage();
  canvas.y = MARGIN;
}

interface Cell {
  readonly text: string;
  readonly x: number;
  readonly width: number;
  readonly align: "left" | "right";
  readonly size: number;
}

interface Line {
  readonly cells: readonly Cell[];
  readonly height: number;
  readonly font: "Helvetica" | "Helvetica-Bold";
}

function drawSection(canvas: Canvas, section: ReportSection): void {
  const { document, root, words, language } = canvas;
  const columns = section.isFacts ? section.columns.slice(0, 2) : section.columns;
  const bold = "Helvetica-Bold";
  const head = lineOf(canvas, columns, (column) => column.title, bold);
  const rows = section.rows.map((row) =>
    lineOf(canvas, columns, (column) => cellText(column, factOf(section, row, language), language), "Helvetica"),
  );
  const totals = section.hasTotal && rows.length > 1 ? totalsOf(section, words) : null;
  if (totals !== null) rows.push(lineOf(canvas, columns, (column) => cellText(column, totals, language), bold));
  canvas.y += 10;
  if (canvas.y + 20 + head.height + (rows[0]?.height ?? 20) > BOTTOM) nextPage(canvas);
  drawHeading(canvas, "H2", section.title, 11);
  if (rows.length === 0) {
    const { y } = canvas;
    document.font("Helvetica").fontSize(TEXT_SIZE);
    drawTagged(canvas, root, "P", () => document.text(words.none, MARGIN, y, { width: WIDTH }));
    canvas.y += 14;
    return;
  }
  const table = document.struct("Table");
  root.add(table);
  drawLine(canvas, head, table, "TH");
  for (const row of rows) {
    if (canvas.y + row.height > BOTTOM) {
      nextPage(canvas);
      drawLine(canvas, head, null, "TH");
    }
    drawLine(canvas, row, table, "TD");
  }
  table.end();
}

/** Column by column what the rows add up to, where that is a figure. */
function totalsOf({ columns, rows }: ReportSection, words: ReportWords): ReportRow {
  const [first] = columns;
  return Object.fromEntries(
    columns.flatMap(({ key }): [string, string][] => {
      if (key === first?.key) return [[key, words.total]];
      if (REPORT_KINDS[key] === "text" || REPORT_KINDS[key] === "date" || key === "version") return [];
      return [[key, rows.reduce((sum, row) => sum + BigInt(row[key] ?? 0), 0n).toString()]];
    }),
  );
}

/** A fact of which a document shows the text only, figures included. */
function factOf({ isFacts }: ReportSection, row: ReportRow, language: ReportLanguage): ReportRow {
  return isFacts ? { ...row, detail: row.detail ?? grouped(String(row.count ?? row.version ?? ""), language) } : row;
}

function cellText({ key }: ReportColumn, row: ReportRow, language: ReportLanguage): string {
  const value = row[key];
  if (value === undefined) return "";
  const kind = REPORT_KINDS[key];
  if (kind === "text") return String(value);
  return kind === "date" ? dateText(String(value), language) : grouped(String(value), language);
}

/** A row laid out: texts wrap, what is too wide or too long is written smaller, and nothing is cut off. */
function lineOf(
  { document }: Canvas,
  columns: readonly ReportColumn[],
  textOf: (column: ReportColumn) => string,
  font: Line["font"],
): Line {
  const sum = columns.reduce((total, { width }) => total + width, 0);
  const point = Math.min(CHARACTER, WIDTH / sum);
  let x = MARGIN;
  let height = 0;
  document.font(font);
  const cells = columns.map((column): Cell => {
    const isFigure = ["number", "amount"].includes(REPORT_KINDS[column.key]);
    const text = printable(textOf(column));
    const width = column.width * point - 2 * PADDING;
    const needed = document.fontSize(TEXT_SIZE).widthOfString(text);
    const isTooWide = isFigure && /^[-0-9.,]+$/.test(text) && needed > width - 1;
    let size = isTooWide ? (TEXT_SIZE * (width - 1)) / needed : TEXT_SIZE;
    const heightAt = (): number => document.fontSize(size).heightOfString(text || " ", { width });
    while (heightAt() > ROW_MAX) size *= 0.8;
    height = Math.max(height, heightAt());
    const cell: Cell = { text, x: x + PADDING, width, align: isFigure ? "right" : "left", size };
    x += column.width * point;
    return cell;
  });
  return { cells, height: height + 4, font };
}

/** Draws a row; without a table it repeats a head that was read before. */
function drawLine(canvas: Canvas, line: Line, table: Structure | null, tag: "TH" | "TD"): void {
  const { document, y } = canvas;
  const last = line.cells.at(-1);
  const right = last === undefined ? MARGIN : last.x + last.width + PADDING;
  drawArtifact(canvas, "Layout", () => {
    if (tag === "TH") document.rect(MARGIN, y, right - MARGIN, line.height).fill("#e6e9ee");
    const under = y + line.height;
    document.lineWidth(0.4).strokeColor("#b5bcc6").moveTo(MARGIN, under).lineTo(right, under).stroke();
  });
  document.font(line.font).fillColor("#000000");
  const draw = ({ text, x, width, align, size }: Cell): void => {
    document.fontSize(size).text(text, x, y + 2.5, { width, align });
  };
  if (table === null) drawArtifact(canvas, "Pagination", () => line.cells.forEach(draw));
  else {
    const row = document.struct("TR");
    table.add(row);
    for (const cell of line.cells) drawTagged(canvas, row, tag, () => draw(cell));
    row.end();
  }
  canvas.y += line.height;
}

/** Who made, checked and approved it, with room for a name, a date and a hand. */
function drawSignatures(canvas: Canvas): void {
  const { document, root, words } = canvas;
  canvas.y += 14;
  if (canvas.y + SIGNATURES_HEIGHT > BOTTOM) nextPage(canvas);
  drawHeading(canvas, "H2", words.signatures, 11);
  const { y } = canvas;
  const width = WIDTH / 3;
  for (const [at, who] of [words.prepared, words.checked, words.approved].entries()) {
    const x = MARGIN + at * width;
    document.font("Helvetica-Bold").fontSize(TEXT_SIZE + 1);
    drawTagged(canvas, root, "P", () => document.text(who, x, y, { width: width - 20 }));
    document.font("Helvetica");
    for (const [under, label] of [words.name, words.signedOn].entries()) {
      const lineY = y + 58 + under * 22;
      drawTagged(canvas, root, "P", () => document.text(`${label}:`, x, lineY, { width: 60 }));
      drawArtifact(canvas, "Layout", () => {
        document.lineWidth(0.6).strokeColor("#000000");
        document
          .moveTo(x + 46, lineY + 9)
          .lineTo(x + width - 20, lineY + 9)
          .stroke();
      });
    }
  }
  canvas.y += SIGNATURES_HEIGHT - 16;
}

function drawFooters(canvas: Canvas, text: string): void {
  const { document, words } = canvas;
  const { start, count } = document.bufferedPageRange();
  for (let page = start; page < start + count; page += 1) {
    document.switchToPage(page);
    drawArtifact(canvas, "Pagination", () => {
      document.font("Helvetica").fontSize(7).fillColor("#444444");
      document.text(`${words.page} ${page + 1}/${count}`, MARGIN, FOOTER, { lineBreak: false });
      document.text(printable(text).trim(), MARGIN + 80, FOOTER, {
        width: WIDTH - 80,
        align: "right",
        height: 20,
        ellipsis: true,
      });
    });
  }
}
