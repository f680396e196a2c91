/** How a case or a run ended. */
export type Verdict = "pass" | "fail" | "skipped";

/** One column of a bit61. */
export interface ColumnReport {
  readonly name: string;
  readonly offset: number;
  readonly width: number;
  /** The characters themselves; blanks are data. */
  readonly raw: string;
  readonly problem: string | null;
}

/** One request and its answer, as bytes. Times in milliseconds. */
export interface AnswerReport {
  readonly request: string;
  /** How the caller behaved, when not patiently. */
  readonly manner: string | null;
  readonly status: number | null;
  readonly reply: string | null;
  readonly replyBytes: number;
  readonly isReplay: boolean;
  /** Why there is no answer, or null. */
  readonly failure: string | null;
  readonly durationMs: number;
  /** bit61 of request and reply, column by column; empty where its layout is not known. */
  readonly bit61: readonly { readonly of: "request" | "reply"; readonly columns: readonly ColumnReport[] }[];
}

/** One step of a case. */
export interface StepReport {
  readonly step: string;
  readonly expected: string;
  readonly got: string;
  /** Empty when the step passed. */
  readonly problems: readonly string[];
  readonly answers: readonly AnswerReport[];
}

/** One case. */
export interface CaseReport {
  readonly name: string;
  readonly purpose: string;
  readonly verdict: Verdict;
  /** Why it was skipped, or null. */
  readonly reason: string | null;
  readonly billNumbers: readonly string[];
  readonly durationMs: number;
  readonly steps: readonly StepReport[];
}

/** A whole run: what `uat-report.json` holds. It never holds a password. */
export interface UatReport {
  readonly simulation: string;
  readonly verdict: Verdict;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly billerUrl: string;
  readonly userName: string;
  readonly productCode: string;
  readonly signature: string;
  /** Run again with this seed and the same bills, unpaid, it sends the same traxIds. */
  readonly seed: string;
  readonly totals: Readonly<Record<Verdict, number>> & { readonly requests: number };
  readonly cases: readonly CaseReport[];
}

/** The report as JSON, with secrets taken out of every text in it, wherever a biller may have put them. */
export function reportJson(report: UatReport, secrets: readonly string[]): string {
  return `${JSON.stringify(withoutSecrets(report, secrets), null, 2)}\n`;
}

/** A report without these texts: what a biller echoes must not carry a password into the evidence. */
export function withoutSecrets<T>(value: T, secrets: readonly string[]): T {
  const kept = secrets.filter((secret) => secret !== "");
  const clean = (each: unknown): unknown => {
    if (typeof each === "string") {
      return kept.reduce((text, secret) => {
        const inJson = JSON.stringify(secret).slice(1, -1);
        return text.replaceAll(secret, "(password)").replaceAll(inJson, "(password)");
      }, each);
    }
    if (Array.isArray(each)) return each.map(clean);
    if (typeof each !== "object" || each === null) return each;
    return Object.fromEntries(Object.entries(each).map(([name, inner]) => [name, clean(inner)]));
  };
  return clean(value) as T;
}
