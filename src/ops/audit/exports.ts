import { createHash } from "node:crypto";
import type { Clock } from "../../platform";
import { FORMATS, type FormatName } from "./export-formats";
import type { Question } from "./filters";
import { type Listing, readPage } from "./listing";
import { type AuditReader, type Freshness, readFreshness } from "./reader";

/** What an export holds, so that a copy of it can be checked later. */
export interface ExportManifest {
  readonly exportId: string;
  readonly listing: string;
  readonly format: FormatName;
  readonly columns: readonly string[];
  readonly filter: Readonly<Record<string, string>>;
  readonly asOf: string;
  readonly completeUntil: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  /** False when whoever asked went away, or the database did, before the end. */
  readonly isComplete: boolean;
}

/** A running export. */
export interface Export {
  readonly exportId: string;
  readonly contentType: string;
  readonly fileName: string;
  /** The file, piece by piece; each piece is read from the database when the one before it was taken. */
  readonly pieces: AsyncIterable<Buffer>;
  /** What has been handed out so far; whole once `pieces` has ended. */
  manifest(): ExportManifest;
}

/** What is to be exported. */
export interface ExportOptions {
  readonly exportId: string;
  readonly question: Question;
  readonly format: FormatName;
  /** Aborted when whoever asked goes away: the running statement is cancelled, and no other follows. */
  readonly signal: AbortSignal;
}

const PAGE_ROWS = 1_000;
const PAGE_TIMEOUT_MS = 30_000;
const EXPORT_BUDGET_MS = 5_000;

/**
 * Starts an export of everything that a question fits, oldest first. Rows are read page by page, each in a transaction of
 * its own: a long export holds no snapshot, which would keep the database from tidying up behind the payments. The books
 * are append-only, so pages of different moments still fit together; `completeUntil` of the first one is what is promised.
 */
export async function startExport(
  reader: AuditReader,
  clock: Clock,
  listing: Listing,
  options: ExportOptions,
): Promise<Export> {
  const { exportId, format, signal } = options;
  const freshness: Freshness = await reader.ask({ timeoutMs: PAGE_TIMEOUT_MS, signal }, readFreshness);
  const writer = FORMATS[format].open(listing.columns, listing.name);
  const hash = createHash("sha256");
  let [rows, bytes, isComplete, sha256] = [0, 0, false, ""];

  const counted = (piece: Buffer): Buffer => {
    hash.update(piece);
    bytes += piece.length;
    return piece;
  };
  async function* pieces(): AsyncGenerator<Buffer> {
    yield counted(writer.head());
    let cursor: string | null = null;
    do {
      signal.throwIfAborted();
      const question: Question = { ...options.question, limit: PAGE_ROWS, order: "asc", cursor };
      const page = await reader.ask({ timeoutMs: PAGE_TIMEOUT_MS, signal }, (tx) =>
        readPage(tx, clock, listing, question, EXPORT_BUDGET_MS),
      );
      if ("problem" in page) throw new Error(`an export's own cursor was refused: ${page.problem}`);
      rows += page.rows.length;
      if (page.rows.length > 0) yield counted(writer.rows(page.rows));
      cursor = page.next;
    } while (cursor !== null);
    yield counted(writer.end());
    isComplete = true;
  }

  return {
    exportId,
    contentType: FORMATS[format].contentType,
    fileName: `${listing.name}-${freshness.asOf.slice(0, 19).replaceAll(/[:-]/g, "")}Z.${FORMATS[format].extension}`,
    pieces: pieces(),
    manifest() {
      sha256 ||= hash.digest("hex");
      return {
        ...{ exportId, listing: listing.name, format, columns: listing.columns.map(({ name }) => name) },
        ...{ filter: options.question.filters, asOf: freshness.asOf, completeUntil: freshness.completeUntil },
        ...{ rows, bytes, sha256, isComplete },
      };
    },
  };
}
