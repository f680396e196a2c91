import type { Statement, Tx } from "../../platform";
import type { Bindings, Question } from "./filters";

/** What is summed: postings of a moment, by account. A `select` of account_code, debits and credits, not yet added up. */
type Parts = readonly string[];

const SUMS = `coalesce(sum(p.amount) filter (where p.side = 'debit'), 0) as debits,
                coalesce(sum(p.amount) filter (where p.side = 'credit'), 0) as credits`;
const OF_ENTRY = "p.entry_id = e.entry_id and p.bill_key = e.bill_key and p.business_date = e.business_date";

/** Conditions on an entry `e` for a moment. */
function conditionsOf({ at, time = "happened", businessTo }: Question["filters"], bindings: Bindings): string[] {
  return [
    ...(at === undefined ? [] : [bindings.condition(`e.${time}_at <= ?::timestamptz`, at)]),
    ...(businessTo === undefined ? [] : [bindings.condition("e.business_date <= ?::date", businessTo)]),
  ];
}

const whereOf = (conditions: readonly string[]): string =>
  conditions.length === 0 ? "" : `where ${conditions.join(" and ")}`;

/** Every posting up to the moment, read one by one. */
export function plainParts(filters: Question["filters"], bindings: Bindings): Parts {
  const conditions = conditionsOf(filters, bindings);
  // The entry is only needed for its times: without an instant the postings are summed as they are.
  const rows =
    filters["at"] === undefined
      ? `posting p ${whereOf(conditions).replaceAll("e.business_date", "p.business_date")}`
      : `journal_entry e join posting p on ${OF_ENTRY} ${whereOf(conditions)}`;
  return [`select p.account_code, ${SUMS} from ${rows} group by p.account_code`];
}

/** How far the totals go. */
interface TotalsMark {
  readonly block_no: bigint;
  /** UTC text, or `-infinity`. */
  readonly sealed_until: string;
}

const READ_MARK: Statement = {
  name: "audit_totals_mark",
  text: `
    select t.block_no, case when isfinite(s.sealed_until) then
             to_char(s.sealed_until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') else '-infinity' end as sealed_until
      from posting_total_state t, seal_state s`,
};

const READ_CUT: Statement = {
  name: "audit_totals_cut",
  text: `
    select distinct to_char(recorded_hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as recorded_hour, business_date
      from posting_total where happened_hour = date_trunc('hour', $1::timestamptz, 'UTC')
     order by 1, 2
     limit 17`,
};

/** More hours of recording than this for one hour of happening are not looked up one by one. */
const CUT_HOURS_MAX = 16;

/**
 * The totals up to the hour of the moment, and what they do not hold:
 *
 * 1. totals of whole hours that lie before the moment;
 * 2. entries in the totals whose hour the moment cuts in two;
 * 3. entries that are not in the totals: of blocks behind their mark, and of no block yet.
 *
 * An entry is summed once: 1 takes no hour that 2 looks at, and 3 takes no entry that is in the totals.
 *
 * @returns null where there are no totals yet
 */
export async function totalsParts(tx: Tx, filters: Question["filters"], bindings: Bindings): Promise<Parts | null> {
  const [mark] = await tx.run<TotalsMark>(READ_MARK, []);
  if (mark === undefined || mark.block_no === 0n) return null;
  const { at, time = "happened", businessTo } = filters;
  const block = bindings.add(mark.block_no.toString());
  const conditions = conditionsOf(filters, bindings);
  const isIn = `exists (select from seal_item s where s.item_key = 'entry:' || e.entry_id and s.block_no <= ${block}::bigint)`;
  const names = "select e.entry_id, e.bill_key, e.business_date from journal_entry e";

  const hour = at === undefined ? "" : `date_trunc('hour', ${bindings.add(at)}::timestamptz, 'UTC')`;
  const whole = [
    ...(at === undefined ? [] : [`t.${time}_hour < ${hour}`]),
    ...(businessTo === undefined ? [] : [bindings.condition("t.business_date <= ?::date", businessTo)]),
  ];
  const unsealed = bindings.condition("e.recorded_at >= ?::timestamptz", mark.sealed_until);
  const entries = [
    `${names} ${whereOf([...conditions, unsealed, `not ${isIn}`])}`,
    `select e.entry_id, e.bill_key, e.business_date from seal_item s
       join journal_entry e on e.entry_id = substr(s.item_key, 7)::uuid and e.business_date = s.business_date
      ${whereOf([...conditions, `s.block_no > ${block}::bigint`, "s.item_key like 'entry:%'"])}`,
    ...(at === undefined
      ? []
      : [`${names} ${whereOf([...conditions, `e.${time}_at >= ${hour}`, await cutOf(tx, at, time, bindings), isIn])}`]),
  ];
  return [
    `select t.account_code, sum(t.debits) as debits, sum(t.credits) as credits
       from posting_total t ${whereOf(whole)} group by t.account_code`,
    `select p.account_code, ${SUMS} from (${entries.join("\n union ")}) e join posting p on ${OF_ENTRY}
      group by p.account_code`,
  ];
}

/** When the entries of the cut hour were recorded, which is what they can be found by. */
async function cutOf(tx: Tx, at: string, time: string, bindings: Bindings): Promise<string> {
  if (time === "recorded") return "true";
  const hours = await tx.run<{ recorded_hour: string; business_date: string }>(READ_CUT, [at]);
  if (hours.length === 0) return "false";
  if (hours.length > CUT_HOURS_MAX) return "true";
  const each = hours.map(({ recorded_hour, business_date }) => {
    const from = `${bindings.add(recorded_hour)}::timestamptz`;
    const day = bindings.condition("e.business_date = ?::date", business_date);
    return `(${day} and e.recorded_at >= ${from} and e.recorded_at < ${from} + interval '1 hour')`;
  });
  return `(${each.join(" or ")})`;
}
