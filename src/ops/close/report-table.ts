/** Columns of a report, in the order of the flat table; each section has some of them. */
export const REPORT_KEYS = [
  ...(["section", "item", "profile", "class", "detail", "date", "version", "count", "unreadable", "resolved"] as const),
  ...(["amount", "fee", "difference", "due", "opening", "debits", "credits", "late", "closing"] as const),
] as const;
export type ReportKey = (typeof REPORT_KEYS)[number];

/** What a column holds: amounts are whole rupiah as digits with a minus where negative, dates are `YYYY-MM-DD`. */
export const REPORT_KINDS = {
  section: "text",
  item: "text",
  profile: "text",
  class: "text",
  detail: "text",
  date: "date",
  version: "number",
  count: "number",
  unreadable: "number",
  resolved: "number",
  amount: "amount",
  fee: "amount",
  difference: "amount",
  due: "amount",
  opening: "amount",
  debits: "amount",
  credits: "amount",
  late: "amount",
  closing: "amount",
} as const satisfies Record<ReportKey, "text" | "date" | "number" | "amount">;

/** A column of a section. */
export interface ReportColumn {
  readonly key: ReportKey;
  readonly title: string;
  /** Characters that it is about wide. */
  readonly width: number;
}

/** One line of a section; what it does not say is left out. */
export type ReportRow = Readonly<Partial<Record<ReportKey, string | number>>>;

/** A part of a report: one table. Sections that name the same sheet share it. */
export interface ReportSection {
  readonly sheet: string;
  readonly title: string;
  readonly columns: readonly ReportColumn[];
  readonly rows: readonly ReportRow[];
  /** Whether the figures of its lines add up to something. */
  readonly hasTotal: boolean;
  /** Whether its lines are names and values: where there is nothing to add up, two columns show all of them. */
  readonly isFacts?: boolean;
}
