import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { from as copyFrom } from "pg-copy-streams";
import type { ActorText } from "../../domain";
import { Fault, messageOf } from "../../platform";
import { recordOperatorAction } from "../../store";
import { copyRows } from "./copy-rows";
import { closeArrived } from "./expected-files";
import { closeLinesOfReplaced, closeSupplementedLines, openUnreadableLines } from "./file-exceptions";
import { fileReader } from "./file-reader";
import { findKnown, remarksOfReplacing, replaceableFiles, subjectFor } from "./known-files";
import { readProfile } from "./profiles";
import { inSession, txOf } from "./session";

/** Largest file that is taken, in bytes. */
export const FILE_BYTES_MAX = 5 * 2 ** 30;
const CHUNK_BYTES = 1 << 18;
/** From so many lines on the planner is told of them at once; the server would do so by itself within minutes. */
const ANALYZE_LINES = 10_000;
/** Rows that may wait for the server while the next are read: reading and storing go on side by side. */
const WRITE_AHEAD_BYTES = 1 << 22;

/** What is to be imported. */
export interface ImportRequest {
  /** Of the service's own role. */
  readonly databaseUrl: string;
  readonly profileCode: string;
  /** On disk: it is read twice, once for its hash. */
  readonly path: string;
  /** The name that counts; left out: that of the path. */
  readonly fileName?: string;
  /** Business date, where the name does not tell it. */
  readonly date: string | null;
  /** A changed file of a known name becomes its next version. */
  readonly mayReplace: boolean;
  /** Take the file although its control totals do not agree. */
  readonly acceptsTotals: boolean;
  /** Take a file with lines although the same content is known of another business date or product. */
  readonly acceptsSameContent?: boolean;
  /** The lines are those that another file of the same subject should have had. */
  readonly supplement?: SupplementRequest | null;
  /** Who imports. */
  readonly by: ActorText;
  readonly onProgress?: (progress: {
    readonly bytes: number;
    readonly ofBytes: number;
    readonly lines: number;
  }) => void;
}

/** What a supplement is of. */
export interface SupplementRequest {
  readonly ofFileId: number;
  /** Lines of that file that could not be read and that the supplement corrects. At least one. */
  readonly lineNos: readonly number[];
}

/** A stored file. Whole rupiah. */
export interface ImportedFile {
  readonly fileId: number;
  readonly fileName: string;
  readonly version: number;
  readonly settlementDate: string;
  readonly productCodes: readonly string[];
  readonly lines: number;
  readonly badLines: number;
  readonly amount: bigint;
  readonly fee: bigint;
  readonly sha256: string;
  readonly totalsFault: string | null;
  readonly remarks: readonly string[];
  /** The file of the next version; null: it is the current one. */
  readonly supersededBy: number | null;
  /** The file whose lines this one corrects; null: none. */
  readonly supplementOf: number | null;
}

/** What became of an import: stored now, or known before. */
export type ImportOutcome =
  | { readonly kind: "imported"; readonly file: ImportedFile; readonly replaced: number | null }
  | { readonly kind: "known"; readonly file: ImportedFile };

/**
 * Imports one settlement file in one transaction: a stopped import leaves nothing. A file is known by what it is about:
 * profile, partner, business date and products. The same content again, of the same subject, changes nothing.
 *
 * @throws Fault `settlement_file`: the file is not what its profile says; `settlement_file_changed`: its name is known with
 *   another content; `settlement_file_repeated`: its lines are those of a file of another date or product;
 *   `settlement_totals`: its control totals do not agree; `settlement_file_resolved`: people have worked on what the version
 *   before had shown, or its lines are posted; `supplement`: the file or lines that it corrects are not there
 */
export async function importSettlementFile(request: ImportRequest): Promise<ImportOutcome> {
  const { path, profileCode } = request;
  const fileName = request.fileName ?? basename(path);
  const byteCount = await sizeOf(path);
  const sha256 = await hashOf(path);
  const { databaseUrl: url } = request;
  return inSession({ url, isolation: "read committed", profileLock: profileCode }, async (session) => {
    const stored = await readProfile(session, profileCode);
    const subject = await subjectFor(session, request, stored, fileName);
    const found = await findKnown(session, subject, fileName, sha256, request);
    if (found.known !== null) return { kind: "known", file: found.known };
    const { before } = found;
    const replaced = before === null ? [] : await replaceableFiles(session, before, request.mayReplace);

    const reader = fileReader(stored.profile, subject);
    const [next] = await session.run<{ id: number }>(
      `select nextval(pg_get_serial_sequence('settlement_file', 'file_id'))::int as id`,
    );
    const fileId = next?.id ?? 0;
    const digest = createHash("sha256");
    let bytes = 0;
    const chunks = chunksOf(path, (chunk) => {
      digest.update(chunk);
      bytes += chunk.length;
    });
    const rows = copyRows(chunks, stored.profile, reader, fileId, (lines) =>
      request.onProgress?.({ bytes, ofBytes: byteCount, lines }),
    );
    await pipeline(rows, session.client.query(copyFrom(COPY_LINES, { highWaterMark: WRITE_AHEAD_BYTES })));
    if (!digest.digest().equals(sha256)) throw new Fault("settlement_file", `${fileName} changed while it was read`);
    const { counts, remarks: read, totalsFault } = reader.finish();
    if (totalsFault !== null && !request.acceptsTotals) {
      throw new Fault("settlement_totals", `control totals of ${fileName} do not agree: ${totalsFault}`, {
        remedy: "accept-the-totals",
      });
    }
    const supplementOf = request.supplement?.ofFileId ?? null;
    if (supplementOf !== null && counts.lines === 0) throw new Fault("supplement", `${fileName} has no line`);
    const remarks = [...read, ...found.remarks, ...remarksOfReplacing(before, replaced)];
    const version = found.lastVersion + 1;
    await session.run(INSERT_FILE, [
      ...[fileId, profileCode, stored.version, stored.partnerId, fileName, version, sha256, byteCount],
      ...[subject.settlementDate, subject.productCodes, counts.lines, counts.badLines, counts.amount, counts.fee],
      ...[totalsFault, remarks, request.by, supplementOf, replaced],
    ]);
    if (counts.lines >= ANALYZE_LINES) await session.run("select analyze_settlement_lines()");
    const tx = txOf(session);
    await closeLinesOfReplaced(tx, replaced, fileId);
    if (counts.badLines > 0) await openUnreadableLines(tx, fileId);
    if (request.supplement) await closeSupplementedLines(tx, { fileId, ...request.supplement });
    await closeArrived(tx);
    const { settlementDate, productCodes } = subject;
    const file: ImportedFile = {
      fileId,
      fileName,
      version,
      settlementDate,
      productCodes,
      ...counts,
      sha256: sha256.toString("hex"),
      totalsFault,
      remarks,
      supersededBy: null,
      supplementOf,
    };
    await recordOperatorAction(tx, {
      actor: request.by,
      action: "settlement-file.import",
      object: `file:${fileId}`,
      after: { fileName, version, sha256: file.sha256, totalsFault, supplementOf },
      detail: `${fileName} version ${version}: ${counts.lines} lines`,
    });
    return { kind: "imported", file, replaced: before?.fileId ?? null };
  });
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((error: unknown) => {
    throw new Fault("settlement_file", `the file cannot be read: ${messageOf(error)}`, { cause: error });
  });
  if (!found.isFile()) throw new Fault("settlement_file", "that is not a file");
  if (found.size === 0) throw new Fault("settlement_file", "the file is empty");
  if (found.size > FILE_BYTES_MAX) {
    throw new Fault(
      "settlement_file",
      `the file has ${found.size} bytes, more than the ${FILE_BYTES_MAX} that are taken`,
    );
  }
  return found.size;
}

async function hashOf(path: string): Promise<Buffer> {
  const digest = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: CHUNK_BYTES }), digest);
  return digest.digest();
}

const COPY_LINES = `copy settlement_line (file_id, line_no, trax_id, product_code, bill_number, amount, fee_amount,
  business_date, paid_at, status, fault, raw) from stdin`;

/** Old versions are marked first: only one version of a name may be the current one. */
const INSERT_FILE = `
  with superseded as (
    update settlement_file set superseded_by = $1 where file_id = any($19::int[]) returning file_id
  )
  insert into settlement_file (file_id, profile_code, profile_version, partner_id, file_name, version, content_sha256,
                               byte_count, settlement_date, product_codes, line_count, bad_line_count, amount_total,
                               fee_total, totals_fault, remarks, imported_by, supplement_of)
  overriding system value
  select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18
    from (select count(*) from superseded) as done`;

async function* chunksOf(path: string, onChunk: (chunk: Buffer) => void): AsyncGenerator<Buffer, void> {
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    onChunk(chunk);
    yield chunk;
  }
}
