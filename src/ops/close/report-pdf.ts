import type { DayClose } from "./close";
import type { ReportRow } from "./report";
import { REPORT_WORDS, type ReportLanguage } from "./words";

/** A4, in points. */
const MARGIN = 40;
const BOTTOM = 780;
const COLUMNS = { item: [40, 150], detail: [195, 200], count: [400, 50], amount: [455, 100] } as const;

/** The rows as a document of A4 pages, one heading for each section. Its dates are those of the close: the same bytes again. */
export async function reportPdf(
  close: DayClose,
  rows: readonly ReportRow[],
  language: ReportLanguage,
): Promise<Buffer> {
  // Loaded when it is needed: with its fonts it takes as much memory as the rest of a host's start.
  const { default: PDFDocument } = await import("pdfkit");
  const words = REPORT_WORDS[language];
  const title = `${words.title} ${close.businessDate}`;
  const asOf = new Date(close.asOf);
  const document = new PDFDocument({
    ...{ size: "A4", margin: MARGIN, bufferPages: true },
    info: { Title: title, CreationDate: asOf, ModDate: asOf, Producer: "biller", Creator: "biller" },
  });
  const pieces: Buffer[] = [];
  const done = new Promise<Buffer>((resolve, reject) => {
    document.on("data", (piece: Buffer) => pieces.push(piece));
    document.on("end", () => resolve(Buffer.concat(pieces)));
    document.on("error", reject);
  });
  document.font("Helvetica-Bold").fontSize(16).text(title, MARGIN, MARGIN);
  let y = MARGIN + 30;
  let section = "";
  for (const row of rows) {
    if (row.section !== section) {
      section = row.section;
      y = roomFor(document, y + 8, 30);
      document.font("Helvetica-Bold").fontSize(10).text(printable(section), MARGIN, y);
      y += 16;
    }
    y = writeRow(document, y, row);
  }
  numberPages(document, words.page, close.sha256);
  document.end();
  return done;
}

type Document = PDFKit.PDFDocument;

function writeRow(document: Document, at: number, row: ReportRow): number {
  document.font("Helvetica").fontSize(8);
  const cells = [
    [COLUMNS.item, printable(row.item), "left"],
    [COLUMNS.detail, printable(row.detail), "left"],
    [COLUMNS.count, row.count === null ? "" : grouped(String(row.count)), "right"],
    [COLUMNS.amount, row.amount === null ? "" : grouped(row.amount), "right"],
  ] as const;
  const height = Math.max(...cells.map(([[, width], text]) => document.heightOfString(text || " ", { width })));
  const y = roomFor(document, at, height);
  for (const [[x, width], text, align] of cells) document.text(text, x, y, { width, align });
  return y + height + 3;
}

function roomFor(document: Document, y: number, height: number): number {
  if (y + height <= BOTTOM) return y;
  document.addPage();
  return MARGIN;
}

function numberPages(document: Document, word: string, sha256: string): void {
  const { start, count } = document.bufferedPageRange();
  for (let page = start; page < start + count; page += 1) {
    document.switchToPage(page);
    document.page.margins.bottom = 0;
    document
      .font("Helvetica")
      .fontSize(7)
      .text(`${word} ${page + 1}/${count}   SHA-256 ${sha256}`, MARGIN, 810, { lineBreak: false });
  }
}

/** Digits in groups of three, as Indonesia writes them. */
function grouped(digits: string): string {
  return digits.replaceAll(/\B(?=(\d{3})+$)/g, ".");
}

/** The built-in fonts know Western European letters only. */
function printable(text: string): string {
  return text.replaceAll(/[^\u0020-\u007e\u00a1-\u00ff]/g, "?");
}
