import { daysBetween } from "./business-date";
import type { Attempted, ComparedField, LedgerPayment, LineResult, SettlementLine } from "./reconciliation";
import { bare, bucketsOf, byLine, compareLine, linked, type OpenLine, refOf } from "./reconciliation-trax";
import { sumRupiah } from "./rupiah";
import type { MatchRule } from "./settlement-rules";

/** A line and a payment, and the first field that keeps the rule from joining them. */
interface Candidate {
  readonly payment: LedgerPayment;
  readonly blockedBy: ComparedField | null;
}

type BillRule = Extract<MatchRule, { kind: "bill" }>;

/**
 * Decides the lines of one bill number that their traxId did not decide, by the declared rules, in their order.
 *
 * @param payments payments of that bill number that moved money; those that another line holds are only named as nearest
 */
export function decideByBill(
  openLines: readonly OpenLine[],
  payments: readonly LedgerPayment[],
  rules: readonly MatchRule[],
): LineResult[] {
  const sorted = payments.toSorted(byTime);
  const state: State = {
    open: openLines.toSorted((a, b) => byLine(a.line, b.line)).map((each) => ({ ...each, tried: [...each.tried] })),
    payments: sorted,
    free: new Set(sorted.filter(({ heldBy }) => heldBy === null)),
    decided: [],
  };
  for (const rule of rules) {
    if (rule.kind === "bill") matchOneToOne(state, rule);
    else if (rule.kind === "lines-to-payment") matchLinesToPayment(state, rule);
    else matchPaymentsToLine(state, rule);
  }
  return [...state.decided, ...state.open.map(unmatched)];
}

interface State {
  open: { line: SettlementLine; tried: Attempted[]; nearest: LedgerPayment | null }[];
  readonly payments: readonly LedgerPayment[];
  readonly free: Set<LedgerPayment>;
  readonly decided: LineResult[];
}

/** What has failed, or was taken back before we ever heard of it, moved nothing; what was paid is missing here. */
function unmatched({ line, tried, nearest }: State["open"][number]): LineResult {
  if (line.status !== "paid") return { ...bare(line), class: "matched", rule: "no-money" };
  return { ...bare(line), nearest, tried };
}

/** Lines that agree in everything choose first, so that one that differs never takes what is another's. */
function matchOneToOne(state: State, rule: BillRule): void {
  for (const mayDiffer of [false, true]) {
    state.open = state.open.filter(({ line, tried }) => {
      if (line.status === "failed") return true;
      const chosen = nearestOf(line, rule, state.free, (payment) =>
        mayDiffer ? true : compareLine(line, payment).class === "matched",
      );
      if (chosen?.blockedBy !== null || chosen === null) return true;
      state.free.delete(chosen.payment);
      state.decided.push(linked(line, chosen.payment, rule.name, compareLine(line, chosen.payment), tried));
      return false;
    });
  }
  for (const each of state.open)
    note(
      each,
      rule,
      nearestOf(each.line, rule, state.payments, () => true),
      state.free,
    );
}

function nearestOf(
  line: SettlementLine,
  rule: BillRule,
  payments: Iterable<LedgerPayment>,
  isWanted: (payment: LedgerPayment) => boolean,
): Candidate | null {
  let best: Candidate | null = null;
  let bestRank: readonly number[] = [];
  for (const payment of payments) {
    if (!isWanted(payment)) continue;
    const blocking = blockingFields(line, payment, rule);
    const days = Math.abs(daysBetween(line.businessDate, payment.businessDate));
    const apartMs = line.paidAtMs === null ? 0 : Math.abs(line.paidAtMs - payment.happenedAtMs);
    const rank = [blocking.length, days, apartMs];
    if (best === null || isBefore(rank, bestRank)) {
      best = { payment, blockedBy: blocking[0] ?? null };
      bestRank = rank;
    }
  }
  return best;
}

function isBefore(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at >= 0 && (a[at] as number) < (b[at] as number);
}

function blockingFields(line: SettlementLine, payment: LedgerPayment, rule: BillRule): ComparedField[] {
  const blocking: ComparedField[] = [];
  for (const field of rule.fields) {
    const given = line[field];
    if (given !== null && given !== payment[field]) blocking.push(field);
  }
  if (Math.abs(daysBetween(line.businessDate, payment.businessDate)) > rule.daysApart) blocking.push("businessDate");
  const { minutesApart } = rule;
  if (minutesApart !== null) {
    const apartMs = line.paidAtMs === null ? null : Math.abs(line.paidAtMs - payment.happenedAtMs);
    if (apartMs === null || apartMs > minutesApart * 60_000) blocking.push("paidAt");
  }
  return blocking;
}

function note(
  each: State["open"][number],
  rule: MatchRule,
  found: Candidate | null,
  free: ReadonlySet<LedgerPayment>,
): void {
  if (found === null) {
    each.tried.push({ rule: rule.name, nearest: null, blockedBy: "billNumber" });
    return;
  }
  const { payment, blockedBy } = found;
  const nearest = { traxId: payment.traxId, entryId: payment.entryId };
  const heldBy = payment.heldBy === null || free.has(payment) ? {} : { heldBy: refOf(payment.heldBy) };
  each.tried.push({ rule: rule.name, nearest, blockedBy: blockedBy ?? "heldBy", ...heldBy });
  each.nearest ??= payment;
}

/** All open lines of a file for one product and date, when they add up to a payment that nobody holds. */
function matchLinesToPayment(state: State, rule: MatchRule): void {
  const isMember = ({ line }: State["open"][number]): boolean => line.status === "paid";
  const groups = bucketsOf(state.open.filter(isMember), ({ line }) =>
    [line.fileId, line.productCode ?? "", line.businessDate].join(),
  );
  for (const group of groups.values()) {
    const [head, ...members] = group as [State["open"][number], ...State["open"]];
    const amount = sumRupiah(group.map(({ line }) => line.amount));
    const fees = group.map(({ line }) => line.feeAmount).filter((fee) => fee !== null);
    const whole = { ...head.line, amount, feeAmount: fees.length === group.length ? sumRupiah(fees) : null };
    const asRule: BillRule = { ...rule, kind: "bill", fields: ["productCode", "amount"], minutesApart: null };
    const found = members.length === 0 ? null : nearestOf(whole, asRule, state.free, () => true);
    if (found === null || found.blockedBy !== null) {
      for (const each of group) note(each, rule, found, state.free);
      continue;
    }
    state.free.delete(found.payment);
    const together = linked(head.line, found.payment, rule.name, compareLine(whole, found.payment), head.tried);
    state.decided.push({ ...together, whole: { amount, feeAmount: whole.feeAmount } });
    for (const { line, tried } of members) {
      state.decided.push({ ...bare(line), class: "matched", rule: rule.name, head: refOf(head.line), tried });
    }
    const isDone = new Set(group);
    state.open = state.open.filter((each) => !isDone.has(each));
  }
}

/** All payments of a product and date that nobody holds, when they add up to one line. */
function matchPaymentsToLine(state: State, rule: MatchRule): void {
  state.open = state.open.filter((each) => {
    const { line, tried } = each;
    if (line.status !== "paid") return true;
    const accepted = [...state.free].filter(
      (payment) =>
        payment.state === "accepted" &&
        (line.productCode === null || line.productCode === payment.productCode) &&
        Math.abs(daysBetween(line.businessDate, payment.businessDate)) <= rule.daysApart,
    );
    const groups = bucketsOf(accepted, ({ productCode, businessDate }) => [productCode, businessDate].join());
    const group = [...groups.values()].find(
      (each) => each.length > 1 && sumRupiah(each.map(({ amount }) => amount)) === line.amount,
    );
    const [first] = group ?? [];
    if (group === undefined || first === undefined) {
      const [nearest] = accepted;
      note(each, rule, nearest === undefined ? null : { payment: nearest, blockedBy: "amount" }, state.free);
      return true;
    }
    for (const payment of group) state.free.delete(payment);
    const whole = { ...first, amount: line.amount, feeAmount: sumRupiah(group.map(({ feeAmount }) => feeAmount)) };
    state.decided.push({ ...linked(line, first, rule.name, compareLine(line, whole), tried), payments: group });
    return false;
  });
}

function byTime(a: LedgerPayment, b: LedgerPayment): number {
  return a.happenedAtMs - b.happenedAtMs || compareText(a.entryId ?? "", b.entryId ?? "");
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
