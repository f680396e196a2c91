import { Fault, type Statement, type Tx } from "../../platform";

/** The name that steps bear which the product takes by itself. No person can have it: it holds parentheses. */
export const BY_ITSELF = "biller (by itself)";

/**
 * Closes exceptions about files, with a step in their history; proposals that wait about them lapse for the same
 * reason. Proposals are locked first, as decisions do. `because` is an expression over `exception x`; $1 is the name that
 * the steps bear.
 */
export const closeFileExceptions = (name: string, because: string, condition: string): Statement => ({
  name: `ops_close_${name}`,
  isWrite: true,
  text: `
    with waiting as materialized (
      select p.proposal_id
        from exception x
        join exception_proposal p on p.item_id = x.exception_id and p.decision is null
       where x.closed_at is null and ${condition}
       order by p.proposal_id for update of p
    ), closed as (
      update exception x set closed_at = clock_timestamp(), closed_because = ${because}
       where x.closed_at is null and ${condition} and (select count(*) from waiting) >= 0
      returning x.exception_id, x.closed_because
    ), lapsed as (
      update exception_proposal p
         set decision = 'lapsed', decided_by = 'system', decided_via = $1, decided_at = clock_timestamp(),
             decision_note = left(c.closed_because, 500)
        from closed c where p.item_id = c.exception_id and p.decision is null
    )
    insert into exception_event (item_id, kind, actor, via, detail)
    select c.exception_id, 'closed', $1, $1, left(c.closed_because, 2000) from closed c
    returning item_id as "itemId"`,
});

const OPEN_UNREADABLE: Statement = {
  name: "ops_open_unreadable_lines",
  isWrite: true,
  text: `
    insert into exception (exception_id, kind, bill_key, partner_id, trax_id, amount, detail, profile_code, business_date,
                           file_id, line_no)
    select gen_random_uuid(), 'unreadable-line', 'file:' || f.file_id || ':' || l.line_no, f.partner_id, '', 0,
           'line ' || l.line_no || ' of ' || f.file_name || ': ' || l.fault, f.profile_code, f.settlement_date, f.file_id,
           l.line_no
      from settlement_file f
      join settlement_line l on l.file_id = f.file_id and l.fault is not null
     where f.file_id = $1::int`,
};

/** Opens an exception for every line of a new file that could not be read. */
export async function openUnreadableLines(tx: Tx, fileId: number): Promise<void> {
  await tx.run(OPEN_UNREADABLE, [fileId]);
}

const CLOSE_REPLACED = closeFileExceptions(
  "lines_of_replaced_files",
  "'the file was replaced by file ' || $3::int",
  "x.kind = 'unreadable-line' and x.file_id = any($2::int[])",
);

/** Closes what was open about lines of files that another file replaces. */
export async function closeLinesOfReplaced(tx: Tx, fileIds: readonly number[], byFileId: number): Promise<void> {
  await tx.run(CLOSE_REPLACED, [BY_ITSELF, fileIds, byFileId]);
}

const OPEN_LINES: Statement = {
  name: "ops_find_open_unreadable_lines",
  text: `
    select line_no as "lineNo" from exception
     where kind = 'unreadable-line' and file_id = $1::int and closed_at is null order by line_no`,
};
const CLOSE_SUPPLEMENTED = closeFileExceptions(
  "supplemented_lines",
  "'the line was corrected by the supplement, file ' || $4::int",
  "x.kind = 'unreadable-line' and x.file_id = $2::int and x.line_no = any($3::int[])",
);

/**
 * Closes the unreadable lines that a supplement corrects.
 *
 * @throws Fault `supplement`: one of them is no line of the file that cannot be read, or is closed already
 */
export async function closeSupplementedLines(
  tx: Tx,
  supplement: { readonly fileId: number; readonly ofFileId: number; readonly lineNos: readonly number[] },
): Promise<void> {
  const { fileId, ofFileId, lineNos } = supplement;
  const open = (await tx.run<{ lineNo: number }>(OPEN_LINES, [ofFileId])).map(({ lineNo }) => lineNo);
  const strange = lineNos.filter((lineNo) => !open.includes(lineNo));
  if (strange.length > 0) {
    const list = open.length === 0 ? "none" : `${open.slice(0, 50).join(", ")}${open.length > 50 ? ", …" : ""}`;
    throw new Fault(
      "supplement",
      `line ${strange.join(", ")} of file ${ofFileId} is no open unreadable line; open are: ${list}`,
    );
  }
  await tx.run(CLOSE_SUPPLEMENTED, [BY_ITSELF, ofFileId, lineNos, fileId]);
}
