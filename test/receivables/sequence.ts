import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dateAfter, moneyActionsFor, type SettlementLine } from "../../src/domain";
import { type Catalog, type PaymentItem, postPayments } from "../../src/flows";
import { ClaimLost, KeyTaken } from "../../src/flows/post-payments";
import { postReversal } from "../../src/flows/post-reversal";
import { ReceivableTaken } from "../../src/ledger";
import { importSettlementFile, proposeUndo, type QueueItem, runReconciliation } from "../../src/ops";
import { type Db, deadlineIn, Fault, systemClock } from "../../src/platform";
import { importBills } from "../../src/store";
import { Chance } from "../fuzz/random";
import { paymentItem, paymentMessage, telkomBill, testPosting, transact } from "../support/builders";
import type { TestDatabase } from "../support/services";
import { FULL_HEADER, fullLine } from "../support/settlement-files";
import { ANI, BUDI, type TwoPeople } from "../support/two-people";

/** What all sequences of one database share. */
export interface World {
  readonly database: TestDatabase;
  readonly db: Db;
  readonly catalog: Catalog;
  readonly people: TwoPeople;
  /** Where files are written. */
  readonly dir: string;
}

/** What a sequence did, and what was wrong with it. */
export interface Outcome {
  readonly seed: number;
  readonly operations: readonly string[];
  readonly violation: string | null;
}

export const PROFILE = "full";
const FIRST_DAY = "2024-01-01";
const BILLS = 4;
const FEE = 5_000n;

/** The business date of a sequence: one of its own, so that sequences do not see each other's payments. */
export const dayOfSequence = (place: number): string => dateAfter(FIRST_DAY, place);

/** Faults that say truly that something cannot be done; all else is a violation. */
const HONEST: ReadonlySet<string> = new Set([
  ...["account", "advice_declined", "closed", "decided", "lapsed", "no_payment", "no_settlement_file", "not_due"],
  ...["not_possible", "not_reconciled", "nothing_to_reverse", "proposed", "same_person", "settlement_file_changed"],
  ...["settlement_file_resolved", "settlement_file"],
]);

/** The cleared parts of a receivable, as the model compares them. */
interface Standing {
  readonly opened: bigint;
  readonly settled: bigint;
  readonly reversed: bigint;
  readonly written_off: bigint;
  readonly accepted: bigint;
  readonly recovered: bigint;
}

const PARTS = ["settled", "reversed", "written_off", "accepted", "recovered"] as const;
type Part = (typeof PARTS)[number];
type Delta = Readonly<Record<Part, bigint>>;

const totalOf = (standing: Standing): bigint => PARTS.reduce((sum, part) => sum + standing[part], 0n);

/** Which parts an approved action may change, and in which direction: 1 up, -1 down. */
const MAY_CHANGE: Readonly<Record<string, Partial<Record<Part, readonly number[]>>>> = {
  accept: { settled: [1], accepted: [1] },
  "write-off": { settled: [1], written_off: [1] },
  link: { settled: [1], accepted: [1, -1], written_off: [-1], recovered: [1] },
  advise: { settled: [1], accepted: [1] },
  recover: { written_off: [-1], accepted: [-1], recovered: [1] },
  reverse: { reversed: [1], settled: [-1], accepted: [-1], written_off: [-1], recovered: [-1] },
};

/**
 * Does `length` operations in a random order that `seed` decides: payments and reversals of the switch, files, replaced and late
 * ones, runs, settlements, proposals, approvals, undoings, some of them at the same time. After each one, what became of every
 * receivable is held against what the operation may do. In the end two people explain what is left, and nothing may be.
 */
export async function runSequence(world: World, seed: number, place: number, length: number): Promise<Outcome> {
  const sequence = new Sequence(world, seed, place);
  try {
    await sequence.open();
    for (let step = 0; step < length; step += 1) await sequence.step();
    await sequence.finish();
    return { seed, operations: sequence.operations, violation: null };
  } catch (error) {
    const violation =
      error instanceof Violation ? error.message : `threw ${String(error)}\n${(error as Error).stack ?? ""}`;
    return { seed, operations: sequence.operations, violation };
  }
}

class Violation extends Error {}

/** A proposal that a sequence has made. */
interface Made {
  readonly id: string;
  readonly action: string;
  readonly undoes: string | null;
}

class Sequence {
  readonly operations: string[] = [];
  readonly #world: World;
  readonly #chance: Chance;
  readonly #day: string;
  readonly #prefix: string;
  readonly #items: PaymentItem[] = [];
  readonly #deltas = new Map<string, ReadonlyMap<string, Delta>>();
  readonly #traxIds: readonly string[];
  /** In the order in which they were made. */
  readonly #proposals: string[] = [];
  /** Approved beside something else: what each of them changed is not known, so that its undoing could not be checked. */
  readonly #unseen = new Set<string>();
  #last: Map<string, Standing> | null = null;
  #files = 0;

  constructor(world: World, seed: number, place: number) {
    this.#world = world;
    this.#chance = new Chance(seed, 77);
    this.#day = dayOfSequence(place);
    this.#prefix = `S${place}`;
    const places = Array.from({ length: BILLS }, (_each, index) => index);
    this.#traxIds = places.flatMap((index) => [this.#traxId(index), `${this.#prefix}X${index}`]);
  }

  async open(): Promise<void> {
    const { db, catalog } = this.#world;
    const bills = Array.from({ length: BILLS }, (_each, index) =>
      telkomBill({
        billNumber: this.#billNumber(index),
        feeAmount: FEE,
        items: [{ reference: "304A", amount: this.#amount(index) }],
      }),
    );
    await transact(db, (tx) => importBills(tx, bills));
    for (let index = 0; index < BILLS; index += 1) {
      const message = paymentMessage({
        billNumber: this.#billNumber(index),
        traxId: this.#traxId(index),
        amount: String(this.#amount(index)),
        feeAmount: String(FEE),
        bit61: "",
      });
      this.#items.push({ ...paymentItem(catalog, message), receivedAtMs: this.#noonMs() + index });
    }
    // Most are paid before anything else happens.
    for (let index = 0; index < BILLS - 1; index += 1) await this.#pay(index);
  }

  #billNumber = (index: number): string => `${this.#prefix.slice(1)}${index}`.padStart(13, "0");
  #traxId = (index: number): string => `${this.#prefix}P${index}`;
  #amount = (index: number): bigint => 10_000n * BigInt(index + 1) + 7n;
  #noonMs = (): number => Date.parse(`${this.#day}T12:00:00+07:00`);
  #pick = (): number => this.#chance.below(BILLS);

  async step(): Promise<void> {
    const kinds = [
      ...["pay", "reverse", "reverse-late", "file", "file", "late-file", "replace", "run", "run", "settle", "settle"],
      ...[
        "propose",
        "propose",
        "propose",
        "propose",
        "approve",
        "approve",
        "approve",
        "approve-all",
        "refuse",
        "undo",
        "undo",
      ],
      ...["together", "together"],
    ];
    const kind = kinds[this.#chance.below(kinds.length)] as string;
    switch (kind) {
      case "pay":
        return this.#pay(this.#pick());
      case "reverse":
        return this.#reverse(this.#pick(), false);
      case "reverse-late":
        return this.#reverse(this.#pick(), true);
      case "file":
        return this.#file("day", false);
      case "late-file":
        return this.#file(`late${this.#files}`, false);
      case "replace":
        return this.#file("day", true);
      case "run":
        return this.#run();
      case "settle":
        return this.#settle();
      case "propose":
        return this.#propose();
      case "approve":
        return this.#decide(true);
      case "refuse":
        return this.#decide(false);
      case "approve-all":
        return this.#approveAll();
      case "undo":
        return this.#undo();
      default:
        return this.#together();
    }
  }

  /** Runs one operation; what it may change of receivables is checked by `check`. */
  async #operate<T>(
    name: string,
    work: () => Promise<T>,
    check: (deltas: ReadonlyMap<string, Delta>, value: T | Fault) => void,
  ): Promise<T | Fault> {
    const before = this.#last ?? (await this.#standings());
    let value: T | Fault;
    try {
      value = await work();
    } catch (error) {
      const said = (error as Error).message;
      const isHonest =
        (error instanceof Fault && HONEST.has(error.code)) || /are posted: it cannot be replaced/.test(said);
      if (!isHonest) throw new Violation(`${name} threw ${String(error)}\n${(error as Error).stack ?? ""}`);
      value = error instanceof Fault ? error : new Fault("settlement_file_resolved", said);
    }
    const after = await this.#standings();
    this.#last = after;
    const deltas = deltasOf(before, after);
    const outcome = value instanceof Fault ? `refused: ${value.code}` : "done";
    const changed = [...deltas].map(([trax, delta]) => `${trax} ${PARTS.map((part) => delta[part]).join("/")}`);
    this.operations.push(`${name}: ${outcome}${changed.length === 0 ? "" : `; ${changed.join(", ")}`}`);
    if (value instanceof Fault && deltas.size > 0)
      throw new Violation(`${name} was refused and changed ${changed.join(", ")}`);
    check(deltas, value);
    for (const [trax, standing] of after) {
      if (totalOf(standing) > standing.opened) throw new Violation(`${trax} is cleared beyond what was opened`);
      if (standing.reversed > 0n && standing.reversed !== totalOf(standing))
        throw new Violation(`${trax} is reversed and more`);
    }
    return value;
  }

  async #standings(): Promise<Map<string, Standing>> {
    const rows = await this.#world.database.query<Standing & { trax_id: string }>(
      `select r.trax_id, r.opened, r.settled, r.reversed, r.written_off, r.accepted, r.recovered
         from trax t
         join receivable r on r.entry_id = t.entry_id and r.business_date = t.business_date
        where t.partner_id = 1 and t.trax_id = any($1::text[]) and t.family in ('payment', 'manual-payment')
          and not t.answers_manual`,
      [this.#traxIds],
    );
    return new Map(rows.map(({ trax_id: trax, ...standing }) => [trax, standing]));
  }

  async #pay(index: number): Promise<void> {
    const item = { ...(this.#items[index] as PaymentItem), deadline: deadlineIn(systemClock, 15_000) };
    await this.#operate(
      `pay ${this.#traxId(index)}`,
      async () => (await again(() => postPayments(testPosting(this.#world.db), [item], item.deadline)))[0],
      nothingChanges,
    );
  }

  async #reverse(index: number, isLate: boolean): Promise<void> {
    const item = this.#reversalItem(index, isLate);
    const before = (this.#last ?? (await this.#standings())).get(this.#traxId(index));
    await this.#operate(
      `reversal of ${this.#traxId(index)}${isLate ? " on the next day" : ""}`,
      () => again(() => postReversal(testPosting(this.#world.db), item, item.deadline)),
      (deltas, answer) => {
        if (deltas.size === 0) return;
        if (answer instanceof Fault || answer.outcome !== "APPROVED" || answer.isReplay) {
          throw new Violation(`a reversal that was not accepted changed ${[...deltas.keys()].join(", ")}`);
        }
        if (isLate || before === undefined || totalOf(before) !== 0n)
          throw new Violation("a reversal came too late and was accepted");
        expectOnly(deltas, this.#traxId(index), { reversed: before.opened });
      },
    );
  }

  #reversalItem(index: number, isLate: boolean): PaymentItem {
    const item = this.#items[index] as PaymentItem;
    const receivedAtMs = this.#noonMs() + (isLate ? 86_400_000 : 60_000);
    const message = { ...item.message, transactionType: "51" };
    return { ...item, message, receivedAtMs, deadline: deadlineIn(systemClock, 15_000) };
  }

  /** A file of the day that tells the truth, or less, more, or something else. */
  #lines(): SettlementLine[] {
    const lines: SettlementLine[] = [];
    for (let index = 0; index < BILLS; index += 1) {
      const line: SettlementLine = {
        ...{
          fileId: 0,
          lineNo: 0,
          traxId: this.#traxId(index),
          productCode: "001001",
          billNumber: this.#billNumber(index),
        },
        ...{
          amount: this.#amount(index),
          feeAmount: FEE,
          businessDate: this.#day,
          paidAtMs: this.#noonMs(),
          status: "paid",
        },
      };
      const kind = this.#chance.below(14);
      if (kind < 5) lines.push(line);
      else if (kind === 5) lines.push({ ...line, amount: line.amount - 3n });
      else if (kind === 6) lines.push({ ...line, amount: line.amount + 4n });
      else if (kind === 7) lines.push({ ...line, billNumber: `9${line.billNumber?.slice(1)}` });
      else if (kind === 8) lines.push(line, line);
      else if (kind === 9) lines.push(line, { ...line, status: "reversed" });
      else if (kind === 10) lines.push({ ...line, status: "failed" });
      else if (kind === 11) lines.push({ ...line, traxId: `${this.#prefix}X${index}` });
      // Else the payment is not in the file.
    }
    return lines;
  }

  async #file(name: string, mayReplace: boolean): Promise<void> {
    this.#files += 1;
    const { database, dir } = this.#world;
    const path = join(dir, `${this.#prefix}-${name}.csv`);
    writeFileSync(path, [FULL_HEADER, ...this.#lines().map(fullLine), ""].join("\n"));
    await this.#operate(
      `${mayReplace ? "replace" : "file"} ${name}`,
      () =>
        importSettlementFile({
          ...{ databaseUrl: database.appUrl, profileCode: PROFILE, path, date: this.#day, mayReplace },
          ...{ acceptsTotals: false, by: "test (test)" },
        }),
      nothingChanges,
    );
  }

  async #run(): Promise<void> {
    await this.#operate("run", () => this.#reconcile(), nothingChanges);
  }

  #reconcile() {
    return runReconciliation({
      ...{ databaseUrl: this.#world.database.appUrl, profileCode: PROFILE, settlementDate: this.#day },
      ...{ isDryRun: false, redecidesDeclared: false, by: "test (test)" },
    });
  }

  async #settle(): Promise<void> {
    const before = this.#last ?? (await this.#standings());
    await this.#operate(
      "settle",
      () => this.#world.people.settle(PROFILE, this.#day),
      (deltas, files) => {
        if (files instanceof Fault) return;
        let sum = 0n;
        for (const [trax, delta] of deltas) {
          const { opened = 0n } = before.get(trax) ?? {};
          const wasDue = totalOf(before.get(trax) as Standing) === 0n;
          if (!wasDue || delta.settled !== opened || PARTS.some((part) => part !== "settled" && delta[part] !== 0n)) {
            throw new Violation(`settling did more to ${trax} than to settle what was due`);
          }
          sum += delta.settled;
        }
        const posted = files.reduce((total, { amount }) => total + amount, 0n);
        if (posted !== sum) throw new Violation(`settling posted ${posted} and settled ${sum}`);
      },
    );
  }

  async #open(): Promise<QueueItem[]> {
    const findings = await this.#world.people.queue({ businessDate: this.#day });
    const own = await this.#world.database.query<{ id: string }>(
      `select exception_id::text as id from exception
        where bill_key = any($1::text[]) and partner_id = 1 and trax_id = any($2::text[]) and closed_at is null order by 1`,
      [Array.from({ length: BILLS }, (_each, index) => `001001:${this.#billNumber(index)}`), this.#traxIds],
    );
    const opened = await Promise.all(own.map(({ id }) => this.#world.people.queue({ itemId: id })));
    return [...findings, ...opened.flat()];
  }

  async #propose(): Promise<void> {
    const free = (await this.#open()).filter(({ proposalId }) => proposalId === null);
    const item = free[this.#chance.below(Math.max(1, free.length))];
    const actions = item === undefined ? [] : moneyActionsFor(item.class);
    const action = actions[this.#chance.below(Math.max(1, actions.length))];
    if (item === undefined || action === undefined) return;
    const accounts = [null, "suspense", "settlement-difference"] as const;
    const mayName = action === "accept" || action === "recover" || item.class === "reversed-there";
    const account = mayName && action !== "write-off" ? accounts[this.#chance.below(3)] : null;
    const target = action === "link" ? this.#traxId(this.#pick()) : null;
    await this.#operate(
      `propose ${action} for ${item.class} ${item.traxId ?? ""}${account === null ? "" : ` to ${account ?? ""}`}${target ?? ""}`,
      async () => {
        const proposalId = await this.#world.people.propose(item.itemId, { action, account: account ?? null, target });
        this.#proposals.push(proposalId);
      },
      nothingChanges,
    );
  }

  async #waiting(): Promise<Made[]> {
    return this.#made("decision is null");
  }

  async #made(condition: string): Promise<Made[]> {
    const rows = await this.#world.database.query<Made>(
      `select proposal_id::text as id, action, undoes::text as undoes from exception_proposal
        where proposal_id = any($1::uuid[]) and ${condition}`,
      [this.#proposals],
    );
    const byId = new Map(rows.map((row) => [row.id, row]));
    return this.#proposals.flatMap((id) => byId.get(id) ?? []);
  }

  async #decide(isApproval: boolean): Promise<void> {
    const waiting = await this.#waiting();
    const proposal = waiting[this.#chance.below(Math.max(1, waiting.length))];
    if (proposal === undefined) return;
    if (isApproval) await this.#approve(proposal);
    else await this.#operate(`refuse ${proposal.action}`, () => this.#world.people.refuse(proposal.id), nothingChanges);
  }

  async #approve({ id, action, undoes }: Made): Promise<void> {
    await this.#operate(
      `approve ${action} ${id.slice(0, 4)}${undoes === null ? "" : ` of ${undoes.slice(0, 4)}`}`,
      () => this.#world.people.approve(id, BUDI),
      (deltas, value) => {
        if (value instanceof Fault) return;
        if (undoes === null) this.#checkAction(action, deltas);
        else this.#checkUndone(deltas, this.#deltas.get(undoes));
        this.#deltas.set(id, deltas);
      },
    );
  }

  #checkAction(action: string, deltas: ReadonlyMap<string, Delta>): void {
    const may = MAY_CHANGE[action] ?? {};
    for (const [trax, delta] of deltas) {
      for (const part of PARTS) {
        const sign = delta[part] > 0n ? 1 : delta[part] < 0n ? -1 : 0;
        if (sign !== 0 && !(may[part] ?? []).includes(sign)) {
          throw new Violation(`${action} changed ${part} of ${trax} by ${delta[part]}`);
        }
      }
      const sum = PARTS.reduce((total, part) => total + delta[part], 0n);
      if (action === "recover" && sum !== 0n) throw new Violation(`recovering changed what is due of ${trax}`);
      if (action !== "reverse" && sum < 0n) throw new Violation(`${action} made ${trax} due again`);
    }
    if (action !== "link" && deltas.size > 1) throw new Violation(`${action} changed ${deltas.size} receivables`);
  }

  #checkUndone(deltas: ReadonlyMap<string, Delta>, done: ReadonlyMap<string, Delta> | undefined): void {
    for (const trax of new Set([...deltas.keys(), ...(done?.keys() ?? [])])) {
      for (const part of PARTS) {
        const now = deltas.get(trax)?.[part] ?? 0n;
        const then = done?.get(trax)?.[part] ?? 0n;
        // What was advised is taken back as a payment, too: then its receivable is reversed.
        if (part !== "reversed" && now !== -then) {
          throw new Violation(`undoing changed ${part} of ${trax} by ${now}, the action had by ${then}`);
        }
      }
    }
  }

  async #approveAll(): Promise<void> {
    for (const proposal of await this.#waiting()) await this.#approve(proposal);
  }

  async #undo(): Promise<void> {
    const { db } = this.#world;
    const approved = (await this.#made("decision = 'approved'")).filter(({ id }) => !this.#unseen.has(id));
    const one = approved[this.#chance.below(Math.max(1, approved.length))];
    if (one === undefined) return;
    await this.#operate(
      `propose to undo ${one.action} ${one.id.slice(0, 4)}`,
      async () => {
        const { proposalId } = await transact(db, (tx) => proposeUndo(tx, ANI, one.id, "for a test"));
        this.#proposals.push(proposalId);
      },
      nothingChanges,
    );
  }

  /** Two operations at the same time: whatever their order, no receivable is cleared twice. */
  async #together(): Promise<void> {
    const { db, people } = this.#world;
    const item = this.#reversalItem(this.#pick(), false);
    const [proposal] = await this.#waiting();
    const choices: (readonly [name: string, work: () => Promise<unknown>])[] = [
      ["settle", () => people.settle(PROFILE, this.#day)],
      [`reversal of ${item.message.traxId}`, () => again(() => postReversal(testPosting(db), item, item.deadline))],
      ["run", () => this.#reconcile()],
      ...(proposal === undefined ? [] : [[`approve ${proposal.action}`, () => people.approve(proposal.id)] as const]),
    ];
    const first = this.#chance.below(choices.length);
    const second = this.#chance.below(choices.length);
    const both = [choices[first], choices[second]].filter((each) => each !== undefined);
    await this.#operate(
      `together: ${both.map(([name]) => name).join(" and ")}`,
      async () => {
        for (const each of await Promise.allSettled(both.map(([, work]) => work()))) {
          const isHonest =
            each.status === "fulfilled" || (each.reason instanceof Fault && HONEST.has(each.reason.code));
          if (!isHonest) throw each.reason;
        }
      },
      () => {},
    );
    if (proposal !== undefined) this.#unseen.add(proposal.id);
  }

  /** Two people explain what is left: afterwards nothing is due, nothing is open, and in transit is what the files say. */
  async finish(): Promise<void> {
    const { database, people } = this.#world;
    for (const { id } of await this.#waiting()) await people.refuse(id);
    await this.#file(`last`, false);
    await this.#run();
    for (let round = 0; ; round += 1) {
      if (round === 20) throw new Violation("what is open does not come to an end");
      await this.#settle();
      const open = (await people.queue({ businessDate: this.#day })).filter((item) => item.closedAt === null);
      if (open.length === 0) break;
      for (const item of open) {
        if (item.proposalId !== null) await people.refuse(item.proposalId);
        const action = item.class === "recovered" ? "recover" : "accept";
        await this.#operate(
          `explain ${item.class} ${item.traxId ?? ""}`,
          () => people.resolve(item.itemId, { action, account: "settlement-difference" }),
          () => {},
        );
      }
    }
    // What an undoing has opened again and no line is about: the payment is taken back in the end.
    for (const item of await this.#open()) {
      const standing = (this.#last ?? new Map<string, Standing>()).get(item.traxId ?? "");
      if (standing === undefined || totalOf(standing) !== 0n) continue;
      await this.#operate(
        `take back ${item.traxId ?? ""}`,
        () => people.resolve(item.itemId, { action: "reverse", account: null }),
        () => {},
      );
    }
    const { changes } = await this.#reconcile();
    if (changes.length > 0) throw new Violation(`a further run found ${JSON.stringify(changes, bigintText)}`);
    for (const [trax, standing] of await this.#standings()) {
      if (totalOf(standing) !== standing.opened) throw new Violation(`${trax} is still due in the end`);
    }
    const [transit] = await database.query<{ posted: bigint; paid: bigint }>(IN_TRANSIT, [PROFILE, this.#day]);
    if (transit?.posted !== transit?.paid) {
      const lines = await database.query(LINES, [PROFILE, this.#day]);
      const shown = lines.map((line) => JSON.stringify(line, bigintText)).join("\n");
      throw new Violation(`${transit?.posted} are in transit, the files say ${transit?.paid}\n${shown}`);
    }
  }
}

/** In transit for the files of a date, and what the switch pays for them: a line "reversed" takes back the paid one beside it. */
const IN_TRANSIT = `
  select coalesce((select sum(p.transit_amount) from settlement_posting p
                    where p.profile_code = $1 and p.settlement_date = $2::date), 0)::bigint as posted,
         coalesce(sum(case l.status when 'paid' then l.amount + l.fee_amount when 'reversed' then -(l.amount + l.fee_amount)
                      else 0 end), 0)::bigint as paid
    from settlement_file f join settlement_line l on l.file_id = f.file_id
   where f.profile_code = $1 and f.settlement_date = $2::date and f.superseded_by is null`;

/** What was made of each line, for people who look for the wrong one. */
const LINES = `
  select r.trax_id as trax, r.file_id as file, r.line_no as line, r.status, r.amount + r.fee_amount as money, r.class,
         r.rule, r.entry_id as linked, (select e.trax_id || e.kind from journal_entry e where e.entry_id = r.entry_id) as payment, r.resolved_at is not null as resolved, p.posting_no as posting
    from settlement_line_result r
    join settlement_file f on f.file_id = r.file_id and f.superseded_by is null
    left join settlement_line_posting p on p.file_id = r.file_id and p.line_no = r.line_no and p.undone_by is null
   where f.profile_code = $1 and f.settlement_date = $2::date order by 1, 2, 3`;

function nothingChanges(deltas: ReadonlyMap<string, Delta>): void {
  if (deltas.size > 0) throw new Violation(`receivables changed: ${[...deltas.keys()].join(", ")}`);
}

function expectOnly(deltas: ReadonlyMap<string, Delta>, trax: string, wanted: Partial<Delta>): void {
  for (const [each, delta] of deltas) {
    for (const part of PARTS) {
      const expected = each === trax ? (wanted[part] ?? 0n) : 0n;
      if (delta[part] !== expected)
        throw new Violation(`${part} of ${each} changed by ${delta[part]}, expected ${expected}`);
    }
  }
}

/** A payment that was just opened has no delta: only what is cleared counts. */
function deltasOf(before: ReadonlyMap<string, Standing>, after: ReadonlyMap<string, Standing>): Map<string, Delta> {
  const deltas = new Map<string, Delta>();
  for (const [trax, now] of after) {
    const then = before.get(trax);
    const delta = Object.fromEntries(PARTS.map((part) => [part, now[part] - (then?.[part] ?? 0n)])) as Record<
      Part,
      bigint
    >;
    if (PARTS.some((part) => delta[part] !== 0n)) deltas.set(trax, delta);
  }
  return deltas;
}

async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round += 1) {
    try {
      return await work();
    } catch (fault) {
      const isPassing = fault instanceof KeyTaken || fault instanceof ClaimLost || fault instanceof ReceivableTaken;
      if (!isPassing || round === 10) throw fault;
    }
  }
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
