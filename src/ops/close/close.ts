import { createHash } from "node:crypto";
import { actorText, businessDateOf, canonicalJson, dateAfter } from "../../domain";
import { readBrokenReceivablesOn } from "../../ledger";
import { Fault, sleep } from "../../platform";
import { recordOperatorAction } from "../../store";
import type { Actor } from "../exceptions/history";
import { type ExpectedFile, readExpectedFiles, trackMissingFiles } from "../reconciliation/expected-files";
import { inSession, type Session, txOf } from "../reconciliation/session";
import { type CloseBody, computeBody } from "./body";

/** Which day is to be closed. */
export interface CloseRequest {
  /** Of the service's own role. */
  readonly databaseUrl: string;
  readonly businessDate: string;
  /** Closed days begin with this one, although there are earlier entries: these become its opening balances. */
  readonly isBegin?: boolean;
  readonly actor: Actor;
  readonly nowMs: number;
  /** Cut-offs of all partners, hh:mm: the day must be over for each of them. */
  readonly cutOffs: readonly string[];
}

/** A closed day as it is stored. */
export interface DayClose {
  readonly businessDate: string;
  /** Counted from 1; a higher one was closed after two people had opened the date again. */
  readonly version: number;
  /** UTC, six fraction digits: everything in it was recorded until then. */
  readonly asOf: string;
  /** Canonical JSON, the very bytes that were hashed. */
  readonly body: string;
  readonly sha256: string;
  readonly closedBy: string;
  /** Why it counts no more; null: it counts. */
  readonly reopened: DayReopening | null;
}

/** Who opened a closed day again, and why. */
export interface DayReopening {
  readonly at: string;
  readonly reason: string;
  readonly proposedBy: string;
  readonly approvedBy: string;
}

/** What came of closing: closed now, or computed again and compared. */
export type CloseOutcome =
  | { readonly kind: "closed"; readonly close: DayClose }
  | { readonly kind: "known"; readonly close: DayClose; readonly isIdentical: boolean };

/** How long after its end a day can be closed: messages of its last second are answered by then. */
const GRACE_MS = 5 * 60_000;
const WAIT_MAX_MS = 60_000;
const NUMBER_AFTER_MS = 500;

/**
 * Closes one business date: what is in the books about it, as of one moment, becomes bytes with a hash. A date that is
 * closed already is computed again as of that moment and compared with what was stored.
 *
 * The moment is exact: after it is taken, the close waits until every transaction that was under way then has ended, and
 * takes in what was recorded until it. Whatever is recorded later for this date is listed as late in the next close.
 *
 * @throws Fault `day_open`: it is not over; `close_order`: another day is next; `close_first`: earlier days have entries;
 *   `missing_file`: an expected file has not come; `not_reconciled`: a file of the date was not compared with the books;
 *   `busy`: a transaction has been under way for a minute; `receivables`: an entry of the date cleared another amount than
 *   its receivables say
 */
export async function closeDay(request: CloseRequest): Promise<CloseOutcome> {
  try {
    return await closeOne(request);
  } catch (fault) {
    if (fault instanceof Fault && fault.code === "missing_file") await openMissing(request);
    throw fault;
  }
}

function closeOne(request: CloseRequest): Promise<CloseOutcome> {
  const { databaseUrl: url, businessDate } = request;
  return inSession({ url, isolation: "read committed" }, async (session) => {
    await session.run(LOCK_CLOSES);
    const known = await readClose(session, businessDate);
    if (known !== null) {
      return { kind: "known", close: known, isIdentical: (await computeAgain(session, known)) === known.body };
    }
    const { version, isBegin } = await assertClosable(session, request);
    // No import, run or decision about findings is half done at the moment that is taken.
    await session.run(LOCK_PROFILES);
    const asOf = await takeMoment(session);
    await assertReceivables(session, request.businessDate);
    const body = await computeBody(session, {
      businessDate,
      asOf,
      format: "biller day close 2",
      version,
      isBegin,
      previous: await closeBefore(session, businessDate, asOf),
    });
    assertFilesCame(businessDate, body.expectedFiles ?? []);
    return { kind: "closed", close: await store(session, request, asOf, version, canonicalJson(body)) };
  });
}

/** What keeps a day open stands in the queue, whether it is due or not: people may agree to close without it. */
async function openMissing({ databaseUrl: url, businessDate, nowMs }: CloseRequest): Promise<void> {
  await inSession({ url, isolation: "read committed" }, (session) =>
    trackMissingFiles(txOf(session), nowMs, businessDate),
  );
}

/** The bytes of a close, computed again from the books as of its moment. */
export async function computeAgain(session: Session, { businessDate, asOf, version, body }: DayClose): Promise<string> {
  const { format, begin = null } = JSON.parse(body) as CloseBody;
  const previous = await closeBefore(session, businessDate, asOf);
  const day = { businessDate, asOf, format, version, isBegin: begin !== null, previous };
  return canonicalJson(await computeBody(session, day));
}

const LOCK_CLOSES = `select pg_advisory_xact_lock(hashtext('biller:day-close'))`;
const LOCK_PROFILES = `
  select pg_advisory_xact_lock(hashtext('biller:reconciliation'), hashtext(p.profile_code))
    from (select distinct profile_code from settlement_profile order by 1) p`;

interface Closable {
  readonly version: number;
  readonly isBegin: boolean;
}

async function assertClosable(session: Session, request: CloseRequest): Promise<Closable> {
  const { run } = session;
  const { businessDate, nowMs, cutOffs } = request;
  const isOpen = [...cutOffs, "24:00"].some((cutOff) => businessDateOf(nowMs - GRACE_MS, cutOff) <= businessDate);
  if (isOpen) throw new Fault("day_open", `business date ${businessDate} is not over yet`);
  const closable = await assertInOrder(session, request);
  assertFilesCame(businessDate, await readExpectedFiles(session, businessDate, "infinity"));
  const open = await run<{ file_name: string }>(NOT_RECONCILED, [businessDate]);
  if (open.length > 0) {
    const names = open.map((row) => row.file_name).join(", ");
    throw new Fault("not_reconciled", `${names} not compared with the books yet`, { remedy: "run-the-date" });
  }
  return closable;
}

/** Closed days follow one another. The first one leaves no entry before it open, unless somebody says that it begins there. */
async function assertInOrder({ run }: Session, { businessDate, isBegin = false }: CloseRequest): Promise<Closable> {
  const [days] = await run<{ last: string | null; first: string | null; version: number }>(DAYS, [businessDate]);
  const { last = null, first = null, version = 1 } = days ?? {};
  const next = last === null ? first : dateAfter(last, 1);
  if (next !== null && next !== businessDate) {
    const state = last === null ? "every closed date was opened again" : `the last closed date is ${last}`;
    throw new Fault("close_order", `${state}: close ${next} next`);
  }
  if (isBegin && first !== null && first !== businessDate) {
    throw new Fault("close_order", `closed days begin with ${first} already`);
  }
  if (first !== null && first !== businessDate) return { version, isBegin: false };
  const [before] = await run<{ earliest: string | null }>(EARLIEST, [businessDate]);
  const earliest = before?.earliest ?? null;
  if (first === null && earliest !== null && !isBegin) {
    throw new Fault("close_first", `there are entries of ${earliest} and later: close ${earliest} first`, {
      remedy: "begin-later",
    });
  }
  return { version, isBegin: earliest !== null };
}

const DAYS = `
  select (select max(business_date) from closed_day) as last, (select min(business_date) from day_close) as first,
         (select coalesce(max(version), 0) + 1 from day_close where business_date = $1::date) as version`;
const EARLIEST = `select min(business_date) as earliest from journal_entry where business_date < $1::date`;

function assertFilesCame(businessDate: string, expected: readonly ExpectedFile[]): void {
  const missing = expected.filter(({ state }) => state === "missing");
  if (missing.length === 0) return;
  const names = missing.map(({ profile, product }) => (product === null ? profile : `${profile}, product ${product}`));
  throw new Fault("missing_file", `the file of ${names.join("; ")} for ${businessDate} has not come`, {
    remedy: "agree-without-file",
  });
}

/** What stands before a close that begins later than the books: its opening balances. Whole rupiah, debits less credits. */
export async function readCarried(
  { run }: Session,
  businessDate: string,
): Promise<{ readonly earliest: string | null; readonly accounts: readonly { account: string; balance: bigint }[] }> {
  const [before] = await run<{ earliest: string | null }>(EARLIEST, [businessDate]);
  const accounts = await run<{ account: string; balance: bigint }>(
    `select p.account_code as account, sum(case p.side when 'debit' then p.amount else -p.amount end)::bigint as balance
       from posting p where p.business_date < $1::date group by 1 order by 1`,
    [businessDate],
  );
  return { earliest: before?.earliest ?? null, accounts };
}

/** What a date's entries took off the account is what they cleared of receivables. */
async function assertReceivables(session: Session, businessDate: string): Promise<void> {
  const [broken] = await readBrokenReceivablesOn(txOf(session), businessDate);
  if (broken === undefined) return;
  throw new Fault("receivables", `entry ${broken.entryId}: ${broken.what}; biller ledger verify names everything`);
}

const NOT_RECONCILED = `
  select f.file_name from settlement_file f
   where f.settlement_date = $1::date and f.superseded_by is null
     and not exists (select from reconciliation_run r
                      where r.profile_code = f.profile_code and r.settlement_date = f.settlement_date
                        and r.finished_at > f.imported_at)
   order by f.file_id limit 20`;

/**
 * A moment of which everything that was recorded until then can be seen. A row takes its time just before its transaction
 * takes its number: hence the pause between the moment and the number that all older ones are waited for by.
 */
async function takeMoment({ run }: Session): Promise<string> {
  const [moment] = await run<{ as_of: string }>(
    `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as as_of`,
  );
  if (moment === undefined) throw new Fault("busy", "the database did not tell the time");
  await sleep(NUMBER_AFTER_MS);
  const [own] = await run<{ number: string }>(`select pg_current_xact_id()::text as number`);
  for (let waitedMs = 0; ; waitedMs += 100) {
    const [state] = await run<{ is_oldest: boolean }>(
      `select pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8 as is_oldest`,
      [own?.number],
    );
    if (state?.is_oldest === true) return moment.as_of;
    if (waitedMs >= WAIT_MAX_MS) throw new Fault("busy", "a transaction has been under way for a minute: try again");
    await sleep(100);
  }
}

/** The close of the day before that counted at a moment. */
async function closeBefore({ run }: Session, businessDate: string, asOf: string): Promise<DayClose | null> {
  const [row] = await run<DayClose>(
    `${CLOSES} where c.business_date = $1::date and c.as_of < $2::timestamptz order by c.version desc limit 1`,
    [dateAfter(businessDate, -1), asOf],
  );
  return row ?? null;
}

async function store(
  session: Session,
  request: CloseRequest,
  asOf: string,
  version: number,
  body: string,
): Promise<DayClose> {
  const { businessDate, actor } = request;
  const sha256 = createHash("sha256").update(body, "utf8").digest();
  const previous = await closeBefore(session, businessDate, asOf);
  await session.run(
    `insert into day_close (business_date, version, as_of, body, sha256, previous_sha256, closed_by, closed_via)
     values ($1::date, $2, $3::timestamptz, $4, $5, $6, $7, $8)`,
    [
      ...[businessDate, version, asOf, body, sha256],
      ...[previous === null ? null : Buffer.from(previous.sha256, "hex"), actor.name, actor.via],
    ],
  );
  const hash = sha256.toString("hex");
  await recordOperatorAction(txOf(session), {
    actor: actorText(actor),
    action: "day.close",
    object: `day:${businessDate}`,
    detail: `version ${version}, sha256 ${hash}`,
    after: { businessDate, version, asOf, sha256: hash },
  });
  return { businessDate, version, asOf, body, sha256: hash, closedBy: actor.name, reopened: null };
}

const CLOSES = `
  select c.business_date as "businessDate", c.version, c.body, encode(c.sha256, 'hex') as sha256, c.closed_by as "closedBy",
         to_char(c.as_of at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "asOf",
         case when r.proposal_id is not null then json_build_object(
           'at', to_char(r.reopened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'reason', r.reason,
           'proposedBy', r.proposed_by, 'approvedBy', r.approved_by) end as reopened
    from day_close c left join day_reopening r on r.business_date = c.business_date and r.version = c.version`;

/** A closed day; null when it is open. With `version` that close, also when it counts no more; null when there is none. */
export async function readClose(
  { run }: Session,
  businessDate: string,
  version: number | null = null,
): Promise<DayClose | null> {
  const [row] = await run<DayClose>(
    `${CLOSES} where c.business_date = $1::date
        and case when $2::int is null then r.proposal_id is null else c.version = $2::int end`,
    [businessDate, version],
  );
  return row ?? null;
}

/** What a stored body says. */
export function parseBody({ body }: Pick<DayClose, "body">): CloseBody {
  return JSON.parse(body) as CloseBody;
}
