import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { differenceOf, type LineResult, type OpenLine, reasonOf, type SettlementLine, TRAX_RULE } from "../../domain";
import { type InheritedItems, inheritedItems, lineKey } from "./inherited-items";
import type { Session } from "./session";

/** What is found is written in batches of this many lines. */
const BATCH_LINES = 1_000;

/** A result with the line that it is about. */
export interface Found {
  readonly line: SettlementLine;
  readonly result: LineResult;
}

/** Writes what a run finds: links, and findings in place of those that no longer hold. */
export interface Findings {
  add(found: readonly Found[]): Promise<void>;
  /** Lines that are left for the next step, with what was tried on them. */
  leave(lines: readonly OpenLine[]): Promise<void>;
  flush(): Promise<void>;
}

/** What the findings of a run have in common. */
export interface RunFacts {
  readonly runId: number;
  readonly profileCode: string;
  readonly settlementDate: string;
}

const INSERT_MATCHES = `
  insert into settlement_match (run_id, entry_id, entry_date, file_id, line_no, part_no, rule, head_line_no)
  select $1, * from unnest($2::uuid[], $3::date[], $4::int[], $5::int[], $6::smallint[], $7::text[], $8::int[])`;

const INSERT_FINDINGS = `
  insert into reconciliation_finding (run_id, profile_code, business_date, finding_id, file_id, line_no, entry_id,
                                      entry_date, class, rule, amount, difference, fee_difference, nearest_trax_id,
                                      nearest_entry_id, blocked_by, differing_fields, tried, item_id)
  select $1, $2, $3::date, i.finding_id, i.file_id, i.line_no, i.entry_id, i.entry_date, i.class, i.rule, i.amount,
         i.difference, i.fee_difference, i.nearest_trax_id, i.nearest_entry_id, i.blocked_by,
         array(select jsonb_array_elements_text(i.differing_fields)), i.tried, i.item_id
    from unnest($4::uuid[], $5::int[], $6::int[], $7::uuid[], $8::date[], $9::text[], $10::text[], $11::bigint[],
                $12::bigint[], $13::bigint[], $14::text[], $15::uuid[], $16::text[], $17::jsonb[], $18::jsonb[], $19::uuid[])
         as i(finding_id, file_id, line_no, entry_id, entry_date, class, rule, amount, difference, fee_difference,
              nearest_trax_id, nearest_entry_id, blocked_by, differing_fields, tried, item_id)`;

const READ_CURRENT = `
  select f.finding_id as id, f.item_id as "itemId", f.file_id as "fileId", f.line_no as "lineNo",
         json_build_object('entryId', f.entry_id, 'class', f.class, 'rule', f.rule, 'amount', f.amount::text,
           'difference', f.difference::text, 'feeDifference', f.fee_difference::text, 'nearestTraxId', f.nearest_trax_id,
           'nearestEntryId', f.nearest_entry_id, 'blockedBy', f.blocked_by, 'differingFields', f.differing_fields,
           'tried', f.tried) as content
    from unnest($1::int[], $2::int[]) as i(file_id, line_no)
    join reconciliation_finding f on f.file_id = i.file_id and f.line_no = i.line_no and f.replaced_by_run is null`;

const REPLACE = `update reconciliation_finding set replaced_by_run = $1 where finding_id = any($2::uuid[])`;

const DONE = `
  delete from reconciliation_work_line w using unnest($2::int[], $3::int[]) as i(file_id, line_no)
   where w.run_id = $1 and w.file_id = i.file_id and w.line_no = i.line_no`;

const LEAVE = `
  update reconciliation_work_line w set tried = i.tried
    from unnest($2::int[], $3::int[], $4::jsonb[]) as i(file_id, line_no, tried)
   where w.run_id = $1 and w.file_id = i.file_id and w.line_no = i.line_no`;

/** The findings of one run. */
export function findingsOf(session: Session, facts: RunFacts): Findings {
  let waiting: Found[] = [];
  let left: OpenLine[] = [];
  const items = inheritedItems(session, facts.runId, facts.profileCode);
  const flush = async (): Promise<void> => {
    const found = waiting;
    const open = left;
    waiting = [];
    left = [];
    if (found.length > 0) await write(session, facts, items, found);
    if (open.length > 0) {
      const lines = open.map(({ line }) => line);
      const tried = open.map((each) => JSON.stringify(each.tried));
      await session.run(LEAVE, [
        facts.runId,
        lines.map(({ fileId }) => fileId),
        lines.map(({ lineNo }) => lineNo),
        tried,
      ]);
    }
  };
  const flushWhenFull = async (): Promise<void> => {
    if (waiting.length + left.length >= BATCH_LINES) await flush();
  };
  return {
    async add(found) {
      waiting.push(...found);
      await flushWhenFull();
    },
    async leave(lines) {
      left.push(...lines);
      await flushWhenFull();
    },
    flush,
  };
}

async function write(session: Session, facts: RunFacts, items: InheritedItems, found: readonly Found[]): Promise<void> {
  const { run } = session;
  const links = found.flatMap(linksOf);
  if (links.length > 0) {
    await run(INSERT_MATCHES, [
      facts.runId,
      ...[links.map(({ entryId }) => entryId), links.map(({ entryDate }) => entryDate)],
      ...[links.map(({ fileId }) => fileId), links.map(({ lineNo }) => lineNo), links.map(({ partNo }) => partNo)],
      ...[links.map(({ rule }) => rule), links.map(({ headLineNo }) => headLineNo)],
    ]);
  }
  const refs = [found.map(({ line }) => line.fileId), found.map(({ line }) => line.lineNo)];
  const current = new Map((await run<Current>(READ_CURRENT, refs)).map((row) => [lineKey(row), row]));
  const itemIds = new Map([...current].map(([key, { itemId }]) => [key, itemId]));
  const fresh = found
    .filter(({ result }) => result.class !== "matched")
    .map((each) => ({ ...each, content: contentOf(each) }))
    .filter(({ line, content }) => {
      const key = lineKey(line);
      // What was found before and still holds keeps its identity, and whatever people have written to it.
      const isSame = isDeepStrictEqual(current.get(key)?.content, JSON.parse(JSON.stringify(content)));
      if (isSame) current.delete(key);
      return !isSame;
    });
  if (current.size > 0) await run(REPLACE, [facts.runId, [...current.values()].map(({ id }) => id)]);
  if (fresh.length > 0) {
    const contents = fresh.map(({ content }) => content);
    // What replaces a finding, or is found again, stays the same exception.
    const newLines = fresh.map(({ line }) => line).filter((line) => !itemIds.has(lineKey(line)));
    const inherited = await items.of(newLines);
    await run(INSERT_FINDINGS, [
      ...[facts.runId, facts.profileCode, facts.settlementDate, fresh.map(() => randomUUID())],
      ...[fresh.map(({ line }) => line.fileId), fresh.map(({ line }) => line.lineNo)],
      ...[contents.map(({ entryId }) => entryId), fresh.map(({ result }) => result.payments[0]?.businessDate ?? null)],
      ...[contents.map((each) => each.class), contents.map(({ rule }) => rule), contents.map(({ amount }) => amount)],
      ...[contents.map(({ difference }) => difference), contents.map(({ feeDifference }) => feeDifference)],
      ...[contents.map(({ nearestTraxId }) => nearestTraxId), contents.map(({ nearestEntryId }) => nearestEntryId)],
      ...[contents.map(({ blockedBy }) => blockedBy), contents.map((each) => JSON.stringify(each.differingFields))],
      contents.map(({ tried }) => JSON.stringify(tried)),
      fresh.map(({ line }) => itemIds.get(lineKey(line)) ?? inherited.get(lineKey(line)) ?? null),
    ]);
  }
  await run(DONE, [facts.runId, ...refs]);
}

/** The finding of a line that counts until now. */
interface Current {
  readonly id: string;
  readonly itemId: string;
  readonly fileId: number;
  readonly lineNo: number;
  readonly content: unknown;
}

interface Link {
  readonly entryId: string | null;
  readonly entryDate: string | null;
  readonly fileId: number;
  readonly lineNo: number;
  readonly partNo: number;
  readonly rule: string | null;
  readonly headLineNo: number | null;
}

/** The links of a line: one for each payment that it stands for, or one without when it is reconciled and stands for none. */
function linksOf({ line, result }: Found): Link[] {
  const { fileId, lineNo } = line;
  const rule = result.rule === TRAX_RULE ? null : result.rule;
  const base = { fileId, lineNo, rule, headLineNo: result.head?.lineNo ?? null };
  if (result.payments.length > 0) {
    return result.payments.map(({ entryId, businessDate }, index) => ({
      ...base,
      ...{ entryId, entryDate: businessDate, partNo: index },
    }));
  }
  return result.class === "matched" ? [{ ...base, entryId: null, entryDate: null, partNo: 0 }] : [];
}

/** A finding without its identity, as it is compared with the one before. */
function contentOf({ line, result }: Found) {
  const { amount, feeAmount } = differenceOf(line, result);
  const reason = reasonOf(result.tried);
  const nearest = result.nearest ?? reason?.nearest ?? null;
  return {
    entryId: result.payments[0]?.entryId ?? null,
    ...{
      class: result.class,
      rule: result.rule,
      amount: String((result.whole ?? line).amount),
      difference: String(amount),
    },
    ...{ feeDifference: String(feeAmount), nearestTraxId: nearest?.traxId ?? null },
    ...{ nearestEntryId: nearest?.entryId ?? null, blockedBy: result.differingFields[0] ?? reason?.blockedBy ?? null },
    ...{ differingFields: result.differingFields, tried: result.tried },
  };
}
