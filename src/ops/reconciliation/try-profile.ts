import { basename } from "node:path";
import { placesOf, type SettlementProfile } from "../../domain";
import { Fault, type Remedy } from "../../platform";
import { fileLineOf, lineBlocksOf } from "./file-lines";
import { type FileSubject, subjectOf } from "./file-name";
import { fileReader, type FileReader, type FileSummary, type ReadLine } from "./file-reader";
import { chunksOf, sizeOf } from "./import-file";
import type { LineValues } from "./line-reader";
import { rawOf } from "./shown-text";

/** A file, and the profile that is tried on it. */
export interface TrialRequest {
  readonly profile: SettlementProfile;
  readonly path: string;
  /** Business date, where the name does not tell it. */
  readonly date: string | null;
  /** How many readable lines are shown. */
  readonly lines: number;
  readonly onProgress?: (progress: {
    readonly bytes: number;
    readonly ofBytes: number;
    readonly lines: number;
  }) => void;
}

/** What stands in the way of an import. */
export interface TrialProblem {
  readonly problem: string;
  readonly remedy: Remedy | null;
}

/** Lines that cannot be read for the same reason. */
export interface BadKind {
  /** Name in the profile; null: the line as a whole. */
  readonly column: string | null;
  /** Where the column stands in the file. */
  readonly where: string | null;
  /** That of the first line. */
  readonly reason: string;
  readonly count: number;
  /** The first lines; `value` is what stood in the column, or the beginning of the line, cut and escaped. */
  readonly examples: readonly { readonly lineNo: number; readonly reason: string; readonly value: string }[];
}

/** What an import would make of a file. Nothing is stored. Whole rupiah. */
export interface ProfileTrial {
  readonly fileName: string;
  /** What the file is about by its name; null: the name is refused. */
  readonly subject: FileSubject | null;
  /** readAs: what the profile reads out of the column. */
  readonly header: {
    readonly lineNo: number;
    readonly columns: readonly { readonly name: string; readonly readAs: readonly string[] }[];
  } | null;
  /** The first readable lines. */
  readonly lines: readonly (Omit<LineValues, "told"> & { readonly lineNo: number })[];
  readonly badKinds: readonly BadKind[];
  /** Lines of more kinds than are kept. */
  readonly badOfOtherKinds: number;
  readonly counts: FileSummary["counts"];
  readonly remarks: readonly string[];
  /** agree: null where there are none. */
  readonly controlTotals: { readonly agree: boolean | null; readonly fault: string | null };
  readonly problems: readonly TrialProblem[];
  readonly isImportable: boolean;
}

const KINDS_MAX = 50;
const EXAMPLES_MAX = 3;
const SHOWN_MAX = 60;

/**
 * Reads a file by a profile as an import would, to its end or to where it is refused, and stores nothing. Whether the file
 * or its name is known already is not asked.
 *
 * @throws Fault when there is no such file
 */
export async function tryProfile(request: TrialRequest): Promise<ProfileTrial> {
  const { profile, path, date } = request;
  const fileName = basename(path);
  const problems: TrialProblem[] = [];
  const ofBytes = await sizeOf(path);
  const subject = attempt(problems, () => subjectOf(profile, fileName, date));
  const reader = fileReader(profile, subject ?? { settlementDate: date, productCodes: profile.productCodes });
  const lines: ProfileTrial["lines"][number][] = [];
  const kinds = new BadKinds();
  try {
    for await (const found of readLines(request, reader, ofBytes)) {
      if ("fault" in found) kinds.add(found);
      else if (lines.length < request.lines) {
        const { told: _told, ...values } = found.values;
        lines.push({ lineNo: found.lineNo, ...values });
      }
    }
    reader.finish();
  } catch (error) {
    problems.push(problemOf(error));
  }
  const { counts, remarks, totalsFault, controls, header } = reader.summary();
  // Of a file that was refused, only a part may have been counted.
  const areTotalsKnown = controls > 0 && problems.length === (subject === null ? 1 : 0);
  if (areTotalsKnown && totalsFault !== null)
    problems.push({ problem: `control totals do not agree: ${totalsFault}`, remedy: "accept-the-totals" });
  return {
    fileName,
    subject,
    header: header === null ? null : { lineNo: header.lineNo, columns: columnsOf(profile, header.names) },
    lines,
    badKinds: kinds.all(),
    badOfOtherKinds: kinds.others,
    counts,
    remarks,
    controlTotals: areTotalsKnown ? { agree: totalsFault === null, fault: totalsFault } : { agree: null, fault: null },
    problems,
    isImportable: problems.length === 0,
  };
}

async function* readLines(
  { profile, path, onProgress }: TrialRequest,
  reader: FileReader,
  ofBytes: number,
): AsyncGenerator<ReadLine, void> {
  let bytes = 0;
  const chunks = chunksOf(path, (chunk) => {
    bytes += chunk.length;
  });
  for await (const block of lineBlocksOf(chunks, profile.encoding)) {
    let start = 0;
    for (let lineNo = block.before + 1; lineNo <= block.before + block.count; lineNo += 1) {
      const next = block.bytes.indexOf(10, start);
      const end = next < 0 ? block.bytes.length : next;
      const found = reader.read(
        block.tooLong ?? fileLineOf(lineNo, block.bytes.subarray(start, end), profile.encoding),
      );
      start = end + 1;
      if (found !== null) yield found;
    }
    onProgress?.({ bytes, ofBytes, lines: block.before + block.count });
  }
}

function attempt<T>(problems: TrialProblem[], work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    problems.push(problemOf(error));
    return null;
  }
}

/** What a fault of the file says; every other error goes on. */
function problemOf(error: unknown): TrialProblem {
  if (!(error instanceof Fault) || error.code !== "settlement_file") throw error;
  return { problem: error.message, remedy: error.remedy };
}

function columnsOf(
  profile: SettlementProfile,
  names: readonly string[],
): { readonly name: string; readonly readAs: readonly string[] }[] {
  const places = placesOf({ columns: profile.columns, opening: null, trailer: null });
  return names.map((name, index) => ({
    name: rawOf(name, SHOWN_MAX),
    readAs: places.flatMap(([path, at]) =>
      at === index + 1 || (at === name && names.indexOf(name) === index) ? [path.split(".")[1] as string] : [],
    ),
  }));
}

/** Unreadable lines by what is wrong with them; numbers in a reason make no difference. */
class BadKinds {
  others = 0;
  readonly #kinds = new Map<
    string,
    Omit<BadKind, "count" | "examples"> & { count: number; examples: BadKind["examples"][number][] }
  >();

  add({ lineNo, why, raw }: Extract<ReadLine, { fault: string }>): void {
    const key = `${why.column ?? ""}\n${why.reason.replaceAll(/[0-9]+/g, "#")}`;
    let kind = this.#kinds.get(key);
    if (kind === undefined) {
      if (this.#kinds.size >= KINDS_MAX) {
        this.others += 1;
        return;
      }
      kind = { column: why.column, where: why.where, reason: why.reason, count: 0, examples: [] };
      this.#kinds.set(key, kind);
    }
    kind.count += 1;
    if (kind.examples.length < EXAMPLES_MAX)
      kind.examples.push({ lineNo, reason: why.reason, value: why.value ?? raw.slice(0, SHOWN_MAX) });
  }

  /** The most frequent first. */
  all(): BadKind[] {
    return [...this.#kinds.values()].toSorted((one, other) => other.count - one.count);
  }
}
