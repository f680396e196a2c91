import {
  type ExpectedFile,
  readExpectedFiles,
  readPaymentsWithoutFile,
  type UnexpectedPayments,
} from "../reconciliation/expected-files";
import type { Session } from "../reconciliation/session";

/** Count and sums of whole rupiah, as digits. */
interface Sums {
  readonly count: number;
  readonly amount: string;
}

/** One account over a day. Balances are debits less credits, whole rupiah as digits. */
export interface AccountDay {
  readonly account: string;
  readonly opening: string;
  readonly debits: string;
  readonly credits: string;
  /** Net of entries of earlier, closed dates that were recorded after those were closed. */
  readonly late: string;
  readonly closing: string;
}

/** Formats of bodies: the first knows nothing of versions and expected files. What was closed in one stays in it. */
export const CLOSE_FORMATS = ["biller day close 1", "biller day close 2"] as const;

/** What the second format says beside the first. */
export interface CloseAdditions {
  /** Counted from 1; a higher one was closed after two people had opened the date again. */
  readonly version: number;
  /** The close of this date that counts no more; null: it is the first. */
  readonly replaces: {
    readonly version: number;
    readonly sha256: string;
    readonly reason: string;
    readonly proposedBy: string;
    readonly approvedBy: string;
  } | null;
  /** Where closed days begin although there are earlier entries: these make up the opening balances. */
  readonly begin: { readonly earliest: string; readonly entries: number } | null;
  readonly expectedFiles: readonly ExpectedFile[];
  /** Accepted payments that no file speaks of and that none is expected for. */
  readonly paymentsWithoutFile: readonly UnexpectedPayments[];
  /** Files that correct lines of others. */
  readonly supplements: readonly { readonly name: string; readonly of: string }[];
}

/** Everything that a closed day says; amounts are digits, with a minus where they may be negative. */
export interface CloseBody extends Partial<CloseAdditions> {
  readonly format: (typeof CLOSE_FORMATS)[number];
  readonly businessDate: string;
  readonly asOf: string;
  readonly previousSha256: string | null;
  /** What the switch owes: opening + accepted - reversed - settled + corrected + late = closing. */
  readonly receivable: Readonly<
    Record<"opening" | "accepted" | "reversed" | "settled" | "corrected" | "late" | "closing", string>
  >;
  readonly accounts: readonly AccountDay[];
  /** Messages by product, family and outcome. */
  readonly products: readonly (Sums & {
    readonly product: string;
    readonly family: string;
    readonly outcome: string;
    readonly fee: string;
  })[];
  readonly files: readonly {
    readonly profile: string;
    readonly name: string;
    readonly version: number;
    readonly sha256: string;
    readonly lines: number;
    readonly badLines: number;
    readonly amount: string;
    readonly fee: string;
  }[];
  /** What the files of the date were found to say: `matched`, `unreadable`, and every class. */
  readonly reconciliation: readonly (Sums & {
    readonly profile: string;
    readonly class: string;
    readonly difference: string;
    readonly resolved: number;
  })[];
  /** What was put on its way to the bank for the files of the date. */
  readonly posted: readonly (Sums & { readonly profile: string; readonly kind: string; readonly due: string })[];
  readonly openExceptions: readonly (Sums & { readonly class: string; readonly difference: string })[];
  readonly waitingProposals: number;
  readonly late: readonly {
    readonly entryId: string;
    readonly businessDate: string;
    readonly kind: string;
    readonly traxId: string;
    readonly amount: string;
  }[];
}

/** Which day is computed, as of which moment, in which format. */
export interface Day {
  readonly businessDate: string;
  readonly asOf: string;
  readonly format: CloseBody["format"];
  readonly version: number;
  /** Closed days begin with this one although there are earlier entries. */
  readonly isBegin: boolean;
  readonly previous: { readonly asOf: string; readonly sha256: string; readonly body: string } | null;
}

/** What the books say about a day, as of a moment: the same bytes whenever it is asked. */
export async function computeBody(session: Session, day: Day): Promise<CloseBody> {
  const { run } = session;
  const { businessDate, asOf, previous, format } = day;
  const values = [businessDate, asOf];
  await run(`select set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true)`);
  const moved = await run<{ account: string; kind: string; debits: bigint; credits: bigint }>(MOVED, values);
  const opening = await openingOf(session, day);
  const lateSums = previous === null ? [] : await run<LateSum>(LATE_SUMS, [...values, previous.asOf]);
  const late = previous === null ? [] : await run<CloseBody["late"][number]>(LATE, [...values, previous.asOf]);
  await run(`select set_config('enable_nestloop', 'on', true), set_config('work_mem', '4MB', true)`);
  const accounts = accountsOf(opening, moved, lateSums);
  const due = accounts.find(({ account }) => account === "due-from-switch");
  const netOf = (kind: string): bigint =>
    moved
      .filter((each) => each.account === "due-from-switch" && each.kind === kind)
      .reduce((sum, { debits, credits }) => sum + debits - credits, 0n);
  const [waiting] = await run<{ count: number }>(WAITING, [asOf]);
  return {
    ...{ format, businessDate, asOf, previousSha256: previous?.sha256 ?? null },
    receivable: {
      opening: due?.opening ?? "0",
      accepted: netOf("payment").toString(),
      reversed: (-netOf("reversal")).toString(),
      settled: (-netOf("settlement")).toString(),
      corrected: netOf("correction").toString(),
      late: due?.late ?? "0",
      closing: due?.closing ?? "0",
    },
    accounts,
    products: await run(PRODUCTS, values),
    files: await run(FILES, values),
    reconciliation: await run(RECONCILIATION, values),
    posted: await run(POSTED, values),
    openExceptions: await run(OPEN_EXCEPTIONS, values),
    waitingProposals: waiting?.count ?? 0,
    late,
    ...(format === "biller day close 1" ? {} : await additionsOf(session, day)),
  };
}

async function additionsOf(session: Session, day: Day): Promise<CloseAdditions> {
  const { businessDate, asOf, version, isBegin } = day;
  const [replaced] = await session.run<NonNullable<CloseAdditions["replaces"]>>(REPLACED, [businessDate, version - 1]);
  const [begin] = isBegin ? await session.run<NonNullable<CloseAdditions["begin"]>>(BEGIN, [businessDate, asOf]) : [];
  return {
    version,
    replaces: replaced ?? null,
    begin: begin ?? null,
    expectedFiles: await readExpectedFiles(session, businessDate, asOf),
    paymentsWithoutFile: await readPaymentsWithoutFile(session, businessDate, asOf),
    supplements: await session.run(SUPPLEMENTS, [businessDate, asOf]),
  };
}

const REPLACED = `
  select c.version, encode(c.sha256, 'hex') as sha256, r.reason, r.proposed_by as "proposedBy", r.approved_by as "approvedBy"
    from day_close c join day_reopening r using (business_date, version)
   where c.business_date = $1::date and c.version = $2`;

/** What was recorded before the first closed day. */
const BEGIN = `
  select min(business_date)::text as earliest, count(*)::int as entries
    from journal_entry where business_date < $1::date and recorded_at <= $2::timestamptz having count(*) > 0`;

interface LateSum {
  readonly account: string;
  readonly net: bigint;
}

/** Balances by account before the day: of the close before, or, for the first close, of all that came before. */
async function openingOf({ run }: Session, { businessDate, asOf, previous }: Day): Promise<Map<string, bigint>> {
  if (previous !== null) {
    const { accounts } = JSON.parse(previous.body) as Pick<CloseBody, "accounts">;
    return new Map(accounts.map(({ account, closing }) => [account, BigInt(closing)]));
  }
  const rows = await run<LateSum>(BEFORE, [businessDate, asOf]);
  return new Map(rows.map(({ account, net }) => [account, net]));
}

function accountsOf(
  opening: ReadonlyMap<string, bigint>,
  moved: readonly { readonly account: string; readonly debits: bigint; readonly credits: bigint }[],
  late: readonly LateSum[],
): AccountDay[] {
  const names = new Set([...opening.keys(), ...moved.map((each) => each.account), ...late.map((each) => each.account)]);
  return [...names].toSorted().map((account) => {
    const own = moved.filter((each) => each.account === account);
    const debits = own.reduce((sum, each) => sum + each.debits, 0n);
    const credits = own.reduce((sum, each) => sum + each.credits, 0n);
    const lateNet = late.find((each) => each.account === account)?.net ?? 0n;
    const before = opening.get(account) ?? 0n;
    const closing = before + debits - credits + lateNet;
    return {
      ...{ account, opening: before.toString(), debits: debits.toString(), credits: credits.toString() },
      ...{ late: lateNet.toString(), closing: closing.toString() },
    };
  });
}

/** $1 is the date, $2 the moment; $3, where there is one, the moment of the close before. */
const NET = `sum(case p.side when 'debit' then p.amount else -p.amount end)::bigint as net`;
const ENTRIES = `posting p join journal_entry e on e.entry_id = p.entry_id and e.business_date = p.business_date`;

const MOVED = `
  select p.account_code as account, e.kind, coalesce(sum(p.amount) filter (where p.side = 'debit'), 0)::bigint as debits,
         coalesce(sum(p.amount) filter (where p.side = 'credit'), 0)::bigint as credits
    from ${ENTRIES}
   where p.business_date = $1::date and e.business_date = $1::date and e.recorded_at <= $2::timestamptz
   group by 1, 2`;

const BEFORE = `
  select p.account_code as account, ${NET} from ${ENTRIES}
   where p.business_date < $1::date and e.business_date < $1::date and e.recorded_at <= $2::timestamptz group by 1`;

const LATE_WHERE = `e.business_date < $1::date and e.recorded_at <= $2::timestamptz and e.recorded_at > $3::timestamptz`;
const LATE_SUMS = `
  select p.account_code as account, ${NET} from ${ENTRIES} where ${LATE_WHERE} and p.business_date < $1::date group by 1`;
const LATE = `
  select e.entry_id as "entryId", e.business_date::text as "businessDate", e.kind, e.trax_id as "traxId",
         e.amount::text as amount
    from journal_entry e where ${LATE_WHERE} order by e.entry_id`;

/** Nothing of a date is recorded more than two days before it. A late message about a manual posting is no second payment. */
const PRODUCTS = `
  select t.product_code as product, t.family, t.outcome, count(*)::int as count, sum(t.amount)::text as amount,
         sum(t.fee_amount)::text as fee
    from trax t
   where t.business_date = $1::date and not t.answers_manual and t.recorded_at <= $2::timestamptz
     and t.recorded_at >= ($1::date - 2)::timestamp at time zone 'UTC'
   group by 1, 2, 3 order by 1, 2, 3`;

const CURRENT_FILES = `
    from settlement_file f
    left join settlement_file n on n.file_id = f.superseded_by
   where f.settlement_date = $1::date and f.imported_at <= $2::timestamptz
     and (n.file_id is null or n.imported_at > $2::timestamptz)`;
const FILES = `
  select f.profile_code as profile, f.file_name as name, f.version, encode(f.content_sha256, 'hex') as sha256,
         f.line_count as lines, f.bad_line_count as "badLines", f.amount_total::text as amount, f.fee_total::text as fee
  ${CURRENT_FILES} order by f.profile_code, f.file_name, f.version`;

const SUPPLEMENTS = `
  select f.file_name as name, (select o.file_name from settlement_file o where o.file_id = f.supplement_of) as of
  ${CURRENT_FILES} and f.supplement_of is not null order by f.file_id`;

/** Findings that counted at the moment: found before, and not replaced by a run that was over. */
const FINDINGS = `
    select f.* from reconciliation_finding f
      left join reconciliation_run r on r.run_id = f.replaced_by_run
     where f.found_at <= $2::timestamptz and (r.run_id is null or r.finished_at > $2::timestamptz)`;

const RECONCILIATION = `
  with findings as (${FINDINGS} and f.business_date = $1::date),
  files as (
    select f.profile_code, sum(f.line_count)::int as lines, sum(f.bad_line_count)::int as bad,
           sum(f.amount_total)::bigint as amount
    ${CURRENT_FILES} group by 1)
  select f.profile_code as profile, f.class, count(*)::int as count, sum(f.amount)::text as amount,
         sum(f.difference)::text as difference,
         (count(*) filter (where f.resolved_at <= $2::timestamptz))::int as resolved
    from findings f group by 1, 2
  union all
  select s.profile_code, 'matched',
         s.lines - s.bad - (select count(*)::int from findings f
                             where f.profile_code = s.profile_code and f.file_id is not null),
         (s.amount - (select coalesce(sum(f.amount), 0) from findings f
                       where f.profile_code = s.profile_code and f.file_id is not null))::text, '0', 0
    from files s
  union all
  select s.profile_code, 'unreadable', s.bad, '0', '0',
         (select count(*)::int from exception x
           where x.kind = 'unreadable-line' and x.profile_code = s.profile_code and x.business_date = $1::date
             and x.closed_at <= $2::timestamptz
             and x.file_id in (select f.file_id ${CURRENT_FILES}))
    from files s where s.bad > 0
   order by 1, 2`;

const POSTED = `
  select p.profile_code as profile, p.kind, sum(p.line_count)::int as count, sum(p.transit_amount)::text as amount,
         sum(p.due_amount)::text as due
    from settlement_posting p
   where p.settlement_date = $1::date and p.posted_at <= $2::timestamptz and p.kind <> 'bank-credit'
   group by 1, 2 order by 1, 2`;

const OPEN_EXCEPTIONS = `
  with findings as (${FINDINGS} and f.business_date <= $1::date)
  select f.class, count(*)::int as count, sum(f.amount)::text as amount, sum(f.difference)::text as difference
    from findings f where f.resolved_at is null or f.resolved_at > $2::timestamptz group by 1
  union all
  select x.kind, count(*)::int, sum(x.amount)::text, '0'
    from exception x
   where x.opened_at <= $2::timestamptz and (x.closed_at is null or x.closed_at > $2::timestamptz)
     and coalesce(x.business_date, (x.opened_at at time zone 'Asia/Jakarta')::date) <= $1::date
   group by 1
   order by 1`;

const WAITING = `
  select count(*)::int as count from exception_proposal
   where proposed_at <= $1::timestamptz and (decided_at is null or decided_at > $1::timestamptz)`;
