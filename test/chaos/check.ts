import { sleep } from "../../src/platform";
import { brokenLaws } from "../support/laws";
import {
  ALREADY_PAID_CODE,
  APPROVED_CODE,
  BAD_AMOUNT_CODE,
  CONFLICT_CODE,
  type Exchange,
  isDefinite,
  type Reply,
  REVERSED_CODE,
} from "./history";
import { probeSafeguards } from "./safeguards";

/** What must never happen, by kind. */
export type ViolationKind =
  "lost" | "doubled" | "divergent" | "tampered" | "unresolved" | "late" | "disordered" | "law" | "host";

/** Something that did. */
export interface Violation {
  readonly kind: ViolationKind;
  /** Null: it is about no single traxId. */
  readonly traxId: string | null;
  readonly detail: string;
}

export type Query = <Row extends object>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

/** What the checks are made against. */
export interface CheckOptions {
  readonly exchanges: readonly Exchange[];
  readonly query: Query;
  readonly ownerUrl: string;
  readonly deadlineMs: number;
  /** Names of hosts that have lived since they were started: what they answered is in the journal of attempts. */
  readonly living: ReadonlySet<string>;
  /** Amount and fee of each bill. */
  readonly dues: ReadonlyMap<string, { readonly amount: bigint; readonly feeAmount: bigint }>;
}

interface TraxRow {
  readonly trax_id: string;
  readonly family: "payment" | "reversal";
  readonly outcome: string;
  readonly reply_body: string;
}

interface EntryRow {
  readonly trax_id: string;
  readonly kind: string;
  readonly variant: string;
}

const LATE_BY_MS = 1_000;
const ATTEMPT_TRIES = 12;

/** Everything that is to hold after a run, once the system is at rest. */
export async function check(options: CheckOptions): Promise<Violation[]> {
  const { exchanges, query } = options;
  const found: Violation[] = [];
  const traxes = groupBy(
    await query<TraxRow>(`select trax_id, family, outcome, reply_body from trax`),
    ({ trax_id }) => trax_id,
  );
  const entries = groupBy(
    await query<EntryRow>(
      `select trax_id, kind, product_code || ' ' || bill_number || ' ' || amount || ' ' || fee_amount as variant
         from journal_entry`,
    ),
    ({ trax_id }) => trax_id,
  );
  const byTraxId = groupBy(exchanges, ({ traxId }) => traxId);
  for (const [traxId, own] of byTraxId) {
    const say = (kind: ViolationKind, detail: string): void => void found.push({ kind, traxId, detail });
    const ledger = { traxes: traxes.get(traxId) ?? [], entries: entries.get(traxId) ?? [] };
    checkPayment(own, ledger, say);
    checkReversal(own, ledger, say);
    for (const each of own) checkTime(each, options.deadlineMs, say);
    for (const { family, message, reply } of own) {
      const due = options.dues.get(message["billNumber"] ?? "");
      if (family !== "payment" || reply?.code !== APPROVED_CODE) continue;
      if (due?.amount !== BigInt(message["amount"] ?? "-1") || due.feeAmount !== BigInt(message["feeAmount"] ?? "-1")) {
        say("tampered", "approved with an amount or a fee that is not the bill's");
      }
    }
  }
  for (const [traxId] of [...traxes, ...entries]) {
    if (!byTraxId.has(traxId)) found.push({ kind: "lost", traxId, detail: "in the books, but nobody sent it" });
  }
  found.push(...alreadyPaidByNobody(exchanges, entries), ...(await lostAttempts(options)));
  for (const law of await brokenLaws({ query } as Parameters<typeof brokenLaws>[0])) {
    found.push({ kind: "law", traxId: null, detail: law });
  }
  for (const law of await brokenOwnLaws(query)) found.push({ kind: "law", traxId: null, detail: law });
  for (const hole of await probeSafeguards(options.ownerUrl)) found.push({ kind: "law", traxId: null, detail: hole });
  return found;
}

type Say = (kind: ViolationKind, detail: string) => void;

interface Ledger {
  readonly traxes: readonly TraxRow[];
  readonly entries: readonly EntryRow[];
}

function checkPayment(own: readonly Exchange[], ledger: Ledger, say: Say): void {
  const payments = own.filter(({ family }) => family === "payment");
  const rows = ledger.traxes.filter(({ family }) => family === "payment");
  const posted = ledger.entries.filter(({ kind }) => kind === "payment");
  if (rows.length > 1) say("doubled", `stored ${rows.length} times`);
  if (posted.length > 1) say("doubled", `posted ${posted.length} times`);
  const stored = rows[0];
  for (const { variant } of posted) {
    if (!payments.some((each) => each.variant === variant)) say("tampered", `posted as ${variant}, which nobody sent`);
  }

  const judged = new Map<string, Reply[]>();
  const conflicts = new Set<string>();
  for (const { variant, reply } of payments) {
    if (!isDefinite(reply)) continue;
    if (reply.code === CONFLICT_CODE) conflicts.add(variant);
    else judged.set(variant, [...(judged.get(variant) ?? []), reply]);
  }
  if (judged.size > 1) say("divergent", `judged as ${[...judged.keys()].join(" and as ")}`);
  for (const [variant, replies] of judged) {
    if (conflicts.has(variant)) say("divergent", `${variant} was judged, and a conflict as well`);
    const approved = replies.filter(({ code }) => code === APPROVED_CODE);
    const reversed = replies.filter(({ code }) => code === REVERSED_CODE);
    const declined = replies.filter(({ code }) => code !== APPROVED_CODE && code !== REVERSED_CODE);
    if (approved.length > 0 && declined.length > 0) say("divergent", "approved and declined");
    if (countOfTexts(approved) > 1) say("divergent", `${countOfTexts(approved)} different approvals`);
    if (countOfTexts(declined) > 1) say("divergent", `${countOfTexts(declined)} different declines`);
    if (stored?.outcome === "REVERSED" && countOfTexts(reversed) > 1)
      say("divergent", "different replies after a tombstone");
    if (reversed.length > 0 && !own.some(({ family }) => family === "reversal")) say("divergent", "reversed by nobody");
    if (approved.length > 0) {
      if (stored?.outcome !== "APPROVED") say("lost", `approved, but stored is ${stored?.outcome ?? "nothing"}`);
      else if (approved.some(({ text }) => text !== stored.reply_body))
        say("divergent", "approved in other bytes than stored");
      if (!posted.some((each) => each.variant === variant)) say("lost", "approved, but not posted");
    }
    if (declined.length > 0) {
      if (posted.length > 0) say("doubled", "declined, and posted all the same");
      if (declined.some(({ text }) => text !== stored?.reply_body))
        say("divergent", "declined in other bytes than stored");
    }
  }
  const takenBackAtMs = Math.min(
    ...own
      .filter(({ family, reply }) => reply?.code === (family === "reversal" ? APPROVED_CODE : REVERSED_CODE))
      .map(({ endedAtMs }) => endedAtMs),
  );
  if (payments.some(({ sentAtMs, reply }) => sentAtMs > takenBackAtMs && reply?.code === APPROVED_CODE)) {
    say("divergent", "approved again after its reversal");
  }
}

function checkReversal(own: readonly Exchange[], ledger: Ledger, say: Say): void {
  const reversals = own.filter(({ family, reply }) => family === "reversal" && isDefinite(reply));
  const rows = ledger.traxes.filter(({ family }) => family === "reversal");
  const posted = ledger.entries.filter(({ kind }) => kind === "reversal");
  if (rows.length > 1 || posted.length > 1) say("doubled", "reversed twice");
  for (const [variant, same] of groupBy(reversals, (each) => each.variant)) {
    // A reversal with another amount, or of another bill, is refused afresh each time.
    const replies = same.flatMap(({ reply }) => reply ?? []);
    const judged = replies.filter(({ code }) => code !== CONFLICT_CODE && code !== BAD_AMOUNT_CODE);
    if (countOfTexts(judged) > 1) say("divergent", `different replies to the reversal of ${variant}`);
    if (judged.some(({ text }) => text !== rows[0]?.reply_body))
      say("lost", "a reversal's reply is not what is stored");
    const wasPaid = ledger.entries.some(({ kind }) => kind === "payment");
    if (judged.some(({ code }) => code === APPROVED_CODE) && wasPaid && posted.length === 0) {
      say("lost", "reversed, says the reply, but no entry says so");
    }
  }
}

function checkTime(each: Exchange, deadlineMs: number, say: Say): void {
  if (!each.hostWasWell) return;
  const tookMs = each.endedAtMs - each.sentAtMs;
  if (each.reply === null) say("late", `no reply from a living host: ${each.problem}`);
  else if (tookMs > deadlineMs + LATE_BY_MS) say("late", `answered after ${tookMs.toFixed(0)} ms`);
}

/** Somebody who is told that a bill is paid already must be able to find the payment. */
function alreadyPaidByNobody(
  exchanges: readonly Exchange[],
  entries: ReadonlyMap<string, readonly EntryRow[]>,
): Violation[] {
  const paidBills = new Map<string, Set<string>>();
  for (const [traxId, rows] of entries) {
    for (const { variant } of rows) {
      const bill = variant.split(" ")[1] ?? "";
      paidBills.set(bill, (paidBills.get(bill) ?? new Set()).add(traxId));
    }
  }
  return exchanges.flatMap(({ traxId, message, reply }) => {
    if (reply?.code !== ALREADY_PAID_CODE) return [];
    const payers = paidBills.get(message["billNumber"] ?? "") ?? new Set();
    const isExplained = [...payers].some((payer) => payer !== traxId);
    return isExplained
      ? []
      : [{ kind: "lost" as const, traxId, detail: "told that the bill is paid, but nobody paid it" }];
  });
}

/** Each answer of a host that lives has its own attempt, soon afterwards. */
async function lostAttempts({ exchanges, living, query }: CheckOptions): Promise<Violation[]> {
  const answered = new Map<string, number>();
  for (const { host, traxId, reply } of exchanges) {
    if (living.has(host) && reply?.status === 200) answered.set(traxId, (answered.get(traxId) ?? 0) + 1);
  }
  for (let tries = 1; ; tries++) {
    const rows = await query<{ trax_id: string; n: number }>(
      `select trax_id, count(*)::int as n from attempt group by 1`,
    );
    const kept = new Map(rows.map(({ trax_id, n }) => [trax_id, n]));
    const missing = [...answered].filter(([traxId, n]) => (kept.get(traxId) ?? 0) < n);
    if (missing.length === 0) return [];
    if (tries === ATTEMPT_TRIES) {
      return missing.map(([traxId, n]) => ({
        kind: "lost",
        traxId,
        detail: `${n} answers of living hosts, ${kept.get(traxId) ?? 0} attempts kept`,
      }));
    }
    await sleep(250);
  }
}

/** What laws.ts does not state. */
async function brokenOwnLaws(query: Query): Promise<string[]> {
  const rows = await query<{ what: string }>(`
    select 'business date ' || business_date || ' of what happened at ' || happened_at as what from journal_entry
     where business_date <> (happened_at at time zone 'Asia/Jakarta')::date
    union all
    select 'business date ' || business_date || ' of what arrived at ' || received_at from trax
     where business_date <> (received_at at time zone 'Asia/Jakarta')::date
    union all
    select 'bill ' || bill_key || ' is collected ' || count(*) || ' times' from journal_entry e
     where kind = 'payment' and not exists (select from journal_entry r where r.reverses_entry_id = e.entry_id)
     group by bill_key having count(*) > 1
    union all
    select 'two entries of one kind for ' || trax_id from journal_entry group by partner_id, trax_id, kind having count(*) > 1`);
  return [...rows.map(({ what }) => what), ...(await forgottenTransactions(query))];
}

/** Longer than the deadlines of what hosts do in the background. */
const BACKGROUND_MS = 6_500;

async function forgottenTransactions(query: Query): Promise<string[]> {
  for (const endMs = performance.now() + BACKGROUND_MS; ; await sleep(300)) {
    const rows = await query<{ what: string }>(`
      select 'a session has stood in a transaction since ' || xact_start as what from pg_stat_activity
       where datname = current_database() and state like 'idle in transaction%'
         and state_change < clock_timestamp() - interval '1 second'`);
    if (rows.length === 0 || performance.now() > endMs) return rows.map(({ what }) => what);
  }
}

function countOfTexts(replies: readonly Reply[]): number {
  return new Set(replies.map(({ text }) => text)).size;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
