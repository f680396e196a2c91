import type { SettlementLine } from "../../domain";
import type { Session } from "./session";

/** Names the items that findings of a run carry on: those of the same lines before, and of the lines of a replaced file. */
export interface InheritedItems {
  /** Items of lines that have no current finding; a line that carries on none is left out. */
  of(lines: readonly SettlementLine[]): Promise<ReadonlyMap<string, string>>;
}

/** The key of a line in maps. */
export const lineKey = ({ fileId, lineNo }: { readonly fileId: number; readonly lineNo: number }): string =>
  `${fileId}:${lineNo}`;

/** The last finding of lines that were found before, and then not any more. $1, $2 lines. */
const FORMER = `
  select distinct on (f.file_id, f.line_no) f.file_id as "fileId", f.line_no as "lineNo", f.item_id as "itemId"
    from unnest($1::int[], $2::int[]) as i(file_id, line_no)
    join reconciliation_finding f on f.file_id = i.file_id and f.line_no = i.line_no and f.replaced_by_run is not null
   where not exists (select from reconciliation_finding n where n.item_id = f.item_id and n.replaced_by_run is null)
   order by f.file_id, f.line_no, f.found_at desc`;

/** What this run has released of files that are replaced, with the file that is current now. $1 run, $2 profile. */
const OF_REPLACED_FILES = `
  with recursive newer (file_id, newest) as (
    select f.file_id, f.superseded_by from settlement_file f where f.profile_code = $2 and f.superseded_by is not null
    union all
    select w.file_id, n.superseded_by from newer w join settlement_file n on n.file_id = w.newest
     where n.superseded_by is not null
  )
  select w.newest as "fileId", f.item_id as "itemId", l.trax_id as "traxId", l.bill_number as "billNumber"
    from reconciliation_finding f
    join newer w on w.file_id = f.file_id
    join settlement_file n on n.file_id = w.newest and n.superseded_by is null
    join settlement_line l on l.file_id = f.file_id and l.line_no = f.line_no
   where f.replaced_by_run = $1 and f.file_id is not null
   order by f.file_id, f.line_no`;

interface ReleasedItem {
  readonly fileId: number;
  readonly itemId: string;
  readonly traxId: string | null;
  readonly billNumber: string | null;
}

/** The items that a run may carry on. Those of replaced files are read once, with the first lines that ask. */
export function inheritedItems(session: Session, runId: number, profileCode: string): InheritedItems {
  let released: ReturnType<typeof releasedItems> | null = null;
  return {
    async of(lines) {
      const items = new Map<string, string>();
      if (lines.length === 0) return items;
      released ??= releasedItems(await session.run<ReleasedItem>(OF_REPLACED_FILES, [runId, profileCode]));
      const former = await session.run<{ fileId: number; lineNo: number; itemId: string }>(FORMER, [
        lines.map(({ fileId }) => fileId),
        lines.map(({ lineNo }) => lineNo),
      ]);
      for (const row of former) items.set(lineKey(row), row.itemId);
      for (const line of lines) {
        const itemId = items.has(lineKey(line)) ? null : released.take(line);
        if (itemId !== null) items.set(lineKey(line), itemId);
      }
      return items;
    },
  };
}

/** Items of the lines of replaced files, each taken once: by traxId, else by bill. */
function releasedItems(rows: readonly ReleasedItem[]) {
  const left = new Set(rows.map(({ itemId }) => itemId));
  const byTrax = groupedBy(rows, ({ traxId }) => traxId);
  const byBill = groupedBy(rows, ({ billNumber }) => billNumber);
  const firstOf = (group: readonly string[] | undefined): string | null =>
    group?.find((itemId) => left.has(itemId)) ?? null;
  return {
    take({ fileId, traxId, billNumber }: SettlementLine): string | null {
      const itemId = firstOf(byTrax.get(`${fileId} ${traxId}`)) ?? firstOf(byBill.get(`${fileId} ${billNumber}`));
      if (itemId !== null) left.delete(itemId);
      return itemId;
    },
  };
}

function groupedBy(rows: readonly ReleasedItem[], keyOf: (row: ReleasedItem) => string | null): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const row of rows) {
    const key = keyOf(row);
    if (key === null) continue;
    const group = groups.get(`${row.fileId} ${key}`);
    if (group === undefined) groups.set(`${row.fileId} ${key}`, [row.itemId]);
    else group.push(row.itemId);
  }
  return groups;
}
