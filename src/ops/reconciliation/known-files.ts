import { Fault } from "../../platform";
import { type FileSubject, subjectOf } from "./file-name";
import type { ImportedFile, ImportRequest } from "./import-file";
import type { StoredProfile } from "./profiles";
import type { Session } from "./session";

/** What a file is about, and whose it is. */
export interface Subject extends FileSubject {
  readonly profileCode: string;
  readonly partnerId: number;
}

/** Columns of `settlement_file f` under the names of an imported file. */
export const FILE_COLUMNS = `f.file_id as "fileId", f.file_name as "fileName", f.version,
  f.settlement_date as "settlementDate", f.product_codes as "productCodes", f.line_count as lines,
  f.bad_line_count as "badLines", f.amount_total as amount, f.fee_total as fee, encode(f.content_sha256, 'hex') as sha256,
  f.totals_fault as "totalsFault", f.remarks, f.superseded_by as "supersededBy", f.supplement_of as "supplementOf"`;

/**
 * What a file is about: what its name and the operator say; a supplement is about what the file is about that it corrects.
 *
 * @throws Fault `settlement_file`, `supplement`
 */
export async function subjectFor(
  { run }: Session,
  request: Pick<ImportRequest, "date" | "supplement">,
  { code, partnerId, profile }: StoredProfile,
  fileName: string,
): Promise<Subject> {
  const { date, supplement } = request;
  if (!supplement) return { ...subjectOf(profile, fileName, date), profileCode: code, partnerId };
  if (supplement.lineNos.length === 0) {
    throw new Fault("supplement", "a supplement must name the lines that it corrects", { remedy: "name-the-lines" });
  }
  const [file] = await run<FileSubject & { readonly profileCode: string; readonly supersededBy: number | null }>(
    `select settlement_date as "settlementDate", product_codes as "productCodes", profile_code as "profileCode",
            superseded_by as "supersededBy"
       from settlement_file where file_id = $1`,
    [supplement.ofFileId],
  );
  const { ofFileId } = supplement;
  if (file === undefined) throw new Fault("supplement", `there is no file ${ofFileId}`);
  if (file.profileCode !== code) throw new Fault("supplement", `file ${ofFileId} is of profile ${file.profileCode}`);
  if (file.supersededBy !== null) {
    throw new Fault("supplement", `file ${ofFileId} was replaced by file ${file.supersededBy}: supplement that one`);
  }
  if (date !== null && date !== file.settlementDate) {
    throw new Fault("supplement", `file ${ofFileId} is of business date ${file.settlementDate}, not ${date}`);
  }
  const { settlementDate, productCodes } = file;
  return { settlementDate, productCodes, profileCode: code, partnerId };
}

/** What is known of a file's subject, name and content. */
export interface Known {
  /** Nothing is to be done: this content is known for the subject. */
  readonly known: ImportedFile | null;
  /** The current file of this subject and name, which the new one replaces. */
  readonly before: ImportedFile | null;
  readonly lastVersion: number;
  readonly remarks: readonly string[];
}

/**
 * Looks a file up by subject, name and content.
 *
 * Content that an older version of the same name had becomes a version again when the file is to be replaced; otherwise it
 * is known. A file without lines has the same content every day. One with lines that is known of another business date or
 * product is refused: most often somebody took yesterday's file for today's, and what it says would be settled twice.
 *
 * @throws Fault `settlement_file_repeated`
 */
export async function findKnown(
  { run }: Session,
  subject: Subject,
  fileName: string,
  sha256: Buffer,
  request: Pick<ImportRequest, "mayReplace" | "acceptsSameContent">,
): Promise<Known> {
  const { profileCode, partnerId, settlementDate, productCodes } = subject;
  const about = [profileCode, partnerId, settlementDate, productCodes];
  const isOfSubject = `f.partner_id = $2::int and f.settlement_date = $3::date and f.product_codes = $4::text[]`;
  const versions = await run<ImportedFile>(
    `select ${FILE_COLUMNS} from settlement_file f
      where f.profile_code = $1 and ${isOfSubject} and f.file_name = $5 order by f.version`,
    [...about, fileName],
  );
  const before = versions.find(({ supersededBy }) => supersededBy === null) ?? null;
  const same = await run<ImportedFile & { readonly isOfSubject: boolean }>(
    `select ${FILE_COLUMNS}, ${isOfSubject} as "isOfSubject" from settlement_file f
      where f.profile_code = $1 and f.content_sha256 = $5 order by f.superseded_by nulls first, f.file_id`,
    [...about, sha256],
  );
  const [known] = same.filter((each) => each.isOfSubject);
  const lastVersion = versions.at(-1)?.version ?? 0;
  const isReturning = known?.supersededBy !== null && known?.fileName === fileName && request.mayReplace;
  if (known !== undefined && !isReturning) {
    const { isOfSubject: _inner, ...file } = known;
    return { known: file, before, lastVersion, remarks: [] };
  }
  const [elsewhere] = same.filter((each) => !each.isOfSubject && each.supersededBy === null && each.lines > 0);
  if (elsewhere === undefined) return { known: null, before, lastVersion, remarks: [] };
  const { fileId, lines } = elsewhere;
  const products = elsewhere.productCodes.length === 0 ? "" : `, ${elsewhere.productCodes.join(", ")}`;
  const where = `file ${fileId}, ${elsewhere.fileName} of ${elsewhere.settlementDate}${products}`;
  if (request.acceptsSameContent !== true) {
    throw new Fault(
      "settlement_file_repeated",
      `the ${lines} lines of ${fileName} for ${settlementDate} are, byte for byte, those of ${where}`,
      { remedy: "accept-the-same-content" },
    );
  }
  return { known: null, before, lastVersion, remarks: [`the same content as ${where}`] };
}

/**
 * The files that a new version takes the place of: the version before it, and its supplements, whose lines the new version
 * is to hold itself.
 *
 * @throws Fault `settlement_file_changed`, `settlement_file_resolved`
 */
export async function replaceableFiles(
  { run }: Session,
  before: ImportedFile,
  mayReplace: boolean,
): Promise<readonly number[]> {
  const { fileName, version, fileId } = before;
  if (!mayReplace) {
    throw new Fault(
      "settlement_file_changed",
      `${fileName} is known with another content (file ${fileId}, version ${version}, ${before.lines} lines, ` +
        `sha256 ${before.sha256.slice(0, 16)}…); this one can become version ${version + 1}`,
      { remedy: "replace-the-file" },
    );
  }
  const files = await run<{ fileId: number; resolved: number; posted: number }>(FILES_WITH_SUPPLEMENTS, [fileId]);
  const resolved = files.reduce((sum, each) => sum + each.resolved, 0);
  if (resolved > 0) {
    throw new Fault(
      "settlement_file_resolved",
      `${resolved} exceptions of version ${version} of ${fileName} are resolved: it cannot be replaced any more`,
      { remedy: "supplement-the-file" },
    );
  }
  if (files.some(({ posted }) => posted > 0)) {
    throw new Fault(
      "settlement_file_resolved",
      `lines of version ${version} of ${fileName} are settled: it cannot be replaced any more`,
      { remedy: "supplement-the-file" },
    );
  }
  return files.map((each) => each.fileId);
}

/** What is worth knowing about a replacement. */
export function remarksOfReplacing(before: ImportedFile | null, replaced: readonly number[]): string[] {
  const supplements = replaced.filter((fileId) => fileId !== before?.fileId);
  return supplements.length === 0 ? [] : [`also replaces the supplements of the version before: ${supplements.join()}`];
}

/** $1 the file. A supplement can have supplements of its own. */
const FILES_WITH_SUPPLEMENTS = `
  with recursive family(file_id) as (
    select $1::int
    union
    select f.file_id from settlement_file f join family on f.supplement_of = family.file_id and f.superseded_by is null
  )
  select y.file_id as "fileId",
         (select count(*)::int from reconciliation_finding r where r.file_id = y.file_id and r.resolved_at is not null)
           as resolved,
         (select count(*)::int from settlement_posting p where p.file_id = y.file_id) as posted
    from family y order by y.file_id`;
