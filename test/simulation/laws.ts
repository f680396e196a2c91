import { type History, isSame, type Sent } from "./history";
import { type Planned, type Scenario, SIM_PRODUCTS } from "./scenario";
import {
  type BillFacts,
  type BillRow,
  type CommitRecord,
  type EntryRow,
  exceptionKey,
  type ExceptionRow,
  type Store,
  traxKey,
  type TraxRow,
} from "./store";

/** What a finished run left behind. */
export interface Remains {
  readonly store: Store;
  readonly history: History;
  readonly scenario: Scenario;
}

/** What of a bill decides. */
interface BillState {
  readonly commit: number;
  readonly version: number;
  readonly paid: bigint;
  readonly isCancelled: boolean;
}

/**
 * The laws of the posting path, written from its specification and not from its code: everything is computed again from
 * the requests, the order of the commits and the rows that they left.
 */
export function checkLaws({ store, history, scenario }: Remains): string[] {
  const broken = [...history.violations];
  // The constraints of the tables are the last line; what the host writes never needs them.
  broken.push(...store.refused.map((what) => `the store had to refuse a row: ${what}`));
  checkEntries(store, broken);
  checkHistory(store, history, broken);
  new Retelling(store, history, scenario, broken).tell();
  checkExceptions(store, broken);
  checkMerchants(store, broken);
  return broken;
}

/** The books by themselves. */
function checkEntries(store: Store, broken: string[]): void {
  const moved = new Map<string, string>();
  const takenBack = new Set<string>();
  const applied = new Map<string, bigint>();
  for (const entry of store.entries.values()) {
    const { entryId, kind, lines } = entry;
    const sum = lines.reduce((total, { side, amount }) => total + (side === "debit" ? amount : -amount), 0n);
    if (sum !== 0n || lines.length < 2) broken.push(`${entryId} does not balance`);
    const key = traxKey(entry.partnerId, entry.traxId, kind);
    if (moved.has(key)) broken.push(`${key} moved money twice: ${moved.get(key)} and ${entryId}`);
    moved.set(key, entryId);
    if (store.trax.get(key)?.entryId !== entryId) broken.push(`${entryId} stands under no key`);
    const sign = kind === "payment" ? 1n : -1n;
    applied.set(entry.billKey, (applied.get(entry.billKey) ?? 0n) + sign * onBill(entry));
    if (entry.reversesEntryId === null) {
      if (kind !== "payment") broken.push(`${entryId} reverses nothing`);
      continue;
    }
    const original = store.entries.get(entry.reversesEntryId);
    if (takenBack.has(entry.reversesEntryId)) broken.push(`${entry.reversesEntryId} was taken back twice`);
    takenBack.add(entry.reversesEntryId);
    if (original?.kind !== "payment" || !isMirror(original, entry)) broken.push(`${entryId} mirrors no payment`);
  }
  for (const { entryId, kind, lines } of store.entries.values()) {
    if (kind !== "payment") continue;
    const opened = lines.reduce((sum, line) => (line.accountCode === "due-from-switch" ? sum + line.amount : sum), 0n);
    const reversed = store.clearings.get(entryId)?.reversed ?? 0n;
    const expected = takenBack.has(entryId) ? opened : 0n;
    if (reversed !== expected)
      broken.push(`${entryId}: ${reversed} of its receivable is reversed, expected ${expected}`);
  }
  for (const [key, row] of store.trax) {
    if (row.entryId !== null && !store.entries.has(row.entryId)) broken.push(`${key} names an entry that is not there`);
  }
  for (const [key, bill] of store.bills) {
    const total = store.facts.get(key)?.totalAmount ?? 0n;
    if (bill.paidAmount !== (applied.get(key) ?? 0n)) {
      broken.push(`${key}: ${bill.paidAmount} paid, and the entries say ${applied.get(key) ?? 0n}`);
    }
    if (bill.paidAmount < 0n || bill.paidAmount > total) broken.push(`${key}: ${bill.paidAmount} paid of ${total}`);
    if (bill.lastTraxId === null) continue;
    const last = moved.get(traxKey(bill.lastPartnerId ?? 0, bill.lastTraxId, "payment"));
    if (last === undefined || takenBack.has(last)) broken.push(`${key} remembers a payment that does not stand`);
  }
}

/** What merchants see listed is what was taken for their bills. */
function checkMerchants(store: Store, broken: string[]): void {
  for (const { entryId, kind, billKey, lines } of store.entries.values()) {
    const isTheirs = (store.facts.get(billKey)?.merchantId ?? null) !== null && kind === "payment";
    const isTaken = isTheirs && lines.every(({ accountCode }) => accountCode !== "suspense");
    const listed = store.merchantPayments.get(entryId);
    if (isTaken !== (listed !== undefined))
      broken.push(`${entryId} is ${isTaken ? "not " : ""}listed for its merchant`);
    const isReversed = [...store.entries.values()].some(({ reversesEntryId }) => reversesEntryId === entryId);
    if (listed !== undefined && listed.isReversed !== isReversed) broken.push(`${entryId} is listed as it is not`);
  }
}

/** What of an entry went onto the bill, or came off it. */
function onBill({ lines, kind }: EntryRow): bigint {
  const side = kind === "payment" ? "credit" : "debit";
  return lines
    .filter((line) => line.side === side && line.accountCode === "bill-collections")
    .reduce((sum, { amount }) => sum + amount, 0n);
}

function isMirror(one: EntryRow, other: EntryRow): boolean {
  const isSameHead = one.billKey === other.billKey && one.amount === other.amount && one.traxId === other.traxId;
  const text = ({ lines }: EntryRow, debit: string): string[] =>
    lines.map((line) => `${line.accountCode} ${line.side === debit} ${line.amount}`).toSorted();
  return isSameHead && text(one, "debit").join() === text(other, "credit").join();
}

/** What the switch saw, in the order in which it saw it. */
function checkHistory(store: Store, history: History, broken: string[]): void {
  for (const sent of history.sents) {
    const { planned, answer, isLost } = sent;
    if (answer === null && !isLost) broken.push(`${planned.family} ${planned.traxId} was never answered`);
  }
  const byKey = groupBy(history.sents, ({ planned }) => `${planned.partner.partnerId}:${planned.traxId}`);
  for (const [key, sents] of byKey) {
    const reversedStep = Math.min(
      ...sents.filter((sent) => isReversedNews(store, sent)).map(({ answeredStep }) => answeredStep),
    );
    for (const { planned, answer, sentStep } of sents) {
      const isSuccess = planned.family === "payment" && answer?.kind === "answered" && answer.outcome === "APPROVED";
      if (isSuccess && sentStep > reversedStep) broken.push(`${key}: a success after its reversal had been told`);
    }
  }
}

/** An answer that says that money was given back. */
function isReversedNews(store: Store, { planned, answer }: Sent): boolean {
  if (answer?.kind !== "answered") return false;
  if (planned.family === "payment") return answer.outcome === "REVERSED";
  const row = store.trax.get(traxKey(planned.partner.partnerId, planned.traxId, "reversal"));
  return answer.outcome === "NOT_FOUND" || (answer.outcome === "APPROVED" && row?.entryId !== null);
}

function checkExceptions(store: Store, broken: string[]): void {
  const wanted = new Map<string, boolean>();
  for (const row of store.trax.values()) {
    const want = (kind: ExceptionRow["kind"], isOpen: boolean): void => {
      wanted.set(exceptionKey({ ...row, kind }), isOpen);
    };
    const isReversed = (store.trax.get(traxKey(row.partnerId, row.traxId, "reversal"))?.entryId ?? null) !== null;
    if (row.outcome === "ALREADY_PAID") want("double-collection", true);
    if (row.outcome === "NOT_REVERSIBLE") want("refund", true);
    if (row.family !== "payment" || row.entryId === null) continue;
    if (store.entries.get(row.entryId)?.lines.some(({ accountCode }) => accountCode === "suspense")) {
      want("suspense", !isReversed);
    }
  }
  for (const [key, isOpen] of wanted) {
    if (store.exceptions.get(key)?.isOpen !== isOpen) broken.push(`${key} should be ${isOpen ? "open" : "closed"}`);
  }
  for (const [key, { kind }] of store.exceptions) {
    if (kind !== "look-alike" && !wanted.has(key)) broken.push(`${key} is about nothing`);
  }
}

/** Tells the run again, commit by commit, and judges each row by what the bill was then. */
class Retelling {
  readonly #states = new Map<string, BillState[]>();
  readonly #trax = new Map<string, TraxRow>();
  readonly #sents: ReadonlyMap<string, readonly Sent[]>;

  constructor(
    readonly store: Store,
    history: History,
    readonly scenario: Scenario,
    readonly broken: string[],
  ) {
    for (const { facts, isCancelled, paidAmount } of scenario.bills) {
      this.#states.set(facts.billKey, [{ commit: 0, version: 1, paid: paidAmount, isCancelled }]);
    }
    this.#sents = groupBy(history.sents, ({ planned }) =>
      traxKey(planned.partner.partnerId, planned.traxId, planned.family),
    );
  }

  tell(): void {
    for (const commit of this.store.commits) this.#tellCommit(commit);
    for (const [key, bill] of this.store.bills) this.#compare(key, bill, this.#states.get(key)?.at(-1));
  }

  #tellCommit(record: CommitRecord): void {
    const { commit, trax, bills } = record;
    const running = new Map<string, BillState>();
    const toTell: string[] = [];
    /** States that this transaction itself went through. */
    const own: BillState[] = [];
    for (const row of trax) {
      const key = traxKey(row.partnerId, row.traxId, row.family);
      if (this.#trax.has(key)) this.broken.push(`${key} was written twice`);
      const state = running.get(row.billKey) ?? this.#states.get(row.billKey)?.at(-1);
      const next =
        row.family === "payment" ? this.#payment(record, row, state, own) : this.#reversal(record, row, state);
      if (next !== null) {
        running.set(row.billKey, { ...next, commit });
        own.push(next);
        if (this.store.facts.get(row.billKey)?.merchantId) {
          toTell.push(
            `${row.family === "payment" ? "payment.accepted" : "payment.reversed"} ${row.billKey} ${next.version}`,
          );
        }
      }
      this.#trax.set(key, row);
    }
    const told = record.events.map(({ kind, billKey, billVersion }) => `${kind} ${billKey} ${billVersion}`);
    if (told.toSorted().join() !== toTell.toSorted().join()) {
      this.broken.push(`commit ${commit} tells merchants "${told.join()}", and had to tell "${toTell.join()}"`);
    }
    for (const bill of bills) {
      const before = this.#states.get(bill.billKey)?.at(-1);
      const { version, paidAmount: paid, isCancelled } = bill;
      if (trax.length > 0) this.#compare(bill.billKey, bill, running.get(bill.billKey));
      else if (before?.paid !== paid) this.broken.push(`commit ${commit} changed what is paid, for nothing`);
      this.#states.get(bill.billKey)?.push({ commit, version, paid, isCancelled });
      running.delete(bill.billKey);
    }
    for (const key of running.keys())
      this.broken.push(`commit ${commit} has money for ${key} and left the bill as it was`);
  }

  #compare(key: string, bill: BillRow, told: BillState | undefined): void {
    const isTrue =
      told?.paid === bill.paidAmount && told.version === bill.version && told.isCancelled === bill.isCancelled;
    if (isTrue) return;
    const is = `version ${bill.version}, ${bill.paidAmount} paid`;
    this.broken.push(`${key} is at ${is}, and should be at version ${told?.version}, ${told?.paid} paid`);
  }

  /** @returns the bill after the payment, or null when it is as before */
  #payment(
    record: CommitRecord,
    row: TraxRow,
    state: BillState | undefined,
    own: readonly BillState[],
  ): BillState | null {
    const about = `payment ${row.traxId} of partner ${row.partnerId} (${row.amount}), ${row.outcome}`;
    if (row.outcome === "REVERSED") {
      const reversal = record.trax.find((each) => each.family === "reversal" && each.traxId === row.traxId);
      if (reversal?.outcome !== "NOT_FOUND") this.broken.push(`${about}: a tombstone without a reversal`);
      return null;
    }
    const messages = this.#messagesOf(row).filter(({ planned }) => planned.isFresh);
    const [first] = messages;
    if (first === undefined) {
      this.broken.push(`${about}: nobody sent it`);
      return null;
    }
    const facts = this.store.facts.get(row.billKey);
    const { partner } = first.planned;
    const wouldBe = (state: BillState | undefined): string[] => messages.map((sent) => this.#judge(sent, facts, state));
    const entry = row.entryId === null ? undefined : this.store.entries.get(row.entryId);
    const isSuspended = entry?.lines.some(({ accountCode }) => accountCode === "suspense") === true;
    if (entry !== undefined && !isSuspended) {
      if (facts === undefined || state === undefined || !wouldBe(state).includes("APPROVED")) {
        this.broken.push(`${about}: the bill was ${show(state)}, it had to be ${wouldBe(state).join()}`);
        return null;
      }
      const applied = least(row.amount, facts.totalAmount - state.paid);
      this.#checkLines(about, entry, { applied, unapplied: row.amount - applied, suspended: 0n }, first.planned);
      return { ...state, paid: state.paid + applied, version: state.version + 1 };
    }
    const isTakenAnyway = partner.dialect.mustAccept && row.amount > 0n;
    const seen = [...this.#window(row.billKey, record), ...own].flatMap((each) => wouldBe(each));
    if (facts === undefined) seen.push(...wouldBe(undefined));
    if (isSuspended) {
      if (!isTakenAnyway) this.broken.push(`${about}: in suspense, for a partner who has no right to it`);
      if (seen.every((outcome) => outcome === "APPROVED")) this.broken.push(`${about}: in suspense, and was right`);
      if (entry !== undefined) {
        this.#checkLines(about, entry, { applied: 0n, unapplied: 0n, suspended: row.amount }, first.planned);
      }
    } else if (isTakenAnyway || !seen.includes(row.outcome)) {
      this.broken.push(`${about}: never was so, only ${[...new Set(seen)].join()}`);
    }
    return null;
  }

  #reversal({ trax }: CommitRecord, row: TraxRow, state: BillState | undefined): BillState | null {
    const about = `reversal ${row.traxId} of partner ${row.partnerId} (${row.amount}), ${row.outcome}`;
    const messages = this.#messagesOf(row);
    if (messages.length === 0) this.broken.push(`${about}: nobody sent it`);
    const key = traxKey(row.partnerId, row.traxId, "payment");
    const payment = this.#trax.get(key);
    if (row.outcome === "NOT_FOUND") {
      const tombstone = trax.find((each) => traxKey(each.partnerId, each.traxId, each.family) === key);
      if (payment !== undefined || tombstone?.outcome !== "REVERSED") this.broken.push(`${about}: no tombstone`);
      return null;
    }
    if (payment === undefined || !isSame(payment, row)) {
      this.broken.push(`${about}: there is no such payment`);
      return null;
    }
    const cutOff = messages[0]?.planned.partner.dialect.cutOff ?? "24:00";
    const isSameDay = dayOf(payment.receivedAtMs, cutOff) === dayOf(row.receivedAtMs, cutOff);
    const isPosted = payment.outcome === "APPROVED";
    const expected = isPosted && !isSameDay ? "NOT_REVERSIBLE" : "APPROVED";
    if (row.outcome !== expected) this.broken.push(`${about}: had to be ${expected}`);
    if ((row.entryId !== null) !== (isPosted && isSameDay))
      this.broken.push(`${about}: money moved, or did not, wrongly`);
    const original = payment.entryId === null ? undefined : this.store.entries.get(payment.entryId);
    const entry = row.entryId === null ? undefined : this.store.entries.get(row.entryId);
    if (entry === undefined || original === undefined) return null;
    if (entry.reversesEntryId !== original.entryId) this.broken.push(`${about}: takes back something else`);
    const applied = onBill(original);
    if (state === undefined || original.lines.some(({ accountCode }) => accountCode === "suspense")) return null;
    return { ...state, paid: state.paid - applied, version: state.version + 1 };
  }

  #checkLines(
    about: string,
    entry: EntryRow,
    parts: { readonly applied: bigint; readonly unapplied: bigint; readonly suspended: bigint },
    { product, feeAmount }: Planned,
  ): void {
    const fee = product?.feeIsOurs === true ? feeAmount : 0n;
    const { applied, unapplied, suspended } = parts;
    const wanted = {
      "debit due-from-switch": applied + unapplied + suspended + fee,
      "credit bill-collections": applied,
      "credit unapplied-credit": unapplied,
      "credit suspense": suspended === 0n ? 0n : suspended + fee,
      "credit fee-earned": suspended === 0n ? fee : 0n,
    };
    const is = entry.lines.map((line) => `${line.side} ${line.accountCode} ${line.amount}`).toSorted();
    const should = Object.entries(wanted)
      .filter(([, amount]) => amount > 0n)
      .map(([line, amount]) => `${line} ${amount}`);
    if (is.join() !== should.toSorted().join()) this.broken.push(`${about}: booked ${is.join(", ")}`);
  }

  /** What the bill was at some time while the transaction ran. */
  #window(billKey: string, { sinceCommit, commit }: CommitRecord): BillState[] {
    const states = this.#states.get(billKey) ?? [];
    const first = states.findLastIndex((state) => state.commit <= sinceCommit);
    return states.slice(Math.max(0, first)).filter((state) => state.commit < commit);
  }

  /** The requests that a row can come from. */
  #messagesOf(row: TraxRow): Sent[] {
    const sents = this.#sents.get(traxKey(row.partnerId, row.traxId, row.family)) ?? [];
    return sents.filter(
      (sent) => isSame(sent.planned, row) && sent.receivedAtMs + this.scenario.epochMs === row.receivedAtMs,
    );
  }

  /** What a payment had to be answered, with the bill as it was. */
  #judge({ planned, receivedAtMs }: Sent, facts: BillFacts | undefined, state: BillState | undefined): string {
    const { partner, amount, feeAmount, bit61, productCode } = planned;
    const rule = SIM_PRODUCTS.get(productCode)?.rule;
    if (rule === undefined) return "PRODUCT_NOT_ALLOWED";
    if (facts === undefined || state === undefined) return "BILL_NOT_FOUND";
    const nowMs = receivedAtMs + this.scenario.epochMs;
    const quotes = this.scenario.quotes.filter(
      (quote) =>
        quote.billKey === facts.billKey &&
        quote.partnerId === partner.partnerId &&
        quote.bit61 === bit61 &&
        quote.honouredUntilMs > nowMs,
    );
    const quote = quotes.find((each) => each.amount === amount) ?? quotes[0];
    const owed = facts.totalAmount - state.paid;
    if (rule.kind !== "free" && owed === 0n) return "ALREADY_PAID";
    if (state.isCancelled) return "CANCELLED";
    if (facts.dueAtMs !== null && nowMs >= facts.dueAtMs && quote === undefined) return "EXPIRED";
    if (quote === undefined && partner.dialect.bit61Check === "enforce") return "NO_INQUIRY";
    if (rule.kind === "whole") {
      if (amount <= 0n || amount !== (quote?.amount ?? owed) || amount > owed) return "BAD_AMOUNT";
    } else {
      const most = rule.kind === "free" ? rule.most : rule.most === 0n ? owed : least(rule.most, owed);
      const atLeast = owed === 0n ? rule.least : least(rule.least, rule.kind === "free" ? owed : most);
      if (amount <= 0n || amount < atLeast || amount > most) return "BAD_AMOUNT";
    }
    return feeAmount === (quote ?? facts).feeAmount ? "APPROVED" : "BAD_FEE";
  }
}

/** The business day in Jakarta, seven hours ahead, as a number. */
function dayOf(epochMs: number, cutOff: string): number {
  const local = new Date(epochMs + 7 * 3_600_000);
  const isNext =
    `${String(local.getUTCHours()).padStart(2, "0")}:${String(local.getUTCMinutes()).padStart(2, "0")}` >= cutOff;
  return Math.floor(local.getTime() / 86_400_000) + (isNext ? 1 : 0);
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

function show(state: BillState | undefined): string {
  return state === undefined ? "not there" : `at version ${state.version}, ${state.paid} paid`;
}

function groupBy<T>(all: readonly T[], keyOf: (each: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of all) {
    const key = keyOf(each);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return groups;
}
