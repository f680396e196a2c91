import { createHash } from "node:crypto";
import { actorText, businessDateOf, canonicalJson, dateAfter } from "../../domain";
import { Fault, sleep, type Tx } from "../../platform";
import { recordOperatorAction } from "../../store";
import type { Actor } from "../exceptions/history";
import { inSession, type Session } from "../reconciliation/session";
import { type CloseBody, computeBody } from "./body";

/** Which day is to be closed. */
export interface CloseRequest {
  /** Of the service's own role. */
  readonly databaseUrl: string;
  readonly businessDate: string;
  readonly actor: Actor;
  readonly nowMs: number;
  /** Cut-offs of all partners, hh:mm: the day must be over for each of them. */
  readonly cutOffs: readonly string[];
}

/** A closed day as it is stored. */
export interface DayClose {
  readonly businessDate: string;
  /** UTC, six fraction digits: everything in it was recorded until then. */
  readonly asOf: string;
  /** Canonical JSON, the very bytes that were hashed. */
  readonly body: string;
  readonly sha256: string;
  readonly closedBy: string;
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
 * @throws Fault `day_open`: it is not over; `close_order`: the day before is not closed; `not_reconciled`: a file of the date
 *   was not compared with the books; `busy`: a transaction has been under way for a minute
 */
export function closeDay(request: CloseRequest): Promise<CloseOutcome> {
  const { databaseUrl: url, businessDate } = request;
  return inSession({ url, isolation: "read committed" }, async (session) => {
    await session.run(LOCK_CLOSES);
    const known = await readClose(session, businessDate);
    if (known !== null) {
      const body = await bodyOf(session, businessDate, known.asOf);
      return { kind: "known", close: known, isIdentical: body === known.body };
    }
    await assertClosable(session, request);
    // No import, run or decision about findings is half done at the moment that is taken.
    await session.run(LOCK_PROFILES);
    const asOf = await takeMoment(session);
    const body = await bodyOf(session, businessDate, asOf);
    const close = await store(session, request, asOf, body);
    return { kind: "closed", close };
  });
}

const LOCK_CLOSES = `select pg_advisory_xact_lock(hashtext('biller:day-close'))`;
const LOCK_PROFILES = `
  select pg_advisory_xact_lock(hashtext('biller:reconciliation'), hashtext(p.profile_code))
    from (select distinct profile_code from settlement_profile order by 1) p`;

async function assertClosable({ run }: Session, request: CloseRequest): Promise<void> {
  const { businessDate, nowMs, cutOffs } = request;
  const isOpen = [...cutOffs, "24:00"].some((cutOff) => businessDateOf(nowMs - GRACE_MS, cutOff) <= businessDate);
  if (isOpen) throw new Fault("day_open", `business date ${businessDate} is not over yet`);
  const [last] = await run<{ day: string | null }>(`select max(business_date) as day from day_close`);
  const day = last?.day ?? null;
  if (day !== null && dateAfter(day, 1) !== businessDate) {
    throw new Fault("close_order", `the last closed date is ${day}: close ${dateAfter(day, 1)} next`);
  }
  const open = await run<{ file_name: string }>(NOT_RECONCILED, [businessDate]);
  if (open.length > 0) {
    const names = open.map((row) => row.file_name).join(", ");
    throw new Fault("not_reconciled", `${names} not compared with the books yet`, { remedy: "run-the-date" });
  }
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

async function bodyOf(session: Session, businessDate: string, asOf: string): Promise<string> {
  const previous = await readClose(session, dateAfter(businessDate, -1));
  return canonicalJson(await computeBody(session, { businessDate, asOf, previous }));
}

async function store(session: Session, request: CloseRequest, asOf: string, body: string): Promise<DayClose> {
  const { businessDate, actor } = request;
  const sha256 = createHash("sha256").update(body, "utf8").digest();
  const previous = await readClose(session, dateAfter(businessDate, -1));
  await session.run(
    `insert into day_close (business_date, as_of, body, sha256, previous_sha256, closed_by, closed_via)
     values ($1::date, $2::timestamptz, $3, $4, $5, $6, $7)`,
    [
      ...[businessDate, asOf, body, sha256, previous === null ? null : Buffer.from(previous.sha256, "hex")],
      ...[actor.name, actor.via],
    ],
  );
  const tx: Tx = { run: (statement, values) => session.run(statement.text, values) };
  await recordOperatorAction(tx, {
    ...{ actor: actorText(actor), action: "day.close", object: `day:${businessDate}` },
    ...{ detail: `sha256 ${sha256.toString("hex")}`, after: { businessDate, asOf, sha256: sha256.toString("hex") } },
  });
  return { businessDate, asOf, body, sha256: sha256.toString("hex"), closedBy: actor.name };
}

/** A closed day; null when it is open. */
export async function readClose({ run }: Session, businessDate: string): Promise<DayClose | null> {
  const [row] = await run<DayClose>(
    `select business_date as "businessDate", body, encode(sha256, 'hex') as sha256, closed_by as "closedBy",
            to_char(as_of at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "asOf"
       from day_close where business_date = $1::date`,
    [businessDate],
  );
  return row ?? null;
}

/** What a stored body says. */
export function parseBody({ body }: Pick<DayClose, "body">): CloseBody {
  return JSON.parse(body) as CloseBody;
}
