import { type Clock, type Db, deadlineIn, type Logger, type Statement } from "../../platform";
import { buildProof, type Proof } from "../../ledger";
import type { CompiledLayout } from "../../wire";
import { type AccountBalance, readBalances } from "./balances";
import type { CursorProblem } from "./cursor";
import { type Dossier, readDossier } from "./dossier";
import { type Export, type ExportOptions, startExport } from "./exports";
import type { Question } from "./filters";
import { type Listing, type Page, PAGE_BUDGET_MS, readPage } from "./listing";
import { openReader, readFreshness, type Freshness, STATEMENT_MAX_MS } from "./reader";
import { openReadLog, type ReadLog } from "./read-log";
import { type AuditToken, findToken } from "./tokens";

/** Answers auditors' questions, from connections of their own. */
export interface AuditDesk {
  readonly log: ReadLog;
  /** The token of a text, if it is valid now; asked of the primary, so that a revocation counts at once. */
  tokenOf(text: string): Promise<AuditToken | null>;
  freshness(): Promise<Freshness>;
  page(
    listing: Listing,
    question: Question,
    signal: AbortSignal,
  ): Promise<(Page & { freshness: Freshness }) | CursorProblem>;
  balances(question: Question, signal: AbortSignal): Promise<{ accounts: AccountBalance[]; freshness: Freshness }>;
  dossier(
    traxId: string,
    withPersonal: boolean,
    signal: AbortSignal,
  ): Promise<{ dossier: Dossier | null; freshness: Freshness }>;
  /**
   * The proof of what is stored under a traxId, the same as `biller ledger proof`. Without personal data the stored answer and
   * its names stay undisclosed, and the proof holds all the same.
   *
   * @param partner userName; null when only one partner has used the traxId
   * @throws Fault as `buildProof`
   */
  proof(traxId: string, partner: string | null, withPersonal: boolean, signal: AbortSignal): Promise<Proof>;
  export(listing: Listing, options: ExportOptions): Promise<Export>;
  /** Manifest of an export that has ended, with the token that asked for it; null when there is none. */
  manifest(exportId: string): Promise<{ tokenId: string | null; manifest: Readonly<Record<string, unknown>> } | null>;
  close(): Promise<void>;
}

/** What a desk is made from. Times in milliseconds. */
export interface AuditDeskOptions {
  /** The service's own database: tokens are read and reads are written there. */
  readonly db: Db;
  /** Where questions are answered from: a replica, or the primary. */
  readonly auditUrl: string;
  readonly poolMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly layoutOf: (productCode: string) => CompiledLayout | null;
  readonly onFault: (fault: unknown, where: string) => void;
}

const TOKEN_TIMEOUT_MS = 2_000;
const PAGE_TIMEOUT_MS = 10_000;

const MANIFEST: Statement = {
  name: "audit_manifest",
  text: `select token_id, export from audit_read where read_id = $1::uuid and export is not null`,
};

/** Opens the desk; connects on first use. */
export function openAuditDesk(options: AuditDeskOptions): AuditDesk {
  const { db, clock, logger, layoutOf } = options;
  const reader = openReader({ ...options, url: options.auditUrl });
  const log = openReadLog({ db, clock, logger });
  return {
    log,
    tokenOf: (text) => db.withTransaction(deadlineIn(clock, TOKEN_TIMEOUT_MS), (tx) => findToken(tx, text)),
    freshness: () => reader.ask({ timeoutMs: TOKEN_TIMEOUT_MS }, readFreshness),
    page: (listing, question, signal) =>
      reader.ask({ timeoutMs: PAGE_TIMEOUT_MS, signal }, async (tx) => {
        const freshness = await readFreshness(tx);
        const page = await readPage(tx, clock, listing, question, PAGE_BUDGET_MS);
        return "problem" in page ? page : { ...page, freshness };
      }),
    balances: (question, signal) =>
      reader.ask({ timeoutMs: STATEMENT_MAX_MS, signal }, async (tx) => ({
        freshness: await readFreshness(tx),
        accounts: await readBalances(tx, question),
      })),
    dossier: (traxId, withPersonal, signal) =>
      reader.ask({ timeoutMs: PAGE_TIMEOUT_MS, signal }, async (tx) => ({
        freshness: await readFreshness(tx),
        dossier: await readDossier(tx, traxId, { withPersonal, layoutOf }),
      })),
    proof: (traxId, partner, withPersonal, signal) =>
      reader.ask({ timeoutMs: PAGE_TIMEOUT_MS, signal }, async (tx) => {
        const proof = await buildProof(tx, traxId, partner);
        return withPersonal ? proof : withoutPersonal(proof);
      }),
    export: (listing, each) => startExport(reader, clock, listing, each),
    async manifest(exportId) {
      await log.flush();
      const [row] = await db.run<{ token_id: string | null; export: Record<string, unknown> }>(
        deadlineIn(clock, TOKEN_TIMEOUT_MS),
        MANIFEST,
        [exportId],
      );
      return row === undefined ? null : { tokenId: row.token_id, manifest: row.export };
    },
    async close() {
      await log.close();
      await reader.close();
    },
  };
}

/** Bill numbers are shown everywhere in the audit API; the text of the answer is what names are in. */
function withoutPersonal(proof: Proof): Proof {
  const items = proof.items.map((item) => {
    const { bill } = item.disclosed;
    return { ...item, disclosed: bill === undefined ? {} : { bill } };
  });
  return { ...proof, items };
}
