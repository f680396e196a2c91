import type { Chance } from "../fuzz/random";
import { SqlError } from "./sql-error";

/** Rows as they are stored. Amounts in whole rupiah. */
export interface BillRow {
  readonly billKey: string;
  readonly version: number;
  readonly paidAmount: bigint;
  readonly isCancelled: boolean;
  readonly lastPartnerId: number | null;
  readonly lastTraxId: string | null;
  readonly lastAmount: bigint | null;
  readonly lastPaidAtMs: number | null;
}

/** What of a bill never changes here. */
export interface BillFacts {
  readonly billKey: string;
  readonly productCode: string;
  readonly billNumber: string;
  readonly totalAmount: bigint;
  readonly feeAmount: bigint;
  readonly dueAtMs: number | null;
  readonly items: readonly bigint[];
  /** Whose bill it is; the merchant is told of what is paid. */
  readonly merchantId: number | null;
}

/** Something that a merchant is to be told, in the outbox. */
export interface EventRow {
  readonly eventId: string;
  readonly billKey: string;
  readonly billVersion: number;
  readonly kind: string;
}

/** A payment as its merchant sees it listed. */
export interface MerchantPaymentRow {
  readonly billKey: string;
  readonly entryId: string;
  readonly isReversed: boolean;
}

export interface QuoteRow {
  readonly billKey: string;
  readonly partnerId: number;
  readonly amount: bigint;
  readonly feeAmount: bigint;
  readonly bit61: string;
  readonly honouredUntilMs: number;
}

export interface TraxRow {
  readonly partnerId: number;
  readonly family: string;
  readonly traxId: string;
  readonly productCode: string;
  readonly billNumber: string;
  readonly billKey: string;
  readonly amount: bigint;
  readonly feeAmount: bigint;
  readonly outcome: string;
  readonly resultCode: string;
  readonly sysCode: string;
  readonly replyBody: string;
  readonly businessDate: string;
  readonly receivedAtMs: number;
  readonly entryId: string | null;
  /** What the switch was answered about a payment that operators had posted: no money of its own. */
  readonly answersManual: boolean;
}

export interface LineRow {
  readonly accountCode: string;
  readonly side: string;
  readonly amount: bigint;
}

export interface EntryRow {
  readonly entryId: string;
  readonly kind: string;
  readonly partnerId: number;
  readonly traxId: string;
  readonly billKey: string;
  readonly amount: bigint;
  readonly feeAmount: bigint;
  readonly businessDate: string;
  readonly reversesEntryId: string | null;
  readonly lines: readonly LineRow[];
}

export interface ExceptionRow {
  readonly kind: string;
  readonly billKey: string;
  readonly partnerId: number;
  readonly traxId: string;
  readonly amount: bigint;
  readonly isOpen: boolean;
}

/** The latest version of what a payment made the switch owe; only reversals clear it here. */
export interface ClearingRow {
  readonly entryId: string;
  readonly version: number;
  readonly opened: bigint;
  readonly reversed: bigint;
}

/** What one committed transaction changed, in the order in which it wrote. */
export interface CommitRecord {
  /** Commits before its first statement ran, and its own place among all. */
  readonly sinceCommit: number;
  readonly commit: number;
  readonly trax: readonly TraxRow[];
  readonly bills: readonly BillRow[];
  readonly events: readonly EventRow[];
}

/** A guarantee of PostgreSQL that the model stops giving, to see whether the checker notices. */
export type BrokenGuarantee =
  | "unique-key-misses-uncommitted"
  | "claim-ignores-version"
  | "dirty-reads"
  | "commit-loses-bills"
  | "abort-keeps-bills";

/** One transaction on the server. */
export class Transaction {
  isOver = false;
  isFailed = false;
  sinceCommit = -1;
  readonly bills = new Map<string, BillRow>();
  readonly trax = new Map<string, TraxRow>();
  readonly entries: EntryRow[] = [];
  readonly exceptions = new Map<string, ExceptionRow>();
  readonly events: EventRow[] = [];
  readonly merchantPayments = new Map<string, MerchantPaymentRow>();
  readonly clearings = new Map<string, ClearingRow>();
  readonly locks: string[] = [];
  /** Woken when this one is over. */
  waiters: (() => void)[] = [];
  /** Whom it waits for, and what ends the wait when it is chosen to break a deadlock. */
  waitsFor: Transaction | null = null;
  breakDeadlock: (() => void) | null = null;

  constructor(readonly name: string) {}
}

/** A running statement: yields the transaction that it has to wait for, or null to let others go first. */
export type Running = Generator<Transaction | null, Row[], void>;
/** A row as the driver gives it. */
export type Row = Record<string, unknown>;
type Column<T> = readonly T[];

/**
 * The tables that the posting path reads and writes, with what PostgreSQL promises about them at READ COMMITTED: a
 * statement sees what was committed when it began and what its own transaction wrote; writers of one row and of one unique
 * key wait for each other; nothing of an unfinished transaction is seen by others.
 */
export class Store {
  readonly facts: ReadonlyMap<string, BillFacts>;
  readonly bills = new Map<string, BillRow>();
  readonly trax = new Map<string, TraxRow>();
  readonly entries = new Map<string, EntryRow>();
  readonly exceptions = new Map<string, ExceptionRow>();
  readonly merchantPayments = new Map<string, MerchantPaymentRow>();
  readonly clearings = new Map<string, ClearingRow>();
  readonly commits: CommitRecord[] = [];
  readonly #locks = new Map<string, Transaction>();
  readonly open = new Set<Transaction>();
  deadlocks = 0;
  waits = 0;
  /** What the constraints of the tables had to refuse. */
  readonly refused: string[] = [];

  constructor(
    bills: readonly { readonly facts: BillFacts; readonly isCancelled: boolean; readonly paidAmount: bigint }[],
    readonly quotes: readonly QuoteRow[],
    readonly chance: Chance,
    /** False: the planner joins in an order of its own, and rows are locked in it. */
    readonly isPlanSorted: boolean,
    /** One in so many rows written, others go first. */
    readonly yieldOneIn: number,
    readonly broken: BrokenGuarantee | null,
  ) {
    this.facts = new Map(bills.map(({ facts }) => [facts.billKey, facts]));
    for (const { facts, isCancelled, paidAmount } of bills) {
      const last = { lastPartnerId: null, lastTraxId: null, lastAmount: null, lastPaidAtMs: null };
      this.bills.set(facts.billKey, { billKey: facts.billKey, version: 1, paidAmount, isCancelled, ...last });
    }
  }

  begin(name: string): Transaction {
    const tx = new Transaction(name);
    this.open.add(tx);
    return tx;
  }

  commit(tx: Transaction): void {
    const keepsBills = this.broken !== "commit-loses-bills" || !this.chance.oneIn(4);
    if (keepsBills) for (const [key, bill] of tx.bills) this.bills.set(key, bill);
    for (const [key, row] of tx.trax) this.trax.set(key, row);
    for (const entry of tx.entries) this.entries.set(entry.entryId, entry);
    for (const [key, exception] of tx.exceptions) this.exceptions.set(key, exception);
    for (const [entryId, payment] of tx.merchantPayments) this.merchantPayments.set(entryId, payment);
    for (const [entryId, clearing] of tx.clearings) this.clearings.set(entryId, clearing);
    const commit = this.commits.length + 1;
    const sinceCommit = tx.sinceCommit < 0 ? commit - 1 : tx.sinceCommit;
    const trax = [...tx.trax.values()];
    this.commits.push({ sinceCommit, commit, trax, bills: [...tx.bills.values()], events: tx.events });
    this.#end(tx);
  }

  abort(tx: Transaction): void {
    if (this.broken === "abort-keeps-bills") for (const [key, bill] of tx.bills) this.bills.set(key, bill);
    this.#end(tx);
  }

  /** Somebody else, an operator or an import, changes a bill by one statement of its own; not while it is claimed. */
  changeBill(billKey: string, change: Partial<BillRow>): boolean {
    const bill = this.bills.get(billKey);
    if (bill === undefined || this.#locks.has(`bill ${billKey}`)) return false;
    const changed = { ...bill, ...change, version: bill.version + 1 };
    this.bills.set(billKey, changed);
    const commit = this.commits.length + 1;
    this.commits.push({ sinceCommit: commit - 1, commit, trax: [], bills: [changed], events: [] });
    return true;
  }

  /** Runs a statement by its name. */
  execute(tx: Transaction, name: string, values: readonly unknown[]): Running {
    if (tx.sinceCommit < 0) tx.sinceCommit = this.commits.length;
    switch (name) {
      case "ledger_read_trax":
        return plain(this.#readTrax(tx, values as [Column<number>, Column<string>]));
      case "store_read_bills":
        return plain(this.#readBills(tx, values as [Column<string>]));
      case "store_read_quotes":
        return plain(this.#readQuotes(values as [Column<string>, Column<number>, number]));
      case "ledger_read_reversal_facts":
        return plain(this.#readReversalFacts(tx, values as [number, string]));
      case "ledger_read_receivables":
        return plain(this.#readReceivables(tx, values as [Column<string>]));
      case "ledger_append_clearings":
        return this.#appendClearings(tx, values);
      case "store_claim_bills":
        return this.#claimBills(tx, values);
      case "ledger_append":
        return this.#append(tx, values);
      case "store_open_exceptions":
        return this.#openExceptions(tx, values);
      case "callbacks_enqueue":
        return plain(this.#enqueue(tx, values));
      case "store_insert_merchant_payments":
        return plain(this.#listPayments(tx, values as [Column<string>, Column<string>]));
      case "store_reverse_merchant_payment":
        return plain(this.#unlistPayment(tx, values as [string, string]));
      case "store_close_exceptions":
        return this.#closeExceptions(tx, values as [string, number, string, string, Column<string>]);
      default:
        throw new Error(`the store knows no statement ${name}`);
    }
  }

  #end(tx: Transaction): void {
    tx.isOver = true;
    this.open.delete(tx);
    for (const lock of tx.locks) if (this.#locks.get(lock) === tx) this.#locks.delete(lock);
    for (const wake of tx.waiters.splice(0)) wake();
  }

  #bill(tx: Transaction, key: string): BillRow | undefined {
    return tx.bills.get(key) ?? this.#dirty((other) => other.bills.get(key)) ?? this.bills.get(key);
  }

  #traxRow(tx: Transaction, key: string): TraxRow | undefined {
    return tx.trax.get(key) ?? this.#dirty((other) => other.trax.get(key)) ?? this.trax.get(key);
  }

  #dirty<T>(read: (other: Transaction) => T | undefined): T | undefined {
    if (this.broken !== "dirty-reads") return undefined;
    for (const other of this.open) {
      const found = read(other);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #isReversed(tx: Transaction, entryId: string | null): boolean {
    if (entryId === null) return false;
    return ((tx.clearings.get(entryId) ?? this.clearings.get(entryId))?.reversed ?? 0n) > 0n;
  }

  #readReceivables(tx: Transaction, [entryIds]: [Column<string>]): Row[] {
    return entryIds.flatMap((entryId) => {
      const entry = tx.entries.find((own) => own.entryId === entryId) ?? this.entries.get(entryId);
      const due = entry?.lines.find(({ accountCode, side }) => accountCode === "due-from-switch" && side === "debit");
      if (entry === undefined || due === undefined) return [];
      const { version = 0, reversed = 0n } = tx.clearings.get(entryId) ?? this.clearings.get(entryId) ?? {};
      const nothing = { settled: 0n, written_off: 0n, accepted: 0n, recovered: 0n, excess: 0n };
      const about = { billKey: entry.billKey, entryDate: entry.businessDate, partnerId: entry.partnerId };
      return [{ entryId, ...about, version, opened: due.amount, reversed, ...nothing }];
    });
  }

  *#appendClearings(tx: Transaction, values: readonly unknown[]): Running {
    const [entryIds, versions, , , , , , opened, , reversed] = values as Column<never>[];
    for (const [at, entryId] of (entryIds as Column<string>).entries()) {
      const version = (versions as Column<number>)[at] as number;
      yield* this.#lock(tx, `clearing ${entryId} ${version}`);
      const before = tx.clearings.get(entryId) ?? this.clearings.get(entryId);
      if ((before?.version ?? 0) >= version) throw new SqlError("23505", `receivable_clearing_pkey: ${entryId}`);
      const after = (reversed as Column<bigint>)[at] as bigint;
      const of = (opened as Column<bigint>)[at] as bigint;
      if (after > of) throw new SqlError("23514", `receivable_cleared_once: ${entryId}`);
      tx.clearings.set(entryId, { entryId, version, opened: of, reversed: after });
    }
    return [];
  }

  #readTrax(tx: Transaction, [partnerIds, traxIds]: [Column<number>, Column<string>]): Row[] {
    return traxIds.flatMap((traxId, index) => {
      const partnerId = partnerIds[index] as number;
      const own = this.#traxRow(tx, traxKey(partnerId, traxId, "payment"));
      const row = own ?? this.#traxRow(tx, traxKey(partnerId, traxId, "manual-payment"));
      if (row === undefined) return [];
      const more = { ordinal: index + 1, is_manual: own === undefined, entry_id: row.entryId };
      return [Object.assign(shown(row), more, { is_reversed: this.#isReversed(tx, row.entryId) })];
    });
  }

  #readBills(tx: Transaction, [keys]: [Column<string>]): Row[] {
    return keys.flatMap((key) => {
      const bill = this.#bill(tx, key);
      const facts = this.facts.get(key);
      if (bill === undefined || facts === undefined) return [];
      return [
        {
          bill_key: key,
          product_code: facts.productCode,
          bill_number: facts.billNumber,
          version: bill.version,
          is_cancelled: bill.isCancelled,
          total_amount: facts.totalAmount,
          paid_amount: bill.paidAmount,
          fee_amount: facts.feeAmount,
          customer_name: "BUDI",
          merchant_id: facts.merchantId,
          last_partner_id: bill.lastPartnerId,
          last_trax_id: bill.lastTraxId,
          last_amount: bill.lastAmount,
          last_paid_at_ms: bill.lastPaidAtMs,
          details: DETAILS,
          due_at_ms: facts.dueAtMs,
          items: facts.items.map((amount, index) => [index + 1, `30${index}A`, amount.toString()]),
        },
      ];
    });
  }

  #readQuotes([billKeys, partnerIds, nowMs]: [Column<string>, Column<number>, number]): Row[] {
    if (this.quotes.length === 0) return [];
    return billKeys.flatMap((billKey, index) =>
      this.quotes
        .filter((quote) => quote.billKey === billKey && quote.partnerId === partnerIds[index])
        .filter((quote) => quote.honouredUntilMs > nowMs)
        .map((quote) => ({
          ...{ ordinal: index + 1, bill_version: 1, amount: quote.amount, fee_amount: quote.feeAmount },
          ...{ bit61: quote.bit61, body_width: quote.bit61.length, honoured_until_ms: quote.honouredUntilMs },
        })),
    );
  }

  #readReversalFacts(tx: Transaction, [partnerId, traxId]: [number, string]): Row[] {
    return FAMILIES.flatMap((family) => {
      const row = this.#traxRow(tx, traxKey(partnerId, traxId, family));
      if (row === undefined || row.answersManual) return [];
      const { entryId } = row;
      const entry =
        entryId === null ? null : (tx.entries.find((own) => own.entryId === entryId) ?? this.entries.get(entryId));
      const postings = entry?.lines.map((line) => [line.accountCode, line.side, line.amount.toString()]) ?? null;
      const isReversed = this.#isReversed(tx, entryId);
      const more = {
        ...{ business_date: row.businessDate, entry_id: entryId, postings },
        ...{ is_reversed: isReversed, is_due: !isReversed },
      };
      return [Object.assign(shown(row, family), more)];
    });
  }

  /** Takes a lock, waiting as long as another transaction has it. */
  *#lock(tx: Transaction, name: string): Generator<Transaction | null, void, void> {
    for (;;) {
      const holder = this.#locks.get(name);
      if (holder === undefined || holder === tx) break;
      this.waits += 1;
      yield holder;
    }
    if (!this.#locks.has(name)) {
      this.#locks.set(name, tx);
      tx.locks.push(name);
    }
  }

  *#pause(): Generator<null, void, void> {
    if (this.yieldOneIn > 0 && this.chance.oneIn(this.yieldOneIn)) yield null;
  }

  *#claimBills(tx: Transaction, values: readonly unknown[]): Running {
    const [keys, expected, versions, paid, partnerIds, traxIds, amounts, paidAts] = values as [
      Column<string>,
      Column<number>,
      Column<number>,
      Column<bigint>,
      Column<number | null>,
      Column<string | null>,
      Column<bigint | null>,
      Column<number | null>,
    ];
    const isUnchecked = this.broken === "claim-ignores-version";
    // The rows that the statement finds are those of its own snapshot; each is looked at again once its lock is had.
    const order = [...keys.keys()].filter(
      (at) => isUnchecked || this.#bill(tx, keys[at] as string)?.version === expected[at],
    );
    order.sort((a, b) => ((keys[a] as string) < (keys[b] as string) ? -1 : 1));
    if (!this.isPlanSorted && this.chance.oneIn(2)) order.reverse();
    const won: Row[] = [];
    for (const at of order) {
      const key = keys[at] as string;
      yield* this.#pause();
      yield* this.#lock(tx, `bill ${key}`);
      const bill = tx.bills.get(key) ?? this.bills.get(key);
      if (bill === undefined || (!isUnchecked && bill.version !== expected[at])) continue;
      const paidAmount = paid[at] as bigint;
      const total = this.facts.get(key)?.totalAmount ?? 0n;
      if (paidAmount < 0n || paidAmount > total) throw new SqlError("23514", `bill_paid_amount_range: ${key}`);
      tx.bills.set(key, {
        ...bill,
        ...{ version: versions[at] as number, paidAmount, lastPartnerId: partnerIds[at] ?? null },
        ...{ lastTraxId: traxIds[at] ?? null, lastAmount: amounts[at] ?? null, lastPaidAtMs: paidAts[at] ?? null },
      });
      won.push({ bill_key: key });
    }
    return won;
  }

  *#append(tx: Transaction, values: readonly unknown[]): Running {
    const text = (column: number, at: number): string => (values[column] as string[])[at] as string;
    const lines = new Map<string, LineRow[]>();
    for (const [at, entryId] of (values[18] as string[]).entries()) {
      const line = { accountCode: text(20, at), side: text(21, at), amount: (values[22] as bigint[])[at] as bigint };
      lines.set(entryId, [...(lines.get(entryId) ?? []), line]);
    }
    const rows = (values[2] as string[]).map((traxId, at): TraxRow & { reverses: string | null } => ({
      partnerId: (values[0] as number[])[at] as number,
      family: text(1, at),
      traxId,
      productCode: text(4, at),
      billNumber: text(5, at),
      billKey: text(6, at),
      amount: (values[7] as bigint[])[at] as bigint,
      feeAmount: (values[8] as bigint[])[at] as bigint,
      outcome: text(10, at),
      resultCode: text(11, at),
      sysCode: text(12, at),
      replyBody: text(13, at),
      businessDate: text(14, at),
      receivedAtMs: (values[15] as number[])[at] as number,
      entryId: (values[16] as (string | null)[])[at] ?? (values[25] as (string | null)[])[at] ?? null,
      answersManual: ((values[25] as (string | null)[])[at] ?? null) !== null,
      reverses: (values[17] as (string | null)[])[at] ?? null,
    }));
    const keyed = rows.map((row) => ({ key: traxKey(row.partnerId, row.traxId, row.family), row }));
    let registered = 0;
    for (const { key, row } of keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
      if (row.family !== "reversal" && (row.outcome === "APPROVED") !== (row.entryId !== null)) {
        throw new SqlError("23514", "trax_entry_when_approved");
      }
      yield* this.#pause();
      // Whoever wrote the key first and is not done yet decides; what it committed is found whatever the snapshot.
      const sharing = sharedKeysOf(row);
      const isTaken = (): boolean => sharing.some((each) => this.#holdsKey(tx, each, row));
      const mustWait = !isTaken() && this.broken !== "unique-key-misses-uncommitted";
      if (mustWait) for (const lock of locksOf(row)) yield* this.#lock(tx, lock);
      if (isTaken()) continue;
      tx.trax.set(key, row);
      registered += 1;
    }
    // In the order of the input, which is the order in which they were decided.
    const written = new Map(keyed.flatMap(({ key }) => (tx.trax.has(key) ? [[key, tx.trax.get(key) as TraxRow]] : [])));
    for (const key of written.keys()) tx.trax.delete(key);
    for (const [key, row] of written) tx.trax.set(key, row);
    for (const { row } of keyed) {
      const { entryId, reverses, family, partnerId, traxId, billKey, amount, feeAmount, businessDate } = row;
      if (entryId === null || row.answersManual) continue;
      const own = lines.get(entryId) ?? [];
      assertEntry(entryId, amount, own, this.entries.has(entryId));
      const about = {
        kind: family.replace("manual-", ""),
        partnerId,
        traxId,
        billKey,
        amount,
        feeAmount,
        businessDate,
      };
      tx.entries.push({ entryId, ...about, reversesEntryId: reverses, lines: own });
    }
    return [{ registered }];
  }

  /** Whether a row of this key refuses another: its own key always, that of the other family where both are in the index. */
  #holdsKey(tx: Transaction, key: string, row: TraxRow): boolean {
    const held = tx.trax.get(key) ?? this.trax.get(key);
    return held !== undefined && (held.family === row.family || (isShared(held) && isShared(row)));
  }

  #enqueue(tx: Transaction, values: readonly unknown[]): Row[] {
    const [eventIds, billKeys, versions, , kinds] = values as [
      Column<string>,
      Column<string>,
      Column<number>,
      unknown,
      Column<string>,
    ];
    for (const [at, eventId] of eventIds.entries()) {
      const billVersion = versions[at] as number;
      tx.events.push({ eventId, billKey: billKeys[at] as string, billVersion, kind: kinds[at] as string });
    }
    return [];
  }

  #listPayments(tx: Transaction, [billKeys, entryIds]: [Column<string>, Column<string>]): Row[] {
    for (const [at, entryId] of entryIds.entries()) {
      tx.merchantPayments.set(entryId, { billKey: billKeys[at] as string, entryId, isReversed: false });
    }
    return [];
  }

  /** Nobody else touches the row: whoever reverses a payment has claimed its bill. */
  #unlistPayment(tx: Transaction, [billKey, entryId]: [string, string]): Row[] {
    const payment = tx.merchantPayments.get(entryId) ?? this.merchantPayments.get(entryId);
    if (payment?.billKey === billKey) tx.merchantPayments.set(entryId, { ...payment, isReversed: true });
    return [];
  }

  *#openExceptions(tx: Transaction, values: readonly unknown[]): Running {
    const [, kinds, billKeys, partnerIds, traxIds, , amounts] = values as [
      unknown,
      Column<string>,
      Column<string>,
      Column<number>,
      Column<string>,
      unknown,
      Column<bigint>,
    ];
    for (const [at, kind] of kinds.entries()) {
      const about = { kind, billKey: billKeys[at] as string, partnerId: partnerIds[at] as number };
      const exception = { ...about, traxId: traxIds[at] as string, amount: amounts[at] as bigint, isOpen: true };
      const key = exceptionKey(exception);
      yield* this.#lock(tx, `exception ${key}`);
      if ((tx.exceptions.get(key) ?? this.exceptions.get(key))?.isOpen === true) continue;
      tx.exceptions.set(key, exception);
    }
    return [];
  }

  *#closeExceptions(
    tx: Transaction,
    [billKey, partnerId, traxId, , kinds]: [string, number, string, string, Column<string>],
  ): Running {
    for (const kind of kinds) {
      const key = exceptionKey({ billKey, partnerId, traxId, kind });
      if ((tx.exceptions.get(key) ?? this.exceptions.get(key))?.isOpen !== true) continue;
      yield* this.#lock(tx, `exception ${key}`);
      const exception = tx.exceptions.get(key) ?? this.exceptions.get(key);
      if (exception?.isOpen === true) tx.exceptions.set(key, { ...exception, isOpen: false });
    }
    return [];
  }
}

function assertEntry(entryId: string, amount: bigint, lines: readonly LineRow[], isKnown: boolean): void {
  if (isKnown) throw new SqlError("23505", `journal_entry_pkey: ${entryId}`);
  if (lines.length === 0) throw new SqlError("23514", `journal_entry_has_postings: ${entryId}`);
  if (amount <= 0n || lines.some((line) => line.amount <= 0n)) throw new SqlError("23514", "posting_amount_positive");
  const sum = lines.reduce((total, line) => total + (line.side === "debit" ? line.amount : -line.amount), 0n);
  if (sum !== 0n) throw new SqlError("23514", `posting_balances: ${entryId}`);
}

const DETAILS = { kodeDivre: "02", kodeDatel: "0001" };

const FAMILIES = ["payment", "manual-payment", "reversal", "manual-reversal"];

/** Whether a row is in the index that the switch's family and the operators' share. */
function isShared({ family, entryId, answersManual }: TraxRow): boolean {
  return family.endsWith("payment") ? !answersManual : entryId !== null;
}

function sharedKeysOf({ partnerId, traxId, family }: TraxRow): string[] {
  const kind = family.replace("manual-", "");
  return [traxKey(partnerId, traxId, kind), traxKey(partnerId, traxId, `manual-${kind}`)];
}

/** What an insert waits for: whoever is writing its key, and whoever is writing the entry of its kind. */
function locksOf(row: TraxRow): string[] {
  const own = `trax ${traxKey(row.partnerId, row.traxId, row.family)}`;
  const [kind] = sharedKeysOf(row);
  return isShared(row) ? [own, `entry of ${kind}`] : [own];
}

/** The key of a registry row. */
export function traxKey(partnerId: number, traxId: string, family: string): string {
  return `${partnerId}:${traxId}:${family}`;
}

/** The key under which an exception is open at most once. */
export function exceptionKey(about: Pick<ExceptionRow, "billKey" | "partnerId" | "traxId" | "kind">): string {
  return `${about.billKey}|${about.partnerId}|${about.traxId}|${about.kind}`;
}

function shown(row: TraxRow, family?: string): Row {
  return {
    family,
    product_code: row.productCode,
    bill_number: row.billNumber,
    amount: row.amount,
    fee_amount: row.feeAmount,
    outcome: row.outcome,
    reply_body: row.replyBody,
    sys_code: row.sysCode,
    result_code: row.resultCode,
  };
}

/** A statement that waits for nobody. */
function* plain(rows: Row[]): Running {
  yield* [];
  return rows;
}
