import type { Attempted, ComparedField, LedgerPayment, LineRef, LineResult, SettlementLine } from "./reconciliation";

/** The rule that is always tried first. */
export const TRAX_RULE = "traxId";

/** A line that its traxId did not decide, and what stood in the way. */
export interface OpenLine {
  readonly line: SettlementLine;
  readonly tried: readonly Attempted[];
  /** The payment of that traxId, where there is one that cannot be it. */
  readonly nearest: LedgerPayment | null;
}

/** What the traxId decided, and what is left for the declared rules. */
export interface TraxDecision {
  readonly decided: readonly LineResult[];
  readonly open: readonly OpenLine[];
}

/** Order of lines: by file, then by line number. */
export function byLine(a: LineRef, b: LineRef): number {
  return a.fileId - b.fileId || a.lineNo - b.lineNo;
}

/**
 * How a line and the payment that it stands for agree: the class, and every field that differs. Where no money moved on
 * either side, nothing else is compared.
 */
export function compareLine(
  line: Pick<SettlementLine, "amount" | "feeAmount" | "businessDate" | "status">,
  payment: Pick<LedgerPayment, "amount" | "feeAmount" | "businessDate" | "state">,
): Pick<LineResult, "class" | "differingFields"> {
  const hasMovedHere = payment.state === "accepted";
  if (line.status !== "paid" && !hasMovedHere) return { class: "matched", differingFields: [] };
  const differing: ComparedField[] = [];
  if ((line.status === "paid") !== hasMovedHere) differing.push("status");
  if (line.amount !== payment.amount) differing.push("amount");
  if (line.feeAmount !== null && line.feeAmount !== payment.feeAmount) differing.push("feeAmount");
  if (line.businessDate !== payment.businessDate) differing.push("businessDate");
  return { class: classOf(line.status, payment.state, differing[0]), differingFields: differing };
}

function classOf(
  status: SettlementLine["status"],
  state: LedgerPayment["state"],
  first: ComparedField | undefined,
): LineResult["class"] {
  if (first === undefined) return "matched";
  if (first === "amount") return "amount-differs";
  if (first === "feeAmount") return "fee-differs";
  if (first === "businessDate") return "wrong-business-date";
  if (status === "reversed") return "reversed-there";
  if (state === "given-up") return "recovered";
  return state === "reversed" ? "reversed-here" : "status-differs";
}

/**
 * Decides all lines of one traxId against the payment of that traxId, or against its absence.
 *
 * One line becomes the head and stands for the payment: the first that agrees in everything, else the first. A payment
 * that is reported and later reversed is two lines of one traxId; what failed before it was paid is a line of its own.
 *
 * @param lines all of one traxId that are to be decided, in any order
 * @param earlier lines of it that say "paid" and are decided already; they matter only where no payment is known
 */
export function decideByTraxId(
  lines: readonly SettlementLine[],
  payment: LedgerPayment | null,
  earlier: readonly SettlementLine[] = [],
): TraxDecision {
  const decided: LineResult[] = [];
  const open: OpenLine[] = [];
  if (payment === null && lines.every(({ traxId }) => traxId !== null && isPlaceholderTraxId(traxId))) {
    return { decided, open: lines.map((line) => ({ line, tried: [attempt(null, "traxId")], nearest: null })) };
  }
  const own: SettlementLine[] = [];
  for (const line of lines.toSorted(byLine)) {
    const blockedBy = payment === null ? null : strangeField(line, payment);
    if (blockedBy === null) own.push(line);
    else open.push({ line, tried: [attempt(payment, blockedBy)], nearest: payment });
  }
  const [paid, reversed, failed] = (["paid", "reversed", "failed"] as const).map((status) =>
    own.filter((line) => line.status === status),
  ) as [SettlementLine[], SettlementLine[], SettlementLine[]];

  if (payment === null || payment.heldBy !== null) {
    if (payment === null) decideWithout({ paid, reversed }, earlier, decided, open);
    else decideHeld({ paid, reversed }, payment, decided);
    decided.push(...failed.map((line) => nothingMoved(line, payment)));
    return { decided, open };
  }
  const group = [paid, reversed, failed].find(({ length }) => length > 0) ?? [];
  // A file that takes a paid line back itself, for a payment that is not accepted here either, has moved nothing.
  const undoingOf = ({ fileId }: LineRef): SettlementLine | undefined =>
    group === paid && payment.state !== "accepted" ? reversed.find((line) => line.fileId === fileId) : undefined;
  const asCompared = (line: SettlementLine): SettlementLine =>
    undoingOf(line) === undefined ? line : { ...line, status: "reversed" };
  const head = group.find((line) => compareLine(asCompared(line), payment).class === "matched") ?? group[0];
  if (head === undefined) return { decided, open };
  decided.push(linked(head, payment, TRAX_RULE, compareLine(asCompared(head), payment)));
  decided.push(...group.filter((line) => line !== head).map((line) => duplicate(line, payment, head)));
  if (group === paid) {
    const undoing = undoingOf(head);
    decided.push(
      ...reversed.map((line, index) =>
        line === undoing
          ? { ...nothingMoved(line, payment), head: refOf(head) }
          : reversalBeside(line, index < paid.length, payment, head),
      ),
    );
  }
  if (group !== failed) decided.push(...failed.map((line) => nothingMoved(line, payment)));
  return { decided, open };
}

type ByStatus = { readonly paid: readonly SettlementLine[]; readonly reversed: readonly SettlementLine[] };

/**
 * Whether a text in the column of traxIds is none: spreadsheets turn long numbers into `4.41E+06` and empty cells into `0`,
 * and people write dashes. Such a text is shared by lines that have nothing to do with each other.
 */
export function isPlaceholderTraxId(traxId: string): boolean {
  return /^[-.,_*?#/ ]*$|^0+([.,]0*)?$|^[+-]?[0-9]+([.,][0-9]*)?e[+-]?[0-9]+$|^(n\/?a|nil|null|none|nan)$/i.test(
    traxId,
  );
}

/**
 * The traxId is not known here: what was paid is left to the other rules, unless the file itself takes it back. Lines are
 * copies of each other only when they also agree in bill, product and amount; others share the traxId by mistake.
 */
function decideWithout(
  { paid, reversed }: ByStatus,
  earlier: readonly SettlementLine[],
  decided: LineResult[],
  open: OpenLine[],
): void {
  decided.push(...reversed.map((line) => nothingMoved(line, null)));
  // Each line that says "reversed" takes back one of its own file that says "paid" for its bill, product and amount. Of
  // another file it takes back nothing: that file can be replaced, and the paid line would stay decided without a reason.
  const takenBack = bucketsOf(reversed, subjectInFile);
  const decidedBefore = new Map(
    earlier
      .toSorted(byLine)
      .toReversed()
      .map((line) => [subjectOf(line), line]),
  );
  const left: SettlementLine[] = [];
  for (const [subject, lines] of bucketsOf(paid, subjectInFile)) {
    const ofReversed = takenBack.get(subject)?.length ?? 0;
    decided.push(...lines.slice(0, ofReversed).map((line) => nothingMoved(line, null)));
    left.push(...lines.slice(ofReversed));
  }
  for (const [subject, [first, ...further]] of bucketsOf(left, subjectOf)) {
    const before = decidedBefore.get(subject);
    if (first === undefined) continue;
    if (before !== undefined) decided.push(duplicate(first, null, before));
    else open.push({ line: first, tried: [attempt(null, "traxId")], nearest: null });
    decided.push(...further.map((line) => duplicate(line, null, before ?? first)));
  }
}

function subjectOf({ billNumber, productCode, amount }: SettlementLine): string {
  return JSON.stringify([billNumber, productCode, amount.toString()]);
}

function subjectInFile(line: SettlementLine): string {
  return `${line.fileId} ${subjectOf(line)}`;
}

/** Another line stands for the payment already. */
function decideHeld({ paid, reversed }: ByStatus, payment: LedgerPayment, decided: LineResult[]): void {
  const holder = payment.heldBy as LineRef;
  decided.push(...paid.map((line) => duplicate(line, payment, holder)));
  const ofPaid = paid.length + 1;
  decided.push(...reversed.map((line, index) => reversalBeside(line, index < ofPaid, payment, holder)));
}

/** A line that says "reversed" beside those that say "paid": each takes one of them back, and what is more is a duplicate. */
function reversalBeside(line: SettlementLine, takesBack: boolean, payment: LedgerPayment, head: LineRef): LineResult {
  if (!takesBack) return duplicate(line, payment, head);
  const tried = [attempt(payment, "status")];
  return { ...bare(line), class: "reversed-there", nearest: payment, differingFields: ["status"], tried };
}

/** The field in which a line is not about the payment that bears its traxId; null when it may be. */
function strangeField(line: SettlementLine, payment: LedgerPayment): ComparedField | null {
  if (line.productCode !== null && line.productCode !== payment.productCode) return "productCode";
  return line.billNumber !== null && line.billNumber !== payment.billNumber ? "billNumber" : null;
}

function attempt(payment: LedgerPayment | null, blockedBy: ComparedField, heldBy?: LineRef): Attempted {
  const nearest = payment === null ? null : { traxId: payment.traxId, entryId: payment.entryId };
  return { rule: TRAX_RULE, nearest, blockedBy, ...(heldBy === undefined ? {} : { heldBy: refOf(heldBy) }) };
}

function duplicate(line: SettlementLine, payment: LedgerPayment | null, holder: LineRef): LineResult {
  const tried = [attempt(payment, "heldBy", holder)];
  return { ...bare(line), class: "duplicate-in-file", nearest: payment, tried };
}

/** Neither side has moved money. The line is reconciled without a payment. */
function nothingMoved(line: SettlementLine, payment: LedgerPayment | null): LineResult {
  return { ...bare(line), class: "matched", rule: TRAX_RULE, nearest: payment };
}

/** A line that stands for a payment. What was declined never moved money: there is nothing to hold. */
export function linked(
  line: SettlementLine,
  payment: LedgerPayment,
  rule: string,
  found: Pick<LineResult, "class" | "differingFields">,
  tried: readonly Attempted[] = [],
): LineResult {
  const payments = payment.entryId === null ? [] : [payment];
  return { ...bare(line), ...found, rule, payments, nearest: payment, tried };
}

/** A line of which nothing is known yet but that it is missing here. */
export function bare(line: SettlementLine): LineResult {
  return {
    ...{ line: refOf(line), class: "missing-here", rule: null, payments: [], head: null, whole: null },
    ...{ nearest: null, differingFields: [], tried: [] },
  };
}

/** Only the reference of a line. */
export function refOf({ fileId, lineNo }: LineRef): LineRef {
  return { fileId, lineNo };
}

/** Items under the key that they share, in their order. */
export function bucketsOf<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const buckets = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, [item]);
    else bucket.push(item);
  }
  return buckets;
}
