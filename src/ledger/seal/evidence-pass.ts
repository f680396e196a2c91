import type { Statement, Tx } from "../../platform";
import { EVIDENCE_KINDS, type EvidenceKind, scanEvidence } from "./evidence-rows";
import type { UnsealedItem } from "./rows";

const READ_MARKS: Statement = {
  name: "ledger_seal_read_evidence_marks",
  text: `
    select kind, case when isfinite(sealed_until) then (extract(epoch from sealed_until) * 1000000)::bigint else 0 end as mark
      from seal_evidence`,
};

const WRITE_MARKS: Statement = {
  name: "ledger_seal_write_evidence_marks",
  isWrite: true,
  text: `
    insert into seal_evidence (kind, sealed_until)
    select m.kind, timestamptz 'epoch' + m.mark * interval '1 microsecond'
      from unnest($1::text[], $2::bigint[]) as m(kind, mark) order by m.kind
    on conflict (kind) do update set sealed_until = excluded.sealed_until
     where seal_evidence.sealed_until <> excluded.sealed_until`,
};

/** Every kind at once, in one statement: rows from $1 and before $2, minutes from $4 and before $5, $3 of each kind at most. */
const SCAN_ALL: Statement = {
  name: "ledger_seal_scan_evidence",
  text: [...EVIDENCE_KINDS.values()]
    .map(({ scan, isByMinute }) => {
      const text = isByMinute ? scan.text.replaceAll("$1", "$4").replaceAll("$2", "$5") : scan.text;
      return `(${text}\n    )`;
    })
    .join("\n    union all "),
};

const MINUTE = 60_000_000n;

/** What is to be sealed of the evidence beside the books. */
export interface EvidenceFound {
  readonly items: readonly UnsealedItem[];
  /** False: there is more. */
  readonly isThrough: boolean;
}

/**
 * Looks through the evidence that has become final: what was recorded before `sealedUntil`, the moment of which PostgreSQL
 * says that no transaction of before is still writing. So every row is looked at once, in the order of recording, and marks
 * only move forward, but for a clock that was set back. A kind that is new begins with its oldest row. Under the sealer's
 * lock; the items go into blocks in the same transaction.
 */
export async function findEvidence(tx: Tx, sealedUntil: bigint | null, room: number): Promise<EvidenceFound> {
  if (sealedUntil === null) return { items: [], isThrough: true };
  const rows = await tx.run<{ kind: string; mark: bigint }>(READ_MARKS, []);
  const marks = new Map(rows.map(({ kind, mark }) => [kind, mark]));
  const wanted = [...EVIDENCE_KINDS.values()].map((kind) => ({
    kind,
    mark: marks.get(kind.kind) ?? 0n,
    until: kind.isByMinute ? sealedUntil - (sealedUntil % MINUTE) : sealedUntil,
  }));
  if (wanted.every(({ mark, until }) => mark === until)) return { items: [], isThrough: true };
  const found = (await scanAllAtOnce(tx, wanted, room)) ?? (await scanOneByOne(tx, wanted, room));
  await tx.run(WRITE_MARKS, [[...found.marks.keys()], [...found.marks.values()]]);
  return found;
}

interface Wanted {
  readonly kind: EvidenceKind;
  readonly mark: bigint;
  readonly until: bigint;
}

interface Scanned extends EvidenceFound {
  /** Up to when each kind is sealed with these items. */
  readonly marks: ReadonlyMap<string, bigint>;
}

/** The usual case: every kind is as far as the others, and there is room for all. Null when it is another. */
async function scanAllAtOnce(tx: Tx, wanted: readonly Wanted[], room: number): Promise<Scanned | null> {
  const spanOf = (isByMinute: boolean): readonly [from: bigint, until: bigint] | null => {
    const [first, ...others] = wanted.filter(({ kind }) => kind.isByMinute === isByMinute);
    if (first === undefined || others.some(({ mark }) => mark !== first.mark) || first.mark > first.until) return null;
    return [first.mark, first.until];
  };
  const [ofRows, ofMinutes] = [spanOf(false), spanOf(true)];
  if (ofRows === null || ofMinutes === null) return null;
  const found = await tx.run<{ item_key: string; recorded_micros: bigint }>(SCAN_ALL, [
    ...ofRows,
    room + 1,
    ...ofMinutes,
  ]);
  if (found.length > room) return null;
  return {
    items: found.map((row) => ({ itemKey: row.item_key, businessDate: null, recordedMicros: row.recorded_micros })),
    isThrough: true,
    marks: new Map(wanted.map(({ kind, until }) => [kind.kind, until])),
  };
}

async function scanOneByOne(tx: Tx, wanted: readonly Wanted[], room: number): Promise<Scanned> {
  const items: UnsealedItem[] = [];
  const marks = new Map<string, bigint>();
  for (const { kind, mark, until } of wanted) {
    const left = room - items.length;
    if (left <= 0) return { items, isThrough: false, marks };
    // The clock was set back: what is recorded from there on is new.
    const found = mark > until ? [] : await scanEvidence(tx, kind, mark, until, left + 1);
    items.push(...found.slice(0, left));
    // What is recorded at the very moment of the cut may be on both sides: the mark stays before it.
    marks.set(kind.kind, found[left]?.recordedMicros ?? until);
    if (found.length > left) return { items, isThrough: false, marks };
  }
  return { items, isThrough: true, marks };
}
