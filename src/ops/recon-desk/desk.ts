import { actorText, businessDateOf } from "../../domain";
import {
  type Clock,
  type Db,
  deadlineIn,
  Fault,
  type IdSource,
  openDb,
  openSideProcesses,
  type Tx,
} from "../../platform";
import type { CursorProblem } from "../audit/cursor";
import type { Question } from "../audit/filters";
import { type Listing, type Page, PAGE_BUDGET_MS, readPage } from "../audit/listing";
import {
  type CloseOutcome,
  type DayClose,
  readClose,
  type ReportFormat,
  type ReportLanguage,
  type ReportOptions,
} from "../close";
import {
  type Actor,
  type Approved,
  BULK_MAX,
  type ByHand,
  decideProposal,
  isDatabaseLost,
  nextWaiting,
  type Proposal,
  readDueRule,
  readItem,
  tryApproval,
} from "../exceptions";
import { type ExpectationRequest, setExpectation } from "../reconciliation/expectations";
import type { ImportOutcome, SupplementRequest } from "../reconciliation/import-file";
import type { RunReport, RunRequest } from "../reconciliation/run";
import { saveProfile } from "../reconciliation/profiles";
import { inSession, type Session } from "../reconciliation/session";
import { type AgeingRow, readAgeing, type SettledFile } from "../settlement";
import { type ApprovedEach, approveEach, namedPart, type WhichProposals } from "./approvals";
import { type KeyedAnswer, onceForKey, type RepeatableRequest } from "./keyed";
import { pageOfQueue, type QueuePage, readProposal, readWhy } from "./queue-pages";
import { type SpooledFile } from "./spool";
import { openTurns } from "./turns";
import { type TriedDate, type TryRequest, WORK_ENTRY, type Work } from "./work";

/** A file that has arrived whole, and how it is to be taken. */
export interface ArrivedFile {
  readonly file: SpooledFile;
  readonly profileCode: string;
  readonly fileName: string;
  readonly date: string | null;
  readonly mayReplace: boolean;
  readonly acceptsTotals: boolean;
  readonly acceptsSameContent: boolean;
  readonly supplement: SupplementRequest | null;
}

/** A line that could not be read. */
export interface RejectedLine {
  readonly lineNo: number;
  readonly reason: string;
  readonly raw: string;
}

/** What was decided, and what it brought about; `isRepeated`: it had been decided so by the same person before. */
export interface Decided {
  readonly proposal: Proposal;
  readonly done: string | null;
  readonly entryId: string | null;
  readonly isRepeated: boolean;
}

/** People's work on settlement, as the reconciliation API hands it in. Nothing here takes the connections that post. */
export interface ReconDesk {
  page(listing: Listing, question: Question): Promise<Page | CursorProblem>;
  /** The rule that due times follow. */
  dueRule(): ReturnType<typeof readDueRule>;
  queue(question: Question): Promise<QueuePage | CursorProblem>;
  item(itemId: string): Promise<Awaited<ReturnType<typeof readItem>> & { readonly why: object | null }>;
  /** In a session of its own, for reading. */
  look<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** What a request asks for, once for each key, in one transaction. */
  once(
    request: RepeatableRequest,
    work: (tx: Tx) => Promise<{ readonly status: number; readonly body: string }>,
  ): Promise<KeyedAnswer>;
  import(actor: Actor, arrived: ArrivedFile): Promise<ImportOutcome & { readonly rejected: readonly RejectedLine[] }>;
  run(actor: Actor, request: Omit<RunRequest, "databaseUrl" | "by">): Promise<RunReport>;
  tryDates(actor: Actor, request: Omit<TryRequest, "databaseUrl" | "by">): Promise<readonly TriedDate[]>;
  saveProfile(
    actor: Actor,
    code: string,
    definition: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly version: number; readonly isNew: boolean }>;
  settle(actor: Actor, profileCode: string, settlementDate: string): Promise<SettledFile[]>;
  ageing(asOfDate: string | null): Promise<{ readonly date: string; readonly rows: readonly AgeingRow[] }>;
  approve(actor: Actor, proposalId: string, note: string | null): Promise<Decided>;
  /** Approves one after the other, for at most half a minute; what fails is told of that one. */
  approveEach(actor: Actor, which: WhichProposals, note: string | null): Promise<ApprovedEach>;
  decide(actor: Actor, proposalId: string, decision: "refused" | "withdrawn", note: string): Promise<Decided>;
  /** Stores for which business dates a file is expected. */
  expect(actor: Actor, request: ExpectationRequest): ReturnType<typeof setExpectation>;
  /** @param isBegin closed days begin with this one, although there are earlier entries */
  closeDay(actor: Actor, businessDate: string, isBegin: boolean): Promise<CloseOutcome>;
  /** @param version null: the one that counts */
  dayClose(businessDate: string, version: number | null): Promise<DayClose | null>;
  /** A closed day as a file. */
  report(
    close: DayClose,
    format: ReportFormat,
    language: ReportLanguage,
    separator: ReportOptions["separator"],
  ): Promise<Buffer>;
  /** Business date that people's entries are booked on. */
  today(): string;
  nowMs(): number;
  close(): Promise<void>;
}

/** What a desk is made from. */
export interface ReconDeskOptions {
  /** Of the service's own role, on the primary: what was just decided must be seen. */
  readonly databaseUrl: string;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** How payments are posted and taken back now. */
  readonly byHand: () => ByHand;
  /** Cut-offs of all partners, hh:mm. */
  readonly cutOffs: () => readonly string[];
  /** Whose business it is, on reports; null: it is not named. */
  readonly billerName: string | null;
  readonly onFault: (fault: unknown, where: string) => void;
}

/**
 * Connections for short work, and long pieces of work at the same time, each with a connection and a process of its own: what
 * they compute is not computed where payments are answered. As many more may wait.
 */
const POOL_MAX = 3;
const LONG_MAX = 2;
const LONG_WAITING_MAX = 4;
/** Longest piece of work, and rest before its process ends; milliseconds. */
const LONG_LIMIT_MS = 3_600_000;
const LONG_IDLE_MS = 60_000;
/** An import of a million lines needs 180 MiB in all. */
const LONG_HEAP_MIB = 1_024;
const TIMEOUT_MS = 30_000;
/** Lines that could not be read, in the answer to an upload; the list of lines has all of them. */
const REJECTED_SHOWN = 100;

/** Opens the desk; connects on first use. */
export function openReconDesk(options: ReconDeskOptions): ReconDesk {
  const { databaseUrl, clock, ids, byHand, cutOffs, billerName, onFault } = options;
  const db: Db = openDb({
    ...{ url: databaseUrl, poolMax: POOL_MAX, applicationName: "biller-recon-api", clock },
    ...{ statementTimeoutMs: TIMEOUT_MS, lockTimeoutMs: 10_000, connectTimeoutMs: 2_000 },
    onFault: ({ where, message }) => onFault(new Error(message), `recon ${where}`),
  });
  const long = openTurns("long work on settlement", LONG_MAX, LONG_WAITING_MAX);
  const beside = openSideProcesses<Work>({
    ...{ entry: WORK_ENTRY, limitMs: LONG_LIMIT_MS, idleMs: LONG_IDLE_MS, heapMib: LONG_HEAP_MIB },
    onFault,
  });
  const transact = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    db.withTransaction(deadlineIn(clock, TIMEOUT_MS), work);
  const look = <T>(work: (session: Session) => Promise<T>): Promise<T> =>
    inSession({ url: databaseUrl, isolation: "read committed" }, work);
  const today = (): string => businessDateOf(clock.nowMs(), "24:00");
  const approval = () => ({ db, byHand: byHand(), clock, ids, today });
  const approve = (actor: Actor, proposalId: string, note: string | null): Promise<Decided> =>
    unlessDecided(transact, actor, proposalId, "approved", async () => {
      const { approved, fault } = await tryApproval(approval(), actor, proposalId, note, (internal) =>
        onFault(internal.cause, `recon approval: ${internal.message}`),
      );
      if (approved === null) throw fault ?? new Error("an approval ended without an answer");
      return approved;
    });

  return {
    page: (listing, question) => transact((tx) => readPage(tx, clock, listing, question, PAGE_BUDGET_MS)),
    dueRule: () => transact(readDueRule),
    queue: (question) => transact((tx) => pageOfQueue(tx, question)),
    item: (itemId) =>
      transact(async (tx) => {
        const item = await readItem(tx, itemId);
        return { ...item, why: item.itemKind === "finding" ? await readWhy(tx, item.itemId) : null };
      }),
    look: (work) => long.take(() => look(work)),
    once: (request, work) => transact((tx) => onceForKey(tx, request, work)),
    import: (actor, { file, ...arrived }) =>
      long.take(async () => {
        const outcome = await beside.perform("import", {
          ...arrived,
          databaseUrl,
          path: file.path,
          by: actorText(actor),
        });
        const { fileId, badLines } = outcome.file;
        const rejected = badLines === 0 ? [] : await look((session) => readRejected(session, fileId));
        return { ...outcome, rejected };
      }),
    run: (actor, request) => long.take(() => beside.perform("run", { ...request, databaseUrl, by: actorText(actor) })),
    tryDates: (actor, request) =>
      long.take(() => beside.perform("tryDates", { ...request, databaseUrl, by: actorText(actor) })),
    saveProfile: (actor, code, definition) =>
      inSession({ url: databaseUrl, isolation: "read committed", profileLock: code }, (session) =>
        saveProfile(session, code, definition, actorText(actor)),
      ),
    settle: (actor, profileCode, settlementDate) =>
      long.take(() => beside.perform("settle", { databaseUrl, profileCode, settlementDate, actor, today: today() })),
    ageing: (asOfDate) =>
      long.take(async () => {
        const date = asOfDate ?? today();
        return { date, rows: await look((session) => readAgeing(session, date)) };
      }),
    approve,
    approveEach: async (actor, which, note) => {
      const part =
        "proposals" in which
          ? namedPart(which.proposals)
          : await transact((tx) =>
              nextWaiting(tx, "all" in which ? { all: true, proposer: actor.name } : which, which.after, BULK_MAX),
            );
      return approveEach(part, clock, async (proposalId) => {
        try {
          return { proposalId, decided: await approve(actor, proposalId, note), fault: null };
        } catch (error) {
          if (!(error instanceof Fault) || isDatabaseLost(error)) throw error;
          return { proposalId, decided: null, fault: error };
        }
      });
    },
    decide: (actor, proposalId, decision, note) =>
      unlessDecided(transact, actor, proposalId, decision, async () => ({
        proposal: await transact((tx) => decideProposal(tx, actor, proposalId, decision, note)),
        done: decision,
        entryId: null,
      })),
    expect: (actor, request) =>
      inSession({ url: databaseUrl, isolation: "read committed", profileLock: request.profileCode }, (session) =>
        setExpectation(session, actor, request),
      ),
    closeDay: (actor, businessDate, isBegin) =>
      long.take(() =>
        beside.perform("close", {
          databaseUrl,
          businessDate,
          isBegin,
          actor,
          nowMs: clock.nowMs(),
          cutOffs: cutOffs(),
        }),
      ),
    dayClose: (businessDate, version) => look((session) => readClose(session, businessDate, version)),
    report: (close, format, language, separator = null) =>
      long.take(async () => {
        const options = { billerName, separator };
        return Buffer.from(await beside.perform("report", { close, format, language, options }));
      }),
    today,
    nowMs: () => clock.nowMs(),
    async close() {
      // Who asked has had the time that requests get at a stop; what is not committed by now is as if it had not begun.
      await beside.close();
      await long.idle();
      await db.close();
    },
  };
}

/** What a decision brings about; the same decision again by the same person is no fault: its answer may have been lost. */
async function unlessDecided(
  transact: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>,
  actor: Actor,
  proposalId: string,
  decision: NonNullable<Proposal["decision"]>,
  work: () => Promise<Approved>,
): Promise<Decided> {
  try {
    return { ...(await work()), isRepeated: false };
  } catch (fault) {
    if (!(fault instanceof Fault) || fault.code !== "decided") throw fault;
    const proposal = await transact((tx) => readProposal(tx, proposalId));
    const isTheirs = proposal?.decidedBy?.trim().toLowerCase() === actor.name.trim().toLowerCase();
    if (proposal === null || proposal.decision !== decision || !isTheirs) throw fault;
    return { proposal, done: null, entryId: null, isRepeated: true };
  }
}

function readRejected({ run }: Session, fileId: number): Promise<RejectedLine[]> {
  return run<RejectedLine>(
    `select line_no as "lineNo", fault as reason, raw from settlement_line
      where file_id = $1 and fault is not null order by line_no limit $2`,
    [fileId, REJECTED_SHOWN],
  );
}
