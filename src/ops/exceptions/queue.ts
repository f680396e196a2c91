import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { actorText, DEFAULT_DUE_RULE, type DueRule, faultsOfDueRule, type ItemClass } from "../../domain";
import { ConfigFault, Fault, type Statement, type Tx } from "../../platform";
import { type Actor, type HistoryEvent, readHistory } from "./history";
import { recordOperatorAction } from "../../store";

/** Which items are wanted; null: whatever. */
export interface QueueFilter {
  /** Beginning of an identifier. */
  readonly itemId: string | null;
  readonly profileCode: string | null;
  readonly businessDate: string | null;
  readonly toDate: string | null;
  readonly class: string | null;
  readonly owner: string | null;
  readonly onlyOverdue: boolean;
  /** Those that a proposal waits for, or only those without one. */
  readonly proposed: boolean | null;
  readonly withClosed: boolean;
  /** Closed ones alone; goes with `withClosed`. */
  readonly onlyClosed: boolean;
  readonly amountMin: bigint | null;
  readonly amountMax: bigint | null;
  /** Behind the item with this due time and identifier. */
  readonly after: { readonly dueKey: string; readonly itemId: string } | null;
  readonly limit: number;
}

/** Everything, open. */
export const WHOLE_QUEUE: QueueFilter = {
  ...{ itemId: null, profileCode: null, businessDate: null, toDate: null, class: null, owner: null },
  ...{ onlyOverdue: false, proposed: null, withClosed: false, onlyClosed: false, limit: 100 },
  ...{ amountMin: null, amountMax: null, after: null },
};

/** One exception: what reconciliation found, or what a payment or reversal opened. Whole rupiah. */
export interface QueueItem {
  /** The same in every run, as long as something is found about its line or payment. */
  readonly itemId: string;
  readonly itemKind: "finding" | "exception";
  readonly class: ItemClass;
  readonly profileCode: string | null;
  readonly partner: string | null;
  readonly businessDate: string;
  readonly amount: bigint;
  /** What the file says less what our books say; of what payments opened, nothing. */
  readonly difference: bigint | null;
  readonly traxId: string | null;
  readonly fileId: number | null;
  readonly lineNo: number | null;
  readonly detail: string;
  readonly openedAt: Date;
  readonly dueAt: Date;
  /** The same with microseconds, UTC: what pages go on from. */
  readonly dueKey: string;
  readonly isOverdue: boolean;
  readonly owner: string | null;
  readonly carriedTo: string | null;
  readonly proposalId: string | null;
  readonly proposedAction: string | null;
  readonly proposedBy: string | null;
  readonly closedAt: Date | null;
  /** Why it is closed, in words: "matched by run 12". */
  readonly closedBecause: string | null;
}

/** What is shown of an item beside its own row: of its last finding, current or not, or of its row of `exception`. */
const PAGE = (items: string): string => `
    select i.item_id as "itemId", i.item_kind as "itemKind", i.class, i.profile_code as "profileCode",
           (select q.user_name from partner q where q.partner_id = i.partner_id) as partner,
           i.business_date as "businessDate", i.amount, f.difference,
           coalesce(l.trax_id, e.trax_id, f.nearest_trax_id, nullif(x.trax_id, '')) as "traxId", coalesce(f.file_id, x.file_id) as "fileId",
           coalesce(f.line_no, x.line_no) as "lineNo",
           coalesce(x.detail, concat_ws('; ', nullif(array_to_string(f.differing_fields, ', '), ''),
                                        'blocked by ' || f.blocked_by)) as detail,
           i.opened_at as "openedAt", i.due_at as "dueAt",
           to_char(i.due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "dueKey",
           i.closed_at is null and i.due_at < now() as "isOverdue", i.owner, i.carried_to as "carriedTo",
           i.proposal_id as "proposalId", p.action as "proposedAction", p.proposed_by as "proposedBy",
           i.closed_at as "closedAt", i.closed_because as "closedBecause"
      from (${items}) i
      left join reconciliation_finding f on f.finding_id = i.finding_id
      left join settlement_line l on l.file_id = f.file_id and l.line_no = f.line_no
      left join journal_entry e on f.file_id is null and e.entry_id = f.entry_id and e.business_date = f.entry_date
      left join exception x on i.item_kind = 'exception' and x.exception_id = i.item_id
      left join exception_proposal p on p.proposal_id = i.proposal_id
     order by i.due_at, i.item_id`;

/** Conditions of a filter, each with its value; the ones that are not asked for are not in the statement. */
function conditionsOf(filter: QueueFilter): readonly (readonly [condition: string, ...values: unknown[]])[] {
  const { itemId, profileCode, businessDate, toDate, owner, amountMin, amountMax, after } = filter;
  const range = itemId === null ? null : identifiersOf(itemId);
  const lastDate = toDate ?? businessDate;
  const isOneDay = businessDate !== null && businessDate === lastDate;
  return [
    ...(range === null ? [] : [["i.item_id between ?::uuid and ?::uuid", ...range] as const]),
    ...(filter.onlyClosed ? ([["i.closed_at is not null"]] as const) : []),
    ...(filter.withClosed ? [] : ([["i.closed_at is null"]] as const)),
    ...(profileCode === null ? [] : [["i.profile_code = ?", profileCode] as const]),
    ...(isOneDay ? [["i.business_date = ?::date", businessDate] as const] : []),
    ...(businessDate === null || isOneDay ? [] : [["i.business_date >= ?::date", businessDate] as const]),
    ...(lastDate === null || isOneDay ? [] : [["i.business_date <= ?::date", lastDate] as const]),
    ...(filter.class === null ? [] : [["i.class = ?", filter.class] as const]),
    ...(owner === null ? [] : [["i.owner = ?", owner] as const]),
    ...(filter.onlyOverdue ? ([["i.closed_at is null and i.due_at < now()"]] as const) : []),
    ...(filter.proposed === null ? [] : [[`i.proposal_id is ${filter.proposed ? "not " : ""}null`] as const]),
    ...(amountMin === null ? [] : [["i.amount >= ?::bigint", amountMin] as const]),
    ...(amountMax === null ? [] : [["i.amount <= ?::bigint", amountMax] as const]),
    ...(after === null
      ? []
      : [["(i.due_at, i.item_id) > (?::timestamptz, ?::uuid)", after.dueKey, after.itemId] as const]),
  ];
}

/**
 * Items of the queue, what is due first at the top. A page reads a range of an index, whatever lies before it: each set of
 * conditions is a statement of its own, so that the planner knows which index that is.
 */
export async function listQueue(tx: Tx, filter: QueueFilter): Promise<QueueItem[]> {
  if (filter.itemId !== null && identifiersOf(filter.itemId) === null) return [];
  const conditions = conditionsOf(filter);
  const values: unknown[] = conditions.flatMap(([, ...bound]) => bound);
  let count = 0;
  const where = conditions.map(([condition]) => condition.replaceAll("?", () => `$${(count += 1)}`));
  const items = `select * from exception_item i
       ${where.length === 0 ? "" : `where ${where.join(" and ")}`}
       order by i.due_at, i.item_id limit $${values.length + 1}::int`;
  const text = PAGE(items);
  return tx.run<QueueItem>({ name: `ops_list_queue_${digestOf(text)}`, text }, [...values, filter.limit]);
}

/** Names one of the statements that a filter can become: they are prepared under their names. */
function digestOf(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex").slice(0, 12);
}

/** First and last UUID that begin so; null when none can. */
function identifiersOf(beginning: string): readonly [first: string, last: string] | null {
  const filled = (digit: string): string =>
    beginning + `${digit.repeat(8)}-${`${digit.repeat(4)}-`.repeat(3)}${digit.repeat(12)}`.slice(beginning.length);
  const [first, last] = [filled("0"), filled("f")];
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(first) ? [first, last] : null;
}

/** One item with what people did about it. The identifier may be cut, down to four characters, while it names one item. */
export async function readItem(
  tx: Tx,
  itemId: string,
): Promise<QueueItem & { readonly history: readonly HistoryEvent[] }> {
  if (!/^[0-9a-f-]{4,36}$/.test(itemId)) {
    throw new Fault("no_exception", "an exception is named by four or more characters of its identifier");
  }
  const [item, other] = await listQueue(tx, { ...WHOLE_QUEUE, itemId, withClosed: true, limit: 2 });
  if (item === undefined) throw new Fault("no_exception", `there is no exception ${itemId}`);
  if (other !== undefined) throw new Fault("no_exception", `${itemId} begins more than one identifier`);
  return { ...item, history: await readHistory(tx, item.itemId) };
}

const READ_RULE: Statement = {
  name: "ops_read_due_rule",
  text: `select version, definition from exception_due_rule order by version desc limit 1`,
};

/** The rule that due times follow; version 0 is the built-in one. */
export async function readDueRule(tx: Tx): Promise<{ readonly version: number; readonly rule: DueRule }> {
  const [row] = await tx.run<{ version: number; definition: DueRule }>(READ_RULE, []);
  return row === undefined ? { version: 0, rule: DEFAULT_DUE_RULE } : { version: row.version, rule: row.definition };
}

const LOCK_RULE: Statement = {
  name: "ops_lock_due_rule",
  isWrite: true,
  text: `select pg_advisory_xact_lock(hashtext('biller:exception-due-rule'))`,
};
/** Runs change items too: they are waited for, one profile after the other. */
const LOCK_PROFILES: Statement = {
  name: "ops_lock_all_profiles",
  isWrite: true,
  text: `
    select pg_advisory_xact_lock_shared(hashtext('biller:reconciliation'), hashtext(s.profile_code))
      from (select distinct profile_code from settlement_profile order by profile_code) s`,
};
const RECOMPUTE: Statement = {
  name: "ops_recompute_due_times",
  isWrite: true,
  text: `select recompute_due_times()`,
};
const SAVE_RULE: Statement = {
  name: "ops_save_due_rule",
  isWrite: true,
  text: `insert into exception_due_rule (version, definition, made_by) values ($1, $2::jsonb, $3)`,
};

/**
 * Puts another rule in force; times of all open items follow it at once. What a payment opens in the same moment may keep the
 * time of the rule before. The rule that is in force already is left alone.
 *
 * @returns its version
 * @throws ConfigFault naming everything that is wrong with it
 */
export async function saveDueRule(tx: Tx, actor: Actor, given: unknown): Promise<number> {
  const faults = faultsOfDueRule(given);
  if (faults.length > 0) throw new ConfigFault("the rule is not valid", faults);
  await tx.run(LOCK_PROFILES, []);
  await tx.run(LOCK_RULE, []);
  const before = await readDueRule(tx);
  if (before.version > 0 && isDeepStrictEqual(before.rule, given)) return before.version;
  const version = before.version + 1;
  await tx.run(SAVE_RULE, [version, JSON.stringify(given), actor.name]);
  await tx.run(RECOMPUTE, []);
  await recordOperatorAction(tx, {
    ...{ actor: actorText(actor), action: "exception-due-rule.set" },
    ...{ object: `exception-due-rule:${version}`, before: before.rule, after: given },
  });
  return version;
}
