import {
  type ActorText,
  decideByBill,
  decideByTraxId,
  type LineRef,
  type MatchRule,
  type ReconciliationClass,
  type SettlementLine,
} from "../../domain";
import { Fault, sqlStateOf } from "../../platform";
import { recordOperatorAction } from "../../store";
import { closeGone } from "../exceptions/items";
import { readProfile, type StoredProfile } from "./profiles";
import {
  CHANGES,
  COLLECT_OPEN_LINES,
  COLLECT_PAYMENTS,
  COLLECT_UNLINKED_LINES,
  FIND_MISSING_IN_FILE,
  FIND_MISSING_OF_UNLINKED,
  LINK_EXACT,
  OPEN_DAYS,
  OPEN_LINES_BY_BILL,
  OPEN_LINES_BY_TRAX,
  PAYMENTS_BY_BILL,
  RELEASE_NOT_DUE,
  RELEASE_OPEN,
  RELEASE_SUPERSEDED,
  REPLACE_FOUND_PAYMENTS,
} from "./run-statements";
import {
  groupedRows,
  lineOf,
  type OpenRow,
  type PaymentRow,
  paymentOf,
  paymentOfTrax,
  type TraxRow,
} from "./run-streams";
import { earlierLines } from "./earlier-lines";
import { compareFirst } from "./run-first";
import { byKey, setBased } from "./planning";
import { type Findings, findingsOf, type Found } from "./run-writes";
import { inSession, type Session, txOf } from "./session";

/** What is to be reconciled. */
export interface RunRequest {
  /** Of the service's own role. */
  readonly databaseUrl: string;
  readonly profileCode: string;
  /** Business date of the files. */
  readonly settlementDate: string;
  /** In place of the profile's. */
  readonly rules?: readonly MatchRule[];
  /** Everything is decided and nothing is kept. */
  readonly isDryRun: boolean;
  /** Decide again what declared rules have matched; otherwise a matched line stays matched. */
  readonly redecidesDeclared: boolean;
  readonly by: ActorText;
  readonly onProgress?: (step: string) => void;
}

/** One line, or payment without a line, of which something else was found than before. */
export interface ResultChange {
  readonly fileId: number | null;
  readonly lineNo: number | null;
  readonly traxId: string | null;
  readonly amount: bigint;
  readonly classBefore: string;
  readonly ruleBefore: string | null;
  readonly classNow: string;
  readonly ruleNow: string | null;
}

/** What stands after a run, of all files of its date. Whole rupiah. */
export interface RunSummary {
  readonly files: number;
  readonly lines: number;
  readonly badLines: number;
  readonly matched: number;
  /** What is not matched, resolved or not. */
  readonly findings: readonly {
    readonly class: ReconciliationClass;
    readonly count: number;
    readonly amount: bigint;
    readonly difference: bigint;
    readonly resolved: number;
  }[];
}

/** A run that is over. */
export interface RunReport {
  readonly runId: number;
  readonly profileCode: string;
  readonly settlementDate: string;
  readonly isDryRun: boolean;
  readonly summary: RunSummary;
  readonly changes: readonly ResultChange[];
}

const CHANGES_MAX = 1_000;

interface RunState {
  readonly session: Session;
  readonly databaseUrl: string;
  readonly runId: number;
  readonly profile: StoredProfile;
  readonly settlementDate: string;
  readonly rules: readonly MatchRule[];
  readonly files: readonly {
    readonly fileId: number;
    readonly productCodes: readonly string[];
    readonly isFresh: boolean;
  }[];
  readonly findings: Findings;
  readonly say: (step: string) => void;
}

/**
 * Reconciles all files of one business date with the books as they are at one moment, in one transaction. Repeating a run
 * changes nothing; what people have resolved is left alone.
 *
 * @throws Fault `no_settlement_file` when the date has no file
 */
export function runReconciliation(request: RunRequest): Promise<RunReport> {
  const { databaseUrl, profileCode, settlementDate, isDryRun, by } = request;
  const session = { url: databaseUrl, isolation: "repeatable read", profileLock: profileCode, isDryRun } as const;
  return inSession(session, async (session) => {
    const profile = await readProfile(session, profileCode);
    const rules = request.rules ?? profile.profile.rules;
    const files = await session.run<RunState["files"][number]>(FILES, [profileCode, settlementDate]);
    if (files.length === 0) {
      throw new Fault("no_settlement_file", `profile ${profileCode} has no file of business date ${settlementDate}`);
    }
    const runId = await startRun(session, profile, settlementDate, rules, by);
    const facts = { runId, profileCode, settlementDate };
    const state: RunState = {
      ...{ session, databaseUrl, runId, profile, settlementDate, rules, files },
      findings: findingsOf(session, facts),
      say: request.onProgress ?? (() => {}),
    };
    await decideAll(state, request.redecidesDeclared);
    await closeGone(txOf(session), facts);
    const changes = await session.run<ResultChange>(CHANGES, [runId, CHANGES_MAX]);
    const summary = await summaryOf(session, profileCode, settlementDate);
    await session.run(`update reconciliation_run set finished_at = clock_timestamp(), summary = $2 where run_id = $1`, [
      runId,
      JSON.stringify(summary, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value)),
    ]);
    await recordOperatorAction(txOf(session), {
      ...{ actor: by, action: "reconciliation.run", object: `run:${runId}` },
      detail: `${profileCode} of ${settlementDate}: ${summary.lines} lines, ${summary.matched} matched`,
    });
    return { ...facts, isDryRun, summary, changes };
  });
}

const FILES = `
  select f.file_id as "fileId", f.product_codes as "productCodes",
         not exists (select from settlement_match m where m.file_id = f.file_id)
         and not exists (select from reconciliation_finding r where r.file_id = f.file_id) as "isFresh"
    from settlement_file f
   where f.profile_code = $1 and f.settlement_date = $2::date and f.superseded_by is null
   order by f.file_id`;

async function startRun(
  { run }: Session,
  profile: StoredProfile,
  settlementDate: string,
  rules: readonly MatchRule[],
  by: ActorText,
): Promise<number> {
  const [row] = await run<{ run_id: number }>(
    `insert into reconciliation_run (profile_code, profile_version, rules, settlement_date, started_by)
     values ($1, $2, $3, $4::date, $5) returning run_id`,
    [profile.code, profile.version, JSON.stringify(rules), settlementDate, by],
  );
  return row?.run_id ?? 0;
}

async function decideAll(state: RunState, redecidesDeclared: boolean): Promise<void> {
  const { session, runId, profile, files, findings, say } = state;
  const { run } = session;
  for (const table of ["settlement_match", "reconciliation_finding"] as const) {
    await run(RELEASE_SUPERSEDED(table), [runId, profile.code]);
  }
  const fileIds = files.map(({ fileId }) => fileId);
  await run(RELEASE_OPEN, [runId, fileIds, redecidesDeclared]);
  await run(RELEASE_NOT_DUE, [runId, fileIds]);
  say("linking what agrees in everything");
  const candidates = await linkAgreeing(state);
  say("looking up traxIds");
  await decideTraxIds(state);
  say("trying the declared rules");
  await tryRules(state);
  await findings.flush();
  say("looking for payments that no line speaks of");
  await run(REPLACE_FOUND_PAYMENTS, [runId, profile.code]);
  await findMissing(state, candidates);
  await run(`delete from reconciliation_work_payment where run_id = $1`, [runId]);
}

/** Links what agrees in everything, and leaves the other lines as work. Payments that may be missing; null: any may be. */
async function linkAgreeing(state: RunState): Promise<readonly string[] | null> {
  const { session, databaseUrl, runId, profile, settlementDate, files } = state;
  const { run } = session;
  const { partnerId } = profile;
  const fileIds = files.map(({ fileId }) => fileId);
  const fresh = files.filter(({ isFresh }) => isFresh).map(({ fileId }) => fileId);
  const first = { databaseUrl, runId, fileIds, partnerId, settlementDate, productCodes: coveredProducts(files) };
  const found = fresh.length === files.length ? await compareFirst(session, first) : "held";
  if (typeof found === "object") {
    const lines = [found.lines.map(({ fileId }) => fileId), found.lines.map(({ lineNo }) => lineNo)];
    await byKey(session, () => run(COLLECT_UNLINKED_LINES, [runId, ...lines]));
    return found.entryIds;
  }
  if (found === "held" && fresh.length > 0) await linkExact(session, [runId, fresh, partnerId, settlementDate]);
  await setBased(session, () => run(COLLECT_OPEN_LINES, [runId, fileIds]));
  return null;
}

/** Products that files cover; none: all of the partner. */
function coveredProducts(files: RunState["files"]): string[] {
  if (files.some(({ productCodes }) => productCodes.length === 0)) return [];
  return [...new Set(files.flatMap(({ productCodes }) => productCodes))];
}

async function tryRules(state: RunState): Promise<void> {
  const { session, runId, profile, rules } = state;
  const { run } = session;
  const [open] = await run<OpenDays>(OPEN_DAYS, [runId]);
  if (open === undefined || open.count === 0) return;
  const days = Math.max(0, ...rules.map(({ daysApart }) => daysApart));
  if (rules.length > 0) {
    const around = [open.first, open.last, days];
    await setBased(session, () => run(COLLECT_PAYMENTS, [runId, profile.partnerId, ...around]));
  }
  await decideBills(state);
}

interface OpenDays {
  readonly count: number;
  readonly first: string;
  readonly last: string;
}

async function findMissing(state: RunState, candidates: readonly string[] | null): Promise<void> {
  const { session, runId, profile, settlementDate, files } = state;
  const values = [runId, profile.code, settlementDate, profile.partnerId, coveredProducts(files)];
  if (candidates === null) await setBased(session, () => session.run(FIND_MISSING_IN_FILE, values));
  else await session.run(FIND_MISSING_OF_UNLINKED, [...values, candidates]);
}

/** Conflicts are rare, and to be ready for them costs as much again as the inserting: so only when there is one. */
async function linkExact(session: Session, values: readonly unknown[]): Promise<void> {
  const { run } = session;
  await run(`savepoint linking`);
  try {
    await setBased(session, () => run(LINK_EXACT, values));
  } catch (error) {
    if (sqlStateOf(error) !== "23505") throw error;
    await run(`rollback to savepoint linking`);
    await setBased(session, () => run(`${LINK_EXACT} order by file_id, line_no on conflict do nothing`, values));
  }
  await run(`release savepoint linking`);
}

async function decideTraxIds(state: RunState): Promise<void> {
  const { session, runId, profile, findings, files } = state;
  const about = { runId, fileIds: files.map(({ fileId }) => fileId), partnerId: profile.partnerId };
  const isRepeated = files.some(({ isFresh }) => !isFresh);
  const earlier = isRepeated ? await setBased(session, () => earlierLines(session, about)) : null;
  const groups = groupedRows<TraxRow>(
    session,
    "by_trax",
    OPEN_LINES_BY_TRAX,
    [runId, profile.partnerId],
    ({ trax_id: traxId }) => traxId,
  );
  for await (const { rows } of groups) {
    const lines = rows.map(lineOf);
    const [first] = lines;
    const before = earlier?.get(first?.traxId ?? "") ?? [];
    const { decided, open } = decideByTraxId(lines, paymentOfTrax(rows[0] as TraxRow), before);
    await findings.add(withLines(lines, decided));
    await findings.leave(open);
  }
  await findings.flush();
}

async function decideBills({ session, runId, rules, findings }: RunState): Promise<void> {
  const billOf = ({ bill_number: billNumber }: { bill_number: string | null }): string | null => billNumber;
  const lineGroups = groupedRows<OpenRow>(session, "lines_by_bill", OPEN_LINES_BY_BILL, [runId], billOf);
  const payments = groupedRows<PaymentRow>(session, "payments_by_bill", PAYMENTS_BY_BILL, [runId], billOf);
  let next = await payments.next();
  for await (const { key, rows } of lineGroups) {
    // Both sides come in the order of bytes.
    const bill = key ?? "";
    while (!next.done && (next.value.key ?? "") < bill) next = await payments.next();
    const candidates = !next.done && key !== null && next.value.key === bill ? next.value.rows.map(paymentOf) : [];
    const lines = rows.map(lineOf);
    const open = rows.map((row, index) => ({
      ...{ line: lines[index] as SettlementLine, tried: row.tried ?? [], nearest: null },
    }));
    await findings.add(withLines(lines, decideByBill(open, candidates, rules)));
  }
}

function withLines(lines: readonly SettlementLine[], results: readonly Found["result"][]): Found[] {
  const keyOf = ({ fileId, lineNo }: LineRef): string => `${fileId}:${lineNo}`;
  const byKey = new Map(lines.map((line) => [keyOf(line), line]));
  return results.map((result) => ({ line: byKey.get(keyOf(result.line)) as SettlementLine, result }));
}

/** What stands for a date: counts and sums of all its files. */
export async function summaryOf({ run }: Session, profileCode: string, settlementDate: string): Promise<RunSummary> {
  const [files] = await run<{ files: number; lines: number; badLines: number }>(
    `select count(*)::int as files, coalesce(sum(line_count), 0)::int as lines,
            coalesce(sum(bad_line_count), 0)::int as "badLines"
       from settlement_file where profile_code = $1 and settlement_date = $2::date and superseded_by is null`,
    [profileCode, settlementDate],
  );
  const findings = await run<RunSummary["findings"][number] & { readonly onLines: number }>(
    `select class, count(*)::int as count, sum(amount)::bigint as amount, sum(difference)::bigint as difference,
            count(resolved_at)::int as resolved, count(file_id)::int as "onLines"
       from reconciliation_finding
      where profile_code = $1 and business_date = $2::date and replaced_by_run is null
      group by class order by class`,
    [profileCode, settlementDate],
  );
  const { lines = 0, badLines = 0 } = files ?? {};
  const onLines = findings.reduce((sum, each) => sum + each.onLines, 0);
  return {
    ...{ files: files?.files ?? 0, lines, badLines, matched: lines - badLines - onLines },
    findings: findings.map(({ onLines: _onLines, ...each }) => each),
  };
}
