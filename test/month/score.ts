import type { TestDatabase } from "../support/services";
import type { Truth } from "../support/settlement-days";

/** What must be found of a day's lines and payments; what agrees is left out. */
export interface Wanted {
  readonly date: string;
  /** Class by line of the file. */
  readonly byLine: ReadonlyMap<number, string>;
  /** How many payments no line speaks of. */
  readonly missingInFile: number;
}

/** How well the damages were found, for one class. */
export interface Score {
  readonly class: string;
  /** Lines, or payments, that were damaged so. */
  readonly made: number;
  /** Of these, found not to agree, whatever they were called. */
  readonly detected: number;
  /** Of these, called by the right class. */
  readonly named: number;
  /** Found of this class where something else was made, or nothing. */
  readonly falseAlarms: number;
}

/** What the damages of a day must be found as. @param expected of each truth, its lines' classes in their order */
export function wantedOf(date: string, truths: readonly Truth[], expected: readonly (readonly string[])[]): Wanted {
  const byLine = new Map<number, string>();
  let missingInFile = 0;
  // The header is the first line of the file.
  let lineNo = 1;
  for (const index of truths.keys()) {
    for (const found of expected[index] ?? []) {
      if (found === "missing-in-file") missingInFile += 1;
      else {
        lineNo += 1;
        if (found !== "matched") byLine.set(lineNo, found);
      }
    }
  }
  return { date, byLine, missingInFile };
}

/** Holds what the runs found against what was made, line by line. Reads the findings as the first runs left them. */
export async function scoreOf(database: TestDatabase, days: readonly Wanted[]): Promise<Score[]> {
  const scores = new Map<string, { made: number; detected: number; named: number; falseAlarms: number }>();
  const of = (name: string) => {
    const score = scores.get(name) ?? { made: 0, detected: 0, named: 0, falseAlarms: 0 };
    scores.set(name, score);
    return score;
  };
  for (const { date, byLine, missingInFile } of days) {
    const rows = await database.query<{ line_no: number | null; class: string }>(
      `select line_no, class from reconciliation_finding where business_date = $1::date and replaced_by_run is null`,
      [date],
    );
    const found = new Map(rows.flatMap((row) => (row.line_no === null ? [] : [[row.line_no, row.class] as const])));
    for (const [lineNo, wanted] of byLine) {
      const score = of(wanted);
      score.made += 1;
      const is = found.get(lineNo);
      if (is !== undefined) score.detected += 1;
      if (is === wanted) score.named += 1;
    }
    for (const [lineNo, is] of found) if (byLine.get(lineNo) !== is) of(is).falseAlarms += 1;
    const missing = rows.filter((row) => row.line_no === null).length;
    const score = of("missing-in-file");
    score.made += missingInFile;
    score.detected += Math.min(missing, missingInFile);
    score.named += Math.min(missing, missingInFile);
    score.falseAlarms += Math.max(0, missing - missingInFile);
  }
  return [...scores]
    .map(([name, score]) => ({ class: name, ...score }))
    .toSorted((a, b) => (a.class < b.class ? -1 : 1));
}

/** One line for each class, and one for all. */
export function scoreText(scores: readonly Score[]): string[] {
  const sum = (pick: (score: Score) => number): number => scores.reduce((total, score) => total + pick(score), 0);
  const line = (name: string, made: number, detected: number, named: number, falseAlarms: number): string =>
    `  ${name}: ${made} made, ${detected} detected, ${named} named, ${falseAlarms} false alarms`;
  return [
    ...scores.map((each) => line(each.class, each.made, each.detected, each.named, each.falseAlarms)),
    line(
      "all",
      sum(({ made }) => made),
      sum(({ detected }) => detected),
      sum(({ named }) => named),
      sum(({ falseAlarms }) => falseAlarms),
    ),
  ];
}
