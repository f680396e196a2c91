import type { CanonicalField, EvidenceRow } from "../../domain";
import type { Statement, Tx } from "../../platform";
import { type EvidenceMinutes, type EvidenceTable, hashOfRow, type KeyType, textOf } from "./evidence";
import { EVIDENCE, EVIDENCE_MINUTES } from "./evidence-tables";
import type { UnsealedItem } from "./rows";

/** A kind of evidence with the statements that its declaration amounts to. */
export interface EvidenceKind {
  readonly kind: string;
  readonly called: string;
  /** Rows are sealed once nothing can be added to them any more: a whole minute, or a row by itself. */
  readonly isByMinute: boolean;
  /** Whole months of it may expire. */
  readonly mayExpire: boolean;
  /** Rows in no block, recorded from $1 and before $2 (microseconds since the epoch), the oldest first, $3 at most. */
  readonly scan: Statement;
  /** Names and times of rows in no block that should be in one; $1 at most. */
  readonly strays: Statement;
  /** Rows by their names: $1, and the parts of their keys from $2 on. */
  readonly read: Statement;
  /** The parts of a key; null when it cannot be one of a row. */
  readonly partsOf: (key: string) => readonly string[] | null;
  readonly rowOf: (record: EvidenceRecord) => EvidenceRow;
}

/** A row as the statement `read` gives it. */
export interface EvidenceRecord {
  readonly item_key: string;
  readonly recorded_at: string;
  readonly shown: readonly (string | null)[];
  readonly personal: readonly (string | null)[];
}

const FORM_OF_KEY: Readonly<Record<KeyType, string>> = {
  uuid: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
  bigint: "0|-?[1-9][0-9]{0,17}",
  date: "[0-9]{4,6}-[0-9]{2}-[0-9]{2}",
  text: "[^:]*",
};
const instant = (parameter: string): string => `timestamptz 'epoch' + ${parameter}::bigint * interval '1 microsecond'`;
const micros = (expression: string): string => `(extract(epoch from ${expression}) * 1000000)::bigint`;
const isUnsealed = (itemKey: string): string =>
  `(select i.block_no from seal_item i where i.item_key = ${itemKey}) is null`;
const nameOf = (column: string): string =>
  column.replaceAll(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());

/** Older rows that are in no block are a finding while the sealer goes on, and after an hour in any case. */
const OPEN = "interval '2 minutes'";

const straysOf = (kind: string, relation: string, itemKey: string, time: string, where: string): Statement => ({
  name: `ledger_seal_strays_${kind.replaceAll("-", "_")}`,
  text: `
    select f.item_key, f.why, case when isfinite(f.at) then ${textOf("f.at", "time")} else f.at::text end as at
      from (select ${itemKey} as item_key, ${time} as at,
                   case when ${time} > clock_timestamp() + interval '5 seconds' then 'ahead'
                        when ${time} < coalesce(e.sealed_until, '-infinity') then 'passed'
                        else 'waiting' end as why
              from ${relation} cross join seal_state s left join seal_evidence e on e.kind = '${kind}'
             where (${where})
               and (${time} > clock_timestamp() + interval '5 seconds'
                    or ${time} < coalesce(e.sealed_until, '-infinity')
                    or ${time} < clock_timestamp() - interval '1 hour'
                    or ${time} < clock_timestamp() - ${OPEN}
                       and (s.scanned_until < clock_timestamp() - ${OPEN}
                            or coalesce(e.sealed_until, '-infinity') < s.sealed_until - ${OPEN}))
               and not exists (select from seal_item i where i.item_key = ${itemKey})
             order by 2
             limit $1) f`,
});

function partsBy(pattern: string): EvidenceKind["partsOf"] {
  const form = new RegExp(`^${pattern}$`, "s");
  return (key) => form.exec(key)?.slice(1) ?? null;
}

function ofTable(declared: EvidenceTable): EvidenceKind {
  const { kind, table, key, time, columns, where = "true", later = {}, personal = [], computed = {} } = declared;
  const keys = Object.entries(key);
  const keyText = (name: string): string => (key[name] === "date" ? textOf(`r.${name}`, "day") : `r.${name}`);
  const itemKey = `'${kind}:' || ${keys.map(([name]) => keyText(name)).join(" || ':' || ")}`;
  const shown = [
    ...Object.entries(columns).map(([name, form]) => ({ name, text: textOf(`r.${name}`, form), isLater: false })),
    ...Object.entries(computed).map(([name, text]) => ({ name, text, isLater: false })),
    ...Object.entries(later).map(([name, form]) => ({ name, text: textOf(`r.${name}`, form), isLater: true })),
  ];
  const textArray = (texts: readonly string[]): string => `array[${texts.join(", ")}]::text[]`;
  const id = kind.replaceAll("-", "_");
  return {
    kind,
    called: declared.called ?? table,
    isByMinute: false,
    mayExpire: false,
    partsOf: partsBy(
      keys.map(([, type], at) => `(${type === "text" && at === keys.length - 1 ? ".*" : FORM_OF_KEY[type]})`).join(":"),
    ),
    scan: {
      name: `ledger_seal_scan_${id}`,
      text: `
    select ${itemKey} as item_key, null::text as business_date, ${micros(`r.${time}`)} as recorded_micros
      from ${table} r
     where (${where}) and r.${time} >= ${instant("$1")} and r.${time} < ${instant("$2")} and ${isUnsealed(itemKey)}
     order by r.${time}
     limit $3`,
    },
    strays: straysOf(kind, `${table} r`, itemKey, `r.${time}`, where),
    read: {
      name: `ledger_seal_read_${id}`,
      text: `
    select k.item_key, ${textOf(`r.${time}`, "time")} as recorded_at, ${textArray(shown.map(({ text }) => text))} as shown,
           ${textArray(personal.map((name) => `r.${name}::text`))} as personal
      from unnest($1::text[], ${keys.map((_key, at) => `$${at + 2}::text[]`).join(", ")})
           as k(item_key, ${keys.map((_key, at) => `part${at}`).join(", ")})
      join ${table} r on ${keys.map(([name, type], at) => `r.${name} = k.part${at}::${type}`).join(" and ")} and (${where})`,
    },
    rowOf: (record) => ({
      ...namesOf(record),
      fields: shown.flatMap(({ name, isLater }, at): CanonicalField[] => {
        const value = record.shown[at] ?? null;
        return isLater && value === null ? [] : [[nameOf(name), value]];
      }),
      personal: Object.fromEntries(
        personal.flatMap((name, at) => {
          const value = record.personal[at] ?? null;
          return value === null ? [] : [[nameOf(name), value]];
        }),
      ),
    }),
  };
}

function ofMinutes({ kind, table, time, key, columns, monthOf }: EvidenceMinutes): EvidenceKind {
  const month = monthOf === undefined ? "'all'" : `to_char(a.${monthOf} at time zone 'Asia/Jakarta', 'YYYY-MM')`;
  const minutesOf = (range: string): string =>
    `(select ${month} as month, date_trunc('minute', a.${time}, 'UTC') as minute from ${table} a where ${range} group by 1, 2) r`;
  const itemKey = `'${kind}:' || r.month || ':' || to_char(r.minute at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI')`;
  const id = kind.replaceAll("-", "_");
  const inMonth =
    monthOf === undefined
      ? ""
      : `and a.${monthOf} >= (k.month || '-01')::timestamp at time zone 'Asia/Jakarta'
                and a.${monthOf} < ((k.month || '-01')::timestamp + interval '1 month') at time zone 'Asia/Jakarta'`;
  return {
    kind,
    called: `${table} rows of one minute,`,
    isByMinute: true,
    mayExpire: monthOf !== undefined,
    partsOf: partsBy(
      `(${monthOf === undefined ? "all" : "[0-9]{4}-[0-9]{2}"}):([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2})`,
    ),
    scan: {
      name: `ledger_seal_scan_${id}`,
      text: `
    select ${itemKey} as item_key, null::text as business_date, ${micros("r.minute")} as recorded_micros
      from ${minutesOf(`a.${time} >= ${instant("$1")} and a.${time} < ${instant("$2")}`)}
     where ${isUnsealed(itemKey)}
     order by r.minute
     limit $3`,
    },
    strays: straysOf(kind, minutesOf(`a.${time} is not null`), itemKey, "r.minute", "true"),
    read: {
      name: `ledger_seal_read_${id}`,
      text: `
    select k.item_key, ${textOf("m.minute", "time")} as recorded_at, array[c.rows::text, c.digest] as shown,
           array[]::text[] as personal
      from unnest($1::text[], $2::text[], $3::text[]) as k(item_key, month, minute)
     cross join lateral (select (k.minute || 'Z')::timestamptz as minute) m
     cross join lateral (
             select count(*) as rows,
                    encode(sha256(string_agg(${hashOfRow("a", columns)}, ''::bytea order by ${key.map((name) => `a.${name}`).join(", ")})), 'hex') as digest
               from ${table} a
              where a.${time} >= m.minute and a.${time} < m.minute + interval '1 minute'
                ${inMonth}) c
     where c.rows > 0`,
    },
    rowOf: (record) => ({
      ...namesOf(record),
      fields: [
        ["rows", record.shown[0] ?? null],
        ["digest", record.shown[1] ?? null],
      ],
      personal: {},
    }),
  };
}

function namesOf({ item_key, recorded_at }: EvidenceRecord): Pick<EvidenceRow, "kind" | "key" | "recordedAt"> {
  const colon = item_key.indexOf(":");
  return { kind: item_key.slice(0, colon), key: item_key.slice(colon + 1), recordedAt: recorded_at };
}

/** Every kind of evidence by its name. */
export const EVIDENCE_KINDS: ReadonlyMap<string, EvidenceKind> = new Map(
  [...EVIDENCE.map(ofTable), ...EVIDENCE_MINUTES.map(ofMinutes)].map((each) => [each.kind, each]),
);

/** The kind that an item is of; null for the books, and for what nobody has declared. */
export function evidenceKindOf(itemKey: string): EvidenceKind | null {
  return EVIDENCE_KINDS.get(itemKey.slice(0, Math.max(0, itemKey.indexOf(":")))) ?? null;
}

/** Reads rows of evidence by their names, as they are now; one that is not there is not in the answer. */
export async function readEvidence(tx: Tx, itemKeys: readonly string[]): Promise<readonly EvidenceRow[]> {
  const byKind = new Map<EvidenceKind, { readonly itemKey: string; readonly parts: readonly string[] }[]>();
  for (const itemKey of itemKeys) {
    const kind = evidenceKindOf(itemKey);
    const parts = kind?.partsOf(itemKey.slice(kind.kind.length + 1)) ?? null;
    if (kind === null || parts === null) continue;
    byKind.set(kind, [...(byKind.get(kind) ?? []), { itemKey, parts }]);
  }
  const rows: EvidenceRow[] = [];
  for (const [kind, items] of byKind) {
    const columns = (items[0]?.parts ?? []).map((_part, at) => items.map(({ parts }) => parts[at]));
    const found = await tx.run<EvidenceRecord>(kind.read, [items.map(({ itemKey }) => itemKey), ...columns]);
    rows.push(...found.map(kind.rowOf));
  }
  return rows;
}

/** Rows of a kind that are in no block, recorded from `fromMicros` and before `untilMicros`, the oldest first. */
export async function scanEvidence(
  tx: Tx,
  kind: EvidenceKind,
  fromMicros: bigint,
  untilMicros: bigint,
  limit: number,
): Promise<UnsealedItem[]> {
  const rows = await tx.run<{ item_key: string; recorded_micros: bigint }>(kind.scan, [fromMicros, untilMicros, limit]);
  return rows.map((row) => ({ itemKey: row.item_key, businessDate: null, recordedMicros: row.recorded_micros }));
}
