import type { AccountCode, ClearingOf, Posting } from "../../domain";
import { actorText, mirrored, stateOfReceivable } from "../../domain";
import { appendClearings, appendOperatorEntry, readReceivables } from "../../ledger";
import { Fault, type Statement } from "../../platform";
import { openExceptions, type NewException } from "../../store";
import { markUndone, postSettlement } from "../settlement/post";
import type { Context, Result } from "./context";
import { lockProfileOfItem } from "./items";
import { readUndoable } from "./propose-undo";
import type { Proposal } from "./proposals";

/**
 * Takes back what an approved proposal has brought about: its settlement entry is mirrored by a correction, its receivables
 * are what they were, its lines can be posted again, and its item is open again.
 *
 * @throws Fault `not_possible` with what stands in the way
 * @throws ReceivableTaken, ClaimLost roll back and call again
 */
export async function undoApproved(context: Context): Promise<Result> {
  const { tx, proposal } = context;
  const undone = await readUndoable(tx, String(proposal.facts["undoes"]), proposal.proposalId);
  await lockProfileOfItem(tx, undone.itemId);
  const done = `undone: ${undone.action} of ${undone.proposedBy}`;
  if (undone.itemKind === "bank-credit") return { done, entryId: await takeBackPosting(context, undone.proposalId) };
  if (undone.itemKind === "exception") return { done, entryId: await reopenOpened(context, undone) };
  const [finding] = await tx.run<FindingRow>(READ_FINDING, [undone.itemId]);
  if (finding === undefined) throw new Fault("not_possible", "its finding was replaced by a run meanwhile");
  // What a reversal took out of transit before it is settled again, so the payment must be due first.
  const reinstated = undone.action === "reverse" ? await reinstateOf(context, finding) : null;
  let entryId = (await takeBackPosting(context, undone.proposalId)) ?? reinstated?.entryId ?? null;
  if (undone.action === "advise" && finding.linked !== null) {
    const reversal = await context.deps.byHand.reverse(tx, paymentOf(finding.linked));
    entryId = reversal.entryId ?? entryId;
  }
  await reopenFindings(context, undone.action, finding, reinstated?.explained ?? []);
  return { done, entryId };
}

/** Opens the finding again, and others that the action had resolved: the next run compares their lines anew. */
async function reopenFindings(
  { tx, actor }: Context,
  action: Proposal["action"],
  finding: FindingRow,
  explained: readonly string[],
): Promise<void> {
  const what = `undo of ${action}`;
  const [started] = await tx.run<{ runId: number }>(START_RUN, [finding.findingId, what, actorText(actor)]);
  const runId = started?.runId ?? 0;
  const wasLinked = action === "advise" || action === "link";
  if (wasLinked) await tx.run(DISSOLVE, [finding.fileId, finding.lineNo, runId]);
  const missing =
    action === "link" && finding.linked !== null
      ? await tx.run<{ findingId: string }>(FIND_MISSING, [finding.linked.entryId])
      : [];
  const chosen = [finding.findingId, ...explained, ...missing.map(({ findingId }) => findingId)];
  const replaced = await tx.run<{ findingId: string }>(REPLACE, [runId, chosen]);
  await tx.run(REOPEN, [runId, replaced.map(({ findingId }) => findingId)]);
  await tx.run(END_RUN, [runId, what]);
}

interface LinkedPayment {
  readonly entryId: string;
  readonly partnerId: number;
  readonly traxId: string;
  readonly productCode: string;
  readonly billNumber: string;
  readonly amount: string;
  readonly feeAmount: string;
}

interface FindingRow {
  readonly findingId: string;
  readonly fileId: number | null;
  readonly lineNo: number | null;
  readonly entryId: string | null;
  readonly nearestEntryId: string | null;
  /** The payment that a person has linked the line with. */
  readonly linked: LinkedPayment | null;
}

const READ_FINDING: Statement = {
  name: "ops_read_finding_to_undo",
  isWrite: true,
  text: `
    select f.finding_id as "findingId", f.file_id as "fileId", f.line_no as "lineNo", f.nearest_entry_id as "nearestEntryId",
           coalesce(f.entry_id, (select m.entry_id from settlement_match m
                                  where m.file_id = f.file_id and m.line_no = f.line_no and m.replaced_by_run is null
                                    and m.part_no = 0)) as "entryId",
           (select json_build_object('entryId', e.entry_id, 'partnerId', e.partner_id, 'traxId', e.trax_id,
                     'productCode', e.product_code, 'billNumber', e.bill_number, 'amount', e.amount::text,
                     'feeAmount', e.fee_amount::text)
              from settlement_match m
              join journal_entry e on e.entry_id = m.entry_id and e.business_date = m.entry_date
             where m.file_id = f.file_id and m.line_no = f.line_no and m.replaced_by_run is null
               and m.rule = 'by-hand') as linked
      from reconciliation_finding f
     where f.item_id = $1::uuid and f.replaced_by_run is null for update of f`,
};
/** A run of its own says what an undoing has replaced. $1 finding; $2 what was undone, $3 who. */
const START_RUN: Statement = {
  name: "ops_start_undoing",
  isWrite: true,
  text: `
    insert into reconciliation_run (profile_code, profile_version, rules, settlement_date, started_by)
    select f.profile_code, (select max(p.version) from settlement_profile p where p.profile_code = f.profile_code), '[]',
           f.business_date, $3
      from reconciliation_finding f where f.finding_id = $1::uuid and $2::text is not null
    returning run_id as "runId"`,
};
const END_RUN: Statement = {
  name: "ops_end_undoing",
  isWrite: true,
  text: `
    update reconciliation_run set finished_at = clock_timestamp(), summary = jsonb_build_object('undo', $2::text)
     where run_id = $1::int`,
};
const REPLACE: Statement = {
  name: "ops_replace_resolved_finding",
  isWrite: true,
  text: `
    update reconciliation_finding set replaced_by_run = $1::int
     where finding_id = any($2::uuid[]) and replaced_by_run is null and resolved_at is not null
    returning finding_id as "findingId"`,
};
/** The same findings, open: what was resolved stays as it was, and each item goes on. $1 run, $2 findings. */
const REOPEN: Statement = {
  name: "ops_reopen_findings",
  isWrite: true,
  text: `
    insert into reconciliation_finding (finding_id, item_id, run_id, profile_code, business_date, file_id, line_no, entry_id,
                                        entry_date, class, rule, amount, difference, fee_difference, nearest_trax_id,
                                        nearest_entry_id, blocked_by, differing_fields, tried)
    select gen_random_uuid(), f.item_id, $1::int, f.profile_code, f.business_date, f.file_id, f.line_no, f.entry_id,
           f.entry_date, f.class, f.rule, f.amount, f.difference, f.fee_difference, f.nearest_trax_id, f.nearest_entry_id,
           f.blocked_by, f.differing_fields, f.tried
      from reconciliation_finding f where f.finding_id = any($2::uuid[])`,
};
const FIND_MISSING: Statement = {
  name: "ops_find_resolved_missing",
  text: `
    select finding_id as "findingId" from reconciliation_finding
     where entry_id = $1::uuid and class = 'missing-in-file' and replaced_by_run is null and resolved_at is not null`,
};
/** The paid line that a reversal had explained. */
const FIND_EXPLAINED: Statement = {
  name: "ops_find_explained_line",
  text: `
    select f.finding_id as "findingId" from reconciliation_finding f
     where f.nearest_entry_id = $1::uuid and f.class = 'reversed-here' and f.replaced_by_run is null
       and f.resolved_at is not null
       and not exists (select from exception_proposal p where p.item_id = f.item_id)`,
};
/** The link that a person made. $1, $2 line, $3 run. */
const DISSOLVE: Statement = {
  name: "ops_dissolve_link",
  isWrite: true,
  text: `
    update settlement_match set replaced_by_run = $3::int
     where file_id = $1::int and line_no = $2::int and rule = 'by-hand' and replaced_by_run is null`,
};

function paymentOf(linked: LinkedPayment) {
  const { partnerId, traxId, productCode, billNumber, amount, feeAmount } = linked;
  return { partnerId, traxId, productCode, billNumber, amount: BigInt(amount), feeAmount: BigInt(feeAmount) };
}

const READ_POSTING: Statement = {
  name: "ops_read_posting_to_undo",
  isWrite: true,
  text: `
    select p.posting_no as "postingNo", p.kind, p.entry_id as "entryId", p.partner_id as "partnerId",
           p.profile_code as "profileCode", p.settlement_date as "settlementDate", p.file_id as "fileId",
           p.line_count as "lineCount", p.due_amount as "dueAmount", p.transit_amount as "transitAmount",
           p.account_code as account,
           (select json_agg(json_build_object('accountCode', g.account_code, 'side', g.side, 'amount', g.amount::text)
                            order by g.line_no)
              from posting g where g.entry_id = p.entry_id and g.business_date = p.business_date) as postings,
           (select coalesce(json_agg(json_build_object('entryId', c.entry_id, 'kind', c.kind, 'amount', c.amount::text)
                                     order by c.entry_id, c.version desc), '[]')
              from receivable_clearing c where c.by_entry_id = p.entry_id) as clearings
      from settlement_posting p
     where p.proposal_id = $1::uuid and p.undone_by is null for update of p`,
};

interface PostingRow {
  readonly postingNo: number;
  readonly kind: "file" | "resolution" | "bank-credit";
  readonly entryId: string;
  readonly partnerId: number;
  readonly profileCode: string | null;
  readonly settlementDate: string;
  readonly fileId: number | null;
  readonly lineCount: number;
  readonly dueAmount: bigint;
  readonly transitAmount: bigint;
  readonly account: AccountCode | null;
  readonly postings: readonly {
    readonly accountCode: AccountCode;
    readonly side: Posting["side"];
    readonly amount: string;
  }[];
  readonly clearings: readonly {
    readonly entryId: string;
    readonly kind: ClearingOf["kind"];
    readonly amount: string;
  }[];
}

/** Mirrors the settlement entry of a proposal. @returns the correction, or null where nothing had moved */
async function takeBackPosting({ deps, tx, actor, proposal }: Context, proposalId: string): Promise<string | null> {
  const [posting] = await tx.run<PostingRow>(READ_POSTING, [proposalId]);
  if (posting === undefined) return null;
  const nowMs = deps.clock.nowMs();
  const entryId = deps.ids.entryId(nowMs);
  const businessDate = deps.today();
  const { kind, partnerId, profileCode, settlementDate, fileId, account, lineCount } = posting;
  const postings = mirrored(posting.postings.map((line) => ({ ...line, amount: BigInt(line.amount) })));
  const postingNo = await postSettlement(tx, {
    kind,
    entryId,
    businessDate,
    nowMs,
    partnerId,
    profileCode,
    settlementDate,
    fileId,
    proposalId: proposal.proposalId,
    lineCount: -lineCount,
    dueAmount: -posting.dueAmount,
    transitAmount: -posting.transitAmount,
    account,
    postings,
    reference: `undo ${proposal.proposalId.slice(0, 8)}`,
    by: actor.name,
    undoesEntryId: posting.entryId,
  });
  const clearings = posting.clearings.map((each) => ({ ...each, amount: -BigInt(each.amount) }));
  const receivables = await readReceivables(tx, [...new Set(clearings.map((each) => each.entryId))]);
  await appendClearings(tx, { entryId, businessDate }, receivables, clearings);
  await markUndone(tx, posting.postingNo, postingNo);
  return entryId;
}

/** The payment whose reversal is taken back. */
async function reinstateOf(
  { deps, tx }: Context,
  finding: FindingRow,
): Promise<{ readonly entryId: string; readonly explained: readonly string[] }> {
  const candidates = [finding.entryId, finding.nearestEntryId].filter((each) => each !== null);
  const receivables = await readReceivables(tx, candidates);
  const reversed = candidates.find((each) => {
    const receivable = receivables.get(each);
    return receivable !== undefined && stateOfReceivable(receivable) === "reversed";
  });
  if (reversed === undefined) throw new Fault("not_possible", "no reversal of its payment stands");
  const explained = await tx.run<{ findingId: string }>(FIND_EXPLAINED, [reversed]);
  const entryId = await deps.byHand.reinstate(tx, reversed, deps.today());
  return { entryId, explained: explained.map(({ findingId }) => findingId) };
}

const READ_OPENED: Statement = {
  name: "ops_read_opened_to_undo",
  text: `
    select x.kind, x.bill_key as "billKey", x.partner_id as "partnerId", x.trax_id as "traxId",
           x.other_trax_id as "otherTraxId", x.amount, x.detail, t.entry_id as "entryId"
      from exception x
      left join trax t on t.partner_id = x.partner_id and t.trax_id = x.trax_id and t.entry_id is not null
       and t.family in ('payment', 'manual-payment')
     where x.exception_id = $1::uuid limit 1`,
};
const READ_RELEASE: Statement = {
  name: "ops_read_suspense_release",
  text: `
    select e.entry_id as "entryId", e.bill_key as "billKey", e.partner_id as "partnerId", e.trax_id as reference,
           e.product_code as "productCode", e.bill_number as "billNumber", e.amount,
           (select json_agg(json_build_object('accountCode', g.account_code, 'side', g.side, 'amount', g.amount::text)
                            order by g.line_no)
              from posting g where g.entry_id = e.entry_id and g.business_date = e.business_date) as postings
      from journal_entry e
      join posting s on s.entry_id = e.entry_id and s.business_date = e.business_date and s.account_code = 'suspense'
       and s.side = 'debit'
     where e.kind = 'correction' and e.partner_id = $1::int and e.trax_id = $2 and e.bill_key = $3
       and not exists (select from journal_entry r where r.reverses_entry_id = e.entry_id)
     order by e.recorded_at desc limit 1`,
};

interface ReleaseRow {
  readonly entryId: string;
  readonly billKey: string;
  readonly partnerId: number;
  readonly reference: string;
  readonly productCode: string;
  readonly billNumber: string;
  readonly amount: bigint;
  readonly postings: PostingRow["postings"];
}

/** What a payment opened is closed for good; what is taken back opens it anew. */
async function reopenOpened({ deps, tx, actor }: Context, undone: Proposal): Promise<string | null> {
  const [item] = await tx.run<NewException & { readonly entryId: string | null }>(READ_OPENED, [undone.itemId]);
  if (item === undefined) throw new Fault("no_exception", `there is no exception ${undone.itemId}`);
  const { entryId: paymentEntryId, ...about } = item;
  let entryId: string;
  if (undone.action === "reverse") {
    if (paymentEntryId === null) throw new Fault("not_possible", "no payment of ours belongs to it");
    entryId = await deps.byHand.reinstate(tx, paymentEntryId, deps.today());
  } else {
    const [release] = await tx.run<ReleaseRow>(READ_RELEASE, [about.partnerId, about.traxId, about.billKey]);
    if (release === undefined) throw new Fault("not_possible", "nothing of this payment was moved out of suspense");
    const { entryId: releasedBy, postings, ...same } = release;
    const nowMs = deps.clock.nowMs();
    entryId = deps.ids.entryId(nowMs);
    await appendOperatorEntry(tx, {
      ...same,
      entryId,
      kind: "correction",
      businessDate: deps.today(),
      happenedAtMs: nowMs,
      postings: mirrored(postings.map((line) => ({ ...line, amount: BigInt(line.amount) }))),
      reversesEntryId: releasedBy,
    });
  }
  await openExceptions(tx, [
    { ...about, detail: `${undone.action} was undone by ${actor.name}: ${about.detail}`.slice(0, 500) },
  ]);
  return entryId;
}
