import { type Clearing, type ClearingKind, type Receivable, withClearing } from "../domain";
import { Fault, sqlStateOf, type Statement, type Tx } from "../platform";

/** Another transaction cleared one of the receivables meanwhile: nothing was written, read and decide again. */
export class ReceivableTaken extends Fault {
  constructor(cause?: unknown) {
    super("receivable_taken", "another transaction cleared the receivable", { cause });
  }
}

/** SQL: the latest clearing of the payment whose entry is `entry`, as a row to be joined laterally; none while nothing was cleared. */
export const latestClearing = (entry: string): string => `
  (select * from receivable_clearing where entry_id = ${entry} order by version desc limit 1)`;

/** SQL condition: the payment of that entry was reversed, and the reversal stands. */
export const isReversed = (entry: string): string => `
  exists (select from receivable_clearing rc where rc.entry_id = ${entry} and rc.reversed > 0
             and not exists (select from receivable_clearing rn
                              where rn.entry_id = rc.entry_id and rn.version > rc.version))`;

/** SQL condition: something of the receivable of that entry is cleared. */
export const isCleared = (entry: string): string => `
  exists (select from receivable_clearing rc where rc.entry_id = ${entry}
             and rc.settled + rc.reversed + rc.written_off + rc.accepted + rc.recovered + rc.excess > 0
             and not exists (select from receivable_clearing rn
                              where rn.entry_id = rc.entry_id and rn.version > rc.version))`;

const READ: Statement = {
  name: "ledger_read_receivables",
  text: `
    select r.entry_id as "entryId", r.bill_key as "billKey", r.business_date as "entryDate", r.partner_id as "partnerId",
           r.version, r.opened, r.settled, r.reversed, r.written_off, r.accepted, r.recovered, r.excess
      from receivable r where r.entry_id = any($1::uuid[])`,
};

interface Row {
  readonly entryId: string;
  readonly billKey: string;
  readonly entryDate: string;
  readonly partnerId: number;
  readonly version: number;
  readonly opened: bigint;
  readonly settled: bigint;
  readonly reversed: bigint;
  readonly written_off: bigint;
  readonly accepted: bigint;
  readonly recovered: bigint;
  readonly excess: bigint;
}

/** The receivables of payments, by the identifiers of their entries. No locks: a clearing claims the version it read. */
export async function readReceivables(tx: Tx, entryIds: readonly string[]): Promise<Map<string, Receivable>> {
  if (entryIds.length === 0) return new Map();
  const rows = await tx.run<Row>(READ, [entryIds]);
  return new Map(rows.map((row) => [row.entryId, receivableOf(row)]));
}

function receivableOf({ settled, reversed, written_off, accepted, recovered, excess, ...row }: Row): Receivable {
  return { ...row, cleared: { settled, reversed, "written-off": written_off, accepted, recovered, excess } };
}

/** What is cleared of one receivable. */
export interface ReceivableClearing extends Clearing {
  readonly entryId: string;
}

const APPEND: Statement = {
  name: "ledger_append_clearings",
  isWrite: true,
  text: `
    insert into receivable_clearing (entry_id, version, bill_key, entry_date, partner_id, kind, amount, opened, settled,
                                     reversed, written_off, accepted, recovered, excess, by_entry_id, by_entry_date)
    select *, $15::uuid, $16::date
      from unnest($1::uuid[], $2::int[], $3::text[], $4::date[], $5::int[], $6::text[], $7::bigint[], $8::bigint[],
                  $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
     order by 1, 2`,
};

/**
 * Clears receivables, in the transaction of the entry that does so and after that entry was written. Each receivable is
 * claimed by the version that was read.
 *
 * @param receivables as `readReceivables` gave them
 * @throws ReceivableTaken another transaction was first, or more would be cleared than is due
 */
export async function appendClearings(
  tx: Tx,
  by: { readonly entryId: string; readonly businessDate: string },
  receivables: ReadonlyMap<string, Receivable>,
  clearings: readonly ReceivableClearing[],
): Promise<void> {
  if (clearings.length === 0) return;
  const current = new Map(receivables);
  const rows = clearings.map(({ entryId, kind, amount }) => {
    const before = current.get(entryId);
    const after = before === undefined ? null : withClearing(before, { kind, amount });
    if (after === null) throw new ReceivableTaken();
    current.set(entryId, after);
    return { after, kind, amount };
  });
  const of = (name: ClearingKind): bigint[] => rows.map(({ after }) => after.cleared[name]);
  try {
    await tx.run(APPEND, [
      rows.map(({ after }) => after.entryId),
      rows.map(({ after }) => after.version),
      rows.map(({ after }) => after.billKey),
      rows.map(({ after }) => after.entryDate),
      rows.map(({ after }) => after.partnerId),
      rows.map(({ kind }) => kind),
      rows.map(({ amount }) => amount),
      rows.map(({ after }) => after.opened),
      of("settled"),
      of("reversed"),
      of("written-off"),
      of("accepted"),
      of("recovered"),
      of("excess"),
      by.entryId,
      by.businessDate,
    ]);
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
    throw new ReceivableTaken(error);
  }
}

const UNIQUE_VIOLATION = "23505";

const BROKEN: Statement = {
  name: "ledger_broken_receivables",
  text: `
    with due as (
      select e.entry_id, e.bill_key, e.business_date, e.kind, e.partner_id,
             coalesce(sum(case g.side when 'debit' then g.amount else -g.amount end), 0)::bigint as net,
             coalesce(sum(g.amount) filter (where g.side = 'debit'), 0)::bigint as debits
        from journal_entry e
        left join posting g on g.entry_id = e.entry_id and g.bill_key = e.bill_key and g.business_date = e.business_date
         and g.account_code = 'due-from-switch'
       group by 1, 2, 3, 4, 5
    ), chained as (
      select c.*, lag(c.version) over each as version_before, lag(c.opened) over each as opened_before,
             coalesce(lag(c.settled + c.reversed + c.written_off + c.accepted + c.recovered + c.excess) over each, 0)
               as total_before
        from receivable_clearing c
      window each as (partition by c.entry_id, c.bill_key order by c.version)
    ), by_entry as (
      select by_entry_id, sum(amount)::bigint as amount from receivable_clearing group by 1
    )
    select * from (
      select d.entry_id::text as "entryId",
             'a payment opened ' || d.net || ' on due-from-switch, with debits of ' || d.debits as what
        from due d where d.kind = 'payment' and (d.net <= 0 or d.net <> d.debits)
      union all
      select d.entry_id::text, 'an entry clears ' || -d.net || ' of due-from-switch, its clearings say ' || coalesce(b.amount, 0)
        from due d left join by_entry b on b.by_entry_id = d.entry_id
       where d.kind <> 'payment' and -d.net <> coalesce(b.amount, 0)
      union all
      select b.by_entry_id::text, 'clearings of ' || b.amount || ' name an entry that is not in the journal'
        from by_entry b where not exists (select from due d where d.entry_id = b.by_entry_id and d.kind <> 'payment')
      union all
      select c.entry_id::text, 'version ' || c.version || ' of its receivable does not continue the one before'
        from chained c
       where c.version <> coalesce(c.version_before, 0) + 1 or c.opened <> coalesce(c.opened_before, c.opened)
          or c.settled + c.reversed + c.written_off + c.accepted + c.recovered + c.excess <> c.total_before + c.amount
          or c.settled + c.reversed + c.written_off + c.accepted + c.recovered > c.opened
      union all
      select c.entry_id::text, 'its receivable says that ' || c.opened || ' was opened, the payment opened ' || coalesce(d.net, 0)
        from chained c
        left join due d on d.entry_id = c.entry_id and d.bill_key = c.bill_key and d.business_date = c.entry_date
         and d.kind = 'payment' and d.partner_id = c.partner_id
       where c.version = 1 and c.opened is distinct from d.net
      union all
      select r.entry_id::text, r.excess || ' was cleared twice before the database refused that: correct it'
        from receivable r where r.excess > 0
      union all
      select 'partner ' || p.partner_id, 'the switch owes ' || p.net || ' by its account, and ' || p.due || ' by open receivables'
        from (select d.partner_id, sum(d.net)::bigint as net,
                     coalesce((select sum(r.due - r.excess) from receivable r where r.partner_id = d.partner_id), 0) as due
                from due d group by 1) p
       where p.net <> p.due) broken
     order by 1, 2 limit $1`,
};

/** Something about a receivable that is not as it must be. */
export interface BrokenReceivable {
  /** Identifier of the entry, or the partner. */
  readonly entryId: string;
  readonly what: string;
}

/**
 * Checks the law of receivables over all the books: each payment opened what its postings say, each clearing continues the one
 * before and never exceeds what was opened, each entry on *due from switch* has clearings of its amount, and what an account
 * says is what the open receivables add up to. Reads the whole journal.
 *
 * @returns at most `limit` rows; none where all is well
 */
export function readBrokenReceivables(tx: Tx, limit: number): Promise<BrokenReceivable[]> {
  return tx.run<BrokenReceivable>(BROKEN, [limit]);
}

const BROKEN_ON: Statement = {
  name: "ledger_broken_receivables_on",
  text: `
    with moved as (
      select e.entry_id, e.kind,
             coalesce(sum(case g.side when 'debit' then g.amount else -g.amount end), 0)::bigint as net
        from journal_entry e
        left join posting g on g.entry_id = e.entry_id and g.bill_key = e.bill_key and g.business_date = e.business_date
         and g.account_code = 'due-from-switch' and g.business_date = $1::date
       where e.business_date = $1::date and e.kind <> 'payment'
       group by 1, 2
    ), cleared as (
      select by_entry_id, sum(amount)::bigint as amount
        from receivable_clearing where by_entry_date = $1::date group by 1
    )
    select coalesce(m.entry_id, c.by_entry_id)::text as "entryId",
           'an entry clears ' || coalesce(-m.net, 0) || ' of due-from-switch, its clearings say ' || coalesce(c.amount, 0) as what
      from moved m full join cleared c on c.by_entry_id = m.entry_id
     where coalesce(-m.net, 0) <> coalesce(c.amount, 0)
     order by 1 limit 20`,
};

/** The same for the entries of one business date: what a close of it rests on. */
export function readBrokenReceivablesOn(tx: Tx, businessDate: string): Promise<BrokenReceivable[]> {
  return tx.run<BrokenReceivable>(BROKEN_ON, [businessDate]);
}
