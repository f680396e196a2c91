import { type AccountCode, isBalanced, type Posting } from "../../domain";
import { appendOperatorEntry } from "../../ledger";
import { Fault, type Statement, type Tx } from "../../platform";

/** A settlement entry with what it is about. Whole rupiah; see `SettlementMove` for the signs. */
export interface SettlementPosting {
  readonly kind: "file" | "resolution" | "bank-credit";
  /** The settlement entry that this one takes back, as a correction. */
  readonly undoesEntryId?: string;
  /** Where its lines are written before it is. */
  readonly postingNo?: number;
  readonly entryId: string;
  readonly businessDate: string;
  readonly nowMs: number;
  readonly partnerId: number;
  readonly profileCode: string | null;
  readonly settlementDate: string;
  readonly fileId: number | null;
  readonly proposalId: string | null;
  readonly lineCount: number;
  readonly dueAmount: bigint;
  readonly transitAmount: bigint;
  readonly account: AccountCode | null;
  readonly postings: readonly Posting[];
  /** Stands in the journal where a payment has its traxId. */
  readonly reference: string;
  readonly by: string;
}

const INSERT: Statement = {
  name: "ops_insert_settlement_posting",
  isWrite: true,
  text: `
    insert into settlement_posting (posting_no, kind, entry_id, business_date, partner_id, profile_code, settlement_date, file_id,
                                    proposal_id, line_count, due_amount, transit_amount, account_code, account_amount,
                                    reference, posted_by)
    values (coalesce($15::int, nextval('settlement_posting_posting_no_seq')::int), $1, $2::uuid, $3::date, $4::int, $5, $6::date, $7::int, $8::uuid, $9::int, $10::bigint, $11::bigint, $12,
            $11::bigint - $10::bigint, $13, $14)
    returning posting_no`,
};
const INSERT_LINES: Statement = {
  name: "ops_insert_line_postings",
  isWrite: true,
  text: `
    insert into settlement_line_posting (file_id, line_no, posting_no)
    select $1::int, l.line_no, $2::int from unnest($3::int[]) as l(line_no)`,
};

/**
 * Writes the entry of kind `settlement`, and what it is about.
 *
 * @returns the number of the posting
 * @throws Fault `unbalanced`
 */
export async function postSettlement(tx: Tx, posting: SettlementPosting): Promise<number> {
  const { entryId, businessDate, partnerId, reference, postings, nowMs, settlementDate, fileId } = posting;
  if (!isBalanced(postings)) throw new Fault("unbalanced", "the postings of an entry do not balance");
  const subject = fileId === null ? settlementDate : `file ${fileId}`;
  await appendOperatorEntry(tx, {
    ...{ entryId, billKey: `settlement:${subject}`, businessDate, partnerId, reference },
    kind: posting.undoesEntryId === undefined ? "settlement" : "correction",
    ...{
      productCode: "",
      billNumber: "",
      postings,
      happenedAtMs: nowMs,
      reversesEntryId: posting.undoesEntryId ?? null,
    },
    amount: postings.reduce((sum, { side, amount }) => (side === "debit" ? sum + amount : sum), 0n),
  });
  const [row] = await tx.run<{ posting_no: number }>(INSERT, [
    ...[posting.kind, entryId, businessDate, partnerId, posting.profileCode, settlementDate, fileId],
    ...[posting.proposalId, posting.lineCount, posting.dueAmount, posting.transitAmount, posting.account],
    ...[reference, posting.by, posting.postingNo ?? null],
  ]);
  return row?.posting_no ?? 0;
}

const MARK_POSTING: Statement = {
  name: "ops_mark_posting_undone",
  isWrite: true,
  text: `update settlement_posting set undone_by = $2::int where posting_no = $1::int and undone_by is null`,
};
const MARK_LINES: Statement = {
  name: "ops_mark_lines_undone",
  isWrite: true,
  text: `update settlement_line_posting set undone_by = $2::int where posting_no = $1::int and undone_by is null`,
};

/** A posting was taken back by another one: its lines can be posted again. */
export async function markUndone(tx: Tx, postingNo: number, undoneBy: number): Promise<void> {
  await tx.run(MARK_POSTING, [postingNo, undoneBy]);
  await tx.run(MARK_LINES, [postingNo, undoneBy]);
}

/** The lines that a posting is about: each has one posting at most. */
export async function saveLines(tx: Tx, postingNo: number, fileId: number, lineNos: readonly number[]): Promise<void> {
  await tx.run(INSERT_LINES, [fileId, postingNo, lineNos]);
}
