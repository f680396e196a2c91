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

/** One exception: a finding of a reconciliation, or what a payment or reversal opened. Whole rupiah. */
export interface QueueItem {
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
}

/** The queue; conditions on the keys of findings and exceptions let one item be found without looking at the others. */
const queueText = (findings: string, exceptions: string): string => `
    select * from (
      select i.*, h.owner, h.carried_to as "carriedTo", p.proposal_id as "proposalId", p.action as "proposedAction",
             p.proposed_by as "proposedBy", d.due_at as "dueAt",
             to_char(d.due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "dueKey", i."closedAt" is null and d.due_at < now() as "isOverdue"
        from (
          select f.finding_id as "itemId", 'finding' as "itemKind", f.class, f.profile_code as "profileCode",
                 (select q.user_name from partner q
                   where q.partner_id = coalesce(s.partner_id, e.partner_id)) as partner,
                 f.business_date as "businessDate", f.amount, f.difference,
                 coalesce(l.trax_id, e.trax_id, f.nearest_trax_id) as "traxId", f.file_id as "fileId",
                 f.line_no as "lineNo",
                 concat_ws('; ', nullif(array_to_string(f.differing_fields, ', '), ''), 'blocked by ' || f.blocked_by)
                   as detail,
                 f.found_at as "openedAt", f.resolved_at as "closedAt"
            from reconciliation_finding f
            left join settlement_file s on s.file_id = f.file_id
            left join settlement_line l on l.file_id = f.file_id and l.line_no = f.line_no
            left join journal_entry e
              on f.file_id is null and e.entry_id = f.entry_id and e.business_date = f.entry_date
           where f.replaced_by_run is null and ($9::boolean or f.resolved_at is null)
             and ($2::text is null or f.profile_code = $2) and ($3::date is null or f.business_date >= $3::date)
             and ($4::date is null or f.business_date <= $4::date) and ($5::text is null or f.class = $5) ${findings}
          union all
          select x.exception_id, 'exception', x.kind, null,
                 (select q.user_name from partner q where q.partner_id = x.partner_id),
                 (x.opened_at at time zone 'Asia/Jakarta')::date, x.amount, null, x.trax_id, null, null, x.detail,
                 x.opened_at, x.closed_at
            from exception x
           where ($9::boolean or x.closed_at is null) and $2::text is null and ($5::text is null or x.kind = $5)
             and ($3::date is null or (x.opened_at at time zone 'Asia/Jakarta')::date >= $3::date)
             and ($4::date is null or (x.opened_at at time zone 'Asia/Jakarta')::date <= $4::date) ${exceptions}
        ) i
        left join exception_handling h on h.item_id = i."itemId"
        left join exception_proposal p on p.item_id = i."itemId" and p.decision is null
       cross join lateral (
         select greatest(
                  i."openedAt" + (select make_interval(hours => t.hours) from unnest($11::bigint[], $12::int[]) t(least, hours)
                                   where t.least <= i.amount order by t.least desc limit 1),
                  (h.carried_to + 1)::timestamp at time zone 'Asia/Jakarta') as due_at) d
    ) items
     where ($1::text is null or "itemId"::text like $1 || '%') and ($6::text is null or owner = $6)
       and (not $7::boolean or "isOverdue") and ($8::boolean is null or ("proposalId" is not null) = $8)
       and (not $13::boolean or "closedAt" is not null)
       and ($14::bigint is null or amount >= $14) and ($15::bigint is null or amount <= $15)
       and ($16::timestamptz is null or ("dueAt", "itemId") > ($16::timestamptz, $17::uuid))
     order by "dueAt", "itemId" limit $10`;
const LIST: Statement = { name: "ops_list_queue", text: queueText("", "") };
/** $18 and $19: first and last identifier that begin as given. */
const FIND: Statement = {
  name: "ops_find_in_queue",
  text: queueText(
    "and f.finding_id between $18::uuid and $19::uuid",
    "and x.exception_id between $18::uuid and $19::uuid",
  ),
};

/** Items of the queue, what is due first at the top. */
export async function listQueue(tx: Tx, filter: QueueFilter): Promise<QueueItem[]> {
  const { tiers } = (await readDueRule(tx)).rule;
  const range = filter.itemId === null ? [] : identifiersOf(filter.itemId);
  if (range === null) return [];
  return tx.run<QueueItem>(filter.itemId === null ? LIST : FIND, [
    ...[filter.itemId, filter.profileCode, filter.businessDate, filter.toDate ?? filter.businessDate, filter.class],
    ...[filter.owner, filter.onlyOverdue, filter.proposed, filter.withClosed, filter.limit],
    tiers.map(({ from }) => BigInt(from)),
    tiers.map(({ hours }) => hours),
    ...[filter.onlyClosed, filter.amountMin, filter.amountMax, filter.after?.dueKey ?? null],
    filter.after?.itemId ?? null,
    ...range,
  ]);
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
const SAVE_RULE: Statement = {
  name: "ops_save_due_rule",
  isWrite: true,
  text: `insert into exception_due_rule (version, definition, made_by) values ($1, $2::jsonb, $3)`,
};

/**
 * Puts another rule in force; times of all open items follow it at once. The rule that is in force already is left alone.
 *
 * @returns its version
 * @throws ConfigFault naming everything that is wrong with it
 */
export async function saveDueRule(tx: Tx, actor: Actor, given: unknown): Promise<number> {
  const faults = faultsOfDueRule(given);
  if (faults.length > 0) throw new ConfigFault("the rule is not valid", faults);
  await tx.run(LOCK_RULE, []);
  const before = await readDueRule(tx);
  if (before.version > 0 && isDeepStrictEqual(before.rule, given)) return before.version;
  const version = before.version + 1;
  await tx.run(SAVE_RULE, [version, JSON.stringify(given), actor.name]);
  await recordOperatorAction(tx, {
    ...{ actor: actorText(actor), action: "exception-due-rule.set" },
    ...{ object: `exception-due-rule:${version}`, before: before.rule, after: given },
  });
  return version;
}
