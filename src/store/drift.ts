import type { Statement, Tx } from "../platform";

/** How often one kind of deviation was seen since the last writing. */
export interface DriftCount {
  readonly partnerId: number;
  readonly field: string;
  readonly kind: string;
  readonly count: bigint;
  readonly seenAtMs: number;
}

const ADD_DRIFT: Statement = {
  name: "store_add_drift",
  isWrite: true,
  text: `
    insert into drift as d (partner_id, field, kind, seen_count, first_seen_at, last_seen_at)
    select partner_id, field, kind, seen_count, to_timestamp(seen_at_ms / 1000.0), to_timestamp(seen_at_ms / 1000.0)
      from unnest($1::int[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
           as i(partner_id, field, kind, seen_count, seen_at_ms)
     order by partner_id, field, kind
    on conflict (partner_id, field, kind) do update
       set seen_count = d.seen_count + excluded.seen_count,
           last_seen_at = greatest(d.last_seen_at, excluded.last_seen_at)
    returning partner_id, field, kind, (xmax = 0) as is_new`,
};

/** Adds counts; tells for each, in order, whether its kind was never seen before. */
export async function addDrift(tx: Tx, counts: readonly DriftCount[]): Promise<boolean[]> {
  const rows = await tx.run<{ partner_id: number; field: string; kind: string; is_new: boolean }>(ADD_DRIFT, [
    counts.map((each) => each.partnerId),
    counts.map((each) => each.field),
    counts.map((each) => each.kind),
    counts.map((each) => each.count),
    counts.map((each) => Math.floor(each.seenAtMs)),
  ]);
  const nameOf = (partnerId: number, field: string, kind: string): string => `${partnerId}\n${field}\n${kind}`;
  const fresh = new Set(rows.filter((row) => row.is_new).map((row) => nameOf(row.partner_id, row.field, row.kind)));
  return counts.map(({ partnerId, field, kind }) => fresh.has(nameOf(partnerId, field, kind)));
}

/** A kind of deviation as a listing shows it. */
export interface DriftRow {
  readonly userName: string;
  readonly field: string;
  readonly kind: string;
  readonly count: bigint;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
}

const LIST_DRIFT: Statement = {
  name: "store_list_drift",
  text: `
    select p.user_name, d.field, d.kind, d.seen_count, d.first_seen_at, d.last_seen_at
      from drift d join partner p on p.partner_id = d.partner_id
     where $1::text is null or p.user_name = $1
     order by p.user_name, d.last_seen_at desc, d.field, d.kind`,
};

/** What was seen of one partner, or of all; the latest first. */
export async function listDrift(tx: Tx, userName: string | null): Promise<DriftRow[]> {
  const rows = await tx.run<{
    user_name: string;
    field: string;
    kind: string;
    seen_count: bigint;
    first_seen_at: Date;
    last_seen_at: Date;
  }>(LIST_DRIFT, [userName]);
  return rows.map((row) => ({
    userName: row.user_name,
    field: row.field,
    kind: row.kind,
    count: row.seen_count,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
  }));
}
